"""Plans as a model writes them, and a tool whose runs can be counted."""

from __future__ import annotations

import json
from typing import Any

from agent.tools.registry import Tool, ToolContext, ToolError, ToolResult


def plan(tool: str, *, thought: str = "", task_name: str = "", more: list[Any] | None = None, **args: Any) -> str:
    """A plan in our own format."""
    written: dict[str, Any] = {
        "thought": thought,
        "task_name": task_name or f"use {tool}",
        "command": {"name": tool, "args": args},
    }
    return json.dumps(written | ({"more": more} if more else {}), ensure_ascii=False)


def task_of(tool: str, **args: Any) -> dict[str, Any]:
    """An entry of `more`."""
    return {"task_name": f"use {tool}", "command": {"name": tool, "args": args}}


COMPLETE = plan("task_complete", reason="All is known.")
NOTHING = plan("do_nothing")


class Lookup:
    """A tool that knows a few words and counts its runs."""

    def __init__(self, name: str = "look_up", *, writes: bool = False, error: ToolError | None = None) -> None:
        self.runs: list[str] = []
        self._error = error
        word = {"type": "string", "maxLength": 40, "description": "The word to look up."}
        self.tool = Tool(
            name,
            "查词",
            "Looks up what a word means.",
            {"type": "object", "properties": {"word": word}, "required": ["word"], "additionalProperties": False},
            self._run,
            writes=writes,
            untrusted_output=True,
        )

    async def _run(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        self.runs.append(args.get("word", ""))
        if self._error is not None:
            raise self._error
        said = f"{args['word']} means thing number {len(self.runs)}."
        return ToolResult(said, f"**{said}**", (f"https://words.example/{args['word']}",))

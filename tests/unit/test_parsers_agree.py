"""The benchmark's parsers and the agent's, which share nothing, read the same in replies that are well-formed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from agent.styles.kuaiagent.parse import calls, read
from agent.tools.control import ends_planning
from agent.tools.registry import Tool, ToolContext, ToolResult
from evals.kagentbench.parse import parse
from evals.kagentbench.sample import sample_path

Golden = Mapping[str, Any]


def kuaiagent(golden: Golden, indent: int | None = None) -> str:
    command = {"name": golden["tool_name"], "args": golden["tool_args"]}
    return json.dumps({"task_name": golden["thought"], "command": command}, ensure_ascii=False, indent=indent)


def autogpt(golden: Golden) -> str:
    thoughts = {"text": golden["thought"], "reasoning": "It is next.", "plan": "- then answer"}
    command = {"name": golden["tool_name"], "args": golden["tool_args"]}
    return json.dumps({"thoughts": thoughts, "command": command}, ensure_ascii=False, indent=4)


def toolllama(golden: Golden) -> str:
    args = json.dumps(golden["tool_args"], ensure_ascii=False)
    return f"Thought: {golden['thought']}\nAction: {golden['tool_name']}\nAction Input: {args}"


def react(golden: Golden) -> str:
    first = next(iter(golden["tool_args"].values()))
    return f"Thought: {golden['thought']}\nAction: {golden['tool_name']}\nAction Input: {first}"


@cache
def plans() -> Sequence[tuple[Golden, Sequence[Any]]]:
    """Every plan among the sample's goldens, with the tools of its item."""
    items = [json.loads(line) for line in sample_path().read_text("utf-8").splitlines()]
    return [
        (golden, item["funcs"])
        for item in items
        if item["type"] in ("plantooluse", "reflextion")
        for golden in item["golden_result_list"]
    ]


async def _never(args: dict[str, Any], context: ToolContext) -> ToolResult:
    raise AssertionError("nothing is called")


@pytest.mark.parametrize(
    ("template", "write"),
    [
        ("KuaiAgent", kuaiagent),
        ("KuaiAgent", lambda golden: kuaiagent(golden, indent=4)),
        ("AutoGPT", autogpt),
        ("ToolLlama", toolllama),
    ],
)
def test_tool_and_arguments_are_the_same(template: str, write: Callable[[Golden], str]) -> None:
    for golden, funcs in plans():
        reply = write(golden)
        scored = parse(template, reply, funcs)
        assert scored is not None
        assert (scored.tool_name, scored.tool_args) == (golden["tool_name"], golden["tool_args"])
        assert calls(reply, [func["name"] for func in funcs]) == ((scored.tool_name, scored.tool_args),)


def test_the_one_argument_of_react_is_the_same() -> None:
    for golden, funcs in plans():
        if not golden["tool_args"]:
            continue
        scored = parse("ReACT", react(golden), funcs)
        assert scored is not None
        [(tool, text)] = calls(react(golden), [func["name"] for func in funcs])
        assert (tool, [text]) == (scored.tool_name, list(scored.tool_args.values()))


def test_what_the_agent_carries_out_is_what_would_be_scored() -> None:
    carried_out = 0
    for golden, funcs in plans():
        tools = [Tool(func["name"], func["name"], "", func["parameters"], _never) for func in funcs]
        scored = parse("KuaiAgent", kuaiagent(golden), funcs)
        plan = read(kuaiagent(golden), False, tools=tools, lang="en")
        assert scored is not None
        if ends_planning(scored.tool_name):
            assert plan.end == {"task_complete": "complete", "do_nothing": "nothing"}[scored.tool_name]
            continue
        [call] = plan.calls
        assert (call.tool, call.args) == (scored.tool_name, scored.tool_args)
        carried_out += 1
    assert carried_out > 50

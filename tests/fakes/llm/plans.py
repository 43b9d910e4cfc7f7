"""An agent's plans, scripted: whether a request asks for one, which one is due, and every way to get it wrong.

A plan is `{"thought", "task_name", "command": {"name", "args"}}` (facts/kagentsys.md, "The loop"). Which one is due is
read from the prompt: each plan's `task_name` begins with a mark `[p:ID#N]` (ID is the question's `[m:ID]`), and the
first plan whose mark does not stand there among the finished tasks comes next. So a server that was killed and asks
again gets the same plan again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from tests.fakes.llm import schema
from tests.fakes.llm.prompt import asked_in

#: What `[fake:badplan=NAME]` does to the plan that is due.
BAD: Mapping[str, str] = {
    "prose": "friendly words before and after the JSON",
    "fence": "the JSON in a Markdown fence",
    "think": "<think> blocks before and after the JSON, with another plan inside the first one",
    "cut": "the JSON cut off in the middle, with finish_reason `length`",
    "python": "a Python dict: single quotes, True, a trailing comma",
    "newline": "a raw line break inside a string",
    "flat": "name and args at the top, without `command`",
    "tool": "a tool that does not exist",
    "args": "the right tool, each argument under a wrong name",
    "repeat": "always the first plan",
    "endless": "always another plan: the last one again, with its #n counted on",
    "toolcall": "an OpenAI-style tool call in place of text",
    "tags": "a <tool_call> block, as Qwen's and Hermes' templates teach it",
    "react": "Thought, Action, Action Input",
    "text": "a sentence in place of a plan",
    "empty": "no text at all",
}

#: Those that can't count as a plan that was made, however well a client reads them.
UNUSABLE = ("cut", "flat", "tool", "args", "toolcall", "tags", "react", "text", "empty")
#: Characters by which a quotation of a reply is known.
_QUOTED = 24

#: What follows the last scripted plan.
_COMPLETE = "task_complete"
#: What `endless` plans where no plan is scripted.
_SUM = {"expression": "#n + 1"}

_TOOL = re.compile(r"\s*([\w.-]+)\s*")
_MARKER = re.compile(r"\[m:([^\]\s]+)\]")
_MARK = re.compile(r"\[p:([^\]#\s]*)#(\d+)\]")
#: The form of a reply, as a prompt describes it to a server that is given no schema.
_FORM = re.compile(r'"command"\s*:\s*\{\s*"name"')


@dataclass(frozen=True, slots=True)
class Call:
    """One scripted plan: a tool and its arguments."""

    tool: str
    args: Mapping[str, Any]
    #: Calls that the same plan makes beside it.
    more: tuple[Call, ...] = ()

    def at(self, number: int) -> Call:
        """The same with each `#n` in its arguments replaced."""
        args = json.loads(json.dumps(self.args).replace("#n", str(number)))
        return Call(self.tool, args, tuple(call.at(number) for call in self.more))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a planning call is answered with: text, or (not and) a tool call."""

    text: str
    finish: str = "stop"
    tool: Call | None = None
    #: Whether it is fit to be carried out.
    usable: bool = True


def read(text: str, at: int) -> tuple[str, int]:
    """The value of `[fake:plan=VALUE]` that begins at `at`, and where it ends. Raises `ValueError`.

    JSON may hold brackets, so its own reader finds the end. Prompts may quote the question as JSON.
    """
    try:
        return _read(text, at)
    except ValueError:
        rest = text[at:].replace('\\"', '"').replace("\\\\", "\\")
        value, end = _read(rest, 0)
        return value, at + end


def _read(text: str, at: int) -> tuple[str, int]:
    decoder = json.JSONDecoder()
    calls: list[dict[str, Any]] = []
    beside = False
    while (found := _TOOL.match(text, at)) is not None:
        args: dict[str, Any] = {}
        at = found.end()
        if text[at : at + 1] == "{":
            args, at = decoder.raw_decode(text, at)
        call: dict[str, Any] = {"tool": found[1], "args": args, "more": []}
        if beside:
            calls[-1]["more"].append(call)
        else:
            calls.append(call)
        beside = text[at : at + 1] == "&"
        if text[at : at + 1] == "]":
            return json.dumps(calls), at + 1
        if text[at : at + 1] not in (";", "&"):
            break
        at += 1
    raise ValueError(
        f'a plan is written [fake:plan=tool{{"argument": "value"}};tool2;…], not {text[at - 20 : at + 20]}'
    )


def calls_of(value: str) -> tuple[Call, ...]:
    """The calls of a value that `read` gave."""

    def call(written: Mapping[str, Any]) -> Call:
        return Call(written["tool"], written["args"], tuple(map(call, written["more"])))

    return tuple(map(call, json.loads(value or "[]")))


def asked_for(body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a request wants a plan: its schema has a `command`, or its last message describes the form of a plan."""
    wanted = schema.of(body)
    if wanted is not None:
        return "command" in (wanted.get("properties") or {})
    last = str(messages[-1].get("content") or "") if messages else ""
    return _FORM.search(last) is not None and '"thought"' in last


def calls_made(messages: Sequence[Mapping[str, Any]]) -> int:
    """Tool calls since the question, in a conversation with a server that takes tools."""
    made = 0
    for message in messages:
        made = 0 if message.get("role") == "user" else made + (message.get("role") == "tool")
    return made


def question(messages: Sequence[Mapping[str, Any]], directives: re.Pattern[str], rejected: Sequence[str]) -> str:
    """The user's message that a planning request is about.

    It is the last one, unless that one complains about the plan before it: then the one before that.
    """
    found = ""
    for at in range(len(messages) - 1, -1, -1):
        content, role = asked_in(str(messages[at].get("content") or "")), messages[at].get("role")
        if role == "user":
            found = found or content
            if directives.search(content) or _MARKER.search(content):
                return content
        elif role == "assistant" and content.strip() and content not in rejected and not _MARK.search(content):
            return found
    return found


def number(messages: Sequence[Mapping[str, Any]], asked: str, calls: Sequence[Call], rejected: Sequence[str]) -> int:
    """Which plan is due, from 1 on: the one after the last whose mark stands among the finished tasks, or whose call
    does, where a client had to make a name for the task. `rejected` are replies that were not usable; where the prompt
    quotes one of them, it says nothing.
    """
    prompt = "\n".join(str(message.get("content") or "") for message in messages)
    for reply in rejected:
        prompt = _without(_without(prompt, reply), json.dumps(reply, ensure_ascii=False)[1:-1])
    mine = _id(asked)
    marked = max((int(n) for owner, n in _MARK.findall(prompt) if owner == mine), default=0)
    called = takewhile(
        lambda made: json.dumps({"name": made.tool, "args": made.args}, ensure_ascii=False) in prompt,
        (call.at(at) for at, call in enumerate(calls, 1)),
    )
    return 1 + max(marked, sum(1 for _ in called))


def write(asked: str, due: int, calls: Sequence[Call], bad: str, thought: str, form: Mapping[str, Any] | None) -> Reply:
    """The plan `due` for the question `asked`, spoilt as `bad` says ("": not at all), in the `form` of a schema."""
    call = _due(due, calls, bad)
    mark = f"[p:{_id(asked)}#{due}]"
    if bad == "tool":
        call = Call("teleport", {"place": "the moon"})
    if bad == "args":
        call = replace(call, args={f"wrong_{name}": value for name, value in call.args.items()} or {"wrong": "?"})
    plan: dict[str, Any] = {
        "thought": thought or f"Plan {due}: {call.tool}.",
        "task_name": f"{mark} {call.tool}",
        "command": {"name": call.tool, "args": dict(call.args)},
    }
    if call.more:
        plan["more"] = [
            {"task_name": f"{each.tool}, beside", "command": {"name": each.tool, "args": dict(each.args)}}
            for each in call.more
        ]
    if form is not None and bad not in ("tool", "args"):
        plan = schema.fitted(plan, form)
    return replace(_spoilt(plan, call, mark, bad), usable=bad not in UNUSABLE)


def _due(due: int, calls: Sequence[Call], bad: str) -> Call:
    if bad == "repeat":
        return (calls[0] if calls else Call("calculator", _SUM)).at(1)
    if due <= len(calls):
        return calls[due - 1].at(due)
    if bad == "endless":
        return (calls[-1] if calls else Call("calculator", _SUM)).at(due)
    return Call(_COMPLETE, {"reason": f"All {len(calls)} planned tasks are done."})


def _spoilt(plan: Mapping[str, Any], call: Call, mark: str, bad: str) -> Reply:
    whole = json.dumps(plan, ensure_ascii=False)
    call_json = json.dumps({"name": call.tool, "arguments": call.args}, ensure_ascii=False)
    match bad:
        case "prose":
            return Reply(f"Sure! Here is my plan:\n\n{whole}\n\nLet me know if you need anything else {{:-)")
        case "fence":
            return Reply(f"```json\n{json.dumps(plan, ensure_ascii=False, indent=2)}\n```")
        case "think":
            decoy = json.dumps({**plan, "command": {"name": "do_nothing", "args": {}}}, ensure_ascii=False)
            return Reply(f"<think>\nMaybe {decoy}? No.\n</think>\n\n{whole}\n<think>Was that right?</think>")
        case "cut":
            return Reply(whole[: whole.index('"command"') + 14], finish="length")
        case "python":
            return Reply(f"{dict(plan)!r}"[:-1] + ", 'sure': True,}")
        case "newline":
            return Reply(
                json.dumps({**plan, "thought": "Line one.@@Line two."}, ensure_ascii=False).replace("@@", "\n")
            )
        case "flat":
            rest = {key: value for key, value in plan.items() if key != "command"}
            return Reply(json.dumps({**rest, "name": call.tool, "args": call.args}, ensure_ascii=False))
        case "toolcall":
            return Reply("", finish="tool_calls", tool=call)
        case "tags":
            return Reply(f"<tool_call>\n{call_json}\n</tool_call>")
        case "react":
            args = json.dumps(call.args, ensure_ascii=False)
            return Reply(f"Thought: {mark} I need a tool.\nAction: {call.tool}\nAction Input: {args}\n")
        case "text":
            return Reply(f"{mark} I would rather not use any tool for this.")
        case "empty":
            return Reply("")
        case _:
            return Reply(whole)


def _without(prompt: str, reply: str) -> str:
    """The prompt without the first quotation of this reply, be it cut off."""
    at = prompt.find(reply[:_QUOTED]) if reply else -1
    if at < 0:
        return prompt
    quoted = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(prompt[at:], reply, strict=False)))
    return prompt[:at] + prompt[at + quoted :]


def key(asked: str) -> str:
    """What the calls for one question have in common: its marker, else its text."""
    return _id(asked) or asked


def _id(asked: str) -> str:
    """The ID of a question's last marker; "" for none."""
    found = _MARKER.findall(asked)
    return found[-1] if found else ""

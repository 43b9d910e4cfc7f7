"""From what a model wrote to a plan: our own format, and those that models fall back to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agent import texts
from agent.language import Lang, Text
from agent.styles.base import Plan, ToolCall, UnusablePlan
from agent.styles.extract import find_json, is_closed_behind, without_thoughts
from agent.tools.control import ends_planning
from agent.tools.function import validate
from agent.tools.registry import Tool, ToolError, find

#: Further calls of one plan, and characters of what is kept of a thought and of a name.
MAX_MORE, MAX_THOUGHT, MAX_NAME = 2, 500, 80

_NO_PLAN: Final = Text("It has no JSON object with a `command`.", "其中没有包含 `command` 的 JSON 对象。")
_CUT: Final = Text("It breaks off before its end; be brief.", "它在结束之前就中断了；请写得简短一些。")

#: Names under which models write a tool's name and its arguments, ours first.
_NAMES = ("name", "tool", "tool_name", "action")
_ARGS = ("args", "arguments", "parameters", "action_input", "input", "tool_input")
#: Lists of tasks or calls; of tasks, the first one comes first.
_TASKS, _CALLS = ("tasks", "plan", "steps"), ("tool_calls", "calls")
#: Names under which they put a whole call.
_WRAPPERS = ("function_call", "tool_call", "tool", "action")
_ARGS_KEY = re.compile(rf"[\"']?(?:{'|'.join(_ARGS)})[\"']?\s*:\s*(?=\{{)")
_NOTHING = frozenset(("", "none", "null", "nothing"))

#: What may stand before a word on its line: list marks, quotes, asterisks. No line breaks: with them, looking through
#: thousands of empty lines takes half a minute.
_LEAD = r"[^\w\n]*"
_REACT = re.compile(
    rf"^{_LEAD}(?:action|动作|行动)\W{{0,4}}[:：]\**[ \t]*(?P<name>[^\n]{{1,100}})\n"
    rf"\s{{0,20}}{_LEAD}(?:action input|动作输入|行动输入)\W{{0,4}}[:：]\**\s*(?P<args>[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_REACT_THOUGHT = re.compile(
    rf"^{_LEAD}(?:thought|思考)\W{{0,4}}[:：]\**[ \t]*([^\n]{{1,1000}})", re.IGNORECASE | re.MULTILINE
)
_REACT_END = re.compile(rf"^{_LEAD}(?:final answer|最终答案|最终回答)\W{{0,4}}[:：]", re.IGNORECASE | re.MULTILINE)


_FENCED = re.compile(r"```\w*\s*\n(.*?)\s*```", re.DOTALL)
_CALL_BLOCK = re.compile(r"^<tool_call>\s*\{", re.MULTILINE)
#: How a plan of our own form begins.
_OURS = re.compile(r'\{\s*"(?:thought|task_name)"\s*:')


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A call as the model wrote it."""

    name: str
    #: A mapping, or text for the tool's only argument.
    args: Any = field(default_factory=dict)
    task_name: str = ""
    thought: str = ""


def read(reply: str, cut: bool, *, tools: Sequence[Tool], lang: Lang) -> Plan:
    """The plan that `reply` is; `cut` says that it reached its token limit, `tools` are all that it may name.

    Raises `UnusablePlan`.
    """
    text = without_thoughts(reply)
    groups = _groups(text)
    if not groups:
        raise UnusablePlan((_CUT if cut else _NO_PLAN).say(lang))
    # A model may repeat the example first, or think aloud in JSON.
    group = next((each for each in groups if _fits(each[0], tools)), None) or next(
        (each for each in groups if find(tools, each[0].name) is not None), groups[0]
    )
    return _plan(group, tools, lang)


def calls(reply: str, names: Collection[str]) -> tuple[tuple[str, Any], ...]:
    """The tools that `reply` calls, each with its arguments as the model wrote them: a mapping, or the text of the only
    one. Nothing is checked against a tool's schema; of several plans the first counts that begins with one of `names`.
    """
    groups = _groups(without_thoughts(reply))
    group = next((each for each in groups if each[0].name in names), groups[0] if groups else [])
    return tuple((wanted.name, wanted.args) for wanted in group)


def is_answer(reply: str, *, tools: Sequence[Tool]) -> bool:
    """Whether `reply` is something for people; a plan in place of an answer, or a call of one of `tools`, is not.

    An answer may hold JSON, show what a call looks like, or speak of tools. Only what could be carried out as it stands
    counts: nothing but JSON, a `<tool_call>` block, or ReAct's lines.
    """
    text = reply.strip()
    fenced = _FENCED.fullmatch(text)
    bare = text if fenced is None else fenced[1]
    if not (bare.startswith(("{", "[")) and _is_nothing_but_json(bare)) and _CALL_BLOCK.search(text) is None:
        react = None if _REACT_END.search(text) else _REACT.search(text)
        return react is None or find(tools, _tidy(react["name"])) is None
    named = (each.name for found in find_json(bare) for each in _calls(found.value))
    return _OURS.match(bare) is None and all(find(tools, name) is None for name in named)


def _is_nothing_but_json(text: str) -> bool:
    for found in find_json(text):
        text = text.replace(found.source, "", 1)
    return not text.strip(" \n\t,;")


def _groups(text: str) -> list[list[_Wanted]]:
    """The calls in a reply: one list for each thing that looks like a plan, the calls of one plan side by side."""
    groups: list[list[_Wanted]] = []
    broken = False
    for found in find_json(text):
        group = list(_calls(found.value))
        if not group:
            continue
        if not found.whole and not is_closed_behind(found.source, _ARGS_KEY):
            broken = True
            continue
        groups.append(group)
    if groups and "<tool_call>" in text:
        # Each has a block of its own; all of them are meant.
        return [[each for group in groups for each in group]]
    if not groups and not broken:
        groups = list(_react(text))
    return groups


def _calls(value: Any) -> Iterator[_Wanted]:
    """The calls in one JSON value: the first to be made, then those beside it."""
    if isinstance(value, list):
        # Of a list of tasks, later ones may need what earlier ones give.
        yield from next((calls for item in value[:MAX_MORE] if (calls := list(_calls(item)))), [])
        return
    if not isinstance(value, Mapping):
        return
    for key in _TASKS:
        if isinstance(value.get(key), list):
            yield from _calls(value[key])
            return
    for key in _CALLS:
        if isinstance(value.get(key), list):
            for item in value[key][: MAX_MORE + 1]:
                yield from _calls(item)
            return
    thought, task_name = _said(value, "thought", "reasoning"), _said(value, "task_name", "task")
    command = value.get("command", value.get("function"))
    if command is None:
        command = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), Mapping)), None)
    if isinstance(command, Mapping):
        inner = next(_calls(command), None)
    elif isinstance(command, str):
        inner = _Wanted(command, _args(value))
    elif "command" in value:
        inner = _Wanted("")
    else:
        name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
        # A name alone may be anything.
        named = name is not None and (any(key in value for key in _ARGS) or bool(_NOTHING & {str(name).lower()}))
        inner = _Wanted(str(name), _args(value)) if named or (name and ends_planning(_tidy(name))) else None
    if inner is None:
        return
    yield _Wanted(_tidy(inner.name), inner.args, task_name or inner.task_name, thought or inner.thought)
    more = value.get("more")
    if isinstance(more, list):
        for item in more[:MAX_MORE]:
            yield from list(_calls(item))[:1]


def _said(value: Mapping[str, Any], *keys: str) -> str:
    return next((value[key] for key in keys if isinstance(value.get(key), str)), "")


def _args(value: Mapping[str, Any]) -> Any:
    given: Any = next((value[key] for key in _ARGS if value.get(key) is not None), {})
    if not isinstance(given, str):
        return given
    # OpenAI writes the arguments as a text of JSON.
    found = next(find_json(given), None)
    return found.value if found is not None and isinstance(found.value, Mapping) else given


def _tidy(name: str) -> str:
    return name.strip(" \t\r\n`\"'()*.").removeprefix("functions.")


def _react(text: str) -> Iterator[list[_Wanted]]:
    """`Action:` and `Action Input:` in lines of their own."""
    found = _REACT.search(text)
    if found is not None:
        said = _REACT_THOUGHT.search(text)
        thought = said[1].strip() if said else ""
        rest = text[found.start("args") :]
        args = next((item.value for item in find_json(rest) if item.whole and isinstance(item.value, Mapping)), None)
        line = found["args"].strip().strip("`")
        yield [_Wanted(_tidy(found["name"]), args if args is not None else line, thought=thought)]
    elif _REACT_END.search(text):
        yield [_Wanted("task_complete", {"reason": ""})]


def _fits(wanted: _Wanted, tools: Sequence[Tool]) -> bool:
    """Whether it can be carried out as it is."""
    tool = find(tools, wanted.name)
    try:
        return tool is not None and _checked(tool, wanted) is not None
    except ToolError:
        return False


def _plan(group: Sequence[_Wanted], tools: Sequence[Tool], lang: Lang) -> Plan:
    first = group[0]
    thought = _short(first.thought, MAX_THOUGHT)
    if first.name.lower() in _NOTHING:
        return Plan(thought=thought, end="nothing", detail=texts.NOTHING_NEEDED.say(lang))
    tool = find(tools, first.name)
    if tool is None:
        return Plan(
            thought=thought, end="unknown", detail=texts.PLAN_UNKNOWN.say(lang, tool=_short(first.name, MAX_NAME))
        )
    if ends_planning(tool.name):
        return _last(tool, first, thought, lang)
    more = tuple(call for wanted in group[1:] if (call := _further(wanted, tools)) is not None)[:MAX_MORE]
    try:
        return Plan((_call(tool, first, _checked(tool, first)), *more), thought)
    except ToolError as error:
        args = dict(first.args) if isinstance(first.args, Mapping) else {}
        raise UnusablePlan(error.say(lang), Plan((_call(tool, first, args), *more), thought)) from error


def _last(tool: Tool, wanted: _Wanted, thought: str, lang: Lang) -> Plan:
    if tool.is_called("do_nothing"):
        return Plan(thought=thought, end="nothing", detail=texts.NOTHING_NEEDED.say(lang))
    reason = wanted.args.get("reason") if isinstance(wanted.args, Mapping) else wanted.args
    said = _short(str(reason or ""), MAX_THOUGHT) or "–"
    return Plan(thought=thought, end="complete", detail=texts.TASK_COMPLETE.say(lang, reason=said))


def _further(wanted: _Wanted, tools: Sequence[Tool]) -> ToolCall | None:
    """A call beside the first; one that can't be made is left out."""
    tool = find(tools, wanted.name)
    if tool is None or ends_planning(tool.name):
        return None
    try:
        return _call(tool, wanted, _checked(tool, wanted))
    except ToolError:
        return None


def _call(tool: Tool, wanted: _Wanted, args: dict[str, Any]) -> ToolCall:
    return ToolCall(tool.name, args, _short(wanted.task_name, MAX_NAME))


def _checked(tool: Tool, wanted: _Wanted) -> dict[str, Any]:
    """The arguments as the tool takes them. Raises `ToolError`, whose sentence teaches what would be right."""
    parameters = {"properties": {}, "required": [], **tool.parameters}
    properties = parameters["properties"]
    args = wanted.args
    if isinstance(args, str | int | float) and len(properties) == 1:
        args = {next(iter(properties)): args}
    args = dict(args) if isinstance(args, Mapping) else {}
    try:
        return validate(tool.name, parameters, args)
    except (KeyError, TypeError):
        # A schema that isn't one of ours: the tool itself will say what it doesn't like.
        return args


def _short(text: str, most: int) -> str:
    text = text.strip()
    return text if len(text) <= most else f"{text[: most - 1]}…"

"""One check against one answer; a judge's are in `evals.suites.judging`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.language import Text
from agent.styles.base import ToolCall
from agent.styles.kuaiagent.parse import calls
from evals.suites.cases import Case, Contains, Exact, Regex, ToolCalled
from evals.suites.regexes import Regexes
from evals.suites.results import Answered, CheckResult

#: Characters of an answer or a value that are shown as a reason.
_MOST_SHOWN: Final = 120

_NO_REPLY = Text("There is no answer: the model failed ({fault}).", "没有回答：模型出错（{fault}）。")
_OTHER = Text("The answer is “{answer}”, not “{wanted}”.", "回答是“{answer}”，而不是“{wanted}”。")
_LACKS = Text("“{wanted}” is missing.", "缺少“{wanted}”。")
_LACKS_ALL = Text("None of these is there: {wanted}.", "以下内容均未出现：{wanted}。")
_HAS = Text("“{wanted}” must not be there.", "不应出现“{wanted}”。")
_NO_MATCH = Text("The pattern does not match.", "与正则表达式不匹配。")
_HANGS = Text(
    "The pattern takes too long on this answer: write it without nested repetitions.",
    "正则表达式在这个回答上耗时过长：请避免嵌套的重复。",
)
_NOT_TRIED = Text(
    "The pattern could not be tried because no process could be started: try again later.",
    "无法启动用于匹配正则表达式的进程，未能检查：请稍后再试。",
)
_NO_CALL = Text("No tool was called.", "没有调用任何工具。")
_OTHER_CALL = Text("Called: {called}.", "实际调用：{called}。")
_OTHER_ARGS = Text("The argument “{name}” is {found}.", "参数“{name}”的值是 {found}。")


def fault(kind: Any, error: str) -> CheckResult:
    """What every check of an answer says that the model failed to give."""
    return CheckResult(kind, "failed", _said(_NO_REPLY, fault=error))


def exact(check: Exact, answer: Answered) -> CheckResult:
    """Whether the answer is one of the texts."""
    found = _normal(answer.text, check.ignore_case, check.ignore_space)
    if any(found == _normal(value, check.ignore_case, check.ignore_space) for value in check.values):
        return CheckResult(check.kind, "passed")
    return CheckResult(check.kind, "failed", _said(_OTHER, answer=answer.text, wanted=check.values[0]))


def contains(check: Contains, answer: Answered) -> CheckResult:
    """Whether the texts stand in the answer that have to, and none that must not."""
    found = _normal(answer.text, check.ignore_case, True)
    there = {value: _normal(value, check.ignore_case, True) in found for value in (*check.all, *check.any, *check.none)}
    for value in check.all:
        if not there[value]:
            return CheckResult(check.kind, "failed", _said(_LACKS, wanted=value))
    if check.any and not any(there[value] for value in check.any):
        return CheckResult(check.kind, "failed", _said(_LACKS_ALL, wanted=", ".join(map(_quoted, check.any))))
    for value in check.none:
        if there[value]:
            return CheckResult(check.kind, "failed", _said(_HAS, wanted=value))
    return CheckResult(check.kind, "passed")


async def regex(check: Regex, answer: Answered, regexes: Regexes) -> CheckResult:
    """Whether the pattern matches; undecided where it takes too long."""
    try:
        found = await regexes.search(check.pattern, answer.text, ignore_case=check.ignore_case)
    except OSError:
        return CheckResult(check.kind, "undecided", _NOT_TRIED)
    if found is None:
        return CheckResult(check.kind, "undecided", _HANGS)
    return CheckResult(check.kind, "passed") if found else CheckResult(check.kind, "failed", _NO_MATCH)


def tool_called(check: ToolCalled, case: Case, answer: Answered) -> CheckResult:
    """Whether the tool is called with these arguments: by the agent system's steps where there are any, else by what
    the agent would read from the reply.
    """
    made = _calls(case, answer, check.name)
    if not made:
        return CheckResult(check.kind, "failed", _NO_CALL)
    named = [args for name, args in made if name == check.name]
    if not named:
        return CheckResult(check.kind, "failed", _said(_OTHER_CALL, called=", ".join(name for name, _ in made)))
    wrong = [_wrong_argument(check.args, args) for args in named]
    if None in wrong:
        return CheckResult(check.kind, "passed")
    name, found = next(each for each in wrong if each is not None)
    return CheckResult(check.kind, "failed", _said(_OTHER_ARGS, name=name, found=found))


def _calls(case: Case, answer: Answered, wanted: str) -> Iterable[tuple[str, Any]]:
    if answer.calls is not None:
        return [(call.tool, call.args) for call in answer.calls]
    names = {str(tool.get("name")) for tool in case.tools} | {wanted}
    return calls(answer.text, names)


def _wrong_argument(wanted: Mapping[str, Any], args: Any) -> tuple[str, str] | None:
    """The first argument that has another value, with that value; None where all are right."""
    if not isinstance(args, Mapping):
        # The text of a tool's only argument.
        args = dict.fromkeys(wanted, args) if len(wanted) == 1 else {}
    for name, value in wanted.items():
        if name not in args:
            return name, "–"
        if not _same(value, args[name]):
            return name, str(args[name])
    return None


def _same(wanted: Any, found: Any) -> bool:
    """Texts but for blanks and case, numbers also as text; of objects only what is wanted."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(name in found and _same(wanted[name], found[name]) for name in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_same, wanted, found))
    if isinstance(wanted, bool) or wanted is None:
        return found is wanted
    if isinstance(wanted, int | float):
        return not isinstance(found, bool) and _number(found) == wanted
    return isinstance(found, str | int | float) and _normal(str(wanted), True, True) == _normal(str(found), True, True)


def _number(found: Any) -> float | None:
    try:
        return float(found)
    except (TypeError, ValueError, OverflowError):
        return None


def _normal(text: str, ignore_case: bool, ignore_space: bool) -> str:
    if ignore_space:
        text = " ".join(text.split())
    return text.casefold() if ignore_case else text


def _said(text: Text, **fields: str) -> Text:
    return text.filled(**{name: _short(value) for name, value in fields.items()})


def _short(text: str) -> str:
    line = re.sub(r"\s+", " ", text.strip())
    return line if len(line) <= _MOST_SHOWN else f"{line[: _MOST_SHOWN - 1]}…"


def _quoted(text: str) -> str:
    return f"“{text}”"


def called(events: Iterable[Any]) -> tuple[ToolCall, ...]:
    """The tools that an agent called, from the events of its run."""
    from agent.events import StepStarted

    return tuple(
        ToolCall(event.tool, event.args)
        for event in events
        if isinstance(event, StepStarted) and event.kind == "act" and event.tool is not None
    )

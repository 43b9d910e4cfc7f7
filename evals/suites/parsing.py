"""From a line's JSON to a case. What is wrong is a `Wrong`, whose sentence says how it would be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from agent.language import Lang, Text, TextError, detect
from evals.suites.cases import PROMPT, Case, Check, Contains, Exact, Judged, Regex, ToolCalled
from evals.suites.prompts import prompt_of

#: Characters of a pattern: compiling and explaining a longer one helps nobody.
MOST_PATTERN: Final = 1000

_NO_OBJECT = Text("it is not a JSON object", "不是 JSON 对象")
_NO_ID = Text("it needs an “id”, a text or a whole number", "缺少“id”（文本或整数）")
_NO_QUERY = Text(
    "it needs either a “query” or a “prompt”, a text that is not empty",
    "需要“query”或“prompt”其中之一，且为非空文本",
)
_SYSTEM = Text(
    "“system” goes with a “query”; a “prompt” is sent as it is",
    "“system”只能与“query”一起使用；“prompt”会原样发送",
)
_TEXT = Text("“{name}” has to be a text", "“{name}”必须是文本")
_LANG = Text("“lang” is “en” or “zh”", "“lang”只能是“en”或“zh”")
_TOOLS = Text(
    "“tools” has to be a list of objects, each with a “name” of its own",
    "“tools”必须是对象列表，每个对象都有各自的“name”",
)
_CHECKS = Text("“checks” has to be a list with at least one check", "“checks”必须是列表，且至少包含一项检查")
_CHECK_TYPE = Text(
    "check {number} needs a “type”: exact, contains, regex, tool-called or judge",
    "第 {number} 项检查缺少有效的“type”：exact、contains、regex、tool-called 或 judge",
)
_UNKNOWN = Text(
    "check {number} ({type}) has “{name}”, which it does not know; it knows {known}",
    "第 {number} 项检查（{type}）中有无法识别的“{name}”；可用的有：{known}",
)
_VALUES = Text(
    "check {number} ({type}): “{name}” has to be a text or a list of texts, none of them empty",
    "第 {number} 项检查（{type}）：“{name}”必须是非空文本，或由非空文本组成的列表",
)
_FLAG = Text(
    "check {number} ({type}): “{name}” is true or false", "第 {number} 项检查（{type}）：“{name}”只能是 true 或 false"
)
_LACKS = Text("check {number} ({type}) needs {known}", "第 {number} 项检查（{type}）缺少{known}")
_ARGS = Text("check {number} ({type}): “args” has to be an object", "第 {number} 项检查（{type}）：“args”必须是对象")
_LONG = Text(
    "check {number} ({type}): the pattern has more than {most} characters",
    "第 {number} 项检查（{type}）：正则表达式超过 {most} 个字符",
)
_PATTERN = Text(
    "check {number} (regex): the pattern can't be used{why}",
    "第 {number} 项检查（regex）：正则表达式无法使用{why}",
)
_OR = Text("“{a}” or “{b}”", "“{a}”或“{b}”")


class Wrong(TextError):
    """A line is no case; `text` says why, as the end of a sentence."""


def case_from(found: Any, line: int = 0) -> Case:
    """The case that a line holds. Raises `Wrong`; whether patterns can be used is not looked at here."""
    if not isinstance(found, dict):
        raise Wrong(_NO_OBJECT)
    id_ = found.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int) or not str(id_).strip():
        raise Wrong(_NO_ID)
    query, prompt = _text(found, "query"), _text(found, "prompt")
    if bool(query.strip()) == bool(prompt.strip()):
        raise Wrong(_NO_QUERY)
    system, notes = _text(found, "system"), _text(found, "notes")
    if system and prompt:
        raise Wrong(_SYSTEM)
    lang, tools = _lang(found, query or prompt), _tools(found)
    asked = prompt or prompt_of(query, lang, system=system, tools=tools)
    return Case(str(id_), query or prompt, lang, _checks(found), {PROMPT: asked}, tools, notes, line, found)


def bad_pattern(number: int, why: str) -> Wrong:
    """What is said of a pattern that can't be used."""
    return Wrong(_PATTERN, number=number, why=f": {why}" if why else "")


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name, "")
    if value is not None and not isinstance(value, str):
        raise Wrong(_TEXT, name=name)
    return value or ""


def _lang(found: Mapping[str, Any], text: str) -> Lang:
    match found.get("lang"):
        case None:
            return detect(text)
        case "en":
            return "en"
        case "zh":
            return "zh"
        case _:
            raise Wrong(_LANG)


def _tools(found: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    given = found.get("tools") or []
    if not isinstance(given, list):
        raise Wrong(_TOOLS)
    # OpenAI's form has the tool one level below.
    tools = [
        one["function"] if isinstance(one, dict) and isinstance(one.get("function"), dict) else one for one in given
    ]
    names = [one.get("name") for one in tools if isinstance(one, dict)]
    if (
        len(names) < len(tools)
        or not all(isinstance(name, str) and name for name in names)
        or len(set(names)) < len(names)
    ):
        raise Wrong(_TOOLS)
    return tuple(tools)


def _checks(found: Mapping[str, Any]) -> tuple[Check, ...]:
    given = found.get("checks")
    if not isinstance(given, list) or not given:
        raise Wrong(_CHECKS)
    return tuple(_Fields(one, number).check() for number, one in enumerate(given, 1))


class _Fields:
    """What one check of a line says."""

    def __init__(self, found: Any, number: int) -> None:
        kind = found.get("type") if isinstance(found, dict) else None
        if not isinstance(kind, str) or kind not in _KNOWN:
            raise Wrong(_CHECK_TYPE, number=number)
        self._found: Mapping[str, Any] = found
        self._about: dict[str, Any] = {"number": number, "type": kind}
        self._kind = kind
        for name in found:
            if name != "type" and name not in _KNOWN[kind]:
                raise Wrong(_UNKNOWN, **self._about, name=str(name)[:60], known=", ".join(_KNOWN[kind]))

    def check(self) -> Check:
        return _MAKERS[self._kind](self)

    def exact(self) -> Check:
        values = (*self._texts("value"), *self._texts("values"))
        if not values:
            raise self._lacks("value", "values")
        return Exact(values, self._flag("ignore_case"), self._flag("ignore_space", otherwise=True))

    def contains(self) -> Check:
        every, some, none = (*self._texts("value"), *self._texts("all")), self._texts("any"), self._texts("none")
        if not (every or some or none):
            raise self._lacks("all", "any")
        return Contains(every, some, none, self._flag("ignore_case"))

    def regex(self) -> Check:
        pattern = self._one("pattern")
        if len(pattern) > MOST_PATTERN:
            raise Wrong(_LONG, **self._about, most=MOST_PATTERN)
        return Regex(pattern, self._flag("ignore_case"))

    def tool_called(self) -> Check:
        args = self._found.get("args", {})
        if not isinstance(args, dict):
            raise Wrong(_ARGS, **self._about)
        return ToolCalled(self._one("name"), args)

    def judge(self) -> Check:
        return Judged(self._one("rubric"), self._one("bad") if "bad" in self._found else "")

    def _texts(self, name: str) -> tuple[str, ...]:
        given = self._found.get(name, [])
        values = [given] if isinstance(given, str) else given
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            raise Wrong(_VALUES, **self._about, name=name)
        return tuple(values)

    def _one(self, name: str) -> str:
        value = self._found.get(name)
        if not isinstance(value, str) or not value.strip():
            raise Wrong(_LACKS, **self._about, known=f"“{name}”")
        return value

    def _flag(self, name: str, *, otherwise: bool = False) -> bool:
        value = self._found.get(name, otherwise)
        if not isinstance(value, bool):
            raise Wrong(_FLAG, **self._about, name=name)
        return value

    def _lacks(self, a: str, b: str) -> Wrong:
        return Wrong(_LACKS, **self._about, known=_OR.filled(a=a, b=b))


_MAKERS: Final[Mapping[str, Callable[[_Fields], Check]]] = {
    "exact": _Fields.exact,
    "contains": _Fields.contains,
    "regex": _Fields.regex,
    "tool-called": _Fields.tool_called,
    "judge": _Fields.judge,
}
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "exact": ("value", "values", "ignore_case", "ignore_space"),
    "contains": ("value", "all", "any", "none", "ignore_case"),
    "regex": ("pattern", "ignore_case"),
    "tool-called": ("name", "args"),
    "judge": ("rubric", "bad"),
}

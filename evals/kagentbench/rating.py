"""The score of one item: each of its replies against its goldens, as the published scorer does it.

The published scorer dies on some replies and goldens. Here such a reply, or the whole item where it is the item's
fault, has the score 0 and says in `raises` what the exception would have been.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from json import dumps
from operator import add
from typing import Any, Final, NamedTuple

from agent.language import Lang
from evals.kagentbench.items import METRICS_OF, PROFILE_PROMPT, Metric, Type
from evals.kagentbench.parse import NONE, parse
from evals.kagentbench.results import ItemResult, Parsed, TemplateResult
from evals.kagentbench.similarity import Similarity, check

#: What the published scorer dies on.
FAULTS: Final = (ArithmeticError, AttributeError, LookupError, NameError, RecursionError, TypeError, ValueError)
#: Of the reflextion score: what the thought counts for, and the arguments.
_THOUGHT: Final = 0.3
_ARGUMENTS: Final = 0.7
_UNBOUND: Final = "cannot access local variable 'thought' where it is not associated with a value"


class Absent:
    """Stands for a field that a line doesn't have."""


ABSENT: Final = Absent()


class Answers(NamedTuple):
    """What an item's replies are measured by."""

    type: Type
    id: str
    query: str
    lang: Lang
    #: The list of goldens, tools and last task as the file has them; `ABSENT` where the line has none.
    goldens: Any
    funcs: Any
    last_task: Any
    #: Whether the prediction's line has a query, which the published scorer wants of two types.
    has_query: bool = True


class _ItemFault(Exception):
    """An error that lies in the item, not in a reply."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class Rater:
    """Scores items; keeps what speeds that up.

    `strict`: whatever the published scorer dies on counts as that, the data card's plain texts as goldens, too.
    """

    def __init__(self, similarity: Similarity | None = None, *, strict: bool = False) -> None:
        self._alike = similarity or Similarity()
        self._strict = strict

    def rate(self, answers: Answers, replies: Any) -> ItemResult:
        """The scores of an item. `replies` is the prediction's `model_predict`."""
        found: list[TemplateResult] = []
        try:
            for one in self._rated(answers, _given(replies, "model_predict")):
                found.append(one)  # noqa: PERF402 - those before a fault count
            scores = {metric: mean([one.scores[metric] for one in found]) for metric in METRICS_OF[answers.type]}
        except _ItemFault as fault:
            earlier = next((one.raises for one in found if one.raises), "")
            return self._failed(answers, earlier or said(fault.cause))
        except FAULTS as error:
            return self._failed(answers, said(error))
        return ItemResult(answers.type, answers.id, answers.query, answers.lang, tuple(found), scores)

    def _failed(self, answers: Answers, raises: str) -> ItemResult:
        zeros: Mapping[Metric, float] = dict.fromkeys(METRICS_OF[answers.type], 0.0)
        return ItemResult(answers.type, answers.id, answers.query, answers.lang, (), zeros, raises)

    def _rated(self, answers: Answers, replies: Any) -> Iterable[TemplateResult]:
        if answers.type == "profile":
            return (self._text_result(PROFILE_PROMPT, replies, answers),)
        return self._texts(answers, replies) if answers.type == "conclusion" else self._plans(answers, replies)

    # Conclusions and profiles

    def _texts(self, answers: Answers, replies: Any) -> Iterable[TemplateResult]:
        for template, reply in replies.items():
            yield self._text_result(template, reply, answers)

    def _text_result(self, template: str, reply: Any, answers: Answers) -> TemplateResult:
        metric = METRICS_OF[answers.type][0]
        text = reply
        try:
            if answers.type == "conclusion":
                text = _conclusion(template, reply)
            score = 0.0 if text == "" else max([self._alike.score(g, text) for g in self._texts_of(answers)])
        except FAULTS as error:
            return TemplateResult(template, {metric: 0.0}, None, _is_blank(text), None, said(error))
        return TemplateResult(template, {metric: score}, unreadable=_is_blank(text))

    def _texts_of(self, answers: Answers) -> Iterable[Any]:
        for golden in _list_of(answers.goldens):
            if isinstance(golden, str) and not self._strict:
                yield golden  # the data card's own example has plain texts
            else:
                yield golden["golden_result"]

    # Plans and reflextions

    def _plans(self, answers: Answers, replies: Any) -> Iterable[TemplateResult]:
        if not answers.has_query:
            raise KeyError("query")
        funcs = _given(answers.funcs, "funcs")
        goldens = _Goldens(answers)
        last: Parsed | None = None
        for template, reply in replies.items():
            parsed, raises = None, ""
            try:
                parsed = parse(template, reply, funcs)
                last = parsed = last if parsed is None else parsed
                if parsed is None:
                    raise UnboundLocalError(_UNBOUND)
                scores = self._plan_scores(goldens, parsed)
            except FAULTS as error:
                scores = dict.fromkeys(METRICS_OF[answers.type], 0.0)
                raises = said(error)
            unreadable, right = parsed is None or parsed.tool_name == NONE, goldens.right_tool(parsed)
            yield TemplateResult(template, scores, parsed, unreadable, right, raises)

    def _plan_scores(self, goldens: _Goldens, parsed: Parsed) -> Mapping[Metric, float]:
        if goldens.type == "reflextion":
            return {"reflextion": self._reflextion(goldens, parsed)}
        plan = [self._thought(golden, parsed) for golden in goldens.with_thought()]
        tool = [self._arguments(golden, parsed) for golden in goldens.with_tool()]
        return {"plan": max(plan, default=0.0), "tooluse": max(tool, default=0.0)}

    def _reflextion(self, goldens: _Goldens, parsed: Parsed) -> float:
        scores = []
        for golden in goldens.with_thought():
            thought, arguments = self._thought(golden, parsed), self._arguments(golden, parsed)
            score = _THOUGHT * thought + _ARGUMENTS * arguments
            scores.append(0.0 if goldens.repeats_last_task(golden) else score)
        if not scores:
            raise _ItemFault(ValueError("max() arg is an empty sequence"))
        return max(scores)

    def _thought(self, golden: Mapping[str, Any], parsed: Parsed) -> float:
        """How alike the thoughts are if the tools are the same, else 0; blank ones raise in either case."""
        if golden["tool_name"] == parsed.tool_name:
            return self._alike.score(golden["thought"], parsed.thought)
        check(str(golden["thought"]), str(parsed.thought))
        return 0.0

    def _arguments(self, golden: Mapping[str, Any], parsed: Parsed) -> float:
        """How alike the arguments are if the tools are the same, else 0; blank ones raise in either case."""
        wanted, given = _of(golden, "tool_args"), parsed.tool_args
        same = golden["tool_name"] == parsed.tool_name
        if not given:
            return 1.0 if same and wanted == {} else 0.0
        if wanted == {}:
            return 0.0
        scores = []
        for name, value in wanted.items():
            if name not in given:
                scores.append(0.0)
            elif same:
                scores.append(self._alike.score(value, given[name]))
            else:
                check(str(value), str(given[name]))
        return mean(scores) if same else 0.0


class _Goldens:
    """An item's goldens for plans and reflextions. What is wrong with them is the item's fault."""

    def __init__(self, answers: Answers) -> None:
        self.type = answers.type
        self._answers = answers
        self._all = _list_of(answers.goldens)

    def with_tool(self) -> list[Mapping[str, Any]]:
        """Those that count for the tool."""
        return [golden for golden in self._all if _of(golden, "tool_name") != NONE]

    def with_thought(self) -> list[Mapping[str, Any]]:
        """Those that count for the thought, too."""
        return [golden for golden in self._all if _of(golden, "thought") != NONE and _of(golden, "tool_name") != NONE]

    def repeats_last_task(self, golden: Mapping[str, Any]) -> bool:
        """Whether a golden, oddly not the reply, is what was done last."""
        last = _given(self._answers.last_task, "memory_last_task")
        same_tool = _of(last, "tool_name") == golden["tool_name"]
        return same_tool and bool(_of(last, "tool_args") == _of(golden, "tool_args"))

    def right_tool(self, parsed: Parsed | None) -> bool:
        """Whether a reply's tool is that of a golden that counts."""
        if parsed is None:
            return False
        goldens = self.with_tool() if self.type == "plantooluse" else self.with_thought()
        return any(golden["tool_name"] == parsed.tool_name for golden in goldens)


def said(error: BaseException) -> str:
    """An exception's name and words, as Python prints them at the end of a traceback."""
    return f"{type(error).__name__}: {error}"


def mean(values: Sequence[float]) -> float:
    """Added up one after the other, as the published scorer's Python does (newer ones compensate)."""
    return reduce(add, values, 0) / len(values)


def _conclusion(template: str, reply: Any) -> Any:
    """The text in a conclusion's reply."""
    if template == "AutoGPT":
        if "web_search(" in reply:
            reply = ""
        if 'response="' in reply:
            reply = reply.split('response="')[1].replace('")', "")
    elif template == "ToolLlama":
        opening = '"final_answer": "'
        if opening in reply:
            reply = reply.split(opening)[1].replace('"', "").replace("}", "")
        if reply == "\n":
            reply = ""
    return dumps(reply, ensure_ascii=False) if isinstance(reply, dict) else reply


def _given(value: Any, name: str) -> Any:
    if isinstance(value, Absent):
        raise _ItemFault(KeyError(name))
    return value


def _list_of(goldens: Any) -> Any:
    return _given(goldens, "golden_result_list")


def _of(golden: Any, name: str) -> Any:
    try:
        return golden[name]
    except FAULTS as error:
        raise _ItemFault(error) from error


def _is_blank(text: Any) -> bool:
    return isinstance(text, str) and (not text or text.isspace())

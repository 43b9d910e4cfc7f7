"""What the page's viewer shows of a suite's cases, in the form of `evals.report.viewing`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.journal import Json
from evals.report.viewing import BLOCK, MOST_QUERY, packed, short, shown
from evals.suites.cases import PROMPT, Case
from evals.suites.results import Answered, CaseResult, CheckResult, Outcome

#: What a list is sorted by.
_SCORES: Final[Mapping[Outcome, float]] = {"failed": 0.0, "undecided": 0.5, "passed": 1.0}
#: Bits by which a list is filtered (`static/page.js`).
_FLAGS: Final[Mapping[Outcome, int]] = {"failed": 1, "undecided": 2, "passed": 4}
#: Checks of a case that are shown.
_MOST_CHECKS: Final = 24


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case with its answer."""

    case: Case
    result: CaseResult
    #: None where the reply is not known any more.
    answer: Answered | None = None


def viewer(views: Iterable[CaseView]) -> dict[str, Json]:
    """The viewer's data as JSON; its `templates` are kinds of checks. All of it is untrusted text."""
    index: list[Json] = []
    texts: list[Json] = []
    kinds: dict[str, int] = {}
    for view in views:
        index.append(_entry(view, kinds))
        texts.append(_texts(view))
    blocks: list[Json] = [packed(texts[first : first + BLOCK]) for first in range(0, len(texts), BLOCK)]
    return {"suite": True, "block": BLOCK, "templates": [*kinds], "index": index, "blocks": blocks}


def views(cases: Sequence[Case], results: Iterable[CaseResult], answers: Mapping[str, Answered]) -> Iterator[CaseView]:
    """Cases with what came out, in the order of the results."""
    known = {case.id: case for case in cases}
    for result in results:
        if result.id in known:
            yield CaseView(known[result.id], result, answers.get(result.id))


def _entry(view: CaseView, kinds: dict[str, int]) -> Json:
    """[type, id, query, lang, score, flag, [[kind of check, score, flag], …]]."""
    result = view.result
    checks: list[Json] = [
        [kinds.setdefault(one.kind, len(kinds)), _SCORES[one.outcome], _FLAGS[one.outcome]]
        for one in result.checks[:_MOST_CHECKS]
    ]
    id_, query = short(result.id, 120), short(result.query, MOST_QUERY)
    return ["suite", id_, query, result.lang, _SCORES[result.outcome], _FLAGS[result.outcome], checks]


def _texts(view: CaseView) -> Json:
    """What is shown of an opened case."""
    raw = view.case.raw.get("checks")
    wanted = raw if isinstance(raw, list) else []
    checks: list[Json] = [
        _check(one, wanted[place] if place < len(wanted) else None)
        for place, one in enumerate(view.result.checks[:_MOST_CHECKS])
    ]
    answer = view.answer
    return {
        "query": short(view.result.query),
        "line": view.case.line,
        "notes": short(view.case.notes),
        "prompt": short(view.case.prompts.get(PROMPT, "")),
        "reply": None if answer is None or answer.error else short(answer.text),
        "error": short(view.result.answer.error, 200),
        "checks": checks,
    }


def _check(one: CheckResult, wanted: Any) -> Json:
    """A verdict with its reason in both languages, and what the check asks for."""
    fields = wanted.items() if isinstance(wanted, Mapping) else ()
    return {
        "kind": one.kind,
        "outcome": one.outcome,
        "why": {"en": short(one.why.en), "zh": short(one.why.zh)},
        "wanted": [[short(str(name), 60), shown(value)] for name, value in fields if name != "type"],
    }

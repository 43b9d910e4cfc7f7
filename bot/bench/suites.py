"""Own suites in a server: what is checked in the process that scores, what a judge adds, and how both are told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from agent.journal import Json
from agent.language import Lang
from evals.runs import Prediction, RunSpec
from evals.suites.cases import Judged
from evals.suites.evaluating import AT_ONCE, answers_of, evaluate
from evals.suites.judging import judged
from evals.suites.results import difference, tally
from evals.suites.summary import marked, read

if TYPE_CHECKING:
    from evals.running.asking import Asker
    from evals.statistics import Estimate
    from evals.suites.cases import Case
    from evals.suites.results import Answered, CaseResult, SuiteEvaluation

#: Cases that did not pass that a run's message names; its summary has all of them.
_NAMED: Final = 5


class Checking:
    """The verdicts over one run as its replies come in, but for a judge's. For a process without an event loop."""

    def __init__(self, cases: Sequence[Case], spec: RunSpec) -> None:
        """`cases`: those that the run asks."""
        self._cases = {case.id: case for case in cases}
        self._spec = spec
        #: Of the first repeat.
        self._found: dict[str, CaseResult] = {}

    @property
    def cases(self) -> Sequence[Case]:
        """Those that the run asks."""
        return list(self._cases.values())

    def add(self, replies: Sequence[Prediction]) -> dict[str, Any]:
        """Check these replies; the rate of cases that passed so far, among those that are decided, and their number."""
        answers = answers_of(replies)
        cases = [case for id_, case in self._cases.items() if id_ in answers]
        if cases:
            self._found |= {one.id: one for one in asyncio.run(evaluate(cases, answers)).results}
        found = tally(one.outcome for one in self._found.values())
        return {"scores": {"pass": found.rate and found.rate.value}, "items": len(self._found)}

    def finish(self, replies: Sequence[Prediction]) -> Json:
        """The summary; what needs a judge is undecided in it."""
        repeats = [answers_of(replies, repeat) for repeat in range(self._spec.repeats)]
        found = [asyncio.run(evaluate(list(self._cases.values()), one)) for one in repeats]
        return marked(found, self._spec, model=next((one.key.model for one in replies), ""))


async def with_judge(summary: Json, cases: Sequence[Case], replies: Sequence[Prediction], judge: Asker) -> Json:
    """A summary with a judge's verdicts. Where it fails or can't be understood, a check stays undecided.

    Raises ValueError for a summary of another version.
    """
    made = read(summary)
    known, room = {case.id: case for case in cases}, asyncio.Semaphore(AT_ONCE)

    async def result(one: CaseResult, answer: Answered) -> CaseResult:
        checks = list(one.checks)
        for place, check in enumerate(known[one.id].checks):
            if isinstance(check, Judged) and not answer.error:
                async with room:
                    checks[place] = await judged(check, known[one.id], answer, judge)
        return replace(one, checks=tuple(checks))

    async def evaluation(repeat: int, found: SuiteEvaluation) -> SuiteEvaluation:
        answers = answers_of(replies, repeat)
        results = await asyncio.gather(*(result(one, answers[one.id]) for one in found.results))
        return replace(found, results=tuple(results))

    found = await asyncio.gather(*(evaluation(repeat, one) for repeat, one in enumerate(made.evaluations)))
    return marked(found, made.spec, model=made.model)


# --- As Markdown. Raise ValueError for a summary of another version.


def line_of(summary: Json) -> str:
    """The line, with its marks."""
    return read(summary).line


def brief(summary: Json, lang: Lang) -> str:
    """Tables and the first reasons, for a message."""
    from evals.suites import report

    return report.as_markdown(read(summary).evaluations[0], lang, _NAMED)


def tables(summary: Json, lang: Lang) -> str:
    """Tables and reasons, for a page."""
    from evals.suites import report

    return report.as_markdown(read(summary).evaluations[0], lang)


def comparison(a: Json, b: Json, lang: Lang) -> str:
    """What changed from one run to another, with the cases by name."""
    from evals.suites import report

    first, second = read(a), read(b)
    found = difference(*(report.outcomes(one.evaluations[0]) for one in (first, second)))
    lines = [f"```\n{one.line}\n```" for one in (first, second)]
    return "\n\n".join([*lines, report.changes(found, lang)])


def change(a: Json, b: Json, lang: Lang) -> str:
    """The same in a sentence or two."""
    from evals.suites import report

    found = difference(*(report.outcomes(read(one).evaluations[0]) for one in (a, b)))
    return report.changes(found, lang)


def row_of(summary: Json) -> tuple[str, str, Estimate | None]:
    """For a leaderboard: model, marks of the line, and the rate of cases that passed (0 to 1); None where nothing is
    decided.
    """
    found = read(summary)
    return found.model, found.mark, found.evaluations[0].cases.rate

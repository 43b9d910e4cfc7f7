"""All answers of a run against all checks of their cases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from evals.running.asking import Asker
from evals.running.predictions import latest
from evals.runs import Prediction
from evals.suites import checks
from evals.suites.cases import PROMPT, SUITE, Case, Check, Contains, Exact, Judged, Regex
from evals.suites.judging import judged
from evals.suites.regexes import Regexes
from evals.suites.results import Answered, CaseResult, CheckResult, SuiteEvaluation

#: Cases that are checked side by side: so many calls a judge has at once.
AT_ONCE: Final = 4


def answers_of(predictions: Iterable[Prediction], repeat: int = 0) -> dict[str, Answered]:
    """The replies of a run by the id of their case."""
    return {
        item: Answered(prediction.text, error=prediction.error)
        for (type_, item, template, time), prediction in latest(predictions).items()
        if (type_, template, time) == (SUITE, PROMPT, repeat)
    }


async def evaluate(
    cases: Sequence[Case], answers: Mapping[str, Answered], *, judge: Asker | None = None, at_once: int = AT_ONCE
) -> SuiteEvaluation:
    """Check the answers, by the ids of their cases. A case without an answer is left out, and told by `expected`.

    Without a judge its checks are undecided.
    """
    room = asyncio.Semaphore(at_once)

    async def one(case: Case, regexes: Regexes) -> CaseResult:
        async with room:
            return await check_case(case, answers[case.id], regexes, judge)

    async with Regexes() as regexes:
        asked = [case for case in cases if case.id in answers]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(case, regexes)) for case in asked]
    return SuiteEvaluation(tuple(task.result() for task in tasks), len(cases))


async def check_case(case: Case, answer: Answered, regexes: Regexes, judge: Asker | None = None) -> CaseResult:
    """One case with all its checks."""
    found = [await _check(one, case, answer, regexes, judge) for one in case.checks]
    return CaseResult(case.id, case.query, case.lang, answer, tuple(found))


async def _check(check: Check, case: Case, answer: Answered, regexes: Regexes, judge: Asker | None) -> CheckResult:
    if answer.error:
        return checks.fault(check.kind, answer.error)
    match check:
        case Exact():
            return checks.exact(check, answer)
        case Contains():
            return checks.contains(check, answer)
        case Regex():
            return await checks.regex(check, answer, regexes)
        case Judged():
            return await judged(check, case, answer, judge)
        case _:
            # Repairing what is meant to be JSON may take most of a second.
            return await asyncio.to_thread(checks.tool_called, check, case, answer)

"""The numbers of a rated set: pass rate and mean score by model and system, paired differences, agreement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, Final

from evals import statistics
from evals.human.agreement import Agreement, agreement
from evals.human.sets import HIGHEST, LOWEST, PASS, Answer, HumanSet, Rater, Rating, SetState
from evals.statistics import Estimate

#: The widths of what is measured: for scores as fractions of their range.
_RANGE: Final = HIGHEST - LOWEST


@dataclass(frozen=True, slots=True)
class Cell:
    """One system on one model."""

    model: str
    system: str
    #: Questions with at least one rating of this system's answer, or with an answer that never came.
    questions: int
    #: Ratings that people gave.
    ratings: int
    #: Answers that never came: each counts as rated `LOWEST`.
    failed: int
    #: 0 to 1; None without any question.
    passed: Estimate | None
    #: `LOWEST` to `HIGHEST`.
    score: Estimate | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two systems on one model, by the questions that both have ratings for, the same rater's against each other."""

    model: str
    #: The first less the second is what the numbers say.
    system: str
    other: str
    questions: int
    #: Difference of pass rates, -1 to 1, and its two-sided p-value.
    passed: Estimate
    passed_p: float
    #: Difference of mean scores.
    score: Estimate
    score_p: float


@dataclass(frozen=True, slots=True)
class Report:
    """All numbers of a set."""

    id: str
    name: str
    state: SetState
    created_at: datetime
    #: Ratings from this value on count as passed.
    passed: int
    questions: int
    systems: tuple[str, ...]
    models: tuple[str, ...]
    #: By model, then by system.
    cells: tuple[Cell, ...]
    differences: tuple[Difference, ...]
    agreement: Agreement
    #: Raters who have rated anything.
    raters: int
    skipped: int
    #: Whether any of these ratings was made by a test's program, and whether all were.
    driven: bool
    only_driven: bool

    def cell(self, model: str, system: str) -> Cell:
        """The numbers of one system on one model."""
        return next(one for one in self.cells if (one.model, one.system) == (model, system))


#: Question → rater → value.
_Values = Mapping[str, Mapping[str, int]]


def report_of(
    made: HumanSet,
    answers: Sequence[Answer],
    ratings: Sequence[Rating],
    raters: Iterable[Rater],
    passed: int = PASS,
) -> Report:
    """The report of a set as it stands. NumPy is imported; some hundredths of a second for a usual set."""
    spec = made.spec
    given: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for one in ratings:
        if one.value is not None:
            given[one.question, one.digest][one.rater] = one.value
    values = {
        (model, system): _values(answers, given, model, system) for model in spec.models for system in spec.systems
    }
    failed = {
        key: {one.key.question for one in answers if one.error and (one.key.model, one.key.system) == key}
        for key in values
    }
    who = {one.rater for one in ratings if one.value is not None}
    driven = who & {one.name for one in raters if one.driver}
    return Report(
        id=made.id,
        name=spec.name,
        state=made.state,
        created_at=made.created_at,
        passed=passed,
        questions=made.questions,
        systems=spec.systems,
        models=spec.models,
        cells=tuple(_cell(*key, found, failed[key], passed) for key, found in values.items()),
        differences=tuple(
            _difference(model, one, other, values, failed, passed)
            for model in spec.models
            for one, other in combinations(reversed(spec.systems), 2)
            if _both(values, failed, model, one, other)
        ),
        agreement=agreement(_units(given), len(who), passed),
        raters=len(who),
        skipped=sum(one.value is None for one in ratings),
        driven=bool(driven),
        only_driven=bool(driven) and driven == who,
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON: rates 0 to 1, scores as they are."""
    return {**asdict(report), "created_at": report.created_at.isoformat()}


def _values(
    answers: Iterable[Answer], given: Mapping[tuple[str, str], Mapping[str, int]], model: str, system: str
) -> _Values:
    mine = (one for one in answers if not one.error and (one.key.model, one.key.system) == (model, system))
    found = {one.key.question: given.get((one.key.question, one.digest), {}) for one in mine}
    return {question: by_rater for question, by_rater in found.items() if by_rater}


def _cell(model: str, system: str, values: _Values, failed: set[str], least: int) -> Cell:
    import numpy as np

    ratings = [list(by_rater.values()) for by_rater in values.values()] + [[LOWEST]] * len(failed)
    count = sum(map(len, values.values()))
    if not ratings:
        return Cell(model, system, 0, 0, 0, None, None)
    passes = np.array([_share(found, least) for found in ratings])
    rate = statistics.clustered_rate(passes, np.ones(len(passes)))
    means = [(_mean(found) - LOWEST) / _RANGE for found in ratings]
    score = statistics.mean_interval(means, list(range(len(means))))
    return Cell(model, system, len(ratings), count, len(failed), rate, _scaled(score, LOWEST))


def _both(
    values: Mapping[tuple[str, str], _Values],
    failed: Mapping[tuple[str, str], set[str]],
    model: str,
    one: str,
    other: str,
) -> list[tuple[list[int], list[int]]]:
    """What two systems' answers to the same question got from the same raters, question by question."""
    mine, theirs = values[model, one], values[model, other]
    my_failed, their_failed = failed[model, one], failed[model, other]
    pairs = []
    for question in sorted((mine.keys() | my_failed) & (theirs.keys() | their_failed)):
        first, second = mine.get(question, {}), theirs.get(question, {})
        # An answer that never came is the lowest for everybody.
        raters = first.keys() & second.keys() or first.keys() | second.keys() or {""}
        if question not in my_failed and question not in their_failed:
            raters = first.keys() & second.keys()
        if raters:
            pairs.append(([first.get(r, LOWEST) for r in raters], [second.get(r, LOWEST) for r in raters]))
    return pairs


def _difference(
    model: str,
    one: str,
    other: str,
    values: Mapping[tuple[str, str], _Values],
    failed: Mapping[tuple[str, str], set[str]],
    least: int,
) -> Difference:
    pairs = _both(values, failed, model, one, other)
    passed, passed_p = _paired([_share(a, least) - _share(b, least) for a, b in pairs])
    score, score_p = _paired([(_mean(a) - _mean(b)) / _RANGE for a, b in pairs])
    return Difference(model, one, other, len(pairs), passed, passed_p, _scaled(score), score_p)


def _paired(differences: Sequence[float]) -> tuple[Estimate, float]:
    """The mean difference per question with its interval, and its p-value."""
    import numpy as np

    found = np.asarray(differences, dtype=np.float64)
    means = statistics.Means(found[None, :], np.ones((1, len(found))))
    drawn = statistics.resample(means, seed=0)[0]
    estimate = statistics.interval(float(found.mean()), drawn, len(found) - 1, least=-1.0)
    return estimate, statistics.sign_flip(found)


def _units(given: Mapping[tuple[str, str], Mapping[str, int]]) -> dict[str, list[list[int]]]:
    units: dict[str, list[list[int]]] = defaultdict(list)
    for (question, _), by_rater in given.items():
        units[question].append(list(by_rater.values()))
    return units


def _scaled(estimate: Estimate, start: float = 0.0) -> Estimate:
    """From a fraction of the range to ratings."""
    low, high = (None if bound is None else start + _RANGE * bound for bound in (estimate.low, estimate.high))
    return Estimate(start + _RANGE * estimate.value, low, high)


def _share(values: Sequence[int], least: int) -> float:
    return sum(value >= least for value in values) / len(values)


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)

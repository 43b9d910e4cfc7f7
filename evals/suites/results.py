"""What a suite finds: per check, per case, and in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import comb
from typing import Final, Literal, NamedTuple

from agent.language import Lang, Text
from agent.styles.base import ToolCall
from evals.statistics import Estimate, wilson
from evals.suites.cases import Kind

#: `undecided`: nobody can say, such as a judge whose verdict can't be read. It counts as neither, and is told.
Outcome = Literal["passed", "failed", "undecided"]
_NO_REASON: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a case."""

    text: str
    #: Tools that an agent system has called; None where a model was asked, whose calls stand in its text.
    calls: tuple[ToolCall, ...] | None = None
    #: The fault that the model ended with; "" for an answer.
    error: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one answer."""

    kind: Kind
    outcome: Outcome
    #: For people: what was missing, or a judge's reason.
    why: Text = _NO_REASON


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One answer."""

    id: str
    query: str
    lang: Lang
    answer: Answered
    checks: tuple[CheckResult, ...]

    @property
    def outcome(self) -> Outcome:
        """Failed as soon as one check did, passed when all did."""
        outcomes = {check.outcome for check in self.checks}
        return "failed" if "failed" in outcomes else "undecided" if "undecided" in outcomes else "passed"


class Tally(NamedTuple):
    """How many came out how."""

    passed: int
    failed: int
    undecided: int

    @property
    def rate(self) -> Estimate | None:
        """Passed of those that are decided, with Wilson's 95 % interval; None where nothing is."""
        decided = self.passed + self.failed
        return wilson(self.passed, decided) if decided else None


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """The counts of some outcomes."""
    found = list(outcomes)
    return Tally(found.count("passed"), found.count("failed"), found.count("undecided"))


@dataclass(frozen=True, slots=True)
class SuiteEvaluation:
    """A suite's answers, checked."""

    #: In the order of the suite; cases that nobody has answered are not among them.
    results: tuple[CaseResult, ...]
    #: Cases that were to be answered.
    expected: int

    @property
    def cases(self) -> Tally:
        """Cases, each with all its checks."""
        return tally(result.outcome for result in self.results)

    @property
    def by_check(self) -> Mapping[Kind, Tally]:
        """Single checks, in the order in which their kinds first come."""
        kinds = dict.fromkeys(check.kind for result in self.results for check in result.checks)
        every = [check for result in self.results for check in result.checks]
        return {kind: tally(check.outcome for check in every if check.kind == kind) for kind in kinds}

    @property
    def by_lang(self) -> Mapping[Lang, Tally]:
        """Cases by the language of their question."""
        langs = dict.fromkeys(result.lang for result in self.results)
        return {lang: tally(one.outcome for one in self.results if one.lang == lang) for lang in langs}


class Difference(NamedTuple):
    """Two runs of one suite, by the cases that are decided in both."""

    shared: int
    #: Passed in the second run only, and in the first only: ids.
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    #: Two-sided, of McNemar's exact test: how likely so uneven a split is if both do equally well.
    p: float


def difference(first: Mapping[str, Outcome], second: Mapping[str, Outcome]) -> Difference:
    """From one run to another, by the cases' ids."""
    shared = [one for one in first if "undecided" not in (first[one], second.get(one, "undecided"))]
    gained = tuple(one for one in shared if first[one] == "failed" and second[one] == "passed")
    lost = tuple(one for one in shared if first[one] == "passed" and second[one] == "failed")
    changed, fewer = len(gained) + len(lost), min(len(gained), len(lost))
    p = min(1.0, 2 * sum(comb(changed, k) for k in range(fewer + 1)) / 2**changed)
    return Difference(len(shared), gained, lost, p)

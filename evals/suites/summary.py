"""All that is kept of a finished run of a suite: verdicts and their reasons, so that no judge is asked twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.journal import Json
from agent.language import Text
from evals.runs import RunSpec, spec_json, spec_of
from evals.suites.report import line
from evals.suites.results import Answered, CaseResult, CheckResult, SuiteEvaluation

#: Of the JSON that `summary_of` makes.
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class SuiteSummary:
    """A finished run. The answers are with its predictions: their texts are "" here."""

    spec: RunSpec
    #: The model's own name where a server gave one, else what the operator calls it.
    model: str
    #: The line of the first time that everything was asked, with its marks.
    line: str
    #: One for each repeat.
    evaluations: tuple[SuiteEvaluation, ...]

    @property
    def mark(self) -> str:
        """What the line begins with, its blanks included; "" for none."""
        return self.line[: self.line.index("passed :")]


def summary_of(evaluations: Sequence[SuiteEvaluation], spec: RunSpec, *, model: str = "", mark: str = "") -> Json:
    """The summary of a run as JSON, from one evaluation per repeat. Raises ValueError for none at all."""
    if not evaluations:
        raise ValueError("a summary needs an evaluation")
    return {
        "version": _VERSION,
        "kind": "suite",
        "spec": spec_json(spec),
        "model": model or spec.model,
        "line": line(evaluations[0], mark),
        "repeats": [_evaluation_json(one) for one in evaluations],
    }


def marked(evaluations: Sequence[SuiteEvaluation], spec: RunSpec, *, model: str = "") -> Json:
    """The same with the marks that its spec asks for. Raises ValueError for no evaluation at all."""
    made: Any = summary_of(evaluations, spec, model=model, mark="[constrained] " if spec.constrained else "")
    if spec.limit is not None:
        # In front of all other marks.
        made["line"] = f"[sample {evaluations[0].expected}] {made['line']}"
    return made


def is_suite_summary(found: Json) -> bool:
    """Whether a run's summary is one of these, and none of a benchmark."""
    return isinstance(found, Mapping) and found.get("kind") == "suite"


def read(found: Json) -> SuiteSummary:
    """What `summary_of` made, after a journey through JSON. Raises ValueError for anything else."""
    if not isinstance(found, Mapping) or not is_suite_summary(found) or found.get("version") != _VERSION:
        raise ValueError("not a summary of a suite of this version")
    try:
        repeats = tuple(_evaluation_of(one) for one in found["repeats"])
        return SuiteSummary(spec_of(found["spec"]), str(found["model"]), str(found["line"]), repeats)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a whole summary: {error!r}") from error


def _evaluation_json(evaluation: SuiteEvaluation) -> Json:
    return {"expected": evaluation.expected, "results": [_result_json(one) for one in evaluation.results]}


def _result_json(result: CaseResult) -> dict[str, Any]:
    checks = [[check.kind, check.outcome, *check.why] for check in result.checks]
    error = result.answer.error
    return {"id": result.id, "query": result.query, "lang": result.lang, "error": error, "checks": checks}


def _evaluation_of(found: Mapping[str, Any]) -> SuiteEvaluation:
    return SuiteEvaluation(tuple(_result_of(one) for one in found["results"]), int(found["expected"]))


def _result_of(found: Mapping[str, Any]) -> CaseResult:
    checks = tuple(CheckResult(kind, outcome, Text(en, zh)) for kind, outcome, en, zh in found["checks"])
    return CaseResult(found["id"], found["query"], found["lang"], Answered("", error=found["error"]), checks)

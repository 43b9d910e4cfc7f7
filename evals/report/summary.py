"""All that is kept of a finished run for its tables, charts and comparisons."""

from __future__ import annotations

import statistics as plain
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from agent.journal import Json
from evals import statistics
from evals.kagentbench.items import METRICS, TYPES, WEIGHTS, Metric, Type
from evals.kagentbench.results import Evaluation
from evals.report.columns import Columns, columns_of, pack, unpack
from evals.report.line import line, marks_of
from evals.report.rows import Row, rows_of
from evals.runs import Prediction, RunSpec, spec_json, spec_of
from evals.statistics import Estimate

#: Of the JSON that `summary_of` makes.
_VERSION = 1
#: Sorts of exceptions that are listed by name.
_MOST_REASONS = 8


@dataclass(frozen=True, slots=True)
class Calls:
    """What asking took."""

    #: Replies wanted and got, failed ones included.
    asked: int
    #: Of these, taken from earlier runs.
    cached: int
    #: Of these, failed for good: fault → how many.
    failed: Mapping[str, int]
    #: Prompts that were cut to fit, and by how many tokens in all.
    cut: int
    cut_tokens: int
    #: Of replies whose server says; None where none does. Those of earlier runs are not counted.
    prompt_tokens: int | None
    completion_tokens: int | None
    #: Of the calls made, one after the other; and of the one in the middle, None where none was made.
    seconds: float
    median_seconds: float | None
    #: Replies that ended because `max_tokens` were written.
    cut_off: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished run. Scores are 0 to 1, and means over the repeats."""

    spec: RunSpec
    #: The model's own name where a server gave one, else what the operator calls it.
    model: str
    #: As `evals.report.line.marks` has it, with its blank; "" for a complete run.
    mark: str
    #: The published line with its mark.
    line: str
    scores: Mapping[Metric, float | None]
    overall: float | None
    #: `overall` of each repeat; its length is the number of repeats.
    repeats: tuple[float | None, ...]
    rows: tuple[Row, ...]
    #: Items of the benchmark by type, predicted or not.
    expected: Mapping[str, int]
    #: What the published scorer would have died on, and on what: exception → how often.
    raised: int
    reasons: Mapping[str, int]
    data_sha256: str
    versions: Mapping[str, str]
    #: None where predictions came from a file.
    calls: Calls | None = None
    blocks: Mapping[Type, Columns] = field(default_factory=dict, repr=False)

    @property
    def comparable(self) -> bool:
        """Whether the published rows may stand beside it: complete, unconstrained, from a file in the official form."""
        return not self.mark and self.spec.data.kind == "official"

    @property
    def items(self) -> int:
        return sum(len(columns.names) for columns in self.blocks.values())

    @property
    def replies(self) -> int:
        """Replies that were scored."""
        return sum(sum(one.replies) for columns in self.blocks.values() for one in columns.templates.values())


def summary_of(
    evaluations: Sequence[Evaluation], spec: RunSpec, *, predictions: Sequence[Prediction] = (), model: str = ""
) -> Json:
    """The summary of a run as JSON, from one evaluation per repeat and, for what asking took, all its predictions.

    Each evaluation is one against the items that the run asked about. Some 0.5 s of CPU and 200 kB for 3,000 items
    with five templates: it belongs into a thread or process of its own where others wait. Raises ValueError for no
    evaluation at all.
    """
    if not evaluations:
        raise ValueError("a summary needs an evaluation")
    blocks = {kind: columns_of(kind, [one.items for one in evaluations]) for kind in TYPES}
    kept = {kind: columns for kind, columns in blocks.items() if columns.names}
    mean = _mean(evaluations)
    mark = marks_of(mean, spec)
    reasons = Counter(
        reason.partition(":")[0]
        for one in evaluations
        for item in one.items
        for reason in (item.raises, *(each.raises for each in item.templates))
        if reason
    )
    names = Counter(one.key.model for one in predictions if one.key.model)
    return {
        "version": _VERSION,
        "spec": spec_json(spec),
        "model": model or (names.most_common(1)[0][0] if names else spec.model),
        "mark": mark,
        "line": line(mean, mark),
        "scores": dict(mean.scores),
        "overall": mean.overall,
        "repeats": [one.overall for one in evaluations],
        "rows": [_row_json(_exact(row, mean)) for row in rows_of(kept)],
        "expected": dict(mean.expected),
        "raised": sum(one.raised for one in evaluations),
        "reasons": dict(reasons.most_common(_MOST_REASONS)),
        "data_sha256": mean.data_sha256 or spec.data.sha256,
        "versions": dict(mean.versions),
        "calls": asdict(_calls(predictions)) if predictions else None,
        "blocks": {kind: pack(columns) for kind, columns in kept.items()},
    }


def read(found: Json) -> Summary:
    """What `summary_of` made, after a journey through JSON. Raises ValueError for anything else."""
    if not isinstance(found, Mapping) or found.get("version") != _VERSION:
        raise ValueError("not a summary of this version")
    try:
        return _read(found)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a whole summary: {error!r}") from error


def _read(found: Mapping[str, Any]) -> Summary:
    return Summary(
        spec=spec_of(found["spec"]),
        model=str(found["model"]),
        mark=str(found["mark"]),
        line=str(found["line"]),
        scores={metric: found["scores"].get(metric) for metric in METRICS},
        overall=found["overall"],
        repeats=tuple(found["repeats"]),
        rows=tuple(_row_of(row) for row in found["rows"]),
        expected=dict(found["expected"]),
        raised=int(found["raised"]),
        reasons=dict(found["reasons"]),
        data_sha256=str(found["data_sha256"]),
        versions=dict(found["versions"]),
        calls=Calls(**found["calls"]) if found["calls"] else None,
        blocks={kind: unpack(kind, found["blocks"][kind]) for kind in TYPES if kind in found["blocks"]},
    )


def _mean(evaluations: Sequence[Evaluation]) -> Evaluation:
    """One evaluation with the mean numbers of all; complete if all are."""
    scores: dict[Metric, float | None] = {}
    for metric in METRICS:
        known = [value for one in evaluations if (value := one.scores.get(metric)) is not None]
        scores[metric] = sum(known) / len(known) if known else None
    overall = None
    if all(value is not None for value in scores.values()):
        overall = sum(WEIGHTS[metric] * (scores[metric] or 0.0) for metric in METRICS)
    first = evaluations[0]
    if len(evaluations) == 1:
        return first
    return replace(first, scores=scores, overall=overall, complete=all(one.complete for one in evaluations))


def _exact(row: Row, evaluation: Evaluation) -> Row:
    """Rows are computed from columns of half the precision; those that the line shows have the line's own numbers."""
    value = evaluation.overall if row.number == "overall" else evaluation.scores.get(row.number)
    if row.template or row.lang or row.score is None or value is None:
        return row
    return replace(row, score=replace(row.score, value=value))


def _calls(predictions: Sequence[Prediction]) -> Calls:
    made = [one for one in predictions if not one.cached]
    prompt = [one.prompt_tokens for one in made if one.prompt_tokens is not None]
    completion = [one.completion_tokens for one in made if one.completion_tokens is not None]
    return Calls(
        asked=len(predictions),
        cached=len(predictions) - len(made),
        failed=dict(Counter(one.error for one in predictions if one.error)),
        cut=sum(one.cut_tokens > 0 for one in predictions),
        cut_tokens=sum(one.cut_tokens for one in predictions),
        prompt_tokens=sum(prompt) if prompt else None,
        completion_tokens=sum(completion) if completion else None,
        seconds=sum(one.seconds for one in made),
        median_seconds=plain.median(one.seconds for one in made) if made else None,
        cut_off=sum(one.finish_reason == "length" for one in predictions),
    )


def _row_json(row: Row) -> Json:
    fields = asdict(row)
    for name in ("score", "unreadable", "right_tool"):
        estimate: Estimate | None = getattr(row, name)
        fields[name] = estimate and [estimate.value, estimate.low, estimate.high]
    return fields


def _row_of(found: Mapping[str, Any]) -> Row:
    fields = dict(found)
    for name in ("score", "unreadable", "right_tool"):
        fields[name] = statistics.Estimate(*fields[name]) if fields[name] else None
    return Row(**fields)

"""The published line, and the marks in front of it where it isn't what the published scorer would print."""

from __future__ import annotations

from evals.kagentbench.items import METRICS, TEMPLATES
from evals.kagentbench.results import Evaluation
from evals.runs import RunSpec


def marks(
    evaluation: Evaluation,
    *,
    is_sample: bool = False,
    limited: bool = False,
    narrowed: bool = False,
    constrained: bool = False,
) -> str:
    """What stands in front of the line: "" for a result that the published rows may stand beside.

    `[sample N] ` for our own sample or the first of a limit (N items scored), `[partial] ` where a type, a template
    or a prediction is missing or the run was `narrowed` to some of the data's items, `[constrained] ` where replies
    were held to a schema; in this order, each followed by a blank. An evaluation of a limited run is one against the
    items that were drawn, so that drawing alone makes nothing partial.
    """
    found = ""
    if is_sample or limited:
        found += f"[sample {len(evaluation.items)}] "
    if narrowed or not whole(evaluation):
        found += "[partial] "
    if constrained:
        found += "[constrained] "
    return found


def marks_of(evaluation: Evaluation, spec: RunSpec) -> str:
    """`marks` as a run's own spec has them."""
    return marks(
        evaluation,
        is_sample=spec.data.kind == "sample",
        limited=spec.limit is not None,
        # One language, say: all types and templates may be there all the same.
        narrowed=spec.limit is None and sum(evaluation.expected.values()) < spec.data.items,
        constrained=spec.constrained,
    )


def whole(evaluation: Evaluation) -> bool:
    """Whether all is there that the five numbers are made of: types, templates of the published data, predictions."""
    if not evaluation.complete or any(evaluation.scores.get(metric) is None for metric in METRICS):
        return False
    seen = {one.template for item in evaluation.items for one in item.templates}
    return seen.issuperset(TEMPLATES)


def line(evaluation: Evaluation, mark: str) -> str:
    """The published line, verbatim but for the mark in front; a number that is missing is `-`."""
    # Here, not above: reading a kept summary and its tables needs no scorer.
    from evals.kagentbench.score import published_line

    return mark + published_line(evaluation)

"""From the replies of a run to its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from evals.kagentbench.items import TYPES, Item
from evals.kagentbench.results import Evaluation, ItemResult
from evals.running.predictions import model_predict, texts_of
from evals.runs import Prediction, RunSpec


def evaluations(items: Sequence[Item], predictions: Sequence[Prediction], spec: RunSpec) -> list[Evaluation]:
    """One evaluation per repeat, against the items that were asked about (`evals.running.selecting.select`).

    Blocking: CPU work of seconds for a large file.
    """
    return [_evaluation(items, texts_of(predictions, repeat), spec) for repeat in range(spec.repeats)]


def _evaluation(items: Sequence[Item], replies: dict[tuple[str, str], dict[str, str]], spec: RunSpec) -> Evaluation:
    from evals.kagentbench import score

    asked = [item for item in items if item.key in replies]
    complete = len(asked) == len(items) and all(replies[item.key].keys() >= item.prompts.keys() for item in items)
    scored = score.score_items((item, model_predict(item, replies[item.key])) for item in asked)
    counts = Counter(item.type for item in items)
    found = score.total(scored, {kind: counts[kind] for kind in TYPES}, complete=complete)
    return replace(found, data_sha256=spec.data.sha256, versions=dict(score.versions()))


def item_result(item: Item, replies: Mapping[tuple[str, int], Prediction], spec: RunSpec) -> list[ItemResult | None]:
    """One item alone, once per repeat, from its replies by template and repeat; None where none has come."""
    from evals.kagentbench.score import score_items

    found: list[ItemResult | None] = []
    for repeat in range(spec.repeats):
        texts = {template: one.text for (template, time), one in replies.items() if time == repeat}
        found.append(score_items([(item, model_predict(item, texts))])[0] if texts else None)
    return found

"""The score of a predictions file: the published numbers, and everything that they are made of."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evals.kagentbench.data import nothing_of
from evals.kagentbench.files import Index, index_of
from evals.kagentbench.gathering import Gathering, StrictError, aligned
from evals.kagentbench.items import METRICS, METRICS_OF, TYPES, WEIGHTS, Item, Metric, Type
from evals.kagentbench.pairing import answers_of
from evals.kagentbench.punkt import DATA_SHA256
from evals.kagentbench.rating import Rater, mean
from evals.kagentbench.results import Evaluation, ItemResult
from evals.kagentbench.working import Working

#: The rules that texts are cut with. It changes whenever a score could.
RULES_VERSION: Final = "nltk-3.8.1+punkt-english-1"

#: Bytes of both files up to which one process is faster than starting others.
_ALONE: Final = 6_000_000
#: More processes than this gain little: reading the files in one of them takes its share.
_MOST_WORKERS: Final = 4


def versions() -> Mapping[str, str]:
    """What scores depend on besides the files."""
    return {"rules": RULES_VERSION, "unicode": unicodedata.unidata_version, "punkt": DATA_SHA256}


def evaluate(
    bench: Path,
    predictions: Path,
    *,
    strict: bool = False,
    partial: bool = False,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Evaluation:
    """The score of a predictions file against its benchmark. Blocks; reads both files once, in pieces.

    `strict` dies where the published scorer does (`StrictError`), and accepts what it accepts: a repeated id counts
    once, with its last line. Else such replies count 0, and their results say so. `partial` allows missing types and
    predictions. `progress` is told how many of all lines of predictions are done. `workers` is the number of child
    processes; None decides by the files' size, 0 works in this process.

    Raises `data.DataError` for what is wrong with a file, `working.WorkerLost` if a child process is killed, and
    `punkt.ModelChanged` if the sentence model is another.
    """
    ours, theirs = index_of(bench, hashed=True), index_of(predictions, hashed=False)
    gathering = Gathering(ours, theirs, strict=strict, partial=partial)
    with Working(bench, predictions, strict=strict, workers=_workers(ours, theirs, workers)) as working:
        for scored in working.score(aligned(ours, theirs)):
            gathering.add(scored)
            if progress is not None:
                progress(gathering.done, len(theirs))
        gathering.check()
        for scored in working.score(gathering.left()):
            gathering.add_results(scored)
            if progress is not None:
                progress(gathering.done, len(theirs))
    items = gathering.items()
    if strict:
        _raise_first(items)
        if gathering.end:
            raise StrictError(gathering.end)
    reasons = {item.raises for item in items}
    # Two files in the wrong order, say: a score of 0 would be an answer to no question.
    if reasons == {"KeyError: 'model_predict'"}:
        raise nothing_of(predictions, "model_predict")
    if reasons and reasons <= {"KeyError: 'golden_result_list'", "KeyError: 'funcs'"}:
        raise nothing_of(bench, "golden_result_list")
    found = total(items, gathering.expected, complete=gathering.complete)
    return replace(found, data_sha256=ours.sha256)


def score_items(pairs: Iterable[tuple[Item, Any]], *, strict: bool = False) -> Sequence[ItemResult]:
    """The scores of items with their replies, each as `model_predict` in a line of predictions."""
    rater = Rater(strict=strict)
    return tuple(rater.rate(answers_of(_line_of(item), strict=strict), replies) for item, replies in pairs)


def total(items: Sequence[ItemResult], expected: Mapping[Type, int], *, complete: bool) -> Evaluation:
    """The numbers that items add up to. `expected` is how many of each type the benchmark has."""
    grouped = tuple(item for kind in TYPES for item in items if item.type == kind)
    scores: dict[Metric, float | None] = {}
    for kind in TYPES:
        of_kind = [item for item in grouped if item.type == kind]
        for metric in METRICS_OF[kind]:
            scores[metric] = mean([item.scores[metric] for item in of_kind]) if of_kind else None
    scores = {metric: scores[metric] for metric in METRICS}
    known = [WEIGHTS[metric] * score for metric, score in scores.items() if score is not None]
    overall = sum(known) if len(known) == len(METRICS) else None
    return Evaluation(grouped, scores, overall, dict(expected), complete, versions=versions())


def published_line(evaluation: Evaluation) -> str:
    """The scores in the published form, times 100; `-` for what is not known."""
    numbers = [*((str(metric), evaluation.scores[metric]) for metric in METRICS), ("overall", evaluation.overall)]
    said = (f"{name} : {'-' if value is None else f'{value * 100:.2f}'}" for name, value in numbers)
    return ", ".join(said)


def _workers(ours: Index, theirs: Index, wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    if ours.size + theirs.size < _ALONE:
        return 0
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST_WORKERS)


def _raise_first(items: Sequence[ItemResult]) -> None:
    """Die of what the published scorer comes to first."""
    for item in items:
        for raises in (item.raises, *(one.raises for one in item.templates)):
            if raises:
                raise StrictError(raises)


def _line_of(item: Item) -> dict[str, Any]:
    """The item as in a file, if it came from none, too."""
    if item.raw:
        return dict(item.raw)
    line = {"type": item.type, "id": item.id, "query": item.query}
    goldens, funcs = list(item.goldens), list(item.funcs)
    return {**line, "golden_result_list": goldens, "funcs": funcs, "memory_last_task": item.memory_last_task}

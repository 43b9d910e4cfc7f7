"""Scoring the lines of two files against each other: what a worker does with its share.

A share is a list of lines of each file. Predictions nearly always come in the benchmark's order, so the lines with the
same numbers are scored at once; the few that don't fit are put together by the parent and come back as a second share.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from evals.kagentbench.data import exactly, language_of, read_line, unpacked
from evals.kagentbench.items import TYPES
from evals.kagentbench.rating import ABSENT, Answers, Rater
from evals.kagentbench.results import ItemResult

#: Fields of a line that count for the score and may hold numbers.
_SCORED: Final = ("golden_result_list", "memory_last_task", "funcs")
_TYPES: Final = frozenset(TYPES)


class Span(NamedTuple):
    """Where a line is."""

    #: 1 for the first.
    line: int
    offset: int
    length: int


class Share(NamedTuple):
    """Lines that are worked on together."""

    bench: Sequence[Span]
    predictions: Sequence[Span]


class Head(NamedTuple):
    """What is needed of a line to find the one of the other file that it belongs to."""

    line: int
    type: Any
    id: Any
    #: Templates of its prompts, or those with a reply.
    templates: tuple[str, ...]


class Scored(NamedTuple):
    """What was found in a share."""

    bench: Sequence[Head]
    predictions: Sequence[Head]
    #: By line of the benchmark and of the predictions.
    results: Sequence[tuple[int, int, ItemResult]]


class Pairing:
    """Two open files."""

    def __init__(self, bench: Path, predictions: Path, *, strict: bool) -> None:
        self._paths = bench, predictions
        self._strict = strict
        self._rater = Rater(strict=strict)
        self._bench = os.open(bench, os.O_RDONLY)
        self._predictions = os.open(predictions, os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._bench)
        os.close(self._predictions)

    def score(self, share: Share) -> Scored:
        """The lines' heads, and the scores of those that belong together. Raises `DataError` for a bad line."""
        heads, answers = [], {}
        for span in share.bench:
            raw = os.pread(self._bench, span.length, span.offset)
            value, exact = read_line(self._paths[0], span.line, raw)
            kind = value["type"]
            if kind not in _TYPES:
                continue
            value = exactly(raw, value, exact, _SCORED)
            prompts = unpacked(value.get("prompt_input"))
            heads.append(Head(span.line, kind, value["id"], tuple(prompts) if isinstance(prompts, dict) else ()))
            answers[kind, value["id"]] = span.line, value
        found, results = [], []
        for span in share.predictions:
            raw = os.pread(self._predictions, span.length, span.offset)
            value, exact = read_line(self._paths[1], span.line, raw)
            kind = value["type"]
            if kind not in _TYPES:
                continue
            value = exactly(raw, value, exact, ("model_predict",))
            replies = value.get("model_predict", ABSENT)
            found.append(Head(span.line, kind, value["id"], tuple(replies) if isinstance(replies, dict) else ()))
            if (kind, value["id"]) in answers:
                line, item = answers[kind, value["id"]]
                result = self._rater.rate(answers_of(item, strict=self._strict, has_query="query" in value), replies)
                results.append((line, span.line, result))
        return Scored(heads, found, results)


def answers_of(item: dict[str, Any], *, strict: bool, has_query: bool = True) -> Answers:
    """What a benchmark's line says about its replies."""
    query = item.get("query", "")
    query = query if isinstance(query, str) else str(query)
    goldens, funcs, last = (item.get(name, ABSENT) for name in ("golden_result_list", "funcs", "memory_last_task"))
    if not strict:
        goldens, funcs, last = unpacked(goldens), unpacked(funcs), unpacked(last)
    lang = language_of(query)
    return Answers(item["type"], str(item["id"]), query, lang, goldens, funcs, last, has_query)

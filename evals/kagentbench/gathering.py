"""Putting together what was found in two files, and checking that they belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from evals.kagentbench import data
from evals.kagentbench.files import Index
from evals.kagentbench.items import TYPES, Type
from evals.kagentbench.pairing import Head, Scored, Share
from evals.kagentbench.results import ItemResult

#: Lines of each file that are worked on together: enough that sending them costs little, few enough that memory stays
#: small and that no worker waits long for another at the end.
_SHARE: Final = 32

#: Type → id → the head of the last line with it, in the order of the first lines.
_Heads = dict[str, dict[Any, Head]]


class StrictError(Exception):
    """What the published scorer would have died with: an exception's name and words."""


def aligned(bench: Index, predictions: Index) -> Iterator[Share]:
    """All lines of both files, those with the same numbers together."""
    for first in range(1, max(len(bench), len(predictions)) + 1, _SHARE):
        spans = [
            [index.span(line) for line in range(first, min(first + _SHARE, len(index) + 1))]
            for index in (bench, predictions)
        ]
        yield Share(*spans)


class Gathering:
    """What is known of two files so far."""

    def __init__(self, bench: Index, predictions: Index, *, strict: bool, partial: bool) -> None:
        self._indexes = bench, predictions
        self._strict, self._partial = strict, partial
        self._heads: tuple[list[Head], list[Head]] = [], []
        self._bench: _Heads = {}
        self._predictions: _Heads = {}
        self._results: dict[tuple[int, int], ItemResult] = {}
        #: What ends the published scorer behind the items that it gets to; "" for nothing. Only if `strict`.
        self.end = ""

    @property
    def done(self) -> int:
        """How many lines of predictions have a result."""
        return len(self._results)

    @property
    def expected(self) -> Mapping[Type, int]:
        """Items of the benchmark by type."""
        return {kind: len(self._bench.get(kind, ())) for kind in TYPES}

    @property
    def complete(self) -> bool:
        """Whether all items of the benchmark have replies to all their prompts."""
        return all(
            identity in self._predictions.get(kind, ())
            and set(head.templates) <= set(self._predictions[kind][identity].templates) | _ALWAYS.get(kind, set())
            for kind, heads in self._bench.items()
            for identity, head in heads.items()
        ) and all(self._bench.get(kind) for kind in TYPES)

    def add(self, scored: Scored) -> None:
        """What was found in a share of the lines."""
        self._heads[0].extend(scored.bench)
        self._heads[1].extend(scored.predictions)
        self.add_results(scored)

    def add_results(self, scored: Scored) -> None:
        """What was found in lines that have been looked at before."""
        self._results.update(((line, other), result) for line, other, result in scored.results)

    def check(self) -> None:
        """Whether the files belong together: raises `data.DataError`, or `StrictError` where the published one dies."""
        for index in self._indexes:
            if not len(index):
                raise data.empty(index.path)
        self._bench = self._by_id(0)
        self._predictions = self._by_id(1)
        if self._partial:
            self._check_ids()
            return
        if self._strict:
            self._check_strictly()
            return
        for index, heads in zip(self._indexes, (self._bench, self._predictions), strict=True):
            missing = [kind for kind in TYPES if not heads.get(kind)]
            if missing:
                raise data.missing_types(index.path, missing)
        bench, predictions = (index.path for index in self._indexes)
        for kind in TYPES:
            wanted, found = len(self._bench[kind]), len(self._predictions[kind])
            if wanted != found:
                raise data.different_counts(bench, predictions, kind, wanted, found)
        self._check_ids()

    def left(self) -> Iterator[Share]:
        """Lines that belong together and have not been scored together."""
        pairs = [pair for pair in self._pairs() if pair not in self._results]
        bench, predictions = self._indexes
        for first in range(0, len(pairs), _SHARE):
            some = pairs[first : first + _SHARE]
            yield Share([bench.span(line) for line, _ in some], [predictions.span(line) for _, line in some])

    def items(self) -> Sequence[ItemResult]:
        """All results, by type, within a type in the order of the predictions."""
        return tuple(self._results[pair] for pair in self._pairs())

    def _pairs(self) -> Iterator[tuple[int, int]]:
        for kind in TYPES:
            heads = self._predictions.get(kind, {})
            for identity, head in heads.items():
                if self.end and identity not in self._bench[kind]:
                    return
                yield self._bench[kind][identity].line, head.line
            if self.end and not heads:
                return

    def _by_id(self, file: int) -> _Heads:
        found: _Heads = {}
        for head in sorted(self._heads[file], key=lambda head: head.line):
            of_type = found.setdefault(head.type, {})
            if head.id in of_type and not self._strict:
                path = self._indexes[file].path
                raise data.duplicate(path, head.type, head.id, of_type[head.id].line, head.line)
            of_type[head.id] = head
        return found

    def _check_ids(self) -> None:
        for kind, heads in self._predictions.items():
            for identity, head in heads.items():
                if identity not in self._bench.get(kind, ()):
                    bench, predictions = (index.path for index in self._indexes)
                    raise data.unknown_id(bench, predictions, kind, identity, head.line)

    def _check_strictly(self) -> None:
        for kind in TYPES:
            if len(self._bench.get(kind, ())) != len(self._predictions.get(kind, ())):
                raise StrictError("AssertionError")
        for kind in TYPES:
            for identity in self._predictions.get(kind, ()):
                if identity not in self._bench.get(kind, ()):
                    self.end = self.end or f"KeyError: {identity!r}"
            if kind not in self._predictions:
                self.end = self.end or "ZeroDivisionError: division by zero"


#: What the replies of a type have without being asked: a profile's one reply has no name.
_ALWAYS: Final[Mapping[str, set[str]]] = {"profile": {"prompt"}}

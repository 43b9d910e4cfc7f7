"""Where the lines of a file are, found in one pass over it."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.kagentbench import data
from evals.kagentbench.pairing import Span


@dataclass(frozen=True, slots=True)
class Index:
    """The lines of a file."""

    path: Path
    #: Of its bytes, hexadecimal.
    sha256: str
    #: Where each line begins; one more for the end of the last.
    begins: Sequence[int]

    def __len__(self) -> int:
        return len(self.begins) - 1

    @property
    def size(self) -> int:
        """In bytes."""
        return self.begins[-1]

    def span(self, line: int) -> Span:
        """Where a line is, with its end; 1 for the first."""
        begin = self.begins[line - 1]
        return Span(line, begin, self.begins[line] - begin)


def index_of(path: Path, *, hashed: bool) -> Index:
    """The lines of a file, and its hash if that is wanted, else "". Raises `data.DataError` if it can't be read."""
    digest = hashlib.sha256()
    begins = array("Q", [0])
    before = 0
    for block in data.blocks(path):
        if hashed:
            digest.update(block)
        at = block.find(b"\n")
        while at >= 0:
            begins.append(before + at + 1)
            at = block.find(b"\n", at + 1)
        before += len(block)
    if begins[-1] != before:
        begins.append(before)
    return Index(path, digest.hexdigest() if hashed else "", begins)

"""One line of text in runs, each of which is marked in one way. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

Mark = Literal["bold", "italic", "strike", "code"]

#: Not seen at the edge of a word: white space, and characters of no width.
BLANK: Final = r"[\s\u200b\u2060\ufeff]"
_EDGES: Final = re.compile(rf"({BLANK}*)(.*?)({BLANK}*)", re.DOTALL)
_BLANK_ONLY: Final = re.compile(rf"{BLANK}*")


class Run(NamedTuple):
    """Text that is marked in one way."""

    text: str
    #: From the outermost.
    marks: tuple[Mark, ...] = ()
    #: Where it leads; "" for text that isn't a link.
    url: str = ""


def tidy(runs: Iterable[Run]) -> list[Run]:
    """No mark beside a space that it holds, no neighbours that are marked alike."""
    parts = [part for run in runs for part in _parted(run)]
    cores = [part.marks if part.url or not _BLANK_ONLY.fullmatch(part.text) else None for part in parts]
    before: list[tuple[Mark, ...]] = []
    held: tuple[Mark, ...] = ()
    for core in cores:
        held = held if core is None else core
        before.append(held)
    behind: tuple[Mark, ...] = ()
    for index in range(len(parts) - 1, -1, -1):
        core = cores[index]
        if core is not None:
            behind = core
            continue
        parts[index] = parts[index]._replace(marks=common(common(parts[index].marks, before[index]), behind))
    joined: list[Run] = []
    for part in parts:
        if joined and not part.url and not joined[-1].url and joined[-1].marks == part.marks:
            joined[-1] = joined[-1]._replace(text=joined[-1].text + part.text)
        else:
            joined.append(part)
    return joined


def common(one: Sequence[Mark], other: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks that both begin with."""
    size = 0
    while size < min(len(one), len(other)) and one[size] == other[size]:
        size += 1
    return tuple(one[:size])


def _parted(run: Run) -> list[Run]:
    if run.url:
        return [run._replace(text=" ".join(run.text.split()))]
    found = _EDGES.fullmatch(run.text)
    parts = found.groups() if found and run.marks else (run.text,)
    return [run._replace(text=part) for part in parts if part]

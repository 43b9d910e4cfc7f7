"""A table before it has a form, and its forms in Markdown and in plain text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Of a name that somebody else chose (a model's, a template's), in a table.
_MOST_NAME = 60
#: What Markdown could make something else of within a line.
#: Not the opening bracket: `\[` begins a formula where Markdown has formulas, and without its end it is no link.
_SPECIAL = re.compile(r"([\\`*_\]<>|~&$])")


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells as text; the first column is of names, the others of numbers, which are set flush right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: "" for none.
    title: str = ""
    #: Columns, by their place, that hold words and are set flush left; the first always is.
    left: frozenset[int] = field(default_factory=frozenset)

    def flush_left(self, column: int) -> bool:
        return column == 0 or column in self.left


def markdown(grid: Grid) -> str:
    """A table as Markdown has it. What is in the cells is shown as it is, whatever it looks like."""
    rule = " | ".join(":--" if grid.flush_left(place) else "--:" for place in range(len(grid.head)))
    lines = [" | ".join(map(escaped, row)) for row in (grid.head, *grid.rows)]
    lines.insert(1, rule)
    table = "\n".join(f"| {line} |" for line in lines)
    return f"**{escaped(grid.title)}**\n\n{table}" if grid.title else table


def text(grid: Grid) -> str:
    """Columns lined up with blanks, for a terminal: a Chinese character takes two places."""
    rows = [tuple(map(one_line, row)) for row in (grid.head, *grid.rows)]
    widths = [max(width(row[place]) for row in rows) for place in range(len(grid.head))]
    lines = ["  ".join(_set(row, place, widths, grid) for place in range(len(row))).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * wide for wide in widths))
    return "\n".join([one_line(grid.title), *lines] if grid.title else lines)


def _set(row: Sequence[str], place: int, widths: Sequence[int], grid: Grid) -> str:
    blanks = " " * (widths[place] - width(row[place]))
    return row[place] + blanks if grid.flush_left(place) else blanks + row[place]


def width(shown: str) -> int:
    """Places that a text takes in a terminal: two for wide characters, none for those that join the one before."""
    return sum(_places(ch) for ch in shown)


def _places(ch: str) -> int:
    if unicodedata.combining(ch) or unicodedata.category(ch) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(ch) in ("W", "F") else 1


def one_line(shown: str) -> str:
    """Without what would break a line or move a terminal's cursor."""
    return "".join(ch if ch.isprintable() else " " for ch in shown)


def name(found: str) -> str:
    """A name that somebody else chose, not too long for a table."""
    line = " ".join(one_line(found).split())
    return line if len(line) <= _MOST_NAME else line[: _MOST_NAME - 1] + "…"


def escaped(shown: str) -> str:
    """Text in Markdown that is shown as it is: no markup of its own, no line of its own, no new cell."""
    return _SPECIAL.sub(r"\\\1", one_line(shown))

"""Where a Markdown text may be cut: one walk over its lines.

Only what cuts need is told apart (fences, tables, headings, list items, blank lines); this is no Markdown parser. A
line is judged by what precedes it, so that the verdict on a growing text never changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

#: Characters. A longer row of backticks is taken as text, and so is a fence nested deeper than `MAX_PREFIX`.
MAX_FENCE = 8
MAX_PREFIX = 12
#: Characters of a fence's info string that are repeated where the fence goes on.
_MAX_INFO = 24

_CONTAINERS = r"[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]+|>)*"
_FENCE = re.compile(rf"({_CONTAINERS})(`{{3,{MAX_FENCE}}}(?=[^`]*$)|~{{3,{MAX_FENCE}}}(?!~))(.*)", re.DOTALL)
_CLOSING = re.compile(r"[ \t>]*(`+|~+)[ \t\r]*\n?$")
_MAYBE_CLOSING = re.compile(r"[ \t>]*[`~]*[ \t]*$")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t\r\n]|$)")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_ROW = re.compile(r"[ \t>]*\|")
_RULER = re.compile(r"[ \t>]*\|[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t\r]*\n?$")
_MAYBE_RULER = re.compile(r"[ \t>|:-]*$")
_MARKER = re.compile(r"[^> \t]")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block of code that is open."""

    #: What stands before the fence on every line of the block: spaces and quote marks.
    prefix: str
    mark: str
    info: str

    def opening(self) -> str:
        return f"{self.prefix.lstrip(' ')}{self.mark}{self.info}\n"

    def closing(self, dedent: int) -> str:
        spaces = len(self.prefix) - len(self.prefix.lstrip(" "))
        return self.prefix[min(spaces, dedent) :] + self.mark

    def ends_with(self, line: str) -> bool:
        found = _CLOSING.match(line)
        return found is not None and found[1][0] == self.mark[0] and len(found[1]) >= len(self.mark)


@dataclass(frozen=True, slots=True)
class Open:
    """What is open at a place."""

    fence: Fence | None = None
    #: The two lines that a table began with.
    table: str = ""


class Break(NamedTuple):
    """A place between two lines where a text may be cut."""

    at: int
    #: Whether a block ends here; otherwise only a line does.
    block: bool
    open: Open


class Walk(NamedTuple):
    """What a walk found."""

    breaks: list[Break]
    #: What is open at the end.
    open: Open
    #: Start of the last line.
    last_line: int
    #: Where the part begins that may yet have to move as a whole (a table in the making, a heading without text).
    hold: int
    #: Whether that is a table.
    table_held: bool


def fence_of(line: str) -> Fence | None:
    """The fence that a line opens."""
    found = _FENCE.match(line)
    if found is None or len(found[1]) > MAX_PREFIX:
        return None
    info = found[3].split()[0][:_MAX_INFO] if found[3].strip() else ""
    info = "" if info[:1] in "`~" else info
    return Fence(_MARKER.sub(" ", found[1]).replace("\t", " "), found[2], info)


def walk(text: str, start: int, end: int, opened: Open) -> Walk:
    """Go over the lines of `text[start:end]`, where `opened` is open at the start."""
    return _Walker(text, start, end, opened).walk()


class _Walker:
    def __init__(self, text: str, start: int, end: int, opened: Open) -> None:
        self._text = text
        self._start = start
        self._end = end
        self._breaks: list[Break] = []
        self._fence = opened.fence
        #: The open table: its first two lines, where it begins, its rows so far; it flows when nothing is before it.
        self._table = opened.table
        self._table_start = start
        self._rows = 0
        self._flows = True
        #: The line before, if it may turn out to begin a table, with where that table would begin.
        self._header: tuple[str, int] | None = None
        #: Where headings began that no text has followed yet.
        self._heading: int | None = None
        #: Whether only headings were met so far.
        self._top = True
        self._header_at_top = True
        self._after_block = False
        self._unclear: int | None = None

    def walk(self) -> Walk:
        at = last = self._start
        while at < self._end:
            newline = self._text.find("\n", at, self._end)
            after = self._end if newline < 0 else newline + 1
            self._line(at, self._text[at:after], newline >= 0)
            last, at = at, after
        inside = self._fence or self._heading is not None or self._table or self._header
        if self._after_block and not inside and (self._unclear is not None or self._text[self._end - 1] == "\n"):
            # Whatever comes next begins a block.
            self._break(self._end if self._unclear is None else self._unclear, True)
        hold, table_held = self._hold()
        return Walk(self._breaks, Open(self._fence, self._table), last, hold, table_held)

    def _hold(self) -> tuple[int, bool]:
        if self._fence is not None:
            return self._end, False
        if self._table:
            return (self._end, False) if self._flows else (self._table_start, True)
        if self._header is not None and not self._header_at_top:
            return self._header[1], True
        for place in (self._heading, self._unclear):
            if place is not None and place > self._start:
                return place, False
        return self._end, False

    def _line(self, at: int, line: str, complete: bool) -> None:
        if self._fence is not None and not self._in_fence(self._fence, at, line, complete):
            return
        if not line.strip():
            self._blank(at, complete)
            return
        if self._in_table(at, line, complete):
            return
        fence = fence_of(line)
        heading = fence is None and _HEADING.match(line) is not None
        # What looks like a fence may yet turn out to be text while its line is not complete.
        block = (fence is not None and complete) or heading or _LIST_ITEM.match(line) is not None or self._after_block
        self._break(at, block)
        self._after_block = False
        if fence is not None:
            self._fence, self._heading, self._top = fence, None, False
        elif heading:
            self._heading = at if self._heading is None else self._heading
            self._after_block = complete
        elif _ROW.match(line):
            self._header = line, at if self._heading is None else self._heading
            self._header_at_top = self._top
            self._heading, self._top = None, False
        else:
            self._heading, self._top = None, False

    def _in_fence(self, fence: Fence, at: int, line: str, complete: bool) -> bool:
        """Take a line of an open fence; whether it belongs to what comes after the fence."""
        if ">" in fence.prefix and line.strip() and not line.lstrip().startswith(">"):
            self._fence, self._after_block = None, True
            return True
        closes = fence.ends_with(line)
        if at > self._start:
            # To part the end of a fence from its code is a last resort.
            code = not closes and (complete or not _MAYBE_CLOSING.match(line))
            self._breaks.append(Break(at, code, Open(fence)))
        if closes:
            self._fence, self._after_block = None, True
        return False

    def _blank(self, at: int, complete: bool) -> None:
        if not complete:
            self._unclear = at
            return
        self._table, self._header = "", None
        self._after_block = True

    def _in_table(self, at: int, line: str, complete: bool) -> bool:
        """Take a line of a table; False if it is none."""
        if self._header is not None:
            header, start = self._header
            if (_RULER.match(line) and complete) or (not complete and _MAYBE_RULER.match(line)):
                if not complete and self._header_at_top:
                    # It may begin a table itself.
                    self._unclear = at
                if complete:
                    self._table, self._table_start, self._rows = header + line, start, 0
                    self._flows, self._header = self._header_at_top, None
                    if start > self._start:
                        self._breaks.append(Break(start, True, Open()))
                return True
            self._header = None
        if not self._table:
            return False
        if _ROW.match(line):
            if self._flows and (self._rows or self._table_start < self._start) and at > self._start:
                self._breaks.append(Break(at, True, Open(table=self._table)))
            self._rows += 1
            return True
        self._table, self._after_block = "", True
        return False

    def _break(self, at: int, block: bool) -> None:
        """A line outside of fences and tables begins; a heading is never left behind alone."""
        if at > self._start and self._heading is None:
            self._breaks.append(Break(at, block, Open()))

"""Markdown → what Discord's clients render of it.

They know bold, italic, struck text, code, fences, quotes, lists, headings of three levels and links. They also know
marks that Markdown doesn't (`||`, `__`, `-#`, `>>>`, `:smile:`, `<t:…>`): those are text here. What they don't know
becomes something that reads the same: tables are aligned in monospace or, where they are wide, lists; tasks get boxes,
images are links, HTML, formulas and footnotes stay as they were written. Nobody's phone rings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from adapters.chat.render.document import Block, Cell, Item, aligned, read
from adapters.chat.render.reading import columns, is_wide
from adapters.chat.render.runs import Mark, Run
from adapters.discord.render.quiet import clean, escaped, started
from adapters.discord.render.spans import fence, hides, line

#: Characters; longer texts are shown as they are. Messages take 2,000.
MAX_MARKDOWN: Final = 40_000
#: Columns of a table in monospace; what is wider wraps, on a computer, too, and can't be read.
TABLE_COLUMNS: Final = 64
#: Levels of headings that Discord knows; further ones are bold lines.
_HEADINGS: Final = 3
_BULLET: Final = "- "
_TASKS: Final = {False: "☐ ", True: "☑ "}
_RULE: Final = "─" * 10
_BETWEEN_CELLS: Final = " · "
_LINES: Final = re.compile(r"\r\n?|\n")


def render(markdown: str) -> str:
    """The text as Discord takes it; "" when there is nothing to see. It may be longer: `parts` is for limits."""
    text = clean(markdown)
    if len(text) > MAX_MARKDOWN:
        return as_it_is(text)
    return "\n".join(_Writer().write(read(text, hides))).strip("\n")


def as_it_is(text: str) -> str:
    """The text without any markup: nothing in it means anything."""
    return "\n".join(started(escaped(row)) for row in _LINES.split(clean(text)))


class _Writer:
    """Writes a document's blocks as lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        #: The quote that the last line is in.
        self._quote = 0
        #: Whether the last line is in a list.
        self._in_list = False
        #: The last item of a list whose marker is written.
        self._begun = 0

    def write(self, blocks: Iterable[Block]) -> list[str]:
        """The lines."""
        for block in blocks:
            # In Discord an empty line is the end of a list, and its next item the first of another. What follows a
            # quote at once isn't read as the beginning of a line by all clients.
            gap = block.gap and not (self._in_list and block.items)
            if self._lines and (gap or (self._quote and self._quote != block.quote)):
                self._lines.append("> " if block.quote and block.quote == self._quote else "")
            match block.kind:
                case "text":
                    self._text(block, block.rows)
                case "heading":
                    self._heading(block)
                case "code":
                    self._fence(block, fence(block.content, block.info))
                case "table":
                    self._table(block)
                case "rule":
                    self._line(block, _RULE)
                case "nothing":
                    self._line(block, "")
        return self._lines

    def _text(self, block: Block, rows: Iterable[Sequence[Run]]) -> None:
        for row in rows:
            self._line(block, line(row))

    def _heading(self, block: Block) -> None:
        if block.level > _HEADINGS or block.items or block.quotes:
            self._text(block, [_marked(row, "bold") for row in block.rows])
            return
        runs = [run for number, row in enumerate(block.rows) for run in ([Run(" ")] if number else []) + list(row)]
        title = line(runs).strip()
        # Signs at the end would be taken for the end of the heading.
        shown = title.rstrip("#") + "\\#" * (len(title) - len(title.rstrip("#")))
        if shown:
            self._line(block, f"{'#' * block.level} {shown}")

    def _line(self, block: Block, text: str) -> None:
        # Items that begin on the same line: `- - text`.
        indent, markers = "", ""
        for item in block.items:
            if item.serial <= self._begun:
                indent += " " * len(_marker(item))
            else:
                markers += _marker(item)
        if markers and block.done is not None:
            markers += _TASKS[block.done]
        self._begun = max([self._begun, *(item.serial for item in block.items)])
        shown = (indent + markers + text).rstrip()
        # Discord knows no quote within a quote.
        self._lines.append("> " + "\\> " * (block.quotes - 1) + shown if block.quotes else shown)
        self._quote = block.quote
        self._in_list = bool(block.items)

    def _fence(self, block: Block, fenced: str) -> None:
        """A fence stands outside of quotes and lists, so that it can be cut and copied everywhere."""
        self._begin(block)
        self._lines += fenced.split("\n")
        self._quote = 0
        self._in_list = False

    def _begin(self, block: Block) -> None:
        if any(item.serial > self._begun for item in block.items):
            self._line(block, "")

    def _table(self, block: Block) -> None:
        lines = aligned(block.cells)
        links = any(run.url or "://" in run.text for row in block.cells for cell in row for run in cell.runs)
        if not links and max(map(columns, lines)) <= TABLE_COLUMNS:
            self._fence(block, fence("\n".join(lines)))
            return
        self._begin(block)
        header, *rows = block.cells
        for row in rows or [()]:
            self._line(block, _BULLET + line(_listed(header, row)))


def _listed(header: Sequence[Cell], row: Sequence[Cell]) -> list[Run]:
    """A row of a table in one line, each cell behind its header."""
    runs: list[Run] = []
    for number, head in enumerate(header):
        cell = row[number] if number < len(row) else None
        if not head.text and (cell is None or not cell.text):
            continue
        runs += [Run(_BETWEEN_CELLS)] if runs else []
        name = f"{head.text}{'：' if is_wide(head.text[-1]) else ': '}" if head.text else ""
        runs.append(Run(name if cell is not None else head.text))
        if cell is not None:
            runs += _marked(cell.runs, "bold") if number == 0 else cell.runs
    return runs


def _marked(runs: Iterable[Run], mark: Mark) -> list[Run]:
    return [run._replace(marks=tuple(dict.fromkeys((mark, *run.marks)))) for run in runs]


def _marker(item: Item) -> str:
    return _BULLET if item.number is None else f"{item.number}. "

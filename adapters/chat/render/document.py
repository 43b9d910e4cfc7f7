"""A Markdown text as blocks of lines, each of which knows in which quotes and lists it is. Pure.

What the blocks look like is for each platform to say. Links that show another address than they lead to are text with
the address behind it already here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.chat.render.addresses import disguised
from adapters.chat.render.reading import VERBATIM, columns, make_parser
from adapters.chat.render.runs import Mark, Run

Kind = Literal["text", "heading", "code", "table", "rule", "nothing"]
#: Whether the text of a link hides where it leads.
Hides = Callable[[str, str], bool]

#: Cells that the tables of any text may have.
_CELLS: Final = 500
#: Columns to which the cells of an aligned table are filled up; a wider one sticks out.
_WIDEST: Final = 48
_MARKS: Final[dict[str, Mark]] = {"strong": "bold", "em": "italic", "s": "strike"}
_ALIGN: Final = re.compile(r"text-align:\s*(left|center|right)")
#: Within a line, from entities.
_LINE_END: Final = re.compile(r"[\r\n]")
_TASK: Final = re.compile(r"\[([ xX])\](?:\s+|$)")


class Cell(NamedTuple):
    """A cell of a table."""

    runs: tuple[Run, ...]
    #: The same without marks; what a link leads to is said behind it.
    text: str
    align: str


class Item(NamedTuple):
    """An item of a list."""

    #: Which one of the document.
    serial: int
    #: As it counts in its list; None in a list of bullets.
    number: int | None
    #: As it was written: `3.`, `-`.
    written: str
    #: Lists of bullets that it is in.
    bullets: int


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines."""

    #: `nothing` is an item of a list without any text.
    kind: Kind
    #: The lines of a text or heading.
    rows: tuple[tuple[Run, ...], ...] = ()
    #: Of a heading, 1 to 6.
    level: int = 0
    #: What follows the opening of a fence.
    info: str = ""
    #: Of code; without a newline at its end.
    content: str = ""
    #: Of a table; the first row is its header.
    cells: tuple[tuple[Cell, ...], ...] = ()
    #: The open items that it is in, from the outermost.
    items: tuple[Item, ...] = ()
    #: Of the item that begins with it: whether it is a task, and done.
    done: bool | None = None
    #: Quotes that it is in, one in the other.
    quotes: int = 0
    #: Which of the document's outermost quotes it is in; 0 outside of quotes.
    quote: int = 0
    #: Whether there is an empty line before it.
    gap: bool = False


def read(markdown: str, hides: Hides = disguised) -> list[Block]:
    """The blocks of a text. `hides` tells which links are to be shown with their addresses."""
    tokens = _parser(_has_room_for_tables(markdown)).parse(markdown)
    return list(_Reader(markdown, hides).read(tokens))


def aligned(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """The lines of a table in monospace: columns side by side, a line below the header."""
    widths: list[int] = []
    for row in rows:
        for index, cell in enumerate(row):
            widths += [1] * (index + 1 - len(widths))
            widths[index] = max(widths[index], min(columns(cell.text), _WIDEST))
    lines = []
    for number, row in enumerate(rows):
        cells = list(row)
        while cells and not cells[-1].text:
            cells.pop()
        lines.append(" | ".join(_filled(cell, widths[index]) for index, cell in enumerate(cells)).rstrip())
        if number == 0:
            lines.append("-+-".join("-" * width for width in widths))
    return lines


def _filled(cell: Cell, width: int) -> str:
    lacking = max(width - columns(cell.text), 0)
    left = {"left": 0, "right": lacking, "center": lacking // 2}[cell.align]
    return " " * left + cell.text + " " * (lacking - left)


@cache
def _parser(tables: bool) -> MarkdownIt:
    return make_parser() if tables else make_parser().disable("table")


def _has_room_for_tables(markdown: str) -> bool:
    """Whether the cells that its tables could have are no more than its characters: the parser adds what is missing."""
    lines = markdown.split("\n")
    return len(lines) * max(line.count("|") for line in lines) <= len(markdown) // 2 + _CELLS


class _Reader:
    def __init__(self, markdown: str, hides: Hides) -> None:
        self._source = re.split(r"\r\n?|\n", markdown)
        self._hides = hides
        self._items: list[Item] = []
        #: Of each open list the number of its next item; None for bullets.
        self._lists: list[int | None] = []
        self._serial = 0
        #: The last item that a block was in.
        self._begun = 0
        self._quotes = 0
        self._quote = 0

    def read(self, tokens: Sequence[Token]) -> Iterator[Block]:
        heading, gap = 0, False
        rows: list[list[Cell]] | None = None
        for token in tokens:
            match token.type:
                case "blockquote_open":
                    self._quote += not self._quotes
                    self._quotes += 1
                case "blockquote_close":
                    self._quotes -= 1
                case "bullet_list_open":
                    self._lists.append(None)
                case "ordered_list_open":
                    self._lists.append(int(token.attrs.get("start", 1)))
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                case "list_item_open":
                    self._begin_item(token)
                case "list_item_close":
                    if self._items[-1].serial > self._begun:
                        yield self._block("nothing")
                    self._items.pop()
                case "heading_open" | "paragraph_open":
                    heading = int(token.tag[1]) if token.type == "heading_open" else 0
                    gap = self._gap(token)
                case "table_open":
                    gap, rows = self._gap(token), []
                case "tr_open" if rows is not None:
                    rows.append([])
                case "th_open" | "td_open" if rows is not None:
                    found = _ALIGN.search(str(token.attrs.get("style", "")))
                    rows[-1].append(Cell((), "", found[1] if found else "left"))
                case "table_close" if rows is not None:
                    yield self._block("table", cells=tuple(map(tuple, rows)), gap=gap)
                    rows = None
                case "inline" if rows is not None:
                    children = token.children or []
                    runs = tuple(run for row in rows_of(children, self._hides) for run in row)
                    rows[-1][-1] = rows[-1][-1]._replace(runs=runs, text=_LINE_END.sub(" ", plain(children)))
                case "inline":
                    yield self._text(token, heading, gap)
                case "fence" | "code_block":
                    content = token.content.removesuffix("\n")
                    if content.strip():
                        yield self._block("code", info=token.info.strip(), content=content, gap=self._gap(token))
                case "hr":
                    yield self._block("rule", gap=self._gap(token))
                case _ if token.type == VERBATIM:
                    lines = token.content.removesuffix("\n").split("\n")
                    yield self._block("text", rows=tuple((Run(line),) for line in lines), gap=self._gap(token))

    def _begin_item(self, token: Token) -> None:
        self._serial += 1
        number = self._lists[-1]
        if number is not None:
            self._lists[-1] = number + 1
        bullets = sum(counting is None for counting in self._lists)
        self._items.append(Item(self._serial, number, f"{token.info}{token.markup}", bullets))

    def _text(self, token: Token, heading: int, gap: bool) -> Block:
        rows = rows_of(token.children or [], self._hides)
        begins = self._items and self._items[-1].serial > self._begun
        task = _TASK.match(rows[0][0].text) if begins and rows[0] and not heading else None
        done = None
        if task and rows[0][0] == Run(rows[0][0].text):
            done = task[1] != " "
            rows[0][0] = Run(rows[0][0].text[task.end() :])
        kind: Kind = "heading" if heading else "text"
        return self._block(kind, rows=tuple(map(tuple, rows)), level=heading, done=done, gap=gap)

    def _block(
        self,
        kind: Kind,
        *,
        rows: tuple[tuple[Run, ...], ...] = (),
        level: int = 0,
        info: str = "",
        content: str = "",
        cells: tuple[tuple[Cell, ...], ...] = (),
        done: bool | None = None,
        gap: bool = False,
    ) -> Block:
        self._begun = max(self._begun, self._items[-1].serial if self._items else 0)
        items, quote = tuple(self._items), self._quote if self._quotes else 0
        return Block(kind, rows, level, info, content, cells, items, done, self._quotes, quote, gap)

    def _gap(self, block: Token) -> bool:
        start = block.map[0] if block.map else 0
        return start > 0 and not self._source[start - 1].strip(" \t>")


def rows_of(children: Sequence[Token], hides: Hides = disguised) -> list[list[Run]]:
    """The lines of a paragraph or heading."""
    rows: list[list[Run]] = [[]]
    marks: list[Mark] = []
    label: list[Run] | None = None
    url = ""
    for token in children:
        kind, _, end = token.type.rpartition("_")
        if token.type == "link_open":
            url, label = str(token.attrs.get("href", "")), []
        elif token.type == "link_close" and label is not None:
            rows[-1] += _link(label, url, tuple(dict.fromkeys(marks)), hides)
            label = None
        elif kind in _MARKS:
            if end == "open":
                marks.append(_MARKS[kind])
            else:
                # Marks are closed in the order in which they were opened.
                marks.pop()
        elif token.type in ("softbreak", "hardbreak"):
            if label is not None:
                label.append(Run(" ", tuple(dict.fromkeys(marks))))
            else:
                rows.append([])
        else:
            held = tuple(dict.fromkeys(marks))
            if token.type == "image" and label is None:
                shown = [Run(plain(token.children or []), held)]
                rows[-1] += _link(shown, str(token.attrs.get("src", "")), held, hides)
                continue
            text = plain(token.children or []) if token.type == "image" else token.content
            held = (*held, "code") if token.type == "code_inline" else held
            if label is not None:
                label.append(Run(_LINE_END.sub(" ", text), held))
                continue
            first, *others = _LINE_END.split(text)
            rows[-1].append(Run(first, held))
            rows += [[Run(other, held)] for other in others]
    return rows


def _link(label: Sequence[Run], url: str, marks: tuple[Mark, ...], hides: Hides) -> list[Run]:
    """A link: its label is marked as a whole. One that pretends to lead elsewhere is text, and the target follows."""
    text = "".join(run.text for run in label)
    if not text.strip():
        return [Run(url, marks, url)]
    held = [run.marks for run in label if run.text.strip()]
    shared = (mark for mark in held[0] if mark != "code" and all(mark in other for other in held))
    marks = tuple(dict.fromkeys((*marks, *shared)))
    if hides(text, url):
        return [Run(text, marks), Run(" (", marks), Run(url, marks, url), Run(")", marks)]
    return [Run(text, marks, url)]


def plain(children: Sequence[Token]) -> str:
    """Text without marks; what a link leads to is said behind it."""
    said: list[str] = []
    links: list[tuple[int, str]] = []
    for token in children:
        if token.type == "link_open":
            links.append((len(said), str(token.attrs.get("href", ""))))
        elif token.type == "link_close":
            start, url = links.pop()
            label = "".join(said[start:])
            if not label.strip() or url.removeprefix("mailto:") == label:
                said[start:] = [label if label.strip() else url]
            else:
                said.append(f" ({url})")
        elif token.type == "image":
            alt, source = plain(token.children or []), str(token.attrs.get("src", ""))
            said.append(alt if links else f"{alt} ({source})" if alt else source)
        elif token.type in ("softbreak", "hardbreak"):
            said.append(" ")
        else:
            said.append(token.content)
    return "".join(said)

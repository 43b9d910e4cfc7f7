"""Markdown → mrkdwn, Slack's own markup, for where Slack doesn't take Markdown.

Every character of the text that people would see arrives, except that what Slack would take for a mark looks alike
(see `spans`). What mrkdwn has no marks for becomes text: headings are bold lines, tables are aligned in monospace,
images are links, HTML, formulas and footnotes stay as they were written. Nobody's phone rings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.slack import limits
from adapters.slack.render.addresses import disguised
from adapters.slack.render.reading import VERBATIM, columns, make_parser
from adapters.slack.render.spans import BOLD, CODE, ITALIC, JOINER, LOOKS, STRIKE, Run, fence, line, unquoted
from bot.rendering.split import LEAST_LIMIT, split

#: Characters; longer texts are shown as they are. Slack cuts every text there, and a window takes less. Prose of this
#: length takes 0.05 s on one 2 GHz core, what is meant to take long up to 1.5 s.
MAX_MARKDOWN: Final = limits.TEXT_MOST
#: Room in a section for what escapes and marks add, before it is cut anew.
_ROOM: Final = 0.93
#: Cells that the tables of any text may have.
_CELLS: Final = 500
#: Columns to which the cells of a table are filled up; a wider one sticks out.
_WIDEST: Final = 48
_INDENT: Final = "    "
_BULLETS: Final = ("•", "◦", "▪")
_TASKS: Final = {" ": "☐", "x": "☑", "X": "☑"}
_TASK: Final = re.compile(r"\[([ xX])\](?:\s+|$)")
_RULE: Final = "─" * 10
_MARKS: Final = {"strong": BOLD, "em": ITALIC, "s": STRIKE}
_ALIGN: Final = re.compile(r"text-align:\s*(left|center|right)")
#: What is never cut apart.
_UNIT: Final = re.compile(r"&(?:amp|lt|gt);|.", re.DOTALL)


def mrkdwn(markdown: str) -> str:
    """The text in Slack's markup; "" when there is nothing to see. It may be longer: `sections` is for limits."""
    if len(markdown) > MAX_MARKDOWN:
        return as_it_is(markdown)
    tokens = _parser(_has_room_for_tables(markdown)).parse(markdown)
    return "\n".join(_Writer(markdown).write(tokens)).strip("\n")


def sections(markdown: str, limit: int = limits.SECTION_TEXT) -> list[str]:
    """The text in Slack's markup, in parts of at most `limit` characters, each of which stands alone.

    Raises `ValueError` for a limit below 128.
    """
    if limit < LEAST_LIMIT:
        raise ValueError(f"a limit of {limit} is too small: at least {LEAST_LIMIT}")
    if len(markdown) > MAX_MARKDOWN:
        return list(_chopped(as_it_is(markdown), limit))
    return list(_fitting(markdown, max(int(limit * _ROOM), LEAST_LIMIT), limit))


def as_it_is(text: str) -> str:
    """The text without any markup: nothing in it means anything."""
    ticks = text.replace(CODE, LOOKS[CODE])
    return "\n".join(unquoted(line([Run(row)])) for row in ticks.split("\n"))


def _fitting(markdown: str, size: int, limit: int) -> Iterator[str]:
    for part in split(markdown, size, _escaped):
        made = mrkdwn(part)
        if len(made) <= limit:
            if made.strip():
                yield made
        elif size > LEAST_LIMIT:
            yield from _fitting(part, max(size // 2, LEAST_LIMIT), limit)
        else:
            yield from _chopped(as_it_is(part), limit)


def _chopped(text: str, limit: int) -> Iterator[str]:
    """Text without markup in parts."""
    part: list[str] = []
    room = limit - len(JOINER)
    for unit in _UNIT.finditer(text):
        if room < len(unit[0]):
            yield unquoted("".join(part))
            part, room = [], limit - len(JOINER)
        part.append(unit[0])
        room -= len(unit[0])
    if "".join(part).strip():
        yield unquoted("".join(part))


def _escaped(text: str) -> int:
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


@cache
def _parser(tables: bool) -> MarkdownIt:
    return make_parser() if tables else make_parser().disable("table")


def _has_room_for_tables(markdown: str) -> bool:
    """Whether the cells that its tables could have are no more than its characters: the parser adds what is missing."""
    lines = markdown.split("\n")
    return len(lines) * max(line.count("|") for line in lines) <= len(markdown) // 2 + _CELLS


class _Cell(NamedTuple):
    text: str
    align: str


class _Writer:
    """Writes lines from a document's tokens."""

    def __init__(self, markdown: str) -> None:
        self._source = re.split(r"\r\n?|\n", markdown)
        self._lines: list[str] = []
        self._quotes = 0
        #: Whether the last line is in the same quote as the next.
        self._same_quote = False
        self._bullets = 0
        #: What is to be written before the next line of each open item of a list; "" when it has been.
        self._items: list[str] = []

    def write(self, tokens: Sequence[Token]) -> list[str]:
        """The lines."""
        base: tuple[str, ...] = ()
        rows: list[list[_Cell]] | None = None
        for token in tokens:
            match token.type:
                case "blockquote_open" | "blockquote_close":
                    self._quotes += token.nesting
                    self._same_quote = self._same_quote and self._quotes > 0
                case "bullet_list_open" | "bullet_list_close":
                    self._bullets += token.nesting
                case "list_item_open":
                    self._items.append(self._marker(token))
                case "list_item_close":
                    self._end_item()
                case "heading_open" | "paragraph_open":
                    base = (BOLD,) if token.type == "heading_open" else ()
                    self._gap(token)
                case "table_open":
                    self._gap(token)
                    rows = []
                case "tr_open" if rows is not None:
                    rows.append([])
                case "th_open" | "td_open" if rows is not None:
                    found = _ALIGN.search(str(token.attrs.get("style", "")))
                    rows[-1].append(_Cell("", found[1] if found else "left"))
                case "table_close" if rows is not None:
                    self._monospace("\n".join(_table(rows)))
                    rows = None
                case "inline" if rows is not None:
                    rows[-1][-1] = rows[-1][-1]._replace(text=_plain(token.children or []))
                case "inline":
                    self._paragraph(_rows(token.children or [], base))
                case "fence" | "code_block":
                    self._gap(token)
                    self._monospace(token.content.removesuffix("\n"))
                case "hr":
                    self._gap(token)
                    self._line(_RULE)
                case _ if token.type == VERBATIM:
                    self._gap(token)
                    self._paragraph([[Run(row)] for row in token.content.removesuffix("\n").split("\n")])
        return self._lines

    def _marker(self, item: Token) -> str:
        if item.info:
            return f"{item.info}{item.markup} "
        return f"{_BULLETS[min(self._bullets, len(_BULLETS)) - 1]} "

    def _end_item(self) -> None:
        if self._items[-1]:
            self._line("")
        self._items.pop()

    def _gap(self, block: Token) -> None:
        """An empty line before a block that has one in the source."""
        start = block.map[0] if block.map else 0
        if self._lines and start and not self._source[start - 1].strip(" \t>"):
            self._lines.append(">" if self._quotes and self._same_quote else "")

    def _paragraph(self, rows: list[list[Run]]) -> None:
        task = _TASK.match(rows[0][0].text) if self._items and self._items[-1] and rows[0] else None
        if task and not rows[0][0].marks and not rows[0][0].url:
            self._items[-1] = f"{_TASKS[task[1]]} "
            rows[0][0] = rows[0][0]._replace(text=rows[0][0].text[task.end() :])
        for row in rows:
            self._line(line(row))

    def _line(self, text: str) -> None:
        indent = "".join(_INDENT for _ in self._items[1:])
        if self._items and not self._items[-1]:
            indent += _INDENT
        # Items that begin on the same line: `- - text`.
        pending = [index for index, marker in enumerate(self._items) if marker]
        if pending:
            indent = _INDENT * pending[0] + "".join(self._items[index] for index in pending)
            self._items = ["" for _ in self._items]
        shown = (indent + text).rstrip()
        if self._quotes:
            shown = "> " + "&gt; " * (self._quotes - 1) + shown
        self._lines.append(shown if self._quotes else unquoted(shown))
        self._same_quote = self._quotes > 0

    def _monospace(self, content: str) -> None:
        """A fence. Slack reads one only at the beginning of a line: it stands outside of quotes and lists."""
        if not content.strip():
            return
        if any(self._items):
            self._line("")
        self._lines += fence(content).split("\n")
        self._same_quote = False


def _rows(children: Sequence[Token], base: tuple[str, ...]) -> list[list[Run]]:
    """The lines of a paragraph or heading."""
    rows: list[list[Run]] = [[]]
    marks = list(base)
    label: list[Run] | None = None
    url = ""
    for token in children:
        kind, _, end = token.type.rpartition("_")
        if token.type == "link_open":
            url, label = str(token.attrs.get("href", "")), []
        elif token.type == "link_close" and label is not None:
            rows[-1] += _link(label, url, tuple(dict.fromkeys(marks)))
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
                rows[-1] += _link([Run(_plain(token.children or []), held)], str(token.attrs.get("src", "")), held)
                continue
            text = _plain(token.children or []) if token.type == "image" else token.content
            held = (*held, CODE) if token.type == "code_inline" else held
            if label is not None:
                label.append(Run(text.replace("\n", " "), held))
                continue
            first, *others = text.split("\n")
            rows[-1].append(Run(first, held))
            rows += [[Run(other, held)] for other in others]
    return rows


def _link(label: Sequence[Run], url: str, marks: tuple[str, ...]) -> list[Run]:
    """A link: its label is marked as a whole. One that pretends to lead elsewhere is text, and the target follows."""
    text = "".join(run.text for run in label)
    if not text.strip():
        return [Run(url, marks, url)]
    common = [run.marks for run in label if run.text.strip()]
    shared = (mark for mark in common[0] if mark != CODE and all(mark in held for held in common))
    marks = tuple(dict.fromkeys((*marks, *shared)))
    if disguised(text, url):
        return [Run(text, marks), Run(" (", marks), Run(url, marks, url), Run(")", marks)]
    return [Run(text, marks, url)]


def _plain(children: Sequence[Token]) -> str:
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
            alt, source = _plain(token.children or []), str(token.attrs.get("src", ""))
            said.append(alt if links else f"{alt} ({source})" if alt else source)
        elif token.type in ("softbreak", "hardbreak"):
            said.append(" ")
        else:
            said.append(token.content)
    return "".join(said)


def _table(rows: Sequence[Sequence[_Cell]]) -> Iterator[str]:
    """The lines of a table: columns side by side, a line below the header."""
    widths: list[int] = []
    for row in rows:
        for index, cell in enumerate(row):
            widths += [1] * (index + 1 - len(widths))
            widths[index] = max(widths[index], min(columns(cell.text), _WIDEST))
    for number, row in enumerate(rows):
        cells = list(row)
        while cells and not cells[-1].text:
            cells.pop()
        yield " | ".join(_filled(cell, widths[index]) for index, cell in enumerate(cells)).rstrip()
        if number == 0:
            yield "-+-".join("-" * width for width in widths)


def _filled(cell: _Cell, width: int) -> str:
    lacking = max(width - columns(cell.text), 0)
    left = {"left": 0, "right": lacking, "center": lacking // 2}[cell.align]
    return " " * left + cell.text + " " * (lacking - left)

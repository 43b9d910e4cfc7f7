"""Markdown → mrkdwn, Slack's own markup, for where Slack doesn't take Markdown.

Every character of the text that people would see arrives, except that what Slack would take for a mark looks alike
(see `spans`). What mrkdwn has no marks for becomes text: headings are bold lines, tables are aligned in monospace,
images are links, HTML, formulas and footnotes stay as they were written. Nobody's phone rings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from adapters.chat.render.document import Block, Item, aligned, read
from adapters.chat.render.fitting import Markup, chopped, fitting
from adapters.chat.render.runs import Run
from adapters.slack import limits
from adapters.slack.render.spans import CODE, LOOKS, fence, line, unquoted
from bot.rendering.split import LEAST_LIMIT

#: Characters; longer texts are shown as they are. Slack cuts every text there, and a window takes less. Prose of this
#: length takes 0.05 s on one 2 GHz core, what is meant to take long up to 1.5 s.
MAX_MARKDOWN: Final = limits.TEXT_MOST
#: Room in a section for what escapes and marks add, before it is cut anew.
_ROOM: Final = 0.93
_INDENT: Final = "    "
_BULLETS: Final = ("•", "◦", "▪")
_TASKS: Final = {False: "☐", True: "☑"}
_RULE: Final = "─" * 10
#: What is never cut apart.
_UNIT: Final = re.compile(r"&(?:amp|lt|gt);|.", re.DOTALL)


def mrkdwn(markdown: str) -> str:
    """The text in Slack's markup; "" when there is nothing to see. It may be longer: `sections` is for limits."""
    if len(markdown) > MAX_MARKDOWN:
        return as_it_is(markdown)
    return "\n".join(_Writer().write(read(markdown))).strip("\n")


def sections(markdown: str, limit: int = limits.SECTION_TEXT) -> list[str]:
    """The text in Slack's markup, in parts of at most `limit` characters, each of which stands alone.

    Raises `ValueError` for a limit below 128.
    """
    if limit < LEAST_LIMIT:
        raise ValueError(f"a limit of {limit} is too small: at least {LEAST_LIMIT}")
    if len(markdown) > MAX_MARKDOWN:
        return list(chopped(markdown, limit, _MRKDWN))
    return list(fitting(markdown, max(int(limit * _ROOM), LEAST_LIMIT), limit, _MRKDWN))


def as_it_is(text: str) -> str:
    """The text without any markup: nothing in it means anything."""
    ticks = text.replace(CODE, LOOKS[CODE])
    return "\n".join(unquoted(line([Run(row)])) for row in ticks.split("\n"))


def _escaped(text: str) -> int:
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def _is_blank(made: str) -> bool:
    return not made.strip()


_MRKDWN: Final = Markup(mrkdwn, as_it_is, len, _escaped, _UNIT, unquoted, _is_blank)


class _Writer:
    """Writes a document's blocks as lines."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        #: The quote that the last line is in.
        self._quote = 0
        #: The last item of a list whose marker is written.
        self._begun = 0

    def write(self, blocks: Iterable[Block]) -> list[str]:
        """The lines."""
        for block in blocks:
            if block.gap and self._lines:
                self._lines.append(">" if block.quote and block.quote == self._quote else "")
            match block.kind:
                case "text":
                    self._text(block, block.rows)
                case "heading":
                    self._text(block, [[_bold(run) for run in row] for row in block.rows])
                case "code":
                    self._monospace(block, block.content)
                case "table":
                    self._monospace(block, "\n".join(aligned(block.cells)))
                case "rule":
                    self._line(block, _RULE)
                case "nothing":
                    self._line(block, "")
        return self._lines

    def _text(self, block: Block, rows: Iterable[Sequence[Run]]) -> None:
        for row in rows:
            self._line(block, line(row))

    def _line(self, block: Block, text: str) -> None:
        # Items that begin on the same line: `- - text`.
        begun = [item for item in block.items if item.serial <= self._begun]
        markers = [_marker(item) for item in block.items[len(begun) :]]
        if markers and block.done is not None:
            markers[-1] = f"{_TASKS[block.done]} "
        self._begun = max(self._begun, *(item.serial for item in block.items)) if block.items else self._begun
        shown = (_INDENT * len(begun) + "".join(markers) + text).rstrip()
        if block.quotes:
            shown = "> " + "&gt; " * (block.quotes - 1) + shown
        self._lines.append(shown if block.quotes else unquoted(shown))
        self._quote = block.quote

    def _monospace(self, block: Block, content: str) -> None:
        """A fence. Slack reads one only at the beginning of a line: it stands outside of quotes and lists."""
        if any(item.serial > self._begun for item in block.items):
            self._line(block, "")
        self._lines += fence(content).split("\n")
        self._quote = 0


def _marker(item: Item) -> str:
    return f"{item.written} " if item.number is not None else f"{_BULLETS[min(item.bullets, len(_BULLETS)) - 1]} "


def _bold(run: Run) -> Run:
    return run._replace(marks=tuple(dict.fromkeys(("bold", *run.marks))))

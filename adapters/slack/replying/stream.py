"""One streamed message: what was sent to it, what it still lacks, and how much it can take. Pure.

A stream only grows, lives for minutes, and takes some kilobytes, rows of steps included; whoever feeds it rolls over
before that (`limits.STREAM_BYTES`, `limits.STREAM_SECONDS`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from adapters.chat.drafts import step_title
from adapters.slack import limits
from agent.language import Lang, Text
from bot.messages import StepView

Chunk = dict[str, Any]
Status = Literal["in_progress", "complete", "error"]

#: Bytes of a stream that rows of steps may take; the rest is for the text.
ROWS_BYTES: Final = 2_000
TEXT_BYTES: Final = limits.STREAM_BYTES - ROWS_BYTES
#: Sources shown in a row, and characters of the address of each; a longer one is left out.
_SOURCES: Final = 3
_ADDRESS: Final = 150

_STATUS: Final[dict[str, Status]] = {"running": "in_progress", "done": "complete", "failed": "error"}
_LINK: Final = re.compile(r"https?://[^\s<>()\[\]\"'`|，。；、）】」]+")


@dataclass(frozen=True, slots=True)
class Row:
    """A step as a row of the stream."""

    id: str
    title: str
    status: Status
    #: Addresses.
    sources: tuple[str, ...] = ()

    @property
    def chunk(self) -> Chunk:
        made: Chunk = {"type": "task_update", "id": self.id, "title": self.title, "status": self.status}
        if not self.sources:
            return made
        return made | {"sources": [{"type": "url", "url": url, "text": _host(url)} for url in self.sources]}

    @property
    def size(self) -> int:
        """Bytes that the row takes."""
        return _bytes(self.title) + sum(_bytes(url) + _bytes(_host(url)) for url in self.sources)


@dataclass(slots=True)
class Stream:
    """What we know of a stream that is open."""

    #: On the monotonic clock, before the call that started it.
    started_at: float
    text: str = ""
    rows: dict[str, Row] = field(default_factory=dict)
    #: Bytes of all rows that were sent; each change of a row is taken to count again.
    rows_size: int = 0
    #: Whether the text above is what Slack has. Not after a call with an unknown outcome.
    is_known: bool = True

    def is_due(self, now: float) -> bool:
        """Whether it has lived as long as it should."""
        return now - self.started_at >= limits.STREAM_SECONDS

    def takes(self, text: str) -> bool:
        """Whether it can come to show this text by growing."""
        return self.is_known and text.startswith(self.text) and _bytes(text) <= TEXT_BYTES

    def lacking(self, text: str, rows: Sequence[Row]) -> list[Chunk]:
        """What to send so that it shows this text and these rows, as far as there is room for rows."""
        chunks = [row.chunk for row in self._changed(rows)]
        more = text[len(self.text) :]
        return [*chunks, {"type": "markdown_text", "text": more}] if more else chunks

    def has(self, text: str, rows: Sequence[Row]) -> None:
        """What `lacking` gave for these was taken."""
        for row in self._changed(rows):
            self.rows_size += row.size
            self.rows[row.id] = row
        self.text = text

    def _changed(self, rows: Iterable[Row]) -> list[Row]:
        changed, room = [], ROWS_BYTES - self.rows_size
        for row in rows:
            old = self.rows.get(row.id)
            if old == row:
                continue
            if row.size > room:
                row = Row(row.id, row.title, row.status)
            # A new row must have room for its end, too: one that stays in progress for ever would be a lie.
            if row.size * (2 if old is None and row.status == "in_progress" else 1) > room or old == row:
                continue
            room -= row.size
            changed.append(row)
        return changed


def rows_of(steps: Sequence[StepView], titles: Mapping[str, Text], lang: Lang) -> tuple[Row, ...]:
    """The rows of these steps; those without a tool are none."""
    return tuple(
        Row(step.key, step_title(step, titles, lang), _STATUS[step.state], _sources(step))
        for step in steps
        if step.tool
    )


def _sources(step: StepView) -> tuple[str, ...]:
    if step.state != "done":
        return ()
    found = dict.fromkeys(match[0].rstrip(".,;:!?*_~") for match in _LINK.finditer(step.result))
    return tuple(url for url in found if len(url) <= _ADDRESS and _host(url))[:_SOURCES]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))

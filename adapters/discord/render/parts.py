"""A Markdown text as messages that Discord takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from adapters.chat.render.runs import BLANK
from adapters.discord import limits
from adapters.discord.render.markdown import as_it_is, render
from adapters.discord.render.quiet import started
from bot.rendering.split import LEAST_LIMIT, split, utf16

#: Below the limit: what marks and tables may take beyond what is counted beforehand.
_ROOM: Final = 60
#: Beside each of these something may be put: a backslash, the brackets of an address, the columns of a table.
_TOUCHED: Final = re.compile(r"[\\*_`~<>:@\[\]#\n|]")
#: Beside this further ones.
_COLUMN: Final = "|"
_FILLED: Final = 3
#: Parts that are remembered as they came out: while an answer grows, all but its last are asked for again and again.
_KEPT: Final = 128
_NOTHING: Final = re.compile(rf"{BLANK}*")
#: What is never cut apart.
_UNIT: Final = re.compile(r"\\.|.", re.DOTALL)


def measure(text: str) -> int:
    """About as many as a Markdown text takes when it is rendered: UTF-16 units, of which no text has fewer than
    characters. How Discord counts is not documented, so the larger one counts.
    """
    return utf16(text) + len(_TOUCHED.findall(text)) + _FILLED * text.count(_COLUMN)


def parts(markdown: str, limit: int = limits.CONTENT) -> Iterator[str]:
    """The text in Discord's Markdown, in parts of at most `limit` characters and UTF-16 units; each stands alone.

    While a text grows, every part but the last stays as it is. Raises `ValueError` for a limit below 188.
    """
    return _fitting(markdown, limit - _ROOM, limit)


@lru_cache(maxsize=_KEPT)
def _rendered(part: str) -> str:
    return render(part)


def _fitting(markdown: str, size: int, limit: int) -> Iterator[str]:
    for part in split(markdown, size, measure):
        made = _rendered(part)
        if utf16(made) <= limit:
            if not _NOTHING.fullmatch(made):
                yield made
        elif size > LEAST_LIMIT:
            yield from _fitting(part, max(size // 2, LEAST_LIMIT), limit)
        else:
            yield from _chopped(as_it_is(part), limit)


def _chopped(text: str, limit: int) -> Iterator[str]:
    """Text without markup in parts."""
    part: list[str] = []
    # What means nothing within a line may mean something at its beginning.
    most = limit - 1
    room = most
    for unit in _UNIT.finditer(text):
        size = utf16(unit[0])
        if room < size:
            yield started("".join(part))
            part, room = [], most
        part.append(unit[0])
        room -= size
    if not _NOTHING.fullmatch("".join(part)):
        yield started("".join(part))

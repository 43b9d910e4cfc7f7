"""A Markdown text as messages that Discord takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from adapters.chat.render.fitting import Markup, fitting
from adapters.chat.render.runs import BLANK
from adapters.discord import limits
from adapters.discord.render.markdown import as_it_is, render
from adapters.discord.render.quiet import started
from bot.rendering.split import utf16

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
    return fitting(markdown, limit - _ROOM, limit, _MARKDOWN)


@lru_cache(maxsize=_KEPT)
def _rendered(part: str) -> str:
    return render(part)


def _is_blank(made: str) -> bool:
    return _NOTHING.fullmatch(made) is not None


_MARKDOWN: Final = Markup(_rendered, as_it_is, utf16, measure, _UNIT, started, _is_blank)

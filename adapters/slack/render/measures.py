"""How long a text is for Slack, once `markdown.neutralise` has been at it. Pure."""

from __future__ import annotations

import re
from typing import Final

from bot.rendering.split import utf8

#: Beside each of these, one character may be put so that nothing rings or deceives.
_TOUCHED: Final = re.compile(r"[<@&\[\]*]")
#: Bytes of such a character.
_ADDED: Final = 3
#: Characters, at most: `%40` in place of `@`.
_ADDED_CHARACTERS: Final = 2


def bytes_of(text: str) -> int:
    """The most bytes that a text takes when it is neutralised."""
    return utf8(text) + _ADDED * len(_TOUCHED.findall(text))


def characters_of(text: str) -> int:
    """The most characters that a text takes when it is neutralised."""
    return len(text) + _ADDED_CHARACTERS * len(_TOUCHED.findall(text))

"""What is said where the pictures of an end can't be shown: its text stands alone, and says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from agent.language import Text
from bot.messages import Final as End

_NOT_SHOWN: Final = Text("A picture can't be shown here. {why}", "图片无法在这里显示。{why}")


def without(end: End, why: str) -> End:
    """The same end without its pictures. `why`: a sentence that says what helps."""
    said = _NOT_SHOWN.say(end.lang, why=why)
    return replace(end, images=(), notes=(*end.notes, said))

"""What the doctor says: one line for each thing that was looked at."""

from __future__ import annotations

from typing import Literal, NamedTuple

from agent.language import Lang, Text

Level = Literal["ok", "warning", "error"]


class Line(NamedTuple):
    """One thing that was looked at: how it is and, if it isn't well, what to do."""

    level: Level
    text: str


def line(level: Level, text: Text, lang: Lang, **fields: object) -> Line:
    """A line in this language."""
    return Line(level, text.say(lang, **fields))

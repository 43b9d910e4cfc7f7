"""What may be printed on a terminal of what others wrote."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text without what a terminal would obey, what turns the order of letters around, and what can't be seen."""
    return "".join(character if character.isprintable() else " " for character in text)

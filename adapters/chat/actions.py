"""The names of what people press in our messages, and what a press tells: the turn, and what was chosen.

Pressed in a message, so anybody may have made the value up: `Control.belongs` is asked before it is obeyed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

STOP: Final = "kagent.stop"
RETRY: Final = "kagent.retry"
ALLOW: Final = "kagent.allow"
DENY: Final = "kagent.deny"
STEPS: Final = "kagent.steps"
FEEDBACK: Final = "kagent.feedback"
RATE: Final = "kagent.rate"

#: Digits of a turn's id that are read; the database's are 63 bits.
_MOST_DIGITS: Final = 18


class Pressed(NamedTuple):
    """What the value of a button or of an option says."""

    turn_id: int
    #: Of a consent question its key, of feedback "1" or "-1", of a rating "1" to "5"; otherwise "".
    detail: str = ""


def value_of(turn_id: int, detail: str | int = "") -> str:
    """The value of a button, an option, or one of the two thumbs: `turn`, or `turn:detail`."""
    return f"{turn_id}:{detail}" if detail != "" else str(turn_id)


def pressed(value: str) -> Pressed | None:
    """What a value says; None for one that is none of ours."""
    turn_id, _, detail = value.partition(":")
    if not (turn_id.isascii() and turn_id.isdigit() and len(turn_id) <= _MOST_DIGITS):
        return None
    return Pressed(int(turn_id), detail)

"""What a person is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

#: Seconds that somebody has.
PERSON_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Favour:
    """What a person is asked to do, as a sentence and as data."""

    kind: Literal["say", "edit", "delete", "share", "stop"]
    sentence: str
    channel: str
    #: What to type, or to change a message into.
    text: str = ""
    #: The thread to do it in, "" none; the message, for an edit and a deletion.
    ts: str = ""
    file: Path | None = None


Ask = Callable[[Favour], Awaitable[None]]

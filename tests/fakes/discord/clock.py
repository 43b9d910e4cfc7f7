"""The fake's time, which a test can move, and the ids that are made from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

#: The first moment of 2015 in milliseconds, where snowflakes begin.
EPOCH_MS = 1_420_070_400_000

_LOW = 22


class Clock:
    """Unix time in seconds, later than the real one by what a test has advanced it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._stopped: float | None = None
        self._last_ms = 0
        self._count = 0
        self.later = 0.0

    def now(self) -> float:
        """The time."""
        return (self._now() if self._stopped is None else self._stopped) + self.later

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.later += seconds

    def stop(self) -> None:
        """Let time pass only by `advance` from now on."""
        self._stopped = self._now()

    def snowflake(self, at: float | None = None) -> str:
        """A new id: of now, and then greater than every one before it, or of a time of the test's choice."""
        self._count += 1
        if at is None:
            milliseconds = self._last_ms = max(int(self.now() * 1000), self._last_ms)
        else:
            milliseconds = int(at * 1000)
        return str(((milliseconds - EPOCH_MS) << _LOW) | (self._count & ((1 << _LOW) - 1)))


def made_at(snowflake: str) -> float:
    """When an id was made, Unix time in seconds."""
    return ((int(snowflake) >> _LOW) + EPOCH_MS) / 1000


def iso(at: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")

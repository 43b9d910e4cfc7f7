"""How a chat platform is sent to: its pace, and the ledger's writer for the messages of one reply."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from agent.clock import Clock, SystemClock
from bot.messages import Asked, Author
from bot.ports import Ledger, Pace
from bot.posting import Own, Patience, Poster

#: Whom a look at our own messages is for.
NOBODY: Final = Asked(Author(""), "", "en")


class Listed(Protocol):
    """Where the messages of one reply are. Both methods raise what `bot.posting` names."""

    async def list_own(self, since: datetime, /) -> Sequence[Own]:
        """Our own messages in that conversation, from `since` on."""

    async def delete(self, external_id: str, /) -> None:
        """Delete one; it is no error if it is gone already."""


class Sending:
    """What `bot.ports.Outbound` asks of every chat platform alike."""

    def __init__(
        self, pace: Pace, read_lag: float, *, clock: Clock | None = None, patience: Patience | None = None
    ) -> None:
        """`read_lag`: seconds after which what was posted is certainly listed. `patience`: of `bot.posting.Poster`."""
        self._clock = clock or SystemClock()
        self._pace = pace
        self._read_lag = read_lag
        self._patience = patience

    @property
    def pace(self) -> Pace:
        return self._pace

    @property
    def read_lag(self) -> float:
        return self._read_lag

    def _poster(self, ledger: Ledger, place: Listed) -> Poster:
        """The writer of one reply."""
        return Poster(
            ledger, place.list_own, place.delete, read_lag=self._read_lag, clock=self._clock, patience=self._patience
        )

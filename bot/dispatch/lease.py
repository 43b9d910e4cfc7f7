"""A lease as its owner holds it in memory."""

from __future__ import annotations

from datetime import datetime

from agent.clock import Clock
from bot.ports import LostTurn

#: Seconds for which a lease is taken. Long enough for a stalled machine, short enough that a dead process's turns go on
#: soon.
LEASE_SECONDS = 15.0
#: Seconds before the end of a lease at which its owner stops trusting it.
MARGIN_SECONDS = 2.0
#: Renewed this often, so that one failed renewal is survived.
RENEW_SECONDS = LEASE_SECONDS / 3


class Lease:
    """The right to write and send for one conversation, until a deadline on this process's own clock."""

    def __init__(self, conversation_id: int, epoch: int, clock: Clock, asked_at: float) -> None:
        """`asked_at` is the monotonic time just before the statement that set the lease."""
        self.conversation_id = conversation_id
        self.epoch = epoch
        self._clock = clock
        self._deadline = asked_at + LEASE_SECONDS - MARGIN_SECONDS
        #: From this platform time on there may be messages of ours that no ledger knows; None: none that we know of.
        self.strays_since: datetime | None = None

    def look_for_strays(self, since: datetime) -> None:
        """A creating call was given up. The drain notes it with the turn's end; after a crash the take-over does."""
        self.strays_since = since if self.strays_since is None else min(self.strays_since, since)

    def extended(self, asked_at: float) -> None:
        """The database prolonged the lease by a statement begun at this monotonic time."""
        self._deadline = max(self._deadline, asked_at + LEASE_SECONDS - MARGIN_SECONDS)

    def check(self) -> None:
        """Raise `LostTurn` when the lease may have run out; called immediately before every call to a platform."""
        if self._clock.monotonic() >= self._deadline:
            raise LostTurn(f"the lease of conversation {self.conversation_id} ran out")

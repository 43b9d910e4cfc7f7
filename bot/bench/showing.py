"""The message of a run on its platform: opened in the background, edited at a polite pace, closed for certain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from agent.clock import Clock
from bot.bench import message
from bot.delivery import Delivery, Undeliverable, insist
from bot.messages import Asked, Draft, Final, Target
from bot.ports import Ledger, Outbound, Pace, Reply
from bot.posting import Refused

log = logging.getLogger(__name__)

#: Seconds between two edits, by the seconds since the run began here.
PaceOf = Callable[[float], float]


class Shown:
    """One message. `open`, `show` now and then, then `close` or `abandon`."""

    def __init__(
        self,
        outbound: Outbound,
        target: Target,
        ledger: Ledger,
        asked: Asked,
        clock: Clock,
        pace: PaceOf = message.pace,
    ) -> None:
        self._outbound = outbound
        self._target = target
        self._ledger = ledger
        self._asked = asked
        self._clock = clock
        self._pace = pace
        self._began = clock.monotonic()
        self._shown_at = float("-inf")
        self._opening: asyncio.Task[Reply] | None = None
        self._current: Delivery | None = None

    def open(self) -> None:
        """Begin to open the message; a platform that is away keeps no run waiting."""
        self._opening = asyncio.create_task(self._open(), name="open the message of a run")

    async def _open(self) -> Reply:
        return await insist(lambda: self._outbound.open(self._target, self._ledger, self._asked), self._clock)

    def show(self, text: Callable[[], str]) -> None:
        """There may be something newer; it is shown when its time has come."""
        now = self._clock.monotonic()
        delivery = self._delivery
        if delivery is None or now - self._shown_at < self._pace(now - self._began):
            return
        self._shown_at = now
        delivery.show(lambda: Draft(text=text()))

    async def close(self, final: Final) -> None:
        """Show the end. Raises `LostTurn`, `StoreUnavailable`, and `Undeliverable` for a platform that was away all the
        time; what it refuses for good is logged.
        """
        if self._opening is None:
            return
        try:
            await self._delivery_of(await self._opening).close(final)
        except Undeliverable as error:
            if not isinstance(error.__cause__, Refused):
                raise
            # Asking again would bring the same; the result is kept.
            log.warning("the report of a run was not given in %s: %s", self._target.channel, error)

    async def abandon(self) -> None:
        """Send nothing more; where `close` has been called there is nothing to do."""
        delivery = self._delivery
        if delivery is not None:
            await delivery.abandon()
        elif self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)

    @property
    def _delivery(self) -> Delivery | None:
        task = self._opening
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return self._delivery_of(task.result())

    def _delivery_of(self, reply: Reply) -> Delivery:
        if self._current is None:
            every = max(self._outbound.pace.every, self._pace(0.0))
            self._current = Delivery(reply, Pace(0.0, every), self._clock, self._not_shown)
        return self._current

    def _not_shown(self, error: BaseException) -> None:
        """A draft found that the job is not ours; that writer has ended. Where the job is ours after all (the machine
        slept, the database was away), there will be another: a run goes on for hours.
        """
        log.info("a draft of a run was not shown: %s", error)
        self._current = None

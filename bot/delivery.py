"""When a reply changes on the platform: drafts are coalesced and paced, the end overtakes them, one call at a time.

How it changes is the adapter's business (`bot.ports.Reply`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agent.clock import Clock
from bot.messages import Draft, Final
from bot.ports import LostTurn, Pace, Reply, StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Waits between attempts to show the end of a reply, in seconds; the last one repeats.
_BACKOFF = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: Longest wait, in seconds, before a draft that was not shown is tried again.
_REDRAW = 10.0
#: Shortest wait, in seconds, where the platform's adapter says how long one has to be.
_SOONEST = 0.1
#: Seconds for a draft's call that is under way when the turn leaves this process.
_PARTING = 2.0
#: After this many seconds the platform is given up for this reply.
_GIVE_UP = 600.0


class Undeliverable(Exception):
    """The platform will not take this reply."""


class Delivery:
    """The one writer of one reply."""

    def __init__(self, reply: Reply, pace: Pace, clock: Clock, on_lost: Callable[[BaseException], None]) -> None:
        """`on_lost` is called when a draft finds that the turn is no longer ours, or that nothing can be written."""
        self._reply = reply
        self._pace = pace
        self._clock = clock
        self._on_lost = on_lost
        self._picture: Callable[[], Draft] | None = None
        self._changed = asyncio.Event()
        self._closing = False
        self._calling = False
        self._writer: asyncio.Task[None] | None = None

    def show(self, picture: Callable[[], Draft]) -> None:
        """There is something newer to show. `picture` is called when it is sent, so that a stream costs nothing in
        between.
        """
        self._picture = picture
        self._changed.set()
        if self._writer is None and not self._closing:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        if self._pace.first > 0:
            await self._clock.sleep(self._pace.first)
        #: Drafts in a row that were not shown.
        failed = 0
        while not self._closing:
            await self._changed.wait()
            self._changed.clear()
            picture = self._picture
            if picture is None or self._closing:
                continue
            self._calling = True
            again: float | None = None
            try:
                shown = await self._reply.show(picture())
            except (LostTurn, StoreUnavailable) as error:
                self._on_lost(error)
                return
            except RetryLater as later:
                # Nothing is wrong, and it says when: whoever waits longer each time is overtaken for ever.
                shown, again = False, later.seconds
            except Exception as error:
                # The next draft, or the end, makes up for it; what a platform refuses for good shows at the end.
                log.warning("a draft was not shown: %s", error, exc_info=_unexpected(error))
                shown = False
            finally:
                self._calling = False
            failed = 0 if shown or again is not None else failed + 1
            if not shown:
                # A long step may bring nothing new for a while; what people see must not stay behind that long.
                self._changed.set()
            if not self._closing:
                longest = max(self._pace.every, _REDRAW)
                wait = self._pace.every * 2 ** min(failed, 16) if again is None else max(again, _SOONEST)
                await self._clock.sleep(min(wait, longest))

    async def _stop_writer(self) -> None:
        """End the writer: at once between calls, else after the call that is under way, whose outcome is needed."""
        self._closing = True
        if self._writer is None:
            return
        if not self._calling:
            self._writer.cancel()
        self._changed.set()
        await asyncio.wait({self._writer})
        self._writer = None

    async def close(self, final: Final) -> None:
        """Show the end, however often it takes. Raises `LostTurn`, `StoreUnavailable`, `Undeliverable`."""
        await self._stop_writer()
        await insist(lambda: self._reply.close(final), self._clock)

    async def discard(self) -> None:
        """Take the reply back. Raises as `close` does."""
        await self._stop_writer()
        await insist(self._reply.discard, self._clock)

    async def pause(self, draft: Draft) -> None:
        """Show a last draft now and send nothing more: the turn is parked."""
        await self._stop_writer()

        async def show() -> None:
            if not await self._reply.show(draft):
                raise RetryLater(self._pace.every)

        await insist(show, self._clock)

    async def abandon(self) -> None:
        """Send nothing more: the turn is somebody else's, or the process ends.

        A call that is under way may end, but not go on for long: what became of it can be found out later.
        """
        try:
            async with asyncio.timeout(_PARTING):
                await self._stop_writer()
        except TimeoutError:
            pass
        finally:
            if self._writer is not None:
                self._writer.cancel()
                await asyncio.gather(self._writer, return_exceptions=True)


async def insist(call: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Make a call to a platform until it succeeds or the platform is given up.

    Raises `LostTurn`, `StoreUnavailable`, and `Undeliverable` for a definite refusal or when patience is over.
    """
    give_up = clock.monotonic() + _GIVE_UP
    attempt = 0
    while True:
        try:
            return await call()
        except (LostTurn, StoreUnavailable):
            raise
        except Refused as error:
            raise Undeliverable(str(error)) from error
        except Exception as error:
            if clock.monotonic() >= give_up:
                raise Undeliverable(str(error)) from error
            log.warning("a call to the platform failed, trying again: %s", error, exc_info=_unexpected(error))
            asked = error.seconds if isinstance(error, RetryLater) else 0.0
            await clock.sleep(max(asked, _BACKOFF[min(attempt, len(_BACKOFF) - 1)]))
            attempt += 1


def _unexpected(error: Exception) -> bool:
    """Whether it is none of the troubles that adapters tell of: then it may be a defect, and its place matters."""
    return not isinstance(error, (Ambiguous, RetryLater, Refused))

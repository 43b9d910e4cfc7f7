"""The dispatcher of one process: starts drains, renews their leases, looks for work that nobody was told of, delivers
end requests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from agent.clock import Clock
from bot.dispatch.claim import Claim
from bot.dispatch.drain import Drain
from bot.dispatch.lease import LEASE_SECONDS, RENEW_SECONDS
from bot.live import Live
from bot.messages import EndAs
from bot.ports import Health, LostTurn, StoreUnavailable
from bot.store import conversations, turns
from bot.store.db import Store
from bot.turns import Ending, TurnRunner

log = logging.getLogger(__name__)

#: Seconds between two looks for work that no wake-up announced.
SWEEP_SECONDS = 1.0
#: Seconds between two looks for end requests, where a nudge can't reach us.
POLL_SECONDS = 0.5
#: Wait before a conversation is tried again whose drain the database interrupted, in seconds: doubled each time, so
#: that a full disk doesn't make the model say the same every second.
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 30.0


class Interrupted(NamedTuple):
    """A conversation whose drain ended because the database couldn't be written."""

    #: Of the lease that it held then; None if it hadn't got one.
    epoch: int | None
    times: int
    #: By the monotonic clock.
    again_at: float


class Dispatcher:
    """Runs turns in this process. It is also the in-process `Waker`."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        claim: Claim,
        runner: TurnRunner,
        live: Live,
        platforms: Collection[str],
        most_turns: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._claim = claim
        self._runner = runner
        self._live = live
        # Filled by the composition root once the adapters exist.
        self._platforms = platforms
        self._room = asyncio.Semaphore(most_turns)
        self._drains: dict[int, asyncio.Task[None]] = {}
        self._draining: dict[int, Drain] = {}
        #: Conversations that were woken while their drain was about to end.
        self._again: set[int] = set()
        self._interrupted: dict[int, Interrupted] = {}
        self._turns: dict[int, Ending] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = False
        self._hurried = asyncio.Event()
        #: What is wrong just now, by loop.
        self._troubles: dict[str, str] = {}

    # Waker

    def in_transaction(self, connection: Connection, conversation_id: int) -> None:
        """In one process the wake-up isn't part of the transaction; the sweep covers a crash right after it."""

    def committed(self, conversation_id: int) -> None:
        left = self._interrupted.get(conversation_id)
        if left is not None:
            # The database takes writes again.
            self._interrupted[conversation_id] = left._replace(again_at=self._clock.monotonic())
        self.wake(conversation_id)

    def nudge(self, turn_id: int) -> None:
        if turn_id in self._turns:
            self._spawn(self._look_now(turn_id), "look")

    # Life

    async def start(self) -> None:
        """Begin to look for work."""
        self._loops = [
            asyncio.create_task(self._every(SWEEP_SECONDS, self._sweep, "sweep"), name="sweep"),
            asyncio.create_task(self._every(RENEW_SECONDS, self._renew, "renew"), name="renew"),
            asyncio.create_task(self._every(POLL_SECONDS, self._poll, "poll"), name="poll"),
        ]

    async def stop(self, grace: float) -> None:
        """Take nothing new, give running turns `grace` seconds to end, hand the rest over."""
        self._stopping = True
        for drain in self._draining.values():
            drain.closing = True
        await self._ended_within(grace)
        for task in self._drains.values():
            task.cancel()
        await asyncio.gather(*self._drains.values(), return_exceptions=True)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        try:
            await self._store.write(lambda c: conversations.hand_back_all(c, self._claim.owner))
        except StoreUnavailable:
            log.warning("the turns that are left could not be handed over; their leases will run out")

    def hurry(self) -> None:
        """End the grace of a stop now."""
        self._hurried.set()

    async def _ended_within(self, grace: float) -> None:
        drains = set(self._drains.values())
        if not drains:
            return
        ended = asyncio.create_task(asyncio.wait(drains))
        hurried = asyncio.create_task(self._hurried.wait())
        await asyncio.wait({ended, hurried}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        for waiting in (ended, hurried):
            waiting.cancel()
        await asyncio.gather(ended, hurried, return_exceptions=True)

    def health(self) -> Health:
        """Whether turns are being run."""
        if self._stopping:
            return Health("down", "stopping")
        trouble = next(iter(self._troubles.values()), "")
        return Health("degraded", trouble) if trouble else Health("ok")

    @property
    def busy(self) -> int:
        """Conversations that are being drained."""
        return len(self._drains)

    # Drains

    def wake(self, conversation_id: int) -> None:
        """This conversation has work."""
        left = self._interrupted.get(conversation_id)
        if self._stopping or (left is not None and self._clock.monotonic() < left.again_at):
            return
        if conversation_id in self._drains:
            self._again.add(conversation_id)
            return
        task = asyncio.create_task(self._drain(conversation_id), name=f"drain-{conversation_id}")
        self._drains[conversation_id] = task

    async def _drain(self, conversation_id: int) -> None:
        drain = Drain(
            conversation_id,
            store=self._store,
            clock=self._clock,
            claim=self._claim,
            runner=self._runner,
            live=self._live,
            on_turn=self._on_turn,
        )
        try:
            async with self._room:
                if self._stopping:
                    return
                self._draining[conversation_id] = drain
                await self._resume(conversation_id)
                await drain.run()
            self._interrupted.pop(conversation_id, None)
        except LostTurn as error:
            log.warning("%s", error)
        except StoreUnavailable as error:
            log.warning("a conversation waits for the database: %s", error)
            self._interrupt(conversation_id, drain)
        except Exception:
            log.exception("draining conversation %s failed; the sweep will try again", conversation_id)
        finally:
            self._draining.pop(conversation_id, None)
            self._drains.pop(conversation_id, None)
            if conversation_id in self._again:
                self._again.discard(conversation_id)
                self.wake(conversation_id)

    def _interrupt(self, conversation_id: int, drain: Drain) -> None:
        before = self._interrupted.get(conversation_id)
        times = before.times + 1 if before is not None else 1
        if drain.lease is not None:
            epoch: int | None = drain.lease.epoch
        else:
            epoch = before.epoch if before is not None else None
        pause = min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * 2 ** (times - 1))
        self._interrupted[conversation_id] = Interrupted(epoch, times, self._clock.monotonic() + pause)

    async def _resume(self, conversation_id: int) -> None:
        """Give back the turn that the database interrupted: this process has not died of it, so it was no attempt."""
        left = self._interrupted.get(conversation_id)
        if left is None or left.epoch is None:
            return
        epoch = left.epoch
        await self._store.write(lambda c: conversations.hand_back(c, conversation_id, epoch))
        self._interrupted[conversation_id] = left._replace(epoch=None)

    def _on_turn(self, turn_id: int, ending: Ending | None) -> None:
        if ending is None:
            self._turns.pop(turn_id, None)
        else:
            self._turns[turn_id] = ending

    # Loops

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]], name: str) -> None:
        while True:
            try:
                await work()
                self._troubles.pop(name, None)
            except StoreUnavailable as error:
                self._troubles[name] = str(error)
                log.warning("%s: %s", name, error)
            except Exception as error:
                self._troubles[name] = str(error) or type(error).__name__
                log.exception("the dispatcher's %s failed", name)
            await self._clock.sleep(seconds)

    async def _sweep(self) -> None:
        asked_at, now = self._clock.monotonic(), self._clock.now()
        found = await self._store.read(
            lambda c: conversations.find_work(c, self._claim.owner, tuple(self._platforms), now)
        )
        for conversation_id in found:
            if conversation_id not in self._drains:
                self.wake(conversation_id)
        # What another process has gone on with.
        left = [id_ for id_, one in self._interrupted.items() if one.again_at <= asked_at]
        for conversation_id in set(left) - set(found) - set(self._drains):
            del self._interrupted[conversation_id]

    async def _renew(self) -> None:
        held = {id_: drain.lease for id_, drain in self._draining.items() if drain.lease is not None}
        if not held:
            return
        asked_at = self._clock.monotonic()
        until = self._clock.now() + timedelta(seconds=LEASE_SECONDS)
        epochs = {id_: lease.epoch for id_, lease in held.items()}
        kept = await self._store.write(lambda c: conversations.extend_all(c, self._claim.owner, epochs, until))
        for conversation_id, lease in held.items():
            if conversation_id in kept:
                lease.extended(asked_at)
                continue
            drain = self._draining.get(conversation_id)
            # It may have given the lease back in order while the statement ran.
            if drain is not None and drain.lease is lease:
                log.warning("the lease of conversation %s was lost", conversation_id)
                self._drains[conversation_id].cancel()

    async def _poll(self) -> None:
        await self._look(list(self._turns))

    async def _look_now(self, turn_id: int) -> None:
        try:
            await self._look([turn_id])
        except StoreUnavailable as error:
            log.warning("a turn was not told at once of its end, the poll will: %s", error)

    async def _look(self, turn_ids: list[int]) -> None:
        """Tell our running turns about end requests in their rows."""
        if not turn_ids:
            return
        for turn_id, end_as in await self._store.read(lambda c: turns.ends_asked(c, turn_ids)):
            self._end(turn_id, end_as)

    def _end(self, turn_id: int, end_as: EndAs) -> None:
        ending = self._turns.get(turn_id)
        if ending is not None and ending.asked != end_as:
            ending.ask(end_as)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._loops.append(task)
        task.add_done_callback(self._loops.remove)

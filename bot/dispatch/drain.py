"""Draining one conversation: its turns, one after another, under one lease."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from agent.clock import Clock
from bot.crashpoints import crashpoint
from bot.dispatch.claim import Claim, Claimed, Drained, Next, Tidy
from bot.dispatch.lease import Lease
from bot.live import Live
from bot.ports import LostTurn
from bot.posting import Refused
from bot.store import conversations, messages, parts, turns, usage
from bot.store.db import Store
from bot.turns import Ended, Ending, ParkedUntil, TurnRunner

log = logging.getLogger(__name__)

#: Seconds that a shutdown waits for a claim that is under way.
_CLAIMING = 2.0
#: Ends at which a creating call may be left without an outcome, because the platform was given up.
_GIVEN_UP = ("failed", "superseded", "withdrawn")


class Drain:
    """One run over a conversation's queue. `lease` and `turn` are looked at by the dispatcher meanwhile."""

    def __init__(
        self,
        conversation_id: int,
        *,
        store: Store,
        clock: Clock,
        claim: Claim,
        runner: TurnRunner,
        live: Live,
        on_turn: Callable[[int, Ending | None], None],
    ) -> None:
        """`on_turn` is told which turn runs (with its `Ending`) and, with None, that it is over."""
        self._conversation_id = conversation_id
        self._store = store
        self._clock = clock
        self._claim = claim
        self._runner = runner
        self._live = live
        self._on_turn = on_turn
        #: None until the lease is ours.
        self.lease: Lease | None = None
        #: Set when the server stops: no further turn is begun.
        self.closing = False

    async def run(self) -> None:
        """Work until nothing waits. Raises `LostTurn` or `StoreUnavailable`; the sweep comes back to what is left."""
        asked_at = self._clock.monotonic()
        first = await self._first()
        if first is None:
            return
        epoch, todo = first
        lease = self.lease = Lease(self._conversation_id, epoch, self._clock, asked_at)
        while not isinstance(todo, Drained):
            todo = await (self._tidy(todo, lease) if isinstance(todo, Tidy) else self._turn(todo, lease))
        self.lease = None

    async def _first(self) -> tuple[int, Next] | None:
        """Claim. When this is cancelled, the claim's outcome is waited for, so that a shutdown can give it back."""
        now = self._clock.now()
        claiming = asyncio.ensure_future(self._store.write(lambda c: self._claim.first(c, self._conversation_id, now)))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await asyncio.wait({claiming}, timeout=_CLAIMING)
            # Nobody asks for its error any more.
            claiming.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    async def _tidy(self, todo: Tidy, lease: Lease) -> Next:
        """Delete our messages that no ledger knows: a frozen owner may have sent them after its time."""
        outbound = self._runner.outbound(todo.target.platform)

        async def known(external_ids: Sequence[str]) -> set[str]:
            found = await self._store.read(lambda c: parts.known(c, self._conversation_id, external_ids))
            # What isn't known is deleted next, and the listing may have taken long.
            lease.check()
            return found

        again: datetime | None = None
        try:
            lease.check()
            await outbound.tidy(todo.target, todo.since, known)
        except LostTurn:
            raise
        except Refused as error:
            log.warning("conversation %s can't be tidied: %s", self._conversation_id, error)
        except Exception as error:  # noqa: BLE001 - a platform that is away must not hold the conversation's turns back
            log.warning("conversation %s could not be tidied, later again: %s", self._conversation_id, error)
            again = self._clock.now() + self._claim.tidy_after

        def done(connection: Connection) -> None:
            since = None if again is None else todo.since
            conversations.set_tidy(connection, self._conversation_id, lease.epoch, again, since)

        return await self._follow(lease, done)

    async def _turn(self, claimed: Claimed, lease: Lease) -> Next:
        crashpoint("claim.after_commit")
        turn = claimed.turn
        ending = Ending(turn.end_as)
        self._on_turn(turn.id, ending)
        self._live.changed(self._conversation_id, turn.id)
        try:
            ended = await self._runner.run(claimed, lease, ending)
            if isinstance(ended, ParkedUntil):
                todo, applied = await self._park(claimed, lease, ended)
            else:
                todo, applied = await self._finish(claimed, lease, ended)
            if not applied:
                # Edited or deleted in the very moment in which it was answered: the answer goes, as if it came too
                # early.
                end_as = await self._asked(turn.id)
                taken_back = await self._runner.discard(claimed, lease, end_as)
                todo, applied = await self._finish(claimed, lease, taken_back)
                if not applied:
                    raise LostTurn(f"turn {turn.id} ended elsewhere")
        finally:
            self._on_turn(turn.id, None)
        crashpoint("finish.after_commit")
        self._live.changed(self._conversation_id, turn.id)
        return todo

    async def _finish(self, claimed: Claimed, lease: Lease, ended: Ended) -> tuple[Next, bool]:
        turn = claimed.turn
        now = self._clock.now()

        def finish(connection: Connection) -> bool:
            applied = turns.finish(
                connection,
                turn.id,
                turn.epoch,
                ended.state,
                now,
                answer=ended.answer,
                meta=ended.meta or None,
                reason=ended.reason,
            )
            if applied and (spent := ended.meta.get("usage")) is not None:
                usage.spent(connection, turn.id, spent["prompt"] or 0, spent["completion"] or 0)
            if applied and ended.state in _GIVEN_UP and parts.give_up(connection, turn.id):
                lease.look_for_strays(turn.sent_at)
            if applied and ended.answer and ended.state in ("answered", "stopped"):
                messages.insert_answer(
                    connection, self._conversation_id, turn.generation, turn.id, claimed.target, ended.answer, now
                )
            return applied

        return await self._conclude(lease, finish)

    async def _park(self, claimed: Claimed, lease: Lease, parked: ParkedUntil) -> tuple[Next, bool]:
        return await self._conclude(
            lease, lambda connection: turns.park(connection, claimed.turn.id, claimed.turn.epoch, parked.until)
        )

    async def _conclude(self, lease: Lease, change: Callable[[Connection], bool]) -> tuple[Next, bool]:
        """Apply a turn's last change and, if it applied, take what comes next: one commit.

        A change that doesn't apply leaves the lease as it is: it may be somebody else's.
        """
        asked_at = self._clock.monotonic()
        now = self._clock.now()

        def query(connection: Connection) -> tuple[Next | None, bool]:
            # The conversation's row first, in the same order as every other transaction that takes both.
            conversations.lock(connection, self._conversation_id)
            if not change(connection):
                return None, False
            if lease.strays_since is not None:
                at = now + self._claim.tidy_after
                conversations.set_tidy(connection, self._conversation_id, lease.epoch, at, lease.strays_since)
            if self.closing:
                ours = conversations.hand_back(connection, self._conversation_id, lease.epoch)
                return Drained() if ours else None, True
            return self._claim.following(connection, self._conversation_id, lease.epoch, now), True

        todo, applied = await self._store.write(query)
        if not applied:
            return Drained(), False
        lease.strays_since = None
        return self._extended(lease, asked_at, todo), True

    async def _follow(self, lease: Lease, change: Callable[[Connection], None]) -> Next:
        def query(connection: Connection) -> bool:
            change(connection)
            return True

        todo, _ = await self._conclude(lease, query)
        return todo

    def _extended(self, lease: Lease, asked_at: float, todo: Next | None) -> Next:
        if todo is None:
            raise LostTurn(f"the lease of conversation {self._conversation_id} was taken over")
        lease.extended(asked_at)
        return todo

    async def _asked(self, turn_id: int) -> Literal["superseded", "withdrawn"]:
        asked = await self._store.read(lambda c: turns.ends_asked(c, [turn_id]))
        for _, end_as in asked:
            if end_as != "stopped":
                return end_as
        raise LostTurn(f"turn {turn_id} was taken over, or stopped in the moment in which it was parked")

"""The journal and the ledger of a running turn, on the store. Every write is fenced by the turn's epoch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Json, OutcomeUnknown, Parked, Recalled
from bot.crashpoints import step_crashpoint
from bot.dispatch.lease import Lease
from bot.messages import Part
from bot.ports import LostTurn
from bot.store import parts, steps, turns
from bot.store.db import Store
from bot.store.turns import TurnRow

T = TypeVar("T")

#: How long a person has to allow a writing step.
CONSENT_TIME = timedelta(hours=24)


class Fence:
    """Runs writes that only happen while the turn is ours."""

    def __init__(self, store: Store, clock: Clock, turn: TurnRow, lease: Lease) -> None:
        self.store = store
        self.clock = clock
        self.turn = turn
        self.lease = lease

    async def write(self, change: Callable[[Connection, datetime], T]) -> T:
        """Apply `change(connection, now)` if the turn is still running under our epoch; else `LostTurn`."""
        now = self.clock.now()

        def query(connection: Connection) -> T:
            if not turns.fence(connection, self.turn.id, self.turn.epoch, now):
                raise LostTurn(f"turn {self.turn.id} is not running under epoch {self.turn.epoch}")
            return change(connection, now)

        return await self.store.write(query)


class TurnJournal:
    """`agent.journal.Journal` on the store."""

    def __init__(self, fence: Fence, known: Mapping[str, Recalled]) -> None:
        self._fence = fence
        self._known = dict(known)
        self._begun: dict[str, asyncio.Task[None]] = {}

    def recall(self, key: str) -> Recalled | None:
        return self._known.get(key)

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        self._fence.lease.check()
        turn = self._fence.turn

        def change(connection: Connection, now: datetime) -> None:
            if not steps.begin(connection, turn.id, key, detail, turn.attempts, now, writes=writes):
                raise OutcomeUnknown(key)

        writing = asyncio.create_task(self._fence.write(change))
        if writes:
            # What changes the outside world must be on record before it starts.
            await writing
        else:
            # A reading step may start again anyway, so its work need not wait for the commit; `finish` does.
            self._begun[key] = writing
        step_crashpoint("after_begin", key, writes=writes)

    async def finish(self, key: str, result: Json) -> None:
        step_crashpoint("after_make", key)
        begun = self._begun.pop(key, None)
        if begun is not None:
            await begun

        def change(connection: Connection, now: datetime) -> None:
            if not steps.finish(connection, self._fence.turn.id, key, result, now):
                raise LostTurn(f"step {key} of turn {self._fence.turn.id} was finished by somebody else")

        await self._fence.write(change)
        self._known[key] = Recalled("done", False, result)
        step_crashpoint("after_finish", key)

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        found = self._known.get(key)
        if found is not None and found.state == "done":
            return bool(found.result.get("allow"))
        now = self._fence.clock.now()
        until = now + CONSENT_TIME
        asked = await self._fence.store.read(lambda c: steps.detail(c, self._fence.turn.id, key))
        if asked is not None:
            until = datetime.fromisoformat(asked["until"])
            if now >= until:
                await self.finish(key, {"allow": False, "by": None})
                return False
        else:
            detail = {"tool": tool, "args": args, "until": until.isoformat()}
            await self.begin(key, detail)
            await self._begun.pop(key)
        raise Parked(key, tool, args, until)

    async def settle(self) -> None:
        """Wait for the writes that are under way, whatever becomes of them; called when the run is cancelled."""
        await asyncio.gather(*self._begun.values(), return_exceptions=True)
        self._begun.clear()


class TurnLedger:
    """`bot.ports.Ledger` on the store."""

    def __init__(self, fence: Fence, known: Sequence[Part], *, resumed: bool = True) -> None:
        self._fence = fence
        self.resumed = resumed
        self._parts = {part.position: part for part in known}

    @property
    def turn_id(self) -> int:
        return self._fence.turn.id

    @property
    def is_job(self) -> bool:
        return False

    @property
    def conversation_id(self) -> int:
        return self._fence.turn.conversation_id

    @property
    def parts(self) -> Sequence[Part]:
        return [self._parts[position] for position in sorted(self._parts)]

    @property
    def since(self) -> datetime:
        return self._fence.turn.sent_at

    @property
    def nonce(self) -> str:
        return f"kagentbot-{self._fence.turn.id}"

    def check(self) -> None:
        self._fence.lease.check()

    async def known(self, external_ids: Sequence[str]) -> set[str]:
        return await self._fence.store.read(lambda c: parts.known(c, self.conversation_id, external_ids))

    async def intend(self, position: int) -> None:
        turn = self._fence.turn

        def change(connection: Connection, now: datetime) -> datetime:
            parts.intend(connection, turn.id, turn.conversation_id, position, turn.epoch, now)
            return now

        at = await self._fence.write(change)
        self._parts[position] = Part(position, None, at)

    async def posted(self, position: int, external_id: str) -> None:
        def change(connection: Connection, now: datetime) -> None:
            parts.posted(connection, self.turn_id, position, external_id, now)

        await self._fence.write(change)
        self._parts[position] = Part(position, external_id, self._parts[position].intended_at)

    async def removed(self, position: int) -> None:
        await self._fence.write(lambda connection, _: parts.removed(connection, self.turn_id, position))
        self._parts.pop(position, None)

    def gave_up(self) -> None:
        self._fence.lease.look_for_strays(self.since)

    async def save_draft(self, body: Json, version: int) -> None:
        await self._fence.write(
            lambda connection, now: parts.save_draft(connection, self.turn_id, self.conversation_id, version, body, now)
        )

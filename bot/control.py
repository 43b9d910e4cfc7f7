"""What people may do to a turn from outside: stop it, ask again, allow a writing step, rate the answer."""

from __future__ import annotations

from sqlalchemy import Connection

from agent.clock import Clock
from bot.live import Live
from bot.messages import Author, Target
from bot.ports import Gate, Waker
from bot.store import commands, conversations, feedback, seen, steps, turns
from bot.store.db import Store


class NotServed(Exception):
    """Somebody is not served, or not just now; `code` says why, as `bot.texts` does."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Control:
    """Requests are rows first and nudges second, so that they survive a crash and reach a turn in another process."""

    def __init__(self, store: Store, clock: Clock, waker: Waker, live: Live, gate: Gate | None = None) -> None:
        """`gate`: who may have answers tried again, and how often; None for everybody."""
        self._gate = gate
        self._store = store
        self._clock = clock
        self._waker = waker
        self._live = live

    async def stop(self, turn_id: int, by: Author) -> bool:
        """Stop a live turn; False if it is over or was asked to stop before.

        A turn that has not started is told "stopped" by its worker without running.
        """
        now = self._clock.now()

        def query(connection: Connection) -> int | None:
            row = turns.get(connection, turn_id)
            if row is None or not turns.ask_end(connection, turn_id, "stopped", by.id, now):
                return None
            self._waker.in_transaction(connection, row.conversation_id)
            return row.conversation_id

        return self._after(turn_id, await self._store.write(query))

    async def stop_in(self, key: str, by: Author, *, but: int | None = None) -> int:
        """Stop whatever is live in a conversation, except the turn `but`; how many turns that were."""
        now = self._clock.now()

        def query(connection: Connection) -> list[tuple[int, int]]:
            place = conversations.find(connection, key)
            if place is None:
                return []
            live = [turn_id for turn_id in turns.live_of(connection, place.id) if turn_id != but]
            asked = [turn_id for turn_id in live if turns.ask_end(connection, turn_id, "stopped", by.id, now)]
            if asked:
                self._waker.in_transaction(connection, place.id)
            return [(turn_id, place.id) for turn_id in asked]

        asked = await self._store.write(query)
        return sum(self._after(turn_id, conversation_id) for turn_id, conversation_id in asked)

    async def stop_own(self, target: Target, by: Author) -> int:
        """Stop what somebody has asked for in a channel and that is live, in whatever thread; how many turns."""
        now = self._clock.now()

        def query(connection: Connection) -> list[tuple[int, int]]:
            live = commands.live_by(connection, target, by.id)
            asked = [one for one in live if turns.ask_end(connection, one[0], "stopped", by.id, now)]
            for _, conversation_id in asked:
                self._waker.in_transaction(connection, conversation_id)
            return asked

        asked = await self._store.write(query)
        return sum(self._after(turn_id, conversation_id) for turn_id, conversation_id in asked)

    async def belongs(self, turn_id: int, place: Target) -> bool:
        """Whether a turn is of this channel, so that a button from elsewhere is not obeyed."""
        return await self._store.read(lambda c: seen.is_of(c, turn_id, place))

    async def is_seen_from(self, turn_id: int, place: Target) -> bool:
        """The same, where a channel may have threads that not everybody there can see."""
        return await self._store.read(lambda c: seen.is_seen_from(c, turn_id, place))

    async def retry(self, turn_id: int, by: Author) -> int | None:
        """Answer the messages of a failed or stopped turn again: the new turn, or None if there is nothing to retry.

        It counts like a new question. Raises `NotServed`.
        """
        now = self._clock.now()

        def query(connection: Connection) -> tuple[int, int] | None:
            row = turns.get(connection, turn_id)
            if row is None or row.state not in ("failed", "stopped"):
                return None
            seq = conversations.take_seq(connection, row.conversation_id, now)
            new = turns.retry(connection, row, seq, now)
            if new is None:
                return None
            if self._gate is not None and row.command is None:
                # Whatever was changed above is undone by the error.
                target = conversations.target_by_id(connection, row.conversation_id)
                if (refused := self._gate.again(connection, target, by, now)) is not None:
                    raise NotServed(refused)
                self._gate.admitted_again(connection, target, by, row.id, new, now)
            self._waker.in_transaction(connection, row.conversation_id)
            return row.conversation_id, new

        made = await self._store.write(query)
        if made is None:
            return None
        conversation_id, new = made
        self._waker.committed(conversation_id)
        self._live.changed(conversation_id, turn_id)
        self._live.changed(conversation_id, new)
        return new

    async def consent(self, turn_id: int, key: str, by: Author, allow: bool) -> bool:
        """Decide on a writing step (`Consent.key`) that a turn waits for; False if it doesn't wait for that one."""
        now = self._clock.now()

        def query(connection: Connection) -> int | None:
            row = turns.get(connection, turn_id)
            if row is None or row.state != "waiting":
                return None
            # Of two answers the second one waits here and finds the question answered.
            conversations.lock(connection, row.conversation_id)
            if steps.open_consent(connection, turn_id) != key or not turns.resume(connection, turn_id, now):
                return None
            conversations.take_seq(connection, row.conversation_id, now)
            steps.finish(connection, turn_id, key, {"allow": allow, "by": by.id}, now)
            self._waker.in_transaction(connection, row.conversation_id)
            return row.conversation_id

        return self._after(turn_id, await self._store.write(query))

    async def feedback(self, turn_id: int, by: Author, value: int) -> bool:
        """Rate an answer: 1 up, -1 down, 0 takes the rating back. False if there is no such turn."""
        now = self._clock.now()
        return await self._store.write(lambda c: feedback.rate(c, turn_id, by.id, value, now))

    async def rate(self, turn_id: int, by: Author, rating: int) -> bool:
        """Rate an answer from 1 to 5. False if there is no such turn."""
        now = self._clock.now()
        return await self._store.write(lambda c: feedback.rate(c, turn_id, by.id, None, now, rating=rating))

    def _after(self, turn_id: int, conversation_id: int | None) -> bool:
        if conversation_id is None:
            return False
        self._waker.nudge(turn_id)
        self._waker.committed(conversation_id)
        self._live.changed(conversation_id, turn_id)
        return True

"""Deletion for good: what was said goes, ids stay as tombstones, so that a redelivery can't bring it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from agent.clock import Clock
from bot.live import Live
from bot.messages import NO_WORKSPACE, Author
from bot.places import places
from bot.ports import Waker
from bot.store import conversations, erasure, messages, people, profiles, turns, usage
from bot.store.db import Store
from bot.store.erasure import Found
from bot.store.usage import Whose


class _Done(NamedTuple):
    """What one transaction has come to."""

    conversation_id: int
    #: Turns that end, or that are new.
    changed: tuple[int, ...]


class Erasure:
    """Deletes conversations, and what one person has said. A transaction for each conversation: whoever dies in the
    middle of it has deleted nothing there yet.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        waker: Waker,
        live: Live,
        copies: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`copies` deletes what was copied out of the database of words that are gone; it raises nothing."""
        self._store = store
        self._clock = clock
        self._waker = waker
        self._live = live
        self._copies = copies

    async def conversation(self, key: str, by: Author, *, spare: int | None = None) -> bool:
        """Delete all that was said in a conversation; False if there is none with this key.

        Gone when this returns: texts, names of authors, titles, answers, steps, drafts, ratings, the conversation's own
        profile, files that no other message names. Turns without an outcome end as withdrawn; one that is running is
        told to, and what it has written goes with it. The turn `spare` doesn't end: it has to say that it is done. It
        may be done again. A message that comes later starts afresh under the same key. Raises `StoreUnavailable`.
        """
        now = self._clock.now()

        def query(connection: Connection) -> _Done | None:
            found = erasure.hold(connection, key)
            return None if found is None else self._all_of(connection, found, by, spare, now)

        found = self._after(await self._store.write(query))
        await self._forget_copies()
        return found

    async def person(
        self,
        platform: str,
        workspace: str,
        by: Author,
        *,
        spare: int | None = None,
        used_before: datetime | None = None,
    ) -> None:
        """Delete all that is kept of the person `by` in a workspace, and in direct conversations with them.

        Gone when this returns: their messages, what was answered to them, the steps of every answer that was made with
        their words before it, files, ratings, their name, what they used (only what was before `used_before`, if that
        is given). Conversations in which nobody else was go as by `conversation`. A live turn that answers others, too,
        is made anew without their words. The turn `spare` doesn't end. It may be done again. Raises `StoreUnavailable`.
        """
        now = self._clock.now()
        # Where direct conversations belong to no workspace, they are of each in which somebody is.
        wheres = tuple(dict.fromkeys((workspace, NO_WORKSPACE)))

        def keys(connection: Connection) -> list[str]:
            return [key for where in wheres for key in erasure.keys_of(connection, platform, where, by.id)]

        for key in await self._store.read(keys):
            said_in = partial(self._said_in, key=key, by=by, spare=spare, now=now)
            self._after(await self._store.write(said_in))

        def rest(connection: Connection) -> None:
            for where in wheres:
                erasure.erase_name(connection, platform, where, by.id)
                people.forget(connection, platform, where, by.id)
                usage.forget(connection, Whose(platform, where, user_id=by.id), used_before)

        await self._store.write(rest)
        await self._forget_copies()

    async def _forget_copies(self) -> None:
        if self._copies is not None:
            await self._copies()

    def _all_of(self, connection: Connection, found: Found, by: Author, spare: int | None, now: datetime) -> _Done:
        live = tuple(turn_id for turn_id in found.live if turn_id != spare)
        for turn_id in live:
            self._withdraw(connection, turn_id, by, now)
        erasure.forget_names(connection, found)
        erasure.erase(connection, found.id, now)
        own = places(found.target)[-1]
        # A channel's profile is its conversations' together: turns of the others run with it. Where others may speak,
        # it is for those who administer the channel, and not for whoever happened to speak alone.
        if own.scope == "thread" or (found.direct and not erasure.is_shared(connection, found)):
            profiles.forget(connection, own.scope, own.key)
        if live:
            self._waker.in_transaction(connection, found.id)
        return _Done(found.id, live)

    def _said_in(self, connection: Connection, key: str, by: Author, spare: int | None, now: datetime) -> _Done | None:
        found = erasure.hold(connection, key)
        if found is None:
            return None
        if found.direct:
            return self._all_of(connection, found, by, spare, now)
        answering = [turn_id for turn_id in erasure.live_of(connection, found, by.id) if turn_id != spare]
        erasure.forget_names(connection, found, by.id)
        erasure.erase_said(connection, found, by.id, now)
        changed = [one for turn_id in answering for one in self._without(connection, turn_id, by, now)]
        if changed:
            self._waker.in_transaction(connection, found.id)
        return _Done(found.id, tuple(changed))

    def _without(self, connection: Connection, turn_id: int, by: Author, now: datetime) -> list[int]:
        """End a live turn whose messages are gone; one that has others still is made anew. The turns that changed."""
        covered = messages.of_turn(connection, turn_id)
        row = turns.get(connection, turn_id)
        if row is None:
            return []
        if not covered:
            self._withdraw(connection, turn_id, by, now)
            return [turn_id]
        if row.state == "queued" and row.started_at is None:
            # It will read what is left.
            return []
        if not turns.ask_end(connection, turn_id, "superseded", by.id, now):
            return []
        seq = conversations.take_seq(connection, row.conversation_id, now)
        return [turn_id, turns.replace(connection, row, covered, seq, now, lang=row.lang)]

    def _withdraw(self, connection: Connection, turn_id: int, by: Author, now: datetime) -> None:
        if not turns.end_queued(connection, turn_id, "withdrawn", by.id, now):
            turns.ask_end(connection, turn_id, "withdrawn", by.id, now)

    def _after(self, done: _Done | None) -> bool:
        if done is None:
            return False
        for turn_id in done.changed:
            self._waker.nudge(turn_id)
            self._live.changed(done.conversation_id, turn_id)
        if done.changed:
            self._waker.committed(done.conversation_id)
        return True

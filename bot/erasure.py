"""Deletion for good: what was said goes, ids stay as tombstones, so that a redelivery can't bring it back."""

from __future__ import annotations

from sqlalchemy import Connection

from agent.clock import Clock
from bot.live import Live
from bot.messages import Author
from bot.places import places
from bot.ports import Waker
from bot.store import erasure, profiles, turns
from bot.store.db import Store
from bot.store.erasure import Found


class Erasure:
    """Deletes conversations. One transaction each: whoever dies in the middle of it has deleted nothing yet."""

    def __init__(self, store: Store, clock: Clock, waker: Waker, live: Live) -> None:
        self._store = store
        self._clock = clock
        self._waker = waker
        self._live = live

    async def conversation(self, key: str, by: Author) -> bool:
        """Delete all that was said in a conversation; False if there is none with this key.

        Gone when this returns: texts, names of authors, titles, answers, steps, drafts, ratings, the conversation's own
        profile, files that no other message names. Turns without an outcome end as withdrawn; one that is running is
        told to, and what it has written goes with it. It may be done again. A message that comes later starts afresh
        under the same key. Raises `StoreUnavailable`.
        """
        now = self._clock.now()

        def query(connection: Connection) -> Found | None:
            found = erasure.hold(connection, key)
            if found is None:
                return None
            for turn_id in found.live:
                if not turns.end_queued(connection, turn_id, "withdrawn", by.id, now):
                    turns.ask_end(connection, turn_id, "withdrawn", by.id, now)
            erasure.erase(connection, found.id, now)
            own = places(found.target)[-1]
            # A channel's profile is its conversations' together: turns of the others run with it.
            if own.scope == "thread" or not erasure.is_shared(connection, found):
                profiles.forget(connection, own.scope, own.key)
            if found.live:
                self._waker.in_transaction(connection, found.id)
            return found

        found = await self._store.write(query)
        if found is None:
            return False
        for turn_id in found.live:
            self._waker.nudge(turn_id)
            self._live.changed(found.id, turn_id)
        if found.live:
            self._waker.committed(found.id)
        return True

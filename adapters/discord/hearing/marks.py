"""Up to where everything was handed on, place by place: the watermarks of `bot.store.watermarks` with a copy in memory,
since every place is looked at after each new session.
"""

from __future__ import annotations

import logging
from typing import Final

from adapters.discord.hearing.parse import DIRECT, PLATFORM
from adapters.discord.hearing.places import Place
from agent.clock import Clock
from bot.store import watermarks
from bot.store.db import Store

#: The place of a mark that holds for all of a server's places without one: when it was first served.
ALL: Final = "*"

log = logging.getLogger(__name__)


class Marks:
    """The marks. Methods that write raise `StoreUnavailable`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._marks: dict[Place, int] = {}
        self._loaded = False

    async def load(self) -> None:
        """Read them, once."""
        if self._loaded:
            return
        found = await self._store.read(lambda c: watermarks.of(c, PLATFORM))
        for (workspace, place), mark in found.items():
            self.note(Place(workspace, place), mark)
        self._loaded = True

    def of(self, place: Place) -> int | None:
        """Up to where a place has been handed on; None where nothing is known of it or its server."""
        known = self._marks.get(place)
        return known if known is not None else self._marks.get(Place(place.workspace, ALL))

    def has(self, place: Place) -> bool:
        """Whether something was handed on there."""
        return place in self._marks

    def newest(self, workspace: str) -> int:
        """The newest message of a server that was handed on; 0 for none."""
        return max((mark for place, mark in self._marks.items() if place.workspace == workspace), default=0)

    def direct(self) -> list[Place]:
        """The known direct messages, those that were used last first."""
        known = [(mark, place) for place, mark in self._marks.items() if place.workspace == DIRECT and place.id != ALL]
        return [place for _, place in sorted(known, reverse=True)]

    def note(self, place: Place, mark: int) -> None:
        """A mark as it is in the database now."""
        self._marks[place] = max(mark, self._marks.get(place, 0))

    async def begin(self, workspace: str, mark: int) -> None:
        """Places of this server without a mark have this one, if it is the first time that it is served."""
        if Place(workspace, ALL) in self._marks:
            return
        now = self._clock.now()
        await self._store.write(lambda c: watermarks.begin(c, PLATFORM, workspace, {ALL: mark}, now))
        self.note(Place(workspace, ALL), mark)

    async def advance(self, place: Place, mark: int) -> None:
        """Raise a mark where no message does."""
        if mark <= self._marks.get(place, 0):
            return
        now = self._clock.now()
        await self._store.write(lambda c: watermarks.advance(c, PLATFORM, place.workspace, place.id, mark, now))
        self.note(place, mark)

    async def forget(self, workspace: str, place: str | None = None) -> None:
        """A place is gone, or a whole server isn't served any more."""
        gone = [one for one in self._marks if one.workspace == workspace and place in (None, one.id)]
        if not gone:
            return
        await self._store.write(lambda c: watermarks.forget(c, PLATFORM, workspace, place))
        for one in gone:
            self._marks.pop(one, None)

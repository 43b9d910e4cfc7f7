"""Names of people, in memory: a message that mentions somebody can't wait for a look into the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from adapters.chat.tasks import Tasks
from bot.people import People
from bot.store import people as rows
from bot.store.db import Store

#: Names that are kept.
_MOST: Final = 20_000


class Names:
    """Fills itself: from the database at the start, then with whoever is mentioned."""

    def __init__(
        self,
        platform: str,
        store: Store,
        people: People,
        tasks: Tasks,
        *,
        is_person: Callable[[str], bool] = lambda user_id: True,
    ) -> None:
        """`is_person`: whether an id can be a person's, as far as its form says."""
        self._platform = platform
        self._is_person = is_person
        self._store = store
        self._people = people
        self._tasks = tasks
        self._names: dict[tuple[str, str], str] = {}

    async def load(self) -> None:
        """What was known before. Raises `StoreUnavailable`."""
        found = await self._store.read(lambda c: rows.names(c, self._platform, _MOST))
        self._names = {**found, **self._names}

    def name_of(self, workspace: str, user_id: str) -> str:
        """Somebody's name; "" where it isn't known."""
        return self._names.get((workspace, user_id), "")

    def meet(self, workspace: str, user_ids: Iterable[str]) -> None:
        """These people are spoken of: those who aren't known are looked up for the next time."""
        for user_id in user_ids:
            key = (workspace, user_id)
            if not self._is_person(user_id) or key in self._names:
                continue
            if len(self._names) >= _MOST:
                self._names.clear()
            # Once: whoever can't be found stays an id.
            self._names[key] = ""
            self._tasks.start("looking up a name", self._look_up(workspace, user_id))

    async def _look_up(self, workspace: str, user_id: str) -> None:
        who = await self._people.person(self._platform, workspace, user_id)
        if who is not None:
            self._names[workspace, user_id] = who.name

"""What people press below an answer: Stop, retry, consent, ratings; and which steps they may see.

A press's value came through other people's hands, so its turn must be of the place where it was pressed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from adapters.chat import actions, texts
from adapters.chat.actions import Pressed
from agent.language import Lang, Text
from bot.control import Control, NotServed
from bot.messages import Author, Target
from bot.people import People
from bot.settings.machine import is_zone
from bot.store import messages, people, traces
from bot.store.db import Store
from bot.store.traces import Trace
from bot.texts import reason_text

_RATINGS: Final = frozenset(("1", "2", "3", "4", "5"))


class Serves(Protocol):
    """`bot.limits.Limits`."""

    def denied(self, target: Target, author: Author, *, direct: bool) -> str | None:
        """Why somebody isn't served there at all, as a code of `bot.texts`; None if they are."""


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody has pressed something in a message of ours."""

    by: Author
    #: The place where it was pressed.
    place: Target
    lang: Lang
    #: Whether nobody else is there.
    direct: bool = False


#: Whether a turn is of a place where something of it was pressed: `Control.belongs` or `Control.is_seen_from`.
Belongs = Callable[[int, Target], Awaitable[bool]]
#: Does what was pressed; what it returns is told to whoever pressed.
Deed = Callable[[Press, Pressed], Awaitable[str | Text | None]]


class Presses:
    """Obeys presses."""

    def __init__(
        self,
        control: Control,
        store: Store,
        people: People,
        *,
        serves: Serves | None = None,
        belongs: Belongs | None = None,
    ) -> None:
        """`serves`: whom; the others may press nothing. None: everybody is served. `belongs`: of which places a turn
        is; None where everybody in a channel sees all its threads.
        """
        self._control = control
        self._store = store
        self._people = people
        self._serves = serves
        self._belongs = belongs or control.belongs
        self._deeds: Mapping[str, Deed] = {
            actions.STOP: self._stop,
            actions.RETRY: self._retry,
            actions.ALLOW: partial(self._decide, allow=True),
            actions.DENY: partial(self._decide, allow=False),
            actions.FEEDBACK: self._feedback,
            actions.RATE: self._rate,
        }

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of what can be obeyed; steps are for `steps`."""
        return tuple(self._deeds)

    async def obey(self, action: str, found: Pressed | None, press: Press) -> str | Text | None:
        """Do what was pressed: the sentence for whoever pressed, None where the answer itself shows it.

        `found` is what `actions.pressed` gave for its value. Raises `StoreUnavailable`.
        """
        deed = self._deeds.get(action)
        if (refused := self._refused(press)) is not None:
            return refused
        if deed is None or found is None or not await self._belongs(found.turn_id, press.place):
            return texts.NOT_HERE
        return await deed(press, found)

    async def steps(self, found: Pressed | None, press: Press) -> Trace | str | Text:
        """The steps of a turn, for whoever can see its place; else the sentence. Raises `StoreUnavailable`."""
        if (refused := self._refused(press)) is not None:
            return refused
        if found is None or not await self._belongs(found.turn_id, press.place):
            return texts.NOT_HERE
        turn_id = found.turn_id
        return await self._store.read(lambda c: traces.trace(c, press.place.platform, turn_id)) or texts.NOT_HERE

    def _refused(self, press: Press) -> str | None:
        if self._serves is None:
            return None
        code = self._serves.denied(press.place, press.by, direct=press.direct)
        return None if code is None else reason_text(code, press.lang)

    async def _stop(self, press: Press, found: Pressed) -> Text | None:
        stopped = await self._control.stop(found.turn_id, press.by)
        # The answer itself shows that it was stopped.
        return None if stopped else texts.OVER

    async def _retry(self, press: Press, found: Pressed) -> str | Text | None:
        try:
            new = await self._control.retry(found.turn_id, press.by)
        except NotServed as refused:
            return reason_text(refused.code, press.lang, zone=await self._zone(press))
        # That it is being answered again, the platform's own signs show.
        return texts.NOT_RETRYABLE if new is None else None

    async def _zone(self, press: Press) -> ZoneInfo | None:
        """That of whoever pressed, as far as it is known."""
        ids, place = [press.by.id], press.place
        known = await self._store.read(lambda c: people.known(c, place.platform, place.workspace, ids))
        zone = known[ids[0]].zone if known else ""
        return ZoneInfo(zone) if is_zone(zone) else None

    async def _decide(self, press: Press, found: Pressed, *, allow: bool) -> Text | None:
        asker = await self._store.read(lambda c: _asker(c, found.turn_id))
        if press.by.id != asker and await self._people.role(press.by, press.place) not in ("operator", "admin"):
            return texts.NOT_YOURS
        decided = await self._control.consent(found.turn_id, found.detail, press.by, allow)
        return None if decided else texts.DECIDED

    async def _feedback(self, press: Press, found: Pressed) -> Text:
        value = {"1": 1, "-1": -1}.get(found.detail, 0)
        known = await self._control.feedback(found.turn_id, press.by, value)
        return texts.THANKS if known else texts.NOT_HERE

    async def _rate(self, press: Press, found: Pressed) -> str | Text | None:
        if found.detail not in _RATINGS:
            return None
        known = await self._control.rate(found.turn_id, press.by, int(found.detail))
        return texts.RATED.say(press.lang, rating=found.detail) if known else texts.NOT_HERE


def _asker(connection: Connection, turn_id: int) -> str | None:
    """Who wrote the first message that a turn answers."""
    asked = messages.by_ids(connection, messages.of_turn(connection, turn_id))
    return asked[0].author.id if asked else None

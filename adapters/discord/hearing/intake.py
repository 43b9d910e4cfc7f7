"""From the gateway's events to the inbox: what is served, in order, place by place, until it is stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from adapters.chat.tasks import Tasks
from adapters.discord.connection.access import Access
from adapters.discord.connection.calls import Calls
from adapters.discord.hearing.catch_up import CatchUp
from adapters.discord.hearing.insisting import Insists
from adapters.discord.hearing.lanes import MOST_WAITING, Lanes, Work
from adapters.discord.hearing.marks import Marks
from adapters.discord.hearing.parse import DIRECT, Room, Us, deleted, edited, is_edit, key_of, said
from adapters.discord.hearing.places import Place, Places
from agent.clock import Clock
from agent.language import Lang
from bot.messages import Event
from bot.ports import Receive
from bot.posting import Refused
from bot.store.called import people_s
from bot.store.db import Store

log = logging.getLogger(__name__)

Json = Mapping[str, Any]


class Intake:
    """Takes what the gateway tells. All methods that take something return at once."""

    def __init__(
        self,
        rest: Calls,
        store: Store,
        clock: Clock,
        places: Places,
        access: Access,
        *,
        lang: Lang,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._store = store
        self._clock = clock
        self._places = places
        self._access = access
        self._insists = Insists(clock)
        self._marks = Marks(store, clock)
        self._catching = CatchUp(
            rest, store, clock, places, self._marks, self._insists, serves_author=self._serves_author, lang=lang
        )
        self._lanes = Lanes(self._do, self._catching.make_whole, self._catching.missed, most=most_waiting)
        self._tasks = Tasks()
        # What is noted of servers and places, in the order in which it happens.
        self._noting = asyncio.Lock()
        self._receive: Receive | None = None

    def begin(self, receive: Receive) -> None:
        """Hand on from now on."""
        self._receive = self._catching.receive = receive

    def take(self, work: Work) -> None:
        """Something was said, edited or deleted."""
        if not self._serves(work.place.workspace):
            return
        # Looked at now, because it may wait for long.
        if work.kind != "edited" or is_edit(work.body, self._clock.now()):
            self._lanes.put(work)

    def lose(self, servers: set[str], *, direct: bool) -> None:
        """A new session: what happened before it in these servers, or directly, isn't told."""
        served = {server for server in servers if self._serves(server)}
        self._catching.lost(served, direct=direct)
        self._lanes.lose(lambda place: place.workspace in served or (direct and place.workspace == DIRECT))
        if direct and self._access.servers:
            self._start("catching up direct messages", self._catch_up_direct())

    def open(self, guild: Json) -> None:
        """A server was told of, with its channels and their newest messages."""
        server = str(guild["id"])
        if self._serves(server):
            self._start("catching up a server", self._catch_up(guild))
        else:
            # Should it be served again, then from that time on.
            self._start("forgetting a server", self._forget(server))

    def leave(self, server: str, *, for_good: bool) -> None:
        """A server is away; `for_good`: we were removed from it."""
        if for_good:
            self._catching.close(server)
            self._start("forgetting a server", self._forget(server))
        elif self._serves(server):
            # Nothing of it is told until it is back.
            self._catching.lost({server}, direct=False)
            self._lanes.lose(lambda place: place.workspace == server)

    def gone(self, place: Place) -> None:
        """A channel or thread was deleted, with all that was said in it."""
        self._places.forget(place)
        if self._serves(place.workspace):
            self._start("forgetting a place", self._forget(place.workspace, place.id))

    def thread_gone(self, thread: Place, channel: str) -> None:
        """A thread of this channel was deleted, with all that was said in it."""
        self.gone(thread)
        if self._serves(thread.workspace):
            self._start("deleting a thread's messages", self._delete_all(Room(thread.workspace, channel, thread.id)))

    async def idle(self) -> None:
        """Wait until everything is handed on."""
        await self._tasks.idle()
        await self._lanes.idle()

    async def close(self) -> None:
        """Hand on nothing more."""
        self._receive = self._catching.receive = None
        await self._lanes.close()
        await self._tasks.close()

    def _serves(self, workspace: str) -> bool:
        return bool(self._access.servers) if workspace == DIRECT else self._access.serves(workspace)

    async def _do(self, work: Work) -> None:
        """Work off one thing, however long that takes."""
        try:
            us = await self._insists.until_done(lambda: self._places.known_us(work.place.workspace))
            room = await self._insists.until_done(lambda: self._places.room(work.place))
            if room is None:
                log.info("a message of %s that was %s is left out: there is no such place", work.place.id, work.kind)
                return
            event, mark = _event(work, room, us)
            if event is None or not await self._insists.until_done(lambda: self._serves_author(room, work.body)):
                return
            await self._hand_on(event)
        except Refused as refused:
            log.warning("a message of %s that was %s is left out: %s", work.place.id, work.kind, refused)
            return
        if mark is not None:
            self._marks.note(work.place, mark)

    async def _hand_on(self, event: Event) -> None:
        receive = self._receive
        if receive is not None:
            await self._insists.until_done(lambda: receive(event))

    async def _serves_author(self, room: Room, message: Json) -> bool:
        author = str((message.get("author") or {}).get("id") or "")
        # A deletion doesn't say whose.
        return not room.is_direct or not author or await self._access.serves_person(author)

    async def _catch_up(self, guild: Json) -> None:
        async with self._noting:
            behind = await self._catching.open(guild)
        for place in behind:
            self._lanes.touch(place)
        for place in await self._catching.archived(str(guild["id"])):
            self._lanes.touch(place)

    async def _catch_up_direct(self) -> None:
        for place in await self._catching.direct():
            self._lanes.touch(place)

    async def _forget(self, workspace: str, place: str | None = None) -> None:
        async with self._noting:
            await self._insists.until_done(self._marks.load)
            await self._insists.until_done(lambda: self._marks.forget(workspace, place))

    async def _delete_all(self, room: Room) -> None:
        key = key_of(room.workspace, room.id)
        for message_id in await self._insists.until_done(lambda: self._store.read(lambda c: people_s(c, key))):
            await self._hand_on(deleted(message_id, room))

    def _start(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(what, work)


def _event(work: Work, room: Room, us: Us) -> tuple[Event | None, int | None]:
    """What it means, and the mark that it brings."""
    if work.kind == "deleted":
        return deleted(str(work.body["id"]), room), None
    if work.kind == "edited":
        return edited(work.body, room, us), None
    mark = int(work.body["id"])
    return said(work.body, room, us, mark=mark), mark

"""What was said while nobody listened: Discord delivers once, so after a lost session or a start every place in which
something may be missing is listed from its watermark on.

Where something is missing is seen without asking: a server tells the newest message of each channel and active thread
when the gateway opens it. Threads that were archived meanwhile and direct messages have to be asked for.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from adapters.discord import limits
from adapters.discord.connection.calls import Calls
from adapters.discord.connection.listing import listed
from adapters.discord.hearing.insisting import Insists
from adapters.discord.hearing.marks import Marks
from adapters.discord.hearing.parse import DIRECT, PLATFORM, Room, Us, said, snowflake_at, target_of, time_of
from adapters.discord.hearing.places import Place, Places
from agent.clock import Clock
from agent.language import Lang, Text, detect
from bot import notices
from bot.ports import Receive
from bot.posting import Refused
from bot.store import watermarks
from bot.store.called import was_called
from bot.store.db import Store

log = logging.getLogger(__name__)

Json = Mapping[str, Any]

#: Seconds after which a message is certainly listed. Nobody says that lists may be behind the gateway, nor that not.
_LAG_S: Final = 1.0
#: Messages that are read again in one place, the newest ones, and how far back.
MOST: Final = 200
BACK: Final = timedelta(hours=24)
#: Places that are listed at the same time while nobody waits there.
_SIDE_BY_SIDE: Final = 4
#: Types of channels that have no messages of their own: categories, directories, forums, media.
_WITHOUT_MESSAGES: Final = frozenset({4, 14, 15, 16})
#: Discord archives no thread sooner than this after its last message (docs.discord.com, "Threads"); moderators may.
_ARCHIVED_AFTER: Final = timedelta(hours=1)
#: Archived threads of one channel that are looked at: the ones archived last.
_MOST_ARCHIVED: Final = 50

AWAY: Final = Text(
    "I was away, and more was written here meanwhile than I can read afterwards: I have read the last {most} messages "
    "at most, and none older than a day. If you asked me something before that, please ask again.",
    "我刚才离线了一段时间，其间这里的消息超出了我能补读的范围：我最多只补读最后 {most} 条，且不超过一天。"
    "如果你在那之前问过我，请再问一次。",
)


class _Opening(NamedTuple):
    """What a server had when the gateway told of it."""

    #: Ids of its channels and active threads.
    places: frozenset[int]
    #: Whatever has a higher id was made later.
    newest: int


class CatchUp:
    """Hands on what was missed, place by place, as part of each place's queue (`lanes.Lanes`)."""

    def __init__(
        self,
        rest: Calls,
        store: Store,
        clock: Clock,
        places: Places,
        marks: Marks,
        insists: Insists,
        *,
        serves_author: Callable[[Room, Json], Awaitable[bool]],
        lang: Lang,
    ) -> None:
        """`serves_author`: whether the author of a message in this room is served. `lang`: where what was
        missed doesn't say which.
        """
        self._rest = rest
        self._store = store
        self._clock = clock
        self._places = places
        self._marks = marks
        self._insists = insists
        self._serves_author = serves_author
        self._lang = lang
        #: The inbox; None while there is none.
        self.receive: Receive | None = None
        # The newest message of each place, where it may have been missed.
        self._newest: dict[Place, int] = {}
        self._openings: dict[str, _Opening] = {}
        # Servers of the session that it hasn't told of yet, and who waits until it does.
        self._unopened: dict[str, asyncio.Event] = {}
        self._slots = asyncio.Semaphore(_SIDE_BY_SIDE)

    def lost(self, servers: set[str], *, direct: bool) -> None:
        """A session begins that tells nothing of what was before. `direct`: it has the direct messages."""
        for server in servers:
            self._unopened.setdefault(server, asyncio.Event())
        for place in [one for one in self._newest if one.workspace in servers or (direct and one.workspace == DIRECT)]:
            del self._newest[place]

    def missed(self, place: Place, newest: int) -> None:
        """Messages up to this one were left out in a place."""
        self._newest[place] = max(newest, self._newest.get(place, 0))

    def close(self, server: str) -> None:
        """Nothing more will be told of what a server has: it was, or it is gone."""
        if (waiting := self._unopened.pop(server, None)) is not None:
            waiting.set()

    async def open(self, guild: Json) -> list[Place]:
        """The gateway tells what a server has; the places in it that have to be caught up, those of the newest messages
        first.
        """
        server = str(guild["id"])
        newest = _newest_of(guild)
        await self._insists.until_done(self._marks.load)
        now = snowflake_at(self._clock.now())
        await self._insists.until_done(lambda: self._marks.begin(server, now))
        behind = {place: id_ for place, id_ in newest.items() if id_ > (self._marks.of(place) or 0)}
        self._newest |= {place: max(id_, self._newest.get(place, 0)) for place, id_ in behind.items()}
        self._openings[server] = _Opening(_ids_of(guild), max(now, *newest.values(), 0))
        self.close(server)
        return sorted(behind, key=lambda place: behind[place], reverse=True)

    async def direct(self) -> list[Place]:
        """The direct messages that have to be caught up: all, since Discord tells of none."""
        await self._insists.until_done(self._marks.load)
        now = snowflake_at(self._clock.now())
        await self._insists.until_done(lambda: self._marks.begin(DIRECT, now))
        return self._marks.direct()

    async def archived(self, server: str) -> list[Place]:
        """The threads of a server that have to be caught up although they were archived."""
        now = self._clock.now()
        if self._marks.newest(server) >= snowflake_at(now - _ARCHIVED_AFTER):
            # We weren't away for so long.
            return []
        found = []
        for parent in self._places.parents(server):
            for thread in await self._archived_in(parent, now - BACK):
                place, newest = Place(server, str(thread["id"])), int(thread.get("last_message_id") or 0)
                if newest > (self._marks.of(place) or 0):
                    self.missed(place, newest)
                    found.append(place)
        return found

    async def make_whole(self, place: Place, before: int | None) -> None:
        """Hand on what was missed in a place. `before`: a message that waits and has been told."""
        if (waiting := self._unopened.get(place.workspace)) is not None:
            await waiting.wait()
        await self._insists.until_done(self._marks.load)
        mark = self._marks.of(place)
        known = self._newest.get(place, 0)
        if before is None or known <= before:
            # Otherwise that message was told by a session that was lost, and more may be missing behind it.
            self._newest.pop(place, None)
        if before is not None and self._was_archived(place):
            # Nobody has told what was said before.
            known = max(known, before - 1)
        # Without a mark it is new to us; and whatever isn't known to be newer was delivered.
        if mark is None or (place.workspace != DIRECT and known <= mark) or not self._places.readable(place):
            return
        try:
            if before is not None and before > mark:
                await self._read(place, mark, known, before)
            else:
                async with self._slots:
                    await self._read(place, mark, known, None)
        except Refused as refused:
            log.warning("what was said in %s meanwhile can't be read: %s", place.id, refused)

    def _was_archived(self, place: Place) -> bool:
        """Whether a thread was there before the session, but not among those that it was told of."""
        opening = self._openings.get(place.workspace)
        return opening is not None and int(place.id) <= opening.newest and int(place.id) not in opening.places

    async def _read(self, place: Place, mark: int, known: int, before: int | None) -> None:
        us = await self._us(place)
        room = await self._insists.until_done(lambda: self._places.room(place))
        if room is None or self.receive is None:
            return
        kept, is_more = await self._missed(room, place, us, mark, before)
        if self._lags(kept, mark, known, before):
            await self._clock.sleep(_LAG_S)
            kept, is_more = await self._missed(room, place, us, mark, before)
        if is_more:
            await self._insists.until_done(lambda: self._give_up(room, kept))
        for message in kept:
            await self._hand_on(room, place, message)
        # What nobody is told of was looked at, too. Direct messages of strangers have no mark.
        end = max(int(kept[-1]["id"]) if kept else mark, known if before is None else min(known, before - 1))
        if end > mark and (place.workspace != DIRECT or self._marks.has(place)):
            await self._insists.until_done(lambda: self._marks.advance(place, end))
        if kept:
            log.info("%d messages were read again in %s", len(kept), place.id)

    def _lags(self, kept: list[Json], mark: int, known: int, before: int | None) -> bool:
        """Whether the gateway tells of a message so new that the list may not have it yet. An older one that isn't
        listed was deleted.
        """
        newest = int(kept[-1]["id"]) if kept else mark
        is_missing = newest < known < (before if before is not None else sys.maxsize)
        return is_missing and known > snowflake_at(self._clock.now() - timedelta(seconds=_LAG_S))

    async def _us(self, place: Place) -> Us:
        return await self._insists.until_done(lambda: self._places.known_us(place.workspace))

    async def _missed(self, room: Room, place: Place, us: Us, mark: int, before: int | None) -> tuple[list[Json], bool]:
        """The messages between these two that are within the bounds, oldest first; and whether somebody may have asked
        something there that isn't.
        """
        since = max(mark, snowflake_at(self._clock.now() - BACK))
        ids = range(since + 1, before if before is not None else sys.maxsize)
        # What comes right after the mark is a short list, as a rule. If it isn't, or begins too early, then those
        # before now matter more.
        page = found = await self._page(place, after=mark) if since == mark else []
        if since > mark or len(page) == limits.MESSAGES_PER_PAGE:
            page = found = await self._page(place, **({} if before is None else {"before": before}))
            while len(page) == limits.MESSAGES_PER_PAGE and len(found) <= MOST and int(page[-1]["id"]) > since:
                page = await self._page(place, before=int(page[-1]["id"]))
                found = found + page
        kept = [message for message in reversed(found) if int(message["id"]) in ids][-MOST:]
        beyond = [one for one in found if mark < int(one["id"]) < int(kept[0]["id"] if kept else ids.start)]
        if _asks(room, us, beyond):
            return kept, True
        if len(page) < limits.MESSAGES_PER_PAGE or int(page[-1]["id"]) <= mark:
            return kept, False
        page = await self._page(place, before=int(page[-1]["id"]))
        return kept, _asks(room, us, (one for one in page if int(one["id"]) > mark))

    async def _page(self, place: Place, **bounds: int) -> list[Json]:
        return await self._insists.until_done(lambda: listed(self._rest, place.id, **bounds))

    async def _give_up(self, room: Room, kept: list[Json]) -> None:
        """What comes before these isn't read: said once, in one transaction with the mark that says it."""
        target, now = target_of(room), self._clock.now()
        mark = int(kept[0]["id"]) - 1 if kept else snowflake_at(now - BACK)
        texts = " ".join(str(message.get("content") or "") for message in kept)
        lang = detect(texts) if any(ch.isalpha() for ch in texts) else self._lang
        text = Text(AWAY.en.format(most=MOST), AWAY.zh.format(most=MOST))

        def give_up(connection: Any) -> bool:
            watermarks.advance(connection, PLATFORM, room.workspace, room.id, mark, now)
            called = was_called(connection, target)
            if called:
                notices.queue(connection, target, f"away:{PLATFORM}:{room.id}:{mark}", text, lang, now)
            return called

        called = await self._store.write(give_up)
        self._marks.note(Place(room.workspace, room.id), mark)
        log.warning(
            "in %s more was said meanwhile than is read again%s", room.id, "; that was said there" if called else ""
        )

    async def _hand_on(self, room: Room, place: Place, message: Json) -> None:
        id_ = int(message["id"])
        event = said(message, room, await self._us(place), mark=id_)
        receive = self.receive
        if event is None or receive is None:
            return
        if not await self._insists.until_done(lambda: self._serves_author(room, message)):
            return
        await self._insists.until_done(lambda: receive(event))
        self._marks.note(place, id_)

    async def _archived_in(self, parent: str, since: datetime) -> list[Json]:
        path = "/channels/{channel_id}/threads/archived/public"
        params = {"limit": _MOST_ARCHIVED}

        async def ask() -> Json:
            answer: Json = await self._rest.call("GET", path, params=params, channel_id=parent)
            return answer

        try:
            found = (await self._insists.until_done(ask)).get("threads") or ()
        except Refused as refused:
            log.info("archived threads of %s can't be listed: %s", parent, refused)
            return []
        return [thread for thread in found if _written_since(thread, since)]


def _asks(room: Room, us: Us, messages: Iterable[Json]) -> bool:
    """Whether somebody may have asked something in these: people by whatever they say, programs by naming us."""
    found = filter(None, (said(one, room, us) for one in messages))
    return any(one.author.kind != "bot" or one.address.mentions_us for one in found)


def _ids_of(guild: Json) -> frozenset[int]:
    return frozenset(int(one["id"]) for one in (*(guild.get("channels") or ()), *(guild.get("threads") or ())))


def _newest_of(guild: Json) -> dict[Place, int]:
    """The newest message of each channel and active thread of a server, as a GUILD_CREATE tells them."""
    server = str(guild["id"])
    return {
        Place(server, str(one["id"])): int(one["last_message_id"])
        for one in (*(guild.get("channels") or ()), *(guild.get("threads") or ()))
        if one.get("last_message_id") and one.get("type") not in _WITHOUT_MESSAGES
    }


def _written_since(thread: Json, since: datetime) -> bool:
    newest = thread.get("last_message_id")
    return bool(newest) and time_of(str(newest)) >= since

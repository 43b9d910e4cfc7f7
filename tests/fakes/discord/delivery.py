"""From the world to the sessions: who may hear what, twice, late, in another order."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Any

from tests.fakes.discord import intents, shapes
from tests.fakes.discord.config import Config
from tests.fakes.discord.events import Event
from tests.fakes.discord.gateway import Gateway, Telling
from tests.fakes.discord.log import Log
from tests.fakes.discord.sessions import Session, shard_of
from tests.fakes.discord.state import Discord

#: Waiting events of one channel.
_Lane = deque[Event]


class Desk:
    """What the gateway has to know of the world (`gateway.Server`)."""

    def __init__(self, discord: Discord) -> None:
        self._discord = discord

    @property
    def config(self) -> Config:
        return self._discord.config

    @property
    def log(self) -> Log:
        return self._discord.log

    def knows(self, token: str) -> bool:
        return token.removeprefix("Bot ") == self._discord.app.token

    def allowed_intents(self) -> int:
        flags, allowed = self._discord.app.flags, 0
        for granted, intent in (
            (1 << 12 | 1 << 13, intents.PRESENCES),
            (1 << 14 | 1 << 15, intents.MEMBERS),
            (1 << 18 | 1 << 19, intents.MESSAGE_CONTENT),
        ):
            if flags & granted:
                allowed |= intent
        return allowed

    def greet(self, session: Session, resume_url: str) -> list[Telling]:
        discord = self._discord
        guilds = [
            guild
            for guild in discord.guilds.values()
            if discord.app.id in guild.members and shard_of(guild.id, session.shards) == session.shard
        ]
        ready = {
            "v": 10,
            "user": shapes.user(discord.users[discord.app.id]) | {"verified": True, "mfa_enabled": True, "flags": 0},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": resume_url,
            "shard": [session.shard, session.shards],
            "application": {"id": discord.app.id, "flags": discord.app.flags},
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "guild_join_requests": [],
            "user_settings": {},
            "geo_ordered_rtc_regions": [],
        }
        told = [Telling("READY", ready)]
        if session.intents & intents.GUILDS:
            told += [
                Telling("GUILD_CREATE", shapes.guild_create(discord, one)) for one in guilds if not one.unavailable
            ]
        return told

    def members(self, session: Session, request: dict[str, Any]) -> list[Telling]:
        guild = self._discord.guilds.get(str(request.get("guild_id")))
        if guild is None or self._discord.app.id not in guild.members:
            return []
        wanted = request.get("user_ids")
        ids = [str(one) for one in wanted] if isinstance(wanted, list) else [str(wanted)] if wanted else []
        query = str(request.get("query") or "")
        found = [
            shapes.member(self._discord, member)
            for member in guild.members.values()
            if (member.user_id in ids if ids else self._discord.users[member.user_id].username.startswith(query))
        ]
        limit = int(request.get("limit") or len(found))
        chunk: dict[str, Any] = {
            "guild_id": guild.id,
            "members": found[:limit],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [one for one in ids if one not in guild.members],
            "presences": [],
        }
        nonce = request.get("nonce")
        return [Telling("GUILD_MEMBERS_CHUNK", chunk | ({"nonce": nonce} if nonce else {}))]


class Delivery:
    """Takes events as they arise and gives them to every session that they concern."""

    def __init__(self, discord: Discord, gateway: Gateway, seed: int) -> None:
        self._discord = discord
        self._gateway = gateway
        self._random = random.Random(seed)
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        discord.events.subscribe(self.take)

    def take(self, event: Event) -> None:
        """Give it out now; behind others of its channel that wait, after the pauses that are set."""
        config = self._discord.config
        guild = self._discord.guilds.get(event.guild)
        if guild is not None and guild.unavailable:
            # Its GUILD_CREATE tells how it is then.
            return
        lane = self._lanes.get(_lane(event))
        if lane is not None:
            lane.append(event)
        elif config.delay or config.jitter:
            self._lanes[_lane(event)] = lane = deque([event])
            task = asyncio.create_task(self._drain(_lane(event), lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._give(event)

    async def stop(self) -> None:
        """Give out nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """Events that are held back."""
        return sum(len(lane) for lane in self._lanes.values())

    async def _drain(self, name: str, lane: _Lane) -> None:
        while lane:
            config = self._discord.config
            await asyncio.sleep(config.delay + self._random.random() * config.jitter)
            self._give(lane.popleft())
        del self._lanes[name]

    def _give(self, event: Event) -> None:
        subject = _subject(event)
        private = not event.guild
        intent = intents.needed(event.type, private=private)
        told = []
        for session in self._gateway.living():
            if (intent and not session.intents & intent) or shard_of(event.guild, session.shards) != session.shard:
                continue
            data = event.data
            if event.type.startswith("MESSAGE_") and not session.intents & intents.MESSAGE_CONTENT:
                data = shapes.veiled(self._discord, data)
            for _ in range(self._discord.config.copies):
                session.dispatch(event.type, data, subject)
            told.append({"session": session.id, "seq": session.seq, "live": session.link is not None})
        self._discord.log.write("told", event=event.type, subject=subject, sessions=told)


def _lane(event: Event) -> str:
    """Events of one lane keep their order: those of a channel, and those of a server that are of no channel."""
    return str(event.data.get("channel_id") or event.guild or event.user)


def _subject(event: Event) -> str:
    """What it is about, for the log."""
    if event.type.startswith("MESSAGE_"):
        return f"{event.data.get('channel_id')}/{event.data.get('message_id') or event.data.get('id')}"
    return str(event.data.get("id", ""))

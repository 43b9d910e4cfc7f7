"""The same from somebody else's Discord: simcord feeds discord.py's parsers with JSON that nobody here wrote."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import discord
import simcord

from adapters.discord.connection.access import Access
from adapters.discord.connection.rest import Rest
from adapters.discord.hearing.intake import Intake
from adapters.discord.hearing.listen import listen
from adapters.discord.hearing.places import Places
from agent.clock import SystemClock
from bot.messages import Accepted, Address, Author, Deleted, Edited, Event, Incoming
from bot.store.db import Store

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)


class Virtual(SystemClock):
    """simcord's time."""

    def __init__(self, env: simcord.Env) -> None:
        self._env = env

    def now(self) -> datetime:
        return self._env.now()


class World(NamedTuple):
    """simcord's Discord and what was handed on."""

    env: simcord.Env
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    ann: simcord.MemberActor
    intake: Intake
    events: list[Event]

    @property
    def us(self) -> str:
        assert self.env.bot.user is not None
        return f"<@{self.env.bot.user.id}>"

    async def said(self) -> list[Incoming]:
        return [event for event in await self.all() if isinstance(event, Incoming)]

    async def all(self) -> list[Event]:
        await self.intake.idle()
        return self.events


# simcord's clock belongs to the context of a test, which fixtures don't share.
@contextlib.asynccontextmanager
async def world(store: Store) -> AsyncIterator[World]:
    client = discord.Client(intents=INTENTS, max_messages=None, member_cache_flags=discord.MemberCacheFlags.none())
    events: list[Event] = []

    async def receive(event: Event) -> Accepted:
        events.append(event)
        return Accepted(None)

    async with simcord.run(client) as env:
        ann = env.create_user("ann", global_name="Ann")
        guild = env.create_guild("Lighthouse", owner=env.create_user("owner"))
        rest = Rest("token", client=client)
        places, access = Places(rest, lambda: client, "kagent"), Access(rest, [str(guild.id)])
        intake = Intake(rest, store, Virtual(env), places, access, lang="en")
        intake.begin(receive)
        listen(client, intake)
        try:
            yield World(env, guild, guild.create_text_channel("general"), guild.add_member(ann), intake, events)
        finally:
            await intake.close()


async def test_a_mention_in_a_channel(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        await here.ann.send(here.channel, f"{here.us} hello")

        (found,) = await here.said()
        assert (found.text, found.author) == ("hello", Author(str(here.ann.id), "Ann"))
        assert found.address == Address(mentions_us=True)
        assert found.target.conversation_key == f"discord:{here.guild.id}:{here.channel.id}"
        assert found.opens is not None
        assert found.opens.thread == found.message_id


async def test_a_reply_with_a_file(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        first = await here.ann.send(here.channel, "first")
        await here.ann.send(here.channel, "second", reply_to=first, attachments=[("a.txt", b"content")])

        _, found = await here.said()
        assert found.address == Address()
        assert [(one.name, one.size) for one in found.attachments] == [("a.txt", 7)]


async def test_a_thread_that_somebody_opened(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        message = await here.ann.send(here.channel, "let us talk")
        own = here.env.bot.get_channel(here.channel.id)
        assert isinstance(own, discord.TextChannel)
        thread = await own.get_partial_message(message.id).create_thread(name="talk")
        (handle,) = here.channel.threads
        await here.ann.send(handle, f"{here.us} and you?")

        found = (await here.said())[-1]
        assert (found.target.channel, found.target.thread) == (str(here.channel.id), str(thread.id))
        # It was opened by us.
        assert not found.earlier


async def test_a_direct_message_of_a_member(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        await here.ann.send_dm("in private")

        (found,) = await here.said()
        assert (found.text, found.address, found.target.workspace) == ("in private", Address(direct=True), "@me")


async def test_a_direct_message_of_a_stranger(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        await here.env.create_user("stranger").send_dm("hello?")

        assert await here.said() == []


async def test_an_edit_and_a_deletion(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        said = await here.ann.send(here.channel, "one")
        await here.ann.edit(said, "two")
        await here.ann.delete(said)

        _, edit, deletion = await here.all()
        assert isinstance(edit, Edited)
        assert isinstance(deletion, Deleted)
        assert (edit.text, edit.message_id, deletion.message_id) == ("two", str(said.id), str(said.id))


async def test_somebody_else_s_webhook_is_a_bot(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        await here.guild.create_webhook(here.channel, "news").send("news!")

        (found,) = await here.said()
        assert (found.author.kind, found.text) == ("bot", "news!")


async def test_what_is_forwarded_is_quoted(sqlite_store: Store) -> None:
    async with world(sqlite_store) as here:
        original = await here.ann.send(here.channel, "look at this")
        await here.ann.forward(original, here.channel)

        found = (await here.said())[-1]
        assert found.text == "> look at this"

"""The whole server on simcord, a Discord inside of the test's process that nobody here wrote.

simcord brings its own HTTP client and its own events, so what is left out is what speaks to a network: `Rest`'s own
login and `DiscordConnection`. Everything else is the server as it runs: inbox, dispatcher, delivery, commands, buttons.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import discord
import pytest
import simcord

from adapters.chat.behind import behind
from adapters.discord.asking.fetching import Files
from adapters.discord.asking.persons import Persons
from adapters.discord.connection.access import Access
from adapters.discord.connection.client import GatewayClient
from adapters.discord.connection.rest import Rest
from adapters.discord.connection.sync import send
from adapters.discord.controls.commands import Tree, payload
from adapters.discord.controls.interactions import Interactions
from adapters.discord.hearing.places import Places
from adapters.discord.inbound import DiscordInbound, Register
from adapters.discord.outbound import DiscordOutbound
from adapters.discord.texts import DISCORD
from agent.clock import SystemClock
from bot.app import Adapter, App, Services, web_adapter
from bot.invocation import CommandReply, Invocation
from bot.messages import Attachment
from bot.ports import Health, Receive
from bot.profiles import Profiles
from bot.settings import Settings, load
from tests.fakes.llm.harness import FakeLLM

T = TypeVar("T")


class Virtual(SystemClock):
    """simcord's time of day; it passes when the test says so."""

    def __init__(self, env: simcord.Env) -> None:
        self._env = env

    def now(self) -> datetime:
        return self._env.now()


class Given:
    """In place of `DiscordConnection`: a client that simcord has logged in."""

    def __init__(self, client: discord.AutoShardedClient) -> None:
        self.client = client
        self.tree: Tree | None = None

    async def start(self, register: Register) -> None:
        found: Any = register(self.client)
        self.tree = found

    async def stop(self) -> None:
        pass

    def health(self) -> Health:
        return Health("ok")


@dataclass
class Bot:
    """One run of the server."""

    client: discord.AutoShardedClient
    app: App
    services: Services

    @property
    def profiles(self) -> Profiles:
        return self.services.profiles

    def delay(self, monkeypatch: pytest.MonkeyPatch, seconds: float, reply: CommandReply) -> None:
        """Let commands take so long, and give this reply."""

        async def run(invocation: Invocation) -> CommandReply:
            await asyncio.sleep(seconds)
            return reply

        monkeypatch.setattr(self.services.commands, "run", run)

    async def stop(self) -> None:
        await self.app.stop()


@dataclass
class World:
    """simcord's Discord with the server in it."""

    env: simcord.Env
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    #: The server's owner, and a member.
    owner: simcord.MemberActor
    ann: simcord.MemberActor
    settings: Settings
    bots: list[Bot] = field(default_factory=list)

    @property
    def bot(self) -> Bot:
        """The run that is on."""
        return self.bots[-1]

    @property
    def us(self) -> str:
        """How it is mentioned."""
        assert self.env.bot.user is not None
        return f"<@{self.env.bot.user.id}>"

    async def until(self, holds: Callable[[], T], timeout: float = 15.0) -> T:
        """What `holds` returns, as soon as that is true: turns go on when simcord has done what it was asked for."""
        async with asyncio.timeout(timeout):
            while not (found := holds()):  # noqa: ASYNC110 - simcord tells nobody
                await asyncio.sleep(0.01)
        return found

    def thread(self) -> simcord.ChannelHandle | None:
        """The newest thread of the channel."""
        return next(reversed(self.channel.threads), None)

    def ours(self, place: simcord.ChannelHandle) -> list[discord.Message]:
        """What we have said there, oldest first."""
        me = self.env.bot.user
        return [one for one in place.history(viewer=self.ann) if me is not None and one.author.id == me.id]

    async def answered(self, place: Callable[[], simcord.ChannelHandle | None]) -> list[discord.Message]:
        """Our messages in a place, once there is nothing to stop below them and something to press."""

        def done() -> list[discord.Message]:
            found = place()
            said = [] if found is None else self.ours(found)
            labels = [label_of(said[-1])] if said else []
            return said if labels and labels[0] and "Stop" not in labels[0] else []

        return await self.until(done)

    async def begin(self) -> None:
        """Start the server on the client that is logged in."""
        client: Any = self.env.bot
        made: list[tuple[Services, Rest, Given]] = []

        def factory(services: Services) -> Adapter:
            server = behind(services)
            rest, given = Rest("token", client=client), Given(client)
            access = Access(rest, services.settings.discord.servers)
            part = Interactions(rest, access, server)
            inbound = DiscordInbound(
                given,
                rest,
                services.store,
                services.clock,
                access,
                name=server.name,
                lang=server.lang,
                parts=[part],
            )
            outbound = DiscordOutbound(
                rest,
                server.titles,
                files=Held(client),
                persons=Persons(rest),
                us=Places(rest, lambda: client, server.name).us,
                clock=services.clock,
            )
            made.append((services, rest, given))
            return Adapter("discord", Outside(inbound), outbound, wording=DISCORD.wording)

        app = App(self.settings, [web_adapter, factory], clock=Virtual(self.env))
        await app.start()
        [(services, rest, given)] = made
        assert given.tree is not None
        await send(rest, await payload(given.tree))
        self.bots.append(Bot(client, app, services))

    async def restart(self) -> None:
        """The server ends, and another one begins on the same Discord."""
        await self.bot.stop()
        await self.env.restart_bot(new_client())
        await self.begin()


class Held(Files):
    """Files that simcord keeps: there is no address to fetch them from."""

    def __init__(self, client: discord.Client) -> None:
        self._held = client

    async def fetch(self, attachment: Attachment, most: int) -> bytes:
        return await self._held.http.get_from_cdn(attachment.source.partition(" ")[2])

    async def close(self) -> None:
        pass


class Outside:
    """An inbound side whose events are taken in outside of what simcord waits for, as another process would: a turn
    goes on when the message that asked for it has been sent.
    """

    def __init__(self, inbound: DiscordInbound) -> None:
        self._inbound = inbound
        self._context = contextvars.copy_context()

    async def start(self, receive: Receive) -> None:
        async def taken(event: Any) -> Any:
            return await self._context.copy().run(asyncio.create_task, _awaited(receive(event)))

        await self._inbound.start(taken)

    async def stop(self) -> None:
        await self._inbound.stop()

    def health(self) -> Health:
        return self._inbound.health()

    def routes(self) -> None:
        return None


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def new_client() -> discord.AutoShardedClient:
    """Ours, for one shard."""
    client = GatewayClient(lambda event, arguments: None, message_content=True)
    client.shard_count = 1
    return client


def label_of(message: discord.Message) -> list[str]:
    """What is written on the buttons below a message."""
    rows: Any = message.components
    return [str(one.label or one.emoji) for row in rows for one in row.children]


# simcord's clock belongs to the context of a test, which fixtures don't share.
@contextlib.asynccontextmanager
async def world(llm: FakeLLM, folder: Path, database_url: str) -> AsyncIterator[World]:
    """A Discord with one server and the bot in it."""
    client = new_client()
    async with simcord.run(client, shard_count=1) as env:
        owner_user, ann_user = env.create_user("owner"), env.create_user("ann", global_name="Ann")
        guild = env.create_guild("Lighthouse", owner=owner_user)
        settings = load(
            environ={
                "HOME": str(folder),
                "KAGENTBOT_DATA_DIR": str(folder),
                "DATABASE_URL": database_url,
                "KAGENTBOT_SERVER__PORT": "0",
                # What runs when the server ends is left to the next one.
                "KAGENTBOT_LIMITS__GRACE": "0",
                "KAGENTBOT_MODELS__ENDPOINT__BASE_URL": llm.base_url,
                "KAGENTBOT_PROFILE__STYLE": "noagent",
                "KAGENTBOT_DISCORD__SERVERS": f'["{guild.id}"]',
                "DISCORD_TOKEN": "token",
            }
        )
        found = World(
            env,
            guild,
            guild.create_text_channel("general"),
            guild.add_member(owner_user),
            guild.add_member(ann_user),
            settings,
        )
        await found.begin()
        try:
            yield found
        finally:
            await found.bot.stop()

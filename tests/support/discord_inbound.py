"""Discord's inbound side on the fake Discord, with a real inbox behind it and nobody who answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest

from adapters.discord.connection.access import Access
from adapters.discord.connection.connection import DiscordConnection
from adapters.discord.connection.rest import Rest
from adapters.discord.connection.sync import CommandSync
from adapters.discord.hearing.lanes import MOST_WAITING
from adapters.discord.inbound import DiscordInbound
from agent.clock import Clock, SystemClock
from agent.language import Text
from bot.messages import Accepted, Deleted, Edited, Event, Incoming
from bot.ports import Receive, StoreUnavailable
from bot.settings.discord import DiscordSettings
from bot.store.db import Store
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import LIGHTHOUSE
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.discord_bot import NearDiscord, pointed_at


class Mail:
    """An inbox that also keeps what it is handed, and may be away."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        #: What was handed on and taken.
        self.events: list[Event] = []
        self.accepted: list[Accepted] = []
        self.refused = 0
        self.has_refused = asyncio.Event()
        self.away = False

    async def receive(self, event: Event) -> Accepted:
        if self.away:
            self.refused += 1
            self.has_refused.set()
            raise StoreUnavailable(Text("away", "不在"))
        accepted = await self._receive(event)
        self.events.append(event)
        self.accepted.append(accepted)
        return accepted


class Ears:
    """A part of the inbound side that knows which events have arrived."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        self._grown = asyncio.Event()

    def register(self, client: discord.AutoShardedClient) -> None:
        @client.event
        async def on_socket_event_type(event: str) -> None:
            self._heard.append(event)
            self._grown.set()

        async def at_once(shard_id: int | None, *, initial: bool = False) -> None:
            """The fake lets it identify as soon as it wants to."""

        vars(client).update(before_identify_hook=at_once)

    async def until(self, event: str, count: int = 1, timeout: float = 15.0) -> None:
        """Wait for so many events of this name."""
        async with asyncio.timeout(timeout):
            while self._heard.count(event) < count:
                self._grown.clear()
                await self._grown.wait()

    async def stop(self) -> None:
        pass


class Listening:
    """What listens, and what it heard."""

    def __init__(
        self, fake: FakeDiscord, desk: Desk, mail: Mail, inbound: DiscordInbound, rest: Rest, ears: Ears
    ) -> None:
        self.fake = fake
        self.desk = desk
        self.mail = mail
        self.inbound = inbound
        self.rest = rest
        self._ears = ears
        self._barriers = 0

    @property
    def said(self) -> list[Incoming]:
        return [event for event in self.mail.events if isinstance(event, Incoming)]

    @property
    def texts(self) -> list[str]:
        """What was handed on as said, in that order."""
        return [event.text for event in self.said]

    @property
    def edited(self) -> list[Edited]:
        return [event for event in self.mail.events if isinstance(event, Edited)]

    @property
    def deleted(self) -> list[Deleted]:
        return [event for event in self.mail.events if isinstance(event, Deleted)]

    async def settled(self) -> list[Event]:
        """Everything that was handed on, once what the fake has told so far has arrived and is worked off."""
        await self.heard()
        await self.inbound.intake.idle()
        return self.mail.events

    async def heard(self) -> None:
        """Wait until everything that the fake has told so far has arrived."""
        self._barriers += 1
        name = f"BARRIER_{self._barriers}"
        await self.fake.emit(name, {})
        await self._ears.until(name)

    async def began(self, sessions: int) -> None:
        """Wait until so many sessions have begun, the first one included, and told what their servers have."""
        await self._ears.until("GUILD_CREATE", sessions)

    async def until_refused(self) -> None:
        """Wait until the inbox was asked in vain."""
        await asyncio.wait_for(self.mail.has_refused.wait(), 15.0)


@contextlib.asynccontextmanager
async def listening(
    fake: FakeDiscord,
    store: Store,
    *,
    servers: Sequence[str] = (LIGHTHOUSE,),
    clock: Clock | None = None,
    settle: bool = True,
    away: bool = False,
    most_waiting: int = MOST_WAITING,
    **settings: Any,
) -> AsyncIterator[Listening]:
    """The inbound side from start to stop, from when it has caught up with what was said before (`settle` False: from
    when it begins to). `away`: its inbox takes nothing at first.
    """
    clock = clock or SystemClock()
    desk = Desk(store, clock=ManualClock(datetime.now(UTC)))
    mail = Mail(desk.inbox.receive)
    mail.away = away
    configured = DiscordSettings(servers=tuple(servers), api_url=fake.api_url, gateway_url=fake.gateway_url, **settings)
    rest = Rest(fake.token)
    connection = DiscordConnection(configured, rest, fake.token, CommandSync(rest, store, clock), lang="en")
    ears = Ears()
    access = Access(rest, configured.servers)
    inbound = DiscordInbound(
        connection, rest, store, clock, access, name="kagent", lang="en", parts=[ears], most_waiting=most_waiting
    )
    with pointed_at(fake):
        await inbound.start(mail.receive)
        try:
            await ears.until("GUILD_CREATE")
            if settle:
                await inbound.intake.idle()
            yield Listening(fake, desk, mail, inbound, rest, ears)
        finally:
            await inbound.stop()
            await rest.close()


class Later(SystemClock):
    """A clock that is ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


# Fixtures: `discord, app = inbound.near_discord, inbound.app`.


@pytest.fixture(name="discord")
async def near_discord() -> AsyncIterator[FakeDiscord]:
    """A Discord of the test's own."""
    async with NearDiscord() as running:
        yield running


@pytest.fixture
async def app(discord: FakeDiscord, sqlite_store: Store) -> AsyncIterator[Listening]:
    """What listens to it."""
    async with listening(discord, sqlite_store) as running:
        yield running

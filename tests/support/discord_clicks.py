"""What people press, type and fill in on the fake Discord, with the server's own commands and control behind it and
nobody who answers questions."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio

from adapters.chat.behind import Behind
from adapters.chat.commanding import Runs
from adapters.chat.offering import Offers
from adapters.discord.asking.persons import Persons
from adapters.discord.connection.access import Access
from adapters.discord.connection.connection import DiscordConnection
from adapters.discord.connection.rest import Rest
from adapters.discord.connection.sync import CommandSync
from adapters.discord.controls.interactions import Interactions
from adapters.discord.inbound import DiscordInbound
from adapters.discord.replying.look import Look
from adapters.discord.texts import DISCORD
from agent.clock import SystemClock
from agent.profile import Profile
from agent.tools.builtin import builtin_tools
from bot.commands import Commands
from bot.commands import Desk as CommandDesk
from bot.endpoints import Endpoints
from bot.erasure import Erasure
from bot.invocation import CommandReply, Invocation
from bot.limits import Limits
from bot.people import People
from bot.present import tool_titles
from bot.profiles import Profiles
from bot.secrets import Secrets
from bot.settings.access import AccessSettings, LimitSettings
from bot.settings.discord import DiscordSettings
from bot.settings.models import ListedEndpoint, ModelSettings
from bot.store import steps
from bot.store.db import Store, open_store
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.harness import Said
from tests.fakes.discord.prepared import ALICE, CAROL, GENERAL, LIGHTHOUSE
from tests.fakes.discord.replay import BotMessage
from tests.support.bench import bench_desk
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.discord_bot import pointed_at
from tests.support.discord_inbound import Ears


class Orders:
    """Commands that a test answers."""

    def __init__(self) -> None:
        self.given: list[Invocation] = []
        self.reply = CommandReply("Done.")

    async def run(self, invocation: Invocation) -> CommandReply:
        self.given.append(invocation)
        return self.reply

    async def bench(self, invocation: Invocation) -> CommandReply:
        self.given.append(invocation)
        return self.reply


class Clicking:
    """What listens, and what there is to press."""

    def __init__(
        self,
        fake: FakeDiscord,
        desk: Desk,
        rest: Rest,
        connection: DiscordConnection,
        profiles: Profiles,
        people: People,
        inbound: DiscordInbound,
        ears: Ears,
        part: Interactions,
    ) -> None:
        self.fake = fake
        self.desk = desk
        #: The bot's own calls.
        self.rest = rest
        self.connection = connection
        self.profiles = profiles
        self.people = people
        self.inbound = inbound
        self.part = part
        self._ears = ears
        self._barriers = 0

    async def settled(self) -> None:
        """What the fake has told so far has arrived and is worked off."""
        self._barriers += 1
        name = f"CLICKS_{self._barriers}"
        await self.fake.emit(name, {})
        await self._ears.until(name)
        await self.inbound.intake.idle()
        await self.part.tasks.idle()

    async def turn(self, said: Said) -> int:
        """The turn of a message."""
        await self.settled()
        stored = {row.message_id: row.turn_id for row in await self.desk.messages()}
        return int(stored[said.message])

    async def post(self, look: Look, channel: str = GENERAL) -> BotMessage:
        """A message of ours in a channel or thread."""
        made = await self.rest.call(
            "POST", "/channels/{channel_id}/messages", json=look.content, channel_id=channel, urgent=True
        )
        return (await self.fake.replay()).bots[f"{made['channel_id']}/{made['id']}"]

    async def asked(self, text: str = "what is it?", **how: Any) -> tuple[Said, int]:
        """A question and its turn."""
        said = await self.fake.mention(text, **how)
        return said, await self.turn(said)

    async def journal(self, turn_id: int, key: str, detail: Any, result: Any) -> None:
        """A finished step of a turn."""
        now = self.desk.clock.now()
        await self.desk.store.write(lambda c: steps.insert_done(c, turn_id, key, detail, result, 1, now))

    async def told(self, user: str = ALICE) -> list[BotMessage]:
        """What only this person sees of us, oldest first."""
        await self.settled()
        return (await self.fake.replay()).private(user)

    async def command(self, words: str = "", options: Mapping[str, Any] | None = None, **how: Any) -> list[str]:
        """Somebody types a command: what they alone see of it."""
        user = how.get("user", ALICE)
        before = {one.id for one in await self.told(user)}
        result = await self.fake.command(words, options, **how)
        assert result["outcome"] == "thinking", result
        return [one.text for one in await self.told(user) if one.id not in before]

    async def newest(self, user: str = ALICE) -> BotMessage:
        """What this person was told last."""
        return (await self.told(user))[-1]

    async def press(self, custom_id: str, **how: Any) -> dict[str, Any]:
        """Somebody presses something; when everything is over."""
        result = await self.fake.press(custom_id, **how)
        await self.settled()
        return result


@contextlib.asynccontextmanager
async def clicking(
    fake: FakeDiscord,
    store: Store,
    folder: Path,
    *,
    operators: tuple[str, ...] = (f"discord:{CAROL}",),
    commands: Runs | None = None,
    access: Mapping[str, Any] | None = None,
    servers: tuple[str, ...] = (LIGHTHOUSE,),
) -> AsyncIterator[Clicking]:
    """The inbound side from start to stop. `commands` take the place of the server's own."""
    desk = Desk(store, clock=ManualClock(datetime.now(UTC)))
    configured = DiscordSettings(servers=servers, api_url=fake.api_url, gateway_url=fake.gateway_url)
    rest = Rest(fake.token)
    connection = DiscordConnection(configured, rest, fake.token, CommandSync(rest, store, SystemClock()), lang="en")
    ears, admits = Ears(), Access(rest, configured.servers)
    limits = Limits(AccessSettings(operators=operators, **(access or {})), LimitSettings(), ZoneInfo("UTC"))
    people = People(store, desk.clock, {"discord": Persons(rest)}, limits.is_operator)
    tools = builtin_tools()
    profiles = Profiles(store, desk.clock, Profile(agent_name="kagent"), tools, models=lambda: ("small", "big"))
    listed = ListedEndpoint(name="big", base_url="http://127.0.0.1:9/v1", model="small")
    endpoints = Endpoints(ModelSettings(endpoints=(listed,)), store, desk.clock, Secrets((), folder))
    erasure = Erasure(store, desk.clock, desk.bell, desk.live)
    bench = bench_desk(store, desk.clock, endpoints, folder)
    own = Commands(
        CommandDesk(
            store,
            desk.clock,
            desk.control,
            endpoints,
            tools,
            profiles,
            erasure,
            people,
            limits,
            bench,
            "9.9",
            {"discord": DISCORD.wording},
        )
    )
    behind = Behind(
        store=store,
        control=desk.control,
        people=people,
        profiles=profiles,
        commands=commands or own,
        titles=tool_titles(tools),
        models=lambda: ("small", "big"),
        name="kagent",
        lang="en",
        serves=limits,
        offers=Offers(bench, own.may_bench),
    )
    part = Interactions(rest, admits, behind)
    inbound = DiscordInbound(connection, rest, store, desk.clock, admits, name="kagent", lang="en", parts=[ears, part])
    with pointed_at(fake):
        await inbound.start(desk.inbox.receive)
        try:
            await ears.until("GUILD_CREATE")
            await fake.until(lambda replay: replay.called("PUT /applications/{application}/commands"))
            yield Clicking(fake, desk, rest, connection, profiles, people, inbound, ears, part)
        finally:
            await inbound.stop()
            await people.stop()
            await endpoints.stop()
            await rest.close()


# Fixtures, for modules whose tests share one process of Discord: `discord, store, app = clicks.discord, …`.


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def discord() -> AsyncIterator[FakeDiscord]:
    """One process for all tests of a module; each test has a bot of its own."""
    async with FakeDiscord() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh SQLite file."""
    opened = open_store(sqlite_url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def app(discord: FakeDiscord, store: Store, tmp_path: Path) -> AsyncIterator[Clicking]:
    """With the server's own commands."""
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path) as running:
        yield running

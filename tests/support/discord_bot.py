"""Bare discord.py bots against the fake Discord: what any bot does, without anything of ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from unittest import mock

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.connection.client import stop_heartbeats
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.house import House

B = TypeVar("B", bound="Bot")


class NearDiscord(FakeDiscord):
    """The fake in the test's own process and loop: real sockets, and no process to start."""

    _house: House

    async def _launch(self) -> int:
        self._house = House(self.log, self._seed)
        return await self._house.open()

    async def _end(self) -> None:
        await self._house.close()


#: The smallest intents with which a bot hears everything that it may answer.
INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)


@contextlib.contextmanager
def pointed_at(fake: FakeDiscord) -> Any:
    """discord.py uses this fake instead of Discord."""
    with (
        mock.patch.object(Route, "BASE", fake.api_url),
        mock.patch.object(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(fake.gateway_url)),
        mock.patch.object(discord.Asset, "BASE", fake.url),
    ):
        yield


class Bot(discord.AutoShardedClient):
    """Notes what it hears. `on` names handlers of events ("message", "raw_message_delete", …)."""

    def __init__(self, on: dict[str, Callable[..., Awaitable[object]]] | None = None, **options: Any) -> None:
        defaults: dict[str, Any] = {
            "intents": INTENTS,
            "guild_ready_timeout": 0,
            "max_messages": None,
            "chunk_guilds_at_startup": False,
            "member_cache_flags": discord.MemberCacheFlags.none(),
            "allowed_mentions": discord.AllowedMentions.none(),
        }
        super().__init__(**(defaults | options))
        self.tree = app_commands.CommandTree(self)
        self._on = on or {}
        #: Events by name as they came, and what came with them.
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        self._grown = asyncio.Event()
        #: Its run; over when discord.py gave up.
        self.task: asyncio.Task[None] | None = None

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The fake lets it identify as soon as it wants to."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        self.heard.append((event, args))
        self._grown.set()
        if event in self._on:
            asyncio.get_running_loop().create_task(self._call(self._on[event], args))

    async def _call(self, handler: Callable[..., Awaitable[object]], args: tuple[Any, ...]) -> None:
        await handler(*args)

    def events(self, name: str) -> list[Any]:
        """What came with each event of this name: the first thing that did."""
        return [args[0] if args else None for event, args in self.heard if event == name]

    async def until(self, name: str, count: int = 1, timeout: float = 15.0) -> list[Any]:
        """`events(name)`, as soon as there are so many. Raises what ended the bot before."""
        async with asyncio.timeout(timeout):
            while len(found := self.events(name)) < count:
                if self.task is not None and self.task.done():
                    await self.task
                self._grown.clear()
                await self._grown.wait()
        return found

    async def knows_its_servers(self, count: int = 1) -> None:
        """With guild_ready_timeout=0, discord.py is ready before it knows them."""
        seen = 2
        while (await self.until("socket_event_type", seen)).count("GUILD_CREATE") < count:
            seen += 1

    def ended(self, _: object) -> None:
        """Wakes who waits."""
        self._grown.set()


@contextlib.asynccontextmanager
async def running(fake: FakeDiscord, bot: B) -> AsyncIterator[B]:
    """The bot, connected."""
    with pointed_at(fake):
        bot.task = asyncio.create_task(bot.start(fake.token))
        bot.task.add_done_callback(bot.ended)
        try:
            await bot.until("ready")
            await bot.knows_its_servers()
            yield bot
        finally:
            await bot.close()
            await asyncio.gather(bot.task, return_exceptions=True)
            stop_heartbeats(bot)


async def echo(message: discord.Message) -> None:
    """Replies to whoever mentions it or writes in private."""
    client = message._state._get_client()
    if message.author.bot or message.type not in (discord.MessageType.default, discord.MessageType.reply):
        return
    if message.guild is None or client.user in message.mentions:
        await message.reply(f"echo {message.content}")

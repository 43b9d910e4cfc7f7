"""A connection to the fake Discord with listeners that only write down what arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from adapters.discord.connection.connection import DiscordConnection, open_connection
from agent.clock import SystemClock
from bot.ports import Health
from bot.settings import Settings, load
from bot.store.db import Store
from tests.fakes.discord import FakeDiscord
from tests.support.discord_bot import pointed_at


class Heard:
    """What people said, as discord.py tells of it."""

    def __init__(self, *commands: app_commands.Command[Any, ..., Any]) -> None:
        self._news = asyncio.Condition()
        self._commands = commands
        self.texts: list[str] = []
        #: How many clients there have been.
        self.clients = 0

    def register(self, client: discord.AutoShardedClient) -> app_commands.CommandTree[Any] | None:
        """The connection's `register`."""
        self.clients += 1

        async def on_message(message: discord.Message) -> None:
            async with self._news:
                self.texts.append(message.content)
                self._news.notify_all()

        async def at_once(shard_id: int | None, *, initial: bool = False) -> None:
            """The fake lets it identify as soon as it wants to."""

        vars(client).update(on_message=on_message, before_identify_hook=at_once)
        if not self._commands:
            return None
        tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)
        for command in self._commands:
            tree.add_command(command)
        return tree

    async def until(self, text: str) -> None:
        """Wait for a message with this in it."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: any(text in said for said in self.texts))


def settings_for(fake: FakeDiscord, folder: Path, **more: str) -> Settings:
    """Settings that lead to the fake; `more` are variables."""
    return load(environ={"HOME": str(folder), **fake.environment(), **more})


@contextlib.asynccontextmanager
async def connected(
    fake: FakeDiscord, settings: Settings, store: Store, heard: Heard | None = None
) -> AsyncIterator[DiscordConnection]:
    """The connection from start to stop."""
    # Undoes what opening the connection changes.
    with pointed_at(fake):
        connection = open_connection(settings, store, SystemClock())
        await connection.start((heard or Heard()).register)
        try:
            yield connection
        finally:
            await connection.stop()
            await connection.rest.close()


async def until_health(connection: DiscordConnection, holds: Callable[[Health], bool]) -> Health:
    """Wait until the health is like this."""
    async with asyncio.timeout(15):
        while not holds(health := connection.health()):  # noqa: ASYNC110 - health is asked for, it tells nobody
            await asyncio.sleep(0.01)
    return health


async def until_state(connection: DiscordConnection, state: str) -> Health:
    """Wait until the health is in this state."""
    return await until_health(connection, lambda health: health.state == state)

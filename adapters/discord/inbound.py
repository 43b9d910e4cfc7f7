"""`bot.ports.Inbound` of Discord, and how its parts are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import discord
from discord import app_commands

from adapters.discord.connection.access import Access
from adapters.discord.connection.calls import Calls
from adapters.discord.hearing.intake import Intake
from adapters.discord.hearing.lanes import MOST_WAITING
from adapters.discord.hearing.listen import listen
from adapters.discord.hearing.places import Places
from agent.clock import Clock
from agent.language import Lang
from bot.ports import Health, Receive
from bot.store.db import Store

Tree = app_commands.CommandTree[Any]
#: Puts listeners on a client that is about to connect; the tree of its commands, if it has any.
Register = Callable[[discord.AutoShardedClient], Tree | None]


class Connects(Protocol):
    """`adapters.discord.connection.connection.DiscordConnection`."""

    @property
    def client(self) -> discord.Client | None:
        """The client that is connected just now, or about to be."""

    async def start(self, register: Register) -> None:
        """Connect in the background; `register` is called with each new client."""

    async def stop(self) -> None: ...

    def health(self) -> Health: ...


class Part(Protocol):
    """What else listens: commands, presses, forms."""

    def register(self, client: discord.AutoShardedClient) -> Tree | None:
        """Put its listeners on a client that is about to connect; the tree of commands, if this is what has them."""

    async def stop(self) -> None:
        """Let what was begun end."""


class DiscordInbound:
    """Receives messages and interactions over the gateway."""

    def __init__(
        self,
        connection: Connects,
        rest: Calls,
        store: Store,
        clock: Clock,
        access: Access,
        *,
        name: str,
        lang: Lang,
        parts: Sequence[Part] = (),
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`name`: what the agent is called where a message speaks of it. `lang`: where nothing says which.
        `most_waiting`: messages of one place; what is more is read again later.
        """
        self._connection = connection
        self._parts = parts
        places = Places(rest, lambda: connection.client, name)
        #: What takes messages in; for tests.
        self.intake = Intake(rest, store, clock, places, access, lang=lang, most_waiting=most_waiting)

    async def start(self, receive: Receive) -> None:
        """Begin to receive; Discord is connected to in the background."""
        self.intake.begin(receive)
        await self._connection.start(self._register)

    async def stop(self) -> None:
        """Accept nothing more, and let what was begun for a press end."""
        await self.intake.close()
        await self._connection.stop()
        for part in self._parts:
            await part.stop()

    def health(self) -> Health:
        return self._connection.health()

    def routes(self) -> None:
        """None: everything comes over the gateway."""

    def _register(self, client: discord.AutoShardedClient) -> Tree | None:
        listen(client, self.intake)
        trees = [part.register(client) for part in self._parts]
        return next((tree for tree in trees if tree is not None), None)

"""discord.py's client of the gateway, as small as it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import discord
from discord.gateway import KeepAliveHandler
from discord.http import Route

from adapters.discord.connection.http import proxy_of, quiet_library

#: Hears of each event before its listeners do: its name as discord.py has it, and its arguments.
Watch = Callable[[str, tuple[Any, ...]], None]


def intents(*, message_content: bool) -> discord.Intents:
    """What is asked to be sent. `message_content` has to be switched on for the application."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = wanted.dm_messages = True
    wanted.message_content = message_content
    return wanted


class GatewayClient(discord.AutoShardedClient):
    """One login at the gateway. It keeps servers, channels, threads and roles, and neither messages nor members.

    It is used once: whatever ends it, another one begins anew.
    """

    def __init__(self, watch: Watch, *, message_content: bool) -> None:
        """`watch` must not raise."""
        quiet_library()
        self._watch = watch
        super().__init__(
            intents=intents(message_content=message_content),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            # By default READY is held back for two seconds, until the last server has been described.
            guild_ready_timeout=0.0,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=30.0,
            proxy=proxy_of(Route.BASE),
        )

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Tells the watcher, then the listeners."""
        self._watch(event, args)
        super().dispatch(event, *args, **kwargs)


def stop_heartbeats(client: discord.Client) -> None:
    """Stop the threads that keep a client's connections alive. To be called when it is closed.

    Its own `close` knows only of connections that were made: the thread of one that was being made goes on, and finds
    no sooner than at its next beat, most of a minute later, that there is nothing left to keep alive.
    """
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler) and thread.ws._connection is client._connection:
            thread.stop()

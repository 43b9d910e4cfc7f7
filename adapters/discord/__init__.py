"""Discord: its gateway in, its REST API out.

It must not decide who is answered or what an answer says (`bot/` does), keep state that has to survive a restart, or be
imported by a server without Discord: discord.py is imported here and nowhere else, and this module itself doesn't until
`discord_adapter` is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from adapters.chat.services import Services
    from bot.ports import Inbound, Outbound
    from bot.wording import Wording


class DiscordAdapter(NamedTuple):
    """Discord, plugged in."""

    platform: str
    inbound: Inbound
    outbound: Outbound
    #: What people call things there.
    wording: Wording


def discord_adapter(services: Services) -> DiscordAdapter:
    """Discord as the settings describe it; connects to nothing yet."""
    from adapters.chat.behind import behind
    from adapters.discord.asking.fetching import Files
    from adapters.discord.asking.persons import Persons
    from adapters.discord.connection.access import Access
    from adapters.discord.connection.connection import open_connection
    from adapters.discord.connection.http import proxy_of
    from adapters.discord.controls.interactions import Interactions
    from adapters.discord.hearing.parse import PLATFORM
    from adapters.discord.hearing.places import Places
    from adapters.discord.inbound import DiscordInbound
    from adapters.discord.outbound import DiscordOutbound
    from adapters.discord.texts import DISCORD

    settings, server = services.settings.discord, behind(services)
    connection = open_connection(services.settings, services.store, services.clock)
    rest = connection.rest
    access = Access(rest, settings.servers, services.clock.monotonic)
    outbound = DiscordOutbound(
        rest,
        server.titles,
        files=Files(rest, settings.api_url, proxy=proxy_of(settings.api_url)),
        persons=Persons(rest),
        us=Places(rest, lambda: connection.client, server.name).us,
        persona=settings.persona,
        serves=access.serves,
        clock=services.clock,
    )
    inbound = DiscordInbound(
        connection,
        rest,
        services.store,
        services.clock,
        access,
        name=server.name,
        lang=server.lang,
        parts=[Interactions(rest, access, server)],
    )
    return DiscordAdapter(PLATFORM, inbound, outbound, DISCORD.wording)

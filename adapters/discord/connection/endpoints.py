"""Where Discord is. The one place that changes what discord.py knows of it, and only for tests."""

from __future__ import annotations

from urllib.parse import urlsplit

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.settings.discord import DISCORD_API, DISCORD_GATEWAY, DiscordSettings


def point_at(settings: DiscordSettings) -> None:
    """Let discord.py speak to the addresses of the settings. Nothing is changed where they are Discord's own.

    discord.py keeps them in three attributes of classes: `Route.BASE` for all REST calls, interactions' answers and
    webhooks; `DEFAULT_GATEWAY` for connections that no answer of GET /gateway/bot has named an address for;
    `Asset.BASE` for pictures.
    """
    if settings.api_url != DISCORD_API:
        parts = urlsplit(settings.api_url)
        Route.BASE = settings.api_url
        discord.Asset.BASE = f"{parts.scheme}://{parts.netloc}"
    if settings.gateway_url != DISCORD_GATEWAY:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)

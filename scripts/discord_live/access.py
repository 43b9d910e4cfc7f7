"""Steps 1 to 3: token, connection, commands."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import ClientSession

from adapters.discord.controls.commands import COMMAND
from adapters.discord.controls.spelling import BENCH_COMMAND
from adapters.discord.errors import sentence
from adapters.discord.setup import permissions
from bot.posting import Ambiguous, Refused, RetryLater
from scripts.discord_live import texts
from scripts.discord_live.check import Check
from scripts.live import texts as common
from scripts.live.failing import Failed
from tests.support.process import NotReady

#: Seconds until the server is connected, and until Discord knows its commands.
_CONNECT_S = 60.0
#: Of a channel: the types that are written in and have threads.
_TEXT = frozenset({0, 5})


async def token(check: Check) -> str:
    """Whose the token is, what it may read, and what it may do in the channel."""
    rest = check.bot.rest
    try:
        application = await rest.application()
    except Refused as refused:
        raise Failed(sentence(refused.code, check.lang), texts.FIX_CONNECTION.say(check.lang)) from refused
    except (RetryLater, Ambiguous) as trouble:
        raise Failed(sentence("unreachable", check.lang), texts.FIX_NETWORK.say(check.lang)) from trouble
    check.user = str(rest.user_id)
    if not application.has_message_content:
        raise Failed(sentence("intents", check.lang), texts.FIX_INTENT.say(check.lang))
    check.reads = True
    channel = await check.bot("GET", "/channels/{channel_id}", channel_id=check.channel)
    if channel.get("type") not in _TEXT or not channel.get("guild_id"):
        raise check.fail(texts.NOT_A_CHANNEL, texts.FIX_CHANNEL)
    check.guild = str(channel["guild_id"])
    guild = await check.bot("GET", "/guilds/{guild_id}", guild_id=check.guild)
    path = "/guilds/{guild_id}/members/{user_id}"
    member = await check.bot("GET", path, guild_id=check.guild, user_id=check.user)
    here = permissions.in_channel(guild, member, channel)
    if lacking := permissions.missing(here, permissions.wanted(persona=False)):
        raise check.fail(texts.LACKS, texts.FIX_LACKS, permissions=permissions.names(lacking, check.lang))
    check.webhooks = bool(here & permissions.PERSONA.bit)
    return texts.WHO.say(check.lang, bot=rest.user_name, server=guild["name"], channel=channel["name"])


async def connection(check: Check) -> str:
    """The server starts, connects, and says so."""
    check.server.settings["KAGENTBOT_DISCORD__SERVERS"] = f'["{check.guild}"]'
    return await start(check)


async def start(check: Check) -> str:
    """Start the server and wait until it is connected; what it says of that. Raises `Failed`."""
    try:
        await check.server.start()
    except NotReady as ended:
        last = (ended.done.err or ended.done.out).strip().splitlines()[-1:]
        raise check.fail(common.NOT_STARTED, common.FIX_SETTINGS, why="".join(last)) from ended

    async def look() -> str:
        async with ClientSession() as session, session.get(f"{check.server.url}/readyz") as answer:
            discord = (await answer.json())["checks"].get("discord", {})
        return str(discord["detail"]) if discord.get("state") == "ok" else ""

    begun = time.monotonic()
    detail = await check.until(look, _CONNECT_S)
    if detail is None:
        raise check.fail(texts.NOT_CONNECTED, texts.FIX_CONNECTION, log=check.trouble())
    check.measured(texts.CONNECTED_IN, seconds=f"{time.monotonic() - begun:.1f}")
    return detail


async def commands(check: Check) -> str:
    """Discord has the commands that the server sent."""
    names = {COMMAND, BENCH_COMMAND}

    async def look() -> Any:
        path = "/applications/{application_id}/commands"
        found = await check.bot("GET", path, application_id=check.bot.rest.application_id)
        return names <= {one["name"] for one in found}

    if not await check.until(look, _CONNECT_S):
        raise check.fail(texts.NO_COMMANDS, texts.FIX_COMMANDS, names=", ".join(sorted(names)))
    return ", ".join(f"/{name}" for name in sorted(names))

"""Finds beforehand what would go wrong with Discord: the token, the intent, the servers, each channel's permissions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.discord.connection.endpoints import point_at
from adapters.discord.connection.rest import Application, Rest
from adapters.discord.connection.servers import Server, differences, others, servers_of
from adapters.discord.errors import sentence
from adapters.discord.setup import permissions
from agent.language import Lang, Text
from bot.doctor.lines import Line, line
from bot.posting import Ambiguous, Refused, RetryLater
from bot.settings import Settings
from bot.settings.discord import DiscordSettings

Json = Mapping[str, Any]

_NOWHERE: Final = logging.NullHandler()
#: Lines about the channels of one server; a broken server has the same fault in all of them.
_MOST_CHANNELS: Final = 20
#: Seconds that one call may wait for Discord's limits.
_PATIENCE_S: Final = 30.0

_BOT = Text("bot {name}, application {application}", "机器人 {name}，应用 {application}")
_PUBLIC = Text(
    "Anybody may invite this bot; only the servers in discord.servers are served. To keep others from it, open "
    "https://discord.com/developers/applications, set the Install Link under Installation to None, and switch off "
    "Public Bot under Bot.",
    "任何人都可以邀请这个机器人；只有 discord.servers 中的服务器会得到服务。如需禁止他人邀请，请打开 "
    "https://discord.com/developers/applications，将 Installation 中的 Install Link 设为 None，"
    "并在 Bot 页面关闭 Public Bot。",
)
_CONTENT_OFF = Text(
    'discord.message_content is "off": only mentions, direct messages and commands are heard.',
    'discord.message_content 为 "off"：只能收到提及、私信和命令。',
)
_SERVER = Text(
    "server {server}, channels in which it answers: {channels}", "服务器 {server}，可以回答的频道数：{channels}"
)
_UNSEEN = Text(
    "server {server}, channels that are hidden from it, so that nobody can call it there: {channels}",
    "服务器 {server}，机器人看不到、因而无法使用的频道数：{channels}",
)
_NO_CHANNEL = Text(
    "server {server}: the bot sees no channel in which it could answer: give its role View Channels in one",
    "服务器 {server}：机器人看不到任何可以回答的频道：请在某个频道给它的角色“查看频道”权限",
)
_LACKS_IN_SERVER = Text(
    "server {server}: the bot's role lacks {permissions}: open {link} once more, or grant it under Server Settings, "
    "Roles",
    "服务器 {server}：机器人的角色缺少权限：{permissions}。请再次打开 {link}，或在“服务器设置 → 身份组”中授予",
)
_LACKS_IN_CHANNEL = Text(
    "server {server}, #{channel}: the bot lacks {permissions} there: open Edit Channel, Permissions, and grant it to "
    "the bot's role",
    "服务器 {server}，#{channel}：机器人在此缺少权限：{permissions}。请在“编辑频道 → 权限”中授予机器人的角色",
)
_MORE_CHANNELS = Text(
    "server {server}, further channels that lack permissions: {count}",
    "服务器 {server}，其他缺少权限的频道数：{count}",
)
_CANT_LOOK = Text("server {server}: {why}", "服务器 {server}：{why}")


@dataclass(frozen=True, slots=True)
class Found:
    """What Discord says about a token."""

    #: The sentence that says why nothing can be asked; "" when it can.
    trouble: str = ""
    application: Application | None = None
    user_name: str = ""
    servers: tuple[Server, ...] = ()


def rest_of(token: str, settings: DiscordSettings, lang: Lang) -> Rest:
    """What calls Discord for a command, which prints by itself what a server would log."""
    # Without a handler of its own a command's log goes to standard error.
    logging.getLogger(Rest.__module__).addHandler(_NOWHERE)
    point_at(settings)
    return Rest(token, lang=lang)


async def look(rest: Rest, lang: Lang) -> Found:
    """Whose token it is and where the bot is. Raises nothing of Discord's."""
    try:
        application = await rest.application()
        return Found("", application, rest.user_name, tuple(await servers_of(rest)))
    except (Refused, RetryLater, Ambiguous) as problem:
        return Found(said(problem, lang))


async def check_token(token: str, settings: DiscordSettings, lang: Lang) -> Found:
    """The same about a token that is being set up."""
    rest = rest_of(token, settings, lang)
    try:
        return await look(rest, lang)
    finally:
        await rest.close()


async def check_settings(settings: Settings, lang: Lang) -> list[Line]:
    """Everything that can be found out with the token of the settings. Raises nothing of Discord's."""
    token = settings.credentials.discord_token
    if token is None:
        return [Line("error", sentence("no_token", lang))]
    rest = rest_of(token.get_secret_value(), settings.discord, lang)
    try:
        return await _lines(rest, settings.discord, lang)
    finally:
        await rest.close()


async def _lines(rest: Rest, settings: DiscordSettings, lang: Lang) -> list[Line]:
    found = await look(rest, lang)
    application = found.application
    if application is None:
        return [Line("error", found.trouble)]
    lines = [line("ok", _BOT, lang, name=found.user_name, application=application.id)]
    if settings.message_content == "off":
        lines.append(line("ok", _CONTENT_OFF, lang))
    elif not application.has_message_content:
        lines.append(Line("warning", sentence("intents", lang)))
    if application.is_public:
        lines.append(line("warning", _PUBLIC, lang))
    servers = list(found.servers)
    lines += [Line("error", each) for each in differences(servers, settings, application.id, lang)]
    if foreign := others(servers, settings, lang):
        lines.append(Line("warning", foreign))
    for server in servers:
        if server.id in settings.servers:
            lines += await _of_server(rest, server, settings, lang)
    return lines


async def _of_server(rest: Rest, server: Server, settings: DiscordSettings, lang: Lang) -> list[Line]:
    """A server's own line, and one for each channel that lacks something."""
    try:
        guild, member, channels = [
            await rest.call_patiently("GET", path, most_s=_PATIENCE_S, **ids)
            for path, ids in (
                ("/guilds/{guild_id}", {"guild_id": server.id}),
                ("/guilds/{guild_id}/members/{user_id}", {"guild_id": server.id, "user_id": rest.user_id}),
                ("/guilds/{guild_id}/channels", {"guild_id": server.id}),
            )
        ]
    except (Refused, RetryLater, Ambiguous) as problem:
        return [line("error", _CANT_LOOK, lang, server=server, why=said(problem, lang))]
    wanted = permissions.wanted(persona=settings.persona)
    lines = []
    if lacking := permissions.missing(permissions.in_server(guild, member), wanted):
        link = permissions.invite_link(rest.application_id, persona=settings.persona)
        named = permissions.names(lacking, lang)
        lines.append(line("error", _LACKS_IN_SERVER, lang, server=server, permissions=named, link=link))
    return lines + _of_channels(server, guild, member, channels, wanted, lang)


def _of_channels(
    server: Server,
    guild: Json,
    member: Json,
    channels: list[Json],
    wanted: tuple[permissions.Permission, ...],
    lang: Lang,
) -> list[Line]:
    # What the server itself doesn't grant was said already.
    granted = permissions.in_server(guild, member)
    wanted = tuple(each for each in wanted if granted & each.bit)
    served, unseen, faulty = 0, 0, []
    for channel in channels:
        if channel.get("type") not in permissions.TEXT_KINDS:
            continue
        here = permissions.in_channel(guild, member, channel)
        if not here & permissions.VIEW_CHANNEL:
            unseen += 1
            continue
        served += 1
        if lacking := permissions.missing(here, wanted):
            faulty.append((str(channel.get("name") or channel["id"]), lacking))
    lines = [
        line("ok", _SERVER, lang, server=server, channels=served)
        if served
        else line("error", _NO_CHANNEL, lang, server=server)
    ]
    if unseen:
        lines.append(line("ok", _UNSEEN, lang, server=server, channels=unseen))
    for name, lacking in faulty[:_MOST_CHANNELS]:
        named = permissions.names(lacking, lang)
        lines.append(line("warning", _LACKS_IN_CHANNEL, lang, server=server, channel=name, permissions=named))
    if len(faulty) > _MOST_CHANNELS:
        lines.append(line("warning", _MORE_CHANNELS, lang, server=server, count=len(faulty) - _MOST_CHANNELS))
    return lines


def said(problem: Refused | RetryLater | Ambiguous, lang: Lang) -> str:
    """What a call that failed means for an operator."""
    return sentence(problem.code if isinstance(problem, Refused) else "unreachable", lang)

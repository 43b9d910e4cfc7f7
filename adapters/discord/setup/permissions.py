"""What the bot must be allowed to do, the link that asks for it, and what a server really allows.

Imports nothing of discord.py, so that commands and the doctor are quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from agent.language import Lang, Text

Json = Mapping[str, Any]

#: Bits (docs.discord.com, "Permissions").
VIEW_CHANNEL: Final = 1 << 10
SEND_MESSAGES: Final = 1 << 11
ADMINISTRATOR: Final = 1 << 3
_ALL: Final = (1 << 64) - 1


class Permission(NamedTuple):
    """One permission, as Discord's pages call it."""

    bit: int
    name: Text
    why: Text


PERMISSIONS: Final = (
    Permission(VIEW_CHANNEL, Text("View Channels", "查看频道"), Text("to hear what it is asked", "收到提问")),
    Permission(SEND_MESSAGES, Text("Send Messages", "发送消息"), Text("to answer", "回答")),
    Permission(
        1 << 38,
        Text("Send Messages in Threads", "在子区内发送消息"),
        Text("to answer in threads and posts", "在子区和帖子里回答"),
    ),
    Permission(
        1 << 35,
        Text("Create Public Threads", "创建公共子区"),
        Text("to open a thread for an answer", "为回答开一个子区"),
    ),
    Permission(1 << 14, Text("Embed Links", "嵌入链接"), Text("to show sources", "显示来源")),
    Permission(1 << 15, Text("Attach Files", "附加文件"), Text("for long answers and exports", "发送长回答和导出文件")),
    Permission(
        1 << 16,
        Text("Read Message History", "阅读消息历史记录"),
        Text("to reply, and to catch up after a break", "回复消息，并在中断后补上遗漏"),
    ),
    Permission(1 << 6, Text("Add Reactions", "添加反应"), Text("to show that it is busy", "表示正在忙")),
)
#: Only with `discord.persona`.
PERSONA: Final = Permission(
    1 << 29,
    Text("Manage Webhooks", "管理 Webhook"),
    Text("to answer under the profile's name and picture", "以配置中的名字和头像发言"),
)

_SCOPES: Final = "bot+applications.commands"
_AUTHORIZE: Final = "https://discord.com/oauth2/authorize"

#: Kinds of channels in which answers are given (docs, channel types): text, announcements, forum, media.
TEXT_KINDS: Final = frozenset({0, 5, 15, 16})


def wanted(*, persona: bool) -> tuple[Permission, ...]:
    """Everything that the bot needs."""
    return (*PERMISSIONS, PERSONA) if persona else PERMISSIONS


def number(permissions: Iterable[Permission]) -> int:
    """The permissions as Discord's links and roles have them."""
    return sum(permission.bit for permission in permissions)


def invite_link(application_id: int | str, *, persona: bool) -> str:
    """The page on which somebody who manages a server lets the bot in."""
    bits = number(wanted(persona=persona))
    return f"{_AUTHORIZE}?client_id={application_id}&scope={_SCOPES}&permissions={bits}"


def names(permissions: Iterable[Permission], lang: Lang) -> str:
    """For a sentence."""
    return ("、" if lang == "zh" else ", ").join(permission.name.say(lang) for permission in permissions)


def missing(granted: int, permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """What is not granted."""
    return tuple(permission for permission in permissions if not granted & permission.bit)


def in_server(guild: Json, member: Json) -> int:
    """What a member may do in a server, by its roles alone. `guild` as GET /guilds/{id}, `member` as its member."""
    if str(guild.get("owner_id")) == str(member["user"]["id"]):
        return _ALL
    roles = _roles(guild, member)
    granted = 0
    for role in guild.get("roles") or ():
        if str(role["id"]) in roles:
            granted |= int(role["permissions"])
    return _ALL if granted & ADMINISTRATOR else granted


def in_channel(guild: Json, member: Json, channel: Json) -> int:
    """What a member may do in one of a server's channels (docs, permissions, permission overwrites)."""
    granted = in_server(guild, member)
    if granted == _ALL:
        return granted
    overwrites = {str(each["id"]): each for each in channel.get("permission_overwrites") or ()}
    everyone, user = str(guild["id"]), str(member["user"]["id"])
    of_roles = [overwrites[role] for role in _roles(guild, member) - {everyone} if role in overwrites]
    steps = [
        [overwrites[everyone]] if everyone in overwrites else [],
        of_roles,
        [overwrites[user]] if user in overwrites else [],
    ]
    for step in steps:
        for each in step:
            granted &= ~int(each["deny"])
        for each in step:
            granted |= int(each["allow"])
    # Nothing can be done in what can't be seen.
    return granted if granted & VIEW_CHANNEL else 0


def _roles(guild: Json, member: Json) -> set[str]:
    """A member's roles; everyone has the one with the server's own id."""
    return {str(guild["id"]), *map(str, member.get("roles") or ())}

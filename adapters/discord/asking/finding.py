"""Where a job may post: a channel, a thread or direct messages by their id, tried before anything is done for it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from adapters.chat.tasks import OUTSIDE
from adapters.discord.connection.rest import Rest
from adapters.discord.errors import sentence
from adapters.discord.hearing.parse import DIRECT, Room, target_of
from adapters.discord.setup import permissions
from adapters.discord.texts import NOT_SERVED
from agent.language import Text
from bot.messages import Target
from bot.ports import NoPlace
from bot.posting import Refused

log = logging.getLogger(__name__)

Json = Mapping[str, Any]

_ID: Final = re.compile(r"<?#?(\d{15,20})>?")
#: Types of channels (docs, channel types): direct messages, threads, and those in which nothing is said but in posts.
_DM: Final = 1
_THREADS: Final = frozenset({10, 11, 12})
_WITHOUT_MESSAGES: Final = frozenset({4, 14, 15, 16})
#: Permission to write in threads.
_IN_THREADS: Final = 1 << 38

_BY_ID: Final = Text(
    "Write the id of the channel: switch on Developer Mode under User Settings, Advanced, then choose Copy Channel ID "
    "in the channel's menu.",
    "请填写频道 ID：在“用户设置 → 高级设置”中开启开发者模式，然后在频道菜单中选择“复制频道 ID”。",
)
_NO_MESSAGES: Final = Text(
    "Nothing can be posted there by itself: choose a text channel, or a thread.",
    "那里不能直接发消息：请选择文字频道或子区。",
)


class Finding:
    """Asks Discord."""

    def __init__(self, rest: Rest, serves: Callable[[str], bool]) -> None:
        """`serves`: whether a server is served."""
        self._rest = rest
        self._serves = serves

    async def find(self, name: str) -> Target:
        """See `bot.ports.Finds`: an id, also as clients write it ("<#123…>")."""
        found = _ID.fullmatch(name.strip())
        if found is None:
            raise NoPlace(_BY_ID)
        try:
            channel = await self._channel(found[1])
            target = target_of(_room(channel))
            await self._try(target, channel)
        except Refused as refused:
            _refuse(refused)
        return target

    async def reach(self, target: Target) -> None:
        """See `bot.ports.Finds`."""
        try:
            await self._try(target, await self._channel(target.thread or target.channel))
        except Refused as refused:
            _refuse(refused)
        except OUTSIDE as error:
            log.info("whether we may post in %s is not known: %s", target.channel, error)

    async def _channel(self, channel_id: str) -> Json:
        found: Json = await self._rest.call_patiently("GET", "/channels/{channel_id}", channel_id=channel_id)
        return found

    async def _try(self, target: Target, channel: Json) -> None:
        """Raises `NoPlace` where we may not post, and as `Rest.call` does."""
        kind = channel.get("type")
        if kind in _WITHOUT_MESSAGES:
            raise NoPlace(_NO_MESSAGES)
        if target.workspace == DIRECT:
            return
        if not self._serves(target.workspace):
            raise NoPlace(NOT_SERVED)
        server = target.workspace
        guild = await self._rest.call_patiently("GET", "/guilds/{guild_id}", guild_id=server)
        path = "/guilds/{guild_id}/members/{user_id}"
        member = await self._rest.call_patiently("GET", path, guild_id=server, user_id=self._rest.user_id)
        # Threads have the permissions of their channel.
        home = channel if kind not in _THREADS else await self._channel(target.channel)
        needed = _IN_THREADS if kind in _THREADS else permissions.SEND_MESSAGES
        if not permissions.in_channel(guild, member, home) & needed:
            raise Refused("50013")


def _room(channel: Json) -> Room:
    server, id_ = str(channel.get("guild_id") or ""), str(channel["id"])
    if channel.get("type") == _DM or not server:
        return Room(DIRECT, id_)
    if channel.get("type") in _THREADS:
        return Room(server, str(channel.get("parent_id") or id_), id_)
    return Room(server, id_)


def _refuse(refused: Refused) -> NoReturn:
    raise NoPlace(Text(sentence(refused.code, "en"), sentence(refused.code, "zh"))) from refused

"""Where things are said: channels, threads and direct messages, as the gateway's cache knows them, else as Discord
tells when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import discord

from adapters.discord.connection.calls import Calls
from adapters.discord.hearing.parse import DIRECT, Room, Us
from bot.posting import Refused, RetryLater

Json = Mapping[str, Any]

#: Types of channels that are threads: of a news channel, of any other, and private ones.
_THREADS: Final = frozenset({10, 11, 12})
#: Refusals that say that we can't see a channel: it is gone, or not for us.
_NOT_THERE: Final = frozenset({"10003", "50001", "403", "404"})
#: Rooms that were asked for and are kept in memory: threads that were archived when the gateway told of the others.
_MOST: Final = 10_000
#: Seconds between two looks at whether the gateway has told of a server.
_SOON_S: Final = 0.25


class Place(NamedTuple):
    """A channel, a thread or a direct message."""

    workspace: str
    id: str


class Places:
    """Looks up where something was said, and who we are there."""

    def __init__(self, rest: Calls, client: Callable[[], discord.Client | None], name: str) -> None:
        """`client`: the one that is connected just now. `name`: what the agent is called."""
        self._rest = rest
        self._client = client
        self._name = name
        self._asked: dict[Place, Room] = {}

    async def known_us(self, workspace: str) -> Us:
        """`us`, once the gateway has told it. Raises `RetryLater` while it hasn't: there is no client just now, or the
        server is away.
        """
        client, guild = self._client(), self._guild(workspace)
        if client is None or client.user is None:
            raise RetryLater(_SOON_S)
        if workspace != DIRECT and (guild.unavailable if guild is not None else not client.is_ready()):
            raise RetryLater(_SOON_S)
        return self.us(workspace)

    def us(self, workspace: str) -> Us:
        """Who we are in a server or in direct messages."""
        client, guild = self._client(), self._guild(workspace)
        user_id = str(client.user.id) if client is not None and client.user is not None else ""
        application = str(client.application_id or "") if client is not None else ""
        if guild is None:
            return Us(user_id, application, self._name)
        role = guild.self_role
        return Us(
            user_id,
            application,
            self._name,
            frozenset((str(role.id),)) if role is not None else frozenset(),
            role_name=lambda id_: _name(guild.get_role(int(id_))),
            channel_name=lambda id_: _name(guild.get_channel_or_thread(int(id_))),
        )

    async def room(self, place: Place) -> Room | None:
        """What a message's meaning depends on of where it stands; None where there is no such place (any more).

        Raises as `Rest.call` does.
        """
        if place.workspace == DIRECT:
            return Room(DIRECT, place.id)
        guild = self._guild(place.workspace)
        channel = guild.get_channel_or_thread(int(place.id)) if guild is not None else None
        if guild is not None and channel is not None:
            return _known(guild, channel)
        if (known := self._asked.get(place)) is not None:
            return known
        if (found := await self._ask(place)) is not None:
            if len(self._asked) >= _MOST:
                self._asked.clear()
            self._asked[place] = found
        return found

    def readable(self, place: Place) -> bool:
        """Whether we may list the messages of a channel or thread, as far as is known."""
        guild = self._guild(place.workspace)
        channel = guild.get_channel_or_thread(int(place.id)) if guild is not None else None
        if guild is None or channel is None or _me(guild) is None:
            return True
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return False
        granted = channel.permissions_for(guild.me)
        return granted.view_channel and granted.read_message_history

    def parents(self, workspace: str) -> list[str]:
        """Ids of the readable channels of a server in which threads can be."""
        guild = self._guild(workspace)
        channels = [*guild.text_channels, *guild.forums] if guild is not None else []
        return [str(one.id) for one in channels if self.readable(Place(workspace, str(one.id)))]

    def forget(self, place: Place) -> None:
        """A place is gone."""
        self._asked.pop(place, None)

    async def _ask(self, place: Place) -> Room | None:
        try:
            found = await self._rest.call("GET", "/channels/{channel_id}", channel_id=place.id)
        except Refused as refused:
            if refused.code in _NOT_THERE:
                return None
            raise
        return room_of(found, place, self.us(place.workspace))

    def _guild(self, workspace: str) -> discord.Guild | None:
        client = self._client()
        return client.get_guild(int(workspace)) if client is not None and workspace.isdecimal() else None


def room_of(channel: Json, place: Place, us: Us) -> Room | None:
    """The room of a listed `channel` object; None if it isn't in the server that the message said."""
    if str(channel.get("guild_id") or place.workspace) != place.workspace:
        return None
    if channel.get("type") in _THREADS:
        ours = str(channel.get("owner_id") or "") == us.user_id
        return Room(place.workspace, str(channel.get("parent_id") or place.id), place.id, ours=ours)
    # What the gateway has not told of we can't know the permissions in.
    return Room(place.workspace, place.id)


def _known(guild: discord.Guild, channel: discord.abc.GuildChannel | discord.Thread) -> Room:
    workspace, id_ = str(guild.id), str(channel.id)
    me = _me(guild)
    if isinstance(channel, discord.Thread):
        return Room(workspace, str(channel.parent_id), id_, ours=me is not None and channel.owner_id == me.id)
    if not isinstance(channel, discord.TextChannel):
        # In the chat of a voice channel no thread can be opened.
        return Room(workspace, id_)
    granted = channel.permissions_for(me) if me is not None else None
    opens = granted is None or (granted.create_public_threads and granted.send_messages_in_threads)
    return Room(workspace, id_, opens=opens)


def _me(guild: discord.Guild) -> discord.Member | None:
    """Ourselves, which Discord tells with every server; typed as if it always did."""
    return guild.me


def _name(thing: Any) -> str:
    return str(thing.name) if thing is not None else ""

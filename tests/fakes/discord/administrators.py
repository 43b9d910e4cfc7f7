"""What owners and moderators do: channels, roles, permissions, members, the bot itself and its developer page."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord import shapes
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.people import Body, Control
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import Channel, Overwrite

#: Of the developer page: the bit that lets an app of fewer than 10,000 users read content.
_CONTENT = 1 << 19


class Administrators:
    """Everybody who may change how things are. Nobody asks whether they may."""

    def __init__(self, discord: Discord, gateway: Gateway) -> None:
        self._discord = discord
        self._gateway = gateway

    def controls(self) -> dict[str, Control]:
        """Name → what they can do."""
        return {
            "add": self._add,
            "app": self._app,
            "overwrite": self._overwrite,
            "roles": self._roles,
            "role": self._role,
            "kick": self._kick,
            "invite": self._invite,
            "rename": self._rename,
            "remove": self._remove,
            "guild": self._guild,
        }

    async def _add(self, body: Body) -> Body:
        """Something new: `kind` is user, guild, channel, role or member; the rest as in `Population.add_…`."""
        discord = self._discord
        kind = body.pop("kind")
        if kind == "user":
            return {"id": discord.add_user(**body).id}
        if kind == "guild":
            guild = discord.add_guild(**body)
            return {"id": guild.id}
        if kind == "role":
            role = discord.add_role(**body)
            self._tell(body["guild"], "GUILD_ROLE_CREATE", {"guild_id": body["guild"], "role": shapes.role(role)})
            return {"id": role.id}
        if kind == "member":
            member = discord.add_member(**body)
            told = shapes.member(discord, member) | {"guild_id": body["guild"]}
            self._tell(body["guild"], "GUILD_MEMBER_ADD", told)
            return {"id": member.user_id}
        if kind == "channel":
            overwrites = [Overwrite(**one) for one in body.pop("overwrites", ())]
            channel = discord.add_channel(**body, overwrites=overwrites)
            self._tell(channel.guild_id, "CHANNEL_CREATE", shapes.channel(discord, channel))
            return {"id": channel.id}
        raise ValueError(f"nothing to add: {kind}")

    async def _app(self, body: Body) -> Body:
        """The developer page: `content` switches the message-content intent, `token` resets the token (open connections
        end with 4004); any other field of `Application`."""
        app = self._discord.app
        if "content" in body:
            app.flags = app.flags | _CONTENT if body.pop("content") else app.flags & ~(3 << 18)
            if not app.reads_content:
                await self._gateway.disconnect("close", None, 4014)
        for name, value in body.items():
            if not hasattr(app, name):
                raise ValueError(f"no such setting of an app: {name}")
            setattr(app, name, value)
        if "token" in body:
            await self._gateway.disconnect("close", None, 4004)
        return {}

    async def _overwrite(self, body: Body) -> Body:
        """What a channel allows (`allow`) and denies (`deny`) to a role or member (`id`); neither: nothing special any
        more."""
        channel = self._discord.channel(body["channel"])
        before = self._discord.sees(channel, self._discord.app.id)
        target = body["id"]
        if body.get("allow") or body.get("deny"):
            kind = 1 if target in self._discord.users else 0
            channel.overwrites[target] = Overwrite(target, kind, body.get("allow", 0), body.get("deny", 0))
        else:
            channel.overwrites.pop(target, None)
        # A bot is told of every channel of its servers, those that it can't view too.
        self._tell(channel.guild_id, "CHANNEL_UPDATE", shapes.channel(self._discord, channel))
        if not before and self._discord.sees(channel, self._discord.app.id):
            self._sync(channel)
        return {}

    def _sync(self, channel: Channel) -> None:
        """The bot has come to see a channel: it is told of the threads in it."""
        discord, bot = self._discord, self._discord.app.id
        threads = [one for one in discord.threads_of(channel.guild_id) if one.parent_id == channel.id]
        data: dict[str, Any] = {
            "guild_id": channel.guild_id,
            "channel_ids": [channel.id],
            "threads": [shapes.channel(discord, one) for one in threads],
            "members": [shapes.thread_member(one, bot) for one in threads if bot in one.joined],
        }
        self._tell(channel.guild_id, "THREAD_LIST_SYNC", data)

    async def _roles(self, body: Body) -> Body:
        """Which roles a member has."""
        discord = self._discord
        member = discord.guild(body["guild"]).members[body["user"]]
        member.roles = list(body["roles"])
        told = shapes.member(discord, member) | {"guild_id": body["guild"]}
        self._tell(body["guild"], "GUILD_MEMBER_UPDATE", told)
        return {}

    async def _role(self, body: Body) -> Body:
        """What a role allows."""
        role = self._discord.guild(body["guild"]).roles[body["role"]]
        role.permissions = body["permissions"]
        self._tell(body["guild"], "GUILD_ROLE_UPDATE", {"guild_id": body["guild"], "role": shapes.role(role)})
        return {}

    async def _kick(self, body: Body) -> Body:
        """Somebody is removed from a server; the bot, if nobody is named."""
        discord = self._discord
        guild = discord.guild(body["guild"])
        user = body.get("user") or discord.app.id
        if user == discord.app.id:
            self._tell(guild.id, "GUILD_DELETE", {"id": guild.id})
            del guild.members[user]
            return {}
        del guild.members[user]
        self._tell(guild.id, "GUILD_MEMBER_REMOVE", {"guild_id": guild.id, "user": shapes.user(discord.user(user))})
        return {}

    async def _invite(self, body: Body) -> Body:
        """The bot is invited to a server, with a role of its own that has these permissions."""
        discord = self._discord
        guild = discord.guild(body["guild"])
        bot = discord.app.id
        role = discord.add_role(guild.id, discord.app.name, body.get("permissions", 0), bot=bot)
        discord.add_member(guild.id, bot, [role.id])
        self._tell(guild.id, "GUILD_CREATE", shapes.guild_create(discord, guild))
        return {"role": role.id}

    async def _rename(self, body: Body) -> Body:
        """A channel or thread gets another name."""
        channel = self._discord.channel(body["channel"])
        channel.name = body["name"]
        event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        self._discord.tell(channel, event, shapes.channel(self._discord, channel))
        return {}

    async def _remove(self, body: Body) -> Body:
        """A channel or thread is deleted."""
        self._discord.remove_channel(self._discord.channel(body["channel"]))
        return {}

    async def _guild(self, body: Body) -> Body:
        """A server is `unavailable`, or available again."""
        guild = self._discord.guild(body["guild"])
        if body["unavailable"]:
            self._tell(guild.id, "GUILD_DELETE", {"id": guild.id, "unavailable": True})
        guild.unavailable = body["unavailable"]
        if not guild.unavailable:
            self._tell(guild.id, "GUILD_CREATE", shapes.guild_create(self._discord, guild))
        return {}

    def _tell(self, guild: str, event: str, data: dict[str, Any]) -> None:
        """Tell the app, if it is in this server."""
        home = self._discord.guilds[guild]
        if self._discord.app.id in home.members and not home.unavailable:
            self._discord.events.emit(event, data, guild=guild)

"""Who somebody is, as Discord describes them: `bot.ports.Knows`."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from adapters.discord.connection.calls import Calls
from adapters.discord.connection.patient import patiently
from adapters.discord.hearing.parse import DIRECT, name_of
from bot.messages import Kind, Person

Json = Mapping[str, Any]

#: Bits of a role's `permissions` that make an administrator (docs.discord.com, "Permissions").
ADMINISTRATOR: Final = 1 << 3
MANAGE_GUILD: Final = 1 << 5
#: Seconds that a server's roles are believed; who may what is asked for again after minutes, see `bot.people`.
_FRESH_S: Final = 60.0
#: Seconds for which somebody is asked for again: whom nobody can describe has no writing tools in that answer. Several
#: new people at once use up a limit that nobody has told us yet.
_PATIENCE_S: Final = 5.0


class Persons:
    """Asks Discord. Keeps servers' roles for a minute, since the people of a conversation are asked for together."""

    def __init__(self, rest: Calls) -> None:
        self._rest = rest
        self._guilds: dict[str, tuple[float, Json]] = {}

    async def person(self, workspace: str, user_id: str) -> Person:
        """The person as Discord describes them now; raises as `Rest.call` does. Nobody is a direct message's admin."""
        if workspace == DIRECT:
            return user_of(await self._ask("/users/{user_id}", user_id=user_id))
        member = await self._ask("/guilds/{guild_id}/members/{user_id}", guild_id=workspace, user_id=user_id)
        return member_of(member, await self._guild(workspace))

    async def _guild(self, guild_id: str) -> Json:
        known = self._guilds.get(guild_id)
        if known is not None and monotonic() - known[0] < _FRESH_S:
            return known[1]
        guild = await self._ask("/guilds/{guild_id}", guild_id=guild_id)
        self._guilds[guild_id] = (monotonic(), guild)
        return guild

    async def _ask(self, path: str, **ids: str) -> Json:
        """One look, tried again for a while."""
        answer: Json = await patiently(lambda: self._rest.call("GET", path, **ids), _PATIENCE_S)
        return answer


def user_of(user: Json) -> Person:
    """The person of a `user` object."""
    return Person(str(user["id"]), name_of(user), kind=_kind(user))


def member_of(member: Json, guild: Json) -> Person:
    """The person of a `member` object, in a server whose `guild` object has its owner and roles."""
    user = member.get("user") or {}
    kind = _kind(user)
    return Person(
        str(user["id"]),
        name_of(user, member),
        kind=kind,
        is_admin=kind == "member" and _is_admin(str(user["id"]), member, guild),
    )


def administers(permissions: int) -> bool:
    """Whether somebody with these permissions in a server administers it."""
    return bool(permissions & (ADMINISTRATOR | MANAGE_GUILD))


def _is_admin(user_id: str, member: Json, guild: Json) -> bool:
    if str(guild.get("owner_id") or "") == user_id:
        return True
    # Everybody has the role with the server's own id.
    roles = {str(role) for role in member.get("roles") or ()} | {str(guild.get("id"))}
    granted = 0
    for role in guild.get("roles") or ():
        if str(role.get("id")) in roles:
            granted |= int(role.get("permissions") or 0)
    return administers(granted)


def _kind(user: Json) -> Kind:
    return "bot" if user.get("bot") or user.get("system") else "member"

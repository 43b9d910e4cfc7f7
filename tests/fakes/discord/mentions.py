"""Whom a message mentions, and whom it rings."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tests.fakes.discord import errors, permissions
from tests.fakes.discord.population import Population
from tests.fakes.discord.world import Channel

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)")
#: Nothing in code is a mention.
_CODE = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)

#: Users and roles that `allowed_mentions` may name.
_MOST = 100


class Mentioned(NamedTuple):
    """What a message mentions as its JSON says, and whom that rings: user ids, "&role", "everyone"."""

    users: list[str]
    roles: list[str]
    everyone: bool
    pings: list[str]


def check_allowed(allowed: Any) -> None:
    """`allowed_mentions`, as the app sent it."""
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        raise errors.invalid_form("allowed_mentions", "MODEL_TYPE_CONVERT", "Only dictionaries may be used")
    parse = allowed.get("parse") or []
    if set(parse) - {"users", "roles", "everyone"}:
        raise errors.bad_choice("allowed_mentions.parse", "'users', 'roles', 'everyone'")
    for kind in ("users", "roles"):
        named = allowed.get(kind) or []
        if kind in parse and named:
            code, words = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f'parse:["{kind}"] and {kind}: [ids...] exclude'
            raise errors.invalid_form("allowed_mentions", code, f"{words} each other.")
        if len(named) > _MOST:
            raise errors.too_long(f"allowed_mentions.{kind}", _MOST)


def resolve(
    world: Population,
    place: Channel,
    author: str,
    content: str,
    *,
    allowed: dict[str, Any] | None = None,
    replied: str = "",
    webhook: bool = False,
) -> Mentioned:
    """Whom a message of `author` in `place` mentions. `allowed` is its `allowed_mentions`: without it everything that
    looks like a mention is one. `replied`: whom it replies to."""
    bare = _CODE.sub(" ", content)
    parse = set((allowed or {}).get("parse") or ()) if allowed is not None else {"users", "roles", "everyone"}
    named_users = {str(one) for one in (allowed or {}).get("users") or ()}
    named_roles = {str(one) for one in (allowed or {}).get("roles") or ()}
    users = [
        one
        for one in dict.fromkeys(_USER.findall(bare))
        if one in world.users and ("users" in parse or one in named_users)
    ]
    reply_rings = allowed is None or bool(allowed.get("replied_user"))
    if replied and reply_rings and replied in world.users and replied not in users:
        users.append(replied)
    rings = [one for one in users if one != author and world.sees(place, one)]
    if place.direct:
        return Mentioned(users, [], False, rings)
    all_roles = world.guilds[place.guild_id].roles
    roles = [
        one
        for one in dict.fromkeys(_ROLE.findall(bare))
        if one in all_roles and ("roles" in parse or one in named_roles)
    ]
    may = webhook or bool(world.permissions(place, author) & permissions.MENTION_EVERYONE)
    rings += [f"&{one}" for one in roles if may or all_roles[one].mentionable]
    everyone = may and "everyone" in parse and _EVERYONE.search(bare) is not None
    return Mentioned(users, roles, everyone, rings + (["everyone"] if everyone else []))

"""Who the bot is, where it is, and whom it meets there."""

from __future__ import annotations

from tests.fakes.discord import shapes
from tests.fakes.discord.api.call import Call, Json, Method
from tests.fakes.discord.world import DiscordError


def me(call: Call) -> Json:
    """The bot user."""
    return shapes.user(call.discord.users[call.bot]) | {
        "verified": True,
        "mfa_enabled": True,
        "email": None,
        "flags": 0,
    }


def application(call: Call) -> Json:
    """The app as its developer page shows it, with the flags that tell which intents are switched on."""
    discord, app = call.discord, call.discord.app
    owner = discord.users.get(app.owner_id) or discord.users[app.id]
    return {
        "id": app.id,
        "name": app.name,
        "icon": None,
        "description": "",
        "bot_public": app.public,
        "bot_require_code_grant": False,
        "owner": shapes.user(owner),
        "bot": shapes.user(discord.users[app.id]),
        "team": None,
        "verify_key": app.public_key,
        "flags": app.flags,
        "rpc_origins": [],
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "approximate_guild_count": sum(1 for guild in discord.guilds.values() if app.id in guild.members),
        "integration_types_config": {"0": {}},
    }


def gateway(call: Call) -> Json:
    """Where the gateway is."""
    return {"url": call.discord.gateway_url}


def gateway_bot(call: Call) -> Json:
    """Where the gateway is, how many shards are recommended, and how many sessions may be begun."""
    discord = call.discord
    return {
        "url": discord.gateway_url,
        "shards": discord.config.shards,
        "session_start_limit": {
            "total": discord.config.identifies,
            "remaining": discord.config.identifies,
            "reset_after": 86_400_000,
            "max_concurrency": discord.config.max_concurrency,
        },
    }


def guilds(call: Call) -> list[Json]:
    """The servers that the bot is in."""
    return [
        {"id": one.id, "name": one.name, "icon": None, "owner": False, "permissions": "0", "features": []}
        for one in call.discord.guilds.values()
        if call.bot in one.members
    ]


def guild(call: Call) -> Json:
    """A server; 10004 where the bot isn't in it."""
    found = call.discord.guild(call.snowflake(call.ids["guild"], "guild_id"))
    if call.bot not in found.members:
        raise DiscordError(404, 10004, "Unknown Guild")
    return shapes.guild(call.discord, found)


def channels(call: Call) -> list[Json]:
    """The channels of a server without its threads."""
    found = call.guild()
    return [
        shapes.channel(call.discord, one)
        for one in call.discord.channels.values()
        if one.guild_id == found.id and not one.is_thread
    ]


def roles(call: Call) -> list[Json]:
    """The roles of a server."""
    return [shapes.role(one) for one in call.guild().roles.values()]


def member(call: Call) -> Json:
    """Somebody in a server."""
    found, name = call.guild(), call.ids["user"]
    name = call.bot if name == "@me" else call.snowflake(name, "user_id")
    if name not in found.members:
        call.discord.user(name)
        raise DiscordError(404, 10007, "Unknown Member")
    return shapes.member(call.discord, found.members[name])


def user(call: Call) -> Json:
    """Anybody."""
    return shapes.user(call.discord.user(call.snowflake(call.ids["user"], "user_id")))


METHODS = {
    "GET /users/@me": Method(me),
    "GET /applications/@me": Method(application),
    "GET /oauth2/applications/@me": Method(application),
    "GET /gateway": Method(gateway, token=False),
    "GET /gateway/bot": Method(gateway_bot),
    "GET /users/@me/guilds": Method(guilds),
    "GET /users/{user}": Method(user),
    "GET /guilds/{guild}": Method(guild),
    "GET /guilds/{guild}/channels": Method(channels),
    "GET /guilds/{guild}/roles": Method(roles),
    "GET /guilds/{guild}/members/{user}": Method(member),
}

"""Permission bits, and what somebody may do in a channel."""

from __future__ import annotations

from tests.fakes.discord.world import Channel, Guild

CREATE_INVITE = 1 << 0
KICK_MEMBERS = 1 << 1
BAN_MEMBERS = 1 << 2
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
MANAGE_ROLES = 1 << 28
MANAGE_WEBHOOKS = 1 << 29
USE_APPLICATION_COMMANDS = 1 << 31
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_MESSAGES_IN_THREADS = 1 << 38
BYPASS_SLOWMODE = 1 << 52

#: Everything that a bit stands for today.
ALL = (1 << 53) - 1
#: What @everyone has in the prepared servers.
EVERYBODY = (
    CREATE_INVITE
    | ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS
)
#: What both sides of a DM have.
DIRECT = (
    ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | MENTION_EVERYONE
    | USE_APPLICATION_COMMANDS
)


def in_guild(guild: Guild, user: str) -> int:
    """What the roles of a member allow everywhere; 0 for strangers."""
    member = guild.members.get(user)
    if member is None:
        return 0
    if guild.owner_id == user:
        return ALL
    allowed = guild.roles[guild.id].permissions
    for role in member.roles:
        allowed |= guild.roles[role].permissions
    return ALL if allowed & ADMINISTRATOR else allowed


def in_channel(guild: Guild, channel: Channel, user: str) -> int:
    """What a member may do in a channel that isn't a thread: roles, then overwrites of @everyone, of roles, of the
    member. Without View Channel, nothing."""
    allowed = in_guild(guild, user)
    if allowed == ALL or allowed == 0:
        return allowed
    overwrites = channel.overwrites
    everyone = overwrites.get(guild.id)
    if everyone is not None:
        allowed = allowed & ~everyone.deny | everyone.allow
    deny = allow = 0
    for role in guild.members[user].roles:
        if role in overwrites:
            deny |= overwrites[role].deny
            allow |= overwrites[role].allow
    allowed = allowed & ~deny | allow
    own = overwrites.get(user)
    if own is not None:
        allowed = allowed & ~own.deny | own.allow
    return allowed if allowed & VIEW_CHANNEL else 0

"""How Discord writes the things of the world in JSON."""

from __future__ import annotations

import hashlib
import mimetypes
from typing import Any

from tests.fakes.discord.clock import iso, made_at
from tests.fakes.discord.population import Population
from tests.fakes.discord.world import (
    FORUM,
    HAS_THREAD,
    REPLY,
    THREAD_STARTER,
    VOICE,
    Attachment,
    Channel,
    Guild,
    Interaction,
    Member,
    Message,
    Role,
    User,
    Webhook,
)

Json = dict[str, Any]

#: What is taken out of a message for a bot that doesn't read content.
_CONTENT: Json = {"content": "", "attachments": [], "embeds": [], "components": []}


def user(item: User) -> Json:
    """A user."""
    return {
        "id": item.id,
        "username": item.username,
        "global_name": item.global_name,
        "discriminator": "0",
        "avatar": item.avatar,
        "bot": item.bot,
        "public_flags": 0,
    }


def member(world: Population, item: Member, *, whole: bool = True) -> Json:
    """A member; not `whole`: without the user, as it comes beside a message's author."""
    shown: Json = {
        "roles": item.roles,
        "nick": item.nick,
        "avatar": None,
        "joined_at": iso(item.joined_at),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }
    return shown | ({"user": user(world.users[item.user_id])} if whole else {})


def role(item: Role) -> Json:
    """A role."""
    shown: Json = {
        "id": item.id,
        "name": item.name,
        "permissions": str(item.permissions),
        "position": item.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": bool(item.bot_id),
        "mentionable": item.mentionable,
        "flags": 0,
    }
    return shown | ({"tags": {"bot_id": item.bot_id}} if item.bot_id else {})


def guild(world: Population, item: Guild) -> Json:
    """A server, as GET /guilds gives it."""
    return {
        "id": item.id,
        "name": item.name,
        "icon": None,
        "owner_id": item.owner_id,
        "roles": [role(one) for one in item.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "afk_timeout": 300,
        "afk_channel_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "premium_tier": item.premium_tier,
        "premium_subscription_count": 0,
        "preferred_locale": item.preferred_locale,
        "description": None,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "vanity_url_code": None,
        "application_id": None,
        "approximate_member_count": len(item.members),
    }


def guild_create(world: Population, item: Guild) -> Json:
    """GUILD_CREATE: a server with the channels and threads in it. Channels that the bot can't view are in it as well,
    as on Discord."""
    bot = world.app.id
    return guild(world, item) | {
        "joined_at": iso(item.members[bot].joined_at if bot in item.members else 0.0),
        "large": False,
        "unavailable": False,
        "member_count": len(item.members),
        "members": [member(world, item.members[bot])] if bot in item.members else [],
        "channels": [
            channel(world, one) for one in world.channels.values() if one.guild_id == item.id and not one.is_thread
        ],
        "threads": [channel(world, one) for one in world.threads_of(item.id) if world.sees(one, bot)],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def channel(world: Population, item: Channel) -> Json:
    """A channel, a DM or a thread."""
    shown: Json = {"id": item.id, "type": item.type, "last_message_id": item.last_message_id, "flags": item.flags}
    if item.direct:
        return shown | {"recipients": [user(world.users[one]) for one in item.recipients]}
    shown |= {
        "guild_id": item.guild_id,
        "name": item.name,
        "parent_id": item.parent_id,
        "rate_limit_per_user": item.slow,
        "nsfw": False,
    }
    if item.is_thread:
        return shown | _thread(world, item)
    overwrites = [
        {"id": one.id, "type": one.type, "allow": str(one.allow), "deny": str(one.deny)}
        for one in item.overwrites.values()
    ]
    shown |= {"position": item.position, "topic": item.topic, "permission_overwrites": overwrites}
    if item.type == VOICE:
        shown |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None, "video_quality_mode": 1}
    if item.type == FORUM:
        tags = [
            {"id": tag, "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
            for tag, name in item.tags.items()
        ]
        shown |= {"available_tags": tags, "default_reaction_emoji": None, "default_forum_layout": 0}
    return shown


def _thread(world: Population, item: Channel) -> Json:
    shown: Json = {
        "owner_id": item.owner_id,
        "message_count": item.sent,
        "total_message_sent": item.sent,
        "member_count": len(item.joined),
        "applied_tags": item.applied_tags,
        "thread_metadata": {
            "archived": item.archived,
            "archive_timestamp": iso(item.archived_at),
            "auto_archive_duration": item.auto_archive_minutes,
            "locked": item.locked,
            "create_timestamp": iso(item.created_at),
        },
    }
    bot = world.app.id
    return shown | ({"member": thread_member(item, bot)} if bot in item.joined else {})


def thread_member(item: Channel, user_id: str) -> Json:
    """Somebody in a thread."""
    return {"id": item.id, "user_id": user_id, "join_timestamp": iso(item.joined[user_id]), "flags": 1}


def webhook(world: Population, item: Webhook) -> Json:
    """A webhook. Its token is shown to whoever may see it at all and owns the app that made it."""
    shown: Json = {
        "id": item.id,
        "type": 1,
        "channel_id": item.channel_id,
        "guild_id": item.guild_id,
        "name": item.name,
        "avatar": item.avatar,
        "application_id": item.application_id,
        "user": user(world.users[item.user_id]),
    }
    hidden = item.application_id is not None and item.application_id != world.app.id
    return shown | ({} if hidden else {"token": item.token})


def attachment(world: Population, item: Attachment) -> Json:
    """An attachment with an address that is signed and expires."""
    until = int(world.clock.now() + world.config.url_life)
    path = f"/attachments/{item.channel_id}/{item.id}/{item.filename}"
    signed = f"{world.origin}{path}?ex={until:x}&is={int(world.clock.now()):x}&hm={signature(path, until)}&"
    shown: Json = {
        "id": item.id,
        "filename": item.filename,
        "size": len(item.content),
        "url": signed,
        "proxy_url": signed,
    }
    if item.content_type is not None:
        shown["content_type"] = item.content_type
    if item.description is not None:
        shown["description"] = item.description
    if item.title is not None:
        shown["title"] = item.title
    return shown


def signature(path: str, until: int) -> str:
    """What makes an attachment's address good."""
    return hashlib.sha256(f"fake-discord:{path}:{until:x}".encode()).hexdigest()


def author(world: Population, item: Message) -> Json:
    """Who wrote a message, by the name that it shows."""
    if not item.webhook_id:
        return user(world.users[item.author_id])
    return {
        "id": item.webhook_id,
        "username": item.username,
        "global_name": None,
        "discriminator": "0000",
        "avatar": None,
        "bot": True,
    }


def message(world: Population, item: Message, *, referenced: bool = True) -> Json:
    """A message as REST gives it, whole: see `veiled`."""
    thread = world.channels.get(item.thread_id) if item.thread_id else None
    shown: Json = {
        "id": item.id,
        "channel_id": item.channel_id,
        "type": item.type,
        "author": author(world, item),
        "content": item.content,
        "timestamp": iso(made_at(item.id)),
        "edited_timestamp": None if item.edited_at is None else iso(item.edited_at),
        "tts": item.tts,
        "mention_everyone": item.mention_everyone,
        "mentions": [user(world.users[one]) for one in item.mentions],
        "mention_roles": item.mention_roles,
        "attachments": [attachment(world, one) for one in item.attachments],
        "embeds": item.embeds + item.previews,
        "components": item.components,
        "pinned": False,
        "flags": item.flags | (HAS_THREAD if thread is not None else 0),
    }
    if item.webhook_id:
        shown["webhook_id"] = item.webhook_id
    if item.application_id:
        shown["application_id"] = item.application_id
    if item.reactions:
        shown["reactions"] = [
            {
                "emoji": {"id": None, "name": emoji},
                "count": len(users),
                "count_details": {"burst": 0, "normal": len(users)},
                "me": world.app.id in users,
                "me_burst": False,
                "burst_colors": [],
            }
            for emoji, users in item.reactions.items()
        ]
    if thread is not None:
        shown["thread"] = channel(world, thread)
    if item.interaction_id:
        shown["interaction_metadata"] = _origin(world, item)
    if item.stickers:
        shown["sticker_items"] = item.stickers
    if item.poll is not None:
        shown["poll"] = item.poll
    if item.snapshots:
        shown["message_snapshots"] = [{"message": one} for one in item.snapshots]
    if item.reference is not None:
        shown |= _reference(world, item, referenced=referenced)
    return shown


def _reference(world: Population, item: Message, *, referenced: bool) -> Json:
    assert item.reference is not None
    place = world.channels.get(item.reference.channel_id)
    shown: Json = {
        "message_reference": {
            "type": item.reference.type,
            "channel_id": item.reference.channel_id,
        }
        | ({"message_id": item.reference.message_id} if item.reference.message_id else {})
        | ({"guild_id": place.guild_id} if place is not None and place.guild_id else {})
    }
    if not referenced or item.type not in (REPLY, THREAD_STARTER):
        return shown
    target = world.messages.get(item.reference.message_id)
    gone = target is None or target.deleted_at is not None
    return shown | {"referenced_message": None if gone or target is None else message(world, target, referenced=False)}


def _origin(world: Population, item: Message) -> Json:
    interaction = world.interactions_by_id.get(item.interaction_id)
    shown: Json = {"id": item.interaction_id, "type": 2, "authorizing_integration_owners": {}}
    if interaction is not None:
        shown |= {"type": interaction.type, "user": user(world.users[interaction.user_id])}
    return shown


def message_event(world: Population, item: Message) -> Json:
    """A message as MESSAGE_CREATE and MESSAGE_UPDATE carry it, whole: the gateway veils it."""
    place = world.channels[item.channel_id]
    shown = message(world, item) | {"channel_type": place.type}
    if item.nonce is not None:
        shown["nonce"] = item.nonce
    if not place.guild_id:
        return shown
    members = world.guilds[place.guild_id].members
    shown["guild_id"] = place.guild_id
    if not item.webhook_id and item.author_id in members:
        shown["member"] = member(world, members[item.author_id], whole=False)
    shown["mentions"] = [
        one | ({"member": member(world, members[one["id"]], whole=False)} if one["id"] in members else {})
        for one in shown["mentions"]
    ]
    return shown


def veiled(world: Population, shown: Json) -> Json:
    """A message as a bot without the message-content intent gets it (facts 1): empty, but in a DM, where it mentions
    the bot, or where the bot wrote it. What it replies to is veiled likewise."""
    place = world.channels.get(str(shown.get("channel_id")))
    if place is None or "author" not in shown:
        return shown
    bot = world.app.id
    open_to_it = (
        place.direct
        or shown["author"]["id"] == bot
        or shown.get("application_id") == bot
        or any(one["id"] == bot for one in shown["mentions"])
    )
    if not open_to_it:
        shown = {name: value for name, value in shown.items() if name not in ("poll", "message_snapshots")} | _CONTENT
    if shown.get("referenced_message"):
        shown = shown | {"referenced_message": veiled(world, shown["referenced_message"])}
    return shown


def seen(world: Population, item: Message) -> Json:
    """A message as people see it, for the log: all of it, whatever a bot may read."""
    place = world.channels[item.channel_id]
    return {
        "subject": item.subject,
        "id": item.id,
        "channel": item.channel_id,
        "guild": place.guild_id,
        "parent": place.parent_id if place.is_thread else None,
        "recipient": place.recipients[0] if place.direct else "",
        "type": item.type,
        "author": item.author_id,
        "name": item.username,
        "webhook": item.webhook_id,
        "content": item.content,
        "embeds": item.embeds,
        "components": item.components,
        "attachments": [_attached(one) for one in item.attachments],
        "flags": item.flags,
        "reply_to": item.reference.message_id if item.reference is not None else None,
        "interaction": item.interaction_id,
        "ephemeral_to": item.ephemeral_to,
        "nonce": item.nonce,
        "pings": item.pings,
        "edited": item.edited_at,
        "gone": item.deleted_at is not None,
    }


def _attached(item: Attachment) -> Json:
    """An attachment, as the log has it; of a picture `digest`, by which two that look alike are known."""
    shown = {"name": item.filename, "size": len(item.content), "id": item.id, "about": item.description or ""}
    if not (item.content_type or mimetypes.guess_type(item.filename)[0] or "").startswith("image/"):
        return shown
    return shown | {"digest": hashlib.sha256(item.content).hexdigest()[:16]}


def interaction(world: Population, item: Interaction, pressed: Message | None) -> Json:
    """INTERACTION_CREATE."""
    place = world.channels[item.channel_id]
    who = user(world.users[item.user_id])
    shown: Json = {
        "id": item.id,
        "application_id": world.app.id,
        "type": item.type,
        "token": item.token,
        "version": 1,
        "data": item.data,
        "channel_id": place.id,
        "channel": channel(world, place) | {"permissions": str(world.permissions(place, item.user_id))},
        "locale": item.locale,
        "app_permissions": str(world.permissions(place, world.app.id)),
        "entitlements": [],
        "attachment_size_limit": world.config.file_size,
        "authorizing_integration_owners": {"0": place.guild_id or "0"},
        "context": 0 if place.guild_id else 1,
    }
    if pressed is not None:
        shown["message"] = message(world, pressed)
    if not place.guild_id:
        return shown | {"user": who}
    home = world.guilds[place.guild_id]
    there = member(world, home.members[item.user_id])
    return shown | {
        "guild_id": home.id,
        "guild_locale": home.preferred_locale,
        "guild": {"id": home.id, "locale": home.preferred_locale, "features": []},
        "member": there | {"permissions": str(world.permissions(place, item.user_id))},
    }

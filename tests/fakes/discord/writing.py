"""How what the app sends becomes a message, whichever way it came: as the bot, through a webhook, as an answer to an
interaction."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.discord import errors, mentions
from tests.fakes.discord.content import Content, no_content
from tests.fakes.discord.state import Discord
from tests.fakes.discord.world import EPHEMERAL, IS_COMPONENTS_V2, SUPPRESS_EMBEDS, Attachment, Channel, Message


def file_size(discord: Discord, place: Channel) -> int:
    """Bytes of one file: more in servers that are boosted."""
    tier = discord.guilds[place.guild_id].premium_tier if place.guild_id else 0
    return {2: 50 * 1024 * 1024, 3: 100 * 1024 * 1024}.get(tier, discord.config.file_size)


def compose(discord: Discord, place: Channel, content: Content, draft: Message) -> Message:
    """`draft` with everything that `content` brings, and an id, unless it has one. Raises `DiscordError` where there is
    nothing in it."""
    if content.empty:
        raise no_content()
    message = replace(draft, id=draft.id or discord.clock.snowflake(), channel_id=place.id)
    message.content = content.text or ""
    message.embeds = content.embeds or []
    message.components = content.components or []
    message.attachments = _upload(discord, place, content)
    message.flags |= content.flags or 0
    message.poll = content.poll
    message.nonce = content.nonce
    _mention(discord, place, message, content)
    if not message.flags & EPHEMERAL:
        message.ephemeral_to = ""
    else:
        message.pings = []
    return message


def revise(discord: Discord, message: Message, content: Content, *, first: bool = False) -> None:
    """Change a message; `first`: it was only a promise until now (a deferred answer), so that it rings and isn't shown
    as edited. Raises `DiscordError`, and then nothing has changed."""
    place = discord.channels[message.channel_id]
    _check_left(message, content)
    if content.text is not None:
        message.content = content.text
    if content.embeds is not None:
        message.embeds = content.embeds
    if content.components is not None:
        message.components = content.components
    if content.kept is not None:
        message.attachments = [one for one in message.attachments if one.id in content.kept]
    message.attachments = message.attachments + _upload(discord, place, content)
    if content.flags is not None:
        changeable = SUPPRESS_EMBEDS | IS_COMPONENTS_V2
        # Components V2 can't be taken back (facts 0.8).
        keep = message.flags & (~changeable | IS_COMPONENTS_V2)
        message.flags = keep | content.flags & changeable
    if content.text is not None:
        rung = message.pings
        _mention(discord, place, message, content)
        if not first:
            # An edit rings nobody.
            message.pings = rung
    if message.flags & EPHEMERAL:
        message.pings = []
    if not first:
        message.edited_at = discord.clock.now()


def _check_left(message: Message, content: Content) -> None:
    """50006 where nothing would be left, and 50035 where both kinds of message would be mixed."""
    text = message.content if content.text is None else content.text
    embeds = message.embeds if content.embeds is None else content.embeds
    rows = message.components if content.components is None else content.components
    kept = [one for one in message.attachments if content.kept is None or one.id in content.kept]
    if message.flags & IS_COMPONENTS_V2 and (text or embeds):
        code, words = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The 'content' field cannot be used"
        raise errors.invalid_form("content", code, f"{words} when using MessageFlags.IS_COMPONENTS_V2")
    if not (text or embeds or rows or kept or content.files or message.poll or message.stickers):
        raise no_content()


def _upload(discord: Discord, place: Channel, content: Content) -> list[Attachment]:
    return [
        discord.attach(place.id, upload.filename, upload.content, upload.content_type, description)
        for upload, description in content.files
    ]


def _mention(discord: Discord, place: Channel, message: Message, content: Content) -> None:
    replied = discord.messages.get(message.reference.message_id) if message.reference is not None else None
    found = mentions.resolve(
        discord,
        place,
        message.author_id,
        message.content,
        allowed=content.allowed,
        replied=replied.author_id if replied is not None else "",
        webhook=bool(message.webhook_id),
    )
    message.mentions, message.mention_roles = found.users, found.roles
    message.mention_everyone, message.pings = found.everyone, found.pings

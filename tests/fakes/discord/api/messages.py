"""Messages of a channel: writing, changing, deleting, reading, reacting, typing."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from tests.fakes.discord import content as contents
from tests.fakes.discord import errors, permissions, shapes
from tests.fakes.discord.api.call import Call, Json, Method, check_active, check_writable
from tests.fakes.discord.clock import made_at
from tests.fakes.discord.content import Content
from tests.fakes.discord.world import (
    DEFAULT,
    REPLY,
    SUPPRESS_EMBEDS,
    Channel,
    DiscordError,
    Message,
    Reference,
)
from tests.fakes.discord.writing import compose, file_size, revise

#: Types of messages that can be replied to; the others are Discord's own.
_REPLIED = frozenset({0, 19, 20, 23})


def create(call: Call) -> Json:
    """A new message; a nonce that is to be enforced gives back what it made before (facts 0.4)."""
    place = call.channel()
    check_writable(call, place)
    return call.shown(post(call, place))


def post(call: Call, place: Channel) -> Message:
    """What the body says, written as the bot."""
    form, discord = call.form, call.discord
    content = read_content(call, place, form)
    if content.nonce is not None and form.get("enforce_nonce"):
        known = discord.by_nonce(call.bot, content.nonce)
        if known is not None:
            return known
    reference = _reference(call, place, form.get("message_reference"))
    draft = Message("", place.id, call.bot, type=REPLY if reference is not None else DEFAULT, reference=reference)
    message = compose(discord, place, content, draft)
    if content.nonce is not None:
        discord.remember_nonce(call.bot, content.nonce, message)
    return discord.post(message)


def read_content(call: Call, place: Channel, form: Json) -> Content:
    """What a message is to show, and that the bot may show it there: files and embeds have permissions of their own."""
    content = contents.read(form, call.uploads, file_size=file_size(call.discord, place))
    if content.files:
        call.need(place, permissions.ATTACH_FILES)
    if content.embeds:
        call.need(place, permissions.EMBED_LINKS)
    return content


def _reference(call: Call, place: Channel, given: Json | None) -> Reference | None:
    """What it replies to; None where that is gone and the app said that it doesn't mind."""
    if not given:
        return None
    name = call.snowflake(given.get("message_id"), "message_reference.message_id")
    if given.get("type", 0) != 0:
        raise errors.bad_choice("message_reference.type", "0")
    if not call.allowed(place) & permissions.READ_MESSAGE_HISTORY:
        raise DiscordError(403, 160002, "Cannot reply without permission to read message history")
    target = call.discord.messages.get(name)
    if target is None or target.channel_id != place.id or target.deleted_at is not None:
        if given.get("fail_if_not_exists") is False:
            return None
        raise errors.invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    if target.type not in _REPLIED:
        code, words = "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
        raise errors.invalid_form("message_reference", code, words)
    return Reference(target.id, place.id)


def edit(call: Call) -> Json:
    """The bot's own; of others only whether embeds are shown. Not in the archive (facts 4.8), and not too often once
    the message is an hour old (facts "REST rate limits")."""
    place = call.channel()
    message = call.message(place)
    if message.author_id != call.bot:
        _suppress(call, place, message)
        return call.shown(message)
    check_active(place)
    discord = call.discord
    content = read_content(call, place, call.form)
    if discord.clock.now() - made_at(message.id) > discord.config.old_after:
        words = "Maximum number of edits to messages older than 1 hour reached."
        call.charge("old-edit", place.id, 30046, words)
    revise(discord, message, content)
    discord.change(message, ours=True)
    return call.shown(message)


def _suppress(call: Call, place: Channel, message: Message) -> None:
    if set(call.form) != {"flags"} or not call.allowed(place) & permissions.MANAGE_MESSAGES:
        raise DiscordError(403, 50005, "Cannot edit a message authored by another user")
    message.flags = message.flags & ~SUPPRESS_EMBEDS | int(call.form["flags"]) & SUPPRESS_EMBEDS
    call.discord.change(message)


def delete(call: Call) -> None:
    """The bot's own, or anybody's with Manage Messages; in the archive too, unless it is locked."""
    place = call.channel()
    message = call.message(place)
    if message.author_id != call.bot:
        call.need(place, permissions.MANAGE_MESSAGES)
    if place.archived and place.locked:
        raise errors.archived()
    call.discord.remove(message, ours=call.discord.is_ours(message))


def read_one(call: Call) -> Json:
    """One message."""
    place = call.channel()
    if not call.allowed(place) & permissions.READ_MESSAGE_HISTORY:
        raise errors.missing_access()
    return call.shown(call.message(place))


def read_many(call: Call) -> list[Json]:
    """The newest first; `after` begins with the oldest behind it. Without Read Message History there are none."""
    place = call.channel()
    most = call.number("limit", 50, 1, 100)
    if not call.allowed(place) & permissions.READ_MESSAGE_HISTORY:
        return []
    found = call.discord.history(place, lag=call.discord.config.read_lag)
    bounds = {name: int(call.snowflake(call.query[name], name)) for name in _BOUNDS if name in call.query}
    return [call.shown(message) for message in reversed(_within(found, bounds, most))]


_BOUNDS = ("around", "before", "after")


def _within(found: list[Message], bounds: dict[str, int], most: int) -> list[Message]:
    """At most `most` of the messages, oldest first."""
    if "around" in bounds:
        middle = bounds["around"]
        before = [one for one in found if int(one.id) < middle][-(most // 2) :]
        rest = [one for one in found if int(one.id) >= middle][: most - len(before)]
        return before + rest
    if "before" in bounds:
        found = [one for one in found if int(one.id) < bounds["before"]]
    if "after" in bounds:
        return [one for one in found if int(one.id) > bounds["after"]][:most]
    return found[-most:]


def type_(call: Call) -> None:
    """ "kagent is typing", for ten seconds."""
    place = call.channel()
    check_writable(call, place)
    discord = call.discord
    data = {"channel_id": place.id, "user_id": call.bot, "timestamp": int(discord.clock.now())}
    discord.tell(place, "TYPING_START", data | ({"guild_id": place.guild_id} if place.guild_id else {}))


def react(call: Call) -> None:
    """The bot reacts."""
    place = call.channel()
    message = call.message(place)
    check_active(place)
    emoji = unquote(call.ids["emoji"])
    call.need(place, permissions.READ_MESSAGE_HISTORY)
    if emoji not in message.reactions:
        call.need(place, permissions.ADD_REACTIONS)
    if emoji.isascii() and ":" not in emoji:
        raise DiscordError(400, 10014, "Unknown Emoji")
    call.discord.react(message, call.bot, emoji)


def unreact(call: Call) -> None:
    """The bot takes its reaction back."""
    place = call.channel()
    message = call.message(place)
    check_active(place)
    call.discord.unreact(message, call.bot, unquote(call.ids["emoji"]))


def refresh(call: Call) -> Json:
    """POST /attachments/refresh-urls: addresses that are good for another while."""
    urls: Iterable[str] = call.form.get("attachment_urls") or ()
    refreshed = []
    for url in urls:
        known = call.discord.attachments.get(url.split("/attachments/")[-1].split("/")[1])
        fresh = shapes.attachment(call.discord, known)["url"] if known is not None else None
        refreshed.append({"original": url, "refreshed": fresh})
    return {"refreshed_urls": refreshed}


METHODS = {
    "POST /channels/{channel}/messages": Method(create, "post"),
    "PATCH /channels/{channel}/messages/{message}": Method(edit, "edit"),
    "DELETE /channels/{channel}/messages/{message}": Method(delete, "delete"),
    "GET /channels/{channel}/messages": Method(read_many, "history"),
    "GET /channels/{channel}/messages/{message}": Method(read_one, "message"),
    "POST /channels/{channel}/typing": Method(type_, "typing"),
    "PUT /channels/{channel}/messages/{message}/reactions/{emoji}/@me": Method(react, "reaction"),
    "DELETE /channels/{channel}/messages/{message}/reactions/{emoji}/@me": Method(unreact, "reaction"),
    "POST /attachments/refresh-urls": Method(refresh),
}

"""Channels, DMs and threads."""

from __future__ import annotations

from typing import Any

from tests.fakes.discord import errors, permissions, shapes
from tests.fakes.discord.api.call import Call, Json, Method, check_active
from tests.fakes.discord.api.messages import read_content
from tests.fakes.discord.content import no_content
from tests.fakes.discord.world import (
    DEFAULT,
    FORUM,
    NEWS,
    PRIVATE_THREAD,
    REPLY,
    TEXT,
    THREADS,
    Channel,
    DiscordError,
    Message,
)
from tests.fakes.discord.writing import compose

_DURATIONS = (60, 1440, 4320, 10080)
_NAME = 100
#: A forum's flag that posts need a tag.
_REQUIRE_TAG = 1 << 4
#: Types of messages that a thread can be opened from.
_OPENED_FROM = frozenset({DEFAULT, REPLY, 20, 23})


def read(call: Call) -> Json:
    """A channel, a DM, a thread."""
    return shapes.channel(call.discord, call.channel())


def change(call: Call) -> Json:
    """A thread by its owner or with Manage Threads; a channel with Manage Channels."""
    place = call.channel()
    if "name" in call.form or "topic" in call.form:
        call.charge("rename", place.id)
    if place.is_thread:
        _change_thread(call, place)
    else:
        call.need(place, permissions.MANAGE_CHANNELS)
        if "name" in call.form:
            place.name = call.text("name", 1, _NAME)
        place.topic = call.form.get("topic", place.topic)
        call.discord.tell(place, "CHANNEL_UPDATE", shapes.channel(call.discord, place))
    return shapes.channel(call.discord, place)


def _change_thread(call: Call, thread: Channel) -> None:
    """Whoever may write in it may take it out of the archive, if it isn't locked; nothing else of an archived one can
    be changed (facts 4.8)."""
    form = call.form
    moderates = bool(call.allowed(thread) & permissions.MANAGE_THREADS)
    wakes = form.get("archived") is False
    if not moderates:
        if "locked" in form or (thread.locked and "archived" in form):
            raise errors.missing_permissions()
        if thread.owner_id != call.bot and not (wakes and set(form) == {"archived"}):
            raise errors.missing_permissions()
        call.need(thread, permissions.SEND_MESSAGES_IN_THREADS)
    if thread.archived and not wakes and set(form) - {"locked"}:
        raise errors.archived()
    if "name" in form:
        thread.name = call.text("name", 1, _NAME)
    thread.locked = bool(form.get("locked", thread.locked))
    thread.auto_archive_minutes = _duration(form, thread.auto_archive_minutes)
    if "archived" in form:
        _check_room(call, thread, form["archived"])
    call.discord.archive(thread, archived=bool(form.get("archived", thread.archived)))


def _check_room(call: Call, thread: Channel, archived: bool) -> None:
    if thread.archived and not archived:
        check_threads(call, thread.guild_id)


def delete(call: Call) -> Json:
    """A thread or channel, with what is in it."""
    place = call.channel()
    if place.direct:
        return shapes.channel(call.discord, place)
    call.need(place, permissions.MANAGE_THREADS if place.is_thread else permissions.MANAGE_CHANNELS)
    shown = shapes.channel(call.discord, place)
    call.discord.remove_channel(place)
    return shown


def from_message(call: Call) -> Json:
    """A thread with the message's id; one from each message (facts 4.8), in text and news channels (facts 4.9)."""
    place = call.channel()
    if place.type not in (TEXT, NEWS):
        raise errors.wrong_channel_type()
    message = call.message(place)
    call.need(place, permissions.CREATE_PUBLIC_THREADS)
    if message.type not in _OPENED_FROM:
        raise DiscordError(403, 50021, "Cannot execute action on a system message")
    if message.thread_id:
        raise DiscordError(400, 160004, "A thread has already been created for this message")
    name, minutes = call.text("name", 1, _NAME), _duration(call.form)
    check_threads(call, place.guild_id)
    thread = call.discord.open_thread(place, call.bot, name, message=message, minutes=minutes)
    return shapes.channel(call.discord, thread)


def without_message(call: Call) -> Json:
    """A thread by itself, or a forum post."""
    place = call.channel()
    if place.type == FORUM:
        return _forum_post(call, place)
    if place.type not in (TEXT, NEWS):
        raise errors.wrong_channel_type()
    kind = call.form.get("type", PRIVATE_THREAD)
    if kind not in THREADS:
        raise errors.bad_choice("type", "10, 11, 12")
    private = kind == PRIVATE_THREAD
    call.need(place, permissions.CREATE_PRIVATE_THREADS if private else permissions.CREATE_PUBLIC_THREADS)
    name, minutes = call.text("name", 1, _NAME), _duration(call.form)
    check_threads(call, place.guild_id)
    thread = call.discord.open_thread(place, call.bot, name, kind=kind, minutes=minutes)
    if not private:
        call.discord.announce_thread(thread)
    return shapes.channel(call.discord, thread)


def _forum_post(call: Call, forum: Channel) -> Json:
    """A post is a thread whose first message has its id; forums may want a tag (facts 4.9)."""
    call.need(forum, permissions.SEND_MESSAGES)
    name, minutes = call.text("name", 1, _NAME), _duration(call.form)
    tags = [str(one) for one in call.form.get("applied_tags") or ()]
    if forum.flags & _REQUIRE_TAG and not tags:
        raise DiscordError(400, 40067, "A tag is required to create a forum post in this channel")
    if set(tags) - forum.tags.keys():
        raise errors.invalid_form("applied_tags", "UNKNOWN_FORUM_TAG", "Unknown tag")
    body = call.form.get("message")
    if not isinstance(body, dict):
        raise errors.required("message")
    content = read_content(call, forum, body)
    if content.empty:
        raise no_content()
    check_threads(call, forum.guild_id)
    thread = call.discord.open_thread(forum, call.bot, name, minutes=minutes, tags=tags)
    first = compose(call.discord, thread, content, Message(thread.id, thread.id, call.bot))
    call.discord.post(first)
    return shapes.channel(call.discord, thread) | {"message": call.shown(first)}


def check_threads(call: Call, guild: str) -> None:
    """160006."""
    if len(call.discord.threads_of(guild)) >= call.discord.config.active_threads:
        raise DiscordError(400, 160006, "Maximum number of active threads reached")


def join(call: Call) -> None:
    """The bot joins a thread."""
    thread = call.thread()
    check_active(thread)
    call.discord.join(thread, call.bot)


def leave(call: Call) -> None:
    """The bot leaves a thread."""
    thread = call.thread()
    check_active(thread)
    call.discord.leave(thread, call.bot)


def members(call: Call) -> list[Json]:
    """Who is in a thread."""
    thread = call.thread()
    return [shapes.thread_member(thread, user) for user in thread.joined]


def member(call: Call) -> Json:
    """Somebody in a thread."""
    thread, user = call.thread(), call.ids["user"]
    user = call.bot if user == "@me" else user
    if user not in thread.joined:
        raise DiscordError(404, 10007, "Unknown Member")
    return shapes.thread_member(thread, user)


def archive(call: Call) -> Json:
    """The public threads of a channel that are in the archive, those that went there last first."""
    place = call.channel()
    call.need(place, permissions.READ_MESSAGE_HISTORY)
    found = [
        one
        for one in call.discord.channels.values()
        if one.parent_id == place.id and one.archived and one.type != PRIVATE_THREAD
    ]
    found.sort(key=lambda one: one.archived_at, reverse=True)
    return _threads(call, found)


def active(call: Call) -> Json:
    """The threads of a server that the bot sees and that aren't archived."""
    guild = call.guild()
    return _threads(call, [one for one in call.discord.threads_of(guild.id) if call.discord.sees(one, call.bot)])


def _threads(call: Call, found: list[Channel]) -> Json:
    joined = [shapes.thread_member(one, call.bot) for one in found if call.bot in one.joined]
    return {"threads": [shapes.channel(call.discord, one) for one in found], "members": joined, "has_more": False}


def direct(call: Call) -> Json:
    """The DM with somebody; whether they take one shows only on writing (50007)."""
    name = call.snowflake(call.form.get("recipient_id"), "recipient_id")
    if name == call.bot:
        raise DiscordError(400, 50033, "Invalid Recipient(s)")
    return shapes.channel(call.discord, call.discord.dm(call.discord.user(name).id))


def _duration(form: dict[str, Any], otherwise: int = 1440) -> int:
    minutes = form.get("auto_archive_duration")
    if minutes is None:
        return otherwise
    if minutes not in _DURATIONS:
        raise errors.bad_choice("auto_archive_duration", ", ".join(str(one) for one in _DURATIONS))
    return int(minutes)


METHODS = {
    "GET /channels/{channel}": Method(read, "other"),
    "PATCH /channels/{channel}": Method(change, "channel"),
    "DELETE /channels/{channel}": Method(delete, "channel"),
    "POST /channels/{channel}/messages/{message}/threads": Method(from_message, "thread"),
    "POST /channels/{channel}/threads": Method(without_message, "thread"),
    "GET /channels/{channel}/threads/archived/public": Method(archive, "other"),
    "PUT /channels/{channel}/thread-members/@me": Method(join, "thread"),
    "DELETE /channels/{channel}/thread-members/@me": Method(leave, "thread"),
    "GET /channels/{channel}/thread-members": Method(members, "other"),
    "GET /channels/{channel}/thread-members/{user}": Method(member, "other"),
    "GET /guilds/{guild}/threads/active": Method(active, "other"),
    "POST /users/@me/channels": Method(direct, "dm"),
}

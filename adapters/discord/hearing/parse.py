"""Discord's message objects → what the core understands. Pure; what is none of our business is None.

The same functions read what the gateway sends and what the REST API lists: where a message stands is told by whoever
calls, because a listed message names its channel alone. Ids are ours as they are, and a message's id says when it was
written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.discord.hearing.markup import Words, displayed, embedded, emoji, plain, quoted
from bot.messages import NO_WORKSPACE, Address, Attachment, Author, Deleted, Edited, Incoming, Target

PLATFORM: Final = "discord"
#: The workspace of direct messages.
DIRECT: Final = NO_WORKSPACE

Json = Mapping[str, Any]

#: Milliseconds from 1970 to the first one that an id can tell, Discord's (docs.discord.com, "Snowflakes").
_EPOCH_MS: Final = 1_420_070_400_000
#: Types of messages that somebody has said: a usual one and a reply. All others are Discord's own ("X has joined"), or
#: what a command was answered with.
_DEFAULT, _REPLY = 0, 19
_SAID: Final = frozenset({_DEFAULT, _REPLY})
#: `flags` of a message that only one person sees.
_EPHEMERAL: Final = 1 << 6
#: `type` of a reference that forwards a message instead of answering it.
_FORWARD: Final = 1
#: An update that tells of an older edit is none: pins, previews of links and threads are told of in the same way, with
#: the time of whatever edit was the last one.
_EDIT_FRESH: Final = timedelta(hours=1)


def _unknown(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Room:
    """Where something is said."""

    #: The server's id, or `DIRECT`.
    workspace: str
    #: The channel; of a thread the one that it is in.
    channel: str
    thread: str | None = None
    #: Whether a thread can be opened from a message here.
    opens: bool = False
    #: Whether an answer of ours opened the thread, so that nothing was said in it before.
    ours: bool = False

    @property
    def id(self) -> str:
        """Discord's id of the channel or thread."""
        return self.thread or self.channel

    @property
    def is_direct(self) -> bool:
        """Whether it is a direct message."""
        return self.workspace == DIRECT


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are in the server that a message stands in."""

    user_id: str
    application_id: str = ""
    #: What the agent is called where a message speaks of it.
    name: str = "kagentbot"
    #: The role that the server made for us: whoever mentions it means us.
    roles: frozenset[str] = frozenset()
    #: Names of roles and channels by id; "" where they aren't known.
    role_name: Callable[[str], str] = field(default=_unknown)
    channel_name: Callable[[str], str] = field(default=_unknown)


def key_of(workspace: str, place: str) -> str:
    """The key of a conversation in a channel or thread."""
    return f"{PLATFORM}:{workspace}:{place}"


def target_of(room: Room) -> Target:
    """Where what is said in a room belongs."""
    return Target(PLATFORM, room.workspace, room.channel, room.thread, key_of(room.workspace, room.id))


def opens_of(room: Room, message_id: str) -> Target | None:
    """The thread that would be opened from a message: it has the message's id."""
    if room.thread is not None or not room.opens:
        return None
    return Target(PLATFORM, room.workspace, room.channel, message_id, key_of(room.workspace, message_id))


def said(message: Json, room: Room, us: Us, *, mark: int | None = None) -> Incoming | None:
    """What a message object says; None for what needs no answer and no memory. `mark`: see `Incoming.mark`."""
    author = _author(message, us)
    if author is None:
        return None
    text, address, files = _text(message, us), _address(message, room, us), attachments_of(message, room)
    if not (text or files or address.direct or address.mentions_us):
        # Without the message-content intent that is what most messages look like.
        return None
    message_id = str(message["id"])
    return Incoming(
        target_of(room),
        message_id,
        author,
        text,
        time_of(message_id),
        address=address,
        threaded=room.thread is not None,
        attachments=files,
        earlier=room.thread is not None and not room.ours,
        opens=opens_of(room, message_id),
        mark=mark,
    )


def is_edit(message: Json, now: datetime) -> bool:
    """Whether an update that arrives now tells that its author has changed a message, and not of something else."""
    at = _moment(message.get("edited_timestamp"))
    return at is not None and at >= now - _EDIT_FRESH


def edited(message: Json, room: Room, us: Us) -> Edited | None:
    """What a message says after its author changed it; None as `said`."""
    as_new = said(message, room, us)
    if as_new is None:
        return None
    return Edited(
        as_new.target,
        as_new.message_id,
        as_new.author,
        as_new.text,
        as_new.sent_at,
        address=as_new.address,
        attachments=as_new.attachments,
        earlier=as_new.earlier,
        opens=as_new.opens,
    )


def deleted(message_id: str, room: Room) -> Deleted:
    """A message is gone."""
    return Deleted(target_of(room), message_id)


def is_ours(message: Json, us: Us) -> bool:
    """Whether we wrote a message: as ourselves, or through a webhook that our application made."""
    if _id(message.get("author")) == us.user_id:
        return True
    application = str(message.get("application_id") or "")
    return bool(message.get("webhook_id") and application and application == us.application_id)


def time_of(snowflake: str) -> datetime:
    """When something was created, by its id."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=(int(snowflake) >> 22) + _EPOCH_MS)


def snowflake_at(at: datetime) -> int:
    """The lowest id of what is created at a time; 0 for what is before Discord's time."""
    milliseconds = (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    return max(0, milliseconds - _EPOCH_MS) << 22


def name_of(user: Json, member: Json | None = None) -> str:
    """What people see somebody called: here, else everywhere."""
    return str((member or {}).get("nick") or user.get("global_name") or user.get("username") or "")


def attachments_of(message: Json, room: Room) -> tuple[Attachment, ...]:
    """References to a message's files, those that it forwards among them."""
    where = f"{room.id}/{message['id']}"
    bodies = (message, *_forwarded(message))
    return tuple(_attachment(file, where) for body in bodies for file in body.get("attachments") or () if _id(file))


def _attachment(file: Json, where: str) -> Attachment:
    media_type = str(file.get("content_type") or "").partition(";")[0].strip()
    name = str(file.get("filename") or file["id"])
    # Its address expires within a day; the message, asked for again, has a new one.
    return Attachment(str(file["id"]), name, media_type, int(file.get("size") or 0), f"{where} {file.get('url') or ''}")


def _author(message: Json, us: Us) -> Author | None:
    """Who has said it; None where nobody has, or we."""
    user = message.get("author") or {}
    if message.get("type", _DEFAULT) not in _SAID or not message.get("id") or not _id(user):
        return None
    if user.get("system") or int(message.get("flags") or 0) & _EPHEMERAL or is_ours(message, us):
        return None
    bot = bool(user.get("bot") or message.get("webhook_id"))
    return Author(_id(user), name_of(user, message.get("member")), "bot" if bot else "member")


def _address(message: Json, room: Room, us: Us) -> Address:
    # Discord's own lists: whoever is named in code or isn't here is in none of them, and everybody at once isn't,
    # either. Somebody who is replied to is, unless the ping was turned off.
    people = {_id(user) for user in message.get("mentions") or ()}
    roles = {str(role) for role in message.get("mention_roles") or ()}
    answered = (message.get("referenced_message") or {}) if message.get("type") == _REPLY else {}
    us_too = us.user_id in people or bool(roles & us.roles)
    to_us = bool(answered) and is_ours(answered, us)
    themselves = _id(message.get("author"))
    to_other = not to_us and _id(answered.get("author")) not in ("", themselves)
    others = to_other or bool(people - {us.user_id, themselves} or roles - us.roles)
    return Address(
        direct=room.is_direct,
        mentions_us=us_too,
        mentions_others=others and not us_too,
        replies_to_us=to_us,
    )


def _text(message: Json, us: Us) -> str:
    """All that a message says in words: what was written, a poll, stickers, what it forwards."""
    bodies = ("\n".join(filter(None, (_written(body, us), _stickers(body)))) for body in _forwarded(message))
    pieces = (_written(message, us), _poll(message.get("poll") or {}), _stickers(message), *map(quoted, bodies))
    return "\n\n".join(filter(None, pieces))


def _written(body: Json, us: Us) -> str:
    names = {_id(user): name_of(user, user.get("member")) for user in body.get("mentions") or ()}
    words = Words(us.user_id, us.name, us.roles, lambda id_: names.get(id_, ""), us.role_name, us.channel_name)
    raw = str(body.get("content") or "")
    # What programs write often stands in a card alone.
    raw = raw or embedded(body.get("embeds") or ()) or displayed(body.get("components") or ())
    return plain(raw, words)


def _poll(poll: Json) -> str:
    question = str((poll.get("question") or {}).get("text") or "")
    if not question:
        return ""
    answers = [answer.get("poll_media") or {} for answer in poll.get("answers") or ()]
    shown = [" ".join(filter(None, (emoji(one.get("emoji")), str(one.get("text") or "")))) for one in answers]
    return quoted("\n".join((question, *(f"- {one}" for one in shown))))


def _stickers(body: Json) -> str:
    return " ".join(f":{sticker['name']}:" for sticker in body.get("sticker_items") or () if sticker.get("name"))


def _forwarded(message: Json) -> Iterable[Json]:
    """What a message forwards, as it was then."""
    if (message.get("message_reference") or {}).get("type") != _FORWARD:
        return ()
    return [snapshot.get("message") or {} for snapshot in message.get("message_snapshots") or ()]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _id(thing: Json | None) -> str:
    return str((thing or {}).get("id") or "")

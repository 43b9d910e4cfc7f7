"""Slack's event JSON → what the core understands. Pure; what is none of our business is None.

Slack's ids are ours: a message is its `ts`, a conversation its thread, also in direct messages, where every message
begins one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from adapters.slack.hearing.markup import mentioned, plain, rich_text
from bot.messages import Address, Attachment, Author, Deleted, Edited, Event, Incoming, Kind, Target

PLATFORM: Final = "slack"
#: `Attachment.source` of a file that Slack only links to: there are no bytes to fetch.
EXTERNAL: Final = "external"

Json = Mapping[str, Any]

#: Subtypes of `message` that are something said; every other one is noise or told apart below.
_SAID: Final = frozenset({None, "file_share", "thread_broadcast", "bot_message", "me_message"})
#: Slack's own helper: what it writes is for people.
_SLACKBOT: Final = "USLACKBOT"
#: `mode` of a file that can't be read any more.
_GONE: Final = frozenset({"tombstone", "hidden_by_limit"})


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are in the workspace that an event is for."""

    #: The team in which the app is installed, or the organisation.
    workspace: str
    bot_user_id: str
    bot_id: str = ""
    #: What the agent is called where a message speaks of it.
    name: str = "kagentbot"
    #: Ids of the team and the organisation whose people are ours.
    teams: frozenset[str] = frozenset()
    #: Whether the app is installed in the whole organisation.
    org_wide: bool = False
    #: The name of somebody, if it is known; "" otherwise.
    name_of: Callable[[str], str] = field(default=lambda _: "")


def workspace_of(*, team_id: str | None, enterprise_id: str | None, org_wide: bool) -> str:
    """The workspace of our keys, from the ids of an event's or a click's authorisation.

    An app that is installed in a whole organisation has one key for all of it: its events name no team, its clicks do.
    """
    return str((enterprise_id if org_wide else team_id) or team_id or enterprise_id or "")


def conversation_key(workspace: str, channel: str, thread: str) -> str:
    """The key of a conversation."""
    return f"{PLATFORM}:{workspace}:{channel}:{thread}"


def target_of(workspace: str, channel: str, thread: str) -> Target:
    """Where a thread's messages go."""
    return Target(PLATFORM, workspace, channel, thread, conversation_key(workspace, channel, thread))


def parse(body: Json, us: Us) -> Event | None:
    """What an `event_callback` with a `message` or `app_mention` says; None for what needs no answer and no memory."""
    event = body.get("event") or {}
    kind, subtype = event.get("type"), event.get("subtype")
    delivery = str(body.get("event_id") or "") or None
    if kind == "app_mention":
        return _said(body, event, us, delivery)
    if kind != "message" or not event.get("channel"):
        return None
    if subtype == "message_changed":
        return _changed(body, event, us, delivery)
    if subtype == "message_deleted":
        return _deleted(event, event.get("previous_message") or {}, event.get("deleted_ts"), us, delivery)
    if subtype not in _SAID or event.get("hidden"):
        return None
    return _said(body, event, us, delivery)


def _said(body: Json, event: Json, us: Us, delivery: str | None) -> Incoming | None:
    if not event.get("ts") or not event.get("channel") or _is_ours(event, us) or event.get("is_ephemeral"):
        return None
    author = author_of(event, us, shared=bool(body.get("is_ext_shared_channel")))
    if author is None:
        return None
    ts, thread = str(event["ts"]), str(event.get("thread_ts") or event["ts"])
    raw = _raw(event)
    address = _address(event, raw, us)
    return Incoming(
        target_of(us.workspace, str(event["channel"]), thread),
        ts,
        author,
        plain(raw, us.bot_user_id, us.name, us.name_of),
        time_of(ts),
        delivery_id=delivery,
        address=address,
        threaded=True,
        attachments=attachments_of(event),
        # A direct message was always delivered to us.
        earlier=thread != ts and not address.direct,
    )


def _changed(body: Json, event: Json, us: Us, delivery: str | None) -> Edited | Deleted | None:
    message, before = event.get("message") or {}, event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":
        # The root of a thread: its replies stay, it doesn't.
        return _deleted(event, before, message.get("ts"), us, delivery)
    edited = message.get("edited")
    if not message.get("ts") or not edited or message.get("subtype") not in _SAID or _is_ours(message, us):
        return None
    author = author_of({**message, "channel": event["channel"]}, us, shared=bool(body.get("is_ext_shared_channel")))
    if author is None or edited.get("user", author.id) != author.id:
        return None
    raw = _raw(message)
    if before and _raw(before) == raw:
        # An unfurl, a reply, a reaction: Slack tells of it all in this way.
        return None
    ts = str(message["ts"])
    address = _address({**message, "channel": event["channel"], "channel_type": event.get("channel_type")}, raw, us)
    return Edited(
        target_of(us.workspace, str(event["channel"]), str(message.get("thread_ts") or ts)),
        ts,
        author,
        plain(raw, us.bot_user_id, us.name, us.name_of),
        time_of(ts),
        delivery_id=delivery,
        address=address,
        attachments=attachments_of(message),
        # A root has a thread_ts once there are replies.
        earlier=bool(message.get("thread_ts")) and not address.direct,
    )


def _deleted(event: Json, before: Json, ts: str | None, us: Us, delivery: str | None) -> Deleted | None:
    if not ts or _is_ours(before, us):
        return None
    thread = str(before.get("thread_ts") or ts)
    return Deleted(target_of(us.workspace, str(event["channel"]), thread), str(ts), delivery_id=delivery)


def author_of(message: Json, us: Us, *, shared: bool) -> Author | None:
    """Who wrote a message; None for Slack itself. `shared`: in a channel that another organisation sees, too."""
    user, bot = str(message.get("user") or ""), str(message.get("bot_id") or "")
    if user == _SLACKBOT or not (user or bot):
        return None
    if bot or message.get("subtype") == "bot_message":
        profile = message.get("bot_profile") or {}
        return Author(user or bot, str(message.get("username") or profile.get("name") or ""), "bot")
    team = str(message.get("user_team") or message.get("team") or "")
    kind = _kind(team, us, shared=shared)
    shown = message.get("user_profile") or {}
    name = str(shown.get("display_name") or shown.get("real_name") or us.name_of(user) or "")
    return Author(user, name, kind, team if kind == "external" else "")


def _kind(team: str, us: Us, *, shared: bool) -> Kind:
    """Guests look like members here; who is one, `users.info` says."""
    if team in us.teams:
        return "member"
    if shared:
        # Also where Slack names no team: whoever can't be told to be ours isn't.
        return "external"
    # An installation in a whole organisation serves all of its teams.
    return "external" if team and not us.org_wide else "member"


def _address(event: Json, raw: str, us: Us) -> Address:
    people = mentioned(raw)
    us_too = event.get("type") == "app_mention" or us.bot_user_id in people
    others = bool(people - {us.bot_user_id})
    return Address(direct=is_direct(event), mentions_us=us_too, mentions_others=others and not us_too)


def is_direct(event: Json) -> bool:
    """Whether nobody else is there; `app_mention` has no channel_type."""
    kind = event.get("channel_type")
    return kind == "im" if kind else str(event.get("channel") or "").startswith("D")


def _is_ours(message: Json, us: Us) -> bool:
    bot = message.get("bot_id")
    return message.get("user") == us.bot_user_id or (bool(bot) and bot == us.bot_id)


def _raw(message: Json) -> str:
    """The text in Slack's markup; that of its blocks where it has none of its own."""
    return str(message.get("text") or "") or rich_text(message.get("blocks") or ())


def attachments_of(message: Json) -> tuple[Attachment, ...]:
    """References to a message's files. In a shared channel Slack may give ids alone; whoever fetches asks for more."""
    return tuple(_attachment(file) for file in message.get("files") or () if file.get("id") and not _is_gone(file))


def _attachment(file: Json) -> Attachment:
    external = file.get("is_external") or file.get("mode") == "external"
    source = EXTERNAL if external else str(file.get("url_private_download") or file.get("url_private") or "")
    return Attachment(
        str(file["id"]),
        str(file.get("name") or file.get("title") or file["id"]),
        str(file.get("mimetype") or ""),
        int(file.get("size") or 0),
        source,
    )


def _is_gone(file: Json) -> bool:
    return file.get("mode") in _GONE or file.get("file_access") == "file_not_found"


def time_of(ts: str) -> datetime:
    """When a message was written, by its id; exact to the microsecond."""
    seconds, _, micros = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros.ljust(6, "0")[:6] or 0))

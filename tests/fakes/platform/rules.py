"""What the platform lets a bot do: the messages that exist and the rules about them. Each rule names the real one
behind it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: Characters of one message (Discord: 2,000).
TEXT_LIMIT = 2_000
#: Characters of one streamed message in all (Slack: about 11 KB, while an edit takes 4,000 characters).
STREAM_LIMIT = 2_500
#: Most messages on one page of a listing.
PAGE = 20

#: What rings somebody's phone, unless the call said not to look for it.
_MENTION = re.compile(r"@all\b|<@\w+>")


class Place(NamedTuple):
    """Where a conversation is."""

    workspace: str
    channel: str
    thread: str | None = None


class RuleError(Exception):
    """The call breaks a rule; `str()` is the platform's word for it."""


@dataclass(slots=True)
class Message:
    """One message, of a person or of the bot."""

    id: str
    place: Place
    #: The author's id; "" for the bot.
    author: str
    text: str
    created_at: float
    metadata: dict[str, Any] | None = None
    buttons: list[str] = field(default_factory=list)
    #: Mentions that rang.
    pings: list[str] = field(default_factory=list)
    deleted_at: float | None = None
    #: When the stream ends at the latest; None when it is over or never was one.
    stream_until: float | None = None
    stopped_by_user: bool = False

    @property
    def own(self) -> bool:
        """Whether the bot wrote it."""
        return not self.author

    def streaming(self, now: float) -> bool:
        """Whether text can still be appended."""
        return self.stream_until is not None and now < self.stream_until

    def shown(self, now: float) -> dict[str, Any]:
        """What people see, for the log."""
        return {
            "id": self.id,
            "place": list(self.place),
            "text": self.text,
            "created_at": self.created_at,
            "metadata": self.metadata,
            "buttons": self.buttons,
            "pings": self.pings,
            "streaming": self.streaming(now),
        }


class Rules:
    """The messages of all conversations. Ids sort by time, as on Slack and Discord; every method raises `RuleError`."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}

    def now(self) -> float:
        """The platform's clock, Unix time."""
        return time.time()

    def say(self, place: Place, author: str, text: str, sent_at: float | None) -> Message:
        """A person writes; with `sent_at`, at a time of the test's choice."""
        return self._add(place, author, text, self.now() if sent_at is None else sent_at)

    def post(self, place: Place, body: dict[str, Any], text: str) -> Message:
        """The bot writes. No idempotency: the same call again is a second message."""
        _check_text(text, TEXT_LIMIT)
        message = self._add(place, "", text, self.now())
        message.metadata = body.get("metadata")
        message.buttons = list(body.get("buttons", []))
        message.pings = _pings(body, text)
        return message

    def start_stream(self, place: Place, body: dict[str, Any], text: str, ttl: float) -> Message:
        """The bot begins a message to which it will append."""
        message = self.post(place, body, text)
        message.stream_until = message.created_at + ttl
        return message

    def append(self, message_id: str, text: str) -> Message:
        """More text, only while the stream is open (Slack: `message_not_in_streaming_state`, `stopped_by_user`)."""
        message = self.own(message_id)
        if message.stopped_by_user:
            raise RuleError("stopped_by_user")
        if not message.streaming(self.now()):
            raise RuleError("not_streaming")
        _check_text(message.text + text, STREAM_LIMIT)
        message.text += text
        return message

    def stop_stream(self, message_id: str, buttons: list[str] | None) -> Message:
        """The bot ends its stream; from then on the message can be edited."""
        message = self.own(message_id)
        if not message.streaming(self.now()):
            raise RuleError("not_streaming")
        message.stream_until = None
        if buttons is not None:
            message.buttons = buttons
        return message

    def edit(self, message_id: str, body: dict[str, Any], text: str) -> Message:
        """Replace text, and buttons and metadata where given; refused while it streams (Slack:
        `streaming_state_conflict`)."""
        message = self.own(message_id)
        if message.streaming(self.now()):
            raise RuleError("streaming")
        _check_text(text, TEXT_LIMIT)
        message.text = text
        message.buttons = list(body.get("buttons", message.buttons))
        message.metadata = body.get("metadata", message.metadata)
        message.pings += _pings(body, text)
        return message

    def delete(self, message_id: str) -> Message:
        """The bot takes a message of its own back."""
        message = self.own(message_id)
        message.deleted_at = self.now()
        return message

    def listing(
        self, place: Place, since: float, cursor: str | None, limit: int, read_lag: float
    ) -> tuple[list[Message], str | None]:
        """A page of a conversation, newest first, as of `read_lag` seconds ago; the cursor of the next page."""
        then = self.now() - read_lag
        found = [
            message
            for message in self._messages.values()
            if message.place == place
            and since <= message.created_at <= then
            and (message.deleted_at is None or message.deleted_at > then)
            and (cursor is None or message.id < cursor)
        ]
        found.sort(key=lambda message: message.id, reverse=True)
        size = max(1, min(limit, PAGE))
        return found[:size], found[size - 1].id if len(found) > size else None

    def press_stop(self, message_id: str) -> Message:
        """A person presses Stop; a stream ends at once (as Slack's does)."""
        message = self.own(message_id)
        if "stop" not in message.buttons and not message.streaming(self.now()):
            raise RuleError("no_stop_button")
        if message.streaming(self.now()):
            message.stream_until = None
            message.stopped_by_user = True
        return message

    def reword(self, message_id: str, text: str) -> Message:
        """A person edits what they wrote."""
        message = self._human(message_id)
        message.text = text
        return message

    def erase(self, message_id: str) -> Message:
        """A person deletes what they wrote; or the test deletes a message of the bot, as a moderator."""
        message = self._messages.get(message_id)
        if message is None or message.deleted_at is not None:
            raise RuleError("not_found")
        message.deleted_at = self.now()
        return message

    def own(self, message_id: str) -> Message:
        """A message of the bot that exists."""
        message = self._messages.get(message_id)
        if message is None or message.deleted_at is not None or not message.own:
            raise RuleError("not_found")
        return message

    def visible(self) -> list[Message]:
        """All messages that exist, oldest first."""
        return sorted((m for m in self._messages.values() if m.deleted_at is None), key=lambda message: message.id)

    def _human(self, message_id: str) -> Message:
        message = self._messages.get(message_id)
        if message is None or message.deleted_at is not None or message.own:
            raise RuleError("not_found")
        return message

    def _add(self, place: Place, author: str, text: str, at: float) -> Message:
        micro = int(at * 1_000_000)
        while f"{micro:020d}" in self._messages:
            micro += 1
        message = Message(f"{micro:020d}", place, author, text, micro / 1_000_000)
        self._messages[message.id] = message
        return message


def _check_text(text: str, limit: int) -> None:
    if not text.strip():
        raise RuleError("no_text")
    if len(text) > limit:
        raise RuleError("msg_too_long")


def _pings(body: dict[str, Any], text: str) -> list[str]:
    """Mentions are looked for unless the call says otherwise (Discord's `allowed_mentions`)."""
    return _MENTION.findall(text) if body.get("mentions", True) else []

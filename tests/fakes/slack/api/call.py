"""One call of the Web API: its arguments, whoever makes it, and what every method asks of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.fakes.slack import sizes, streams
from tests.fakes.slack.state import Slack
from tests.fakes.slack.world import Channel, Install, Message, SlackError, User

Answer = dict[str, Any]


@dataclass(slots=True)
class Call:
    """Arguments are whatever came: strings from a form or a query string, values from JSON (facts 1.5)."""

    slack: Slack
    method: str
    arguments: dict[str, Any]
    #: Of the bot token; None for methods that take another.
    given: Install | None = None
    #: Whose token it is, where it is a person's.
    person: User | None = None

    @property
    def install(self) -> Install:
        """Who calls."""
        assert self.given is not None
        return self.given

    @property
    def speaker(self) -> User:
        """The person who calls."""
        assert self.person is not None
        return self.person

    def has(self, name: str) -> bool:
        """Whether an argument is there and not empty."""
        return self.arguments.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        """A text argument."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A text argument that can't be left out."""
        if not self.has(name):
            raise invalid(f"missing required field: {name}")
        return self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false, as JSON, form and query string write it."""
        value = self.arguments.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            raise invalid(f"invalid number: {name}") from None

    def structure(self, name: str, code: str = "invalid_arguments") -> Any:
        """A list or an object, as JSON or as a string that holds JSON; None when it isn't there."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(code) from None

    def need(self, *scopes: str) -> None:
        """One of these scopes."""
        if not self.install.scopes & set(scopes):
            raise SlackError("missing_scope", needed=scopes[0], provided=",".join(sorted(self.install.scopes)))

    def channel(self, name: str = "channel") -> Channel:
        """A conversation that the caller can name."""
        return self.slack.visible(self.install, self.required(name))

    def writable(self, name: str = "channel") -> Channel:
        """A conversation that the caller can write in; the id of a person stands for their DM."""
        target = self.required(name)
        if target in self.slack.users:
            target = self.slack.dm(self.install.team or self.slack.users[target].team, target).id
        place = self.slack.visible(self.install, target)
        if place.archived:
            raise SlackError("is_archived")
        if self.install.bot_user not in place.members:
            raise SlackError("not_in_channel")
        if place.direct and not self.slack.app.messages_tab:
            raise SlackError("messages_tab_disabled")
        return place

    def own(self, place: Channel, ts: str, otherwise: str) -> Message:
        """A message of the caller's; ephemeral ones are as good as not there (facts 5.16)."""
        message = self.slack.message(place.id, ts)
        if message.ephemeral_to:
            raise SlackError("message_not_found")
        if message.bot_id != self.install.bot_id:
            raise SlackError(otherwise)
        streams.settle(self.slack, message)
        return message

    def page(self, items: list[Any], most: int) -> tuple[list[Any], str]:
        """One page of a list, and the cursor of the next, "" after the last."""
        size = max(1, min(most, self.number("limit", most)))
        first = 0
        if self.has("cursor"):
            try:
                first = int(base64.b64decode(self.text("cursor")).decode().removeprefix("next:"))
            except ValueError:
                raise SlackError("invalid_cursor") from None
        more = first + size < len(items)
        cursor = base64.b64encode(f"next:{first + size}".encode()).decode() if more else ""
        return items[first : first + size], cursor


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API."""

    run: Callable[[Call], Answer]
    #: Calls per minute and workspace (facts 2.1); chat.postMessage has rules of its own.
    per_minute: float
    #: One of these scopes is needed; none: the method looks itself, or wants none.
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app", "any", "none"] = "bot"


def invalid(why: str) -> SlackError:
    """An argument is missing or wrong."""
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {why}"]})


@dataclass(slots=True)
class Content:
    """What a call wants to be read."""

    text: str
    markdown: bool
    #: None: not given, which an update leaves as it is.
    blocks: list[dict[str, Any]] | None
    attachments: list[dict[str, Any]] | None
    metadata: dict[str, Any] | None
    pings: list[str]


def content_of(call: Call) -> Content:
    """Text, Markdown, blocks, attachments and metadata of a message, checked (facts 2.2)."""
    text, markdown = call.text("text"), call.text("markdown_text")
    blocks = call.structure("blocks", "invalid_blocks_format")
    attachments = call.structure("attachments", "invalid_attachments")
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if not text.strip() and not markdown.strip() and not blocks and not attachments:
        raise SlackError("no_text")
    sizes.check_markdown(markdown)
    if blocks is not None:
        sizes.check_message_blocks(blocks)
        call.slack.check_pictures(call.install, blocks)
    if len(attachments or ()) > sizes.ATTACHMENTS:
        raise SlackError("too_many_attachments")
    linked = call.flag("link_names") or call.text("parse") == "full"
    rang = sizes.pings([text, markdown], link_names=linked)
    return Content(
        text=markdown or text[: sizes.TEXT_CUT],
        markdown=bool(markdown),
        blocks=call.slack.named(blocks) if blocks is not None else None,
        attachments=attachments,
        metadata=metadata_of(call),
        pings=rang + sizes.block_pings((blocks or []) + (attachments or [])),
    )


def metadata_of(call: Call) -> dict[str, Any] | None:
    """`metadata`: event_type and event_payload, or nothing."""
    found = call.structure("metadata", "invalid_metadata_format")
    if not found:
        return None
    if not isinstance(found, dict) or not found.get("event_type") or not isinstance(found.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return found

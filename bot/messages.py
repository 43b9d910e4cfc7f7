"""What flows along the path of a message: parsed once at the edge, frozen, passed down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from agent.language import Lang

#: States that a turn can be in; `docs/state.md` has every transition.
TurnState = Literal[
    "queued", "running", "waiting", "answered", "merged", "superseded", "stopped", "refused", "failed", "withdrawn"
]
#: A turn in one of these has no outcome yet.
LIVE_STATES: tuple[TurnState, ...] = ("queued", "running", "waiting")
#: How a turn may be ended from outside.
EndAs = Literal["stopped", "superseded", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message, as the platform knows them."""

    id: str
    name: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where a conversation lives, for the adapter that has to post there."""

    platform: str
    workspace: str
    channel: str
    #: The platform's thread id; None where the conversation is the channel itself.
    thread: str | None
    #: Opaque key of the conversation, unique over all platforms.
    conversation_key: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A reference to a file; its bytes are fetched later."""

    id: str
    name: str
    media_type: str
    #: Bytes, as the platform said.
    size: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, new to us or redelivered."""

    target: Target
    #: The platform's id of the message, unique within (platform, workspace, channel).
    message_id: str
    author: Author
    text: str
    #: The platform's time of the message, aware, UTC. Waiting messages run in this order.
    sent_at: datetime
    #: The platform's id of this delivery, where it has one.
    delivery_id: str | None = None
    #: Whether the agent shall answer; otherwise the message is kept as context.
    addressed: bool = True
    #: Whether the conversation is a thread; where it is not, twelve idle hours start a new generation.
    threaded: bool = True
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """A message's text was changed by its author."""

    target: Target
    message_id: str
    author: Author
    text: str
    sent_at: datetime
    delivery_id: str | None = None
    #: Whether the edited text is addressed to the agent.
    addressed: bool = True


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was deleted by its author."""

    target: Target
    message_id: str
    delivery_id: str | None = None


Event = Incoming | Edited | Deleted


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the inbox made of an event; the platform may be acked now."""

    #: The turn that the message belongs to; None for context, edits after the answer, and deletions.
    turn_id: int | None
    #: Whether this delivery changed nothing because it had been seen before.
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class StepView:
    """One step as people see it."""

    key: str
    #: Tool name, or "" for a step without a tool.
    tool: str
    args: dict[str, Any] = field(default_factory=dict)
    state: Literal["running", "done", "failed"] = "running"
    #: Markdown; may be long, whoever shows it folds it.
    result: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """A question that a person has to answer with yes or no before the turn goes on."""

    #: Which step it is about. An answer carries it, so that a late click on an old question decides nothing newer.
    key: str
    question: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The complete picture of an answer in the making. A newer draft replaces the older one entirely."""

    #: Markdown so far; "" until the first text.
    text: str = ""
    steps: tuple[StepView, ...] = ()
    #: One short phrase about what is going on, in the turn's language; "" when the text speaks for itself.
    status: str = ""
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Final:
    """The end of a reply."""

    outcome: Literal["answered", "stopped", "refused", "failed"]
    #: Markdown; for refused and failed one sentence; for stopped what had been written so far.
    text: str
    lang: Lang
    steps: tuple[StepView, ...] = ()
    #: Short remarks below the answer.
    notes: tuple[str, ...] = ()
    #: Numbered sources below the answer.
    sources: tuple[str, ...] = ()
    #: Whether a retry may help (a button where the platform has buttons).
    can_retry: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a reply in the ledger."""

    #: 0 for the first message of the reply.
    position: int
    #: The platform's id; None while the call's outcome is open.
    external_id: str | None
    #: When the call was intended, UTC; reads of the platform may lag behind this.
    intended_at: datetime

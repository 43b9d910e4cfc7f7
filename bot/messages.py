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
#: What somebody is to the workspace. `external`: of another workspace, in a channel that both share.
Kind = Literal["member", "guest", "external", "bot"]
#: How a turn may be ended from outside.
EndAs = Literal["stopped", "superseded", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message, as the platform knows them."""

    id: str
    name: str = ""
    kind: Kind = "member"
    #: The platform's id of the person's own workspace; "" for the conversation's.
    team: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the platform describes them."""

    id: str
    name: str
    kind: Kind = "member"
    team: str = ""
    #: Whether the platform says that they administer the workspace.
    is_admin: bool = False
    #: IANA name of their time zone; "" when unknown.
    zone: str = ""
    #: Language of their client; None when it is neither of ours, or unknown.
    lang: Lang | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """What a platform tells of whom a message is meant for. Whether it is answered is decided by `bot.policy`."""

    #: Nobody else is there: a direct message, the page, the terminal.
    direct: bool = False
    mentions_us: bool = False
    #: It mentions somebody, and not us.
    mentions_others: bool = False
    #: It is a reply to a message of ours, where a platform has such replies.
    replies_to_us: bool = False


DIRECT = Address(direct=True)
MENTION = Address(mentions_us=True)
OVERHEARD = Address()


#: The workspace of direct conversations on a platform where they belong to none.
NO_WORKSPACE = "@me"


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
    #: Where the platform keeps it; only its adapter understands this.
    source: str = ""


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
    address: Address = DIRECT
    #: Whether the conversation is a thread; where it is not, twelve idle hours start a new generation.
    threaded: bool = True
    attachments: tuple[Attachment, ...] = ()
    #: Whether its thread may have messages from before it that were never delivered to us.
    earlier: bool = False
    #: The thread that an answer would open, where one can be opened from this message; whether it is, the profile says
    #: (`answer_in`). `target` is then the place where the message stands.
    opens: Target | None = None
    #: The number, in the platform's own order, up to which everything that was said in its place (`target.thread` or
    #: `target.channel`) has been handed on. For platforms that don't deliver again: after a pause they are asked for
    #: what came after it. None: not known.
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """A message's text was changed by its author."""

    target: Target
    message_id: str
    author: Author
    text: str
    sent_at: datetime
    delivery_id: str | None = None
    #: That of the edited text.
    address: Address = DIRECT
    attachments: tuple[Attachment, ...] = ()
    #: Whether its thread may have messages that were never delivered to us, before it or since.
    earlier: bool = False
    #: As in `Incoming`, for an edit that makes it a question.
    opens: Target | None = None


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
    #: Why it was refused or how it failed: a code of `bot.texts`.
    reason: str | None = None
    #: Only the asker is told, where the platform can do that.
    private: bool = False
    #: Whether people may rate it: an answer, not what a command replies.
    can_rate: bool = True
    #: PNG pictures below the text, in its message where the platform can do that. The text says what they show.
    images: tuple[ReplyFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a reply answers, and as whom it is given."""

    #: Of the turn's first message.
    author: Author
    message_id: str
    lang: Lang
    #: The profile's name and icon, for platforms that can show them.
    name: str = ""
    icon: str = ""
    #: What was asked, for platforms whose threads have names; "" when nothing was written, or it is gone.
    about: str = ""


@dataclass(frozen=True, slots=True)
class ReplyFile:
    """A file that is handed to somebody."""

    name: str
    media_type: str
    data: bytes
    #: Of a picture: what it shows, in a sentence, for whoever can't see it; "" where its name has to do.
    about: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a reply in the ledger."""

    #: 0 for the first message of the reply.
    position: int
    #: The platform's id; None while the call's outcome is open.
    external_id: str | None
    #: When the call was intended, UTC; reads of the platform may lag behind this.
    intended_at: datetime

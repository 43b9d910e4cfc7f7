"""What the API says, as far as a chat needs it. Unknown fields are left alone: an older chat can use a newer server."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent.language import Lang
from bot.messages import LIVE_STATES


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Model(_Shape):
    """The model that answers."""

    name: str
    demo: bool
    state: str
    detail: str = ""


class Offered(_Shape):
    """A question to begin with."""

    lang: Lang
    text: str


class Info(_Shape):
    """The server."""

    name: str
    version: str
    model: Model
    offered_questions: tuple[Offered, ...] = ()


class Posted(_Shape):
    """A message that the server has."""

    conversation: str
    turn_id: int | None


class Message(_Shape):
    """What somebody asked."""

    text: str
    sent_at: datetime
    erased: bool = False


class Step(_Shape):
    """One run of a tool."""

    key: str
    tool: str
    title: str
    args: dict[str, Any]
    state: Literal["running", "done", "failed"]
    html: str


class Consent(_Shape):
    """A step waits for a person's yes or no."""

    key: str
    question: str


class Turn(_Shape):
    """The complete picture of a turn."""

    id: int
    conversation: str
    state: str
    version: int
    messages: tuple[Message, ...]
    steps: tuple[Step, ...]
    text: str
    status: str
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    model: str | None
    can_retry: bool
    can_stop: bool
    consent: Consent | None = None
    reason: str | None = None
    merged_into: int | None = None
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it has no outcome yet."""
        return self.state in LIVE_STATES

    @property
    def question(self) -> str:
        """What was asked, as far as it is still there."""
        return "\n\n".join(message.text for message in self.messages if not message.erased)

    def replaces(self, known: Turn | None) -> bool:
        """Whether this picture is the newer one: what is over never comes back to life."""
        if known is None or known.id != self.id:
            return True
        if self.live and not known.live:
            return False
        return self.state != known.state or self.version >= known.version


class Conversation(_Shape):
    """A conversation in the list."""

    key: str
    title: str
    last_message_at: datetime
    live: bool = False


class ConversationList(_Shape):
    """The newest conversations."""

    conversations: tuple[Conversation, ...]


class ConversationPage(_Shape):
    """The newest turns of a conversation, oldest first."""

    key: str
    title: str
    turns: tuple[Turn, ...]
    #: Where earlier turns begin; None when there are none.
    next: int | None = None


class Tokens(_Shape):
    """As the model's server counted them."""

    prompt: int | None = None
    completion: int | None = None


class Call(_Shape):
    """A tool that was planned."""

    tool: str
    args: dict[str, Any]


class TraceStep(_Shape):
    """One step of a turn; what doesn't belong to its kind is empty."""

    kind: str
    state: str
    title: str = ""
    tool: str = ""
    args: dict[str, Any] = {}
    task: str = ""
    thought: str = ""
    calls: tuple[Call, ...] = ()
    detail: str = ""
    html: str = ""
    allowed: bool | None = None
    model: str | None = None
    tokens: Tokens = Tokens()
    started_at: datetime
    finished_at: datetime | None = None


class Trace(_Shape):
    """How an answer came about."""

    steps: tuple[TraceStep, ...]
    tokens: Tokens = Tokens()
    created_at: datetime
    finished_at: datetime | None = None


class Endpoint(_Shape):
    """What answers, or could."""

    name: str
    host: str
    model: str
    state: str
    detail: str = ""


class Endpoints(_Shape):
    """In the order in which they are asked."""

    endpoints: tuple[Endpoint, ...]


class Value(_Shape):
    """A value of the profile that holds, and where it was set."""

    name: str
    about: str
    value: Any
    scope: str


class Profile(_Shape):
    """What holds in a conversation."""

    values: tuple[Value, ...]


class ScopeProfile(_Shape):
    """What is set for one conversation."""

    version: int
    values: dict[str, Any]
    warnings: tuple[str, ...] = ()

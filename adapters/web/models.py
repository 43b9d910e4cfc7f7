"""The shapes of the JSON API: they validate what comes in, shape what goes out, and describe both."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.language import Lang
from bot.messages import TurnState

ConversationKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class ConversationsQuery(_Request):
    """Which page of the list."""

    limit: int = Field(50, ge=1, le=100)
    before: str | None = Field(None, pattern=r"^\d{1,17}-\d{1,18}$", description="`next` of the page before")
    q: str = Field(
        "", max_length=200, description="words that all have to be in the title, or in one message or answer"
    )


class TurnsQuery(_Request):
    """Which page of a conversation."""

    limit: int = Field(50, ge=1, le=100)
    before: int | None = Field(None, ge=1, lt=1 << 63, description="`next` of the page before")


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PostMessage(_Request):
    """A new message. Sent again with the same `message_id`, it is the same message."""

    conversation: ConversationKey | None = Field(None, description="null begins a conversation")
    message_id: UUID = Field(description="made by the client")
    text: str = Field(description="plain text or Markdown")
    model: str | None = Field(
        None, max_length=200, description="of a message that begins a conversation: the endpoint or model to ask first"
    )


class EditMessage(_Request):
    """A message's new text."""

    text: str


class Feedback(_Request):
    """A rating of an answer."""

    value: int = Field(ge=-1, le=1, description="1 up, -1 down, 0 takes the rating back")


class Consent(_Request):
    """Whether the step that a turn waits for may run."""

    key: str = Field(description="that of the question")
    allow: bool


class Problem(_Response):
    """What went wrong: a code for programs, one sentence for people in the language that was asked for."""

    code: str
    message: str
    field: str | None = Field(None, description="name of the value that is wrong, where it is one")


class Failure(_Response):
    """The body of every answer with a status of 400 and above."""

    error: Problem


class Posted(_Response):
    """The message is stored for good."""

    conversation: str
    turn_id: int | None = Field(description="the turn that will answer it; null when the message was deleted before")
    duplicate: bool = Field(description="whether it had been stored before")


class Edited(_Response):
    """The new text is stored."""

    turn_id: int | None = Field(description="the turn that answers it; a new one if the old one was running")
    duplicate: bool = Field(description="whether the text was the same")


class Stopping(_Response):
    """What became of a request to stop."""

    stopping: bool = Field(description="false: the turn was over already")


class Retried(_Response):
    """The turn that answers again."""

    turn_id: int


class Decided(_Response):
    """What became of a decision."""

    accepted: bool = Field(description="false: nothing waited for it any more")


class Model(_Response):
    """The model that answers."""

    name: str
    demo: bool = Field(description="whether it is the small bundled model, whose answers are labelled")
    state: Literal["ok", "starting", "down"]
    detail: str


class Question(_Response):
    """A question that the empty page offers."""

    lang: Lang
    text: str


class Info(_Response):
    """What the page needs to know of the server."""

    name: str
    version: str
    model: Model
    offered_questions: list[Question]
    max_message_chars: int
    token_needed: bool


class Found(_Response):
    """Where a search found its words."""

    snippet: str = Field(description='the text around them; "" when only the title has them')
    turn_id: int | None


class Conversation(_Response):
    """A conversation in the list."""

    key: str
    title: str = Field(description='"" when all its text was deleted')
    last_message_at: datetime
    live: bool = Field(description="whether a turn of it has no outcome yet")
    found: Found | None = Field(description="null when nothing was searched for")


class Conversations(_Response):
    """One page of the list, the newest first."""

    conversations: list[Conversation]
    next: str | None = Field(description="pass it as `before` to get the next page; null on the last one")


class Message(_Response):
    """A person's message."""

    message_id: str
    text: str
    revision: int = Field(description="0 for the text as it was sent first, one more for each change")
    sent_at: datetime
    erased: bool


class Step(_Response):
    """One run of a tool."""

    key: str
    tool: str
    title: str = Field(description="a short phrase in the turn's language; text, not HTML")
    args: dict[str, Any]
    state: Literal["running", "done", "failed"]
    html: str = Field(description='the result, safe to insert; "" while it runs')


class ConsentAsked(_Response):
    """A writing step waits for a person."""

    key: str = Field(description="which step; the answer has to carry it")
    question: str


class Turn(_Response):
    """The complete picture of a turn: it replaces an older one entirely.

    Of two pictures of one turn, a finished one beats an unfinished one; otherwise, in the same state, the one with the
    higher `version` is newer.
    """

    id: int
    conversation: str
    state: TurnState
    version: int = Field(description="grows with each picture of an unfinished turn; 0 where nothing was written yet")
    lang: Lang
    messages: list[Message]
    steps: list[Step]
    html: str = Field(description="the answer so far, safe to insert")
    text: str = Field(description="the Markdown that `html` was made from")
    status: str = Field(description='what is going on, in a short phrase; "" when the text speaks for itself')
    notes: list[str]
    sources: list[str]
    model: str | None
    can_retry: bool
    can_stop: bool
    feedback: Literal[1, -1, 0]
    consent: ConsentAsked | None
    reason: str | None = Field(description="why it was refused or failed, as a code")
    merged_into: int | None = Field(description="the turn that answers its messages instead")
    retry_of: int | None
    created_at: datetime
    finished_at: datetime | None


class ConversationPage(_Response):
    """One page of a conversation, the newest turns, oldest first."""

    key: str
    title: str
    turns: list[Turn]
    next: int | None = Field(description="pass it as `before` to get earlier turns; null when there are none")

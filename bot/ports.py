"""The seams of the server. Each has one contract test suite that every implementation passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from agent.journal import Json
from agent.language import Text
from bot.messages import (
    Accepted,
    Asked,
    Attachment,
    Author,
    Deleted,
    Draft,
    Edited,
    Event,
    Final,
    Incoming,
    Part,
    Person,
    ReplyFile,
    Target,
)

if TYPE_CHECKING:
    from aiohttp.web import RouteTableDef
    from sqlalchemy import Connection

__all__ = ["Deleted", "Edited", "Incoming"]

#: Hands an event to the inbox. It returns after the commit, so the platform may be acked then; when it raises
#: `StoreUnavailable` the platform must not be acked, so that it delivers again.
Receive = Callable[[Event], Awaitable[Accepted]]


class StoreUnavailable(Exception):
    """The database can't take a write just now: nothing was accepted, nothing is lost. `text` is the sentence for
    people.
    """

    def __init__(self, text: Text, detail: str = "") -> None:
        super().__init__(detail or text.en)
        self.text = text


class LostTurn(Exception):
    """The turn belongs to another process now (or its lease ran out): stop at once, write and send nothing."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a part of the server works, in one word and one sentence."""

    state: Literal["ok", "starting", "degraded", "down"]
    detail: str = ""


class Inbound(Protocol):
    """Receives a platform's events."""

    async def start(self, receive: Receive) -> None:
        """Begin to receive. Returns when events can arrive; never waits for a slow platform."""

    async def stop(self) -> None:
        """Accept nothing more."""

    def health(self) -> Health: ...

    def routes(self) -> RouteTableDef | None:
        """HTTP routes to serve for this platform, if it needs any."""


class Ledger(Protocol):
    """The parts of one reply, written around every call that creates a message.

    All methods raise `LostTurn` when the turn is no longer ours.
    """

    @property
    def parts(self) -> Sequence[Part]:
        """The parts that exist, by position; at most the last one is open (has no id)."""

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt may have shown something that is in no part, such as a sign of work."""

    @property
    def since(self) -> datetime:
        """The platform time of the turn's first message: none of our messages of this turn is older."""

    @property
    def turn_id(self) -> int:
        """The turn; 0 for a job."""

    @property
    def conversation_id(self) -> int:
        """The turn's conversation; 0 for a job."""

    @property
    def is_job(self) -> bool:
        """Whether these are a job's messages (a notice, a report) rather than a turn's.

        Jobs post while a turn may be running in the same place, so where a platform lists our own messages, those of
        jobs have to be told apart from those of turns.
        """

    @property
    def nonce(self) -> str:
        """A short id of this turn, the same in every attempt, for platforms that can mark or dedupe by one."""

    def check(self) -> None:
        """Compare the lease's deadline; called immediately before every call to the platform."""

    async def known(self, external_ids: Sequence[str]) -> set[str]:
        """Which of these ids are in any ledger of this conversation."""

    async def intend(self, position: int) -> None:
        """Commit the intention to create the message at `position`, before the call.

        May be called again for a part that is open or removed; it counts from the last call.
        """

    async def posted(self, position: int, external_id: str) -> None:
        """Commit the id of the message that was created (or adopted)."""

    async def removed(self, position: int) -> None:
        """Commit that the message at `position` is gone, or that an open one was never made."""

    def gave_up(self) -> None:
        """A creating call was taken to have done nothing; should its message turn up later, `tidy` has to find it."""

    async def save_draft(self, body: Json, version: int) -> None:
        """Commit the newest draft's row, for platforms whose messages we show ourselves."""


class Reply(Protocol):
    """One reply on a platform. Level-triggered: each call gets the complete picture; calls never overlap."""

    async def show(self, draft: Draft) -> bool:
        """Make the platform look like `draft`; whether it does now.

        After False, or an error (`bot.delivery` swallows those that a later call may mend), it is called again after a
        while, also when nothing newer has come; after `bot.posting.RetryLater`, as soon as that says.
        """

    async def close(self, final: Final) -> None:
        """Make the platform look like `final`, whatever was shown before; may be called again after a crash."""

    async def discard(self) -> None:
        """Take back everything that this reply has posted."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a platform's reply may change, in seconds."""

    #: Wait this long before the first draft, so that a quick answer is one post.
    first: float
    #: At least this long between two drafts.
    every: float


class Outbound(Protocol):
    """Sends to a platform, from any process."""

    @property
    def pace(self) -> Pace: ...

    @property
    def read_lag(self) -> float:
        """Seconds after which a message that was created is certainly seen by `tidy` and by recovery."""

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> Reply:
        """The reply of one turn. Parts that exist already are edited, not posted again.

        It resolves an open part first: adopt the message that an earlier attempt created, or take it that there is
        none.
        """

    async def tidy(
        self, target: Target, since: datetime, known: Callable[[Sequence[str]], Awaitable[set[str]]]
    ) -> None:
        """Delete our own messages newer than `since` that are in no ledger."""

    async def working(self, target: Target, asked: Asked) -> None:
        """Show the platform's own sign of work (typing, status). Best effort, never waited for.

        It may go on until the first message of the reply, or until it is cancelled, which it is when the turn is over.
        """

    async def close(self) -> None:
        """Close connections; called once, when nothing is sent any more."""


# What an `Outbound` may be able to do besides. A method that is missing says that the platform can't.


@runtime_checkable
class Fetches(Protocol):
    """Can fetch the files that people attach."""

    async def fetch(self, target: Target, attachment: Attachment, most: int) -> bytes:
        """The file's bytes. Raises `bot.posting.Refused` (code `too_large` beyond `most` bytes), `RetryLater` or
        `Ambiguous`.
        """


@runtime_checkable
class Remembers(Protocol):
    """Can list what was said in a thread before we were called into it."""

    async def earlier(self, target: Target, before: datetime, most: int) -> Sequence[Incoming]:
        """The thread's last messages from before, at most so many, oldest first, ours not among them. Raises as `fetch`
        does.
        """


@runtime_checkable
class Knows(Protocol):
    """Can say who somebody is."""

    async def person(self, workspace: str, user_id: str) -> Person:
        """The person as the platform describes them now. Raises as `fetch` does."""


@runtime_checkable
class Hands(Protocol):
    """Can hand somebody a file."""

    async def hand(self, target: Target, asked: Asked, file: ReplyFile) -> None:
        """Give the asker this file, where others don't see it if that is possible. Raises as `fetch` does."""


class NoPlace(Exception):
    """There is no such place, or we can't post there. `text` is the sentence for people, which says what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


@runtime_checkable
class Finds(Protocol):
    """Can say where a job may post: its messages answer nobody, so nobody has written to us there."""

    async def find(self, name: str) -> Target:
        """The place that people call so: a name ("#general") or the platform's id. Raises `NoPlace`, and as `fetch`
        does.
        """

    async def reach(self, target: Target) -> None:
        """Nothing where we may post, or where the platform can't be asked just now; else raises `NoPlace`."""


class Gate(Protocol):
    """Who is served, and how much.

    Called inside the transaction that stores a message, so that messages that arrive together can't overrun a limit.
    """

    def refusal(self, connection: Connection, incoming: Incoming, now: datetime, *, free: bool) -> str | None:
        """Why this message, which is addressed to the agent, is not answered, as a code of `bot.texts`; None if it is.

        `free`: a command, which costs no model call and so counts against no limit.
        """

    def admitted(self, connection: Connection, incoming: Incoming, turn_id: int, now: datetime) -> None:
        """A turn was queued for this message."""

    def again(self, connection: Connection, target: Target, author: Author, now: datetime) -> str | None:
        """Why somebody can't have an answer tried again, as a code of `bot.texts`; None if they can."""

    def admitted_again(
        self, connection: Connection, target: Target, author: Author, old_turn_id: int, turn_id: int, now: datetime
    ) -> None:
        """A turn was queued that answers what an old one did not."""


class Waker(Protocol):
    """Tells a dispatcher that a conversation has work, or a turn an end request."""

    def in_transaction(self, connection: Connection, conversation_id: int) -> None:
        """Called inside the transaction that queues a turn; a transport that can, makes the wake-up part of it."""

    def committed(self, conversation_id: int) -> None:
        """Called after that transaction's commit."""

    def nudge(self, turn_id: int) -> None:
        """An end was asked for this turn; look at it now rather than at the next poll."""

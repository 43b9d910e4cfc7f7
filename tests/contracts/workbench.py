"""How an adapter's tests look at, and disturb, the adapter and its platform.

The workbench connects the adapter under test to its fake platform. Replies are compared by what people read, joined
over all messages of the reply; how an adapter decorates them (buttons, markup of its platform) is its own business and
the workbench leaves it out.
"""

from __future__ import annotations

import struct
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from bot.messages import Asked, Author, Final, ReplyFile, Target
from bot.ports import Outbound, Receive, Reply
from tests.contracts.ledger import Book, FakeLedger

#: What the adapter does to the platform: create a message, let a draft grow, give it its last form, delete, list. Which
#: calls of the platform these are, the workbench knows.
Call = Literal["create", "grow", "finish", "delete", "list"]
#: How a call fails: refused for a while; done nothing; done, but the connection breaks or the answer is an error or too
#: late.
Fault = Literal["rate_limited", "reset", "unavailable", "done_reset", "done_unavailable", "done_late"]
FAULTS: tuple[Fault, ...] = ("rate_limited", "reset", "unavailable", "done_reset", "done_unavailable", "done_late")


#: Whom replies of the contracts answer. Workbenches of platforms that look the person up know this one.
ASKED = Asked(Author("U1", "Ann"), "1", "en", "kagentbot")


def png(line: bytes) -> bytes:
    """A picture of one grey pixel; `line` is a zero and its grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(line)) + chunk(b"IEND", b"")


#: Pictures of a pixel each.
RADAR = ReplyFile("radar.png", "image/png", png(b"\x00\x00"), "A radar chart: 42 is best.")
BARS = ReplyFile("bars.png", "image/png", png(b"\x00\xff"), "A bar chart: 42 is best.")


class Seen(NamedTuple):
    """One message of ours as people see it."""

    id: str
    text: str


@dataclass(frozen=True)
class Place:
    """A conversation in which a person has just written."""

    target: Target
    #: The platform's time of that message.
    since: datetime


class Workbench(ABC):
    """The adapter under test and its platform. Every test gets conversations of its own."""

    #: Characters that certainly don't fit into one message.
    too_long: int
    #: Seconds that the platform asks for in a rate limit of `fail`.
    rate_limit: float
    #: Whether the adapter shows pictures; where it doesn't, the text of an end stands alone.
    shows_pictures = False

    @abstractmethod
    def outbound(self) -> Outbound:
        """The adapter as a process that has just started makes it."""

    @abstractmethod
    async def place(self) -> Place:
        """A new conversation."""

    @abstractmethod
    async def visible(self, place: Place) -> list[Seen]:
        """Our messages that people see now, oldest first."""

    @abstractmethod
    async def created(self, place: Place) -> int:
        """How many messages we ever created there, deleted ones included."""

    @abstractmethod
    async def calls(self) -> int:
        """Calls of the adapter so far, everywhere and of every kind."""

    @abstractmethod
    async def too_early(self) -> int:
        """Calls that came before the time that an earlier answer had asked for was over."""

    @abstractmethod
    async def rang(self, place: Place) -> int:
        """How many mentions in our messages rang somebody's phone."""

    @abstractmethod
    async def fail(self, call: Call, fault: Fault, times: int = 1) -> None:
        """Let the next calls of this kind fail."""

    @abstractmethod
    async def plant(self, place: Place, text: str) -> str:
        """Create a message of ours behind the adapter's back, as a process that died after the call has; its id."""

    @abstractmethod
    async def moderate(self, message_id: str) -> None:
        """Delete a message of ours behind the adapter's back."""

    @abstractmethod
    async def listen(self, receive: Receive) -> None:
        """Start the inbound side with this inbox."""

    @abstractmethod
    async def deliver(self, text: str, times: int) -> str:
        """A person writes, and the platform delivers that so many times; returns at once with the message's id."""

    @abstractmethod
    async def acks(self, count: int) -> None:
        """Wait until that many deliveries are acked."""

    @abstractmethod
    async def no_ack(self) -> None:
        """Wait until a delivery has ended without an ack; fails when there was an ack instead."""

    async def pictures(self, place: Place) -> list[tuple[str, str]]:
        """The pictures in our messages that people see now: the id of the message, and a name, in order."""
        return []

    async def has_pictures(self, place: Place, message_id: str) -> None:
        """The pictures of `pictured` are seen in this message, and nowhere else; fails otherwise."""
        expected = [(message_id, picture.name) for picture in (RADAR, BARS)] if self.shows_pictures else []
        assert await self.pictures(place) == expected

    def letters(self, text: str) -> str:
        """What certainly arrives of a long text: an adapter may leave out white space where it cuts."""
        return text

    async def text(self, place: Place) -> str:
        """The whole reply as people read it."""
        return "".join(seen.text for seen in await self.visible(place))

    async def reply(self, place: Place, book: Book, ledger: FakeLedger | None = None) -> Reply:
        """A reply as a process that has just started opens it."""
        return await self.outbound().open(place.target, ledger or FakeLedger(book, since=place.since), ASKED)


def answer(text: str) -> Final:
    """The end of an answered turn."""
    return Final("answered", text, "en")


def pictured(text: str) -> Final:
    """The same with two pictures below."""
    return Final("answered", text, "en", images=(RADAR, BARS))


def long_text(characters: int) -> str:
    """Markdown of at least that many characters in which no two lines are equal."""
    lines: list[str] = []
    while sum(map(len, lines)) < characters:
        number = len(lines)
        lines.append(f"- line {number} **of** a long `answer`" + ("\n\n" if number % 7 == 0 else "\n"))
    return "".join(lines) + "end"

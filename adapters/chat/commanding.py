"""Commands that are the platform's own, such as `/kagent`: what is brought to whoever gave one."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bot.invocation import CommandReply, Invocation
from bot.messages import Author, ReplyFile, Target
from bot.people import People
from bot.policy import may


class Runs(Protocol):
    """`bot.commands.Commands`."""

    async def run(self, invocation: Invocation) -> CommandReply:
        """`/kagent`."""

    async def bench(self, invocation: Invocation) -> CommandReply:
        """`/kagent-bench`."""


class Commands(Runs, Protocol):
    """The same, and who may give the latter."""

    async def may_bench(self, target: Target, author: Author) -> bool:
        """Whether somebody may run benchmarks. Raises `StoreUnavailable`."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What to bring: the profile's form if `opens_profile`, else the file if there is one, else the text."""

    #: Markdown; above a file what is said about it.
    text: str
    #: Whether only whoever gave the command sees it. A file is always for them alone.
    private: bool = True
    file: ReplyFile | None = None
    opens_profile: bool = False


class Portions(NamedTuple):
    """A text as far as there is room for it."""

    parts: list[str]
    #: Whether something is missing.
    is_cut: bool


async def brought(ran: Awaitable[CommandReply], invocation: Invocation, people: People) -> Brought:
    """What comes of a command. Raises `StoreUnavailable`."""
    reply = await ran
    # Whoever may change nothing reads the reply instead.
    opens = reply.opens == "profile" and may(await people.role(invocation.author, invocation.target), "profile")
    return Brought(reply.text, reply.private, reply.file, opens)


def portions(parts: Sequence[str], most: int) -> Portions:
    """The first so many parts of a reply."""
    return Portions(list(parts[:most]), len(parts) > most)

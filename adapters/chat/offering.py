"""What is offered to somebody who types a command about benchmarks: models, data sets and runs, to those who may run
them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from bot.messages import Author, Target

#: What can be offered.
Kind = Literal["models", "data", "runs"]


class Offer(NamedTuple):
    """One thing to choose."""

    value: str
    #: How people see it.
    label: str


class Lists(Protocol):
    """`bot.bench.desk.Bench`. Each gives what contains `begun`."""

    def models(self, begun: str = "") -> Sequence[str]:
        """Names of endpoints and models."""

    async def data_sets(self, begun: str = "") -> Sequence[str]:
        """Names of data sets."""

    async def runs(self, begun: str = "") -> Sequence[tuple[str, str]]:
        """Finished runs, newest first: their ids, and a line about each. Raises `StoreUnavailable`."""


class Offers:
    """Asks for it."""

    def __init__(self, lists: Lists, may: Callable[[Target, Author], Awaitable[bool]]) -> None:
        """`may`: whether somebody may run benchmarks there."""
        self._lists = lists
        self._may = may

    async def offered(self, kind: Kind, target: Target, author: Author, begun: str) -> list[Offer]:
        """What somebody may choose who has begun to type this. Raises `StoreUnavailable`."""
        if not await self._may(target, author):
            return []
        match kind:
            case "models":
                return [Offer(name, name) for name in self._lists.models(begun)]
            case "data":
                return [Offer(name, name) for name in await self._lists.data_sets(begun)]
            case "runs":
                return [Offer(*run) for run in await self._lists.runs(begun)]

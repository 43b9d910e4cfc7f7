"""Hands out slots of endpoints: who may call a model now, and who waits for whom."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from agent.llm.chat import ChatModel, ModelError, Prepare, Priority, ReplyItem, Serving


@dataclass(frozen=True, slots=True)
class Member:
    """One endpoint of a pool."""

    model: ChatModel
    #: Calls that it takes at the same time.
    slots: int


class EndpointPool:
    """`ChatPool` over endpoints in order of preference. Calls go to the first one.

    Whoever waits is served by priority, then in order of arrival, in this process.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = tuple(members)
        self._slots = tuple(Slots(member.slots) for member in self._members)

    def serving(self, model: str = "") -> Serving:
        if not self._members:
            return Serving("")
        first = self._members[0].model
        return Serving(first.name, first.demo, first.context_tokens)

    async def stream(
        self, prepare: Prepare, *, owner: str, priority: Priority = Priority.CHAT, model: str = ""
    ) -> AsyncGenerator[ReplyItem, None]:
        async with self.slot(owner, priority) as chosen, aclosing(chosen.stream(await prepare(chosen))) as items:
            async for item in items:
                yield item

    @property
    def busy(self) -> int:
        """Slots that are held."""
        return sum(slots.busy for slots in self._slots)

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return sum(slots.waiting for slots in self._slots)

    @asynccontextmanager
    async def slot(self, owner: str, priority: Priority = Priority.CHAT) -> AsyncIterator[ChatModel]:
        if not self._members:
            raise ModelError("not_started", f"no endpoint is configured (wanted by {owner})")
        member, slots = self._members[0], self._slots[0]
        await slots.take(priority)
        try:
            yield member.model
        finally:
            slots.give()


class Slots:
    """A semaphore whose queue is ordered by priority, then arrival."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"an endpoint needs at least one slot, not {count}")
        self._count = count
        self._free = count
        self._queue: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._arrivals = itertools.count()

    @property
    def busy(self) -> int:
        return self._count - self._free

    @property
    def waiting(self) -> int:
        return sum(not turn.done() for _, _, turn in self._queue)

    async def take(self, priority: Priority) -> None:
        """Wait for a slot. Cancelled while it waits, it holds none."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The slot had been handed over, but its new holder will not run.
                self.give()
            raise

    def give(self) -> None:
        """Hand a slot to the first in the queue, or put it back."""
        while self._queue:
            _, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

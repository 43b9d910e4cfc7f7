"""What a pool knows of each endpoint and of each call: who holds which slot, and who gives way to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from agent.llm.chat import ChatModel, ModelError, Priority
from agent.llm.health import Health

_T = TypeVar("_T")
#: Part of an endpoint's slots in which background calls may wait for their first token at the same time.
_BEGINNING = 1 / 8


@dataclass(frozen=True, slots=True)
class Member:
    """One endpoint of a pool."""

    model: ChatModel
    #: Calls that it takes at the same time.
    slots: int
    #: For people and for profiles; "" takes the model's.
    name: str = ""
    #: Lower goes first; of equal ones the one with the most free slots.
    priority: int = 0
    #: Asks how the endpoint is: None for well. Without it, an endpoint that failed is tried again after its pause.
    check: Callable[[], Awaitable[ModelError | None]] | None = None
    #: Most calls that its server takes at the same time, whatever `slots` says; a probe may find that out later.
    most: Callable[[], int | None] = lambda: None
    #: Whether a call in one slot holds up the others, as on a CPU. A probe may find that out later, too.
    shared: Callable[[], bool] = lambda: False
    #: What else it may be called.
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.slots < 1:
            raise ValueError(f"an endpoint needs at least one slot, not {self.slots}")

    @property
    def title(self) -> str:
        """The endpoint's name for people."""
        return self.name or self.model.name


@dataclass(eq=False, slots=True)
class Seat:
    """A member at work."""

    member: Member
    health: Health
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    #: Looks at it again while it is down.
    watch: asyncio.Task[None] | None = None
    #: Those who hold a slot, in the order in which they got it.
    calls: list[PoolCall] = field(default_factory=list)
    #: Runs for a moment after a chat: the next one is likely to follow.
    lull: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> int:
        """Slots that are held."""
        return len(self.calls)

    @property
    def slots(self) -> int:
        return min(self.member.slots, self.member.most() or self.member.slots)

    @property
    def free(self) -> int:
        return self.slots - self.busy

    @property
    def down(self) -> bool:
        return self.health.trouble is not None

    @property
    def background(self) -> list[PoolCall]:
        """Calls that give way."""
        return [call for call in self.calls if call.background]

    def has_room(self, call: PoolCall) -> bool:
        """Whether this call may have a slot now.

        Background work has half of the slots at most, a quarter where somebody chats, and never the last free one of
        several. It begins nothing while a chat waits for its first token,
        which a second prompt would delay, and not too much at once: whoever comes then waits behind all those prompts.
        Where slots share a processor, it is one call at a time, and none beside a
        chat or just after one.
        """
        if not call.background:
            return self.free > 0
        waiting = [other for other in self.calls if other.waits]
        most = max(1, int(self.slots * _BEGINNING))
        if self.free < min(2, self.slots) or len(waiting) >= most or not all(other.background for other in waiting):
            return False
        if self.member.shared():
            return self.lull is None and not self.calls
        background = self.background
        chatted = self.lull is not None or len(background) < self.busy
        return len(background) < max(1, self.slots // (4 if chatted else 2))

    def take(self, call: PoolCall) -> None:
        self.calls.append(call)
        self.idle.clear()
        call.waits = True
        if call.background:
            return
        for other in self.background:
            # One that waits for its first token has nothing to lose but its prompt, which would be read first.
            if other.waits or self.member.shared():
                other.give_way()

    def give(self, call: PoolCall) -> None:
        self.calls.remove(call)
        call.waits = False
        if not self.calls:
            self.idle.set()


class GaveWay(Exception):
    """A chat needs what the call had."""


@dataclass(eq=False, slots=True)
class PoolCall:
    """One call on its way through the pool."""

    model: str
    priority: Priority
    arrival: int
    #: Whether only endpoints that are called `model` will do.
    alone: bool = False
    #: Set when its turn has come: the seat that it gets, or None when nobody is left to ask.
    turn: asyncio.Future[Seat | None] | None = None
    tried: list[Seat] = field(default_factory=list)
    #: Those that were down when its turn came.
    passed: list[Seat] = field(default_factory=list)
    #: Whether it has pictures.
    images: bool = False
    #: Windows up to this size, in tokens, are known to be too small for it.
    too_small: int = 0
    #: Whether it has a slot and no token yet.
    waits: bool = False
    #: Whether it has been told to give way.
    gives_way: bool = False
    #: Around what it waits for just now.
    _scope: asyncio.Timeout | None = None

    @property
    def order(self) -> tuple[int, int]:
        return self.priority, self.arrival

    @property
    def background(self) -> bool:
        return self.priority >= Priority.BACKGROUND

    def fits(self, seat: Seat) -> bool:
        return seat.member.model.context_tokens > self.too_small

    def give_way(self) -> None:
        """End what it waits for: `unless_needed` raises."""
        if self.gives_way:
            return
        self.gives_way = True
        if self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())

    async def unless_needed(self, step: Callable[[], Awaitable[_T]]) -> _T:
        """Wait for `step`. Raises `GaveWay` as soon as the call has to give way; what `step` waits for is cancelled."""
        if self.gives_way:
            raise GaveWay
        try:
            async with asyncio.timeout(None) as self._scope:
                return await step()
        except TimeoutError:
            if self.gives_way:
                raise GaveWay from None
            raise
        finally:
            self._scope = None

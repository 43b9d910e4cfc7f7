"""Several endpoints as one: who may call which of them, who waits for whom, and who stands in for one that fails."""

from __future__ import annotations

import asyncio
import itertools
import logging
from bisect import insort
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from agent.llm.chat import (
    ChatModel,
    ModelError,
    ModelFault,
    Prepare,
    Priority,
    ReplyEnd,
    ReplyItem,
    Restarted,
    Serving,
)
from agent.llm.health import AVOIDED, PAUSES, Health

_log = logging.getLogger(__name__)

#: Faults that another endpoint may not have. (The prompt that is too long for one may fit into a larger window.)
_GOES_ON: Final = AVOIDED | frozenset[ModelFault](("empty", "context_overflow"))


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

    def __post_init__(self) -> None:
        if self.slots < 1:
            raise ValueError(f"an endpoint needs at least one slot, not {self.slots}")

    @property
    def title(self) -> str:
        """The endpoint's name for people."""
        return self.name or self.model.name


@dataclass(eq=False, slots=True)
class _Seat:
    """A member at work."""

    member: Member
    health: Health
    busy: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    #: Looks at it again while it is down.
    watch: asyncio.Task[None] | None = None

    @property
    def free(self) -> int:
        return min(self.member.slots, self.member.most() or self.member.slots) - self.busy

    @property
    def down(self) -> bool:
        return self.health.trouble is not None

    def take(self) -> None:
        self.busy += 1
        self.idle.clear()

    def give(self) -> None:
        self.busy -= 1
        if not self.busy:
            self.idle.set()


@dataclass(eq=False, slots=True)
class _Call:
    """One call on its way through the pool."""

    model: str
    priority: Priority
    arrival: int
    #: Set when its turn has come: the seat that it gets, or None when nobody is left to ask.
    turn: asyncio.Future[_Seat | None] | None = None
    tried: list[_Seat] = field(default_factory=list)
    #: Those that were down when its turn came.
    passed: list[_Seat] = field(default_factory=list)
    #: Whether it has pictures.
    images: bool = False
    #: Windows up to this size, in tokens, are known to be too small for it.
    too_small: int = 0

    @property
    def order(self) -> tuple[int, int]:
        return self.priority, self.arrival

    def fits(self, seat: _Seat) -> bool:
        return seat.member.model.context_tokens > self.too_small


class EndpointPool:
    """`ChatPool` over endpoints in order of preference.

    A call waits for a slot of the best endpoint that is well, however busy that is: only health moves it to the next
    one. Whoever waits is served by priority, then in order of arrival, in this process. Endpoints that are down are
    asked only when no other is left.
    """

    def __init__(self, members: Sequence[Member] = (), pauses: Sequence[float] = PAUSES) -> None:
        """`pauses`: seconds that an endpoint is avoided after each failure in a row."""
        self._pauses = pauses
        self._seats: list[_Seat] = []
        #: Seats that are no longer in use, until their last call has ended.
        self._leaving: list[_Seat] = []
        self._queue: list[_Call] = []
        self._arrivals = itertools.count()
        self.replace(members)

    @property
    def members(self) -> tuple[Member, ...]:
        """All endpoints, best first."""
        return tuple(seat.member for seat in sorted(self._seats, key=lambda seat: seat.member.priority))

    @property
    def busy(self) -> int:
        """Slots that are held."""
        return sum(seat.busy for seat in (*self._seats, *self._leaving))

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return len(self._queue)

    def serving(self, model: str = "", *, images: bool = False) -> Serving:
        tier = self._tier(_Call(model, Priority.CHAT, 0, images=images))
        if not tier:
            return Serving("")
        first = tier[0].member.model
        return Serving(first.name, first.demo, first.context_tokens, first.sees)

    def trouble(self, model: ChatModel) -> ModelError | None:
        """Why the endpoint of this model is avoided; None while it isn't."""
        return next((seat.health.trouble for seat in self._seats if seat.member.model is model), None)

    def replace(self, members: Sequence[Member]) -> None:
        """Use these endpoints from now on. One whose model is the same object keeps its calls and its health.

        Calls that run on others are left alone; `released` tells when they are over.
        """
        former = {id(seat.member.model): seat for seat in self._seats}
        seats = []
        for member in members:
            seat = former.pop(id(member.model), None)
            if seat is None:
                seat = _Seat(member, Health(self._pauses))
                seat.idle.set()
            seat.member = member
            seats.append(seat)
        for seat in former.values():
            _stop(seat.watch)
        self._leaving = [seat for seat in (*self._leaving, *former.values()) if seat.busy]
        self._seats = seats
        self._hand_out()

    async def released(self, model: ChatModel) -> None:
        """Wait until no call uses this model."""
        for seat in [seat for seat in (*self._seats, *self._leaving) if seat.member.model is model]:
            await seat.idle.wait()

    async def look(self, *models: ChatModel) -> None:
        """Ask the endpoints of these models how they are, so that the first call needn't find out. Never raises."""
        seats = [seat for seat in self._seats if seat.member.model in models and not seat.down]
        await asyncio.gather(*(self._look(seat) for seat in seats))

    async def aclose(self) -> None:
        """End what runs in the background. The models are closed by whoever made them."""
        watches = [seat.watch for seat in self._seats if seat.watch is not None]
        for watch in watches:
            _stop(watch)
        await asyncio.gather(*watches, return_exceptions=True)

    async def stream(
        self,
        prepare: Prepare,
        *,
        owner: str,
        priority: Priority = Priority.CHAT,
        model: str = "",
        images: bool = False,
    ) -> AsyncGenerator[ReplyItem, None]:
        call = _Call(model, priority, next(self._arrivals), images=images)
        if images:
            await self._find_one_that_sees(call)
        failures: list[tuple[_Seat, ModelError]] = []
        begun = False
        while (seat := await self._take(call)) is not None:
            void, chosen = begun, seat.member.model
            try:
                async with aclosing(chosen.stream(await prepare(chosen))) as items:
                    async for item in items:
                        if void and not isinstance(item, Restarted):
                            yield Restarted(str(failures[-1][1]))
                        void, begun = False, True
                        yield self._ended(call, seat, item) if isinstance(item, ReplyEnd) else item
                return
            except ModelError as error:
                failures.append((seat, error))
                self._failed(call, seat, error)
                if error.fault not in _GOES_ON:
                    break
            finally:
                self._give(seat)
        if not failures:
            raise ModelError("not_started", f"no endpoint is configured (wanted by {owner})")
        raise min(failures, key=lambda failure: self._rank(call, failure[0]))[1]

    def _ended(self, call: _Call, seat: _Seat, end: ReplyEnd) -> ReplyEnd:
        seat.health.well()
        self._hand_out()
        mine = self._rank(call, seat)

        def missed(other: _Seat) -> bool:
            if other in call.tried:
                return other is not seat and self._rank(call, other) <= mine
            return self._rank(call, other) < mine and call.fits(other)

        # Not those that were entered while it ran.
        known = dict.fromkeys((*call.tried, *call.passed))
        others = sorted(filter(missed, known), key=lambda other: self._rank(call, other))
        return replace(end, instead_of=tuple(one.member.title for one in others), endpoint=seat.member.title)

    def _failed(self, call: _Call, seat: _Seat, error: ModelError) -> None:
        level = logging.WARNING if error.fault in AVOIDED else logging.INFO
        _log.log(level, "endpoint %s failed: %s", seat.member.title, error)
        if error.fault == "context_overflow":
            call.too_small = max(call.too_small, seat.member.model.context_tokens)
        if error.fault in AVOIDED:
            self._avoid(seat, error)

    # --- Who is asked

    def _named(self, call: _Call) -> list[_Seat]:
        """The endpoints that the call asks for by name."""
        if not call.model:
            return []
        by_name = [seat for seat in self._seats if seat.member.name == call.model]
        return by_name or [seat for seat in self._seats if seat.member.model.name == call.model]

    def _rank(self, call: _Call, seat: _Seat) -> tuple[bool, bool, int]:
        """Lower is preferred."""
        blind = call.images and not seat.member.model.sees
        return blind, seat not in self._named(call), seat.member.priority

    async def _find_one_that_sees(self, call: _Call) -> None:
        """Find out, best first, which endpoints see, until one does. Each has to be asked only once."""
        for seat in sorted(self._seats, key=lambda seat: self._rank(call, seat)[1:]):
            if not seat.down and await seat.member.model.can_see():
                return

    def _tier(self, call: _Call) -> list[_Seat]:
        """The endpoints that the call would take now, all equally good; the one with the most free slots first."""
        left = [seat for seat in self._seats if seat not in call.tried and call.fits(seat)]
        left = [seat for seat in left if not seat.down] or left
        if not left:
            return []
        best = min(self._rank(call, seat) for seat in left)
        return sorted((seat for seat in left if self._rank(call, seat) == best), key=lambda seat: -seat.free)

    # --- Slots

    async def _take(self, call: _Call) -> _Seat | None:
        """Wait for a slot; None when nobody is left to ask. Cancelled while it waits, the call holds none."""
        turn: asyncio.Future[_Seat | None] = asyncio.get_running_loop().create_future()
        call.turn = turn
        insort(self._queue, call, key=lambda waiting: waiting.order)
        self._hand_out()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # A slot may have been handed over, but its new holder will not run.
                if (seat := turn.result()) is not None:
                    self._give(seat)
            else:
                self._queue.remove(call)
            raise

    def _hand_out(self) -> None:
        """Give free slots to those who wait, in their order."""
        for call in tuple(self._queue):
            # One that is just being cancelled takes itself off the queue.
            if call.turn is None or call.turn.done():
                continue
            seat = next(iter(self._tier(call)), None)
            if seat is not None and seat.free <= 0:
                continue
            if seat is not None:
                seat.take()
                call.tried.append(seat)
                call.passed += (other for other in self._seats if other.down)
            self._queue.remove(call)
            call.turn.set_result(seat)

    def _give(self, seat: _Seat) -> None:
        seat.give()
        self._leaving = [one for one in self._leaving if one.busy]
        self._hand_out()

    # --- Health

    def _avoid(self, seat: _Seat, error: ModelError) -> None:
        seat.health.failed(error)
        if seat.watch is None and seat in self._seats:
            seat.watch = asyncio.create_task(self._watch(seat), name=f"watch over endpoint {seat.member.title}")
        # Those who wait for it go to the next one.
        self._hand_out()

    async def _watch(self, seat: _Seat) -> None:
        """Look at an endpoint that failed, again and again, until it is there again."""
        try:
            while seat.down:
                await asyncio.sleep(seat.health.pause)
                error = await seat.member.check() if seat.member.check is not None else None
                if error is None:
                    seat.health.on_trial()
                    _log.info("endpoint %s is there again", seat.member.title)
                elif seat.down:
                    seat.health.still_failing(error)
        finally:
            seat.watch = None
        # Those who wait for another one come back.
        self._hand_out()

    async def _look(self, seat: _Seat) -> None:
        if seat.member.check is not None and (error := await seat.member.check()) is not None:
            self._avoid(seat, error)


def _stop(watch: asyncio.Task[None] | None) -> None:
    if watch is not None:
        watch.cancel()

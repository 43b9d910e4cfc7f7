"""Several endpoints as one: who may call which of them, who waits for whom, and who stands in for one that fails."""

from __future__ import annotations

import asyncio
import itertools
import logging
from bisect import insort
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
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
from agent.llm.seats import GaveWay, Member, PoolCall, Seat

__all__ = ["LULL", "EndpointPool", "Member"]

_log = logging.getLogger(__name__)

#: Faults that another endpoint may not have. (The prompt that is too long for one may fit into a larger window.)
_GOES_ON: Final = AVOIDED | frozenset[ModelFault](("empty", "context_overflow"))
#: Seconds after a chat during which an endpoint counts as one where somebody chats: the next call of the same turn is
#: likely to follow. Background work has few of its slots then, and none where computing is shared.
LULL: Final = 2.0


class EndpointPool:
    """`ChatPool` over endpoints in order of preference.

    A call waits for a slot of the best endpoint that is well, however busy that is: only health moves it to the next
    one. Whoever waits is served by priority, then in order of arrival, in this process. Endpoints that are down are
    asked only when no other is left.

    Background calls keep no chat waiting: where a chat finds no free slot, or computing is shared, one that runs is
    ended at once and begins anew when there is room again.
    """

    def __init__(self, members: Sequence[Member] = (), pauses: Sequence[float] = PAUSES, *, lull: float = LULL) -> None:
        """`pauses`: seconds that an endpoint is avoided after each failure in a row. `lull`: see `LULL`."""
        self._pauses = pauses
        self._lull = lull
        #: How often a background call was ended for a chat.
        self.given_way = 0
        self._seats: list[Seat] = []
        #: Seats that are no longer in use, until their last call has ended.
        self._leaving: list[Seat] = []
        self._queue: list[PoolCall] = []
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
        tier = self._tier(PoolCall(model, Priority.CHAT, 0, images=images))
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
                seat = Seat(member, Health(self._pauses))
                seat.idle.set()
            seat.member = member
            seats.append(seat)
        for seat in former.values():
            _stop(seat.watch)
        self._leaving = [seat for seat in (*self._leaving, *former.values()) if seat.busy]
        self._seats = seats
        self._hand_out()

    def model_called(self, name: str) -> ChatModel | None:
        """The model that a call `alone` by this name would be for; None for none."""
        tier = self._tier(PoolCall(name, Priority.BACKGROUND, 0, alone=True))
        return tier[0].member.model if tier else None

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
        for seat in (*self._seats, *self._leaving):
            _stop(seat.lull)
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
        alone: bool = False,
    ) -> AsyncGenerator[ReplyItem, None]:
        """As `ChatPool.stream`. `alone`: nobody stands in for the endpoint or model that `model` names.

        A background call that gave way is asked again; if items had come already, `Restarted` comes first.
        """
        call = PoolCall(model, priority, next(self._arrivals), alone=alone, images=images)
        if images:
            await self._find_one_that_sees(call)
        failures: list[tuple[Seat, ModelError]] = []
        begun, why = False, ""
        while (seat := await self._take(call)) is not None:
            void = begun
            try:
                async with aclosing(_items(call, seat.member.model, prepare)) as items:
                    async for item in items:
                        self._heard(call)
                        if void and not isinstance(item, Restarted):
                            yield Restarted(why)
                        void, begun = False, True
                        yield self._ended(call, seat, item) if isinstance(item, ReplyEnd) else item
                return
            except GaveWay:
                why = "it gave way to a chat"
                self.given_way += 1
                call.gives_way = False
                call.tried.remove(seat)
            except ModelError as error:
                why = str(error)
                failures.append((seat, error))
                self._failed(call, seat, error)
                if error.fault not in _GOES_ON:
                    break
            finally:
                self._give(call, seat)
        if not failures:
            raise ModelError("not_started", f"no endpoint is configured (wanted by {owner})")
        raise min(failures, key=lambda failure: self._rank(call, failure[0]))[1]

    def _ended(self, call: PoolCall, seat: Seat, end: ReplyEnd) -> ReplyEnd:
        seat.health.well()
        self._hand_out()
        mine = self._rank(call, seat)

        def missed(other: Seat) -> bool:
            if other in call.tried:
                return other is not seat and self._rank(call, other) <= mine
            return self._rank(call, other) < mine and call.fits(other)

        # Not those that were entered while it ran.
        known = dict.fromkeys((*call.tried, *call.passed))
        others = sorted(filter(missed, known), key=lambda other: self._rank(call, other))
        return replace(end, instead_of=tuple(one.member.title for one in others), endpoint=seat.member.title)

    def _failed(self, call: PoolCall, seat: Seat, error: ModelError) -> None:
        level = logging.WARNING if error.fault in AVOIDED else logging.INFO
        _log.log(level, "endpoint %s failed: %s", seat.member.title, error)
        if error.fault == "context_overflow":
            call.too_small = max(call.too_small, seat.member.model.context_tokens)
        # A run asks as much as the server takes; that it has enough of that, or is slow, says nothing about chats.
        too_much = call.background and error.fault in ("overloaded", "timeout")
        if error.fault in AVOIDED and not too_much:
            self._avoid(seat, error)

    # --- Who is asked

    def _named(self, call: PoolCall) -> list[Seat]:
        """The endpoints that the call asks for by name."""
        if not call.model:
            return []
        by_name = [seat for seat in self._seats if seat.member.name == call.model]
        by_model = by_name or [seat for seat in self._seats if seat.member.model.name == call.model]
        return by_model or [seat for seat in self._seats if call.model in seat.member.aliases]

    def _rank(self, call: PoolCall, seat: Seat) -> tuple[bool, bool, int]:
        """Lower is preferred."""
        blind = call.images and not seat.member.model.sees
        return blind, seat not in self._named(call), seat.member.priority

    async def _find_one_that_sees(self, call: PoolCall) -> None:
        """Find out, best first, which endpoints see, until one does. Each has to be asked only once."""
        for seat in sorted(self._seats, key=lambda seat: self._rank(call, seat)[1:]):
            if not seat.down and await seat.member.model.can_see():
                return

    def _tier(self, call: PoolCall) -> list[Seat]:
        """The endpoints that the call would take now, all equally good; the one with the most free slots first."""
        asked = self._named(call) if call.alone and call.model else self._seats
        left = [seat for seat in asked if seat not in call.tried and call.fits(seat)]
        left = [seat for seat in left if not seat.down] or left
        if not left:
            return []
        best = min(self._rank(call, seat) for seat in left)
        return sorted((seat for seat in left if self._rank(call, seat) == best), key=lambda seat: -seat.free)

    # --- Slots

    async def _take(self, call: PoolCall) -> Seat | None:
        """Wait for a slot; None when nobody is left to ask. Cancelled while it waits, the call holds none."""
        turn: asyncio.Future[Seat | None] = asyncio.get_running_loop().create_future()
        call.turn = turn
        insort(self._queue, call, key=lambda waiting: waiting.order)
        self._hand_out()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # A slot may have been handed over, but its new holder will not run.
                if (seat := turn.result()) is not None:
                    self._give(call, seat)
            else:
                self._queue.remove(call)
                # What it kept others from may begin.
                self._hand_out()
            raise

    def _hand_out(self) -> None:
        """Give free slots to those who wait, in their order."""
        for call in tuple(self._queue):
            # One that is just being cancelled takes itself off the queue.
            if call.turn is None or call.turn.done():
                continue
            tier = self._tier(call)
            seat = next((seat for seat in tier if seat.has_room(call)), None)
            if tier and seat is None:
                continue
            if seat is not None:
                seat.take(call)
                call.tried.append(seat)
                call.passed += (other for other in self._seats if other.down)
            self._queue.remove(call)
            call.turn.set_result(seat)
        self._make_room()

    def _make_room(self) -> None:
        """End a background call for each chat that waits where one runs; the one that began last has least to lose."""
        leaving = Counter({seat: sum(call.gives_way for call in seat.calls) for seat in self._seats})
        for chat in self._queue:
            if chat.background or chat.turn is None or chat.turn.done():
                continue
            tier = self._tier(chat)
            cleared = next((seat for seat in tier if leaving[seat] > 0), None)
            if cleared is not None:
                leaving[cleared] -= 1
                continue
            stays = (one for seat in tier for one in reversed(seat.background) if not one.gives_way)
            if (last := next(stays, None)) is not None:
                last.give_way()

    def _heard(self, call: PoolCall) -> None:
        """Something has come."""
        if call.waits:
            call.waits = False
            self._hand_out()

    def _give(self, call: PoolCall, seat: Seat) -> None:
        seat.give(call)
        self._leaving = [one for one in self._leaving if one.busy]
        if not call.background:
            _stop(seat.lull)
            seat.lull = asyncio.get_running_loop().call_later(self._lull, self._resume, seat)
        self._hand_out()

    def _resume(self, seat: Seat) -> None:
        seat.lull = None
        self._hand_out()

    # --- Health

    def _avoid(self, seat: Seat, error: ModelError) -> None:
        seat.health.failed(error)
        if seat.watch is None and seat in self._seats:
            seat.watch = asyncio.create_task(self._watch(seat), name=f"watch over endpoint {seat.member.title}")
        # Those who wait for it go to the next one.
        self._hand_out()

    async def _watch(self, seat: Seat) -> None:
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

    async def _look(self, seat: Seat) -> None:
        if seat.member.check is not None and (error := await seat.member.check()) is not None:
            self._avoid(seat, error)


async def _items(call: PoolCall, model: ChatModel, prepare: Prepare) -> AsyncGenerator[ReplyItem, None]:
    """The reply of this model. Raises `GaveWay` for a call in the background that has to."""
    if not call.background:
        async with aclosing(model.stream(await prepare(model))) as items:
            async for item in items:
                yield item
        return
    request = await call.unless_needed(lambda: prepare(model))
    async with aclosing(model.stream(request)) as items:
        while True:
            item = await call.unless_needed(lambda: anext(items))
            yield item
            if isinstance(item, ReplyEnd):
                # Complete: from here on there is nothing to give way with.
                return


def _stop(running: asyncio.Task[None] | asyncio.TimerHandle | None) -> None:
    if running is not None:
        running.cancel()

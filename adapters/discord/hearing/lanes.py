"""What Discord tells, worked through in order: one queue per place, all places side by side.

Discord delivers once. So nothing is given up: whoever works an item off tries until it is done, and what doesn't fit
into a queue is left to be listed by the REST API afterwards. Queues exist while there is something in them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final, Literal

from adapters.discord.hearing.places import Place

log = logging.getLogger(__name__)

#: Things that wait in one place. More new messages than this are read again from Discord later.
MOST_WAITING: Final = 500
#: Edits and deletions, which Discord can't be asked for, are kept up to this many more.
_MORE: Final = 1_500


@dataclass(frozen=True, slots=True)
class Work:
    """One thing that happened."""

    kind: Literal["said", "edited", "deleted"]
    place: Place
    #: As the gateway told it.
    body: Mapping[str, Any]


@dataclass(slots=True)
class _Lane:
    #: None: something may be missing between what stands before it and what comes behind it.
    waiting: deque[Work | None] = field(default_factory=deque)
    #: The newest message that was left out; 0 none.
    left_out: int = 0
    task: asyncio.Task[None] | None = None

    @property
    def first(self) -> int | None:
        """The first message that waits, up to where something may be missing."""
        told = takewhile(lambda work: work is not None, self.waiting)
        return next((int(work.body["id"]) for work in told if work is not None and work.kind == "said"), None)


#: Works something off; everything before it has been.
Do = Callable[[Work], Awaitable[None]]
#: Makes a place whole: all that was said before this message (None: until now) is handed on.
CatchUp = Callable[[Place, int | None], Awaitable[None]]
#: Told that messages up to this one were left out.
LeftOut = Callable[[Place, int], None]


class Lanes:
    """The queues. `do` and `catch_up` handle what goes wrong outside themselves."""

    def __init__(self, do: Do, catch_up: CatchUp, left_out: LeftOut, *, most: int = MOST_WAITING) -> None:
        self._do = do
        self._catch_up = catch_up
        self._left_out = left_out
        self._most = most
        self._lanes: dict[Place, _Lane] = {}
        # Places in which nothing is missing before what waits first.
        self._whole: set[Place] = set()
        # Counts how often something may have been missed.
        self._losses = 0
        self._closed = False

    def put(self, work: Work) -> None:
        """Work this off after what came before it in its place; returns at once."""
        if self._closed:
            return
        lane = self._lanes.setdefault(work.place, _Lane())
        if work.kind == "said" and (lane.left_out or len(lane.waiting) >= self._most):
            if not lane.left_out:
                log.warning("more than %d messages wait in %s: the rest is read again later", self._most, work.place.id)
            lane.left_out = max(lane.left_out, int(work.body["id"]))
        elif len(lane.waiting) >= self._most + _MORE:
            log.error("a message of %s that was %s is left as it was: too much waits", work.place.id, work.kind)
        else:
            lane.waiting.append(work)
        self._start(work.place, lane)

    def touch(self, place: Place) -> None:
        """See to it that nothing is missing there."""
        if not self._closed and place not in self._whole:
            self._start(place, self._lanes.setdefault(place, _Lane()))

    def lose(self, is_lost: Callable[[Place], bool]) -> None:
        """Something may have been missed in these places, after what waits there."""
        self._losses += 1
        waiting = {place: lane.waiting for place, lane in self._lanes.items() if lane.waiting and is_lost(place)}
        for queue in waiting.values():
            if queue[-1] is not None:
                queue.append(None)
        self._whole = {place for place in self._whole if place in waiting or not is_lost(place)}

    async def idle(self) -> None:
        """Wait until nothing waits."""
        while self._lanes:
            await asyncio.wait([lane.task for lane in self._lanes.values() if lane.task is not None])

    async def close(self) -> None:
        """Stop at once: what isn't handed on is behind the watermarks, and read at the next start."""
        self._closed = True
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, place: Place, lane: _Lane) -> None:
        if lane.task is None:
            lane.task = asyncio.create_task(self._run(place, lane))

    async def _run(self, place: Place, lane: _Lane) -> None:
        try:
            while await self._next(place, lane):
                pass
        finally:
            if self._lanes.get(place) is lane:
                del self._lanes[place]

    async def _next(self, place: Place, lane: _Lane) -> bool:
        """One step; False when there is nothing to do."""
        if place not in self._whole:
            losses = self._losses
            await self._make_whole(place, lane.first)
            if losses == self._losses:
                self._whole.add(place)
            return True
        if lane.waiting:
            # It stays in the queue meanwhile, where it counts.
            if (work := lane.waiting[0]) is not None:
                await self._work_off(work)
            else:
                self._whole.discard(place)
            lane.waiting.popleft()
            return True
        if lane.left_out:
            self._left_out(place, lane.left_out)
            lane.left_out = 0
            self._whole.discard(place)
            return True
        return False

    async def _make_whole(self, place: Place, before: int | None) -> None:
        try:
            await self._catch_up(place, before)
        except Exception:
            # A defect of ours: what happens now matters more than what was missed.
            log.exception("what was missed in %s can't be read", place.id)

    async def _work_off(self, work: Work) -> None:
        try:
            await self._do(work)
        except Exception:
            # A defect of ours: what comes behind it shall not suffer.
            log.exception("a message of %s that was %s was dropped", work.place.id, work.kind)

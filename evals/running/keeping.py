"""Replies on their way into the store: in small batches, each durable before it counts as done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agent.clock import Clock
from evals.runs import Prediction, RunStore

#: Seconds between two batches, at least: each costs the store a sync of its disk, which others need, too.
PAUSE_S = 0.1
#: So many don't wait for that.
BATCH = 32
#: Replies that may wait to be kept. While there are so many nothing is asked, so that a kill costs no more of them.
MOST_WAITING = 64
#: Of the longest batch: a run that finds everything in the cache has thousands at once.
_LONGEST = 256


class Keeper:
    """Appends what it is given to a run, in its order. A kill loses what waits: `PAUSE_S` and one write of it."""

    def __init__(
        self, store: RunStore, run_id: str, clock: Clock, on_kept: Callable[[Sequence[Prediction]], None]
    ) -> None:
        """`on_kept` is told what is durable, and () when the store has failed."""
        self._store = store
        self._run_id = run_id
        self._clock = clock
        self._on_kept = on_kept
        self._waiting: list[Prediction] = []
        self._come = asyncio.Event()
        self._enough = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._write())
        self._task.add_done_callback(lambda _: on_kept(()))

    @property
    def full(self) -> bool:
        """Whether nothing more should be asked for now."""
        return len(self._waiting) >= MOST_WAITING

    @property
    def error(self) -> BaseException | None:
        """What the store raised; nothing is kept after that."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    def keep(self, predictions: Sequence[Prediction]) -> None:
        """Append these as soon as may be."""
        self._waiting += predictions
        self._come.set()
        if len(self._waiting) >= BATCH:
            self._enough.set()

    async def close(self) -> None:
        """Wait until everything is kept, or can't be."""
        self._closing = True
        self._come.set()
        self._enough.set()
        await asyncio.wait((self._task,))

    async def _write(self) -> None:
        while self._waiting or not self._closing:
            await self._come.wait()
            self._come.clear()
            while self._waiting:
                batch = self._waiting[:_LONGEST]
                await self._store.add(self._run_id, batch)
                # Only now: until they are durable they are waiting.
                del self._waiting[: len(batch)]
                self._on_kept(batch)
                await self._rest()

    async def _rest(self) -> None:
        """Until the next batch is due."""
        self._enough.clear()
        if self._closing or len(self._waiting) >= BATCH:
            return
        pause = asyncio.ensure_future(self._clock.sleep(PAUSE_S))
        enough = asyncio.ensure_future(self._enough.wait())
        try:
            await asyncio.wait((pause, enough), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            enough.cancel()

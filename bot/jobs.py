"""Background jobs: run at their time, with a lease, retries and cancelling; one table, one loop per process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Json
from bot.ports import LostTurn, StoreUnavailable
from bot.store import job_parts, jobs
from bot.store.db import Store
from bot.store.jobs import JobRow, Lane

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Seconds for which a job is leased; `Progress.report` prolongs it, so a step between two reports may take this long.
LEASE = timedelta(seconds=60)
#: Before the end of a lease at which its owner stops trusting it.
_MARGIN = timedelta(seconds=5)
#: A back-off is doubled at most so often: a job may have any number of attempts.
_DOUBLINGS = 10
#: Longest sleep between two looks at the table, in seconds: a job that another process queues is seen after this time.
POLL_SECONDS = 5.0


class Cancelled(Exception):
    """The job was cancelled; raised by `Progress.report`."""


class GivenUp(Exception):
    """A kind raises this where trying again would bring the same: the job fails, and the text is its error."""


class Progress:
    """How a running job reports; also how it learns that it was cancelled or lost."""

    def __init__(self, store: Store, clock: Clock, row: JobRow) -> None:
        self._store = store
        self._clock = clock
        self._row = row
        self._deadline = clock.monotonic() + (LEASE - _MARGIN).total_seconds()

    @property
    def job_id(self) -> int:
        return self._row.id

    @property
    def epoch(self) -> int:
        """Raised by each attempt."""
        return self._row.epoch

    @property
    def attempts(self) -> int:
        """Attempts so far, this one included; those that ended with an orderly stop are not counted."""
        return self._row.attempts

    @property
    def queued_at(self) -> datetime:
        """When the job was queued."""
        return self._row.created_at

    def check(self) -> None:
        """Raise `LostTurn` when the lease may have run out; called immediately before every call to a platform."""
        if self._clock.monotonic() >= self._deadline:
            raise LostTurn(f"the lease of job {self._row.id} ran out")

    async def write(self, change: Callable[[Connection, datetime], T]) -> T:
        """Apply `change(connection, now)` if the job is still ours, and prolong its lease; else raise `LostTurn`."""
        asked_at, now = self._clock.monotonic(), self._clock.now()

        def query(connection: Connection) -> T:
            if not jobs.fence(connection, self._row.id, self._row.epoch, now + LEASE):
                raise LostTurn(f"job {self._row.id} was taken over")
            return change(connection, now)

        made = await self._store.write(query)
        self._deadline = asked_at + (LEASE - _MARGIN).total_seconds()
        return made

    @property
    def last(self) -> Json:
        """What an earlier attempt reported last: where to go on."""
        return self._row.progress

    async def report(self, progress: Json) -> None:
        """Store where the job stands. Raises `Cancelled`, or `LostTurn` when another process has taken the job over."""
        asked_at, until = self._clock.monotonic(), self._clock.now() + LEASE
        asked = await self._store.write(lambda c: jobs.report(c, self._row.id, self._row.epoch, progress, until))
        if asked is None:
            raise LostTurn(f"job {self._row.id} was taken over")
        self._deadline = asked_at + (LEASE - _MARGIN).total_seconds()
        if asked:
            raise Cancelled


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job."""

    run: Callable[[Json, Progress], Awaitable[None]]
    #: Attempts before it fails for good.
    attempts: int = 3
    #: Wait before the second attempt, doubled for each further one.
    back_off: timedelta = timedelta(seconds=30)
    #: Longest wait before an attempt: kills are attempts, too, and say nothing about when the next one will succeed.
    most_back_off: timedelta = timedelta(hours=12)
    #: A periodic job queues its successor this much later, when it ends.
    every: timedelta | None = None
    #: Jobs of one lane run one at a time; lanes run side by side, so that what takes hours keeps nothing else waiting.
    lane: str = ""
    #: It is run although it was cancelled before, so that it can leave things in order; its first report tells it.
    ends_itself: bool = False


class Jobs:
    """Runs due jobs in this process, one at a time per lane; long ones must await often."""

    def __init__(self, store: Store, clock: Clock, owner: str, kinds: Mapping[str, Kind]) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._kinds = kinds
        #: Set for each lane when a job was queued here.
        self._changed = {lane: asyncio.Event() for lane in self._lanes()}
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Queue what is periodic and begin to look for due jobs."""
        now = self._clock.now()

        def first(connection: Connection) -> None:
            for name, kind in self._kinds.items():
                if kind.every is not None:
                    jobs.queue(connection, name, "periodic", None, now, now)

        await self._store.write(first)
        self._loops = [
            asyncio.create_task(self._run(lane, changed), name=f"jobs {lane}".rstrip())
            for lane, changed in self._changed.items()
        ]

    async def stop(self) -> None:
        """Take no more jobs, and put those that run back into the queue."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def queue(self, kind: str, key: str, payload: Json = None, run_at: datetime | None = None) -> int | None:
        """Queue a job; None while one with this kind and key lives."""
        now = self._clock.now()
        row_id = await self._store.write(lambda c: jobs.queue(c, kind, key, payload, run_at or now, now))
        self.look()
        return row_id

    def look(self) -> None:
        """A job was queued in a transaction that is committed: look for it now rather than at the next poll."""
        for changed in self._changed.values():
            changed.set()

    async def cancel(self, job_id: int) -> bool:
        """Ask for a job's end; False if it is over."""
        now = self._clock.now()
        return await self._store.write(lambda c: jobs.cancel(c, job_id, now))

    async def only(self, job_id: int) -> None:
        """Run this one job, attempt by attempt, until it is over: for a process that runs no others and has no `start`.

        Raises `StoreUnavailable`.
        """
        while True:
            now = self._clock.now()
            claimed = partial(jobs.claim_one, job_id=job_id, owner=self._owner, now=now, until=now + LEASE)
            row = await self._store.write(claimed)
            if row is not None:
                await self._work(row)
                continue
            due = await self._store.read(lambda c: jobs.due(c, job_id))
            if due is None:
                return
            await self._clock.sleep(max(0.1, (due - self._clock.now()).total_seconds()))

    def _lanes(self) -> set[str]:
        return {"", *(kind.lane for kind in self._kinds.values())}

    def _of(self, lane: str) -> Lane:
        """The jobs of a lane; those of a kind that nobody here knows are in the first one, which ends them."""
        if lane:
            return Lane(only=tuple(name for name, kind in self._kinds.items() if kind.lane == lane))
        return Lane(without=tuple(name for name, kind in self._kinds.items() if kind.lane))

    async def _run(self, name: str, changed: asyncio.Event) -> None:
        lane = self._of(name)
        while True:
            # Before the look: a job that is queued while we look must not wait for the next poll.
            changed.clear()
            try:
                while await self._one(lane):
                    pass
                wait = await self._until_next(lane)
            except StoreUnavailable as error:
                log.warning("jobs wait for the database: %s", error)
                wait = POLL_SECONDS
            except Exception:
                log.exception("the job loop failed; it goes on")
                wait = POLL_SECONDS
            try:
                async with asyncio.timeout(wait):
                    await changed.wait()
            except TimeoutError:
                pass

    async def _until_next(self, lane: Lane) -> float:
        run_at = await self._store.read(partial(jobs.next_run, lane=lane))
        if run_at is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0.0, (run_at - self._clock.now()).total_seconds()))

    async def _one(self, lane: Lane) -> bool:
        """Run the job of this lane that is due first; False if none is."""
        now = self._clock.now()
        row = await self._store.write(lambda c: jobs.claim(c, self._owner, now, now + LEASE, lane))
        if row is None:
            return False
        await self._work(row)
        return True

    async def _work(self, row: JobRow) -> None:
        """One attempt at a job that was claimed."""
        kind = self._kinds.get(row.kind)
        if kind is None:
            await self._end(row, "failed", f"this version has no job kind {row.kind}")
            return
        try:
            if row.cancel_requested and not kind.ends_itself:
                raise Cancelled
            if row.attempts > kind.attempts:
                # Its earlier attempts ended with their process, not with an error.
                raise RuntimeError(f"gave up after {kind.attempts} attempts")
            await kind.run(row.payload, Progress(self._store, self._clock, row))
        except Cancelled:
            await self._end(row, "cancelled", None)
        except LostTurn as error:
            log.warning("%s", error)
        except StoreUnavailable:
            raise
        except asyncio.CancelledError:
            await self._hand_back(row)
            raise
        except GivenUp as error:
            await self._end(row, "failed", str(error)[:500])
        except Exception as error:
            log.exception("job %s (%s) failed", row.id, row.kind)
            await self._failed(row, kind, str(error)[:500])
        else:
            await self._end(row, "done", None)

    async def _hand_back(self, row: JobRow) -> None:
        """An orderly stop is no attempt: a job that outlives many restarts must not be given up."""
        now = self._clock.now()
        try:
            await self._store.write(lambda c: jobs.hand_back(c, row.id, row.epoch, now))
        except StoreUnavailable as error:
            log.warning("job %s could not be put back, its lease will run out: %s", row.id, error)

    async def _failed(self, row: JobRow, kind: Kind, error: str) -> None:
        if row.attempts >= kind.attempts:
            await self._end(row, "failed", error)
            return
        back_off = min(kind.most_back_off, kind.back_off * 2 ** min(row.attempts - 1, _DOUBLINGS))
        run_at = self._clock.now() + back_off
        await self._store.write(lambda c: jobs.again(c, row.id, row.epoch, run_at, error))

    async def _end(self, row: JobRow, state: str, error: str | None) -> None:
        now = self._clock.now()
        kind = self._kinds.get(row.kind)

        def query(connection: Connection) -> None:
            ended = jobs.end(connection, row.id, row.epoch, state, now, error)
            if ended:
                job_parts.give_up(connection, row.id)
            if ended and kind is not None and kind.every is not None:
                jobs.queue(connection, row.kind, row.key, row.payload, now + kind.every, now)

        await self._store.write(query)

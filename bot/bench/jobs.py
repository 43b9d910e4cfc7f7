"""The job that brings a run to its end, whatever happens to the process: asked, scored, and reported once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Json
from agent.language import Lang
from bot.bench import message, texts
from bot.bench.beat import Beat
from bot.bench.measuring import Measuring, RunFailed, Standing
from bot.bench.reporting import difference, pictures
from bot.bench.showing import Shown
from bot.crashpoints import crashpoint
from bot.delivery import Undeliverable
from bot.job_ledger import open_ledger
from bot.jobs import Cancelled, Kind, Progress
from bot.messages import Asked, Author, ReplyFile, Target
from bot.messages import Final as End
from bot.ports import LostTurn, Outbound, StoreUnavailable
from bot.store import bench, jobs
from bot.store.bench import DatabaseRuns, Origin
from bot.store.db import Store
from evals.runs import Run, RunSpec

log = logging.getLogger(__name__)

#: The kind of these jobs, and their lane: one run at a time, and nothing else waits for it.
BENCHMARK: Final = "benchmark"
LANE: Final = "bench"
#: Seconds between two reports of the job.
BEAT: Final = 3.0
#: A run may be begun again any number of times while it gets further, and is begun so often where it does not.
MOST_IDLE: Final = 5
#: How long after its end a run's message is tried again where the platform is away.
PATIENCE: Final = timedelta(days=1)
#: Errors of our own after which a run has failed.
MOST_ERRORS: Final = 3
_ANY_NUMBER: Final = 2**31 - 1
#: Characters of a job's key.
_KEY: Final = 128
_NOBODY: Final = Author("")


class Busy(Exception):
    """A run of this model is under way."""


def key_of(model: str) -> str:
    """The key of the one run of a model that may be under way."""
    return model if len(model) <= _KEY else hashlib.sha256(model.encode(errors="replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Order:
    """Where a run is reported, and how people there are spoken to."""

    #: None where jobs can't write: then the run is watched with `status`.
    target: Target | None
    lang: Lang
    #: The command that stops it, as people type it there.
    stop: str


def begin(connection: Connection, spec: RunSpec, key: str, order: Order, origin: Origin, now: Any) -> Run:
    """A new run and its job. To be called in a transaction, which has to be given up when this raises `Busy`."""
    run = bench.begin(connection, spec, {}, now, origin)
    payload = {
        "run": run.id,
        "target": None if order.target is None else asdict(order.target),
        "lang": order.lang,
        "stop": order.stop,
    }
    job_id = jobs.queue(connection, BENCHMARK, key_of(key), payload, now, now)
    if job_id is None:
        raise Busy
    bench.given_job(connection, run.id, job_id)
    return run


def cancel(connection: Connection, run: Run, job_id: int, now: Any) -> None:
    """Ask for a run's end. One that never began is over at once; what has been shown is put right by its job."""
    jobs.ask_end(connection, job_id, now)
    state = jobs.outcome(connection, job_id)
    found = bench.find(connection, run.id)
    # It may have come to its end since somebody looked; that stays.
    if found is not None and found.state == "running" and (state is None or state[0] not in ("queued", "running")):
        bench.end(connection, run.id, "cancelled", now)


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """Runs benchmarks. `kind` is the kind of job."""

    store: Store
    clock: Clock
    outbounds: Mapping[str, Outbound]
    measuring: Measuring
    beat: float = BEAT
    pace: Callable[[float], float] = message.pace
    #: The charts of a finished run, and its difference to an earlier one.
    pictures: Callable[[Run, Lang], Awaitable[tuple[tuple[ReplyFile, ...], str]]] = pictures
    difference: Callable[[Store, Run, Lang], Awaitable[str]] = difference

    @property
    def kind(self) -> Kind:
        """Killed any number of times, it goes on while it gets further; it ends by itself."""
        longest = timedelta(minutes=10)
        return Kind(self.run, attempts=_ANY_NUMBER, most_back_off=longest, lane=LANE, ends_itself=True)

    async def run(self, payload: Json, progress: Progress) -> None:
        """One attempt. Raises `Cancelled`, `LostTurn`, `StoreUnavailable`."""
        runs = DatabaseRuns(self.store, progress.write)
        found = await self.store.read(lambda c: bench.find(c, payload["run"]))
        if found is None:
            log.warning("run %s is gone", payload["run"])
            return
        await _Attempt(self, payload, progress, runs, found).go()


@dataclass
class _Attempt:
    """One attempt at a run."""

    with_: Benchmarks
    payload: Mapping[str, Any]
    progress: Progress
    runs: DatabaseRuns
    row: Run
    standing: Standing = field(default_factory=Standing)

    @property
    def lang(self) -> Lang:
        lang: Lang = self.payload["lang"]
        return lang

    async def go(self) -> None:
        self.standing = Standing.of(self.progress.last)
        shown = await self._message()
        beat = Beat(self.progress, self.with_.beat, self._picture(shown))
        try:
            async with beat:
                if shown is not None:
                    shown.open()
                if self.row.state == "running":
                    await self._to_its_end(beat)
                crashpoint("bench.before_report")
                if shown is not None:
                    await self._say(shown)
                crashpoint("bench.after_report")
        finally:
            if shown is not None:
                await shown.abandon()
        if self.row.state == "cancelled":
            raise Cancelled

    def _picture(self, shown: Shown | None) -> Callable[[], Json]:
        def picture() -> Json:
            if shown is not None and self.row.state == "running":
                shown.show(lambda: message.running(self.row, self.standing.json(), self.payload["stop"], self.lang))
            return self.standing.json()

        return picture

    async def _message(self) -> Shown | None:
        if self.payload["target"] is None:
            return None
        target = Target(**self.payload["target"])
        outbound = self.with_.outbounds.get(target.platform)
        if outbound is None:
            log.warning("run %s is not reported: there is no %s any more", self.row.id, target.platform)
            return None
        ledger = await open_ledger(self.with_.store, self.progress, target.platform)
        asked = Asked(_NOBODY, "", self.lang)
        return Shown(outbound, target, ledger, asked, self.with_.clock, self.with_.pace)

    async def _to_its_end(self, beat: Beat) -> None:
        """Measure, and keep how it ended."""
        try:
            manifest, summary = await beat.during(self._measured())
        except Cancelled:
            await self.runs.end(self.row.id, "cancelled")
        except RunFailed as error:
            await self.runs.end(self.row.id, "failed", error=error.text.say(self.lang))
        except (LostTurn, StoreUnavailable, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("run %s met an error of ours", self.row.id)
            await self._again()
        else:
            await self.progress.write(lambda c, _: bench.noted(c, self.row.id, manifest))
            await self.runs.end(self.row.id, "done", summary)
        crashpoint("bench.after_end")
        self.row = await self.runs.find(self.row.id) or self.row

    async def _measured(self) -> tuple[Mapping[str, Any], Json]:
        """Raises `RunFailed` also for a run that ends its process each time."""
        there = await self.with_.store.read(lambda c: bench.count(c, self.row.id))
        standing, attempt = self.standing, self.progress.attempts
        if there > standing.before:
            standing.further = attempt
        standing.before = standing.done = there
        standing.phase = ""
        await self.progress.report(standing.json())
        if attempt - standing.further >= MOST_IDLE:
            raise RunFailed(texts.GAVE_UP, count=MOST_IDLE)
        return await self.with_.measuring.run(self.row, self.runs, standing)

    async def _again(self) -> None:
        """Count an error of ours; let the job try again, or fail for good."""
        self.standing.errors += 1
        try:
            await self.progress.report(self.standing.json())
        except Cancelled:
            return await self.runs.end(self.row.id, "cancelled")
        if self.standing.errors < MOST_ERRORS:
            raise RuntimeError(f"run {self.row.id} is tried again")
        await self.runs.end(self.row.id, "failed", error=texts.INSIDE.say(self.lang))

    async def _say(self, shown: Shown) -> None:
        """Raises `Undeliverable` while it makes sense to try again."""
        try:
            await shown.close(await self._final())
        except Undeliverable as error:
            over = self.row.finished_at or self.row.started_at
            if self.with_.clock.now() - over < PATIENCE:
                raise
            log.warning("the report of run %s was not given: %s", self.row.id, error)

    async def _final(self) -> End:
        run, lang = self.row, self.lang
        match run.state:
            case "done":
                earlier = await self.with_.difference(self.with_.store, run, lang)
                try:
                    text = await asyncio.to_thread(message.finished, run, run.summary, earlier, lang)
                except ValueError:
                    # The server was put on another version before it came to this; a job must not try that for ever.
                    log.exception("run %s ended with another version's summary", run.id)
                    return End("answered", message.unreadable(run, lang), lang, can_rate=False)
                images, missing = await self.with_.pictures(run, lang)
                notes = (missing,) if missing else ()
                return End("answered", text, lang, notes=notes, can_rate=False, images=images)
            case "cancelled":
                text = message.cancelled(run, self.standing.json(), lang)
                return End("answered", text, lang, can_rate=False)
            case _:
                return End("answered", message.broken(run, lang), lang, can_rate=False)

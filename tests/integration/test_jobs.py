"""Jobs on both databases: the table "Job" of `docs/state.md`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from agent.clock import SystemClock
from agent.journal import Json
from agent.language import Text
from bot.jobs import LEASE, Jobs, Kind, Progress
from bot.ports import LostTurn, StoreUnavailable
from bot.retention import KEEP_DELIVERIES, retention
from bot.store import jobs, messages
from bot.store.db import Store
from bot.store.tables import delivery, job
from tests.support.clock import START, ManualClock
from tests.support.server import until

_SENTENCE = Text("away", "away")


class Works:
    """Kinds of jobs that note what ran; `poke` makes a worker look at the table and waits until it has."""

    def __init__(self, store: Store, **kinds: Kind) -> None:
        self.store = store
        self.clock = ManualClock()
        self.ran: list[Any] = []
        self._pokes = 0
        self._poked = asyncio.Event()
        self.kinds = {"note": Kind(self._note), "poke": Kind(self._poke), **kinds}
        self._workers: list[Jobs] = []

    async def worker(self, name: str = "one") -> Jobs:
        """A worker that has started."""
        worker = Jobs(self.store, self.clock, name, self.kinds)
        await worker.start()
        self._workers.append(worker)
        return worker

    async def poke(self, worker: Jobs) -> None:
        """Let the worker run everything that is due; jobs that are due before this one run first."""
        self._poked.clear()
        self._pokes += 1
        await worker.queue("poke", str(self._pokes), run_at=self.clock.now())
        await self._poked.wait()
        await until(self._settled)

    async def stop(self) -> None:
        for worker in self._workers:
            await worker.stop()

    async def rows(self) -> list[Any]:
        """Every job but the pokes."""
        query = select(job).where(job.c.kind != "poke").order_by(job.c.id)
        return await self.store.read(lambda c: list(c.execute(query)))

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows()]

    async def ended(self, count: int = 1) -> None:
        """Wait until so many jobs are over."""

        async def enough() -> bool:
            return sum(state in ("done", "failed", "cancelled") for state in await self.states()) >= count

        await until(enough)

    async def _settled(self) -> bool:
        query = select(job.c.id).where(job.c.kind == "poke", job.c.state.in_(("queued", "running")))
        return not await self.store.read(lambda c: c.execute(query).all())

    async def _note(self, payload: Json, _: Progress) -> None:
        self.ran.append(payload)

    async def _poke(self, _: Json, __: Progress) -> None:
        self._poked.set()


@pytest.fixture
async def works(store: Store) -> AsyncIterator[Works]:
    made = Works(store)
    yield made
    await made.stop()


# Queueing


async def test_a_job_runs_with_its_payload_and_ends(works: Works) -> None:
    worker = await works.worker()
    assert await worker.queue("note", "a", {"n": [1, "字", None]}) is not None
    await works.ended()
    assert works.ran == [{"n": [1, "字", None]}]
    [row] = await works.rows()
    assert (row.state, row.attempts, row.owner, row.lease_until, row.finished_at) == ("done", 1, None, None, START)


async def test_a_job_key_is_unique_while_it_lives(works: Works) -> None:
    worker = await works.worker()
    later = START + timedelta(hours=1)
    first = await worker.queue("note", "a", 1, later)
    assert first is not None
    assert await worker.queue("note", "a", 2, later) is None
    assert await worker.queue("note", "b", 3, later) is not None
    assert await worker.cancel(first)
    assert await worker.queue("note", "a", 4, later) is not None
    assert [row.payload for row in await works.rows()] == [1, 3, 4]


async def test_a_job_queued_by_many_at_once_is_one(works: Works) -> None:
    worker = await works.worker()
    later = START + timedelta(hours=1)
    got = await asyncio.gather(*(worker.queue("note", "a", n, later) for n in range(8)))
    assert sum(one is not None for one in got) == 1


# Time


async def test_jobs_run_at_their_time(works: Works) -> None:
    worker = await works.worker()
    await worker.queue("note", "later", "later", START + timedelta(seconds=60))
    await worker.queue("note", "sooner", "sooner", START + timedelta(seconds=30))
    works.clock.advance(29)
    await works.poke(worker)
    assert works.ran == []
    works.clock.advance(31)
    await works.poke(worker)
    assert works.ran == ["sooner", "later"]


async def test_a_worker_wakes_by_itself_when_a_job_is_due(store: Store) -> None:
    clock, ran = SystemClock(), asyncio.Event()
    at = []

    async def run(_: Json, __: Progress) -> None:
        at.append(clock.now())
        ran.set()

    worker = Jobs(store, clock, "one", {"note": Kind(run)})
    await worker.start()
    run_at = clock.now() + timedelta(seconds=0.2)
    await worker.queue("note", "a", run_at=run_at)
    async with asyncio.timeout(20):
        await ran.wait()
    await worker.stop()
    assert at[0] >= run_at


async def test_a_periodic_job_queues_its_successor_when_it_ends(store: Store) -> None:
    works = Works(store)
    works.kinds["tick"] = Kind(works._note, every=timedelta(hours=6))
    worker = await works.worker()
    await works.ended()
    for _ in range(2):
        done, waiting = (await works.rows())[-2:]
        assert (done.state, waiting.state) == ("done", "queued")
        assert waiting.run_at == works.clock.now() + timedelta(hours=6)
        works.clock.advance(6 * 3600)
        await works.poke(worker)
    assert await works.states() == ["done", "done", "done", "queued"]
    await works.stop()


async def test_a_second_start_does_not_double_a_periodic_job(store: Store) -> None:
    works = Works(store)
    works.kinds["tick"] = Kind(works._note, every=timedelta(hours=6))
    await works.worker("one")
    await works.ended()
    await works.poke(await works.worker("two"))
    assert await works.states() == ["done", "queued"]
    await works.stop()


async def test_a_periodic_job_goes_on_after_it_failed(store: Store) -> None:
    async def fail(_: Json, __: Progress) -> None:
        raise ValueError("no luck")

    works = Works(store, tick=Kind(fail, attempts=1, every=timedelta(hours=6)))
    await works.worker()
    await works.ended()
    assert await works.states() == ["failed", "queued"]
    await works.stop()


# Failing


async def test_a_failing_job_is_retried_with_back_off(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    runs = 0

    async def fail(_: Json, __: Progress) -> None:
        nonlocal runs
        runs += 1
        raise ValueError(f"no luck {runs}")

    works = Works(store, fail=Kind(fail, attempts=3, back_off=timedelta(seconds=30)))
    worker = await works.worker()
    await worker.queue("fail", "a")
    for run, wait in ((1, 30), (2, 60)):
        await works.poke(worker)
        [row] = await works.rows()
        assert (row.state, row.attempts, row.error) == ("queued", run, f"no luck {run}")
        assert row.run_at == works.clock.now() + timedelta(seconds=wait)
        works.clock.advance(wait - 1)
        await works.poke(worker)
        assert runs == run
        works.clock.advance(1)
    await works.poke(worker)
    [row] = await works.rows()
    assert (row.state, row.attempts, row.error, row.finished_at) == ("failed", 3, "no luck 3", works.clock.now())
    await works.stop()


async def test_however_often_a_job_was_killed_it_waits_no_longer_than_its_kind_says(store: Store) -> None:
    async def fail(_: Json, __: Progress) -> None:
        raise ValueError("once")

    works = Works(store, fail=Kind(fail, attempts=99, most_back_off=timedelta(minutes=10)))
    await store.write(lambda c: jobs.queue(c, "fail", "a", None, START, START))
    await store.write(lambda c: c.execute(update(job).values(attempts=40)))
    await works.worker()

    async def failed() -> bool:
        return [row.error for row in await works.rows()] == ["once"]

    await until(failed)
    assert [row.run_at for row in await works.rows()] == [START + timedelta(minutes=10)]
    await works.stop()


async def test_a_job_that_succeeds_at_last_is_done(store: Store) -> None:
    runs = 0

    async def fail_once(_: Json, __: Progress) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError

    works = Works(store, fail=Kind(fail_once))
    worker = await works.worker()
    await worker.queue("fail", "a")
    await works.poke(worker)
    works.clock.advance(30)
    await works.poke(worker)
    assert await works.states() == ["done"]
    await works.stop()


async def test_a_job_of_an_unknown_kind_fails_with_a_sentence(works: Works) -> None:
    worker = await works.worker()
    await worker.queue("of tomorrow", "a")
    await works.ended()
    [row] = await works.rows()
    assert (row.state, row.error) == ("failed", "this version has no job kind of tomorrow")


async def test_one_failing_job_does_not_hold_up_the_others(store: Store) -> None:
    async def fail(_: Json, __: Progress) -> None:
        raise ValueError("\x00 half \ud83d")

    works = Works(store, fail=Kind(fail, attempts=1))
    worker = await works.worker()
    await worker.queue("fail", "a")
    await worker.queue("note", "b", "ran")
    await works.ended(2)
    assert works.ran == ["ran"]
    assert (await works.rows())[0].error == " half "
    await works.stop()


# Taking over


async def test_a_job_of_a_dead_process_is_taken_over(works: Works) -> None:
    found: list[Any] = []

    async def go_on(_: Json, progress: Progress) -> None:
        found.append(progress.last)

    works.kinds["long"] = Kind(go_on)
    await works.store.write(lambda c: jobs.queue(c, "long", "a", None, START, START))
    dead = await works.store.write(lambda c: jobs.claim(c, "dead", START, START + LEASE))
    assert dead is not None
    assert await works.store.write(lambda c: jobs.report(c, dead.id, dead.epoch, {"done": 7}, START + LEASE)) is False
    worker = await works.worker()
    await works.poke(worker)
    assert found == []
    works.clock.advance(LEASE.total_seconds())
    await works.poke(worker)
    assert found == [{"done": 7}]
    [row] = await works.rows()
    assert (row.state, row.attempts, row.epoch) == ("done", 2, 2)


async def test_the_old_worker_of_a_job_that_was_taken_over_changes_nothing(works: Works) -> None:
    await works.store.write(lambda c: jobs.queue(c, "note", "a", None, START, START))
    old = await works.store.write(lambda c: jobs.claim(c, "one", START, START + LEASE))
    new = await works.store.write(lambda c: jobs.claim(c, "two", START + LEASE, START + 2 * LEASE))
    assert old is not None
    assert new is not None
    with pytest.raises(LostTurn):
        await Progress(works.store, works.clock, old).report({"done": 1})
    late: list[Callable[[Connection], bool]] = [
        partial(jobs.end, job_id=old.id, epoch=old.epoch, state="done", now=START),
        partial(jobs.again, job_id=old.id, epoch=old.epoch, run_at=START, error=None),
        partial(jobs.hand_back, job_id=old.id, epoch=old.epoch, now=START),
    ]
    for change in late:
        assert not await works.store.write(change)
    [row] = await works.rows()
    assert (row.state, row.owner, row.epoch, row.progress) == ("running", "two", 2, None)


async def test_a_report_prolongs_the_lease(works: Works) -> None:
    await works.store.write(lambda c: jobs.queue(c, "note", "a", None, START, START))
    row = await works.store.write(lambda c: jobs.claim(c, "one", START, START + LEASE))
    assert row is not None
    works.clock.advance(50)
    await Progress(works.store, works.clock, row).report(1)
    works.clock.advance(50)
    now = works.clock.now()
    assert await works.store.write(lambda c: jobs.claim(c, "two", now, now + LEASE)) is None


async def test_a_job_whose_processes_all_died_is_given_up(works: Works) -> None:
    await works.store.write(lambda c: jobs.queue(c, "note", "a", "never", START, START))
    for _ in range(3):
        now = works.clock.now()
        assert await works.store.write(partial(jobs.claim, owner="dead", now=now, until=now + LEASE)) is not None
        works.clock.advance(LEASE.total_seconds())
    await works.worker()
    await works.ended()
    [row] = await works.rows()
    assert (row.state, row.error) == ("failed", "gave up after 3 attempts")
    assert works.ran == []


async def test_at_the_start_of_the_only_process_running_jobs_are_free(works: Works) -> None:
    await works.store.write(lambda c: jobs.queue(c, "note", "a", "ran", START, START))
    await works.store.write(lambda c: jobs.claim(c, "dead", START, START + LEASE))
    await works.store.write(lambda c: jobs.void_all_leases(c, START))
    await works.worker()
    await works.ended()
    assert works.ran == ["ran"]


async def test_two_workers_run_each_job_once(works: Works) -> None:
    for number in range(30):
        await works.store.write(
            partial(jobs.queue, kind="note", key=str(number), payload=number, run_at=START, now=START)
        )
    await asyncio.gather(works.worker("one"), works.worker("two"), works.worker("three"))
    await works.ended(30)
    assert sorted(works.ran) == list(range(30))
    assert {row.attempts for row in await works.rows()} == {1}


async def test_an_orderly_stop_puts_the_job_back_and_is_no_attempt(works: Works) -> None:
    started = asyncio.Event()

    async def long(_: Json, __: Progress) -> None:
        started.set()
        await asyncio.Event().wait()

    works.kinds["long"] = Kind(long, attempts=1)
    await works.store.write(lambda c: jobs.queue(c, "long", "a", None, START, START))
    for _ in range(3):
        worker = await works.worker()
        await started.wait()
        started.clear()
        await worker.stop()
        [row] = await works.rows()
        assert (row.state, row.attempts, row.owner) == ("queued", 0, None)


# Cancelling


async def test_a_cancelled_job_ends(works: Works) -> None:
    """At its next report; what it has done until then stays."""
    reports = 0
    reported = asyncio.Event()
    go_on = asyncio.Event()

    async def long(_: Json, progress: Progress) -> None:
        nonlocal reports
        while True:
            await progress.report({"reports": reports})
            reports += 1
            reported.set()
            await go_on.wait()

    works.kinds["long"] = Kind(long)
    worker = await works.worker()
    job_id = await worker.queue("long", "a")
    assert job_id is not None
    await reported.wait()
    assert await worker.cancel(job_id)
    go_on.set()
    await works.ended()
    [row] = await works.rows()
    assert (row.state, row.progress, row.error) == ("cancelled", {"reports": 1}, None)
    assert reports == 1
    assert not await worker.cancel(job_id)


async def test_a_queued_job_is_cancelled_without_running(works: Works) -> None:
    worker = await works.worker()
    job_id = await worker.queue("note", "a", "never", START + timedelta(seconds=60))
    assert job_id is not None
    assert await worker.cancel(job_id)
    works.clock.advance(60)
    await works.poke(worker)
    assert await works.states() == ["cancelled"]
    assert works.ran == []


async def test_a_cancelled_job_of_a_dead_process_does_not_run_again(works: Works) -> None:
    await works.store.write(lambda c: jobs.queue(c, "note", "a", "never", START, START))
    dead = await works.store.write(lambda c: jobs.claim(c, "dead", START, START + LEASE))
    assert dead is not None
    assert await works.store.write(lambda c: jobs.cancel(c, dead.id, START))
    works.clock.advance(LEASE.total_seconds())
    await works.worker()
    await works.ended()
    assert await works.states() == ["cancelled"]
    assert works.ran == []


# The loop itself


@pytest.mark.parametrize("error", [StoreUnavailable(_SENTENCE), RuntimeError("odd")], ids=["away", "odd"])
async def test_the_loop_goes_on_after_the_database_failed(
    store: Store, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    works = Works(store)
    worker = await works.worker()
    write, failed = store.write, asyncio.Event()

    async def away_once(query: Any) -> Any:
        if not failed.is_set():
            failed.set()
            raise error
        return await write(query)

    await write(lambda c: jobs.queue(c, "note", "a", "ran", START, START))
    monkeypatch.setattr(store, "write", away_once)
    worker.look()
    await failed.wait()
    await works.poke(worker)
    assert works.ran == ["ran"]
    assert "jobs wait for the database" in caplog.text or "the job loop failed" in caplog.text
    await works.stop()


async def test_a_job_queued_while_the_worker_looks_does_not_wait_for_the_next_poll(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.POLL_SECONDS", 3600.0)
    works = Works(store)
    worker = Jobs(store, works.clock, "one", works.kinds)
    read, queued = store.read, asyncio.Event()

    async def read_then_queue(query: Any) -> Any:
        found = await read(query)
        if getattr(query, "func", None) is jobs.next_run and not queued.is_set():
            queued.set()
            await worker.queue("note", "a", "ran")
        return found

    monkeypatch.setattr(store, "read", read_then_queue)
    await worker.start()
    await works.ended()
    assert works.ran == ["ran"]
    await worker.stop()


async def test_a_lane_keeps_no_other_waiting(works: Works, store: Store) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def for_hours(payload: Json, _: Progress) -> None:
        begun.set()
        await go_on.wait()
        works.ran.append(payload)

    works.kinds["long"] = Kind(for_hours, lane="long")
    worker = await works.worker()
    await worker.queue("long", "a", "first")
    await worker.queue("long", "b", "second")
    await begun.wait()
    await worker.queue("note", "a", "short")
    await works.poke(worker)
    assert works.ran == ["short"]
    assert await works.states() == ["running", "queued", "done"]
    go_on.set()
    await works.ended(3)
    assert works.ran == ["short", "first", "second"]


async def test_a_kind_that_no_version_knows_ends_in_the_first_lane(works: Works) -> None:
    works.kinds["long"] = Kind(works.kinds["note"].run, lane="long")
    worker = await works.worker()
    await worker.queue("gone", "a")
    await works.poke(worker)
    assert await works.states() == ["failed"]


async def test_retention_forgets_in_small_transactions(store: Store) -> None:
    clock, writes = ManualClock(), 0
    for number in range(3):
        rows = [{"platform": "test", "delivery_id": f"{number}-{n}", "received_at": START} for n in range(4_000)]
        await store.write(partial(Connection.execute, statement=delivery.insert(), parameters=rows))
    clock.advance(KEEP_DELIVERIES.total_seconds() + 1)
    await store.write(lambda c: jobs.queue(c, "retention", "periodic", None, START, START))
    row = await store.write(lambda c: jobs.claim(c, "one", clock.now(), clock.now() + LEASE))
    assert row is not None
    forget = messages.forget_deliveries

    def counted(connection: Connection, before: datetime, most: int) -> int:
        nonlocal writes
        writes += 1
        return forget(connection, before, most)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "forget_deliveries", counted)
        await retention(store, clock).run(None, Progress(store, clock, row))
    assert await store.read(lambda c: list(c.scalars(select(delivery.c.delivery_id)))) == []
    assert writes == 4
    progress = await store.read(lambda c: c.scalar(select(job.c.progress)))
    assert progress == {"deliveries": 12_000, "blobs": 0, "jobs": 0}


async def test_retention_forgets_what_is_old_and_only_that(store: Store) -> None:
    clock = ManualClock()
    kind = retention(store, clock)
    for number in range(2):
        now = clock.now()
        await store.write(partial(messages.first_delivery, platform="test", delivery_id=str(number), now=now))
        row_id = await store.write(partial(jobs.queue, kind="note", key=str(number), payload=None, run_at=now, now=now))
        ended = update(job).where(job.c.id == row_id).values(state="done", finished_at=now)
        await store.write(partial(Connection.execute, statement=ended))
        clock.advance(timedelta(days=31).total_seconds() if number == 0 else KEEP_DELIVERIES.total_seconds() - 1)
    await store.write(lambda c: jobs.queue(c, "retention", "periodic", None, START, START))
    row = await store.write(lambda c: jobs.claim(c, "one", clock.now(), clock.now() + LEASE))
    assert row is not None
    await kind.run(None, Progress(store, clock, row))
    assert await store.read(lambda c: list(c.scalars(select(delivery.c.delivery_id)))) == ["1"]
    assert await store.read(lambda c: list(c.scalars(select(job.c.key).order_by(job.c.id)))) == ["1", "periodic"]

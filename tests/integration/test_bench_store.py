"""Runs of benchmarks in both databases: the contract of every store of runs, and what is the database's own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agent.clock import SystemClock
from agent.journal import Json
from bot.jobs import LEASE, Progress
from bot.ports import LostTurn
from bot.store import bench, bench_views, jobs
from bot.store.bench import DatabaseRuns, Origin, RunGone, packed, unfenced, unpacked
from bot.store.db import Store
from tests.contracts.runs import FULL, SPEC, Opened, RunStoreContract, prediction
from tests.support.clock import ManualClock


class TestDatabaseRuns(RunStoreContract):
    LOST = RunGone

    @pytest.fixture
    def opened(self, store: Store) -> Opened:
        clock = SystemClock()
        return lambda: DatabaseRuns(store, unfenced(store, clock))


HOSTILE = ["", "\0", "a\0b", "\ud800", "😀\udfff\\u0041", '"', "\\", "\\\\n", "\n\r\u2028", "中文", "\x1b[0m", "\ufeff"]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_given_back_to_the_character(text: str) -> None:
    assert unpacked(packed(text)) == text
    assert "\0" not in packed(text)
    packed(text).encode()


async def test_replies_that_no_column_of_text_can_hold_are_kept_as_they_are(store: Store) -> None:
    runs = DatabaseRuns(store, unfenced(store, SystemClock()))
    run = await runs.begin(SPEC, {})
    replies = [prediction(text or "-", text, reasoning=text) for text in HOSTILE]
    await runs.add(run.id, replies)
    assert list(await runs.predictions(run.id)) == replies


async def test_more_replies_than_one_statement_takes(store: Store) -> None:
    runs = DatabaseRuns(store, unfenced(store, SystemClock()))
    run = await runs.begin(SPEC, {})
    replies = [prediction(str(n), prompt=f"{n:064x}") for n in range(1_201)]
    await runs.add(run.id, replies)
    assert list(await runs.predictions(run.id)) == replies
    assert len(await runs.cached([one.key.digest for one in replies])) == 1_201
    assert await store.read(lambda c: bench.count(c, run.id)) == 1_201
    rest = await store.read(lambda c: list(bench.replies(c, run.id, 1_199)))
    assert rest == replies[1_199:]


async def _progress(store: Store, clock: ManualClock, payload: Json = None) -> Progress:
    now = clock.now()
    await store.write(lambda c: jobs.queue(c, "benchmark", "m", payload, now, now))
    row = await store.write(lambda c: jobs.claim(c, "one", now, now + LEASE))
    assert row is not None
    return Progress(store, clock, row)


async def test_a_job_that_was_taken_over_adds_nothing_to_its_run(store: Store) -> None:
    clock = ManualClock()
    progress = await _progress(store, clock)
    runs = DatabaseRuns(store, progress.write)
    run = await runs.begin(SPEC, {})
    await runs.add(run.id, [FULL])
    later = clock.now() + LEASE + timedelta(seconds=1)
    assert await store.write(lambda c: jobs.claim(c, "two", later, later + LEASE)) is not None
    for late in (runs.add(run.id, [FULL]), runs.end(run.id, "done")):
        with pytest.raises(LostTurn):
            await late
    found = await runs.find(run.id)
    assert found is not None
    assert found.state == "running"
    assert list(await runs.predictions(run.id)) == [FULL]


async def test_nothing_is_added_to_a_run_that_is_over(store: Store) -> None:
    runs = DatabaseRuns(store, unfenced(store, SystemClock()))
    run = await runs.begin(SPEC, {})
    await runs.end(run.id, "cancelled")
    with pytest.raises(RunGone):
        await runs.add(run.id, [FULL])


async def test_runs_that_begin_together_are_all_there(store: Store) -> None:
    runs = DatabaseRuns(store, unfenced(store, SystemClock()))
    begun = await asyncio.gather(*(runs.begin(SPEC, {"n": n}) for n in range(8)))
    assert {run.id for run in await runs.runs()} == {run.id for run in begun}


async def test_who_asked_for_a_run_and_which_job_works_on_it_is_kept(store: Store) -> None:
    now = SystemClock().now()
    origin = Origin("slack", "T1", "C1", "U1", "zh")
    job_id = await store.write(lambda c: jobs.queue(c, "benchmark", "m", None, now, now))
    assert job_id is not None
    run = await store.write(lambda c: bench.begin(c, SPEC, {}, now, origin, job_id))
    assert await store.read(lambda c: bench.origin(c, run.id)) == origin
    assert await store.read(lambda c: bench.origin(c, "none")) == Origin()
    assert await store.read(lambda c: bench.job_of(c, run.id)) == job_id
    assert await store.read(bench.with_job) == [(run, job_id)]
    await store.write(lambda c: jobs.cancel(c, job_id, now))
    assert await store.read(bench.with_job) == []


async def test_a_run_is_forgotten_in_small_transactions_and_not_while_a_job_works_on_it(store: Store) -> None:
    now, runs = SystemClock().now(), DatabaseRuns(store, unfenced(store, SystemClock()))
    job_id = await store.write(lambda c: jobs.queue(c, "benchmark", "m", None, now, now))
    run = await store.write(lambda c: bench.begin(c, SPEC, {}, now, job_id=job_id))
    other = await runs.begin(SPEC, {})
    for one in (run, other):
        await runs.add(one.id, [prediction(str(n)) for n in range(5)])

    async def forgotten() -> int:
        return await store.write(lambda c: bench_views.forget_replies(c, run.id, 2))

    assert await forgotten() == 0
    await runs.end(run.id, "done")
    assert [await forgotten() for _ in range(4)] == [2, 2, 1, 0]
    assert await store.write(lambda c: bench_views.forget(c, run.id))
    assert await store.read(lambda c: (bench.count(c, run.id), bench.count(c, other.id))) == (0, 5)

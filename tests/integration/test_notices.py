"""What the agent says of its own accord: once, by a job whose ledger keeps the promises of a turn's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from agent.clock import SystemClock
from agent.language import Text
from bot import notices
from bot.job_ledger import open_ledger
from bot.jobs import LEASE, Jobs, Progress
from bot.messages import Target
from bot.ports import LostTurn
from bot.posting import Patience
from bot.store import job_parts, jobs
from bot.store.db import Store
from bot.store.tables import job
from tests.fakes.adapter import FakeOutbound
from tests.fakes.platform import FakePlatform, Place
from tests.fakes.platform.replay import Replay
from tests.support.clock import ManualClock
from tests.support.server import until

# One process of the platform serves all tests of this module; each test has a channel of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

AWAY = Text("I was away.", "我刚才不在。")

_channels = count(1)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake() -> AsyncIterator[FakePlatform]:
    async with FakePlatform() as platform:
        await platform.set(read_lag=0.05)
        yield platform


@pytest.fixture
def place() -> Target:
    channel = f"N{next(_channels)}"
    return Target("fake", "T1", channel, "1", f"fake:T1:{channel}:1")


@asynccontextmanager
async def outbound(fake: FakePlatform) -> AsyncIterator[FakeOutbound]:
    made = FakeOutbound(fake.url, fake.token, read_lag=0.2, timeout=0.5, patience=Patience(first=0.02))
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def worker(store: Store, fake: FakePlatform) -> AsyncIterator[None]:
    """A process that gives notices."""
    clock = SystemClock()
    async with outbound(fake) as out:
        working = Jobs(store, clock, "one", {notices.NOTICE: notices.notices(store, clock, {"fake": out})})
        await working.start()
        try:
            yield
        finally:
            await working.stop()


async def queue(store: Store, place: Target, key: str = "k", text: Text = AWAY) -> None:
    now = SystemClock().now()
    await store.write(lambda c: notices.queue(c, place, key, text, "en", now))


async def rows(store: Store) -> list[Any]:
    return await store.read(lambda c: list(c.execute(select(job).order_by(job.c.id))))


async def over(store: Store) -> None:
    async def ended() -> bool:
        return all(row.state == "done" for row in await rows(store))

    await until(ended)


def texts_in(replay: Replay, place: Target) -> list[str]:
    return [one.text for one in replay.visible(Place(place.workspace, place.channel, place.thread))]


async def test_a_notice_is_said_in_its_place(store: Store, fake: FakePlatform, place: Target) -> None:
    await queue(store, place)
    async with worker(store, fake):
        await over(store)
    assert texts_in(await fake.replay(), place) == ["I was away."]


async def test_a_notice_that_waits_is_not_queued_twice(store: Store, fake: FakePlatform, place: Target) -> None:
    await queue(store, place)
    await queue(store, place)
    await queue(store, place, "another", Text("Something else.", "别的。"))
    async with worker(store, fake):
        await over(store)
    assert texts_in(await fake.replay(), place) == ["I was away.", "Something else."]


@pytest.mark.parametrize("fault", ["rate_limited", "reset", "unavailable", "done_reset", "done_unavailable"])
async def test_a_notice_is_said_once_whatever_goes_wrong(
    store: Store, fake: FakePlatform, place: Target, fault: str
) -> None:
    await fake.script("post", fault)
    await queue(store, place)
    async with worker(store, fake):
        await over(store)
    assert texts_in(await fake.replay(), place) == ["I was away."]


async def test_a_notice_whose_process_died_after_the_post_is_not_said_again(
    store: Store, fake: FakePlatform, place: Target
) -> None:
    await queue(store, place)
    clock = SystemClock()
    now = clock.now()
    claimed = await store.write(lambda c: jobs.claim(c, "dead", now, now))
    assert claimed is not None
    ledger = await open_ledger(store, Progress(store, clock, claimed), "fake")
    async with outbound(fake) as out:
        await ledger.intend(0)
        await out._api.post(place, "I was away.", (), {})
    await store.write(lambda c: jobs.void_all_leases(c, now))
    async with worker(store, fake):
        await over(store)
    assert texts_in(await fake.replay(), place) == ["I was away."]


async def test_a_notice_for_a_platform_that_is_gone_ends(store: Store, fake: FakePlatform) -> None:
    await queue(store, Target("gone", "", "c", None, "gone::c"))
    async with worker(store, fake):
        await over(store)


# The ledger


async def _claimed(store: Store, clock: ManualClock) -> Progress:
    target = Target("test", "w", "c", None, "test:w:c")
    now = clock.now()
    await store.write(lambda c: notices.queue(c, target, "k", AWAY, "en", now))
    row = await store.write(lambda c: jobs.claim(c, "one", now, now + LEASE))
    assert row is not None
    return Progress(store, clock, row)


async def test_the_next_attempt_knows_what_was_posted(store: Store) -> None:
    progress = await _claimed(store, ManualClock())
    ledger = await open_ledger(store, progress, "test")
    await ledger.intend(0)
    await ledger.posted(0, "m1")
    await ledger.intend(1)
    again = await open_ledger(store, progress, "test")
    assert [(part.position, part.external_id) for part in again.parts] == [(0, "m1"), (1, None)]
    assert await again.known(["m1", "m2"]) == {"m1"}
    await again.removed(1)
    assert [part.position for part in (await open_ledger(store, progress, "test")).parts] == [0]


async def test_a_job_that_was_taken_over_posts_nothing_more(store: Store) -> None:
    clock = ManualClock()
    progress = await _claimed(store, clock)
    ledger = await open_ledger(store, progress, "test")
    later = clock.now() + LEASE + timedelta(seconds=1)
    assert await store.write(lambda c: jobs.claim(c, "two", later, later + LEASE)) is not None
    with pytest.raises(LostTurn):
        await ledger.intend(0)
    assert await store.read(lambda c: job_parts.of_job(c, progress.job_id)) == []


async def test_a_job_calls_nobody_after_its_lease_and_each_write_prolongs_it(store: Store) -> None:
    clock = ManualClock()
    progress = await _claimed(store, clock)
    ledger = await open_ledger(store, progress, "test")
    clock.advance(LEASE.total_seconds() * 0.8)
    await ledger.intend(0)
    clock.advance(LEASE.total_seconds() * 0.8)
    ledger.check()
    clock.advance(LEASE.total_seconds() * 0.2)
    with pytest.raises(LostTurn):
        ledger.check()

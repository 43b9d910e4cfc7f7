"""Turns that the database interrupts: it is full or away for a while, and they go on where they were."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import select

from agent.events import AgentEvent, Finished
from agent.journal import Journal, step
from agent.task import Task
from bot.dispatch import dispatcher
from bot.store import audit
from bot.store.db import Store
from bot.store.tables import turn
from tests.support.postgres import PostgresServer
from tests.support.server import Platform, Server, say, settled, until
from tests.support.writes import full


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 0.01)


class Worker:
    """An agent with two steps; the first is small, the result of the second does not fit on a full disk."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.second = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        async def make(name: str, size: int) -> str:
            self.made.append(name)
            if name == "two":
                self.second.set()
                await self.go_on.wait()
            return name * size

        await step(journal, "act/0/0", lambda: make("one", 1))
        two = await step(journal, "act/1/0", lambda: make("two", 10_000))
        yield Finished(f"done with {len(two)}")


async def answered_in_one_attempt(store: Store, server: Server, platform: Platform) -> None:
    assert await settled(store) == {1: "answered"}
    assert await store.read(lambda c: c.scalar(select(turn.c.attempts))) == 1
    assert list(platform.visible.values()) == ["done with 30000"]
    assert await store.read(lambda c: audit.findings(c, server.clock.now())) == []


async def test_a_full_disk_in_mid_turn_is_no_crash(sqlite_store: Store) -> None:
    """However often it is tried meanwhile: the turn waits, and no finished step is made again."""
    platform, worker = Platform(), Worker()
    async with Server(sqlite_store, platform, worker) as server:
        await server.inbox.receive(say("hello", "m1"))
        await worker.second.wait()
        async with full(sqlite_store):
            worker.go_on.set()

            async def tried_often() -> bool:
                return worker.made.count("two") > 6

            await until(tried_often)
        await answered_in_one_attempt(sqlite_store, server, platform)
    assert worker.made.count("one") == 1


async def test_postgres_that_goes_away_in_mid_turn_is_no_crash(
    postgres_store: Store, postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    platform, worker = Platform(), Worker()
    async with Server(postgres_store, platform, worker) as server:
        await server.inbox.receive(say("hello", "m1"))
        await worker.second.wait()
        postgres.stop()
        try:
            worker.go_on.set()

            async def noticed() -> bool:
                return "waits for the database" in caplog.text and server.dispatcher.health().state == "degraded"

            await until(noticed)
        finally:
            postgres.start()
        await answered_in_one_attempt(postgres_store, server, platform)
    assert worker.made.count("one") == 1


async def test_the_pauses_between_tries_grow(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "LONGEST_RETRY_SECONDS", 0.04)
    pauses: list[float] = []
    platform, worker = Platform(), Worker()
    async with Server(sqlite_store, platform, worker) as server:
        await server.inbox.receive(say("hello", "m1"))
        await worker.second.wait()
        async with full(sqlite_store):
            worker.go_on.set()
            for times in (1, 2, 3, 4):

                async def interrupted(times: int = times) -> bool:
                    left = server.dispatcher._interrupted.get(1)
                    return left is not None and left.times >= times

                before = server.clock.monotonic()
                await until(interrupted)
                pauses.append(server.dispatcher._interrupted[1].again_at - before)
        await settled(sqlite_store)
    assert all(pause >= least for pause, least in zip(pauses, (0.01, 0.02, 0.04, 0.04), strict=True))
    assert not server.dispatcher._interrupted


async def test_a_message_that_is_taken_ends_the_pause(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was committed, so the database takes writes again."""
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 3600.0)
    monkeypatch.setattr(dispatcher, "LONGEST_RETRY_SECONDS", 3600.0)
    platform, worker = Platform(), Worker()
    async with Server(sqlite_store, platform, worker) as server:
        await server.inbox.receive(say("hello", "m1"))
        await worker.second.wait()
        async with full(sqlite_store):
            worker.go_on.set()

            async def interrupted() -> bool:
                return 1 in server.dispatcher._interrupted and not server.dispatcher.busy

            await until(interrupted)
        await server.inbox.receive(say("again", "m2", at=1))
        assert await settled(sqlite_store) == {1: "answered", 2: "answered"}


async def test_an_orderly_stop_hands_over_what_the_database_interrupted(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 3600.0)
    monkeypatch.setattr(dispatcher, "LONGEST_RETRY_SECONDS", 3600.0)
    platform, worker = Platform(), Worker()
    for attempt in itertools.count():
        async with Server(sqlite_store, platform, worker, name=f"process-{attempt}") as server:
            if attempt == 0:
                await server.inbox.receive(say("hello", "m1"))
            if attempt == 6:
                break
            await worker.second.wait()
            worker.second.clear()
            async with full(sqlite_store):
                worker.go_on.set()

                async def interrupted(server: Server = server) -> bool:
                    return 1 in server.dispatcher._interrupted and not server.dispatcher.busy

                await until(interrupted)
            worker.go_on.clear()
    worker.go_on.set()
    async with Server(sqlite_store, platform, worker, name="last") as server:
        await answered_in_one_attempt(sqlite_store, server, platform)

"""How queries run on both databases: commits, group commit, cancelled callers; and the small tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, exc, select, text

from bot.ports import StoreUnavailable
from bot.store import blobs, conversations, feedback, messages, tables
from bot.store.db import SqliteStore, Store, open_store, probe
from bot.store.tables import conversation, message
from tests.support.clock import START
from tests.support.desk import Desk, say, target
from tests.support.writes import Gate, batch, failing, named, names, orphan

# What every store does


async def test_what_was_written_is_read(store: Store) -> None:
    await store.write(named("a"))
    assert await names(store) == {"a"}


async def test_a_query_that_fails_leaves_nothing_and_raises_its_own_error(store: Store) -> None:
    with pytest.raises(LookupError):
        await store.write(failing("a"))
    assert await names(store) == set()
    await store.write(named("b"))
    assert await names(store) == {"b"}


async def test_queries_that_fail_do_not_fail_those_beside_them(store: Store) -> None:
    queries = [failing(f"bad-{n}") if n % 3 == 0 else named(f"good-{n}") for n in range(30)]
    results = await asyncio.gather(*(store.write(query) for query in queries), return_exceptions=True)
    assert sum(isinstance(result, LookupError) for result in results) == 10
    assert await names(store) == {f"good-{n}" for n in range(30) if n % 3}


async def test_a_statement_that_is_wrong_is_not_the_databases_fault(store: Store) -> None:
    for run in (store.read, store.write):
        with pytest.raises(exc.DBAPIError):
            await run(lambda c: c.execute(text("SELECT nothing FROM nowhere")))
    await store.write(named("a"))
    assert await names(store) == {"a"}


async def test_a_row_that_breaks_a_rule_is_not_the_databases_fault(store: Store) -> None:
    with pytest.raises(exc.IntegrityError):
        await store.write(lambda c: c.execute(message.insert().values(orphan())))


async def test_an_error_does_not_repeat_what_people_wrote(store: Store) -> None:
    """It ends up in the log."""
    said = orphan() | {"text": "between you and me"}
    with pytest.raises(exc.IntegrityError) as failed:
        await store.write(lambda c: c.execute(message.insert().values(said)))
    assert "between you and me" not in str(failed.value)


async def test_two_hundred_read_then_write_updates_lose_none(store: Store) -> None:
    """The reason for BEGIN IMMEDIATE on SQLite, and for doing it in one statement on PostgreSQL."""
    await store.write(named("a"))

    async def task() -> None:
        for _ in range(20):
            await store.write(lambda c: conversations.take_seq(c, 1, START))

    await asyncio.gather(*(task() for _ in range(10)))
    assert await store.read(lambda c: c.scalar(select(conversation.c.next_seq))) == 201


async def test_times_keep_their_instant_and_come_back_in_utc(store: Store) -> None:
    shanghai = datetime(2026, 1, 1, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    await store.write(lambda c: conversations.find_or_create(c, target("a"), shanghai))
    stored = await store.read(lambda c: c.scalar(select(conversation.c.created_at)))
    assert stored == shanghai
    assert stored.tzinfo is UTC


async def test_times_are_ordered_as_times(store: Store) -> None:
    at = [START + timedelta(seconds=s) for s in (10, 9, 9.000001, 100, 0)]
    for number, time in enumerate(at):
        await store.write(partial(conversations.find_or_create, target=target(f"c{number}"), now=time))
    query = select(conversation.c.created_at).order_by(conversation.c.created_at)
    assert await store.read(lambda c: list(c.scalars(query))) == sorted(at)


async def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(exc.StatementError, match="aware"):
        await store.write(lambda c: conversations.find_or_create(c, target("a"), naive))


async def test_the_probe_writes_nothing(store: Store) -> None:
    await store.write(named("a"))
    await store.write(probe)
    assert await store.read(lambda c: c.scalar(select(conversation.c.epoch))) == 0


async def test_a_store_that_is_closed_says_so(store: Store) -> None:
    await store.close()
    for run in (store.read, store.write):
        with pytest.raises(StoreUnavailable):
            await run(named("a"))
    await store.close()


async def test_closing_waits_for_what_was_asked_before(database_url: str) -> None:
    store = open_store(database_url)
    writes = [asyncio.create_task(store.write(named(f"c{n}"))) for n in range(10)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    again = open_store(database_url)
    assert len(await names(again)) == 10
    await again.close()


# Group commit on SQLite


@pytest.fixture
def commits(sqlite_store: SqliteStore) -> Iterator[list[str]]:
    """Grows with each commit of the writer."""
    seen: list[str] = []

    def note(_: Connection) -> None:
        seen.append("commit")

    event.listen(sqlite_store._write_engine, "commit", note)
    yield seen
    event.remove(sqlite_store._write_engine, "commit", note)


async def test_writes_that_wait_together_share_a_commit(sqlite_store: Store, commits: list[str]) -> None:
    await batch(sqlite_store, *(named(f"c{n}") for n in range(20)))
    assert len(commits) == 2  # the gate's own, and one for all
    assert len(await names(sqlite_store)) == 21


async def test_a_failing_query_in_a_batch_does_not_fail_the_others(sqlite_store: Store, commits: list[str]) -> None:
    first, second, third = await batch(sqlite_store, named("a"), failing("b"), named("c"))
    assert isinstance(second, LookupError)
    assert not isinstance(first, BaseException)
    assert not isinstance(third, BaseException)
    assert await names(sqlite_store) == {"gate", "a", "c"}
    assert len(commits) == 2


async def test_a_broken_rule_in_a_batch_does_not_fail_the_others(sqlite_store: Store) -> None:
    _, second, _ = await batch(
        sqlite_store, named("a"), lambda c: c.execute(message.insert().values(orphan())), named("c")
    )
    assert isinstance(second, exc.IntegrityError)
    assert await names(sqlite_store) == {"gate", "a", "c"}


async def test_a_commit_that_fails_fails_the_whole_batch(sqlite_store: Store) -> None:
    def broken_at_commit(connection: Connection) -> None:
        # The rule is looked at when the transaction commits, so this query itself succeeds.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.execute(message.insert().values(orphan()))

    results = await batch(sqlite_store, named("a"), broken_at_commit, named("c"))
    assert [type(result) for result in results] == [exc.IntegrityError] * 3
    assert await names(sqlite_store) == {"gate"}
    await sqlite_store.write(named("d"))
    assert await names(sqlite_store) == {"gate", "d"}


async def test_a_transaction_that_sqlite_rolls_back_by_itself_fails_the_whole_batch(sqlite_store: Store) -> None:
    """As it may on a full disk: the writes before and after the one that failed must not be told "stored"."""
    await sqlite_store.write(named("there"))
    columns = "key, platform, workspace, channel, created_at, last_message_at"
    again = f"INSERT OR ROLLBACK INTO conversation ({columns}) VALUES ('test:there', 'test', '', '', '', '')"
    results = await batch(sqlite_store, named("a"), lambda c: c.exec_driver_sql(again), named("c"))
    assert [type(result) for result in results] == [exc.IntegrityError] * 3
    assert await names(sqlite_store) == {"gate", "there"}
    await sqlite_store.write(named("d"))
    assert await names(sqlite_store) == {"gate", "there", "d"}


async def test_a_query_whose_caller_has_gone_before_it_began_is_not_run(sqlite_store: Store) -> None:
    async with Gate(sqlite_store):
        gone = asyncio.create_task(sqlite_store.write(named("gone")))
        stays = asyncio.create_task(sqlite_store.write(named("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    await stays
    assert gone.cancelled()
    assert await names(sqlite_store) == {"gate", "stays"}


async def test_a_query_whose_caller_goes_while_it_runs_is_committed(sqlite_store: Store) -> None:
    async with Gate(sqlite_store) as running:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
    await sqlite_store.write(named("next"))
    assert await names(sqlite_store) == {"gate", "next"}


async def test_reads_do_not_wait_for_a_write(sqlite_store: Store) -> None:
    async with Gate(sqlite_store):
        assert await names(sqlite_store) == set()


async def test_a_reader_can_not_write(sqlite_store: Store) -> None:
    await sqlite_store.read(named("a"))
    assert await names(sqlite_store) == set()


async def test_sqlite_runs_as_designed(sqlite_store: Store) -> None:
    def settings(connection: Connection) -> dict[str, Any]:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas}

    expected = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 10_000,
    }
    assert await sqlite_store.write(settings) == expected
    assert await sqlite_store.read(settings) == expected


# Small aggregates


async def test_a_blob_is_stored_once_by_its_digest(store: Store) -> None:
    digest = await store.write(lambda c: blobs.put(c, b"data", "text/plain", START, quota=10))
    again = await store.write(lambda c: blobs.put(c, b"data", "text/plain", START, quota=4))
    assert again == digest
    assert await store.read(lambda c: blobs.get(c, digest)) == blobs.Blob("text/plain", b"data")
    assert await store.read(lambda c: blobs.get(c, "0" * 64)) is None


async def test_a_blob_beyond_the_quota_or_its_own_limit_is_refused(store: Store) -> None:
    await store.write(lambda c: blobs.put(c, b"12345", "text/plain", START, quota=10))
    with pytest.raises(blobs.TooLarge):
        await store.write(lambda c: blobs.put(c, b"678901", "text/plain", START, quota=10))
    with pytest.raises(blobs.TooLarge):
        await store.write(lambda c: blobs.put(c, bytes(blobs.MAX_BYTES + 1), "text/plain", START, quota=10**9))


async def test_blobs_are_forgotten_by_the_time_of_their_last_storing(store: Store) -> None:
    later = START + timedelta(days=1)
    kept = await store.write(lambda c: blobs.put(c, b"kept", "text/plain", START, quota=100))
    await store.write(lambda c: blobs.put(c, b"old", "text/plain", START, quota=100))
    await store.write(lambda c: blobs.put(c, b"kept", "text/plain", later, quota=100))
    assert await store.write(lambda c: blobs.forget(c, later, 10)) == 1
    assert await store.read(lambda c: blobs.get(c, kept)) is not None


async def test_a_rating_is_one_per_person_and_can_be_taken_back(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("hello", "m1"))

    async def ratings() -> list[tuple[str, int]]:
        query = select(tables.feedback.c.author_id, tables.feedback.c.value).order_by(tables.feedback.c.author_id)
        return [tuple(row) for row in await store.read(lambda c: list(c.execute(query)))]

    for author, value in (("ann", 1), ("bob", -5), ("ann", -1)):
        assert await store.write(partial(feedback.rate, turn_id=1, author_id=author, value=value, now=START))
    assert await ratings() == [("ann", -1), ("bob", -1)]
    assert await store.write(lambda c: feedback.rate(c, 1, "ann", 0, START))
    assert await ratings() == [("bob", -1)]
    assert not await store.write(lambda c: feedback.rate(c, 999, "ann", 1, START))


async def test_forgetting_delivery_ids_lets_them_come_again(store: Store) -> None:
    assert await store.write(lambda c: messages.first_delivery(c, "test", "d1", START))
    assert not await store.write(lambda c: messages.first_delivery(c, "test", "d1", START))
    assert await store.write(lambda c: messages.first_delivery(c, "other", "d1", START))
    assert await store.write(lambda c: messages.forget_deliveries(c, START, 10)) == 0
    assert await store.write(lambda c: messages.forget_deliveries(c, START + timedelta(seconds=1), 10)) == 2
    assert await store.write(lambda c: messages.first_delivery(c, "test", "d1", START))

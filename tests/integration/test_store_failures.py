"""Databases that can't be written or go away: one sentence, nothing lost, and everything works again afterwards."""

from __future__ import annotations

import asyncio
import resource
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text

from bot.ports import StoreUnavailable
from bot.store import blobs
from bot.store.db import PostgresStore, Store, open_store, sqlite_path
from bot.store.tables import blob
from tests.support.clock import START
from tests.support.desk import Desk, say
from tests.support.postgres import PostgresServer
from tests.support.server import until
from tests.support.writes import Gate, batch, full, named, names

# SQLite that can't be written


async def test_a_full_disk_refuses_the_message_in_one_sentence_and_loses_nothing(sqlite_store: Store) -> None:
    desk = Desk(sqlite_store)
    await desk.inbox.receive(say("before", "m0"))
    sent = [say("x" * 1000, f"m{number}", at=number) for number in range(1, 200)]
    accepted: list[str] = []

    async def send() -> None:
        for one in sent:
            await desk.inbox.receive(one)
            accepted.append(one.message_id)

    async with full(sqlite_store):
        with pytest.raises(StoreUnavailable) as caught:
            await send()
        assert "disk" in caught.value.text.en
        assert "磁盘" in caught.value.text.zh
        assert [row.message_id for row in await desk.messages()] == ["m0", *accepted]
    refused = sent[len(accepted)]
    assert not (await desk.inbox.receive(refused)).duplicate
    assert [row.message_id for row in await desk.messages()] == ["m0", *accepted, refused.message_id]
    assert await desk.findings() == []


async def test_a_full_disk_fails_a_whole_batch_and_the_next_one_works(sqlite_store: Store) -> None:
    large = b"x" * 500_000

    def put(connection: Connection) -> None:
        blobs.put(connection, large, "text/plain", START, quota=10**9)

    async with full(sqlite_store):
        results = await batch(sqlite_store, named("a"), put, named("c"))
        assert isinstance(results[1], StoreUnavailable)
        stored = await names(sqlite_store)
    for name, result in (("a", results[0]), ("c", results[2])):
        # Whether SQLite undid one query or all of them: who was told "stored" is stored, and nobody else.
        assert (name in stored) is not isinstance(result, BaseException)
    assert not isinstance((await batch(sqlite_store, named("e"), put))[1], BaseException)
    assert await sqlite_store.read(lambda c: c.scalar(select(func.count()).select_from(blob))) == 1


async def test_a_write_that_the_system_refuses_is_one_sentence_and_undone(sqlite_store: Store, sqlite_url: str) -> None:
    """The file may not grow beyond a limit: the error comes from the operating system, at the commit."""
    await sqlite_store.write(named("before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = b"x" * 2_000_000
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        with pytest.raises(StoreUnavailable):
            await sqlite_store.write(lambda c: blobs.put(c, large, "text/plain", START, quota=10**9))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await sqlite_store.read(lambda c: c.scalar(select(func.count()).select_from(blob))) == 0
    await sqlite_store.write(named("after"))
    assert await names(sqlite_store) == {"before", "after"}


async def test_a_file_opened_read_only_can_be_read_and_says_why_it_can_not_be_written(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    await store.write(named("before"))
    await store.close()
    read_only = open_store(f"sqlite:///file:{sqlite_path(sqlite_url)}?mode=ro&uri=true")
    with pytest.raises(StoreUnavailable) as caught:
        await read_only.write(named("after"))
    assert "permissions" in caught.value.text.en
    assert await names(read_only) == {"before"}
    await read_only.close()


async def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/nowhere/kagentbot.db")
    with pytest.raises(StoreUnavailable) as caught:
        await store.write(named("a"))
    assert "folder" in caught.value.text.en
    await store.close()


async def test_a_database_that_stays_locked_is_one_sentence(sqlite_store: Store, sqlite_url: str) -> None:
    await sqlite_store.write(named("before"))
    await sqlite_store.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout=1"))
    other = open_store(sqlite_url)
    async with Gate(other):
        with pytest.raises(StoreUnavailable) as caught:
            await sqlite_store.write(named("during"))
    assert "try again" in caught.value.text.en
    await other.close()
    await sqlite_store.write(named("after"))
    assert await names(sqlite_store) == {"before", "gate", "after"}


# PostgreSQL that goes away


async def test_postgres_that_goes_away_refuses_and_works_again_when_it_is_back(
    postgres_store: Store, postgres: PostgresServer
) -> None:
    desk = Desk(postgres_store)
    await desk.inbox.receive(say("before", "m1"))
    postgres.stop()
    try:
        for run in (postgres_store.read, postgres_store.write):
            with pytest.raises(StoreUnavailable) as caught:
                await run(named("during"))
            assert "can't be reached" in caught.value.text.en
            assert "无法连接" in caught.value.text.zh
        with pytest.raises(StoreUnavailable):
            await desk.inbox.receive(say("during", "m2", at=1))
    finally:
        postgres.start()
    again = await desk.inbox.receive(say("during", "m2", at=1))
    assert not again.duplicate
    assert [row.text for row in await desk.messages()] == ["before", "during"]
    assert await desk.states() == ["queued", "queued"]


async def test_a_connection_that_is_cut_in_mid_transaction_undoes_it(postgres_store: Store) -> None:
    def cut(connection: Connection) -> None:
        named("during")(connection)
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreUnavailable):
        await postgres_store.write(cut)
    await postgres_store.write(named("after"))
    assert await names(postgres_store) == {"after"}


async def test_idle_connections_that_were_cut_go_unnoticed(postgres_store: Store, postgres: PostgresServer) -> None:
    await asyncio.gather(*(postgres_store.write(named(f"c{n}")) for n in range(5)))
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()")
    await asyncio.gather(*(postgres_store.write(named(f"d{n}")) for n in range(5)))
    assert len(await names(postgres_store)) == 10


async def test_a_transaction_that_could_not_be_serialised_is_run_again(postgres_store: Store) -> None:
    runs = 0

    def query(connection: Connection) -> int:
        nonlocal runs
        runs += 1
        named("a")(connection)
        if runs < 3:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))
        return runs

    assert await postgres_store.write(query) == 3
    assert await names(postgres_store) == {"a"}


async def test_a_transaction_that_never_serialises_is_given_up(postgres_store: Store) -> None:
    runs = 0

    def query(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(StoreUnavailable):
        await postgres_store.write(query)
    assert runs == 4


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_callers_that_are_cancelled_leave_the_pool_whole(postgres_store: PostgresStore, kind: str) -> None:
    began = asyncio.Event()

    def query(connection: Connection) -> None:
        began.set()
        connection.execute(text("SELECT pg_sleep(0.05)"))
        named("late")(connection)

    for _ in range(20):  # more than the pool has
        began.clear()
        caller = asyncio.create_task(getattr(postgres_store, kind)(query))
        await began.wait()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        assert caller.cancelled()

    async def idle() -> bool:
        return not postgres_store._running

    await until(idle)
    assert await names(postgres_store) == ({"late"} if kind == "write" else set())


async def test_a_frozen_transaction_is_ended_by_the_server(postgres_store: Store) -> None:
    shown = await postgres_store.write(lambda c: c.scalar(text("SHOW idle_in_transaction_session_timeout")))
    assert shown == "10s"


async def test_a_full_disk_on_postgres_is_told_as_such(postgres_store: Store) -> None:
    for code, word in (("53100", "disk"), ("25006", "permissions")):
        statement = text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")
        with pytest.raises(StoreUnavailable) as caught:
            await postgres_store.write(partial(Connection.execute, statement=statement))
        assert word in caught.value.text.en

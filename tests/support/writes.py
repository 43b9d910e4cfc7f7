"""Small queries that store, fail or wait, for tests of the store itself."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from sqlalchemy import Connection, select

from bot.ports import StoreUnavailable
from bot.store import conversations
from bot.store.db import Store
from bot.store.tables import conversation
from tests.support.clock import START
from tests.support.desk import target

Query = Callable[[Connection], Any]


def named(name: str) -> Query:
    """A query that stores a conversation of this name."""
    return lambda c: conversations.find_or_create(c, target(name), START)


def failing(name: str) -> Query:
    """A query that stores one and fails after that."""

    def query(connection: Connection) -> None:
        named(name)(connection)
        raise LookupError(name)

    return query


async def names(store: Store) -> set[str]:
    """The names that are stored."""
    return set(await store.read(lambda c: [key.removeprefix("test:") for key in c.scalars(select(conversation.c.key))]))


class Gate:
    """Holds the writer thread in a query, so that what is asked meanwhile becomes one batch."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entered = threading.Event()
        self._open = threading.Event()

    async def __aenter__(self) -> asyncio.Task[None]:
        task = asyncio.create_task(self._store.write(self._wait))
        await asyncio.to_thread(self._entered.wait)
        return task

    async def __aexit__(self, *_: object) -> None:
        self._open.set()

    def _wait(self, connection: Connection) -> None:
        named("gate")(connection)
        self._entered.set()
        self._open.wait()


async def batch(store: Store, *queries: Query) -> list[Any]:
    """Run these queries in one transaction; their results or errors."""
    async with Gate(store):
        asked = [asyncio.create_task(store.write(query)) for query in queries]
        await asyncio.sleep(0)
    return await asyncio.gather(*asked, return_exceptions=True)


def orphan() -> dict[str, Any]:
    """A message of a conversation that does not exist."""
    place = {"platform": "test", "workspace": "w", "channel": "ch", "message_id": "m", "conversation_id": 999}
    about = {"generation": 1, "role": "user", "author_id": "x", "text": "", "attachments": []}
    return place | about | {"sent_at": START, "received_at": START}


@contextlib.asynccontextmanager
async def full(store: Store) -> AsyncIterator[None]:
    """SQLite refuses to grow the file, as on a full disk."""
    pages = await store.read(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
    await store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar())
    yield
    async with asyncio.timeout(10):
        while True:
            # Another write may share its transaction, be refused for the full disk and take this one down with it.
            with contextlib.suppress(StoreUnavailable):
                await store.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").scalar())
                return

"""The server's database, opened beside it or without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from agent.language import Text
from evals.cli.ending import WRONG, Ended
from evals.cli.program import Desk

if TYPE_CHECKING:
    from bot.store.db import Store
    from evals.human.sets import HumanSet, HumanStore

_NONE = Text(
    "There is no set of answers yet: `kagent-bench human run --questions FILE` makes one.",
    "还没有任何一组回答：可用 `kagent-bench human run --questions 文件` 生成。",
)
_NO_SET = Text(
    "There is no set “{given}”, or several begin so: `kagent-bench human list` shows them.",
    "没有“{given}”这组回答，或有多组以此开头：可用 `kagent-bench human list` 查看。",
)
_OTHER_VERSION = Text(
    "The server that runs here has a database of an earlier version: restart it first.",
    "正在运行的服务使用的是较早版本的数据库：请先重启服务。",
)


class Opened(NamedTuple):
    """The database, and the sets in it."""

    store: Store
    sets: HumanStore


@asynccontextmanager
async def opened(desk: Desk, *, make: bool = False) -> AsyncIterator[Opened]:
    """Short transactions, so a server may run beside. `make`: where there is no database yet, there will be.

    Raises `Ended`, `StoreUnavailable`.
    """
    from agent.clock import SystemClock
    from bot.store import migrate
    from bot.store.db import open_store
    from bot.store.human import DatabaseSets

    url = desk.settings.database_url
    state = await asyncio.to_thread(migrate.check, url)
    if state != "current":
        if not make and await asyncio.to_thread(migrate.current, url) is None:
            raise Ended(WRONG, _NONE)
        await asyncio.to_thread(_upgrade, url)
    store = open_store(url)
    try:
        yield Opened(store, DatabaseSets(store, SystemClock()))
    finally:
        await store.close()


async def found(sets: HumanStore, given: str) -> HumanSet:
    """The set that is meant; "" for the newest. Raises `Ended`."""
    if given:
        one = await sets.find(given)
        if one is None:
            raise Ended(WRONG, _NO_SET, given=given[:80])
        return one
    newest = await sets.sets(1)
    if not newest:
        raise Ended(WRONG, _NONE)
    return newest[0]


def _upgrade(url: str) -> None:
    """Bring the tables up to date, as a server does at its start; not below one that runs."""
    from bot.store import migrate
    from bot.store.db import sqlite_path
    from bot.store.exclusive import Exclusive, InUse

    path = sqlite_path(url)
    lock = None if path is None else Exclusive(path)
    try:
        if lock is not None:
            lock.acquire()
        migrate.upgrade(url)
    except InUse:
        raise Ended(WRONG, _OTHER_VERSION) from None
    finally:
        if lock is not None:
            lock.release()

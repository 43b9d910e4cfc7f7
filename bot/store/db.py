"""How queries run: `Store.write` and `Store.read` take a synchronous function over a `Connection` and run it off the
event loop.

SQLite: one writer thread with one connection. Whatever waits when it is free shares one `BEGIN IMMEDIATE … COMMIT`,
each function in its own savepoint: one fsync for many writers, and no lost update (drivers' deferred BEGIN loses them
silently: facts/engine.md). Readers have threads and connections of their own. A thread instead of aiosqlite, because a
transaction then costs one hop between threads rather than one for each statement.

PostgreSQL: SQLAlchemy's async engine on psycopg 3; the same functions run through `run_sync`.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from agent.language import Text
from bot.ports import StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Query = Callable[[Connection], T]

#: Most functions that share one SQLite transaction; bounds how long the first of them waits.
_BATCH = 64
#: Reader threads, each with a connection of its own.
_READERS = 4
#: Milliseconds that SQLite waits for another process's short transaction (a command-line tool beside the server).
_BUSY_MS = 10_000
#: PostgreSQL error classes after which the whole transaction may simply be run again: serialization failure, deadlock.
_RETRY_CODES = {"40001", "40P01"}
_RETRIES = 3

_FULL = Text(
    "The disk that holds the database is full: free some space, nothing was lost.",
    "存放数据库的磁盘已满：请清理空间，数据没有丢失。",
)
_DISK = Text(
    "The disk that holds the database fails or has reached its quota: check it, then try again.",
    "存放数据库的磁盘出错或已达配额：请检查磁盘后重试。",
)
_READ_ONLY = Text(
    "The database can't be written: check the permissions of its file and folder.",
    "数据库不可写：请检查数据库文件及其目录的权限。",
)
_AWAY = Text(
    "The database can't be reached just now: try again in a moment.",
    "暂时无法连接数据库：请稍后再试。",
)
_REFUSED = Text(
    "PostgreSQL refuses the connection: check user, password and database name in DATABASE_URL.",
    "PostgreSQL 拒绝连接：请检查 DATABASE_URL 中的用户名、密码和数据库名。",
)
_DAMAGED = Text(
    "The database file is damaged or is not a database: restore a backup, or move the file away.",
    "数据库文件已损坏，或不是数据库文件：请恢复备份，或将该文件移走。",
)

#: What SQLite's primary result codes (sqlite.org/rescode.html) mean for people; the others are the query's own fault.
_SQLITE_CODES = {
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _AWAY,
    sqlite3.SQLITE_LOCKED: _AWAY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_PROTOCOL: _AWAY,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
#: The same for PostgreSQL's SQLSTATEs (appendix A of its manual) that say more than that it is away.
_POSTGRES_CODES = {"53100": _FULL, "25006": _READ_ONLY, "42501": _READ_ONLY}
#: Class of PostgreSQL's errors about one query that is too large for it; no fault of the database's state.
_TOO_LARGE = "54"
#: A connection that was never made has no SQLSTATE; these words of the server say that trying again won't help.
_REFUSALS = ("does not exist", "authentication failed", "pg_hba.conf", "no password supplied")
#: For connections to PostgreSQL over a network: a peer that has vanished is noticed after about this time.
_CONNECT = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}
#: A process that freezes in mid-transaction keeps its rows locked for this long; less than a lease.
_IDLE_IN_TRANSACTION = "10s"
#: Errors are logged, and what people wrote doesn't belong into a log.
_HIDE = True
#: Seconds that `close` waits for queries that are under way.
_CLOSE_SECONDS = 10.0


class Store(Protocol):
    """A database that runs queries."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""

    async def read(self, query: Query[T]) -> T:
        """Run a query that changes nothing. Raises `StoreUnavailable`."""

    async def write(self, query: Query[T]) -> T:
        """Run a query in a transaction; it is committed when this returns.

        Raises what the query raises (then it was rolled back), or `StoreUnavailable`. A caller that is cancelled
        doesn't know whether it was committed.
        """

    async def close(self) -> None: ...


def open_store(url: str) -> Store:
    """The store behind a database URL (`sqlite:///path` or `postgresql://…`). Connects lazily."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteStore(parsed)
    return PostgresStore(parsed)


def sync_engine(url: str) -> Engine:
    """A synchronous engine for migrations and command-line tools."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, begin="BEGIN IMMEDIATE", pool_size=1)
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        hide_parameters=_HIDE,
        connect_args=_connect_args(parsed),
    )


def read_engine(url: str) -> Engine:
    """A synchronous engine for looking: on SQLite it never waits for a writer, nor makes one wait."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, begin="BEGIN", pool_size=1)
    return sync_engine(url)


def _connect_args(url: URL) -> dict[str, Any]:
    """What a connection to PostgreSQL is told, unless its URL says otherwise."""
    return {name: value for name, value in _CONNECT.items() if name not in url.query}


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def _sqlite_engine(url: URL, *, begin: str, pool_size: int) -> Engine:
    engine = create_engine(
        url.set(drivername="sqlite"),
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=_HIDE,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        # The driver must not open transactions by itself; `begin` below does.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def unavailable(error: exc.DBAPIError) -> StoreUnavailable | None:
    """The sentence for an error that is the database's state and not the query's fault; None for the latter."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # The low byte is the primary code; an error that Python raises itself has none.
        sentence = _SQLITE_CODES.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        return sentence and StoreUnavailable(sentence, detail=str(cause))
    state = getattr(cause, "sqlstate", None)
    if state in _POSTGRES_CODES:
        return StoreUnavailable(_POSTGRES_CODES[state], detail=str(cause))
    if state is not None and state.startswith(_TOO_LARGE):
        return None
    if state is None and any(words in str(cause) for words in _REFUSALS):
        return StoreUnavailable(_REFUSED, detail=str(cause))
    if isinstance(error, (exc.OperationalError, exc.InterfaceError)) or error.connection_invalidated:
        return StoreUnavailable(_AWAY, detail=str(cause))
    return None


class SqliteStore:
    """One file, one writer."""

    dialect = "sqlite"

    def __init__(self, url: URL) -> None:
        self._write_engine = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1)
        self._read_engine = _sqlite_engine(url, begin="BEGIN", pool_size=_READERS)
        self._queue: queue.SimpleQueue[tuple[Query[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._writer = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
        self._writer.start()
        self._closed = False

    async def read(self, query: Query[T]) -> T:
        if self._closed:
            raise StoreUnavailable(_AWAY, detail="the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, query)

    def _read(self, query: Query[T]) -> T:
        try:
            with self._read_engine.connect() as connection:
                return query(connection)
        except exc.DBAPIError as error:
            raise unavailable(error) or error from error

    async def write(self, query: Query[T]) -> T:
        if self._closed:
            raise StoreUnavailable(_AWAY, detail="the store is closed")
        future: Future[T] = Future()
        self._queue.put((query, future))
        return await asyncio.wrap_future(future)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._read_engine.dispose()
        self._write_engine.dispose()

    def _write_loop(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            closing = False
            while len(batch) < _BATCH:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    closing = True
                    break
                batch.append(item)
            # A caller that was cancelled while waiting has nobody to tell; its query need not run.
            wanted = [(query, future) for query, future in batch if future.set_running_or_notify_cancel()]
            if wanted:
                self._write_batch(wanted)
            if closing:
                return

    def _write_batch(self, batch: list[tuple[Query[Any], Future[Any]]]) -> None:
        results: list[tuple[Any, BaseException | None]]
        try:
            with self._write_engine.begin() as connection:
                if len(batch) == 1:
                    results = [(batch[0][0](connection), None)]
                else:
                    results = [_in_savepoint(connection, query) for query, _ in batch]
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            for _, future in batch:
                future.set_exception(_translated(error))
            return
        for (_, future), (value, failed) in zip(batch, results, strict=True):
            if failed is None:
                future.set_result(value)
            else:
                future.set_exception(_translated(failed))


def _in_savepoint(connection: Connection, query: Query[Any]) -> tuple[Any, BaseException | None]:
    """One query of a batch: (its value, None), or (None, its error) when only its own changes are undone.

    Raises when the whole transaction is gone: SQLite rolls it back by itself when, for example, the disk is full.
    """
    savepoint = connection.begin_nested()
    try:
        value = query(connection)
    except BaseException as error:
        if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            raise
        savepoint.rollback()
        return None, error
    savepoint.commit()
    return value, None


def _translated(error: BaseException) -> BaseException:
    if not isinstance(error, exc.DBAPIError):
        return error
    return unavailable(error) or error


class PostgresStore:
    """Any number of processes, one pool of connections in each."""

    dialect = "postgresql"

    def __init__(self, url: URL) -> None:
        # Imported here, because it brings SQLAlchemy's ORM along: 6 MB that a server on SQLite need not carry.
        from sqlalchemy.ext.asyncio import create_async_engine

        # `prepare_threshold=None` would cost speed; pgbouncer in transaction mode is unsupported instead.
        self._engine: AsyncEngine = create_async_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=10,
            max_overflow=5,
            pool_pre_ping=True,
            pool_timeout=10,
            hide_parameters=_HIDE,
            connect_args=_connect_args(url),
        )
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

        @event.listens_for(self._engine.sync_engine, "connect")
        def _connect(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_IN_TRANSACTION}'")
            cursor.close()
            connection.commit()

    async def read(self, query: Query[T]) -> T:
        return await self._shielded(self._run(query, write=False))

    async def write(self, query: Query[T]) -> T:
        return await self._shielded(self._run(query, write=True))

    async def _shielded(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a query, but let it end by itself when the caller is cancelled.

        A connection whose statement is cut off can't go back to the pool.
        """
        if self._closed:
            work.close()
            raise StoreUnavailable(_AWAY, detail="the store is closed")
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Looked at, because whoever asked may have gone, and asyncio would complain of an error that nobody saw.
            task.exception()

    async def _run(self, query: Query[T], *, write: bool) -> T:
        for attempt in range(_RETRIES + 1):
            try:
                async with self._engine.connect() as connection:
                    value = await connection.run_sync(query)
                    if write:
                        await connection.commit()
                    return value
            except exc.TimeoutError as error:
                raise StoreUnavailable(_AWAY, detail=str(error)) from error
            except exc.DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) in _RETRY_CODES and attempt < _RETRIES:
                    continue
                raise unavailable(error) or error from error
            except OSError as error:
                raise StoreUnavailable(_AWAY, detail=str(error)) from error
        raise AssertionError("unreachable")

    async def close(self) -> None:
        self._closed = True
        if self._running:
            _, late = await asyncio.wait(set(self._running), timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
        await self._engine.dispose()


def probe(connection: Connection) -> None:
    """A write that changes nothing, to see whether the database takes writes.

    Of a row that there is: an UPDATE that finds none succeeds on a full disk, too.
    """
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))

"""Bringing a database's tables up to date.

The normal start finds an up-to-date database: that is one SELECT, and Alembic isn't even imported. Whatever is done is
done in one transaction, so that a migration that fails leaves the database as it was, and under a lock, so that of two
processes that start at the same time one does the work and the other waits for it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, Engine, exc, inspect, text

from agent.language import Text
from bot.ports import StoreUnavailable
from bot.store.db import read_engine, sqlite_path, sync_engine, unavailable

if TYPE_CHECKING:
    from alembic.config import Config

#: Every revision, oldest first. Alembic knows them too; they are repeated here so that a start need not ask it.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
#: The revision that this version of the program works with.
HEAD = REVISIONS[-1]

#: Key of PostgreSQL's advisory lock around a migration: any number that no other program in the database uses.
_LOCK = 0x6B61_6765_6E74

_UNKNOWN = Text(
    "The database has version {found}, which this version of kagentbot does not know: start the newer kagentbot "
    "that wrote it, or set DATABASE_URL to another database.",
    "数据库的版本是 {found}，当前版本的 kagentbot 不认识：请启动写入它的更新版本，或把 DATABASE_URL 设为另一个数据库。",
)
_FOREIGN = Text(
    "The database already has a table {found} that is not kagentbot's: set DATABASE_URL to an empty database.",
    "数据库中已有不属于 kagentbot 的表 {found}：请把 DATABASE_URL 设为一个空数据库。",
)
_NOT_CREATED = Text(
    "The database file {path} can't be created ({error}): choose another data folder.",
    "无法创建数据库文件 {path}（{error}）：请选择另一个数据目录。",
)
_FAILED = Text(
    "The database could not be brought up to date; it is as it was before: {found}",
    "数据库升级失败，已恢复原状：{found}",
)


class UnusableDatabase(StoreUnavailable):
    """The database is not ours, or of a newer version, or could not be migrated. `text` says what to do."""


def check(url: str) -> Literal["current", "behind", "unknown"]:
    """How the database's tables compare with this program; changes nothing, and creates no file.

    `behind` is also an empty or missing database; `unknown` one that a newer version wrote, or another program.
    Raises `StoreUnavailable` when it can't be read.
    """
    found = current(url)
    if found == HEAD:
        return "current"
    return "behind" if found is None or found in REVISIONS else "unknown"


def current(url: str) -> str | None:
    """The revision that the database has; None for an empty or missing one. Raises `StoreUnavailable`."""
    path = sqlite_path(url)
    # Not `Path.exists`, which raises where the folder may not be looked into.
    if path is not None and not os.path.exists(path):  # noqa: PTH110
        return None
    engine = read_engine(url)
    try:
        with engine.connect() as connection:
            return _version(connection)
    except exc.DBAPIError as error:
        raise unavailable(error) or error from error
    finally:
        engine.dispose()


def upgrade(url: str) -> bool:
    """Create or update the tables; whether anything had to be done.

    A missing SQLite file is created (0600) with its folder (0700). Raises `UnusableDatabase` for a database of a newer
    version or of another program, `StoreUnavailable` when it can't be reached or written.
    """
    state = check(url)
    if state == "current":
        return False
    if state == "unknown":
        raise _unknown(current(url))
    path = sqlite_path(url)
    if path is not None:
        _create_file(path)
    return _run(url, HEAD, "upgrade")


def downgrade(url: str, revision: str) -> bool:
    """Go back to a revision (`base`: no tables at all, all data is lost); whether anything had to be done.

    Raises as `upgrade` does.
    """
    if check(url) == "unknown":
        raise _unknown(current(url))
    return _run(url, revision, "downgrade")


def _unknown(found: str | None) -> UnusableDatabase:
    return UnusableDatabase(_fill(_UNKNOWN, found=found))


def _fill(sentence: Text, **fields: object) -> Text:
    return Text(sentence.say("en", **fields), sentence.say("zh", **fields))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            _fill(_NOT_CREATED, path=path, error=error.strerror or str(error)), detail=str(error)
        ) from error


def _run(url: str, revision: str, direction: Literal["upgrade", "downgrade"]) -> bool:
    engine = sync_engine(url)
    try:
        return _in_transaction(engine, revision, direction)
    except exc.DBAPIError as error:
        raise unavailable(error) or UnusableDatabase(_fill(_FAILED, found=error.orig)) from error
    finally:
        engine.dispose()


def _in_transaction(engine: Engine, revision: str, direction: Literal["upgrade", "downgrade"]) -> bool:
    from alembic import command

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        # Under the lock: another process may have done it while we waited.
        before = _version(connection)
        if before is not None and before not in REVISIONS:
            raise _unknown(before)
        if before is None and (foreign := _foreign_table(connection)):
            raise UnusableDatabase(_fill(_FOREIGN, found=foreign))
        if direction == "upgrade":
            command.upgrade(_config(connection), revision)
        else:
            command.downgrade(_config(connection), revision)
        return _version(connection) != before


def _foreign_table(connection: Connection) -> str | None:
    from bot.store.tables import metadata

    found = set(inspect(connection).get_table_names()) & set(metadata.tables)
    return min(found, default=None)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    import migrations

    config = Config()
    # A per cent sign would be an interpolation in what Alembic takes for an ini file.
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))
    config.attributes["connection"] = connection
    return config

"""Migrations on both databases: up, down, at the same time, and against what they must not touch."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import migrations
from bot.ports import StoreUnavailable
from bot.store import migrate
from bot.store.db import sqlite_path, sync_engine
from bot.store.tables import metadata
from tests.conftest import BOTH
from tests.support.postgres import PostgresServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables; on SQLite not even the folder exists."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/kagentbot.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.empty_database() as url:
        yield url


def execute(url: str, *statements: str) -> None:
    path = sqlite_path(url)
    if path is not None:
        path.parent.mkdir(exist_ok=True)
    engine = sync_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def tables(url: str) -> set[str]:
    engine = sync_engine(url)
    with engine.connect() as connection:
        found = set(inspect(connection).get_table_names())
    engine.dispose()
    return found


def in_a_process(code: str, cwd: Path) -> subprocess.Popen[str]:
    """Python in a folder of its own, as an installed server would run."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_an_empty_database_gets_all_tables_and_only_once(empty_url: str) -> None:
    assert migrate.check(empty_url) == "behind"
    assert migrate.upgrade(empty_url) is True
    assert migrate.check(empty_url) == "current"
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}
    assert migrate.upgrade(empty_url) is False


def test_down_to_the_base_and_up_again(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    assert migrate.downgrade(empty_url, "base") is True
    assert tables(empty_url) == {"alembic_version"}
    assert migrate.current(empty_url) is None
    assert migrate.upgrade(empty_url) is True
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_the_constant_lists_the_revisions_that_alembic_finds() -> None:
    script = ScriptDirectory(migrations.__path__[0])
    assert tuple(r.revision for r in script.walk_revisions())[::-1] == migrate.REVISIONS
    assert script.get_heads() == [migrate.HEAD]


def test_alembic_sees_no_difference_between_tables_and_migrations(database_url: str) -> None:
    engine = sync_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": metadata}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrations_make_what_the_tables_would_make(empty_url: str) -> None:
    """Stricter than Alembic, which does not compare, for example, the conditions of partial indexes."""
    execute(empty_url)
    engine = sync_engine(empty_url)
    with engine.begin() as connection:
        metadata.create_all(connection)
        wanted = described(connection)
        metadata.drop_all(connection)
    engine.dispose()
    migrate.upgrade(empty_url)
    engine = sync_engine(empty_url)
    with engine.connect() as connection:
        assert described(connection) == wanted
    engine.dispose()


def described(connection: Connection) -> set[str]:
    """Every column, constraint and index, as the database itself spells it."""
    if connection.dialect.name == "sqlite":
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
        found: set[str] = set()
        for sql in connection.execute(text(query)).scalars():
            head, _, body = sql.partition("(")
            if not sql.startswith("CREATE TABLE"):
                found.add(sql)
                continue
            # A column that was added later stands on the line of its neighbour.
            parts = re.split(r",(?![^(]*\))", body.rstrip().removesuffix(")"))
            found |= {f"{head} {' '.join(part.split())}" for part in parts}
        return found
    constraints = """
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text != 'alembic_version'
    """
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename != 'alembic_version'"
    columns = """
        SELECT concat_ws(' ', table_name, column_name, data_type, character_maximum_length, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name != 'alembic_version'
    """
    queries = (constraints, indexes, columns)
    return {line for query in queries for line in connection.execute(text(query)).scalars()}


def test_two_processes_that_migrate_at_the_same_time_do_it_once(empty_url: str, tmp_path: Path) -> None:
    code = f"from bot.store import migrate; print(migrate.upgrade({empty_url!r}))"
    processes = [in_a_process(code, tmp_path) for _ in range(3)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert sorted(out.strip() for out, _ in outputs) == ["False", "False", "True"], outputs
    assert migrate.check(empty_url) == "current"


def test_the_start_on_an_up_to_date_database_does_not_load_alembic(database_url: str, tmp_path: Path) -> None:
    code = f"""
import sys
from bot.store import migrate
print(migrate.upgrade({database_url!r}), migrate.check({database_url!r}), "alembic" in sys.modules)
"""
    out, error = in_a_process(code, tmp_path).communicate(timeout=60)
    assert out.split() == ["False", "current", "False"], error


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(database_url: str) -> None:
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert migrate.check(database_url) == "unknown"
    for refused in (
        lambda: migrate.upgrade(database_url),
        lambda: migrate.downgrade(database_url, "base"),
    ):
        with pytest.raises(migrate.UnusableDatabase) as caught:
            refused()
        assert "9999" in caught.value.text.en
        assert "9999" in caught.value.text.zh
        assert "\n" not in caught.value.text.en
    assert tables(database_url) == {*metadata.tables, "alembic_version"}


def test_another_programs_tables_are_left_alone(empty_url: str) -> None:
    execute(empty_url, "CREATE TABLE message (theirs INTEGER)", "INSERT INTO message VALUES (7)")
    with pytest.raises(migrate.UnusableDatabase) as caught:
        migrate.upgrade(empty_url)
    assert "message" in caught.value.text.en
    assert tables(empty_url) == {"message"}


def test_other_tables_beside_ours_are_no_trouble(empty_url: str) -> None:
    execute(empty_url, "CREATE TABLE theirs (n INTEGER)")
    assert migrate.upgrade(empty_url) is True
    assert "theirs" in tables(empty_url)


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    # A view is no table of another program, but in the way of the last table that the revision makes.
    execute(empty_url, "CREATE VIEW feedback AS SELECT 1 AS one")
    with pytest.raises(migrate.UnusableDatabase) as caught:
        migrate.upgrade(empty_url)
    assert "feedback" in caught.value.text.en
    assert tables(empty_url) == set()
    execute(empty_url, "DROP VIEW feedback")
    assert migrate.upgrade(empty_url) is True


def test_a_new_sqlite_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "kagentbot.db"
    migrate.upgrade(f"sqlite:///{path}")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_look_at_a_missing_sqlite_file_does_not_create_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "kagentbot.db"
    assert migrate.check(f"sqlite:///{path}") == "behind"
    assert not path.parent.exists()


def test_a_file_that_cannot_be_created_gives_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable) as caught:
        migrate.upgrade(f"sqlite:///{tmp_path}/file/kagentbot.db")
    assert "choose another data folder" in caught.value.text.en


def test_a_file_that_is_no_database_gives_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "kagentbot.db"
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(StoreUnavailable) as caught:
        migrate.upgrade(f"sqlite:///{path}")
    assert "not a database" in caught.value.text.en
    assert path.read_text().startswith("Dear diary")


def test_a_server_that_does_not_answer_gives_one_sentence() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        migrate.upgrade("postgresql://nobody@127.0.0.1:1/nothing")
    assert "can't be reached" in caught.value.text.en


def test_a_database_that_does_not_exist_names_the_setting(postgres: PostgresServer) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        migrate.upgrade(postgres.url("nothing"))
    assert "DATABASE_URL" in caught.value.text.en

"""Fixtures for all tests: databases.

    sqlite_store, postgres_store   an open store on a fresh, migrated database
    store                          the same, once on each database
    database_url                   the URL of a fresh, migrated database, once on each database
    postgres                       the PostgreSQL server of this run (tests/support/postgres.py)
    (always)                       discord.py is left pointed at the addresses that it had before the test

A SQLite database is a real file; a PostgreSQL one is a copy of a migrated template in one server that lives as long as
the run.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from bot.store import migrate
from bot.store.db import Store, open_store
from tests.support.postgres import PostgresServer, postgres_server

BOTH = ["sqlite", "postgresql"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test printed can travel from a worker of pytest-xdist, which takes no halves of surrogate pairs."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def discord_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that is pointed at a fake changes classes of discord.py, which the next test would find changed."""
    if "discord" not in sys.modules:
        return
    from discord import Asset
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    for owner, name in ((Route, "BASE"), (Asset, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY")):
        monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "kagentbot.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of a fresh, migrated SQLite database."""
    path = tmp_path / "kagentbot.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL database."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, migrated database; the test runs once on each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh database; the test runs once on each kind."""
    opened = open_store(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh SQLite file."""
    opened = open_store(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture
async def postgres_store(postgres_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh PostgreSQL database."""
    opened = open_store(postgres_url)
    yield opened
    await opened.close()

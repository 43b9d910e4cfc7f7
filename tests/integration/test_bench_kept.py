"""`kagent-bench list`, `show` and `compare` find the runs of this program and those of a server beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.clock import SystemClock
from bot.settings.values import sqlite_url
from bot.store import migrate
from bot.store.bench import DatabaseRuns, unfenced
from bot.store.db import open_store
from evals.cli import kept
from evals.cli.ending import Ended
from evals.cli.program import Desk
from tests.contracts.runs import FULL, SPEC


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("KAGENTBOT_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Desk()


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_runs_of_files_and_of_the_database_are_listed_and_found_together(desk: Desk, tmp_path: Path) -> None:
    mine = await desk.runs.begin(SPEC, {})
    url = sqlite_url(tmp_path / "kagentbot.db")
    await asyncio.to_thread(migrate.upgrade, url)
    store = open_store(url)
    runs = DatabaseRuns(store, unfenced(store, SystemClock()))
    its = await runs.begin(SPEC, {})
    await runs.add(its.id, [FULL])
    await store.close()
    assert {run.id for run in await kept.newest(desk, 5)} == {mine.id, its.id}
    assert [run.id for run in await kept.newest(desk, 1)] == [its.id]
    assert (await kept.found(desk, its.id)).id == its.id
    assert (await kept.found(desk, mine.id)).id == mine.id
    assert list(await kept.predictions_of(desk, its)) == [FULL]
    assert list(await kept.predictions_of(desk, mine)) == []
    desk.runs.close()


async def test_without_a_database_none_is_made(desk: Desk, tmp_path: Path) -> None:
    assert await kept.newest(desk, 5) == []
    with pytest.raises(Ended, match="no run yet"):
        await kept.found(desk, "")
    with pytest.raises(Ended, match="no run “x”"):
        await kept.found(desk, "x")
    assert left(tmp_path) == []

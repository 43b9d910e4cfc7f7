"""Runs that are kept, found again: by id, with the data that they asked about, with their numbers.

Those of this program are files, those of a server are in its database; whoever looks sees both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.journal import Json
from agent.language import Text
from evals.cli.ending import WRONG, Ended
from evals.cli.program import Desk

if TYPE_CHECKING:
    from evals.runs import Prediction, Run, RunStore

_NO_RUN = Text(
    "There is no run “{given}”, or several begin so: `kagent-bench list` shows them.",
    "没有运行“{given}”，或有多个以此开头：可用 `kagent-bench list` 查看。",
)
_NO_RUNS = Text(
    "There is no run yet: `kagent-bench run --limit 8` makes one.",
    "还没有任何运行：可以先执行 `kagent-bench run --limit 8`。",
)
_NO_DATA = Text(
    "The data of run {run}, “{name}”, can't be found any more: name the same file with --data.",
    "找不到运行 {run} 所用的数据“{name}”：请用 --data 指定同一个文件。",
)
_OTHER_DATA = Text(
    "{path} is not the data of run {run}, whose SHA-256 begins with {sha256}: name the same file.",
    "{path} 不是运行 {run} 所用的数据（其 SHA-256 以 {sha256} 开头）：请指定同一个文件。",
)


@asynccontextmanager
async def of_server(desk: Desk) -> AsyncIterator[RunStore | None]:
    """The runs that a server on this database keeps; None where there is no database of this version.

    Only looks. Raises `StoreUnavailable`.
    """
    from agent.clock import SystemClock
    from bot.store import migrate
    from bot.store.bench import DatabaseRuns, unfenced
    from bot.store.db import open_store

    if await asyncio.to_thread(migrate.check, desk.settings.database_url) != "current":
        yield None
        return
    store = open_store(desk.settings.database_url)
    try:
        yield DatabaseRuns(store, unfenced(store, SystemClock()))
    finally:
        await store.close()


async def newest(desk: Desk, most: int) -> list[Run]:
    """The newest runs of both, newest first."""
    found = list(await desk.runs.runs(most))
    async with of_server(desk) as runs:
        found += await runs.runs(most) if runs is not None else ()
    return sorted(found, key=lambda run: run.started_at, reverse=True)[:most]


async def predictions_of(desk: Desk, run: Run) -> Sequence[Prediction]:
    """All replies of a run."""
    if desk.runs.is_ours(run.id):
        return await desk.runs.predictions(run.id)
    async with of_server(desk) as runs:
        return () if runs is None else await runs.predictions(run.id)


async def found(desk: Desk, given: str) -> Run:
    """The run that is meant; "" for the newest. Raises `Ended`."""
    if given:
        run = await desk.runs.find(given)
        if run is None:
            async with of_server(desk) as runs:
                run = None if runs is None else await runs.find(given)
        if run is None:
            raise Ended(WRONG, _NO_RUN, given=given[:80])
        return run
    runs_ = await newest(desk, 1)
    if not runs_:
        raise Ended(WRONG, _NO_RUNS)
    return runs_[0]


def items_of(desk: Desk, run: Run, given: Path | None = None) -> Sequence[Any]:
    """What a run asks about, with the prompts that it asks. Raises `Ended`, `DataError`."""
    from evals.cli import data
    from evals.library import check
    from evals.running.selecting import select

    path = given or _path(desk, run)
    if path is None:
        raise Ended(WRONG, _NO_DATA, run=run.id, name=run.spec.data.name)
    kept = check(path, partial=True)
    if kept.data.sha256 != run.spec.data.sha256:
        if given is None:
            raise Ended(WRONG, _NO_DATA, run=run.id, name=run.spec.data.name)
        raise Ended(WRONG, _OTHER_DATA, run=run.id, path=path, sha256=run.spec.data.sha256[:12])
    return select(data.items_of(kept), run.spec)


async def summary_of(desk: Desk, run: Run, given: Path | None = None) -> Json:
    """A run's summary: as it was kept, else made of what is there."""
    if run.summary is not None:
        return run.summary
    from evals.evaluations import evaluations
    from evals.report import summary

    items = items_of(desk, run, given)
    predictions = await predictions_of(desk, run)
    if run.spec.data.kind == "suite":
        from evals.cli import suites

        return await suites.summary_of(desk, items, predictions, run.spec, run.spec.model, "")
    return summary.summary_of(evaluations(items, predictions, run.spec), run.spec, predictions=predictions)


def _path(desk: Desk, run: Run) -> Path | None:
    """Where the run's data is: where it was then, else a data set with the same hash."""
    told = run.manifest.get("data", {}).get("path", "")
    if told and Path(told).is_file():
        return Path(told)
    same = [kept.path for kept in desk.library.every() if kept.data.sha256 == run.spec.data.sha256]
    return same[0] if same else None

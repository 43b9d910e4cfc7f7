"""Benchmarks for a page whose person may do everything: what the commands do, and more to look at."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection

from agent.language import Lang
from bot.bench import jobs, texts, words
from bot.bench.beginning import Beginning, Refusal, Served
from bot.bench.board import board
from bot.bench.drawing import Drawing
from bot.bench.jobs import Busy, Order
from bot.bench.reporting import earlier_than
from bot.bench.scheduling import WEEK
from bot.bench.scoring import Scorer, ScoringFailed, compared
from bot.bench.viewing import Entry, Filter, Sheets, Viewing
from bot.bench.words import Wanted
from bot.exporting import code
from bot.messages import Target
from bot.store import bench, bench_schedules, bench_views, people
from bot.store.bench import DatabaseRuns, Origin, unfenced
from bot.store.bench_schedules import Schedule
from bot.store.bench_views import RunView
from evals.runs import Run

if TYPE_CHECKING:
    from evals.library import Kept

log = logging.getLogger(__name__)

#: Runs of one data set that a leaderboard looks at.
_MOST: Final = 50
#: Replies that one transaction deletes: 100 ms.
_ROWS: Final = 1_000


class NotThere(Refusal):
    """What is asked for does not exist."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a list, and who asked for it."""

    view: RunView
    #: Their name where it is known, else the platform's id; "" for nobody.
    author: str


@dataclass(frozen=True, slots=True)
class Report:
    """A run that is over."""

    #: Tables and notes as Markdown; "" for a run without numbers.
    tables: str
    #: The run before it that it is best compared with, if there is one.
    earlier: str
    #: What the numbers depend on, as text.
    manifest: str


class Console:
    """What a page needs. Raises `Refusal` with a sentence for people, `NotThere`, and `StoreUnavailable`."""

    def __init__(self, beginning: Beginning, drawing: Drawing) -> None:
        self._beginning = beginning
        self._store = beginning.store
        self._drawing = drawing
        runs = DatabaseRuns(beginning.store, unfenced(beginning.store, beginning.clock))
        self._viewing = Viewing(beginning.library, runs)

    # --- Runs

    async def runs(self, most: int, before: int | None = None) -> list[Listed]:
        """The newest runs, or the newest of those before one."""

        def query(connection: Connection) -> list[Listed]:
            views = bench_views.listed(connection, most, before)
            return [Listed(view, _author(connection, view.origin)) for view in views]

        return await self._store.read(query)

    async def run(self, run_id: str) -> Listed:
        """One run."""

        def query(connection: Connection) -> Listed | None:
            view = bench_views.found(connection, run_id)
            return None if view is None else Listed(view, _author(connection, view.origin))

        found = await self._store.read(query)
        if found is None:
            raise NotThere(texts.NOT_THERE)
        return found

    async def start(self, wanted: Wanted, origin: Origin, lang: Lang) -> str:
        """Begin a run; its id."""
        prepared = await self._beginning.prepare(wanted, lang)
        try:
            run, _ = await self._beginning.begin(prepared, Order(None, lang, ""), origin)
        except Busy:
            raise Refusal(texts.RUNS_ALREADY, model=code(prepared.spec.model)) from None
        return run.id

    async def cancel(self, run_id: str) -> None:
        """Ask for a run's end; one that is over stays as it is."""

        def change(connection: Connection) -> bool:
            found = next(((run, job) for run, job in bench.with_job(connection) if run.id == run_id), None)
            if found is not None:
                jobs.cancel(connection, *found, self._beginning.clock.now())
            return found is not None

        if await self._store.write(change):
            self._beginning.look()
        else:
            await self.run(run_id)

    async def forget(self, run_id: str) -> None:
        """Delete a run that is over, with its replies. One that is not there is as good."""

        def change(connection: Connection) -> bool:
            return bench_views.forget(connection, run_id) or bench_views.found(connection, run_id) is None

        while await self._store.write(lambda c: bench_views.forget_replies(c, run_id, _ROWS)):
            pass
        if not await self._store.write(change):
            raise Refusal(texts.STILL_RUNNING)
        self._viewing.forget(run_id)

    # --- What came out

    async def report(self, run_id: str, lang: Lang) -> Report:
        """The numbers of a run, as far as it has any."""
        run = await self._whole(run_id)
        earlier = await self._store.read(lambda c: earlier_than(c, run)) if run.summary is not None else None
        tables, manifest = await asyncio.to_thread(_described, run, lang)
        return Report(tables, earlier.id if earlier is not None else "", manifest)

    async def chart(self, run_id: str, which: Literal["radar", "bars"], lang: Lang) -> bytes:
        """A chart of a run that is done, as PNG."""
        from evals.report.charts import ChartError

        run = await self._done(run_id)
        try:
            drawn = await self._drawing.charts(run, lang)
        except ChartError as error:
            log.warning("the charts of run %s could not be drawn: %s", run.id, error)
            raise Refusal(error.text) from None
        except ValueError:
            raise Refusal(texts.NO_NUMBERS) from None
        picture = drawn.radar if which == "radar" else drawn.bars
        if picture is None:
            raise NotThere(texts.NO_RADAR)
        return picture

    async def compare(self, a: str, b: str, lang: Lang) -> str:
        """What changed from one run to another, as Markdown."""
        one, other = await self._done(a), await self._done(b)
        if one.spec.data.sha256 != other.spec.data.sha256:
            raise Refusal(texts.SAME_DATA)
        try:
            return await compared(one.summary, other.summary, lang)
        except ScoringFailed:
            log.exception("runs %s and %s could not be compared", a, b)
            raise Refusal(texts.NOT_COMPARED) from None

    async def leaderboard(self, data_sha256: str, lang: Lang) -> str:
        """The best and the last run of each model over a data set, as Markdown; "" while there is none."""
        found = await self._store.read(lambda c: bench.done(c, _MOST, data_sha256))
        return await asyncio.to_thread(board, found, lang) if found else ""

    # --- Items and files

    async def items(self, run_id: str, wanted: Filter) -> tuple[Sheets, list[Entry]]:
        """All items of a run that is over, and those that are like this."""
        made = await self._sheets(await self._over(run_id))
        return made, await asyncio.to_thread(made.find, wanted)

    async def item(self, run_id: str, place: int) -> tuple[Entry, Mapping[str, Any]]:
        """One item with its texts (`evals.report.viewing`)."""
        made = await self._sheets(await self._over(run_id))
        if place >= len(made):
            raise NotThere(texts.NO_ITEM)
        return await asyncio.to_thread(made.item, place)

    async def predictions(self, run_id: str, path: Path) -> None:
        """Write the replies of a run that is over as an official predictions file."""
        run = await self._over(run_id)
        await self._filed(run, lambda scorer: scorer.official(path))

    async def page(self, run_id: str, path: Path, lang: Lang) -> None:
        """Write the report of a run that is done as one HTML file."""
        from evals.report.charts import ChartError

        run = await self._done(run_id)
        earlier = await self._store.read(lambda c: earlier_than(c, run))
        given: dict[str, Any] = {
            "summary": run.summary,
            "earlier": earlier.summary if earlier is not None else None,
            "manifest": dict(run.manifest),
            "radar": None,
            "bars": None,
        }
        try:
            drawn = await self._drawing.charts(run, lang)
        except (ChartError, ValueError) as error:
            log.warning("the charts of run %s could not be drawn: %s", run.id, error)
        else:
            pictures = {"radar": drawn.radar, "bars": drawn.bars}
            given |= {name: base64.b64encode(one).decode() for name, one in pictures.items() if one is not None}
        await self._filed(run, lambda scorer: scorer.page(path, given, lang))

    # --- Models, data sets and schedules

    def models(self, lang: Lang) -> Sequence[Served]:
        """The endpoints that may be measured, best first."""
        return self._beginning.endpoints(lang)

    async def data(self) -> Sequence[Kept]:
        """The data sets, the sample first."""
        try:
            return await asyncio.to_thread(self._beginning.library.every)
        except OSError as error:
            raise Refusal(texts.NO_FOLDER, why=error.strerror or type(error).__name__) from error

    async def schedules(self) -> list[Schedule]:
        """What is measured every week, the next first."""
        return await self._store.read(bench_schedules.every)

    async def measure_weekly(self, target: Target, wanted: Wanted, author_id: str, lang: Lang) -> None:
        """Measure a model every week from now on; replaces what was said of it in this place."""
        prepared = await self._beginning.prepare(wanted, lang)
        now = self._beginning.clock.now()
        model, kept = prepared.spec.model, words.packed(replace(wanted, model=""))
        next_at = now + timedelta(days=WEEK)
        await self._store.write(
            lambda c: bench_schedules.save(c, target, model, kept, WEEK, next_at, author_id, lang, "", now)
        )

    async def forget_schedule(self, schedule_id: int) -> None:
        """End one of them."""
        if not await self._store.write(lambda c: bench_schedules.forget(c, schedule_id)):
            raise NotThere(texts.NO_SCHEDULE)

    # --- Parts

    async def _whole(self, run_id: str) -> Run:
        found = await self._store.read(lambda c: bench.find(c, run_id))
        if found is None or found.id != run_id:
            raise NotThere(texts.NOT_THERE)
        return found

    async def _over(self, run_id: str) -> Run:
        if (await self.run(run_id)).view.live:
            raise Refusal(texts.STILL_RUNNING)
        return await self._whole(run_id)

    async def _done(self, run_id: str) -> Run:
        run = await self._whole(run_id)
        if run.state == "running":
            raise Refusal(texts.STILL_RUNNING)
        if run.summary is None:
            raise Refusal(texts.NO_NUMBERS)
        return run

    async def _sheets(self, run: Run) -> Sheets:
        try:
            return await self._viewing.of(run)
        except ScoringFailed as error:
            log.warning("the items of run %s could not be put together: %s", run.id, error)
            raise Refusal(texts.NO_ITEMS) from None

    async def _filed(self, run: Run, write: Callable[[Scorer], Awaitable[None]]) -> None:
        try:
            async with Scorer() as scorer:
                await self._viewing.fill(scorer, run)
                await write(scorer)
        except ScoringFailed as error:
            log.warning("a file of run %s could not be made: %s", run.id, error)
            raise Refusal(texts.NO_ITEMS) from None


def _author(connection: Connection, origin: Origin) -> str:
    if not origin.author_id:
        return ""
    known = people.known(connection, origin.platform, origin.workspace, [origin.author_id])
    return known[origin.author_id].name if origin.author_id in known else origin.author_id


def _described(run: Run, lang: Lang) -> tuple[str, str]:
    """Tables and manifest of a run, blocking."""
    from bot.bench import suites
    from evals.report import summary, table
    from evals.report.document import listed
    from evals.suites.summary import is_suite_summary

    try:
        if is_suite_summary(run.summary):
            tables = suites.tables(run.summary, lang)
        else:
            tables = table.markdown(summary.read(run.summary), lang)
    except ValueError:
        # Of another version, or there is none.
        tables = ""
    return tables, listed(run.manifest) if run.manifest else ""

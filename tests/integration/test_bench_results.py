"""What was measured, in a chat: comparing, the leaderboard, a finished run's message; and reports made elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from agent.clock import SystemClock
from agent.journal import Json
from bot.bench import message, posting
from bot.bench.board import board
from bot.bench.posting import REPORT, Report, TooLarge, post_alone, post_beside, queue_report, reports
from bot.bench.reporting import difference
from bot.bench.scoring import Scorer, ScoringFailed, compared
from bot.job_ledger import open_ledger
from bot.jobs import LEASE, Jobs, Progress
from bot.messages import ReplyFile, Target
from bot.ports import Outbound
from bot.posting import Refused
from bot.store import bench, jobs
from bot.store.db import Store
from bot.store.tables import job
from evals.evaluations import evaluations
from evals.kagentbench.data import read_items, sha256_of
from evals.kagentbench.sample import sample_path
from evals.report.summary import summary_of
from evals.running.selecting import select as chosen
from evals.runs import DataSet, Prediction, PredictionKey, Run, RunSpec
from tests.support.server import Platform, until

PLACE = Target("test", "w", "c", None, "test:w:c")
CHART = ReplyFile("bars.png", "image/png", b"\x89PNG", "the bars")
REPORT_ = Report("**A line** and a table", "en", (CHART,))


def replies(spec: RunSpec, text: str) -> list[Prediction]:
    items = chosen(read_items(sample_path()), spec)
    return [
        Prediction(PredictionKey(item.type, str(item.id), template, "00" * 32, spec.model, "how"), text)
        for item in items
        for template in item.prompts
    ]


def measured(spec: RunSpec, text: str) -> Json:
    items = chosen(read_items(sample_path()), spec)
    said = replies(spec, text)
    return summary_of(evaluations(items, said, spec), spec, predictions=said)


def spec_of(model: str, **fields: Any) -> RunSpec:
    return RunSpec(DataSet("sample", "sample", sha256_of(sample_path()), 40), model, limit=8, **fields)


async def done(store: Store, model: str, text: str) -> Run:
    """A finished run."""
    spec, now = spec_of(model), SystemClock().now()
    run = await store.write(lambda c: bench.begin(c, spec, {}, now))
    await store.write(lambda c: bench.end(c, run.id, "done", now, measured(spec, text)))
    found = await store.read(lambda c: bench.find(c, run.id))
    assert found is not None
    return found


async def test_the_difference_is_to_the_last_run_of_the_model_over_the_same_data(sqlite_store: Store) -> None:
    first = await done(sqlite_store, "gpu", "tea")
    await done(sqlite_store, "cpu", "tea")
    last = await done(sqlite_store, "gpu", "a cup of tea")
    said = await difference(sqlite_store, last, "en")
    assert said.startswith(f"Difference to run `{first.id}` of ")
    assert await difference(sqlite_store, first, "en") == ""


async def test_a_finished_run_shows_line_and_table_but_no_published_row(sqlite_store: Store) -> None:
    run = await done(sqlite_store, "gpu", "tea")
    for lang, head in (("en", "Unreadable"), ("zh", "无法解析")):
        said = message.finished(run, run.summary, "", lang)  # type: ignore[arg-type]
        assert "```\n[sample 8] plan : " in said
        assert head in said
        assert f"`{run.id}`" in said
        assert "GPT-3.5" not in said


async def test_the_leaderboard_has_the_best_and_the_last_run_of_each_model(sqlite_store: Store) -> None:
    golden = "Green tea, black tea, oolong tea and the water that is right for each of them"
    worse, better = await done(sqlite_store, "gpu", "zzz"), await done(sqlite_store, "gpu", golden)
    last = await done(sqlite_store, "gpu", "zzz")
    other = await done(sqlite_store, "cpu", "zzz")
    runs = await sqlite_store.read(lambda c: bench.done(c, 9))
    said = board(runs, "en")
    [row] = [line for line in said.splitlines() if "gpu" in line]
    assert row.index(better.id) < row.index(last.id)
    assert worse.id not in said
    assert other.id in said
    assert "GPT-3.5" not in said
    assert "总分" in board(runs, "zh")


def test_runs_that_asked_something_else_stand_in_tables_of_their_own() -> None:
    made: dict[str, Any] = measured(spec_of("gpu"), "tea")

    def of(model: str, mark: str, overall: float, **fields: Any) -> Run:
        spec = replace(spec_of(model), **{"limit": None, **fields})
        now = datetime(2026, 3, 4, tzinfo=UTC)
        return Run("a1", spec, "done", now, now, summary=made | {"model": model, "mark": mark, "overall": overall})

    runs = [
        of("gpu", "[sample 4] ", 0.9, limit=4, seed=1),
        of("gpu", "[sample 4] ", 0.8, limit=4, seed=2),
        of("gpu", "[partial] ", 0.7),
        of("gpu", "", 0.2),
        of("cpu", "", 0.3),
    ]
    tables = [part.splitlines() for part in board(runs, "en").split("\n\n")]
    heads = [before[0] for before, part in pairwise(tables) if part[0].startswith("| Model | Best")]
    assert heads[0].startswith("Best and last runs")
    assert heads[1:] == ["`[partial]`", "`[sample 4]` · `limit=4 seed=1`", "`[sample 4]` · `limit=4 seed=2`"]
    models = [
        [row.split("|")[1].strip() for row in part[2:]] for part in tables if part[0].startswith("| Model | Best")
    ]
    assert models == [["`cpu`", "`gpu`"], ["`gpu`"], ["`gpu`"], ["`gpu`"]]


async def test_two_runs_are_compared_by_a_process_of_their_own() -> None:
    a, b = measured(spec_of("gpu"), "tea"), measured(spec_of("gpu"), "tea")
    assert "|" in await compared(a, b, "en")
    assert "|" not in await compared(a, b, "en", "difference")
    with pytest.raises(ScoringFailed, match="not a summary"):
        await compared({}, b, "en")


async def test_the_process_that_scores_has_died() -> None:
    async with Scorer() as scorer:
        assert await scorer.open(sample_path(), spec_of("gpu")) == 8
        assert scorer._process is not None
        scorer._process.kill()
        with pytest.raises(ScoringFailed, match="died"):
            await scorer.add(replies(spec_of("gpu"), "tea"))


async def test_scores_come_with_the_items_that_are_complete() -> None:
    spec = spec_of("gpu")
    said = replies(spec, "half a \ud800 pair and \0")
    async with Scorer() as scorer:
        await scorer.open(sample_path(), spec)
        few = await scorer.add(said[:1])
        assert few["items"] <= 1
        assert (await scorer.add(said[1:]))["items"] == 8
        assert await scorer.finish() is not None


# Reports that were made elsewhere


async def queued(store: Store, report: Report = REPORT_) -> int:
    now = SystemClock().now()
    return await store.write(lambda c: queue_report(c, PLACE, report, now))


async def test_a_process_alone_posts_its_report_and_runs_nothing_else(store: Store) -> None:
    clock, platform = SystemClock(), Platform()
    now = clock.now()
    await store.write(lambda c: jobs.queue(c, "notice", "other", {}, now, now))
    job_id = await queued(store)
    assert await post_alone(store, clock, "script", {"test": platform}, job_id) == ("done", "")
    assert list(platform.visible.values()) == ["**A line** and a table"]
    assert platform.closes[0].images == (CHART,)
    states = await store.read(lambda c: list(c.execute(select(job.c.kind, job.c.state).order_by(job.c.id))))
    assert [tuple(row) for row in states] == [("notice", "queued"), (REPORT, "done")]


async def test_a_server_beside_posts_a_report_that_is_queued(sqlite_store: Store) -> None:
    clock, platform = SystemClock(), Platform()
    server = Jobs(sqlite_store, clock, "server", {REPORT: reports(sqlite_store, clock, {"test": platform})})
    await server.start()
    job_id = await queued(sqlite_store)
    server.look()
    assert await post_beside(sqlite_store, job_id, 20) == ("done", "")
    await server.stop()
    assert len(platform.visible) == 1


async def test_a_report_whose_process_died_after_the_post_is_not_posted_again(sqlite_store: Store) -> None:
    clock, platform = SystemClock(), Platform()
    job_id = await queued(sqlite_store)
    now = clock.now()
    claimed = await sqlite_store.write(lambda c: jobs.claim_one(c, job_id, "dead", now, now + LEASE))
    assert claimed is not None
    progress = Progress(sqlite_store, clock, claimed)
    ledger = await open_ledger(sqlite_store, progress, "test")
    await ledger.intend(0)
    await platform.post("**A line** and a table")
    await sqlite_store.write(lambda c: jobs.void_all_leases(c, now))
    assert await post_alone(sqlite_store, clock, "script", {"test": platform}, job_id) == ("done", "")
    assert len(platform.visible) == 1


async def test_what_a_platform_refuses_is_the_jobs_error_and_not_tried_again(sqlite_store: Store) -> None:
    clock, platform = SystemClock(), Platform()

    async def refuse() -> None:
        raise Refused("not_in_channel")

    platform.before_post = refuse
    job_id = await queued(sqlite_store)
    state, error = await post_alone(sqlite_store, clock, "script", {"test": platform}, job_id)
    assert (state, "not_in_channel" in error) == ("failed", True)
    job_id = await queued(sqlite_store)
    state, error = await post_alone(sqlite_store, clock, "script", {}, job_id)
    assert (state, error) == ("failed", "there is no test here")


async def test_a_report_whose_pictures_take_long_stays_with_its_process(sqlite_store: Store) -> None:
    platform, clock = Platform(), SystemClock()

    async def lease() -> datetime:
        query = select(job.c.lease_until)
        return (await sqlite_store.read(lambda c: c.execute(query).scalar())) or clock.now()

    async def slow() -> None:
        begun = await lease()

        async def is_longer() -> bool:
            return await lease() > begun

        await until(is_longer)

    platform.before_post = slow
    kind = reports(sqlite_store, clock, {"test": cast(Outbound, platform)}, beat=0.01)
    job_id = await queued(sqlite_store)
    await Jobs(sqlite_store, clock, "one", {REPORT: kind}).only(job_id)
    assert list(platform.visible.values()) == [REPORT_.text]


async def test_nobody_beside_posts_a_report_in_time(sqlite_store: Store, tmp_path: Path) -> None:
    job_id = await queued(sqlite_store)
    assert await post_beside(sqlite_store, job_id, 0.01) == ("queued", "")


@pytest.mark.parametrize(
    "report",
    [
        Report("x" * (posting.MOST_TEXT + 1), "en"),
        Report("x", "en", (CHART,) * (posting.MOST_PICTURES + 1)),
        Report("x", "en", (ReplyFile("a.png", "image/png", b"0" * (posting.MOST_BYTES + 1)),)),
    ],
)
async def test_a_report_has_its_bounds(sqlite_store: Store, report: Report) -> None:
    with pytest.raises(TooLarge):
        await queued(sqlite_store, report)

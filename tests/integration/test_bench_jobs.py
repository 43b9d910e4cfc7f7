"""The job of a run: one message, whatever happens to the process; one run per model; cancelling; giving up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import update

import bot.bench.jobs
import bot.bench.message
import bot.bench.showing
import bot.delivery
import bot.posting
from agent.journal import Json
from agent.language import Text
from bot.bench.jobs import BENCHMARK, MOST_ERRORS, MOST_IDLE, Benchmarks, Busy, Order
from bot.bench.measuring import Measuring, RunFailed, Standing
from bot.bench.words import Wanted
from bot.crashpoints import BENCH_CRASHPOINTS
from bot.jobs import Jobs
from bot.messages import Draft, Final
from bot.ports import LostTurn, Outbound
from bot.store import bench, jobs
from bot.store.bench import DatabaseRuns, unfenced
from bot.store.db import Store
from bot.store.tables import job
from evals.kagentbench.sample import sample_path
from evals.runs import Run, RunStore
from tests.support.bench_jobs import CHART, Halting, Instant, Scene
from tests.support.server import PlatformReply, until


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(autouse=True)
def _plain_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The summary of `Halting` is none: what is tested here is who says it, and how often."""
    monkeypatch.setattr(
        bot.bench.message, "finished", lambda run, summary, difference, lang: f"done: {summary['line']}"
    )


@asynccontextmanager
async def scene_on(store: Store, folder: Path) -> AsyncIterator[Scene]:
    made = Scene(store, folder)
    yield made
    made.measuring.gate.set()
    for server in made.servers:
        await server.stop()


@pytest.fixture
async def scene(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene_on(sqlite_store, tmp_path) as made:
        yield made


async def test_a_run_has_one_message_from_its_beginning_to_its_chart(store: Store, tmp_path: Path) -> None:
    async with scene_on(store, tmp_path) as scene:
        await scene.serve()
        run = await scene.begin()
        said = await scene.seen("1 of 4 replies")
        assert "`/kagent-bench cancel`" in said
        assert f"`{run.id}`" in said
        scene.measuring.gate.set()
        await scene.over()
        assert scene.messages == ["done: plan : 1.00"]
        [final] = scene.platform.closes
        assert (final.images, final.can_rate) == ((CHART,), False)
        found = await scene.store.read(lambda c: bench.find(c, run.id))
        assert found is not None
        assert (found.state, found.summary, found.manifest) == (
            "done",
            {"line": "plan : 1.00"},
            {"model": {"name": "tiny"}},
        )


async def test_a_killed_run_goes_on_in_the_same_message(scene: Scene) -> None:
    server = await scene.serve()
    run = await scene.begin()
    await scene.seen("1 of 4 replies")
    await scene.kill(server)
    await scene.serve()
    await scene.seen("2 of 4 replies")
    scene.measuring.gate.set()
    await scene.over()
    assert scene.messages == ["done: plan : 1.00"]
    assert scene.measuring.begun == [run.id, run.id]


async def test_a_process_that_was_taken_over_adds_nothing_and_says_nothing_more(scene: Scene) -> None:
    await scene.serve()
    run = await scene.begin()
    await scene.seen("1 of 4 replies")
    # In one go, or the first one's next report would keep it.
    lost = update(job).values(epoch=job.c.epoch + 1, lease_until=scene.clock.now())
    await scene.store.write(lambda c: c.execute(lost))
    await scene.serve()
    await scene.seen("2 of 4 replies")
    scene.measuring.gate.set()
    await scene.over()
    assert scene.messages == ["done: plan : 1.00"]
    assert len(scene.platform.closes) == 1
    assert await scene.store.read(lambda c: bench.count(c, run.id)) == 2


async def test_an_orderly_stop_puts_the_run_back(scene: Scene) -> None:
    server = await scene.serve()
    run = await scene.begin()
    await scene.seen("1 of 4 replies")
    await server.stop()
    scene.servers.remove(server)
    assert (await scene.jobs(), await scene.state(run)) == (["queued"], "running")
    scene.measuring.gate.set()
    await scene.serve()
    await scene.over()
    assert scene.messages == ["done: plan : 1.00"]


@pytest.mark.parametrize("point", [*BENCH_CRASHPOINTS, "part.after_intend", "part.after_post", "part.after_posted"])
async def test_a_kill_at_any_point_of_the_report_leaves_one_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    armed = [point]

    def die(name: str) -> None:
        if name in armed:
            armed.clear()
            raise Killed(name)

    for module in (bot.bench.jobs, bot.posting):
        monkeypatch.setattr(module, "crashpoint", die)
    # Nothing is shown before the end, so that the message is made by the report itself.
    monkeypatch.setattr(bot.bench.showing.Shown, "show", lambda *_: None)
    scene.measuring.gate.set()
    server = await scene.serve()
    run = await scene.begin()

    async def dead() -> bool:
        return not armed

    await until(dead)
    await scene.kill(server)
    await scene.serve()
    await scene.over()
    assert scene.messages == ["done: plan : 1.00"]
    assert sum(call.startswith("post") for call in scene.platform.calls) == 1
    assert await scene.state(run) == "done"
    assert scene.measuring.begun == [run.id]


async def test_of_one_model_there_is_one_run_at_a_time(scene: Scene) -> None:
    await scene.begin("gpu")
    for name in ("gpu", "big"):
        with pytest.raises(Busy):
            await scene.begin(name)
    await scene.begin("cpu")
    assert len(await scene.store.read(lambda c: bench.newest(c, 9))) == 2


async def test_a_run_that_is_cancelled_says_so_and_keeps_what_it_has(scene: Scene) -> None:
    await scene.serve()
    run = await scene.begin()
    await scene.seen("1 of 4 replies")
    await scene.cancel(run)
    await scene.over()
    [said] = scene.messages
    assert "Cancelled after 1 of 4 replies" in said
    assert (await scene.state(run), await scene.jobs()) == ("cancelled", ["cancelled"])
    assert await scene.store.read(lambda c: bench.count(c, run.id)) == 1


async def test_a_run_that_never_began_is_cancelled_at_once_and_without_a_word(scene: Scene) -> None:
    run = await scene.begin()
    await scene.cancel(run)
    assert (await scene.state(run), await scene.jobs()) == ("cancelled", ["cancelled"])
    await scene.serve()
    assert scene.messages == []


async def test_a_run_that_is_cancelled_while_no_server_runs_has_its_message_put_right(scene: Scene) -> None:
    server = await scene.serve()
    run = await scene.begin()
    await scene.seen("1 of 4 replies")
    await server.stop()
    scene.servers.remove(server)
    await scene.cancel(run)
    await scene.serve()
    await scene.over()
    [said] = scene.messages
    assert "Cancelled after 1 of 4 replies" in said
    assert (await scene.state(run), scene.measuring.begun) == ("cancelled", [run.id])


async def test_cancelling_a_run_that_has_just_ended_takes_nothing_from_it(scene: Scene) -> None:
    scene.measuring.gate.set()
    await scene.serve()
    run = await scene.begin()
    await scene.over()
    await scene.cancel(run)
    found = await scene.store.read(lambda c: bench.find(c, run.id))
    assert found is not None
    assert (found.state, found.summary) == ("done", {"line": "plan : 1.00"})


@dataclass(frozen=True, slots=True)
class Unlucky(Halting):
    """Meets an error of ours just after somebody has cancelled the run."""

    async def run(self, run: Run, runs: RunStore, standing: Standing) -> tuple[Mapping[str, Any], Json]:
        assert isinstance(runs, DatabaseRuns)
        job_id = await runs._store.read(lambda c: bench.job_of(c, run.id))
        assert job_id is not None
        await runs._store.write(lambda c: jobs.ask_end(c, job_id, self.clock.now()))
        raise ValueError("ours")


async def test_a_run_that_is_cancelled_as_it_meets_an_error_of_ours_is_cancelled(scene: Scene) -> None:
    unlucky = Unlucky(scene.library, lambda _: Instant(), scene.clock)
    made = Benchmarks(scene.store, scene.clock, {"test": cast(Outbound, scene.platform)}, unlucky, beat=60.0)
    server = Jobs(scene.store, scene.clock, "one", {BENCHMARK: made.kind})
    scene.servers.append(server)
    await server.start()
    run = await scene.begin()
    await scene.over()
    assert (await scene.state(run), await scene.jobs()) == ("cancelled", ["cancelled"])
    assert "Cancelled after" in scene.messages[0]


async def test_a_summary_of_another_version_is_told_and_not_tried_for_ever(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finished(*_: object) -> str:
        raise ValueError("another version")

    monkeypatch.setattr(bot.bench.message, "finished", finished)
    scene.measuring.gate.set()
    await scene.serve()
    run = await scene.begin()
    await scene.over()
    assert "written by another version" in scene.messages[0]
    assert (await scene.state(run), await scene.jobs()) == ("done", ["done"])


async def test_a_file_that_was_put_in_the_place_of_a_data_set_is_not_measured(scene: Scene) -> None:
    kept = scene.library.add(sample_path(), "mine")
    prepared = await scene.beginning.prepare(Wanted(data="mine"), "en")
    kept.path.write_bytes(kept.path.read_bytes().replace(b"web_search", b"web-search"))
    runs = DatabaseRuns(scene.store, unfenced(scene.store, scene.clock))
    run = await runs.begin(prepared.spec, {})
    real = Measuring(scene.library, lambda _: Instant(), scene.clock)
    with pytest.raises(RunFailed, match="is another one"):
        await real.run(run, runs, Standing())


async def test_a_data_set_whose_file_is_gone_is_told_by_its_name(scene: Scene) -> None:
    kept = scene.library.add(sample_path(), "mine")
    prepared = await scene.beginning.prepare(Wanted(data="mine"), "en")
    kept.path.unlink()
    runs = DatabaseRuns(scene.store, unfenced(scene.store, scene.clock))
    run = await runs.begin(prepared.spec, {})
    with pytest.raises(RunFailed, match="`mine`") as raised:
        await Measuring(scene.library, lambda _: Instant(), scene.clock).run(run, runs, Standing())
    assert str(scene.folder) not in "".join(raised.value.text)


async def test_a_run_that_is_to_be_fresh_takes_nothing_from_earlier_ones(scene: Scene) -> None:
    runs = DatabaseRuns(scene.store, unfenced(scene.store, scene.clock))
    real = Measuring(scene.library, lambda _: Instant(), scene.clock, score_every=0.02)
    spec = (await scene.beginning.prepare(Wanted(limit=1), "en")).spec
    found = []
    for one in (spec, spec, replace(spec, fresh=True)):
        standing = Standing()
        await real.run(await runs.begin(one, {}), runs, standing)
        found.append((standing.done > 0, standing.cached == standing.done))
    assert found == [(True, False), (True, True), (True, False)]


async def test_a_platform_that_is_away_at_the_end_of_a_run_is_told_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, close = [ConnectionError("away")], PlatformReply.close

    async def late(reply: PlatformReply, final: Final) -> None:
        if away:
            raise away.pop()
        await close(reply, final)

    monkeypatch.setattr(PlatformReply, "close", late)
    monkeypatch.setattr(bot.delivery, "_GIVE_UP", -1.0)
    scene.measuring.gate.set()
    await scene.serve()
    run = await scene.begin()
    await _due_again(scene, 1)
    await scene.over()
    assert scene.messages == ["done: plan : 1.00"]
    assert (await scene.state(run), scene.measuring.begun) == ("done", [run.id])


async def test_a_run_whose_lease_was_in_doubt_for_a_moment_is_shown_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, show = list[str](), PlatformReply.show

    async def doubtful(reply: PlatformReply, draft: Draft) -> bool:
        shown.append(draft.text)
        if len(shown) == 1:
            raise LostTurn("the machine slept")
        return await show(reply, draft)

    monkeypatch.setattr(PlatformReply, "show", doubtful)
    await scene.serve()
    await scene.begin()
    await scene.seen("1 of 4 replies")
    scene.measuring.gate.set()
    await scene.over()
    assert scene.messages == ["done: plan : 1.00"]


async def test_a_run_that_can_not_be_measured_says_why(scene: Scene) -> None:
    scene.measuring.errors.append(RunFailed(Text("no luck.", "不走运。")))
    await scene.serve()
    run = await scene.begin()
    await scene.over()
    assert scene.messages[0].endswith("The run has failed: no luck.")
    assert (await scene.state(run), await scene.jobs()) == ("failed", ["done"])


async def _due_again(scene: Scene, attempt: int) -> None:
    """Let the job be tried at once after this attempt has failed."""

    async def failed() -> bool:
        return len(scene.measuring.begun) == attempt and await scene.jobs() == ["queued"]

    await until(failed)
    now = scene.clock.now()
    await scene.store.write(lambda c: c.execute(update(job).values(run_at=now)))
    scene.look()


async def test_errors_of_our_own_are_tried_again_and_then_told(scene: Scene) -> None:
    scene.measuring.errors.extend(ValueError(f"number {n}") for n in range(MOST_ERRORS))
    await scene.serve()
    run = await scene.begin()
    for attempt in range(1, MOST_ERRORS):
        await _due_again(scene, attempt)
    await scene.over()
    assert await scene.state(run) == "failed"
    assert "something went wrong inside" in scene.messages[0]


async def test_a_run_that_gets_no_further_from_kill_to_kill_is_given_up(sqlite_store: Store, tmp_path: Path) -> None:
    async with scene_on(sqlite_store, tmp_path) as scene:
        scene.measuring = Halting(scene.library, lambda _: Instant(), scene.clock, keeps=False)
        run = await scene.begin()
        for kills in range(1, MOST_IDLE + 1):
            server = await scene.serve()

            async def begun(times: int = kills) -> bool:
                return len(scene.measuring.begun) == times

            await until(begun)
            await scene.kill(server)
        await scene.serve()
        await scene.over()
        assert await scene.state(run) == "failed"
        assert len(scene.measuring.begun) == MOST_IDLE


async def test_a_run_that_gets_further_is_begun_again_however_often_it_is_killed(scene: Scene) -> None:
    run = await scene.begin()
    for kills in range(1, 2 * MOST_IDLE):
        server = await scene.serve()
        await scene.seen(f"{kills} of 4 replies")
        await scene.kill(server)
    scene.measuring.gate.set()
    await scene.serve()
    await scene.over()
    assert await scene.state(run) == "done"
    assert scene.messages == ["done: plan : 1.00"]


async def test_where_nothing_can_be_posted_a_run_comes_to_its_end_all_the_same(scene: Scene) -> None:
    scene.measuring.gate.set()
    await scene.serve()
    run = await scene.begin(order=Order(None, "en", ""))
    await scene.over()
    assert (await scene.state(run), scene.messages) == ("done", [])


async def test_a_data_set_that_is_another_one_meanwhile_is_told(scene: Scene) -> None:
    real = Measuring(scene.library, lambda _: Instant(), scene.clock)
    runs = DatabaseRuns(scene.store, unfenced(scene.store, scene.clock))
    prepared = await scene.beginning.prepare(Wanted(), "en")
    spec = prepared.spec
    other = type(spec.data)("sample", "sample", "00" * 32, 40)
    run = await runs.begin(type(spec)(other, "gpu"), {})
    with pytest.raises(RunFailed, match="is another one"):
        await real.run(run, runs, Standing())


async def test_a_run_is_asked_scored_and_summed_up(scene: Scene) -> None:
    """With the real runner and the real process that scores."""
    await scene.serve(Measuring(scene.library, lambda _: Instant(), scene.clock, score_every=0.02))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bot.bench.message, "finished", lambda run, summary, difference, lang: summary["line"])
        run = await scene.begin()
        await scene.over()
    assert scene.messages[0].startswith("[sample 4] plan : ")
    found = await scene.store.read(lambda c: bench.find(c, run.id))
    assert found is not None
    assert found.manifest["model"]["name"] == "tiny"
    assert found.summary["calls"]["asked"] == 16

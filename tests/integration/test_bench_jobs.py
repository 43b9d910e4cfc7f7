"""The job of a run: one message, whatever happens to the process; one run per model; cancelling; giving up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

import bot.bench.jobs
import bot.bench.message
import bot.bench.showing
import bot.posting
from agent.clock import SystemClock
from agent.journal import Json
from agent.language import Lang, Text
from bot.bench.beginning import Beginning
from bot.bench.jobs import BENCHMARK, MOST_ERRORS, MOST_IDLE, Benchmarks, Busy, Order
from bot.bench.measuring import Measuring, RunFailed, Standing
from bot.bench.words import Wanted
from bot.crashpoints import BENCH_CRASHPOINTS
from bot.jobs import Jobs
from bot.messages import ReplyFile, Target
from bot.ports import Health
from bot.store import bench, jobs
from bot.store.bench import DatabaseRuns, Origin, unfenced
from bot.store.db import Store
from bot.store.tables import job
from evals.library import Library
from evals.running.asking import Question, Reply
from evals.runs import Run, RunStore
from tests.contracts.runs import prediction
from tests.support.server import Platform, until

PLACE = Target("test", "w", "c", None, "test:w:c")
ORDER = Order(PLACE, "en", "`/kagent-bench cancel`")
CHART = ReplyFile("bars.png", "image/png", b"PNG", "bars")


class Killed(BaseException):
    """The process dies here."""


@dataclass(frozen=True)
class Served:
    name: str
    model: str
    health: Health = field(default_factory=lambda: Health("ok"))


@dataclass(frozen=True, slots=True)
class Halting(Measuring):
    """Keeps a reply each time that it is begun, then waits until the test lets it go on."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    keeps: bool = True

    async def run(self, run: Run, runs: RunStore, standing: Standing) -> tuple[Mapping[str, Any], Json]:
        self.begun.append(run.id)
        if self.errors:
            raise self.errors.pop(0)
        if self.keeps:
            await runs.add(run.id, [prediction(str(len(self.begun)))])
            standing.done, standing.total = len(await runs.predictions(run.id)), 4
        await self.gate.wait()
        return {"model": {"name": "tiny"}}, {"line": "plan : 1.00"}


@dataclass
class Scene:
    """Servers on one store, one after another or side by side, and what people see."""

    store: Store
    folder: Path
    platform: Platform = field(default_factory=Platform)
    measuring: Halting = field(init=False)
    servers: list[Jobs] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.library = Library(self.folder / "data")
        self.measuring = Halting(self.library, lambda _: Instant(), self.clock)
        self.beginning = Beginning(
            self.store,
            self.clock,
            self.library,
            lambda _: [Served("gpu", "big"), Served("cpu", "small")],
            {},
            self.look,
        )

    def look(self) -> None:
        for server in self.servers:
            server.look()

    async def serve(self, measuring: Measuring | None = None) -> Jobs:
        """A process that runs benchmarks."""
        outbounds: Any = {"test": self.platform}
        made = Benchmarks(
            self.store,
            self.clock,
            outbounds,
            measuring or self.measuring,
            beat=0.01,
            pace=lambda _: 0.01,
            pictures=_pictures,
            difference=_difference,
        )
        server = Jobs(self.store, self.clock, f"server {len(self.servers)}", {BENCHMARK: made.kind})
        await server.start()
        self.servers.append(server)
        return server

    async def begin(self, model: str = "gpu", order: Order = ORDER) -> Run:
        prepared = await self.beginning.prepare(Wanted(model=model, limit=4), "en")
        return (await self.beginning.begin(prepared, order, Origin("test", "w", "c", "op", "en")))[0]

    async def cancel(self, run: Run) -> None:
        job_id = await self.store.read(lambda c: bench.job_of(c, run.id))
        assert job_id is not None
        now = self.clock.now()
        await self.store.write(lambda c: bot.bench.jobs.cancel(c, run, job_id, now))
        self.look()

    async def kill(self, server: Jobs) -> None:
        """What SIGKILL leaves behind, and that the system gives the lock to the next one."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Jobs, "_hand_back", _nothing)
            await server.stop()
        self.servers.remove(server)
        now = self.clock.now()
        await self.store.write(lambda c: jobs.void_all_leases(c, now))

    async def state(self, run: Run) -> str:
        found = await self.store.read(lambda c: bench.find(c, run.id))
        assert found is not None
        return found.state

    async def jobs(self) -> list[str]:
        """The states of all jobs, oldest first."""
        return list(await self.store.read(lambda c: c.execute(select(job.c.state).order_by(job.c.id)).scalars().all()))

    async def over(self, count: int = 1) -> None:
        async def ended() -> bool:
            states = await self.jobs()
            return len(states) >= count and not {"queued", "running"} & set(states)

        await until(ended)

    async def seen(self, words: str) -> str:
        """Wait until people see this in one message; the message."""

        async def there() -> bool:
            return any(words in text for text in self.platform.visible.values())

        await until(there)
        [text] = [text for text in self.platform.visible.values() if words in text]
        return text

    @property
    def messages(self) -> list[str]:
        return list(self.platform.visible.values())


async def _nothing(*_: object) -> None:
    pass


async def _pictures(run: Run, lang: Lang) -> tuple[tuple[ReplyFile, ...], str]:
    return (CHART,), ""


async def _difference(store: Store, run: Run, lang: Lang) -> str:
    return ""


class Instant:
    """A model that answers at once."""

    name = "tiny"
    context_tokens = 4096

    async def ready(self) -> None:
        pass

    async def ask(self, question: Question) -> Reply:
        return Reply("Thought: look.\nAction: web_search\nAction Input: tea", prompt_tokens=2, completion_tokens=3)

    async def tokens(self, text: str) -> list[int] | None:
        return None

    async def text_of(self, tokens: list[int]) -> str | None:
        return None

    async def count(self, text: str) -> int:
        return len(text)


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
    now = scene.clock.now()
    await scene.store.write(lambda c: jobs.void_all_leases(c, now))
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

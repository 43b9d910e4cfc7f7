"""`bench …` as people give it: who may, what it says, what it begins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from agent.journal import Json
from agent.language import Lang, Text
from bot.bench import texts
from bot.bench.beginning import Beginning
from bot.bench.desk import Bench, _newest_two
from bot.bench.jobs import BENCHMARK
from bot.bench.scheduling import LOOK, PATIENCE, SCHEDULE, schedules
from bot.command_texts import DETAILS
from bot.commands import Commands
from bot.invocation import CommandReply, Invocation
from bot.jobs import Jobs, Kind, Progress
from bot.messages import Author, Target
from bot.ports import Health, NoPlace
from bot.store import bench
from bot.store.bench_tables import bench_schedule
from bot.store.db import Store
from bot.store.tables import job
from evals.library import Library
from evals.runs import Run
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.orders import ADMIN, MEMBER, OPERATOR, Orders
from tests.support.server import until

CHANNEL = Target("test", "w", "c", None, "test:w:c")
PAGE = Target("web", "", "c", None, "web:c")


@dataclass
class Way:
    """A way out that can say where jobs may post."""

    refuses: Text | None = None

    async def find(self, name: str) -> Target:
        return CHANNEL

    async def reach(self, target: Target) -> None:
        if self.refuses is not None:
            raise NoPlace(self.refuses)


@dataclass(frozen=True)
class Served:
    name: str
    model: str
    health: Health = field(default_factory=lambda: Health("ok"))


@dataclass
class Scene:
    """Commands about benchmarks, on a clock of their own."""

    orders: Orders
    store: Store
    clock: ManualClock
    beginning: Beginning
    way: Way
    served: list[Served]

    async def give(
        self, words: str, author: Author = OPERATOR, *, at: Target = CHANNEL, lang: Lang = "en"
    ) -> CommandReply:
        return await self.orders.give(words, author, at=at, lang=lang)

    async def own(self, words: str, author: Author = OPERATOR) -> str:
        """Behind the platform's own command."""
        invocation = Invocation(CHANNEL, author, words, "en", False, lead="/kagent-bench ")
        return (await self.orders.commands.bench(invocation)).text

    async def said(self, words: str, **more: Any) -> str:
        return (await self.give(words, **more)).text

    async def runs(self) -> list[Run]:
        return await self.store.read(lambda c: bench.newest(c, 99))

    async def jobs(self) -> list[Any]:
        query = select(job).where(job.c.kind == BENCHMARK).order_by(job.c.id)
        return await self.store.read(lambda c: list(c.execute(query)))

    async def finish(self, summary: Mapping[str, Any] | None = None) -> Run:
        """Let the run that is under way come to its end."""
        [(run, job_id)] = await self.store.read(bench.with_job)
        now = self.clock.now()
        await self.store.write(lambda c: bench.end(c, run.id, "done", now, dict(summary or {"version": 0})))
        await self.store.write(
            lambda c: c.execute(job.update().where(job.c.id == job_id).values(state="done", finished_at=now))
        )
        self.clock.advance(60)
        return run


@pytest.fixture
async def scene(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Scene]:
    desk, way = Desk(sqlite_store), Way()
    served = [Served("gpu", "big"), Served("cpu", "small")]
    access = {"benchmark": ("test:mem",)}
    orders = Orders(sqlite_store, desk.clock, desk.bell, desk.live, tmp_path, access=access)
    # Where nobody has an account, whoever may write runs the server.
    orders.people._without_accounts = {"web"}
    beginning = Beginning(
        sqlite_store, desk.clock, Library(tmp_path / "data"), lambda _: served, {"test": way}, lambda: None
    )
    commands_desk = replace(orders.commands._desk, bench=Bench(beginning, ZoneInfo("UTC")))
    orders.commands = Commands(commands_desk)
    yield Scene(orders, sqlite_store, desk.clock, beginning, way, served)
    await orders.close()


# Who may


async def test_operators_may_and_whom_they_grant_it(scene: Scene) -> None:
    for author in (OPERATOR, MEMBER):
        assert "No benchmark is running" in await scene.said("bench", author=author)
    for words in ("bench", "bench run", "bench data"):
        assert await scene.said(words, author=ADMIN) == texts.GRANTED_ONLY.en
    assert await scene.own("run", ADMIN) == texts.GRANTED_ONLY.en
    assert await scene.runs() == []


async def test_another_bot_is_not_granted_it(scene: Scene) -> None:
    assert await scene.said("bench", author=replace(MEMBER, kind="bot")) == texts.GRANTED_ONLY.en


# Run


async def test_a_run_begins_with_what_was_asked_for(scene: Scene) -> None:
    said = await scene.give("bench run gpu limit=8 types=plan lang=zh constrained")
    [run] = await scene.runs()
    assert said.private
    assert said.text == (
        f"Begun: run `{run.id}`, `sample` (8 items) · `types=plantooluse lang=zh constrained` on `gpu`. "
        "Stop it with `bench cancel`."
    )
    spec = run.spec
    assert (spec.model, spec.limit, spec.types, spec.langs, spec.constrained) == (
        "gpu",
        8,
        ("plantooluse",),
        ("zh",),
        True,
    )
    assert (spec.data.name, spec.data.kind, spec.data.items) == ("sample", "sample", 40)
    [row] = await scene.jobs()
    assert row.payload["target"]["channel"] == "c"
    assert (row.key, row.payload["run"], row.payload["stop"]) == ("big", run.id, "`bench cancel`")


async def test_the_own_command_is_shown_as_it_is_typed(scene: Scene) -> None:
    assert "Stop it with `/kagent-bench cancel`" in await scene.own("run --limit 4")
    assert await scene.own("dance") == DETAILS["bench"].en
    assert "Run " in await scene.own("status")


async def test_a_second_run_of_a_model_is_refused_and_shows_the_first(scene: Scene) -> None:
    await scene.give("bench run gpu")
    said = await scene.said("bench run big")
    assert "there is one per model at a time" in said
    assert "Waiting for the model." in said
    assert len(await scene.runs()) == 1


async def test_a_run_of_another_model_waits_for_the_first(scene: Scene) -> None:
    await scene.give("bench run gpu")
    [first] = await scene.runs()
    assert f"It begins when run `{first.id}` of `gpu` is over." in await scene.said("bench run cpu")


async def test_what_is_unknown_is_told_with_what_there_is(scene: Scene) -> None:
    assert "there are `gpu`, `big`, `cpu`, `small`" in await scene.said("bench run gpt")
    said = await scene.said("bench run data=official")
    assert "there are `sample`" in said
    assert "kagent-bench import" in said
    assert "choose among" in await scene.said("bench run types=dance")
    assert "没有名为" in await scene.said("评测 运行 gpt", lang="zh")
    assert await scene.runs() == []


async def test_a_model_that_is_down_is_told_before_a_run_begins(scene: Scene) -> None:
    scene.served[:] = [Served("gpu", "big", Health("down", "It refuses connections.")), Served("cpu", "small")]
    assert "`gpu` can't be asked just now: It refuses connections." in await scene.said("bench run gpu")
    await scene.give("bench run")
    assert [run.spec.model for run in await scene.runs()] == ["cpu"]


async def test_where_nothing_can_be_posted_the_reply_says_what_to_do(scene: Scene) -> None:
    scene.way.refuses = Text("Invite me here first.", "请先邀请我。")
    assert await scene.said("bench run") == "Invite me here first."
    assert await scene.runs() == []


async def test_where_jobs_never_post_a_run_is_watched_with_status(scene: Scene) -> None:
    said = await scene.said("bench run", at=PAGE)
    assert "look with `bench status`" in said
    [row] = await scene.jobs()
    assert row.payload["target"] is None
    assert "Waiting for the model." in await scene.said("bench status", at=PAGE)


# Status, cancel, compare, leaderboard, data


async def test_a_run_is_cancelled_by_model_by_id_or_because_it_is_the_only_one(scene: Scene) -> None:
    assert "No benchmark is running" in await scene.said("bench cancel")
    for words in ("bench cancel", "bench cancel big", "bench cancel gpu"):
        await scene.give("bench run gpu")
        assert "ends now" in await scene.said(words)
    await scene.give("bench run gpu")
    newest = (await scene.runs())[0]
    assert "ends now" in await scene.said(f"bench cancel {newest.id[:6]}")
    assert {run.state for run in await scene.runs()} == {"cancelled"}


async def test_of_several_runs_the_one_that_is_meant_has_to_be_named(scene: Scene) -> None:
    for model in ("gpu", "cpu"):
        await scene.give(f"bench run {model}")
    assert "Several are running" in await scene.said("bench cancel")
    assert "No benchmark of `other` is running." in await scene.said("bench cancel other")
    await scene.give("bench cancel cpu")
    assert [run.state for run in await scene.runs()] == ["cancelled", "running"]


async def test_without_two_runs_there_is_nothing_to_compare(scene: Scene) -> None:
    assert "no two finished runs" in await scene.said("bench compare")
    await scene.give("bench run gpu")
    await scene.finish()
    assert "no two finished runs" in await scene.said("bench compare")
    assert "No run that is over is called `ffff`" in await scene.said("bench compare ffff")


async def test_the_newest_run_is_compared_with_the_last_one_that_asked_the_same(scene: Scene) -> None:
    runs = []
    for limit in (4, 8, 4):
        await scene.give(f"bench run gpu limit={limit}")
        runs.append(await scene.finish())
    found = await scene.store.read(lambda c: bench.done(c, 9))
    pair = _newest_two(found)
    assert pair is not None
    assert [run.id for run in pair] == [runs[0].id, runs[2].id]
    pair = _newest_two(found[1:])
    assert pair is not None
    assert [run.id for run in pair] == [runs[0].id, runs[1].id]


async def test_an_empty_leaderboard_says_how_to_begin(scene: Scene) -> None:
    assert "Nothing has been measured yet" in await scene.said("bench leaderboard")


async def test_data_sets_are_listed_with_counts_and_hash(scene: Scene) -> None:
    said = await scene.said("bench data")
    assert "`sample`: 40 items (plantooluse 16" in said
    assert "SHA-256 `" in said
    assert "kagent-bench import FILE" in said


async def test_suggestions_are_what_contains_the_words_so_far(scene: Scene) -> None:
    desk = scene.orders.commands._desk.bench
    assert desk.models("P") == ["gpu", "cpu"]
    assert await desk.data_sets("sam") == ["sample"]
    await scene.give("bench run gpu")
    run = await scene.finish()
    assert await desk.runs("gpu") == [(run.id, f"{run.id} · gpu · sample · 2026-01-01")]


# Schedules


@dataclass
class Looking:
    """The periodic job, looked at when the test says so."""

    jobs: Jobs
    scene: Scene

    async def look(self, after: timedelta) -> None:
        """Let time pass, and the job look."""
        before = await self._looks()
        self.scene.clock.advance(after.total_seconds())
        self.jobs.look()
        await self.until_more_than(before)

    async def until_more_than(self, looks: int) -> None:
        """Wait until it has looked more often than this."""

        async def looked() -> bool:
            return await self._looks() > looks

        await until(looked)

    async def _looks(self) -> int:
        query = select(job.c.id).where(job.c.kind == SCHEDULE, job.c.state == "done")
        return len(await self.scene.store.read(lambda c: c.execute(query).all()))


@pytest.fixture
async def looking(scene: Scene) -> AsyncIterator[Looking]:
    kinds = {
        SCHEDULE: schedules(scene.beginning, scene.orders.commands.may_bench),
        BENCHMARK: Kind(_never_ends, lane="bench"),
    }
    worker = Jobs(scene.store, scene.clock, "one", kinds)
    await worker.start()
    made = Looking(worker, scene)
    # The first look is at the start; the test's own come after it.
    await made.until_more_than(0)
    yield made
    await worker.stop()


async def _never_ends(_: Json, __: Progress) -> None:
    await asyncio.Event().wait()


WEEK = timedelta(days=7)


async def test_a_model_is_measured_every_week(scene: Scene, looking: Looking) -> None:
    said = await scene.give("bench schedule weekly gpu limit=4")
    assert not said.private
    assert "2026-01-08 00:00 (UTC): `limit=4`" in said.text
    await looking.look(WEEK - 2 * LOOK)
    assert await scene.runs() == []
    await looking.look(2 * LOOK)
    [run] = await scene.runs()
    assert (run.spec.model, run.spec.limit) == ("gpu", 4)
    [row] = await scene.jobs()
    assert row.payload["target"]["conversation_key"] == CHANNEL.conversation_key
    await scene.finish()
    await looking.look(WEEK)
    assert len(await scene.runs()) == 2


async def test_what_was_missed_is_made_up_once(scene: Scene, looking: Looking) -> None:
    await scene.give("bench schedule weekly gpu")
    await looking.look(5 * WEEK + timedelta(days=1))
    assert len(await scene.runs()) == 1
    assert "next on 2026-02-12" in await scene.said("bench schedule")


async def test_a_run_that_is_due_waits_for_the_one_under_way(scene: Scene, looking: Looking) -> None:
    await scene.give("bench schedule weekly gpu")
    await scene.give("bench run gpu")
    await looking.look(WEEK)
    assert len(await scene.runs()) == 1
    await scene.finish()
    await looking.look(LOOK)
    assert len(await scene.runs()) == 2


async def test_a_run_that_can_not_begin_is_told_once_in_its_place(scene: Scene, looking: Looking) -> None:
    await scene.give("bench schedule weekly gpu")
    scene.served[:] = [Served("cpu", "small")]
    await looking.look(WEEK)
    await looking.look(LOOK)
    query = select(job.c.payload).where(job.c.kind == "notice")
    [told] = await scene.store.read(lambda c: list(c.execute(query).scalars()))
    assert "No endpoint or model is called `gpu`" in told["text"]
    assert await scene.runs() == []


async def _notices(scene: Scene) -> list[str]:
    query = select(job.c.payload).where(job.c.kind == "notice").order_by(job.c.id)
    return [found["text"] for found in await scene.store.read(lambda c: list(c.execute(query).scalars()))]


async def test_a_scheduled_run_takes_no_reply_from_the_week_before(scene: Scene, looking: Looking) -> None:
    await scene.give("bench schedule weekly gpu")
    await looking.look(WEEK)
    [run] = await scene.runs()
    assert run.spec.fresh


async def test_nothing_is_measured_for_somebody_who_may_not_any_more(scene: Scene, looking: Looking) -> None:
    await scene.give("bench schedule weekly gpu", MEMBER)
    access = scene.orders.limits._access
    scene.orders.limits._access = access.model_copy(update={"benchmark": ()})
    await looking.look(WEEK)
    # Their platform may only have been asked at a bad moment.
    assert await _notices(scene) == []
    await looking.look(PATIENCE)
    [said] = await _notices(scene)
    assert "may not run benchmarks any more" in said
    assert await scene.runs() == []
    assert "next on 2026-01-15" in await scene.said("bench schedule")
    scene.orders.limits._access = access
    await looking.look(WEEK - PATIENCE)
    assert len(await scene.runs()) == 1


async def test_a_schedule_that_meets_an_error_of_ours_keeps_no_other_waiting(scene: Scene, looking: Looking) -> None:
    await scene.give("bench schedule weekly gpu")
    scene.clock.advance(1)
    await scene.give("bench schedule weekly cpu")
    broken = bench_schedule.update().where(bench_schedule.c.model == "gpu").values(wanted={"stop": "", "wanted": 7})
    await scene.store.write(lambda c: c.execute(broken))
    await looking.look(WEEK + LOOK)
    assert [run.spec.model for run in await scene.runs()] == ["cpu"]


async def test_schedules_are_listed_and_ended_place_by_place(scene: Scene) -> None:
    assert "Nothing is measured every week" in await scene.said("bench schedule")
    elsewhere = replace(CHANNEL, channel="d", conversation_key="test:w:d")
    for model, place in (("gpu", CHANNEL), ("cpu", CHANNEL), ("gpu", elsewhere)):
        await scene.give(f"bench schedule weekly {model}", at=place)
    said = await scene.said("bench schedule")
    assert said.count("this place") == 2
    assert "another place (`d`)" in said
    assert "`gpu`" in await scene.said("bench schedule off gpu")
    assert "`cpu`" in await scene.said("评测 定时 关闭", lang="zh")
    assert await scene.said("bench schedule off") == texts.NOT_SCHEDULED.en
    said = await scene.said("bench schedule")
    assert ("this place" in said, "another place" in said) == (False, True)


async def test_where_jobs_never_post_nothing_can_be_scheduled(scene: Scene) -> None:
    assert await scene.said("bench schedule weekly gpu", at=PAGE) == texts.NOT_HERE.en
    assert "`weekly` or `off`" in await scene.said("bench schedule hourly")

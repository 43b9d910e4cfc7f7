"""An own suite, run from a chat: begun, checked, judged, told, compared, ranked; and what makes no sense for one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.llm.chat import ModelError
from bot.bench import message
from bot.bench.beginning import Refusal
from bot.bench.board import board
from bot.bench.jobs import Benchmarks
from bot.bench.measuring import Measuring
from bot.bench.reporting import difference
from bot.bench.scoring import compared
from bot.bench.words import Wanted
from bot.jobs import Jobs
from bot.store import bench
from bot.store.db import Store
from evals.running.asking import Question, Reply
from evals.runs import Run
from tests.support.bench_jobs import ORDER, Instant, Scene

CASES: list[dict[str, Any]] = [
    {"id": "capital", "query": "Capital of Australia?", "checks": [{"type": "contains", "all": ["Canberra"]}]},
    {"id": "year", "query": "Which year?", "checks": [{"type": "regex", "pattern": "20\\d\\d"}]},
    {"id": "polite", "query": "还在吗？", "checks": [{"type": "judge", "rubric": "It is polite."}]},
]


@dataclass
class Says(Instant):
    """A model that answers this, and as a judge finds this."""

    name: str = "tiny"
    answers: str = "It is Canberra."
    verdict: str = '{"reason": "It says please.", "passes": true}'
    asked: list[str] = field(default_factory=list)

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question.prompt)
        return Reply(self.verdict if "====" in question.prompt else self.answers)


@dataclass
class Suite(Scene):
    """With a suite, and models that say what the test wants."""

    models: dict[str, Says] = field(default_factory=dict)

    async def measured(self, model: str = "gpu", **wanted: Any) -> Run:
        """A run from its command's meaning to its end."""
        prepared = await self.beginning.prepare(Wanted(model=model, data="own", **wanted), "en")
        run, _ = await self.beginning.begin(prepared, ORDER, bench.Origin("test", "w", "c", "op", "en"))
        await self.over(len(await self.jobs()))
        found = await self.store.read(lambda c: bench.find(c, run.id))
        assert found is not None
        return found


@pytest.fixture
async def suite(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Suite]:
    made = Suite(sqlite_store, tmp_path)
    source = tmp_path / "own.jsonl"
    source.write_text("".join(f"{json.dumps(case)}\n" for case in CASES))
    made.library.add(source)
    outbounds: Any = {"test": made.platform}
    asker = lambda model: made.models.setdefault(model, Says(model))  # noqa: E731 - one for each name
    measuring = Measuring(made.library, asker, made.clock, score_every=0.02)
    benchmarks = Benchmarks(made.store, made.clock, outbounds, measuring, beat=0.01, pace=lambda _: 0.01)
    server = Jobs(made.store, made.clock, "server", {"benchmark": benchmarks.kind})
    await server.start()
    made.servers.append(server)
    yield made
    await server.stop()


async def test_line_tables_reasons_and_a_chart_are_one_message(suite: Suite) -> None:
    run = await suite.measured(judge="cpu")
    assert run.state == "done", run.error
    [said] = suite.messages
    assert "passed : 2, failed : 1, undecided : 0, rate : 66.67" in said
    assert "**Own suite** · `gpu` · `own` (3 items) · `judge=cpu`" in said
    assert "year (Which year?)" in said
    [chart] = suite.platform.closes[-1].images
    assert (chart.name, chart.data[:4]) == (f"{run.id}-bars.png", b"\x89PNG")
    assert "rate : 66.67" in chart.about
    assert suite.platform.closes[-1].notes == ()
    # Two models, each asked for its own: three cases, and one verdict.
    assert (len(suite.models["gpu"].asked), len(suite.models["cpu"].asked)) == (3, 1)


async def test_a_judge_that_fails_leaves_its_checks_undecided(suite: Suite) -> None:
    class Away(Says):
        async def ask(self, question: Question) -> Reply:
            raise ModelError("unreachable", "no such host")

    suite.models["cpu"] = Away()
    run = await suite.measured(judge="cpu", langs=("zh",))
    assert (run.state, run.summary["line"]) == ("done", "passed : 0, failed : 0, undecided : 1, rate : -")


async def test_two_runs_are_compared_case_by_case_and_models_ranked(suite: Suite) -> None:
    first = await suite.measured("gpu", limit=3)
    suite.models["cpu"] = Says("cpu", answers="In 2026, Sydney.")
    last = await suite.measured("cpu")
    said = await difference(suite.store, last, "en")
    assert said.startswith(f"Difference to run `{first.id}`")
    assert "Cases gained: 1, lost: 1, of 2" in said
    assert "passed :" not in said
    assert said in suite.messages[-1]
    assert "自有测试集" in message.finished(first, first.summary, "", "zh")
    whole = await compared(first.summary, last.summary, "zh")
    assert "变为通过: year" in whole
    assert "变为未通过: capital" in whole
    runs = await suite.store.read(lambda c: bench.done(c, 9))
    rows = [line for line in board(runs, "en").splitlines() if line.startswith("| `")]
    assert [row.split("|")[1].strip() for row in rows] == ["`cpu`", "`gpu`"]
    assert "\n\n`[sample 3]` · `limit=3`\n\n| Model" in board(runs, "en")
    assert "50.00 (" in rows[0]
    assert "Cases that passed" in board(runs, "en")


async def test_what_a_suite_has_not_is_refused_in_a_sentence(suite: Suite) -> None:
    for wanted, said in (
        (Wanted(data="own", types=("profile",)), "no types and no templates"),
        (Wanted(data="own", templates=("ReACT",)), "no types and no templates"),
        (Wanted(data="own", judge="nobody"), "No endpoint or model is called `nobody`"),
        (Wanted(judge="cpu"), "Nothing in `sample` is for a judge"),
    ):
        with pytest.raises(Refusal, match=said):
            await suite.beginning.prepare(wanted, "en")


async def test_a_run_under_way_shows_the_rate_so_far(suite: Suite) -> None:
    prepared = await suite.beginning.prepare(Wanted(data="own"), "en")
    assert prepared.needs_judge
    run = Run("1f2e", prepared.spec, "running", suite.clock.now())
    said = message.running(run, {"done": 2, "total": 3, "scores": {"pass": 0.5}, "scored": 2}, "`stop`", "en")
    assert "So far, over 2 items: pass 50.00" in said
    assert "the judge reads them" in message.running(run, {"done": 3, "total": 3, "phase": "judging"}, "`stop`", "en")

"""The kill test with small numbers (`make chaos` has the full ones), and the proof that it can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.crashpoints import CRASHPOINTS
from tests.chaos.kill import run
from tests.chaos.stage import Plan
from tests.chaos.steps import STAGES

#: Of the crash points, those of single steps: plans, tools, answers.
STEPS = tuple(point for point in CRASHPOINTS if point.partition(".")[0] in ("step", "plan", "write"))
#: Those of a message's path around them.
PATH = tuple(point for point in CRASHPOINTS if point not in STEPS)
SMALL = Plan(seed=20260101, kills=1, conversations=12, rate=8.0)


@pytest.mark.parametrize("points", [PATH, STEPS], ids=["path", "steps"])
async def test_every_message_has_one_outcome_whenever_the_server_is_killed(points: tuple[str, ...]) -> None:
    result = await run(replace(SMALL, points=points))
    assert result.ok, str(result)
    # A run that sent next to nothing would hold, too, and one in which no model planned.
    assert result.report.accepted > 30
    assert {run.step for run in result.runs} == set(STAGES)
    assert result.deaths >= len(points) + SMALL.kills


async def test_turns_go_on_with_another_model_server_while_the_preferred_one_is_killed_too() -> None:
    result = await run(replace(SMALL, points=("plan.after_finish",), kills=3, failover=True))
    assert result.ok, str(result)
    assert result.outages > 0
    assert result.handed_on > 0


async def test_streams_survive_kills_too() -> None:
    points = ("part.after_intend", "part.after_post", "reply.before_close")
    result = await run(Plan(seed=7, kills=1, points=points, conversations=8, rate=8.0, streams=True))
    assert result.ok, str(result)


async def test_kills_are_survived_on_postgresql(postgres_url: str) -> None:
    points = ("claim.after_commit", "plan.after_finish", "part.after_post")
    plan = Plan(seed=7, kills=1, points=points, conversations=8, rate=8.0, database_url=postgres_url)
    result = await run(plan)
    assert result.ok, str(result)


@pytest.mark.parametrize(
    ("broken", "points"),
    [
        ("journal", ("plan.after_finish", "part.after_posted")),
        ("ledger", ("part.after_posted", "reply.before_close")),
        ("dedupe", ("accept.after_commit",)),
    ],
)
async def test_the_kill_test_fails_on_a_broken_server(broken: str, points: tuple[str, ...]) -> None:
    result = await run(Plan(seed=7, kills=1, points=points, conversations=8, rate=8.0, broken=broken))
    assert not result.ok, str(result)
    if broken == "journal":
        # Also that a model was asked again for a plan that it had made.
        assert any(line.startswith("plan/") for line in result.reruns), str(result)
    else:
        assert not result.report.ok

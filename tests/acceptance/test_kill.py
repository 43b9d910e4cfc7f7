"""The kill test with small numbers (`make chaos` has the full ones), and the proof that it can fail."""

from __future__ import annotations

import pytest

from tests.chaos.kill import Plan, run

SMALL = Plan(seed=20260101, kills=5, conversations=12, rate=8.0)


async def test_every_message_has_one_outcome_whenever_the_server_is_killed() -> None:
    result = await run(SMALL)
    assert result.ok, str(result)
    # A run that sent next to nothing would hold, too.
    assert result.report.accepted > 100
    assert result.deaths >= len(SMALL.points) + SMALL.kills


async def test_streams_survive_kills_too() -> None:
    points = ("part.after_intend", "part.after_post", "part.after_posted", "reply.before_close")
    result = await run(Plan(seed=7, kills=2, points=points, conversations=8, rate=8.0, streams=True))
    assert result.ok, str(result)


async def test_kills_are_survived_on_postgresql(postgres_url: str) -> None:
    points = ("accept.after_commit", "claim.after_commit", "part.after_post", "finish.after_commit")
    plan = Plan(seed=7, kills=1, points=points, conversations=8, rate=8.0, database_url=postgres_url)
    result = await run(plan)
    assert result.ok, str(result)


@pytest.mark.parametrize(
    ("broken", "points"),
    [
        ("journal", ("step.after_finish", "part.after_posted")),
        ("ledger", ("part.after_posted", "reply.before_close")),
        ("dedupe", ("accept.after_commit",)),
    ],
)
async def test_the_kill_test_fails_on_a_broken_server(broken: str, points: tuple[str, ...]) -> None:
    result = await run(Plan(seed=7, kills=1, points=points, conversations=8, rate=8.0, broken=broken))
    assert not result.ok, str(result)
    if broken == "journal":
        assert result.reruns
    else:
        assert not result.report.ok

"""The kill test on Discord with small numbers (`make chaos` has the full ones), and the proof that it can fail."""

from __future__ import annotations

from tests.chaos.kill import run
from tests.chaos.stage import Plan


async def test_every_message_in_discord_has_one_outcome_whenever_the_server_is_killed() -> None:
    points = ("accept.after_commit", "part.after_post")
    result = await run(Plan(seed=20260101, kills=1, points=points, conversations=10, rate=8.0, platform="discord"))
    assert result.ok, str(result)
    assert result.report.accepted > 10
    # Some of it only a look back could bring.
    assert result.traffic.missed > 0


async def test_the_kill_test_fails_on_a_server_that_takes_discords_events_twice() -> None:
    points = ("accept.after_commit",)
    plan = Plan(seed=7, kills=1, points=points, conversations=8, rate=8.0, platform="discord", broken="dedupe")
    result = await run(plan)
    assert not result.report.ok, str(result)


async def test_the_kill_test_fails_on_a_server_that_doesnt_look_for_what_it_missed() -> None:
    plan = Plan(seed=7, kills=1, points=(), conversations=8, rate=8.0, platform="discord", broken="catch_up")
    result = await run(plan)
    assert [one for one in result.report.problems if one.kind == "missing"], str(result)

"""The kill test on Slack with small numbers (`make chaos` has the full ones), and the proof that it can fail."""

from __future__ import annotations

import pytest

from tests.chaos.kill import run
from tests.chaos.stage import Plan


@pytest.mark.parametrize(
    ("sockets", "points"),
    [
        (False, ("accept.after_commit", "part.after_post")),
        (True, ("accept.before_commit", "reply.before_close")),
    ],
    ids=["http", "sockets"],
)
async def test_every_message_in_slack_has_one_outcome_whenever_the_server_is_killed(
    sockets: bool, points: tuple[str, ...]
) -> None:
    plan = Plan(seed=20260101, kills=1, points=points, conversations=10, rate=8.0, platform="slack", sockets=sockets)
    result = await run(plan)
    assert result.ok, str(result)
    assert result.report.accepted > 10


async def test_the_kill_test_fails_on_a_server_that_takes_slacks_events_twice() -> None:
    points = ("accept.after_commit",)
    plan = Plan(seed=7, kills=1, points=points, conversations=8, rate=8.0, platform="slack", broken="dedupe")
    result = await run(plan)
    assert not result.report.ok, str(result)

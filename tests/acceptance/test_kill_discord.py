"""The kill test on Discord with small numbers (`make chaos` has the full ones), and the proof that it can fail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import NamedTuple

import pytest_asyncio

from tests.chaos.kill import run
from tests.chaos.result import Result
from tests.chaos.stage import Plan


class Runs(NamedTuple):
    """How three runs ended: of the server as it is, and of two that lack something."""

    whole: Result
    forgets: Result
    looks_not_back: Result


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runs() -> Runs:
    """Side by side: each of them mostly waits for a server to start."""
    few = Plan(seed=20260101, conversations=10, rate=8.0, platform="discord")
    plans = (
        replace(few, kills=1, points=("part.after_post",)),
        replace(few, kills=0, points=("accept.after_commit",), broken="dedupe"),
        replace(few, kills=0, points=("accept.before_commit",), broken="catch_up"),
    )
    return Runs(*await asyncio.gather(*map(run, plans)))


async def test_every_message_in_discord_has_one_outcome_whenever_the_server_is_killed(runs: Runs) -> None:
    assert runs.whole.ok, str(runs.whole)
    assert runs.whole.report.accepted > 10
    # Some of it only a look back could bring.
    assert runs.whole.traffic.missed > 0


async def test_the_kill_test_fails_on_a_server_that_takes_discords_events_twice(runs: Runs) -> None:
    assert not runs.forgets.report.ok, str(runs.forgets)


async def test_the_kill_test_fails_on_a_server_that_doesnt_look_for_what_it_missed(runs: Runs) -> None:
    kinds = {problem.kind for problem in runs.looks_not_back.report.problems}
    assert "missing" in kinds, str(runs.looks_not_back)

"""The kill test of a headless run with small numbers (`make chaos` has the full ones), and proof that it can fail."""

from __future__ import annotations

from tests.chaos.infer import run_killed


async def test_a_run_that_is_killed_goes_on_where_it_was_and_repeats_only_what_was_under_way() -> None:
    result = await run_killed(seed=20260101, kills=3, prompts=60)
    assert result.ok, str(result)
    assert len(result.kills) == 3


async def test_the_kill_test_fails_on_a_run_that_forgets() -> None:
    result = await run_killed(seed=7, kills=1, prompts=80, broken="journal")
    assert not result.ok
    assert result.needless

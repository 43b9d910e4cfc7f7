"""The budget of calls: what it lets through, what it keeps, and what a refusal does to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget import Rate, RateBudget


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def budget_of(clock: Clock, rate: Rate) -> RateBudget:
    return RateBudget(lambda key: rate, clock)


def taken(budget: RateBudget, key: str = "T1/m", *, urgent: bool = False) -> int:
    """How many calls go right now."""
    count = 0
    while budget.take(key, urgent=urgent) == 0:
        count += 1
    return count


def test_a_full_bucket_lets_its_burst_through_but_for_the_reserve() -> None:
    assert taken(budget_of(Clock(), Rate(per_minute=60, burst=10, reserve=3))) == 7


def test_the_reserve_is_for_urgent_calls() -> None:
    budget = budget_of(Clock(), Rate(per_minute=60, burst=10, reserve=3))
    taken(budget)
    assert taken(budget, urgent=True) == 3


def test_the_answer_says_after_how_many_seconds_a_call_goes() -> None:
    clock = Clock()
    budget = budget_of(clock, Rate(per_minute=30, burst=2))
    taken(budget)
    wait = budget.take("T1/m")
    assert wait == pytest.approx(2.0)
    clock.now += wait * 0.9
    assert budget.take("T1/m") > 0
    clock.now += wait * 0.1
    assert budget.take("T1/m") == 0


def test_a_call_out_of_two_buckets_takes_from_neither_when_one_is_empty() -> None:
    rates = {"post": Rate(per_minute=60, burst=1), "method": Rate(per_minute=60, burst=5)}
    budget = RateBudget(lambda key: rates[key], Clock())
    assert budget.take("post", "method") == 0
    assert budget.take("post", "method") > 0
    assert budget.left("method") == 4


def test_a_refusal_stops_urgent_calls_too() -> None:
    clock = Clock()
    budget = budget_of(clock, Rate(per_minute=60, burst=10, reserve=3))
    budget.penalise(["T1/m"], 30)
    assert budget.take("T1/m", urgent=True) == pytest.approx(30)
    assert budget.left("T1/m") == 0
    clock.now += 30
    assert budget.take("T1/m", urgent=True) == 0


def test_a_short_refusal_does_not_end_a_longer_one() -> None:
    budget = budget_of(Clock(), Rate(per_minute=60, burst=10))
    budget.penalise(["T1/m"], 30)
    budget.penalise(["T1/m"], 1)
    assert budget.take("T1/m") == pytest.approx(30)


def test_one_workspace_does_not_pay_for_another() -> None:
    budget = budget_of(Clock(), Rate(per_minute=60, burst=2))
    taken(budget, "T1/m")
    assert taken(budget, "T2/m") == 2


def test_buckets_that_are_not_full_are_never_forgotten() -> None:
    clock = Clock()
    budget = budget_of(clock, Rate(per_minute=1, burst=2))
    taken(budget, "T1/busy")
    for number in range(5_000):
        budget.left(f"T1/{number}")
    assert budget.take("T1/busy") > 0


def test_a_bucket_that_no_ordinary_call_could_use_is_refused() -> None:
    with pytest.raises(ValueError):
        Rate(per_minute=20, burst=1, reserve=0.5)


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=200))
def test_no_minute_sees_more_calls_than_burst_and_refill_together(steps: list[tuple[float, bool]]) -> None:
    clock = Clock()
    budget = budget_of(clock, Rate(per_minute=14, burst=6, reserve=1))
    calls: list[float] = []
    for pause, urgent in steps:
        clock.now += pause
        if budget.take("T1/m", urgent=urgent) == 0:
            calls.append(clock.now)
    for at in calls:
        assert sum(at <= other < at + 60 for other in calls) <= 20

"""The pace keeps a server's queue just full, whatever the server does with what is too much."""

from __future__ import annotations

import pytest

from evals.running.pace import Pace
from tests.support.serving import Served, Simulated, doubled, halved, steady, written

#: Seconds of a call; slots of the server; when its capacity changes, and what is measured.
_CALL_S, _SLOTS, _CHANGE, _BEGIN, _END = 0.5, 12, 45.0, 15.0, 75.0
_QUEUES, _REFUSES = None, 0
_BOTH = pytest.mark.parametrize("queue", [_QUEUES, _REFUSES], ids=["queues", "refuses"])


def _share(served: Served, before: int, after: int) -> float:
    """Which part of the server's capacity was used over the measured minute."""
    capacity = before / _CALL_S * (_CHANGE - _BEGIN) + after / _CALL_S * (_END - _CHANGE)
    return served.between(_BEGIN, _END) / capacity


@_BOTH
@pytest.mark.parametrize("seed", range(3))
def test_a_capacity_that_is_halved_is_used_to_ninety_five_percent(queue: int | None, seed: int) -> None:
    served = Simulated(halved(_SLOTS, _CHANGE), steady(_CALL_S, 0.2), queue, seed=seed).serve(Pace(), _END)
    assert _share(served, _SLOTS, _SLOTS // 2) >= 0.95


@_BOTH
def test_replies_of_all_lengths_are_no_reason_to_do_less(queue: int | None) -> None:
    served = Simulated(halved(4 * _SLOTS, _CHANGE), written(_CALL_S), queue, seed=3).serve(Pace(), _END)
    assert _share(served, 4 * _SLOTS, 2 * _SLOTS) >= 0.93


@_BOTH
def test_a_capacity_that_is_doubled_is_found(queue: int | None) -> None:
    served = Simulated(doubled(_SLOTS, _CHANGE), steady(_CALL_S, 0.2), queue).serve(Pace(), _END)
    assert served.between(65.0, _END) >= 0.95 * 10 * 2 * _SLOTS / _CALL_S


def test_coming_down_from_a_halved_capacity_costs_few_refusals() -> None:
    slots = 64
    served = Simulated(halved(slots, _CHANGE), steady(_CALL_S, 0.3), _REFUSES).serve(Pace(), _END)
    assert served.refused_between(_CHANGE, _CHANGE + 5) <= slots // 4
    assert served.refused_between(_CHANGE + 5, _END) <= 25


@pytest.mark.parametrize("seed", range(3))
def test_the_queue_of_a_server_that_was_halved_gets_short_again(seed: int) -> None:
    served = Simulated(halved(_SLOTS, _CHANGE), steady(_CALL_S, 0.2), _QUEUES, seed=seed).serve(Pace(), 100.0)
    assert served.most_under_way(80.0, 100.0) <= 2.5 * _SLOTS / 2


def test_a_server_that_does_one_thing_at_a_time_and_slowly_is_not_flooded() -> None:
    served = Simulated(lambda _: 1, steady(30.0), _QUEUES).serve(Pace(), 3000.0)
    assert served.most_under_way(0.0, 3000.0) <= 4
    assert served.most_under_way(600.0, 3000.0) <= 3
    assert len(served.replies) >= 98


def test_a_server_that_gains_a_little_with_every_call_gets_many() -> None:
    """Batching on a GPU: with 64 calls at once each takes twice as long, and the whole does 32 times as much."""
    served = Simulated(lambda _: 10_000, lambda running, _: 0.5 * (1 + running / 64), _QUEUES).serve(Pace(), 60.0)
    assert served.between(30.0, 60.0) / 30 >= 0.6 * 64 / 0.5


def test_while_nothing_is_taken_at_all_it_asks_ever_more_rarely() -> None:
    served = Simulated(lambda _: 0, steady(_CALL_S), _REFUSES).serve(Pace(), 60.0)
    assert len(served.refusals) <= 25
    assert served.refused_between(30.0, 60.0) <= 7


def test_a_server_that_was_away_is_used_as_before_soon_after_its_return() -> None:
    away = Simulated(lambda now: 0 if 30 <= now < 40 else 16, steady(_CALL_S, 0.2), _REFUSES, fault="unreachable")
    served = away.serve(Pace(), 60.0)
    assert served.refused_between(31.0, 40.0) <= 8
    assert served.between(48.0, 58.0) >= 0.95 * 10 * 16 / _CALL_S


def test_what_the_server_asks_for_is_waited_where_it_takes_nothing() -> None:
    pace = Pace(first=1)
    pace.refused(pace.start(0.0), 0.1, "overloaded", retry_after=20.0)
    assert pace.wait(0.1) == pytest.approx(20.0)
    assert pace.wait(20.2) == 0.0


def test_a_time_out_means_fewer_calls_at_once() -> None:
    pace = Pace(first=20)
    tickets = [pace.start(0.0) for _ in range(20)]
    pace.refused(tickets[0], 120.0, "timeout")
    assert pace.limit == 14
    pace.refused(tickets[1], 120.0, "timeout")
    assert pace.limit >= 13, "the same burst is one reason"


@_BOTH
def test_a_bound_that_somebody_sets_is_kept(queue: int | None) -> None:
    served = Simulated(lambda _: 50, steady(_CALL_S), queue).serve(Pace(6, 6), 30.0)
    assert served.most_under_way(0.0, 30.0) < 6
    assert served.between(0.0, 30.0) >= 0.9 * 6 / _CALL_S * 30

"""Krippendorff's alpha against his own worked examples, and what is said where there is nothing to compare."""

from __future__ import annotations

import pytest

from evals.human.agreement import agreement, alpha

_: int | None = None
#: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", C: four observers, values missing.
PART_C: list[list[int | None]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
#: The same paper, part A: two observers, ten units, two values; there every metric gives the same.
PART_A: list[list[int | None]] = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]


def units(observers: list[list[int | None]]) -> list[list[int]]:
    return [[value for value in column if value is not None] for column in zip(*observers, strict=True)]


def test_the_published_example_of_four_observers_with_missing_values() -> None:
    found = alpha(units(PART_C))
    assert found is not None
    assert round(found, 3) == 0.815


def test_the_published_example_of_two_observers_and_two_values() -> None:
    found = alpha(units(PART_A))
    assert found is not None
    assert round(found, 3) == 0.095


def test_perfect_agreement_is_one_and_the_opposite_is_below_zero() -> None:
    assert alpha([[1, 1], [5, 5], [3, 3]]) == 1.0
    opposite = alpha([[1, 5], [5, 1], [1, 5], [5, 1]])
    assert opposite is not None
    assert opposite < 0


def test_only_the_order_of_values_counts() -> None:
    stretched = {1: 1, 2: 20, 3: 21, 4: 400, 5: 401}
    values = units(PART_C)
    assert alpha(values) == alpha([[stretched[value] for value in one] for one in values])


@pytest.mark.parametrize("values", [[], [[3], [4]], [[3, 3], [3, 3]]])
def test_where_nothing_can_differ_there_is_no_alpha(values: list[list[int]]) -> None:
    assert alpha(values) is None


def test_percentages_count_every_pair_of_ratings() -> None:
    found = agreement({"a": [[4, 4, 5], [1]], "b": [[2, 4]]}, 3, passed=4)
    assert (found.answers, found.pairs, found.raters) == (2, 4, 3)
    assert (found.same, found.near, found.verdict) == (0.25, 0.75, 0.75)


def test_one_rater_agrees_with_nobody() -> None:
    found = agreement({"a": [[4], [5]]}, 1, passed=4)
    assert (found.pairs, found.alpha, found.same) == (0, None, None)


def test_the_interval_lies_around_alpha_and_wants_questions_enough() -> None:
    many = {str(number): [values] for number, values in enumerate(units(PART_C) * 3)}
    found = agreement(many, 4, passed=4).alpha
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low < found.value < found.high <= 1
    few = agreement({"a": units(PART_C)}, 4, passed=4).alpha
    assert few is not None
    assert few.low is None

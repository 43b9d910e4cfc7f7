"""Intervals and p-values against values worked out by hand, by brute force, and by simulation."""

from __future__ import annotations

import itertools
import random
import statistics as plain

import numpy as np
import pytest

from evals.statistics import (
    FEWEST,
    Estimate,
    Means,
    by_cluster,
    clustered_rate,
    freedom_of,
    mean_interval,
    resample,
    sign_flip,
    spread,
    t_quantile,
    wilson,
)


def bounds(found: Estimate) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_one_in_the_tables(hits: int, of: int, low: float, high: float) -> None:
    assert bounds(wilson(hits, of)) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(4, 2.776445), (5, 2.570582), (9, 2.262157), (30, 2.042272), (1000, 1.962339)]
)
def test_students_quantiles_are_those_in_the_tables(freedom: int, quantile: float) -> None:
    assert t_quantile(0.975, freedom) == pytest.approx(quantile, rel=0.004)


def test_sums_by_query_leave_out_what_is_not_there() -> None:
    sums, counts = by_cluster(np.array([1.0, 2.0, np.nan, 4.0]), np.array([0, 2, 1, 0]), 4)
    assert sums.tolist() == [5.0, 0.0, 2.0, 0.0]
    assert counts.tolist() == [2.0, 0.0, 1.0, 0.0]


def test_a_resampled_means_spread_is_that_of_all_possible_resamples() -> None:
    values = [0.0, 0.1, 0.5, 0.9]
    every = [sum(draw) / 4 for draw in itertools.product(values, repeat=4)]
    means = Means(np.array([values]), np.ones((1, 4)))
    drawn = resample(means, seed=1, resamples=20_000)[0]
    # Widened by sqrt(n / (n - 1)), so that it is the usual standard error.
    assert drawn.std() == pytest.approx(plain.pstdev(every) * (4 / 3) ** 0.5, rel=0.02)
    assert drawn.std() == pytest.approx(plain.stdev(values) / 2, rel=0.02)


def test_rows_that_are_resampled_together_keep_what_they_have_in_common() -> None:
    values = np.random.default_rng(1).random(30)
    means = Means(np.stack([values, 1 - values]), np.ones((2, 30)))
    drawn = resample(means, seed=1, resamples=200)
    assert drawn.sum(axis=0) == pytest.approx(np.ones(200), abs=1e-6)


def test_replies_to_one_query_do_not_count_as_many() -> None:
    values = [random.Random(number).random() for number in range(20)]
    once = bounds(mean_interval(values, range(20)))
    often = bounds(mean_interval(values * 5, [*range(20)] * 5))
    assert often == pytest.approx(once, abs=1e-6)


def test_too_few_queries_have_no_interval() -> None:
    assert mean_interval([0.25, 0.75, 0.5, 0.5], range(FEWEST - 1)) == Estimate(0.5)
    assert mean_interval([0.5] * 20, range(20)) == Estimate(0.5)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [number / 40 for number in range(40)]
    assert mean_interval(values, range(40), seed=3) == mean_interval(values, range(40), seed=3)


@pytest.mark.parametrize("queries", [10, 40])
def test_nineteen_in_twenty_intervals_hold_the_truth(queries: int) -> None:
    # Clustered scores with many zeros, as real ones are: a query is easy or hard, replies scatter around that.
    chance = np.random.default_rng(7)
    runs, held = 400, 0
    for seed in range(runs):
        ease = chance.beta(2, 2, size=queries)
        scores = np.where(chance.random((queries, 5)) < ease[:, None], chance.uniform(0.4, 0.8, (queries, 5)), 0.0)
        found = mean_interval(scores.ravel().tolist(), np.repeat(np.arange(queries), 5).tolist(), seed=seed)
        low, high = bounds(found)
        held += low <= 0.3 <= high
    assert 0.92 <= held / runs <= 0.98


def test_nineteen_in_twenty_intervals_of_a_clustered_rate_hold_the_truth() -> None:
    chance = np.random.default_rng(8)
    runs, held, naive = 600, 0, 0
    for _ in range(runs):
        hits = chance.binomial(5, chance.beta(0.5, 2.0, size=40)).astype(np.float64)
        found = clustered_rate(hits, np.full(40, 5.0))
        assert found is not None
        low, high = bounds(found)
        held += low <= 0.2 <= high
        low, high = bounds(wilson(hits.sum(), 200))
        naive += low <= 0.2 <= high
    assert 0.92 <= held / runs <= 0.98
    # What it is for: replies taken as independent would be sure of too much.
    assert naive / runs < 0.88


def test_a_rate_of_single_replies_is_wilsons() -> None:
    hits = np.array([1.0, 0.0] * 10)
    found = clustered_rate(hits, np.ones(20))
    assert found is not None
    assert bounds(found) == pytest.approx(bounds(wilson(10, 20)), abs=0.02)


def test_where_all_replies_agree_a_query_counts_once() -> None:
    found = clustered_rate(np.zeros(10), np.full(10, 5.0))
    assert found is not None
    assert bounds(found) == pytest.approx(bounds(wilson(0, 10)))


def test_a_rate_of_nothing_is_none() -> None:
    assert clustered_rate(np.zeros(3), np.zeros(3)) is None


def test_few_differences_are_flipped_in_every_way() -> None:
    chance = random.Random(5)
    for size in (1, 2, 5, 9):
        moved = [chance.uniform(-0.3, 1.0) for _ in range(size)]
        sums = [sum(sign * one for sign, one in zip(signs, moved, strict=True))
                for signs in itertools.product((-1, 1), repeat=size)]  # fmt: skip
        expected = sum(abs(one) >= abs(sum(moved)) - 1e-9 for one in sums) / len(sums)
        assert sign_flip(np.array(moved)) == pytest.approx(expected)


def test_queries_that_did_not_change_say_nothing() -> None:
    assert sign_flip(np.zeros(50)) == 1.0
    assert sign_flip(np.array([0.2, 0.1, 0.3, 0.0, 0.0])) == sign_flip(np.array([0.2, 0.1, 0.3])) == 0.25


def test_many_differences_are_flipped_at_random_to_about_the_same_p() -> None:
    chance = np.random.default_rng(2)
    moved = chance.normal(0.05, 0.2, size=60)
    z = moved.sum() / np.sqrt((moved**2).sum())
    normal = 2 * (1 - plain.NormalDist().cdf(abs(z)))
    assert 0.01 < normal < 0.5
    assert sign_flip(moved) == pytest.approx(normal, abs=0.02)


def test_a_p_value_is_never_nothing() -> None:
    assert 0 < sign_flip(np.ones(100)) < 0.001


def test_runs_that_do_not_differ_look_different_once_in_twenty() -> None:
    chance = np.random.default_rng(3)
    sure = sum(sign_flip(chance.normal(0, 1, size=12)) < 0.05 for _ in range(400))
    assert 0.02 <= sure / 400 <= 0.08


def test_degrees_of_freedom_are_welchs() -> None:
    # Two equal variances of means over 10 each: 18; one alone: its own.
    assert freedom_of({"a": 0.1, "b": 0.1}, {"a": 10, "b": 10}) == pytest.approx(18)
    assert freedom_of({"a": 0.1, "b": 0.0}, {"a": 10, "b": 300}) == pytest.approx(9)


def test_the_spread_of_repeats_is_their_standard_deviation() -> None:
    assert spread([0.2, 0.4, 0.6]) == pytest.approx(0.2)
    assert spread([0.2]) is None

"""Intervals and tests for scores whose replies come in clusters: several prompts, and several repeats, of one query.

Replies to one query are alike, so they don't count as independent: everything here resamples, flips and counts
queries. Values are fractions, 0 to 1. Formulas, by the names used below:

- Miller 2024, "Adding Error Bars to Evals": clustered errors, paired differences.
- Efron and Tibshirani 1993, "An Introduction to the Bootstrap": percentile intervals.
- Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 5: few observations make a bootstrap
  interval too narrow; both corrections used here are his.
- Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference": intervals of a rate.
- Kish 1965, "Survey Sampling": how many independent observations clustered ones are worth.
- Phipson and Smyth 2010, "Permutation P-values Should Never Be Zero".

NumPy is imported where it is used: who measures nothing pays nothing for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

#: How sure the intervals are.
CONFIDENCE: Final = 0.95
#: Another seed moves a bound by some fiftieth of the interval's width.
RESAMPLES: Final = 2000
#: With so few queries an interval would say nothing; none is given.
FEWEST: Final = 5
#: Queries that differ, up to which every one of the 2^n ways to flip them is tried.
_EXACT: Final = 14
#: Ways to flip that are drawn where there are too many to try.
_FLIPS: Final = 5_000
#: Numbers in memory at once while resampling: some 16 MB.
_AT_ONCE: Final = 1 << 20
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and the interval that it lies in with `CONFIDENCE`."""

    value: float
    #: None where there are too few queries, or all are alike, so that nothing can be said.
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """Means over one set of queries, to be resampled together: row by row what is summed, and how much of it."""

    #: One row per number, one column per query: the sum of its values.
    sums: Floats
    #: The same shape: how many values those are.
    counts: Floats

    @property
    def queries(self) -> int:
        return int(self.sums.shape[1])

    def values(self) -> Floats:
        """The mean of each row; NaN where a row has no values."""
        return _ratio(self.sums.sum(axis=1), self.counts.sum(axis=1))

    def present(self) -> NDArray[np.int64]:
        """How many queries each row has values for."""
        found: NDArray[np.int64] = (self.counts > 0).sum(axis=1)
        return found


def by_cluster(values: Floats, clusters: NDArray[np.int64], queries: int) -> tuple[Floats, Floats]:
    """Sum and count of the values of each query; NaN is no value."""
    import numpy as np

    there = ~np.isnan(values)
    sums = np.bincount(clusters[there], weights=values[there], minlength=queries).astype(np.float64)
    return sums, np.bincount(clusters[there], minlength=queries).astype(np.float64)


def resample(means: Means, *, seed: int, resamples: int = RESAMPLES) -> Floats:
    """Every row's mean in each of the resamples (rows by resamples), queries drawn with replacement.

    One draw of queries serves all rows, so that sums of rows keep what they have in common. Deviations are widened by
    sqrt(n / (n - 1)), the bias of a bootstrap's variance with n queries (Hesterberg 2015).
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    queries = means.queries
    value = means.values()[:, None]
    drawn = np.empty((len(means.sums), resamples))
    # Half the precision is a hundred-thousandth of any interval, and twice as fast.
    sums, counts = means.sums.astype(np.float32), means.counts.astype(np.float32)
    step = max(1, _AT_ONCE // max(queries, 1))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        picks = rng.integers(0, queries, size=(size, queries), dtype=np.int32)
        picks += np.arange(size, dtype=np.int32)[:, None] * queries
        times = np.bincount(picks.ravel(), minlength=size * queries).reshape(size, queries).astype(np.float32)
        drawn[:, start : start + size] = _ratio(sums @ times.T, counts @ times.T)
    widened: Floats = value + (drawn - value) * math.sqrt(queries / (queries - 1)) if queries > 1 else drawn
    return widened


def interval(value: float, drawn: Floats, freedom: float, *, least: float = 0.0, most: float = 1.0) -> Estimate:
    """The percentile interval of resampled values, within what the number can be.

    The percentiles are those of Student's t with `freedom` degrees (Hesterberg 2015): 2.5 and 97.5 for many queries,
    further out for few. No bounds with fewer than `FEWEST` - 1 degrees, and none where all resamples are equal.
    """
    import numpy as np

    kept = drawn[~np.isnan(drawn)]
    if freedom < FEWEST - 1 or not kept.size or np.ptp(kept) < 1e-12:
        return Estimate(value)
    tail = _NORMAL.cdf(-t_quantile(0.5 + CONFIDENCE / 2, freedom))
    low, high = np.quantile(kept, [tail, 1 - tail])
    return Estimate(value, max(least, float(low)), min(most, float(high)))


def mean_interval(values: Sequence[float], clusters: Sequence[int], *, seed: int = 0) -> Estimate:
    """The mean of values and its interval; `clusters` says which query each value belongs to."""
    import numpy as np

    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    sums, counts = by_cluster(np.asarray(values, dtype=np.float64), index.astype(np.int64), len(names))
    means = Means(sums[None, :], counts[None, :])
    return interval(float(means.values()[0]), resample(means, seed=seed)[0], len(names) - 1)


def freedom_of(variances: Mapping[str, float], queries: Mapping[str, int]) -> float:
    """Degrees of freedom of a sum of independent means (Welch 1947, Satterthwaite 1946)."""
    whole = sum(variances.values())
    if whole <= 0:
        return float(min(queries.values()) - 1)
    parts = sum(variance**2 / max(queries[name] - 1, 1e-9) for name, variance in variances.items())
    return whole**2 / parts


def t_quantile(probability: float, freedom: float) -> float:
    """Student's quantile, by the expansion of Abramowitz and Stegun 26.7.5 (0.3 % off at 4 degrees, less above)."""
    z = _NORMAL.inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def wilson(hits: float, of: float) -> Estimate:
    """A rate of independent observations with the score interval of Wilson 1927."""
    if of <= 0:
        raise ValueError("a rate of nothing")
    rate = hits / of
    z2 = _NORMAL.inv_cdf(0.5 + CONFIDENCE / 2) ** 2
    middle = (rate + z2 / (2 * of)) / (1 + z2 / of)
    half = math.sqrt(z2 * (rate * (1 - rate) / of + z2 / (4 * of * of))) / (1 + z2 / of)
    return Estimate(rate, max(0.0, middle - half), min(1.0, middle + half))


def clustered_rate(hits: Floats, of: Floats) -> Estimate | None:
    """A rate over queries with several replies each: hits and replies of each query. None where there are none.

    Wilson's interval with as many observations as the replies are worth: rate x (1 - rate) over the variance of the
    clustered rate (Kish 1965), at most the number of replies. Where all replies or none are hits there is no variance
    to go by, and a query counts as one observation.
    """
    import numpy as np

    total = float(of.sum())
    if total <= 0:
        return None
    rate = float(hits.sum()) / total
    queries = int(np.count_nonzero(of))
    worth = float(queries)
    if 0 < rate < 1:
        spread = float(((hits - rate * of) ** 2).sum()) / total**2 * queries / max(queries - 1, 1)
        worth = min(total, rate * (1 - rate) / spread) if spread > 0 else total
    found = wilson(rate * worth, worth)
    return Estimate(rate, found.low, found.high)


def sign_flip(differences: Floats, *, seed: int = 0) -> float:
    """Two-sided p-value of a sum of differences, one per query, if each could as well have had the other sign.

    Every combination is tried up to `_EXACT` queries that differ; beyond, so many are drawn that a p-value near 0.05
    is good to about 0.006, with the observed one counted among them (Phipson and Smyth 2010), so that it is never 0.
    """
    import numpy as np

    moved = differences[np.abs(differences) > 1e-12]
    if not moved.size:
        return 1.0
    # A hair less, so that the observed combination isn't lost to the order of addition.
    whole = float(moved.sum())
    observed = abs(whole) - 1e-6 * float(np.abs(moved).sum())
    if moved.size <= _EXACT:
        bits = (np.arange(2**moved.size)[:, None] >> np.arange(moved.size)) & 1
        return float(np.mean(np.abs((2.0 * bits - 1) @ moved) >= observed))
    rng = np.random.default_rng(seed)
    reached = 0
    step = max(1, _AT_ONCE // moved.size)
    narrow = moved.astype(np.float32)
    for start in range(0, _FLIPS, step):
        octets = rng.integers(0, 256, size=(min(step, _FLIPS - start), (moved.size + 7) // 8), dtype=np.uint8)
        half = np.unpackbits(octets, axis=1, count=moved.size).astype(np.float32) @ narrow
        # A sum with random signs is twice the sum of a random half, less the whole.
        reached += int(np.count_nonzero(np.abs(2 * half - whole) >= observed))
    return (reached + 1) / (_FLIPS + 1)


def spread(values: Sequence[float]) -> float | None:
    """The standard deviation over repeats (n - 1 in the denominator); None for fewer than two."""
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _ratio(above: NDArray[np.floating], below: NDArray[np.floating]) -> Floats:
    import numpy as np

    found: Floats = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found

"""How far raters agree: Krippendorff's alpha for ordinal values, and plain percentages.

Alpha is 1 less the disagreement that was observed over the one that chance would bring: 1 for perfect agreement, 0 for
none beyond chance, below 0 for less than that. Raters may be any number, and need not rate everything. Formulas and
names as in Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability" (his "any number of observers, any metric,
missing data" form); values of 0.8 and more are usually relied on, from 0.667 on tentative conclusions are drawn
(Krippendorff 2004, "Content Analysis", chapter 11).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from evals import statistics
from evals.statistics import Estimate

if TYPE_CHECKING:
    from evals.statistics import Floats

#: Resamples of questions for alpha's interval.
_RESAMPLES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of all raters of a set, over what at least two of them have rated."""

    raters: int
    #: Answers that at least two have rated.
    answers: int
    #: Pairs of ratings of one answer.
    pairs: int
    #: None where it can't be told: no pairs, or nothing but one and the same value.
    alpha: Estimate | None
    #: Of the pairs, 0 to 1: the same value; at most one apart; the same side of the pass mark.
    same: float | None
    near: float | None
    verdict: float | None


def agreement(units: Mapping[str, Sequence[Sequence[int]]], raters: int, passed: int) -> Agreement:
    """`units`: question → the values that each of its answers got, one per rater. `passed`: the lowest value that
    counts as passed. Alpha's interval resamples questions.
    """
    shared = {name: [values for values in answers if len(values) > 1] for name, answers in units.items()}
    pairs = [pair for answers in shared.values() for values in answers for pair in combinations(values, 2)]
    count = sum(map(len, shared.values()))
    if not pairs:
        return Agreement(raters, count, 0, None, None, None, None)
    return Agreement(
        raters,
        count,
        len(pairs),
        _estimate([answers for answers in shared.values() if answers]),
        sum(a == b for a, b in pairs) / len(pairs),
        sum(abs(a - b) <= 1 for a, b in pairs) / len(pairs),
        sum((a >= passed) == (b >= passed) for a, b in pairs) / len(pairs),
    )


def alpha(units: Collection[Sequence[int]]) -> float | None:
    """Krippendorff's alpha of ordinal values: for each unit those that it got. None where it isn't defined."""
    import numpy as np

    found = _alphas(_coincidences(units, _values(units))[None, :, :])
    return None if np.isnan(found[0]) else float(found[0])


def _estimate(questions: Sequence[Sequence[Sequence[int]]]) -> Estimate | None:
    import numpy as np

    every = [values for answers in questions for values in answers]
    value = alpha(every)
    if value is None:
        return None
    scale = _values(every)
    each = np.stack([_coincidences(answers, scale) for answers in questions])
    rng = np.random.default_rng(0)
    picks = rng.integers(0, len(each), size=(_RESAMPLES, len(each)))
    times = np.stack([np.bincount(row, minlength=len(each)) for row in picks]).astype(np.float64)
    drawn = _alphas(np.tensordot(times, each, axes=1))
    return statistics.interval(value, drawn, len(each) - 1, least=-1.0)


def _values(units: Collection[Sequence[int]]) -> list[int]:
    return sorted({value for values in units for value in values})


def _coincidences(units: Collection[Sequence[int]], scale: Sequence[int]) -> Floats:
    """o_ck: how often c and k meet in one unit, each of a unit's m values counting 1 in all."""
    import numpy as np

    place = {value: number for number, value in enumerate(scale)}
    found: Floats = np.zeros((len(scale), len(scale)))
    for values in units:
        if len(values) < 2:
            continue
        for first, one in enumerate(values):
            for second, other in enumerate(values):
                if first != second:
                    found[place[one], place[other]] += 1 / (len(values) - 1)
    return found


def _alphas(coincidences: Floats) -> Floats:
    """Alpha of each matrix of a stack; NaN where all values are one."""
    import numpy as np

    counts = coincidences.sum(axis=2)
    # Ordinal difference: the values from the one to the other, those two counting half (delta, squared below).
    reached = np.cumsum(counts, axis=1) - counts / 2
    deltas = (reached[:, :, None] - reached[:, None, :]) ** 2
    n = counts.sum(axis=1)
    observed = (coincidences * deltas).sum(axis=(1, 2))
    expected = (counts[:, :, None] * counts[:, None, :] * deltas).sum(axis=(1, 2))
    found: Floats = np.full(len(n), np.nan)
    np.divide(observed * (n - 1), expected, out=found, where=expected > 0)
    return 1 - found

"""Two runs over the same data, reply by reply: how far each number moved, its interval and its p-value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evals import statistics
from evals.kagentbench.items import METRICS, METRICS_OF, PROFILE_PROMPT, TYPES, WEIGHTS, Metric, Type
from evals.report.columns import Columns, TemplateColumns
from evals.report.rows import Number
from evals.report.summary import Summary
from evals.statistics import Estimate, Means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evals.statistics import Floats

#: A p-value below this is called a difference.
SURE = 0.05
#: What is compared: the six numbers, and two rates.
What = Number | Literal["unreadable", "right_tool"]
_Counts = Callable[[TemplateColumns], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Change:
    """One number in both runs, over what both have of it."""

    what: What
    #: "" for all.
    template: str
    #: 0 to 1.
    a: Estimate
    b: Estimate
    #: b - a, -1 to 1.
    difference: Estimate
    #: How often chance alone would make a difference at least this large, in either direction.
    p: float
    #: Queries that both runs answered: what the interval and the p-value go by.
    queries: int

    @property
    def sure(self) -> bool:
        return self.p < SURE


@dataclass(frozen=True, slots=True)
class Pair:
    """One type's replies that both runs have: place in `a` and place in `b` of each item."""

    a: Columns
    b: Columns
    places: Sequence[tuple[int, int]]
    #: Query of each pair, as `a` numbers them.
    clusters: NDArray[np.int64]
    queries: int

    def templates(self) -> list[str]:
        """Those that both runs have."""
        return [name for name in self.a.templates if name in self.b.templates]


def pairs_of(a: Summary, b: Summary) -> dict[Type, Pair]:
    """The items that both runs have, by type."""
    import numpy as np

    found = {}
    for kind in TYPES:
        if kind not in a.blocks or kind not in b.blocks:
            continue
        one, other = a.blocks[kind], b.blocks[kind]
        where = {name: place for place, name in enumerate(other.names)}
        places = [(place, where[name]) for place, name in enumerate(one.names) if name in where]
        if places:
            clusters = np.asarray([one.queries[place] for place, _ in places], dtype=np.int64)
            found[kind] = Pair(one, other, places, clusters, int(clusters.max()) + 1)
    return found


def shared(pair: Pair) -> int:
    """Replies that both runs have, counted once each."""
    return sum(
        bool(pair.a.templates[name].replies[mine] and pair.b.templates[name].replies[theirs])
        for name in pair.templates()
        for mine, theirs in pair.places
    )


def number_changes(pairs: Mapping[Type, Pair], seed: int) -> list[Change]:
    """The six numbers over the shared replies, each type's queries resampled on their own."""
    import numpy as np

    drawn: dict[Number, tuple[Floats, Floats]] = {}
    flips: dict[Number, list[Floats]] = {}
    sizes: dict[Number, dict[str, int]] = {}
    for place, (kind, pair) in enumerate(pairs.items()):
        sums, counts = [], []
        for metric in METRICS_OF[kind]:
            one, other = _item_scores(pair, metric)
            for row in (one, other, other - one):
                added, counted = statistics.by_cluster(row, pair.clusters, pair.queries)
                sums.append(added)
                counts.append(counted)
        means = Means(np.stack(sums), np.stack(counts))
        there = int(means.present()[0])
        if not there:
            continue
        values, draws = means.values(), statistics.resample(means, seed=seed * len(TYPES) + place)
        for row, metric in zip(range(0, len(sums), 3), METRICS_OF[kind], strict=True):
            drawn[metric] = (values[row : row + 3], draws[row : row + 3])
            flips[metric] = [means.sums[row + 2] / means.counts[row + 2].sum()]
            sizes[metric] = {kind: there}
    if all(metric in drawn for metric in METRICS):
        drawn["overall"] = (
            sum((WEIGHTS[metric] * drawn[metric][0] for metric in METRICS), start=np.zeros(3)),
            sum((WEIGHTS[metric] * drawn[metric][1] for metric in METRICS), start=np.zeros((3, 1))),
        )
        flips["overall"] = [
            sum((WEIGHTS[metric] * flips[metric][0] for metric in METRICS_OF[kind]), start=np.zeros(1))
            for kind in pairs
        ]
        sizes["overall"] = {kind: size for metric in METRICS for kind, size in sizes[metric].items()}
    return [
        _change(number, "", values, draws, np.concatenate(flips[number]), sizes[number], seed)
        for number, (values, draws) in drawn.items()
    ]


def _item_scores(pair: Pair, metric: Metric) -> Floats:
    """Score of each shared item in both runs: the mean over the templates that both have; NaN where none is."""
    import numpy as np

    above, below = np.zeros((2, len(pair.places))), np.zeros(len(pair.places))
    for name in pair.templates():
        both = np.asarray(
            [
                (pair.a.templates[name].scores[metric][mine], pair.b.templates[name].scores[metric][theirs])
                for mine, theirs in pair.places
            ]
        ).T
        there = ~np.isnan(both).any(axis=0)
        above[:, there] += both[:, there]
        below += there
    found: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _change(
    what: What, template: str, values: Floats, draws: Floats, flips: Floats, sizes: Mapping[str, int], seed: int
) -> Change:
    freedom = float(min(sizes.values()) - 1)
    a, b = (statistics.interval(float(values[row]), draws[row], freedom) for row in (0, 1))
    difference = statistics.interval(float(values[2]), draws[2], freedom, least=-1.0)
    return Change(what, template, a, b, difference, statistics.sign_flip(flips, seed=seed), sum(sizes.values()))


def rate_changes(pairs: Mapping[Type, Pair], seed: int) -> list[Change]:
    """Unreadable replies and right tools, in all and by template; queries of all types are one set."""
    import numpy as np

    kinds: tuple[tuple[What, _Counts, _Counts], ...] = (
        ("unreadable", lambda one: one.unreadable, lambda one: one.replies),
        ("right_tool", lambda one: one.right, lambda one: one.tools),
    )
    templates = list(dict.fromkeys(name for pair in pairs.values() for name in pair.templates()))
    shown = [name for name in templates if name != PROFILE_PROMPT]
    keys: list[tuple[What, str]] = []
    tables: list[Floats] = []
    for what, hits, of in kinds:
        each = {
            name: np.concatenate([_rate_sums(pair, name, hits, of) for pair in pairs.values()], axis=1)
            for name in templates
        }
        for name in ("", *shown):
            table = each[name] if name else np.sum(list(each.values()), axis=0)
            if table[2].any() and not (name and len(shown) == 1):
                keys.append((what, name))
                tables.append(table)
    if not tables:
        return []
    means = Means(np.concatenate([[table[1] - table[0]] for table in tables]), np.stack([table[2] for table in tables]))
    drawn = statistics.resample(means, seed=seed)
    found = []
    for (what, name), table, value, draws in zip(keys, tables, means.values(), drawn, strict=True):
        queries = int(np.count_nonzero(table[2]))
        a, b = (statistics.clustered_rate(table[row], table[2]) for row in (0, 1))
        if a is None or b is None:
            raise AssertionError("a rate of nothing was left out above")
        difference = statistics.interval(float(value), draws, queries - 1, least=-1.0)
        p = statistics.sign_flip(table[1] - table[0], seed=seed)
        found.append(Change(what, name, a, b, difference, p, queries))
    return found


def _rate_sums(
    pair: Pair,
    name: str,
    hits: _Counts,
    of: _Counts,
) -> Floats:
    """By query: the rate in `a` and in `b`, summed over the replies that both have, and how many those are."""
    import numpy as np

    found: Floats = np.zeros((3, pair.queries))
    if name not in pair.a.templates or name not in pair.b.templates:
        return found
    sides = [(hits(run.templates[name]), of(run.templates[name])) for run in (pair.a, pair.b)]
    for query, places in zip(pair.clusters, pair.places, strict=True):
        counts = [side[1][place] for side, place in zip(sides, places, strict=True)]
        if all(counts):
            found[0, query] += sides[0][0][places[0]] / counts[0]
            found[1, query] += sides[1][0][places[1]] / counts[1]
            found[2, query] += 1
    return found

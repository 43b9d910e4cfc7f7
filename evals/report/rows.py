"""The numbers of a run's tables: every score and rate with its interval, by type, template and language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from agent.language import Lang
from evals import statistics
from evals.kagentbench.items import METRICS, METRICS_OF, PROFILE_PROMPT, TYPES, WEIGHTS, Metric, Type
from evals.report.columns import Columns, TemplateColumns
from evals.statistics import Estimate, Means

if TYPE_CHECKING:
    from evals.statistics import Floats

#: The five numbers and what they add up to.
Number = Metric | Literal["overall"]
NUMBERS: Final[tuple[Number, ...]] = (*METRICS, "overall")


@dataclass(frozen=True, slots=True)
class Row:
    """One number, of all replies or of those with one template, or to queries in one language."""

    number: Number
    #: "" for all.
    template: str = ""
    lang: Lang | Literal[""] = ""
    items: int = 0
    replies: int = 0
    #: The size that the intervals go by: replies to one query count together.
    queries: int = 0
    #: 0 to 1; None where `overall` lacks a number.
    score: Estimate | None = None
    #: Replies that nothing could be read from, of all.
    unreadable: Estimate | None = None
    #: Replies with a golden's tool, of those that call for one; None where none does.
    right_tool: Estimate | None = None
    #: Replies that the published scorer would have died on.
    raised: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """One type's share of a row: what is looked at of its items."""

    columns: Columns
    #: "" for all.
    template: str
    #: Which items count, by their place.
    chosen: list[bool]

    def scores(self, metric: Metric) -> Sequence[float]:
        """Score of each item that counts; NaN for the others."""
        source = self.columns.templates[self.template] if self.template else self.columns
        return [score if take else float("nan") for score, take in zip(source.scores[metric], self.chosen, strict=True)]

    def counts(self, of: Callable[[TemplateColumns], Sequence[int]]) -> list[int]:
        """Of each item, 0 where it does not count."""
        found = [0] * len(self.chosen)
        for name, one in self.columns.templates.items():
            if self.template and name != self.template:
                continue
            for place, count in enumerate(of(one)):
                if self.chosen[place]:
                    found[place] += count
        return found


class _Scores:
    """Resampled scores, one set of draws of queries per type for all rows, so that what belongs together moves so."""

    def __init__(self) -> None:
        self._parts: dict[tuple[Number, str, str], tuple[Estimate, Floats, int, Type]] = {}

    def add(self, columns: Columns, seed: int, slices: Sequence[tuple[str, Lang | Literal[""]]]) -> None:
        """Draw all slices of one type."""
        import numpy as np

        clusters = np.asarray(columns.queries, dtype=np.int64)
        queries = int(clusters.max()) + 1
        keys: list[tuple[Metric, str, str]] = []
        sums: list[Floats] = []
        counts: list[Floats] = []
        for template, lang in slices:
            part = _part(columns, template, lang)
            for metric in METRICS_OF[columns.type]:
                values = np.asarray(part.scores(metric), dtype=np.float64)
                added, counted = statistics.by_cluster(values, clusters, queries)
                keys.append((metric, template, lang))
                sums.append(added)
                counts.append(counted)
        means = Means(np.stack(sums), np.stack(counts))
        drawn = statistics.resample(means, seed=seed)
        for key, value, present, draws in zip(keys, means.values(), means.present(), drawn, strict=True):
            if present:
                estimate = statistics.interval(float(value), draws, int(present) - 1)
                self._parts[key] = (estimate, draws, int(present), columns.type)

    def score(self, number: Number, template: str, lang: str) -> Estimate | None:
        """The score of one slice; None where it has no values, or `overall` lacks one of its five."""
        import numpy as np

        if number != "overall":
            found = self._parts.get((number, template, lang))
            return found[0] if found else None
        parts = {metric: self._parts.get((metric, template, lang)) for metric in METRICS}
        value = 0.0
        by_type: dict[str, Floats] = {}
        queries: dict[str, int] = {}
        for metric, part in parts.items():
            if part is None:
                return None
            estimate, draws, present, kind = part
            value += WEIGHTS[metric] * estimate.value
            by_type[kind] = WEIGHTS[metric] * draws + by_type.get(kind, 0.0)
            queries[kind] = present
        # A resample may lack the slice altogether.
        variances = {kind: float(np.nanvar(draws)) for kind, draws in by_type.items()}
        freedom = statistics.freedom_of(variances, queries)
        if min(queries.values()) < statistics.FEWEST:
            freedom = 0.0
        whole: Floats = sum(by_type.values(), start=next(iter(by_type.values())) * 0.0)
        return statistics.interval(value, whole, freedom)


def rows_of(blocks: Mapping[Type, Columns], *, seed: int = 0) -> tuple[Row, ...]:
    """All rows of a run's tables. Under half a second of one core for 3,000 items; NumPy is imported."""
    present = [kind for kind in TYPES if kind in blocks and blocks[kind].names]
    scores = _Scores()
    for place, kind in enumerate(TYPES):
        if kind in present:
            slices = [(template, lang) for template, lang in _slices({kind: blocks[kind]}) if not (template and lang)]
            scores.add(blocks[kind], seed * len(TYPES) + place, slices)
    rows = []
    for template, lang in _slices({kind: blocks[kind] for kind in present}):
        for number in NUMBERS:
            kinds = [kind for kind in present if number == "overall" or number in METRICS_OF[kind]]
            parts = [_part(blocks[kind], template, lang) for kind in kinds if _has(blocks[kind], template, lang)]
            if parts:
                rows.append(_row(number, template, lang, parts, scores.score(number, template, lang)))
    return tuple(rows)


def _slices(blocks: Mapping[Type, Columns]) -> Iterator[tuple[str, Lang | Literal[""]]]:
    yield "", ""
    for template in dict.fromkeys(name for columns in blocks.values() for name in columns.templates):
        # The one prompt of a profile is no template.
        if template != PROFILE_PROMPT:
            yield template, ""
    langs: tuple[Lang, ...] = ("en", "zh")
    for lang in langs:
        if any(lang in columns.langs for columns in blocks.values()):
            yield "", lang


def _has(columns: Columns, template: str, lang: str) -> bool:
    return (not template or template in columns.templates) and (not lang or lang in columns.langs)


def _part(columns: Columns, template: str, lang: str) -> _Part:
    chosen = [not lang or own == lang for own in columns.langs]
    if template:
        chosen = [take and bool(count) for take, count in zip(chosen, columns.templates[template].replies, strict=True)]
    return _Part(columns, template, chosen)


def _row(
    number: Number, template: str, lang: Lang | Literal[""], parts: Sequence[_Part], score: Estimate | None
) -> Row:
    return Row(
        number,
        template,
        lang,
        items=sum(sum(part.chosen) for part in parts),
        replies=sum(sum(part.counts(lambda one: one.replies)) for part in parts),
        queries=sum(
            len({query for query, take in zip(part.columns.queries, part.chosen, strict=True) if take})
            for part in parts
        ),
        score=score,
        unreadable=_rate(parts, lambda one: one.unreadable, lambda one: one.replies),
        right_tool=_rate(parts, lambda one: one.right, lambda one: one.tools),
        raised=sum(sum(part.counts(lambda one: one.raised)) for part in parts)
        + sum(part.columns.raised for part in parts if not template and not lang),
    )


def _rate(
    parts: Sequence[_Part],
    hits: Callable[[TemplateColumns], Sequence[int]],
    of: Callable[[TemplateColumns], Sequence[int]],
) -> Estimate | None:
    import numpy as np

    found_hits: list[Floats] = []
    found_of: list[Floats] = []
    for part in parts:
        clusters = np.asarray(part.columns.queries, dtype=np.int64)
        for found, counts in ((found_hits, part.counts(hits)), (found_of, part.counts(of))):
            found.append(np.bincount(clusters, weights=np.asarray(counts, dtype=np.float64)).astype(np.float64))
    return statistics.clustered_rate(np.concatenate(found_hits), np.concatenate(found_of))

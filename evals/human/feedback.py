"""Live feedback from chats by agent system and model: other questions in every row, so not to be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from agent.language import Lang, Text
from evals import statistics
from evals.human.sets import HIGHEST, LOWEST, PASS
from evals.report import grid
from evals.report.grid import Grid
from evals.report.words import MISSING
from evals.statistics import Estimate

_TITLE = Text("Live feedback from chats", "聊天中的实时反馈")
_WARNING = Text(
    "DIFFERENT questions in every row, asked by whoever asked and rated by whoever felt like it: rows can't be "
    "compared with each other, nor with the table of a rated set.",
    "各行的问题并不相同，由用户随意提出、自愿评价：各行之间不可比较，也不能与评分组的表格比较。",
)
_RULE = Text(
    "Pass: rating ≥ {passed} of {lowest}–{highest}. 95 % intervals, clustered by conversation.",
    "通过：评分 ≥ {passed}（范围 {lowest}–{highest}）。95% 区间按对话聚类。",
)
_NONE = Text("Nobody has rated an answer in a chat yet.", "聊天中还没有人评价过回答。")
_HEAD = (
    Text("System", "系统"),
    Text("Model", "模型"),
    Text("Thumbs n", "点赞/踩 n"),
    Text("Thumbs up %", "点赞率 %"),
    Text("Ratings n", "评分 n"),
    Text("Pass rate %", "通过率 %"),
    Text("Mean rating", "平均分"),
)


class Given(Protocol):
    """One person's rating of one answer."""

    @property
    def style(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def value(self) -> int: ...
    @property
    def rating(self) -> int | None: ...
    @property
    def conversation_id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One system with one model; "" where that isn't known."""

    system: str
    model: str
    thumbs: int
    #: Of the thumbs, 0 to 1; None where there are none.
    up: Estimate | None
    ratings: int
    passed: Estimate | None
    #: `LOWEST` to `HIGHEST`.
    score: Estimate | None


def rows_of(given: Iterable[Given], passed: int = PASS) -> tuple[Row, ...]:
    """One row for each system and model, by name. NumPy is imported."""
    groups: dict[tuple[str, str], list[Given]] = defaultdict(list)
    for one in given:
        groups[one.style, one.model].append(one)
    return tuple(_row(*key, groups[key], passed) for key in sorted(groups))


def tables(rows: Sequence[Row], lang: Lang, *, as_markdown: bool = False, passed: int = PASS) -> str:
    """Title, warning and table."""
    if not rows:
        return _NONE.say(lang)
    drawn = Grid(tuple(one.say(lang) for one in _HEAD), tuple(map(_cells, rows)), "", frozenset((1,)))
    table = grid.markdown(drawn) if as_markdown else grid.text(drawn)
    title = f"**{_TITLE.say(lang)}**" if as_markdown else _TITLE.say(lang)
    rule = _RULE.say(lang, passed=passed, lowest=LOWEST, highest=HIGHEST)
    return "\n\n".join([title, _WARNING.say(lang), table, rule])


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as JSON."""
    return [asdict(row) for row in rows]


def _row(system: str, model: str, given: Sequence[Given], passed: int) -> Row:
    thumbs = [(one.conversation_id, one.value > 0) for one in given if one.value]
    ratings = [(one.conversation_id, one.rating) for one in given if one.rating is not None]
    score = None
    if ratings:
        width = HIGHEST - LOWEST
        found = statistics.mean_interval([(value - LOWEST) / width for _, value in ratings], [at for at, _ in ratings])
        bounds = (None if bound is None else LOWEST + width * bound for bound in (found.low, found.high))
        score = Estimate(LOWEST + width * found.value, *bounds)
    rate = _rate([(place, value >= passed) for place, value in ratings])
    return Row(system, model, len(thumbs), _rate(thumbs), len(ratings), rate, score)


def _rate(found: Sequence[tuple[int, bool]]) -> Estimate | None:
    """The share of hits, with as much certainty as so many conversations give."""
    import numpy as np

    hits: dict[int, int] = defaultdict(int)
    counts: dict[int, int] = defaultdict(int)
    for place, hit in found:
        hits[place] += hit
        counts[place] += 1
    of = np.array([counts[place] for place in counts], dtype=np.float64)
    return statistics.clustered_rate(np.array([hits[place] for place in counts], dtype=np.float64), of)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        grid.name(row.system) or MISSING,
        grid.name(row.model) or MISSING,
        str(row.thumbs),
        _said(row.up, 100, 1),
        str(row.ratings),
        _said(row.passed, 100, 1),
        _said(row.score, 1, 2),
    )


def _said(estimate: Estimate | None, times: int, digits: int) -> str:
    if estimate is None:
        return MISSING
    value = f"{times * estimate.value:.{digits}f}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({times * estimate.low:.{digits}f}–{times * estimate.high:.{digits}f})"

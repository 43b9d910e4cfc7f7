"""Two runs over the same data: what changed, whether it could be chance, in words and in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent.language import Lang, Text
from evals.report import grid, words
from evals.report.grid import Grid
from evals.report.paired import SURE, Change, What, number_changes, pairs_of, rate_changes, shared
from evals.report.rows import NUMBERS
from evals.report.summary import Summary

_NUMBER: Final[Mapping[str, Text]] = dict(words.NUMBER.items())
_WHAT: Final[Mapping[str, Text]] = {"unreadable": words.UNREADABLE, "right_tool": words.RIGHT_TOOL, **_NUMBER}
#: The same within a sentence.
_NAMED: Final[Mapping[str, Text]] = {
    **_NUMBER,
    "unreadable": Text("unreadable replies", "无法解析"),
    "right_tool": Text("right tools", "工具正确"),
}
_HEAD = Text("{a} → {b}", "{a} → {b}")
_OTHER_DATA = Text(
    "These runs are of different data files, so their numbers can't be compared.",
    "这两次运行使用的数据文件不同，结果无法比较。",
)
_NOTHING = Text("These runs have no reply in common to compare.", "这两次运行没有可供比较的共同回复。")
_BETTER = Text(
    "{what} is better: {b} against {a} ({difference} points, 95 % interval {interval}, {p}, n = {queries} queries).",
    "{what}有提高：{a} → {b}（{difference} 分，95% 区间 {interval}，{p}，n = {queries} 个问题）。",
)
_WORSE = Text(
    "{what} is worse: {b} against {a} ({difference} points, 95 % interval {interval}, {p}, n = {queries} queries).",
    "{what}有下降：{a} → {b}（{difference} 分，95% 区间 {interval}，{p}，n = {queries} 个问题）。",
)
_LESS_UNREADABLE = Text(
    "Fewer replies are unreadable: {b} % against {a} % ({difference} points, 95 % interval {interval}, {p}, "
    "n = {queries} queries).",
    "无法解析的回复减少：{a}% → {b}%（{difference} 个百分点，95% 区间 {interval}，{p}，n = {queries} 个问题）。",
)
_MORE_UNREADABLE = Text(
    "More replies are unreadable: {b} % against {a} % ({difference} points, 95 % interval {interval}, {p}, "
    "n = {queries} queries).",
    "无法解析的回复增多：{a}% → {b}%（{difference} 个百分点，95% 区间 {interval}，{p}，n = {queries} 个问题）。",
)
_MORE_RIGHT = Text(
    "The right tool is chosen more often: {b} % against {a} % ({difference} points, 95 % interval {interval}, {p}, "
    "n = {queries} queries).",
    "选对工具的比例提高：{a}% → {b}%（{difference} 个百分点，95% 区间 {interval}，{p}，n = {queries} 个问题）。",
)
_LESS_RIGHT = Text(
    "The right tool is chosen less often: {b} % against {a} % ({difference} points, 95 % interval {interval}, {p}, "
    "n = {queries} queries).",
    "选对工具的比例下降：{a}% → {b}%（{difference} 个百分点，95% 区间 {interval}，{p}，n = {queries} 个问题）。",
)
#: By what is compared: what is said of more of it, and of less.
_SURE: Final[Mapping[str, tuple[Text, Text]]] = {
    "unreadable": (_MORE_UNREADABLE, _LESS_UNREADABLE),
    "right_tool": (_MORE_RIGHT, _LESS_RIGHT),
}
_UNSURE = Text(
    "No difference in {what} can be told from n = {queries} queries ({difference} points, 95 % interval {interval}, "
    "{p}).",
    "仅凭 n = {queries} 个问题，看不出“{what}”有差别（{difference} 分，95% 区间 {interval}，{p}）。",
)
_ALL_UNSURE = Text("Nor in: {what}.", "以下各项同样看不出差别：{what}。")
_HOW = Text(
    "Paired by query over the replies that both runs have; p: how often chance alone would move a number at least so "
    "far. Of {tests} numbers looked at, about {luck} would fall below p = {sure} by luck.",
    "按问题配对，只比较两次运行都有的回复；p 表示纯属偶然也会有这么大变化的概率。"
    "同时看 {tests} 个数值，约有 {luck} 个会因运气低于 p = {sure}。",
)
_ONLY = Text(
    "Left out, because the other run lacks them: {a} replies of the first and {b} of the second.",
    "因另一次运行缺失而未计入：第一次的 {a} 条和第二次的 {b} 条回复。",
)
_FIRST = Text("First", "前一次")
_SECOND = Text("Second", "后一次")
_DIFFERENCE = Text("Difference", "差值")
_P = Text("p", "p 值")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from run `a` to run `b`."""

    #: Mark and model.
    a: str
    b: str
    #: () where nothing can be compared.
    changes: tuple[Change, ...]
    #: Replies that one run has and the other has not; they are left out.
    only_a: int = 0
    only_b: int = 0
    same_data: bool = True

    def of(self, what: What) -> Change | None:
        """The change of one number over all templates."""
        return next((one for one in self.changes if one.what == what and not one.template), None)


def compare(a: Summary, b: Summary, *, seed: int = 0) -> Comparison:
    """Paired by item and template; queries are what is resampled and flipped. Up to a second of CPU for 3,000 items.

    Runs over other data share nothing: there is nothing to compare, and `same_data` says so.
    """
    same = not (a.data_sha256 and b.data_sha256) or a.data_sha256 == b.data_sha256
    names = tuple(f"{one.mark}{one.model}" for one in (a, b))
    pairs = pairs_of(a, b) if same else {}
    common = sum(shared(pair) for pair in pairs.values())
    changes = (*number_changes(pairs, seed), *rate_changes(pairs, seed)) if common else ()
    kept = tuple(sum(_kinds(one)) for one in (a, b))
    return Comparison(names[0], names[1], changes, kept[0] - common, kept[1] - common, same)


def _kinds(found: Summary) -> list[int]:
    """Answered (item, template) pairs of each type."""
    return [
        sum(reply > 0 for one in columns.templates.values() for reply in one.replies)
        for columns in found.blocks.values()
    ]


def verdict(comparison: Comparison, lang: Lang) -> list[str]:
    """In plain words: the overall number first, then whatever else surely changed, then what didn't."""
    if not comparison.same_data:
        return [_OTHER_DATA.say(lang)]
    if not comparison.changes:
        return [_NOTHING.say(lang)]
    whole = [one for one in comparison.changes if not one.template]
    whole.sort(key=lambda one: _order(one))
    said = [_sentence(one, lang) for one in whole if one.sure]
    unsure = [one for one in whole if not one.sure]
    if unsure:
        said.insert(0 if unsure[0].what == "overall" else len(said), _sentence(unsure[0], lang))
        others = ("、" if lang == "zh" else ", ").join(_NAMED[one.what].say(lang) for one in unsure[1:])
        if others:
            said.append(_ALL_UNSURE.say(lang, what=others))
    luck = f"{SURE * len(whole):.1f}"
    said.append(_HOW.say(lang, tests=len(whole), luck=luck, sure=SURE))
    if comparison.only_a or comparison.only_b:
        said.append(_ONLY.say(lang, a=words.count(comparison.only_a), b=words.count(comparison.only_b)))
    return said


def _order(change: Change) -> int:
    order = ["overall", *NUMBERS, "right_tool", "unreadable"]
    return order.index(change.what)


def _sentence(change: Change, lang: Lang) -> str:
    fields = {
        "what": _NAMED[change.what].say(lang),
        "a": words.points(change.a.value),
        "b": words.points(change.b.value),
        "difference": signed(change.difference.value),
        "interval": signed_between(change, lang),
        "p": p_value(change.p),
        "queries": words.count(change.queries),
    }
    if not change.sure:
        return _UNSURE.say(lang, **fields)
    more, less = _SURE.get(change.what, (_BETTER, _WORSE))
    return (more if change.difference.value > 0 else less).say(lang, **fields)


def signed(value: float) -> str:
    """A difference times 100 with its sign: `+1.20`, `−0.30`."""
    shown = f"{abs(100 * value):.2f}"
    if float(shown) == 0:
        return "0.00"
    return ("+" if value > 0 else "−") + shown


def signed_between(change: Change, lang: Lang) -> str:
    """The interval of a difference: `−0.3 to +2.7`."""
    low, high = change.difference.low, change.difference.high
    if low is None or high is None:
        return words.MISSING
    bounds = [f"{100 * bound:+.1f}".replace("-", "−") for bound in (low, high)]
    return (" 至 " if lang == "zh" else " to ").join(bounds)


def p_value(p: float) -> str:
    """As people write it: `p = 0.034`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def numbers(comparison: Comparison, lang: Lang) -> Grid:
    """The six numbers and the two rates, both runs side by side with their intervals."""
    whole = sorted((one for one in comparison.changes if not one.template), key=_order)
    return _grid(comparison, [(_WHAT[one.what].say(lang), one) for one in whole], words.NUMBER_HEAD, lang)


def by_template(comparison: Comparison, lang: Lang) -> Grid:
    """The two rates, template by template."""
    rows = sorted((one for one in comparison.changes if one.template), key=_order)
    return _grid(
        comparison,
        [
            (f"{_WHAT[one.what].say(lang)}{'：' if lang == 'zh' else ': '}{grid.name(one.template)}", one)
            for one in rows
        ],
        words.BY_TEMPLATE,
        lang,
    )


def _grid(comparison: Comparison, rows: Sequence[tuple[str, Change]], name: Text, lang: Lang) -> Grid:
    return Grid(
        head=(
            name.say(lang),
            *(one.say(lang) for one in (_FIRST, _SECOND, _DIFFERENCE, words.INTERVAL, _P, words.QUERIES)),
        ),
        rows=tuple(
            (
                label,
                words.score(one.a),
                words.score(one.b),
                signed(one.difference.value),
                signed_between(one, lang),
                p_value(one.p).removeprefix("p = ").removeprefix("p "),
                words.count(one.queries),
            )
            for label, one in rows
        ),
        title=_HEAD.say(lang, a=grid.name(comparison.a), b=grid.name(comparison.b)),
    )


def grids(comparison: Comparison, lang: Lang) -> list[Grid]:
    """Both tables, as far as they have rows."""
    return [one for one in (numbers(comparison, lang), by_template(comparison, lang)) if one.rows]


def brief(comparison: Comparison, lang: Lang) -> str:
    """What a chat has room for, as Markdown: the words alone."""
    return "\n".join(f"- {grid.escaped(one)}" for one in verdict(comparison, lang))


def markdown(comparison: Comparison, lang: Lang) -> str:
    """Tables, then the words, as Markdown."""
    return "\n\n".join([*map(grid.markdown, grids(comparison, lang)), brief(comparison, lang)])


def text(comparison: Comparison, lang: Lang) -> str:
    """The same for a terminal."""
    return "\n\n".join([*map(grid.text, grids(comparison, lang)), "\n".join(verdict(comparison, lang))])

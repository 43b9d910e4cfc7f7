"""Words of the report, in both languages, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.language import Lang, Text
from evals.report.rows import Number
from evals.statistics import Estimate

#: What a missing number is shown as, in the published line, too.
MISSING: Final = "-"

NUMBER: Final[Mapping[Number, Text]] = {
    "plan": Text("plan", "规划 plan"),
    "tooluse": Text("tooluse", "工具使用 tooluse"),
    "reflextion": Text("reflextion", "反思 reflextion"),
    "conclusion": Text("conclusion", "总结 conclusion"),
    "profile": Text("profile", "人设 profile"),
    "overall": Text("overall", "总分 overall"),
}
LANG: Final[Mapping[Lang, Text]] = {"en": Text("English", "英文"), "zh": Text("Chinese", "中文")}

NUMBER_HEAD = Text("Number", "指标")
TEMPLATE_HEAD = Text("Template", "模板")
LANG_HEAD = Text("Language of the query", "问题语言")
MODEL_HEAD = Text("Model", "模型")
SCORE = Text("Score", "得分")
INTERVAL = Text("95 % interval", "95% 区间")
ITEMS = Text("Items", "条目数")
QUERIES = Text("Queries", "问题数")
REPLIES = Text("Replies", "回复数")
UNREADABLE = Text("Unreadable", "无法解析")
RIGHT_TOOL = Text("Right tool", "工具正确")
BY_NUMBER = Text("By type", "按类型")
BY_TEMPLATE = Text("By template", "按模板")
BY_LANG = Text("By language", "按语言")


def points(value: float | None) -> str:
    """A score as the published line has it: times 100, two decimals."""
    return MISSING if value is None else f"{100 * value:.2f}"


def score(estimate: Estimate | None) -> str:
    """A score with its interval: `31.64 (28.1–35.2)`."""
    if estimate is None:
        return MISSING
    bounds = between(estimate)
    return points(estimate.value) if bounds == MISSING else f"{points(estimate.value)} ({bounds})"


def between(estimate: Estimate | None) -> str:
    """The interval alone, times 100: `28.1–35.2`."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return MISSING
    return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}"


def rate(estimate: Estimate | None, lang: Lang) -> str:
    """A rate in per cent with its interval: `12.5 % (8.1–18.9)`."""
    if estimate is None:
        return MISSING
    sign = "%" if lang == "zh" else " %"
    return f"{100 * estimate.value:.1f}{sign} ({between(estimate)})"


def short_rate(estimate: Estimate | None, lang: Lang) -> str:
    """The same in whole per cent: `13 % (8–19)`."""
    if estimate is None:
        return MISSING
    whole = f"{100 * estimate.value:.0f}{'%' if lang == 'zh' else ' %'}"
    if estimate.low is None or estimate.high is None:
        return whole
    return f"{whole} ({100 * estimate.low:.0f}–{100 * estimate.high:.0f})"


def count(number: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{number:,}"


def duration(seconds: float, lang: Lang) -> str:
    """Seconds in the units that fit."""
    if seconds < 60:
        return f"{seconds:.1f} 秒" if lang == "zh" else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if lang == "zh":
        return f"{hours} 小时 {minutes} 分" if hours else f"{minutes} 分 {rest} 秒"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"

"""The report of a benchmark as one HTML file (`evals.report.document`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.language import Lang, Text
from evals.report import compare, document, leaderboard, table, words
from evals.report.charts import Charts
from evals.report.compare import Comparison
from evals.report.summary import Summary
from evals.report.viewing import View, viewer

_TITLE = Text("KAgentBench report", "KAgentBench 报告")
_MARKS = Text(
    "Marked because it is not a complete, unconstrained run over a file in the official form: it is not comparable "
    "with the published rows.",
    "带有标记，说明它不是在官方格式文件上完整、无约束的运行，不能与官方公布的结果比较。",
)
_NOTES = Text("Notes", "说明")
_COMPARISON = Text("Difference", "变化")
_RADAR = Text("Radar chart of the five numbers; they are in the table, too.", "五项得分的雷达图，数值见表格。")
_BARS = Text(
    "Bars of all numbers with their intervals; they are in the tables, too.", "各项得分及区间的条形图，数值见表格。"
)
_ITEMS = Text("Items", "条目")

#: What the viewer says.
_VIEWER: Final = {
    **document.VIEWER,
    "type": Text("Type", "类型"),
    "template": words.TEMPLATE_HEAD,
    "search": Text("Search query or id", "搜索问题或编号"),
    "unreadable": Text("unreadable", "无法解析"),
    "wrong": Text("wrong tool", "工具错误"),
    "raised": Text("published scorer ends", "会使官方评分程序中止"),
    "worst": Text("lowest score first", "得分从低到高"),
    "best": Text("highest score first", "得分从高到低"),
    "found": Text("{n} of {all} items", "共 {all} 条，符合 {n} 条"),
    "none": Text("No item is like this.", "没有符合条件的条目。"),
    "choose": Text(
        "Choose an item to see its prompts, replies and goldens.", "选择一个条目，查看提示词、回复和标准答案。"
    ),
    "read": Text("What was read", "解析结果"),
    "thought": Text("thought", "思考 thought"),
    "tool": Text("tool", "工具 tool"),
    "args": Text("arguments", "参数 args"),
    "goldens": Text("Goldens ({n})", "标准答案（{n}）"),
    "more": Text("{n} more are not shown.", "另有 {n} 条未显示。"),
    "raises": Text("The published scorer ends here: {why}", "官方评分程序会在此中止：{why}"),
    "right": Text("right tool", "工具正确"),
    **{f"number_{number}": said for number, said in words.NUMBER.items()},
}


def html(
    summary: Summary,
    lang: Lang,
    *,
    charts: Charts | None = None,
    comparison: Comparison | None = None,
    manifest: Mapping[str, Any] | None = None,
    views: Iterable[View] = (),
) -> str:
    """The whole page, in both languages, with `lang` shown first.

    Without `views` it has no list of items. Some 0.1 s of CPU per 100 items: not for an event loop.
    """
    data = viewer(views)
    title = f"{summary.mark}{summary.model} · {_TITLE.say(lang)}"
    pictures = () if charts is None else ((charts.radar, _RADAR), (charts.bars, _BARS))

    def article(one: Lang) -> str:
        parts = [_top(one, summary), document.charts(pictures, one)]
        parts += [document.section(grid.title, document.table(grid)) for grid in table.grids(summary, one)]
        notes = table.notes(summary, one) + (leaderboard.notes([summary], one) if summary.comparable else [])
        parts.append(document.section(_NOTES.say(one), document.bullets(notes)))
        if comparison:
            parts.append(document.section(_COMPARISON.say(one), _difference(comparison, one)))
        if data["index"]:
            parts.append(document.items(_ITEMS.say(one), one))
        return "".join([*parts, document.manifest(manifest, one)])

    return document.document(lang, title, article, data, _VIEWER)


def _top(lang: Lang, summary: Summary) -> str:
    facts = (
        f"{summary.spec.data.name} · {_ITEMS.say(lang)}: {words.count(summary.items)} · "
        f"{words.REPLIES.say(lang)}: {words.count(summary.replies)}"
    )
    why = _MARKS.say(lang)
    return document.top(lang, _TITLE.say(lang), summary.model, summary.line, summary.mark, why, facts)


def _difference(comparison: Comparison, lang: Lang) -> str:
    grids = (
        f"<h3>{document.escaped(grid.title)}</h3>{document.table(grid)}" for grid in compare.grids(comparison, lang)
    )
    return document.bullets(compare.verdict(comparison, lang)) + "".join(grids)

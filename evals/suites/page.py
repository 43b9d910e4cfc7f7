"""The report of a suite's run as one HTML file (`evals.report.document`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.language import Lang, Text
from evals.report import document, words
from evals.report.charts import Charts
from evals.suites import report
from evals.suites.results import difference
from evals.suites.summary import SuiteSummary
from evals.suites.viewing import CaseView, viewer

_TITLE = Text("Report of an own suite", "自有测试集报告")
_MARKS = Text(
    "Marked because cases were left out or not answered, or because replies were held to a schema.",
    "带有标记，说明有用例未抽中或未得到回答，或者回复受到格式约束。",
)
_NOTES = Text("Notes", "说明")
_COMPARISON = Text("Difference", "变化")
_BARS = Text(
    "Bars of the pass rates with their intervals; they are in the tables, too.", "通过率及区间的条形图，数值见表格。"
)
_CASES = Text("Cases", "用例")
_REPEATS = Text("Asked {times} times; pass rates: {rates}. Tables and cases are those of the first time.",
                "共提问 {times} 次，通过率依次为 {rates}。表格与用例为第一次的结果。")  # fmt: skip

#: What the viewer says.
_VIEWER: Final = {
    **document.VIEWER,
    "template": Text("Check", "检查"),
    "search": Text("Search question or id", "搜索问题或编号"),
    "passed": Text("passed", "通过"),
    "failed": Text("failed", "未通过"),
    "undecided": Text("undecided", "未判定"),
    "worst": Text("failed first", "未通过的在前"),
    "best": Text("passed first", "通过的在前"),
    "found": Text("{n} of {all} cases", "共 {all} 个用例，符合 {n} 个"),
    "none": Text("No case is like this.", "没有符合条件的用例。"),
    "choose": Text(
        "Choose a case to see its prompt, the reply and what each check found.",
        "选择一个用例，查看提示词、回复和各项检查的结论。",
    ),
    "checks": Text("Checks", "检查"),
    "notes": Text("Notes", "备注"),
    "failure": Text("The model gave no reply: {why}", "模型没有给出回复：{why}"),
}


def html(
    summary: SuiteSummary,
    lang: Lang,
    *,
    charts: Charts | None = None,
    earlier: SuiteSummary | None = None,
    manifest: Mapping[str, Any] | None = None,
    views: Iterable[CaseView] = (),
) -> str:
    """The whole page, in both languages, with `lang` shown first. `earlier`: a run to compare with.

    Without `views` it has no list of cases. Not for an event loop.
    """
    data = viewer(views)
    evaluation = summary.evaluations[0]
    outcomes = [report.outcomes(one.evaluations[0]) for one in (earlier, summary) if one is not None]
    changed = difference(*outcomes) if earlier else None

    def article(one: Lang) -> str:
        parts = [_top(one, summary), document.charts([(charts.bars, _BARS)] if charts else [], one)]
        parts += [document.section(grid.title, document.table(grid)) for grid in report.grids(evaluation, one)]
        parts.append(document.section(_NOTES.say(one), document.bullets(_notes(summary, one))))
        if changed and earlier:
            said = report.compared(changed, earlier.line, one)
            parts.append(document.section(_COMPARISON.say(one), document.bullets([said])))
        if data["index"]:
            parts.append(document.items(_CASES.say(one), one))
        return "".join([*parts, document.manifest(manifest, one)])

    title = f"{summary.mark}{summary.model} · {_TITLE.say(lang)}"
    return document.document(lang, title, article, data, _VIEWER)


def _top(lang: Lang, summary: SuiteSummary) -> str:
    cases = words.count(len(summary.evaluations[0].results))
    facts = f"{summary.spec.data.name} · {_CASES.say(lang)}: {cases}"
    why = _MARKS.say(lang)
    return document.top(lang, _TITLE.say(lang), summary.model, summary.line, summary.mark, why, facts)


def _notes(summary: SuiteSummary, lang: Lang) -> list[str]:
    rates = [words.score(one.cases.rate) for one in summary.evaluations]
    several = [_REPEATS.say(lang, times=len(rates), rates=", ".join(rates))] if len(rates) > 1 else []
    return [report.how(lang), *several]

"""The chart of a suite's run: pass rates of cases and of checks, with their intervals."""

from __future__ import annotations

from typing import Final

from agent.journal import Json
from agent.language import Lang, Text
from evals.report import grid, words
from evals.report.charts import Artist, Charts, estimated
from evals.suites import report
from evals.suites.summary import SuiteSummary

_LANGS: Final[tuple[Lang, ...]] = ("en", "zh")
_ONE = Text("Own suite · passed {rate} · {cases} cases", "自有测试集 · 通过率 {rate} · {cases} 个用例")
_NOTE = Text(
    "Passed of those decided, in per cent, with Wilson's 95 % interval", "已有结论者的通过百分比及 95% Wilson 区间"
)


async def chart(summary: SuiteSummary, lang: Lang, artist: Artist | None = None) -> Charts:
    """The chart, as `Charts.bars`. Raises `evals.report.charts.ChartError`."""
    return await (artist or Artist()).drawn(drawing(summary, lang))


def drawing(summary: SuiteSummary, lang: Lang) -> Json:
    """What `evals/report/draw.py` is told."""
    evaluation = summary.evaluations[0]
    rate, cases = words.score(evaluation.cases.rate), words.count(len(evaluation.results))
    tables = [(title, rows) for title, rows in report.tallies(evaluation) if rows]
    parts = [{one: {"title": title.say(one), "rows": _rows(rows, one)} for one in _LANGS} for title, rows in tables]
    texts = {
        "one": {one: _ONE.say(one, rate=rate, cases=cases) for one in _LANGS},
        "bars_note": {one: _NOTE.say(one) for one in _LANGS},
    }
    shown = [text["zh"] for text in texts.values()]
    shown += [text.zh for title, rows in tables for text in (title, *(name for name, _ in rows))]
    return {
        "lang": lang,
        "texts": texts,
        "needs": "".join(sorted({ch for text in shown for ch in text})),
        "runs": [{"name": grid.name(summary.model), "mark": summary.mark}],
        "rates": parts,
    }


def _rows(rows: report.Rows, lang: Lang) -> list[Json]:
    """Names with how many there are, and rates with their intervals."""
    return [[f"{name.say(lang)} ({words.count(sum(tally))})", estimated(tally.rate)] for name, tally in rows]

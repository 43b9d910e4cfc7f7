"""What a command says at its end: the line and a table, or one JSON object; charts and the page; `--fail-under`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from agent.journal import Json
from agent.language import Lang, Text
from evals.cli.ending import FINE, NOT_MET, NOT_WRITTEN, Ended
from evals.cli.options import Bound
from evals.cli.outputs import Outputs, write
from evals.cli.program import put, tell
from evals.report.summary import Summary

if TYPE_CHECKING:
    from evals.report.charts import Charts
    from evals.report.viewing import View

_BELOW = Text(
    "{number} is {value:.2f}, which is below the {least:g} of --fail-under.",
    "{number} 为 {value:.2f}，低于 --fail-under 给出的 {least:g}。",
)
_UNKNOWN = Text(
    "--fail-under {number}={least:g} can't be met: this result has no {number}.",
    "无法满足 --fail-under {number}={least:g}：这个结果没有 {number}。",
)
_WRITTEN = Text("Written: {path}", "已写入：{path}")


@dataclass(frozen=True, slots=True)
class Result:
    """Anything that was measured, ready to be shown."""

    #: The published line with its mark, or a suite's.
    line: str
    #: For a terminal.
    table: str
    #: Number → 0 to 100, unrounded; None for what is missing.
    numbers: Mapping[str, float | None]
    #: What `--json` prints.
    facts: Mapping[str, Json]


def of_summary(summary: Summary, lang: Lang, **facts: Json) -> Result:
    """The result of a benchmark."""
    from evals.report import table

    numbers: dict[str, float | None] = {name: _percent(value) for name, value in summary.scores.items()}
    numbers["overall"] = _percent(summary.overall)
    shown: dict[str, Any] = {
        "line": summary.line,
        "mark": summary.mark.strip(),
        "scores": numbers,
        "repeats": [_percent(value) for value in summary.repeats],
        "items": summary.items,
        "expected": dict(summary.expected),
        "raised": summary.raised,
        "reasons": dict(summary.reasons),
        "model": summary.model,
        "data": asdict(summary.spec.data),
        "versions": dict(summary.versions),
        "calls": asdict(summary.calls) if summary.calls else None,
        "rows": [asdict(row) for row in summary.rows],
    }
    return Result(summary.line, table.text(summary, lang), numbers, shown | facts)


def show(result: Result, *, as_json: bool) -> None:
    """On standard output: the result and nothing else."""
    from adapters.terminal.console import safe, safe_json
    from evals.running.predictions import json_line

    if as_json:
        put(safe_json(json_line(dict(result.facts)).decode()))
        return
    put(f"{safe(result.line)}\n\n{safe(result.table)}\n")


def write_reports(
    outputs: Outputs,
    summaries: Sequence[tuple[str, Summary]],
    lang: Lang,
    *,
    manifest: Mapping[str, Any] | None = None,
    views: Callable[[], Iterable[View]] = tuple,
) -> None:
    """Draw and write what `--chart` and `--html` want; the page is that of the first summary. Raises `Ended`."""

    def draw() -> Coroutine[Any, Any, Charts]:
        from evals.report.charts import charts

        return charts(summaries, lang)

    def page(drawn: Charts | None) -> str:
        from evals.report.page import html

        return html(summaries[0][1], lang, charts=drawn, manifest=manifest, views=views())

    write_drawn(outputs, lang, draw, page)


def write_drawn(
    outputs: Outputs, lang: Lang, draw: Callable[[], Coroutine[Any, Any, Charts]], page: Callable[[Charts | None], str]
) -> None:
    """Write charts and a page, as far as they are wanted. Raises `Ended`."""
    if outputs.chart is None and outputs.html is None:
        return
    drawn = _charts(draw, lang, needed=outputs.chart is not None)
    if drawn is not None:
        for path, picture in outputs.pictures(drawn.radar, drawn.bars):
            write(path, picture)
            tell(_WRITTEN.say(lang, path=path))
    if outputs.html is not None:
        write(outputs.html, page(drawn).encode("utf-8", "replace"))
        tell(_WRITTEN.say(lang, path=outputs.html))


def _charts(draw: Callable[[], Coroutine[Any, Any, Charts]], lang: Lang, *, needed: bool) -> Charts | None:
    """The charts; a page does without those that can't be drawn."""
    from evals.report.charts import ChartError

    try:
        return asyncio.run(draw())
    except ChartError as error:
        if needed:
            raise Ended(NOT_WRITTEN, error.text) from None
        tell(error.text.say(lang))
        return None


def met(numbers: Mapping[str, float | None], bounds: Sequence[Bound], lang: Lang) -> int:
    """The exit status for `--fail-under`, after a sentence for each number that is too low."""
    status = FINE
    for number, least in bounds:
        value = numbers.get(number)
        # As it is printed: 39.996 is a 40.00.
        if value is not None and round(value, 2) >= least:
            continue
        said = _UNKNOWN if value is None else _BELOW
        tell(said.say(lang, number=number, value=value or 0.0, least=least))
        status = NOT_MET
    return status


def _percent(value: float | None) -> float | None:
    return None if value is None else value * 100

"""`kagent-bench compare A B`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from agent.journal import Json
from agent.language import Text
from evals.cli import help as texts
from evals.cli import kept, options
from evals.cli.ending import FINE, WRONG, Ended
from evals.cli.help import LANG
from evals.cli.outputs import Outputs
from evals.cli.program import Desk, put

_NEEDS_DATA = Text(
    "{path} is a predictions file: say with --data what it is scored against.",
    "{path} 是预测文件：请用 --data 指定打分所用的数据。",
)
_NOT_ALIKE = Text(
    "A suite can only be compared with the same suite, and a benchmark with a benchmark.",
    "测试集只能与同一测试集比较，基准评测只能与基准评测比较。",
)
_OTHER_DATA = Text(
    "These are of different data ({a}, {b}), so their numbers can't be compared: `kagent-bench list` shows which runs "
    "have the same.",
    "两者使用的数据不同（{a}，{b}），结果无法比较：可用 `kagent-bench list` 查看哪些运行使用相同的数据。",
)
_NEITHER = Text(
    "There is no file {path}, and no run is called so: check its name; `kagent-bench list` shows the runs.",
    "没有文件 {path}，也没有这样命名的运行：请检查名称；可用 `kagent-bench list` 查看运行。",
)


@click.command(help=texts.COMPARE.say(LANG), short_help=texts.COMPARE_SHORT.say(LANG))
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--data", metavar="FILE|NAME", default="", help=texts.COMPARE_DATA.say(LANG))
@options.partial
@click.option("--chart", type=click.Path(path_type=Path), metavar="FOLDER|PNG", help=texts.CHART.say(LANG))
@options.as_json
@click.pass_obj
def compare(desk: Desk, /, a: str, b: str, data: str, *, partial: bool, chart: Path | None, as_json: bool) -> int:
    """Two runs or files; the help is in `evals.cli.help`."""
    from adapters.terminal.console import safe, safe_json
    from evals.cli import reporting, suites
    from evals.report import compare as comparing
    from evals.report import summary as summaries
    from evals.suites.summary import is_suite_summary

    desk.read_settings()
    outputs = Outputs(chart=chart)
    outputs.check([Path(one) for one in (a, b) if Path(one).is_file()])
    made = [_summary(desk, one, data, partial=partial) for one in (a, b)]
    kinds = [is_suite_summary(one) for one in made]
    if kinds[0] != kinds[1]:
        raise Ended(WRONG, _NOT_ALIKE)
    if all(kinds):
        suites.check_outputs(outputs)
        said, facts = suites.compared(made[0], made[1], a, desk.lang)
        put((safe_json(json.dumps(facts, ensure_ascii=False)) if as_json else safe(said)) + "\n")
        return FINE
    first, second = (summaries.read(one) for one in made)
    comparison = comparing.compare(first, second)
    if not comparison.same_data:
        raise Ended(WRONG, _OTHER_DATA, a=first.spec.data.name, b=second.spec.data.name)
    reporting.write_reports(outputs, [(a, first), (b, second)], desk.lang)
    if as_json:
        put(safe_json(json.dumps(asdict(comparison), ensure_ascii=False)) + "\n")
    else:
        put(safe(comparing.text(comparison, desk.lang)) + "\n")
    return FINE


def _summary(desk: Desk, given: str, data: str, *, partial: bool) -> Json:
    """Of a predictions file, or of a run. Raises `Ended` and what reading files raises."""
    from evals.cli.evaluating import located, scored, spec_of
    from evals.report import summary

    path = Path(given)
    if not path.is_file():
        if path.suffix or len(path.parts) > 1:
            raise Ended(WRONG, _NEITHER, path=path)
        run = asyncio.run(kept.found(desk, given))
        return asyncio.run(kept.summary_of(desk, run))
    if not data:
        raise Ended(WRONG, _NEEDS_DATA, path=path)
    bench, name = located(desk, data)
    evaluation = scored(desk, bench, path, strict=False, partial=partial)
    return summary.summary_of([evaluation], spec_of(evaluation, name, path))

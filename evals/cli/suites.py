"""Own suites at the command line: checked by a judge where one is named, and shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.journal import Json
from agent.language import Lang, Text
from evals.cli import models
from evals.cli.ending import WRONG, Ended
from evals.cli.outputs import Outputs
from evals.cli.program import Desk, tell
from evals.cli.reporting import Result, write_drawn

if TYPE_CHECKING:
    from evals.report.charts import Charts
    from evals.runs import Prediction, RunSpec
    from evals.suites.cases import Case
    from evals.suites.results import Answered, SuiteEvaluation

_NO_CHART = Text(
    "Two runs of a suite are compared in a sentence, without a chart: leave out --chart.",
    "测试集的两次运行用一句话比较，没有图表：请去掉 --chart。",
)
_NO_JUDGE = Text(
    "Some checks need a judge: name its endpoint with --judge, or they stay undecided.",
    "部分检查需要评判模型：请用 --judge 指定端点，否则这些检查不作判定。",
)
_NO_FILE = Text("{path} can't be read ({why}): check its name.", "无法读取 {path}（{why}）：请检查文件名。")
_BAD_LINE = Text(
    "{path}, line {line}: this is no prediction; each line is a JSON object with id and model_predict.",
    "{path} 第 {line} 行不是预测：每行应是包含 id 和 model_predict 的 JSON 对象。",
)
_UNKNOWN = Text(
    "{path}, line {line}: the suite has no case “{id}”, so these are predictions of something else.",
    "{path} 第 {line} 行：测试集中没有用例“{id}”，这不是它的预测。",
)


def check_outputs(outputs: Outputs) -> None:
    """Refuse what a comparison of suites has not. Raises `Ended`."""
    if outputs.chart is not None:
        raise Ended(WRONG, _NO_CHART)


def write_reports(
    outputs: Outputs,
    made: Json,
    lang: Lang,
    cases: Sequence[Case],
    answers: Mapping[str, Answered],
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """Draw and write what `--chart` and `--html` want; `answers` are those of the first time. Raises `Ended`."""
    from evals.suites import summary

    read = summary.read(made)

    def draw() -> Coroutine[Any, Any, Charts]:
        from evals.suites.chart import chart

        return chart(read, lang)

    def page(drawn: Charts | None) -> str:
        from evals.suites.page import html
        from evals.suites.viewing import views

        shown = views(cases, read.evaluations[0].results, answers)
        return html(read, lang, charts=drawn, manifest=manifest, views=shown)

    write_drawn(outputs, lang, draw, page)


async def summary_of(
    desk: Desk, cases: Sequence[Case], predictions: Sequence[Prediction], spec: RunSpec, model: str, judge: str
) -> Json:
    """Check all replies of a run, and keep what came out. Raises what asking a judge raises before its first reply."""
    from evals.suites.evaluating import answers_of

    answers = [answers_of(predictions, repeat) for repeat in range(spec.repeats)]
    return await checked(desk, cases, answers, spec, model, judge)


async def checked(
    desk: Desk, cases: Sequence[Case], answers: Sequence[Mapping[str, Answered]], spec: RunSpec, model: str, judge: str
) -> Json:
    """Check answers, one mapping for each repeat."""
    from evals.suites import evaluating, summary
    from evals.suites.cases import asks_a_judge

    judged = asks_a_judge(cases)
    if judged and not judge:
        tell(_NO_JUDGE.say(desk.lang))
    found: list[SuiteEvaluation] = []
    if judged and judge:
        choice = await models.choose(desk, models.Wanted(judge))
        async with models.asker_of(choice, desk) as asker:
            found += [await evaluating.evaluate(cases, one, judge=asker) for one in answers]
    else:
        found += [await evaluating.evaluate(cases, one) for one in answers]
    return summary.marked(found, spec, model=model)


def of_summary(made: Json, lang: Lang, **facts: Json) -> Result:
    """The result of a suite."""
    from evals.suites import report, summary

    read = summary.read(made)
    first = read.evaluations[0]
    rate = first.cases.rate
    rates = [None if one.cases.rate is None else 100 * one.cases.rate.value for one in read.evaluations]
    known = [one for one in rates if one is not None]
    shown: dict[str, Any] = {
        "line": read.line,
        "pass": sum(known) / len(known) if known else None,
        "interval": None if rate is None else [rate.low, rate.high],
        "repeats": rates,
        "cases": first.cases._asdict(),
        "checks": {kind: tally._asdict() for kind, tally in first.by_check.items()},
        "model": read.model,
        "results": [
            {
                "id": one.id,
                "outcome": one.outcome,
                "checks": [{"type": c.kind, "outcome": c.outcome, "why": c.why.say(lang)} for c in one.checks],
            }
            for one in first.results
        ],
    }
    return Result(read.line, report.as_text(first, lang), {"pass": shown["pass"]}, shown | facts)


def compared(a: Json, b: Json, named: str, lang: Lang) -> tuple[str, Json]:
    """What changed from one run of a suite to another, for people and as JSON."""
    from evals.suites import report, results, summary

    first, second = (report.outcomes(summary.read(one).evaluations[0]) for one in (a, b))
    found = results.difference(first, second)
    return report.compared(found, named, lang), found._asdict()


def evaluated(desk: Desk, path: Path, predictions: Path, name: str, judge: str, outputs: Outputs) -> Json:
    """Check a predictions file against a suite, and write what is wanted. Raises `Ended`, `DataError`."""
    from evals.kagentbench.data import sha256_of
    from evals.runs import DataSet, RunSpec
    from evals.suites import read_suite

    cases = read_suite(path)
    answers = _answers(predictions, {case.id for case in cases})
    spec = RunSpec(DataSet(name, "suite", sha256_of(path), len(cases)), predictions.stem)
    made = asyncio.run(checked(desk, cases, [answers], spec, predictions.stem, judge))
    write_reports(outputs, made, desk.lang, cases, answers)
    return made


def _answers(path: Path, known: set[str]) -> dict[str, Answered]:
    from evals.suites.results import Answered

    found: dict[str, Answered] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Ended(WRONG, _NO_FILE, path=path, why=error.strerror) from None
    for number, line in enumerate(lines, 1):
        try:
            read = json.loads(line)
            id_, predicted = str(read["id"]), read["model_predict"]
        except (ValueError, KeyError, TypeError):
            raise Ended(WRONG, _BAD_LINE, path=path, line=number) from None
        if id_ not in known:
            raise Ended(WRONG, _UNKNOWN, path=path, line=number, id=id_[:80])
        text = predicted.get("prompt", "") if isinstance(predicted, dict) else predicted
        found[id_] = Answered(text if isinstance(text, str) else json.dumps(text, ensure_ascii=False))
    return found

"""`kagent-bench eval`: a predictions file against a benchmark file."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial as partial_
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.language import Text
from evals.cli import help as texts
from evals.cli import options
from evals.cli.ending import FINE, WRONG, Ended
from evals.cli.help import LANG
from evals.cli.outputs import Outputs
from evals.cli.program import Desk
from evals.cli.progress import Scoring

if TYPE_CHECKING:
    from evals.kagentbench.results import Evaluation
    from evals.report.viewing import View
    from evals.runs import RunSpec

_STRICT = Text(
    "{error}: the published scorer ends here; without --strict the fault is named, or counts 0.",
    "{error}：官方评分程序会在此终止；去掉 --strict 会指出问题所在，或将其记 0 分。",
)


@click.command("eval", help=texts.EVAL.say(LANG), short_help=texts.EVAL_SHORT.say(LANG))
@click.argument("bench", metavar="BENCH")
@click.argument("predictions", metavar="PREDICTIONS", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help=texts.STRICT.say(LANG))
@options.partial
@options.judge
@options.outputs
@click.option("--published", is_flag=True, hidden=True)
@click.pass_obj
def evaluate(
    desk: Desk,
    /,
    bench: str,
    predictions: Path,
    *,
    strict: bool,
    partial: bool,
    judge: str,
    html: Path | None,
    chart: Path | None,
    as_json: bool,
    fail_under: tuple[str, ...],
    post: str,
    published: bool,
) -> int:
    """Score a file; the help is in `evals.cli.help`."""
    from evals.cli import posting, reporting, suites
    from evals.library import is_suite
    from evals.report import summary as summaries

    bounds = options.bounds_of(fail_under)
    outputs = Outputs(html, chart)
    path, name = located(desk, bench)
    outputs.check([path, predictions])
    suite = is_suite(path)
    options.check_bounds(bounds, is_suite=suite)
    place = posting.place_of(desk, post)
    if suite:
        made = suites.evaluated(desk, path, predictions, name, judge, outputs)
        result = suites.of_summary(made, desk.lang)
    else:
        evaluation = scored(desk, path, predictions, strict=strict, partial=partial)
        made = summaries.summary_of([evaluation], spec_of(evaluation, name, predictions))
        summary = summaries.read(made)
        result = reporting.of_summary(summary, desk.lang)
        views = partial_(_views, evaluation, path, predictions)
        reporting.write_reports(outputs, [(summary.model, summary)], desk.lang, views=views)
    posted = posting.post(desk, place, posting.of_file(desk, made)) if place else FINE
    # Last: whoever reads only the first line closes the pipe behind it.
    if published:
        _show_published(path, predictions, result.line)
    else:
        reporting.show(result, as_json=as_json)
    return posted or reporting.met(result.numbers, bounds, desk.lang)


def _show_published(bench: Path, predictions: Path, line: str) -> None:
    """What the published scorer prints, in its words and its order."""
    click.echo(f"load eval file from {bench}")
    click.echo(f"load predict file from {predictions}")
    click.echo(line)


def _views(evaluation: Evaluation, bench: Path, predictions: Path) -> Iterable[View]:
    """The items with the replies of a file that has been scored."""
    from evals.kagentbench.data import lines, read_items, read_line
    from evals.report.viewing import views

    found = (read_line(predictions, number, raw)[0] for number, raw in lines(predictions))
    predicted = {(one["type"], str(one["id"])): one.get("model_predict") for one in found}
    return views(read_items(bench, partial=True), evaluation.items, predicted)


def located(desk: Desk, bench: str) -> tuple[Path, str]:
    """The benchmark's file and its name for people: a file as it is named, else a data set. Raises `LibraryError`."""
    desk.read_settings()
    path = Path(bench)
    if path.is_file() or len(path.parts) > 1 or path.suffix:
        return path, path.name
    return desk.library.open(bench).path, bench


def scored(desk: Desk, bench: Path, predictions: Path, *, strict: bool, partial: bool) -> Evaluation:
    """The evaluation. Raises `DataError`, and `Ended` where the published scorer would end and `strict` wants that."""
    from evals.kagentbench import score
    from evals.kagentbench.gathering import StrictError

    try:
        with Scoring(desk.lang) as bar:
            return score.evaluate(bench, predictions, strict=strict, partial=partial, progress=bar.show)
    except StrictError as error:
        # Its own words, whatever the language.
        raise Ended(WRONG, _STRICT, error=str(error).rstrip(".")) from None


def spec_of(evaluation: Evaluation, name: str, predictions: Path) -> RunSpec:
    """What is known of how these predictions came about: their file and the data."""
    from evals.kagentbench.sample import is_sample
    from evals.runs import DataKind, DataSet, RunSpec

    kind: DataKind = "sample" if is_sample(evaluation.data_sha256) else "official"
    data = DataSet(name, kind, evaluation.data_sha256, sum(evaluation.expected.values()))
    return RunSpec(data, predictions.stem)

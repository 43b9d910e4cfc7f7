"""`kagent-bench run` and `kagent-bench infer`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agent.journal import Json
from agent.language import Text
from evals.cli import help as texts
from evals.cli import options
from evals.cli.ending import FINE, not_written
from evals.cli.help import LANG
from evals.cli.models import Wanted
from evals.cli.outputs import Outputs
from evals.cli.program import Desk, tell

if TYPE_CHECKING:
    from evals.cli.measuring import Asked, Wish
    from evals.report.viewing import View

Command = TypeVar("Command", bound=Callable[..., Any])

_PREDICTIONS = Text("Written: {path} ({lines} lines)", "已写入：{path}（{lines} 行）")
_CACHED = Text(
    "{cached} of {total} replies are those that {model} gave to the same calls on the same server in earlier runs; "
    "--fresh asks again, as after other weights were loaded under the same name.",
    "{total} 条回复中有 {cached} 条沿用 {model} 在以前的运行中于同一服务器上对相同调用的回复；"
    "如果以同一名称加载了其他权重，请用 --fresh 重新提问。",
)
_RUN_KEPT = Text("Kept as run {run}.", "已保存为运行 {run}。")


def _asking(command: Command) -> Command:
    """All options that decide what is asked of which model."""
    return options.selection(options.models(options.going_on(command)))


@click.command(help=texts.RUN.say(LANG), short_help=texts.RUN_SHORT.say(LANG))
@_asking
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help=texts.OUT.say(LANG))
@options.judge
@options.outputs
@click.pass_obj
def run(
    desk: Desk,
    /,
    out: Path | None,
    judge: str,
    html: Path | None,
    chart: Path | None,
    *,
    as_json: bool,
    fail_under: tuple[str, ...],
    post: str,
    **asked: Any,
) -> int:
    """Ask, score, show; the help is in `evals.cli.help`."""
    from evals.cli import posting, reporting, suites
    from evals.report.summary import read
    from evals.suites.evaluating import answers_of

    bounds = options.bounds_of(fail_under)
    wish = wish_of(desk, **asked)
    outputs = Outputs(html, chart, files_of(out, wish.spec.repeats) if out else ())
    outputs.check([wish.kept.path])
    is_suite = wish.spec.data.kind == "suite"
    options.check_bounds(bounds, is_suite=is_suite, types=wish.spec.types)
    place = posting.place_of(desk, post)
    found = _ask(desk, wish)
    _write_predictions(desk, found, outputs.predictions)
    made = _summary(desk, found, judge)
    asyncio.run(desk.runs.end(found.run.id, "done", made))
    tell(_RUN_KEPT.say(desk.lang, run=found.run.id))
    facts = {"run": found.run.id, "manifest": dict(found.run.manifest)}
    if is_suite:
        result = suites.of_summary(made, desk.lang, **facts)
        answers = answers_of(found.predictions)
        suites.write_reports(outputs, made, desk.lang, found.items, answers, found.run.manifest)
    else:
        summary = read(made)
        result = reporting.of_summary(summary, desk.lang, **facts)
        named, manifest = [(summary.model, summary)], found.run.manifest
        reporting.write_reports(outputs, named, desk.lang, manifest=manifest, views=lambda: _views(found))
    posted = posting.post(desk, place, posting.of_run(desk, found.run, made)) if place else FINE
    # Last: whoever reads only the first line closes the pipe behind it.
    reporting.show(result, as_json=as_json)
    return posted or reporting.met(result.numbers, bounds, desk.lang)


@click.command(help=texts.INFER.say(LANG), short_help=texts.INFER_SHORT.say(LANG))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@_asking
@options.as_json
@click.pass_obj
def infer(desk: Desk, /, out: Path, *, as_json: bool, **asked: Any) -> int:
    """Ask and write; the help is in `evals.cli.help`."""
    wish = wish_of(desk, **asked)
    outputs = Outputs(predictions=files_of(out, wish.spec.repeats))
    outputs.check([wish.kept.path])
    found = _ask(desk, wish)
    _write_predictions(desk, found, outputs.predictions)
    asyncio.run(desk.runs.end(found.run.id, "done"))
    tell(_RUN_KEPT.say(desk.lang, run=found.run.id))
    if as_json:
        facts = {
            "run": found.run.id,
            "model": found.model,
            "files": [str(path) for path in outputs.predictions],
            "items": len(found.items),
            "replies": len(found.predictions),
            "failed": sum(bool(one.error) for one in found.predictions),
        }
        click.echo(json.dumps(facts, ensure_ascii=False))
    return FINE


def wish_of(
    desk: Desk,
    *,
    model: str,
    base_url: str,
    api_key_env: str,
    preset: Any,
    reasoning: Any,
    reasoning_tokens: int,
    constrained: bool,
    concurrency: int | None,
    data: str,
    partial: bool,
    limit: int | None,
    types: str,
    templates: str,
    langs: str,
    seed: int,
    repeats: int,
    resume: bool,
    fresh: bool,
) -> Wish:
    """What these options mean. Raises whatever is wrong with them, or with the data."""
    from evals.cli.measuring import Wish
    from evals.runs import RunSpec

    desk.read_settings()
    chosen_types, chosen_langs = options.types_of(types), options.langs_of(langs)
    kept = desk.library.open(data, partial=partial)
    spec = RunSpec(
        data=kept.data,
        model=model,
        types=chosen_types,
        templates=options.templates_of(templates, kept.templates) if templates else (),
        langs=chosen_langs,
        limit=limit,
        seed=seed,
        preset=preset,
        constrained=constrained,
        reasoning=reasoning,
        reasoning_tokens=reasoning_tokens,
        repeats=repeats,
    )
    return Wish(Wanted(model, base_url, api_key_env), spec, kept, resume, fresh, concurrency)


def files_of(out: Path, repeats: int) -> tuple[Path, ...]:
    """The predictions files of all repeats: OUT, and OUT with .2, .3 … before its ending."""
    return (out, *(out.with_name(f"{out.stem}.{number}{out.suffix}") for number in range(2, repeats + 1)))


def _ask(desk: Desk, wish: Wish) -> Asked:
    from evals.cli.data import items_of
    from evals.cli.measuring import ask

    found = asyncio.run(ask(desk, wish, items_of(wish.kept)))
    cached = sum(one.cached for one in found.predictions)
    if cached:
        # A model of the same name need not be the same weights, which nobody but the operator knows.
        total = len(found.predictions)
        tell(_CACHED.say(desk.lang, cached=f"{cached:,}", total=f"{total:,}", model=found.model))
    return found


def _summary(desk: Desk, found: Asked, judge: str) -> Json:
    if found.run.spec.data.kind == "suite":
        from evals.cli.suites import summary_of as suite_summary

        return asyncio.run(suite_summary(desk, found.items, found.predictions, found.run.spec, found.model, judge))
    from evals.evaluations import evaluations
    from evals.report.summary import summary_of

    scored = evaluations(found.items, found.predictions, found.run.spec)
    return summary_of(scored, found.run.spec, predictions=found.predictions, model=found.model)


def _views(found: Asked) -> Iterable[View]:
    from evals.report.viewing import views_of

    return views_of(found.items, found.predictions, found.run.spec)


def _write_predictions(desk: Desk, found: Asked, files: tuple[Path, ...]) -> None:
    from evals.running.predictions import write_predictions

    for repeat, path in enumerate(files):
        try:
            lines = write_predictions(path, found.items, found.predictions, repeat)
        except OSError as error:
            raise not_written(error, path) from None
        tell(_PREDICTIONS.say(desk.lang, path=path, lines=lines))

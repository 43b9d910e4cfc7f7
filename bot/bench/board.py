"""The leaderboard: the best and the last run of each model over the same data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from agent.language import Lang
from bot.bench import texts
from bot.exporting import code
from evals.runs import Run

if TYPE_CHECKING:
    from evals.report.summary import Summary


def board(runs: Sequence[Run], lang: Lang) -> str:
    """As Markdown, of finished runs over the same data, newest first. Blocking: it reads every summary."""
    from evals.report import leaderboard

    by_model: dict[str, list[tuple[Run, Scored]]] = {}
    for run in runs:
        try:
            read = _read(run)
        except ValueError:
            # Of another version; it can be run again.
            continue
        by_model.setdefault(f"{read.mark}{read.model}", []).append((run, read))
    best = {model: max(found, key=lambda one: _order(one[1])) for model, found in by_model.items()}
    order = sorted(by_model, key=lambda model: -_order(best[model][1]))
    rows = [
        f"| {_cell(model)} | {best[model][1].shown} | {code(best[model][0].id)} "
        f"| {by_model[model][0][1].shown} | {code(by_model[model][0][0].id)} |"
        for model in order
    ]
    data = texts.DATA.say(lang, name=code(runs[0].spec.data.name), items=f"{runs[0].spec.data.items:,}")
    table = "\n".join([texts.BOARD_HEAD.say(lang), *rows])
    note = texts.BOARD_NOTE_SUITE if runs[0].spec.data.kind == "suite" else texts.BOARD_NOTE
    parts = [texts.BOARD.say(lang, data=data), table, note.say(lang)]
    beside = [found for model in order if (found := best[model][1].summary) is not None and found.comparable]
    if beside:
        parts.append(leaderboard.markdown(beside, lang))
    return "\n\n".join(parts)


class Scored(NamedTuple):
    """What a row is made of."""

    model: str
    mark: str
    #: 0 to 1; None where there is none.
    number: float | None
    shown: str
    #: Of a benchmark; None for a suite.
    summary: Summary | None = None


def _read(run: Run) -> Scored:
    """Raises ValueError for a summary of another version."""
    from evals.report import summary, words
    from evals.suites.summary import is_suite_summary

    if is_suite_summary(run.summary):
        from bot.bench import suites

        model, mark, rate = suites.row_of(run.summary)
        return Scored(model, mark, None if rate is None else rate.value, words.score(rate))
    read = summary.read(run.summary)
    row = next((row for row in read.rows if row.number == "overall" and not row.template and not row.lang), None)
    shown = words.points(read.overall) if row is None or row.score is None else words.score(row.score)
    return Scored(read.model, read.mark, read.overall, shown, read)


def _order(read: Scored) -> float:
    return -1.0 if read.number is None else read.number


def _cell(text: str) -> str:
    return code(text.replace("|", "/").replace("\n", " "))

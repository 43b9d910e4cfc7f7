"""The leaderboard: the best and the last run of each model over the same data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.language import Lang
from bot.bench import texts
from bot.exporting import code
from evals.runs import Run

if TYPE_CHECKING:
    from evals.report.summary import Summary


def board(runs: Sequence[Run], lang: Lang) -> str:
    """As Markdown, of finished runs over the same data, newest first. Blocking: it reads every summary."""
    from evals.report import leaderboard, summary

    by_model: dict[str, list[tuple[Run, Summary]]] = {}
    for run in runs:
        try:
            read = summary.read(run.summary)
        except ValueError:
            # Of another version; it can be run again.
            continue
        by_model.setdefault(f"{read.mark}{read.model}", []).append((run, read))
    best = {model: max(found, key=lambda one: _overall(one[1])) for model, found in by_model.items()}
    order = sorted(by_model, key=lambda model: -_overall(best[model][1]))
    rows = [
        f"| {_cell(model)} | {_score(best[model][1])} | {code(best[model][0].id)} "
        f"| {_score(by_model[model][0][1])} | {code(by_model[model][0][0].id)} |"
        for model in order
    ]
    data = texts.DATA.say(lang, name=code(runs[0].spec.data.name), items=f"{runs[0].spec.data.items:,}")
    table = "\n".join([texts.BOARD_HEAD.say(lang), *rows])
    parts = [texts.BOARD.say(lang, data=data), table, texts.BOARD_NOTE.say(lang)]
    beside = [best[model][1] for model in order if best[model][1].comparable]
    if beside:
        parts.append(leaderboard.markdown(beside, lang))
    return "\n\n".join(parts)


def _overall(read: Summary) -> float:
    return -1.0 if read.overall is None else read.overall


def _score(read: Summary) -> str:
    from evals.report import words

    row = next((row for row in read.rows if row.number == "overall" and not row.template and not row.lang), None)
    return words.points(read.overall) if row is None or row.score is None else words.score(row.score)


def _cell(text: str) -> str:
    return code(text.replace("|", "/").replace("\n", " "))

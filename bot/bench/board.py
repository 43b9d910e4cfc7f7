"""The leaderboard: the best and the last run of each model, among those that asked the same of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from agent.language import Lang
from bot.bench import texts
from bot.exporting import code
from evals.runs import Run, RunSpec

if TYPE_CHECKING:
    from evals.report.summary import Summary


def board(runs: Sequence[Run], lang: Lang) -> str:
    """As Markdown, of finished runs over the same data, newest first. Blocking: it reads every summary.

    Runs that asked about other items or prompts, or have another mark, stand in a table of their own: their numbers are
    of other questions. Those without a mark come first, then those that asked about more.
    """
    from evals.report import leaderboard

    groups: dict[tuple[str, str], Models] = {}
    for run in runs:
        try:
            read = _read(run)
        except ValueError:
            # Of another version; it can be run again.
            continue
        groups.setdefault((read.mark.strip(), _selection(run.spec)), {}).setdefault(read.model, []).append((run, read))
    data = texts.DATA.say(lang, name=code(runs[0].spec.data.name), items=f"{runs[0].spec.data.items:,}")
    parts = [texts.BOARD.say(lang, data=data)]
    for mark, chosen in sorted(groups, key=lambda group: (bool(group[0]), _limits(group[1]))):
        head = " · ".join(code(one) for one in (mark, chosen) if one)
        parts += [head] * bool(head) + [_table(groups[mark, chosen], lang)]
    note = texts.BOARD_NOTE_SUITE if runs[0].spec.data.kind == "suite" else texts.BOARD_NOTE
    parts += [texts.BOARD_GROUPS.say(lang)] * (len(groups) > 1) + [note.say(lang)]
    best = [_best(found)[1].summary for models in groups.values() for found in models.values()]
    beside = [one for one in best if one is not None and one.comparable]
    if beside:
        parts.append(leaderboard.markdown(beside, lang))
    return "\n\n".join(parts)


def _table(models: Models, lang: Lang) -> str:
    """The models of a group, the best first."""
    rows = []
    for model, found in sorted(models.items(), key=lambda one: -_order(_best(one[1])[1])):
        (run, read), (newest, last) = _best(found), found[0]
        rows.append(f"| {_cell(model)} | {read.shown} | {code(run.id)} | {last.shown} | {code(newest.id)} |")
    return "\n".join([texts.BOARD_HEAD.say(lang), *rows])


def _best(found: Sequence[tuple[Run, Scored]]) -> tuple[Run, Scored]:
    return max(found, key=lambda one: _order(one[1]))


def _selection(spec: RunSpec) -> str:
    """What decides which items and prompts are asked, and what replies may be, as it is written in a command."""
    from bot.bench.words import Wanted, words_of

    return words_of(
        Wanted(
            types=spec.types,
            templates=spec.templates,
            langs=spec.langs,
            limit=spec.limit,
            # Without a limit nothing is drawn.
            seed=spec.seed if spec.limit is not None else 0,
            constrained=spec.constrained,
        )
    )


def _limits(chosen: str) -> int:
    """How many things narrow a selection."""
    return len(chosen.split())


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


#: The runs of each model in one group, newest first.
Models = dict[str, list[tuple[Run, Scored]]]


def _cell(text: str) -> str:
    return code(text.replace("|", "/").replace("\n", " "))

"""What is said of a suite's run: its line, its tables, and what failed and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from agent.language import Lang, Text
from evals.report.grid import Grid, escaped, markdown, one_line, text
from evals.report.words import LANG, between, count
from evals.suites.results import CaseResult, Difference, Outcome, SuiteEvaluation, Tally

#: Rows of a table: what each is about, and what came out.
Rows = list[tuple[Text, Tally]]

#: Cases that are listed with their reasons.
MOST_LISTED: Final = 20
#: Characters of a question in that list.
_MOST_QUERY: Final = 80

_OF = Text("Cases", "用例")
_CHECK = Text("Check", "检查")
_PASSED, _FAILED = Text("Passed", "通过"), Text("Failed", "未通过")
_UNDECIDED = Text("Undecided", "未判定")
_RATE, _INTERVAL = Text("Pass rate", "通过率"), Text("95 % interval", "95% 区间")
_ALL = Text("all", "全部")
_BY_CASE, _BY_CHECK = Text("By case", "按用例"), Text("By check", "按检查")
_NOT_PASSED = Text("Not passed", "未通过的用例")
_MORE = Text("… and {more} more", "……另有 {more} 个")
_DECIDED = Text(
    "Undecided cases count as neither passed nor failed; the interval is Wilson's.",
    "未判定的用例既不算通过，也不算未通过；区间为 Wilson 区间。",
)
_DIFFERENCE = Text(
    "Against {other}: {gained} gained, {lost} lost, of {shared} cases decided in both "
    "(p = {p:.3f}, exact McNemar test).",
    "与 {other} 相比：{gained} 个用例由未通过变为通过，{lost} 个由通过变为未通过，两次均有结论的用例共 {shared} 个"
    "（p = {p:.3f}，McNemar 精确检验）。",
)
_CHANGES = Text(
    "Cases gained: {gained}, lost: {lost}, of {shared} that are decided in both (p = {p:.3f}, exact McNemar test).",
    "{gained} 个用例由未通过变为通过，{lost} 个由通过变为未通过，两次均有结论的用例共 {shared} 个"
    "（p = {p:.3f}，McNemar 精确检验）。",
)
_GAINED, _LOST = Text("Gained", "变为通过"), Text("Lost", "变为未通过")


def line(evaluation: SuiteEvaluation, mark: str = "") -> str:
    """One line of the run, in the form of the published one: `passed : 12, failed : 3, undecided : 1, rate : 80.00`.

    It begins with `mark`; `[partial] ` comes before it where cases were not answered.
    """
    cases = evaluation.cases
    partial = "" if len(evaluation.results) == evaluation.expected else "[partial] "
    rate = "-" if cases.rate is None else f"{100 * cases.rate.value:.2f}"
    counts = f"passed : {cases.passed}, failed : {cases.failed}, undecided : {cases.undecided}"
    return f"{partial}{mark}{counts}, rate : {rate}"


def grids(evaluation: SuiteEvaluation, lang: Lang) -> list[Grid]:
    """The tables: cases in all and by language, and single checks by their kind."""
    (_, cases), (_, checks) = tallies(evaluation)
    return [_grid(_BY_CASE, _OF, cases, lang), _grid(_BY_CHECK, _CHECK, checks, lang)]


def tallies(evaluation: SuiteEvaluation) -> list[tuple[Text, Rows]]:
    """The same by their titles, as numbers."""
    cases: Rows = [(_ALL, evaluation.cases)]
    if len(evaluation.by_lang) > 1:
        cases += [(LANG[one], found) for one, found in evaluation.by_lang.items()]
    return [(_BY_CASE, cases), (_BY_CHECK, [(Text(kind, kind), one) for kind, one in evaluation.by_check.items()])]


def as_markdown(evaluation: SuiteEvaluation, lang: Lang, most: int = MOST_LISTED) -> str:
    """Tables and reasons of so many cases at most, as Markdown."""
    listed = "\n".join(f"- {escaped(one)}" for one in reasons(evaluation.results, lang, most))
    parts = [*(markdown(grid) for grid in grids(evaluation, lang)), _DECIDED.say(lang)]
    return "\n\n".join([*parts, *([f"**{_NOT_PASSED.say(lang)}**\n\n{listed}"] if listed else [])])


def as_text(evaluation: SuiteEvaluation, lang: Lang) -> str:
    """Tables and reasons, for a terminal."""
    listed = "\n".join(f"- {one}" for one in reasons(evaluation.results, lang))
    parts = [*(text(grid) for grid in grids(evaluation, lang)), _DECIDED.say(lang)]
    return "\n\n".join([*parts, *([f"{_NOT_PASSED.say(lang)}\n{listed}"] if listed else [])])


def how(lang: Lang) -> str:
    """What the rates are made of."""
    return _DECIDED.say(lang)


def reasons(results: Iterable[CaseResult], lang: Lang, most: int = MOST_LISTED) -> list[str]:
    """One line for each case that did not pass, at most so many: its id, its question, and what its checks say."""
    found = [one for one in results if one.outcome != "passed"]
    lines = [_reason(one, lang) for one in found[:most]]
    more = len(found) - len(lines)
    return [*lines, _MORE.say(lang, more=more)] if more else lines


def compared(found: Difference, other: str, lang: Lang) -> str:
    """A sentence on what changed since another run."""
    gained, lost = len(found.gained), len(found.lost)
    return _DIFFERENCE.say(lang, other=other, gained=gained, lost=lost, shared=found.shared, p=found.p)


def changes(found: Difference, lang: Lang) -> str:
    """What changed from one run to another, with the first cases by name, as Markdown."""
    counts = {"gained": len(found.gained), "lost": len(found.lost), "shared": found.shared, "p": found.p}
    named = [
        f"- {text.say(lang)}: {', '.join(escaped(one_line(id_)) for id_ in ids[:MOST_LISTED])}"
        + (f" {_MORE.say(lang, more=len(ids) - MOST_LISTED)}" if len(ids) > MOST_LISTED else "")
        for text, ids in ((_GAINED, found.gained), (_LOST, found.lost))
        if ids
    ]
    return "\n\n".join([_CHANGES.say(lang, **counts), *(["\n".join(named)] if named else [])])


def outcomes(evaluation: SuiteEvaluation) -> dict[str, Outcome]:
    """What `results.difference` compares, and what a run's summary keeps."""
    return {result.id: result.outcome for result in evaluation.results}


def _reason(result: CaseResult, lang: Lang) -> str:
    query = one_line(result.query)
    query = query if len(query) <= _MOST_QUERY else f"{query[: _MOST_QUERY - 1]}…"
    whys: Sequence[str] = [
        f"{check.kind}: {check.why.say(lang)}" for check in result.checks if check.outcome != "passed"
    ]
    return one_line(f"{result.id} ({query}): {' '.join(whys)}")


def _grid(title: Text, first: Text, rows: Rows, lang: Lang) -> Grid:
    head = (first, _PASSED, _FAILED, _UNDECIDED, _RATE, _INTERVAL)
    found = tuple(
        (
            name.say(lang),
            count(one.passed),
            count(one.failed),
            count(one.undecided),
            _per_cent(one, lang),
            between(one.rate),
        )
        for name, one in rows
    )
    return Grid(tuple(each.say(lang) for each in head), found, title.say(lang))


def _per_cent(tally: Tally, lang: Lang) -> str:
    if tally.rate is None:
        return "-"
    return f"{100 * tally.rate.value:.1f}{'%' if lang == 'zh' else ' %'}"

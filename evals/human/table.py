"""The report of a rated set in words and tables: Markdown, a terminal's text, and one HTML file."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Final

from agent.language import Lang, Text
from evals.human.report import Cell, Difference, Report
from evals.human.sets import HIGHEST, LOWEST
from evals.report import grid
from evals.report.grid import Grid
from evals.report.words import MISSING
from evals.statistics import Estimate

_TITLE = Text("Pass rate % (mean score) of “{name}”", "“{name}”：通过率 %（平均分）")
_DRIVEN = Text(
    "Ratings made by a test driver: they show that everything works, and say nothing about these systems.",
    "评分由测试程序生成：只用来证明流程可用，不说明这些系统的好坏。",
)
_PARTLY_DRIVEN = Text(
    "Some of these ratings were made by a test driver, not by people.", "其中部分评分由测试程序生成，并非由人给出。"
)
_OPEN = Text("The set is still open: numbers change as long as people rate.", "这组回答仍在评分中：结果会随评分变化。")
_RULE = Text(
    "Pass: rating ≥ {passed} of {lowest}–{highest}. n = {questions} questions; {raters}; {skipped}.",
    "通过：评分 ≥ {passed}（范围 {lowest}–{highest}）。n = {questions} 个问题；{raters}；{skipped}。",
)
_RATERS = (Text("{count} rater", "{count} 位评分人"), Text("{count} raters", "{count} 位评分人"))
_SKIPPED = (
    Text("{count} answer skipped", "跳过 {count} 个回答"),
    Text("{count} answers skipped", "跳过 {count} 个回答"),
)
_FAILED = Text(
    "{count} answers never came; each counts as rated {lowest}.", "有 {count} 个回答没有产生，各按 {lowest} 分计。"
)
_MODEL = Text("Model", "模型")
_SYSTEM = Text("System", "系统")
_DETAIL = Text("With 95 % intervals, by question", "95% 区间（按问题聚类）")
_QUESTIONS = Text("Questions", "问题数")
_RATINGS = Text("Ratings", "评分数")
_NO_ANSWER = Text("No answer", "无回答")
_PASS = Text("Pass rate %", "通过率 %")
_MEAN = Text("Mean score", "平均分")
_DIFFERENCES = Text("Differences on the same questions and raters", "相同问题、相同评分人下的差异")
_LESS = Text("{one} less {other}", "{one} 减 {other}")
_MANY = Text(
    "{count} comparisons, not corrected for how many: where nothing differs, one in twenty has p < 0.05 by chance.",
    "共 {count} 项比较，未作多重比较校正：即使毫无差异，平均每二十项也会有一项碰巧 p < 0.05。",
)
_FEW = Text("No interval is given for fewer than five questions.", "问题少于五个时不给出区间。")
_AGREEMENT = Text("Agreement: {said}", "一致性：{said}")
_NOBODY = Text("Nobody has rated anything yet.", "还没有任何评分。")
_ONE = Text("One rater: agreement can't be told.", "只有一位评分人：无法计算一致性。")
_NO_SHARED = Text("No answer has two ratings: agreement can't be told.", "没有任何回答得到两份评分：无法计算一致性。")
_ALPHA = Text(
    "Krippendorff's alpha (ordinal) {alpha}, over {answers} answers that at least two have rated; 1 is perfect, 0 is "
    "chance, and below 0.67 it is weak.",
    "Krippendorff α（次序尺度）为 {alpha}，基于至少两人评过的 {answers} 个回答；1 为完全一致，0 相当于随机，"
    "低于 0.67 较弱。",
)
_NO_ALPHA = Text(
    "Krippendorff's alpha is not defined: all {pairs} pairs of ratings are one and the same value.",
    "Krippendorff α 无法定义：{pairs} 对评分全部是同一个值。",
)
_PLAIN = Text(
    "Of {pairs} pairs of ratings {same} % are equal, {near} % at most one apart, {verdict} % on the same side of the "
    "pass mark.",
    "在 {pairs} 对评分中，{same}% 相同，{near}% 相差不超过一分，{verdict}% 在通过线的同一侧。",
)
#: Below this a p-value is not told more exactly.
_LEAST_P: Final = 0.001


def markdown(report: Report, lang: Lang) -> str:
    """All of it as Markdown."""
    return "\n\n".join([*(f"**{one}**" for one in _warnings(report, lang)), *_body(report, lang, grid.markdown)])


def text(report: Report, lang: Lang) -> str:
    """All of it for a terminal."""
    return "\n\n".join([*_warnings(report, lang), *_body(report, lang, grid.text)])


def page(report: Report, lang: Lang) -> str:
    """One HTML file without anything from outside."""
    title = html.escape(_TITLE.say(lang, name=report.name))
    parts = [*(f"<p><strong>{html.escape(one)}</strong></p>" for one in _warnings(report, lang))]
    parts += _body(report, lang, _html_table, lambda words: f"<p>{html.escape(words)}</p>")
    style = (
        ":root{color-scheme:light dark}"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}"
        "caption{text-align:left;font-weight:600}"
        "th,td{border-bottom:1px solid #8886;padding:.3rem .8rem;text-align:right}th:first-child,td:first-child,.l"
        "{text-align:left}"
    )
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    body = "\n".join(parts)
    head = f"<head>{head}<style>{style}</style></head>"
    return f'<!doctype html>\n<html lang="{lang}">{head}\n<body>\n{body}\n</body></html>\n'


def _warnings(report: Report, lang: Lang) -> list[str]:
    said = []
    if report.only_driven:
        said.append(_DRIVEN.say(lang))
    elif report.driven:
        said.append(_PARTLY_DRIVEN.say(lang))
    if report.state == "open":
        said.append(_OPEN.say(lang))
    return said


def _body(report: Report, lang: Lang, table: Callable[[Grid], str], words: Callable[[str], str] = str) -> list[str]:
    parts = [table(_published(report, lang)), words(_rule(report, lang))]
    if report.raters == 0:
        return [*parts, words(_NOBODY.say(lang))]
    parts.append(table(_detail(report, lang)))
    if any(cell.passed is not None and cell.questions < 5 for cell in report.cells):
        parts.append(words(_FEW.say(lang)))
    if report.differences:
        parts += [table(_differences(report, lang)), words(_MANY.say(lang, count=2 * len(report.differences)))]
    return [*parts, words(_AGREEMENT.say(lang, said=_agreed(report, lang)))]


def _published(report: Report, lang: Lang) -> Grid:
    """Rows are models, columns are systems, as the published table has it; each cell with its n."""
    head = (_MODEL.say(lang), *report.systems)
    rows = [
        (grid.name(model), *(_short(report.cell(model, system)) for system in report.systems))
        for model in report.models
    ]
    return Grid(head, tuple(rows), _TITLE.say(lang, name=grid.name(report.name)))


def _short(cell: Cell) -> str:
    if cell.passed is None or cell.score is None:
        return MISSING
    return f"{100 * cell.passed.value:.2f} ({cell.score.value:.2f}) n={cell.questions}"


def _rule(report: Report, lang: Lang) -> str:
    raters = _counted(_RATERS, report.raters, lang)
    skipped = _counted(_SKIPPED, report.skipped, lang)
    fields = {"passed": report.passed, "lowest": LOWEST, "highest": HIGHEST, "questions": report.questions}
    said = _RULE.say(lang, **fields, raters=raters, skipped=skipped)
    failed = sum(cell.failed for cell in report.cells)
    return " ".join([said, _FAILED.say(lang, count=failed, lowest=LOWEST)] if failed else [said])


def _detail(report: Report, lang: Lang) -> Grid:
    head = (_MODEL, _SYSTEM, _PASS, _MEAN, _QUESTIONS, _RATINGS, _NO_ANSWER)
    rows = [
        (
            grid.name(one.model),
            one.system,
            _between(one.passed, 100, 1),
            _between(one.score, 1, 2),
            str(one.questions),
            str(one.ratings),
            str(one.failed),
        )
        for one in report.cells
    ]
    return Grid(tuple(word.say(lang) for word in head), tuple(rows), _DETAIL.say(lang), frozenset((1,)))


def _differences(report: Report, lang: Lang) -> Grid:
    head = (_MODEL, _LESS, _PASS, Text("p", "p"), _MEAN, Text("p", "p"), _QUESTIONS)
    named = [Text("Systems", "系统") if word is _LESS else word for word in head]
    rows = [_difference(one, lang) for one in report.differences]
    return Grid(tuple(word.say(lang) for word in named), tuple(rows), _DIFFERENCES.say(lang), frozenset((1,)))


def _difference(one: Difference, lang: Lang) -> tuple[str, ...]:
    return (
        grid.name(one.model),
        _LESS.say(lang, one=one.system, other=one.other),
        _between(one.passed, 100, 1, sign="+"),
        _p(one.passed_p),
        _between(one.score, 1, 2, sign="+"),
        _p(one.score_p),
        str(one.questions),
    )


def _agreed(report: Report, lang: Lang) -> str:
    found = report.agreement
    if found.raters == 1:
        return _ONE.say(lang)
    if found.same is None or found.near is None or found.verdict is None:
        return _NO_SHARED.say(lang)
    shares = {"same": found.same, "near": found.near, "verdict": found.verdict}
    plain = _PLAIN.say(lang, pairs=found.pairs, **{name: f"{100 * share:.0f}" for name, share in shares.items()})
    if found.alpha is None:
        return f"{_NO_ALPHA.say(lang, pairs=found.pairs)} {plain}"
    return f"{_ALPHA.say(lang, alpha=_between(found.alpha, 1, 2), answers=found.answers)} {plain}"


def _between(estimate: Estimate | None, times: int, digits: int, sign: str = "") -> str:
    """`83.6 (77.9–88.1)`."""
    if estimate is None:
        return MISSING
    value = f"{times * estimate.value:{sign}.{digits}f}"
    if estimate.low is None or estimate.high is None:
        return value
    # A dash between negative numbers would be read as one of them.
    dash = " … " if sign or estimate.low < 0 else "–"
    return f"{value} ({times * estimate.low:{sign}.{digits}f}{dash}{times * estimate.high:{sign}.{digits}f})"


def _p(value: float) -> str:
    return f"<{_LEAST_P}" if value < _LEAST_P else f"{value:.3f}"


def _counted(words: Sequence[Text], count: int, lang: Lang) -> str:
    return words[count != 1].say(lang, count=count)


def _html_table(found: Grid) -> str:
    def row(cells: Sequence[str], kind: str) -> str:
        made = (
            f"<{kind}{' class=l' if found.flush_left(place) else ''}>{html.escape(cell)}</{kind}>"
            for place, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    rows = "\n".join(row(cells, "td") for cells in found.rows)
    return f"<table><caption>{html.escape(found.title)}</caption>\n{row(found.head, 'th')}\n{rows}</table>"

"""A run's tables: scores and rates with their intervals by type, template and language, and what has to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.language import Lang, Text
from evals.kagentbench.items import METRICS
from evals.report import grid, leaderboard, words
from evals.report.grid import Grid
from evals.report.rows import NUMBERS, Number, Row
from evals.report.summary import Summary
from evals.statistics import FEWEST, spread

_HOW = Text(
    "Scores times 100. In brackets and under 95 %: bootstrap over queries. Unreadable: replies from which no tool or "
    "text could be read. Right tool: replies to plans and reflextions that name a tool of a golden.",
    "得分已乘以 100；括号内和“95% 区间”为按问题重抽样的自助法区间。“无法解析”指读不出工具或文本的回复；"
    "“工具正确”指在规划和反思题中选中标准答案所用工具的回复。",
)
#: The same for a chat, where a message may have 2,000 characters in all.
_HOW_BRIEF = Text(
    "In brackets: 95 % intervals over queries. Unreadable: no tool, or no text, could be read.",
    "括号内为按问题计算的 95% 区间；“无法解析”指读不出工具或文本的回复。",
)
_FEW = Text(
    "No interval where there are fewer than {fewest} queries, or where all scores are equal.",
    "问题少于 {fewest} 个或得分全部相同时不给出区间。",
)
_SMALL = Text(
    "With so few queries (the smallest type has {queries}) the intervals are rough.",
    "问题较少（最少的类型只有 {queries} 个），区间仅供参考。",
)
_REPEATS = Text(
    "{repeats} repeats: every number is their mean, query by query. Overall {mean} ± {spread} (standard deviation of "
    "the repeats: how much asking again moves it).",
    "共重复 {repeats} 次：各数值先对每个问题取平均。总分 {mean} ± {spread}（各次之间的标准差，即重复提问带来的波动）。",
)
_REPEATS_PARTIAL = Text(
    "{repeats} repeats: every number is their mean, query by query.", "共重复 {repeats} 次：各数值先对每个问题取平均。"
)
_RAISED = Text(
    "The published scorer would have ended at {count} replies or items ({reasons}); here they count 0.",
    "有 {count} 处会让官方评分程序中止（{reasons}），这里按 0 分计。",
)
_FAILED = Text(
    "{count} replies never came ({faults}); they count as empty.",
    "有 {count} 条回复始终没有得到（{faults}），按空回复计。",
)
_CUT = Text(
    "{count} prompts were too long and lost {tokens} tokens of their memory part.",
    "有 {count} 个提示词过长，其记忆部分共截去 {tokens} 个 token。",
)
_CUT_OFF = Text(
    "{count} replies ended at the limit of {limit} tokens.", "有 {count} 条回复写满 {limit} 个 token 后被截断。"
)
_TOKENS = Text("Tokens: {prompt} read, {completion} written.", "token 用量：输入 {prompt}，输出 {completion}。")
_TIME = Text(
    "Time of the model: {all} over {calls} calls, half of them within {median}.",
    "模型用时：{calls} 次调用合计 {all}，半数不超过 {median}。",
)
_CACHED = Text("{count} replies were kept from earlier runs.", "有 {count} 条回复沿用此前的运行结果。")

#: Fewer queries than this in a type, and a note says that intervals are rough.
_ROUGH = 30


def by_number(summary: Summary, lang: Lang) -> Grid:
    """The six numbers, one below the other."""
    rows = [row for row in summary.rows if not row.template and not row.lang]
    return Grid(
        head=tuple(
            one.say(lang)
            for one in (
                *(words.NUMBER_HEAD, words.SCORE, words.INTERVAL, words.ITEMS, words.QUERIES, words.REPLIES),
                *(words.UNREADABLE, words.RIGHT_TOOL),
            )
        ),
        rows=tuple(_number_row(number, rows, lang) for number in NUMBERS),
        title=words.BY_NUMBER.say(lang),
    )


def _number_row(number: Number, rows: Sequence[Row], lang: Lang) -> tuple[str, ...]:
    name = words.NUMBER[number].say(lang)
    row = next((row for row in rows if row.number == number), None)
    if row is None:
        return (name, *[words.MISSING] * 7)
    return (
        name,
        words.points(row.score.value if row.score else None),
        words.between(row.score),
        *(words.count(one) for one in (row.items, row.queries, row.replies)),
        words.rate(row.unreadable, lang),
        words.rate(row.right_tool, lang),
    )


def by_template(summary: Summary, lang: Lang) -> Grid:
    """A line per template, with the numbers that have templates."""
    return _crossed(summary, lang, words.TEMPLATE_HEAD, "template")


def by_lang(summary: Summary, lang: Lang) -> Grid:
    """A line per language of the queries."""
    return _crossed(summary, lang, words.LANG_HEAD, "lang")


def _crossed(summary: Summary, lang: Lang, head: Text, what: str) -> Grid:
    rows = [row for row in summary.rows if getattr(row, what)]
    names = list(dict.fromkeys(getattr(row, what) for row in rows))
    shown = [number for number in NUMBERS if any(row.number == number and row.score for row in rows)]
    lines = []
    for name in names:
        of_name = {row.number: row for row in rows if getattr(row, what) == name}
        whole = of_name["overall"]
        scores = [words.score(of_name[number].score) if number in of_name else words.MISSING for number in shown]
        label = words.LANG[whole.lang].say(lang) if whole.lang else grid.name(name)
        rates = (words.rate(whole.unreadable, lang), words.rate(whole.right_tool, lang))
        lines.append((label, *scores, *(words.count(one) for one in (whole.queries, whole.replies)), *rates))
    return Grid(
        head=(
            head.say(lang),
            *(words.NUMBER[number].say(lang) for number in shown),
            *(one.say(lang) for one in (words.QUERIES, words.REPLIES, words.UNREADABLE, words.RIGHT_TOOL)),
        ),
        rows=tuple(lines),
        title=(words.BY_TEMPLATE if what == "template" else words.BY_LANG).say(lang),
    )


def numbers_for_a_chat(summary: Summary, lang: Lang) -> Grid:
    """The part of `by_number` that is narrow enough for a chat: at most 64 columns."""
    rows = {row.number: row for row in summary.rows if not row.template and not row.lang}
    return Grid(
        head=tuple(one.say(lang) for one in (words.NUMBER_HEAD, words.SCORE, words.UNREADABLE, words.RIGHT_TOOL)),
        rows=tuple(_short_row(number, rows.get(number), lang) for number in NUMBERS),
        title=words.BY_NUMBER.say(lang),
    )


def _short_row(number: Number, row: Row | None, lang: Lang) -> tuple[str, ...]:
    # In Chinese without the English name behind it, which stands in the line.
    name = words.NUMBER[number].say(lang).partition(" ")[0]
    if row is None:
        return (name, *[words.MISSING] * 3)
    rates = (words.short_rate(row.unreadable, lang), words.short_rate(row.right_tool, lang))
    return (name, words.score(row.score), *rates)


def rates_by_template(summary: Summary, lang: Lang) -> Grid:
    """The part of `by_template` that is narrow enough for a chat."""
    rows = [row for row in summary.rows if row.template and row.number == "overall"]
    return Grid(
        head=tuple(one.say(lang) for one in (words.TEMPLATE_HEAD, words.REPLIES, words.UNREADABLE, words.RIGHT_TOOL)),
        rows=tuple(
            (
                *(grid.name(row.template), words.count(row.replies)),
                *(words.rate(row.unreadable, lang), words.rate(row.right_tool, lang)),
            )
            for row in rows
        ),
        title=words.BY_TEMPLATE.say(lang),
    )


def notes(summary: Summary, lang: Lang) -> list[str]:
    """What has to be said about the numbers, a sentence or two each; the first says how they are to be read."""
    found = [_HOW.say(lang)]
    whole = [row for row in summary.rows if not row.template and not row.lang and row.number in METRICS]
    fewest = min((row.queries for row in whole), default=0)
    if any(row.score and row.score.low is None for row in summary.rows):
        found.append(_FEW.say(lang, fewest=FEWEST))
    if FEWEST <= fewest < _ROUGH:
        found.append(_SMALL.say(lang, queries=fewest))
    if len(summary.repeats) > 1:
        found.append(_repeats(summary, lang))
    if summary.raised:
        found.append(_RAISED.say(lang, count=words.count(summary.raised), reasons=_counts(summary.reasons, lang)))
    return found + _calls(summary, lang)


def _repeats(summary: Summary, lang: Lang) -> str:
    known = [value for value in summary.repeats if value is not None]
    moved = spread(known)
    if moved is None:
        return _REPEATS_PARTIAL.say(lang, repeats=len(summary.repeats))
    mean = words.points(sum(known) / len(known))
    return _REPEATS.say(lang, repeats=len(summary.repeats), mean=mean, spread=words.points(moved))


def _calls(summary: Summary, lang: Lang) -> list[str]:
    calls = summary.calls
    if calls is None:
        return []
    found = []
    if calls.failed:
        failed = sum(calls.failed.values())
        found.append(_FAILED.say(lang, count=words.count(failed), faults=_counts(calls.failed, lang)))
    if calls.cut:
        found.append(_CUT.say(lang, count=words.count(calls.cut), tokens=words.count(calls.cut_tokens)))
    if calls.cut_off:
        limit = summary.spec.sampling.max_tokens
        found.append(_CUT_OFF.say(lang, count=words.count(calls.cut_off), limit=words.count(limit)))
    if calls.cached:
        found.append(_CACHED.say(lang, count=words.count(calls.cached)))
    if calls.prompt_tokens is not None or calls.completion_tokens is not None:
        read, written = (
            words.MISSING if one is None else words.count(one) for one in (calls.prompt_tokens, calls.completion_tokens)
        )
        found.append(_TOKENS.say(lang, prompt=read, completion=written))
    if calls.median_seconds is not None:
        whole, median = words.duration(calls.seconds, lang), words.duration(calls.median_seconds, lang)
        made = words.count(calls.asked - calls.cached)
        found.append(_TIME.say(lang, all=whole, calls=made, median=median))
    return found


def _counts(counts: Mapping[str, int], lang: Lang) -> str:
    return ("、" if lang == "zh" else ", ").join(
        f"{grid.name(key)} {words.count(value)}" for key, value in counts.items()
    )


def grids(summary: Summary, lang: Lang) -> list[Grid]:
    """Every table of a run that has something in it; the published rows only where it may stand beside them."""
    found = [by_number(summary, lang), by_template(summary, lang), by_lang(summary, lang)]
    if summary.comparable:
        found.append(leaderboard.leaderboard([summary], lang))
    return [one for one in found if one.rows]


def _all_notes(summary: Summary, lang: Lang) -> list[str]:
    return notes(summary, lang) + (leaderboard.notes([summary], lang) if summary.comparable else [])


def markdown(summary: Summary, lang: Lang) -> str:
    """All tables and notes as Markdown, for a file or a wide screen. The line is not in it."""
    parts = [grid.markdown(one) for one in grids(summary, lang)]
    said = "\n".join(f"- {grid.escaped(note)}" for note in _all_notes(summary, lang))
    return "\n\n".join([*parts, said])


def brief(summary: Summary, lang: Lang) -> str:
    """What a chat has room for, as Markdown: the six numbers, rates by template, notes. The line is not in it."""
    templates = rates_by_template(summary, lang)
    # One template's rates are those of all.
    parts = [numbers_for_a_chat(summary, lang), *([templates] if len(templates.rows) > 1 else [])]
    said = "\n".join(f"- {grid.escaped(note)}" for note in [_HOW_BRIEF.say(lang), *notes(summary, lang)[1:]])
    return "\n\n".join([*(grid.markdown(part) for part in parts if part.rows), said])


def text(summary: Summary, lang: Lang) -> str:
    """All tables and notes for a terminal, columns lined up. The line is not in it."""
    parts = [grid.text(one) for one in grids(summary, lang)]
    return "\n\n".join([*parts, "\n".join(_all_notes(summary, lang))])

"""The rows that the authors of KAgentBench published, and a run of ours among them where it may stand there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from agent.language import Lang, Text
from evals.kagentbench.items import METRICS
from evals.report import grid, words
from evals.report.grid import Grid
from evals.report.summary import Summary

#: Where the rows are from, and when they last changed there.
SOURCE: Final = "github.com/KwaiKEG/KwaiAgents"
UPDATED: Final = "2024-04-19"


class Published(NamedTuple):
    """One row, times 100 as it was printed."""

    model: str
    plan: float
    tooluse: float
    reflextion: float
    conclusion: float
    profile: float
    overall: float


#: In the order in which they were published.
PUBLISHED: Final = (
    Published("GPT-3.5-turbo", 18.55, 26.26, 8.06, 37.26, 35.42, 25.63),
    Published("Llama2-13B", 0.15, 0.44, 0.14, 16.60, 17.73, 5.30),
    Published("ChatGLM3-6B", 7.87, 11.84, 7.52, 30.01, 30.14, 15.88),
    Published("Qwen-7B", 13.34, 18.00, 7.91, 36.24, 34.99, 21.17),
    Published("Baichuan2-13B", 6.70, 16.10, 6.76, 24.97, 19.08, 14.89),
    Published("ToolLlama-7B", 0.20, 4.83, 1.06, 15.62, 10.66, 6.04),
    Published("AgentLM-13B", 0.17, 0.15, 0.05, 16.30, 15.22, 4.88),
    Published("Qwen-7B-MAT", 31.64, 43.30, 33.34, 44.85, 44.78, 39.85),
    Published("Baichuan2-13B-MAT", 37.27, 52.97, 37.00, 48.01, 41.83, 45.34),
    Published("Qwen-14B-MAT", 43.17, 63.78, 32.14, 45.47, 45.22, 49.94),
    Published("Qwen1.5-14B-MAT", 42.42, 64.62, 30.58, 46.51, 45.95, 50.18),
)

_TITLE = Text("Published rows", "官方公布的结果")
_TITLE_OURS = Text("Beside the published rows", "与官方公布的结果对照")
_OURS = Text("{model} (this run)", "{model}（本次运行）")
_SOURCE = Text(
    "Published rows: {source}, as of {date}, without intervals. They hold for the authors' own data file; a row of "
    "ours belongs beside them only if it was measured on that file.",
    "官方结果来自 {source}（{date}），未给出区间。这些结果对应作者自己的数据文件；"
    "只有在同一份文件上测得的结果才能与之对照。",
)
_NOT_BESIDE = Text(
    "Not shown beside them, because only complete, unconstrained runs over a file in the official form can be "
    "compared with them: {runs}.",
    "以下结果未列入，因为只有在官方格式文件上完整、无约束地运行才能与之比较：{runs}。",
)


def leaderboard(summaries: Sequence[Summary], lang: Lang) -> Grid:
    """The published rows and those of ours that are comparable, best first."""
    ours = [one for one in summaries if one.comparable and one.overall is not None]
    rows = [(row.model, [*row[1:]]) for row in PUBLISHED]
    for one in ours:
        numbers = [100 * (one.scores[metric] or 0.0) for metric in METRICS]
        rows.append((_OURS.say(lang, model=grid.name(one.model)), [*numbers, 100 * (one.overall or 0.0)]))
    rows.sort(key=lambda row: -row[1][-1])
    return Grid(
        head=(words.MODEL_HEAD.say(lang), *(words.NUMBER[number].say(lang) for number in words.NUMBER)),
        rows=tuple((model, *(f"{number:.2f}" for number in numbers)) for model, numbers in rows),
        title=(_TITLE_OURS if ours else _TITLE).say(lang),
    )


def notes(summaries: Sequence[Summary], lang: Lang) -> list[str]:
    """What has to be said below: the source, and which runs are missing from it."""
    found = [_SOURCE.say(lang, source=SOURCE, date=UPDATED)]
    others = [f"{one.mark}{grid.name(one.model)}" for one in summaries if not one.comparable]
    if others:
        found.append(_NOT_BESIDE.say(lang, runs=("、" if lang == "zh" else ", ").join(others)))
    return found


def markdown(summaries: Sequence[Summary], lang: Lang) -> str:
    """Table and notes as Markdown."""
    said = [grid.escaped(note) for note in notes(summaries, lang)]
    return "\n\n".join([grid.markdown(leaderboard(summaries, lang)), *said])


def text(summaries: Sequence[Summary], lang: Lang) -> str:
    """Table and notes for a terminal."""
    return "\n\n".join([grid.text(leaderboard(summaries, lang)), *notes(summaries, lang)])

"""The charts of a report: what is drawn. `draw.py` draws it, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.journal import Json
from agent.language import Lang, Text
from evals.kagentbench.items import METRICS
from evals.report import grid, words
from evals.report.leaderboard import PUBLISHED
from evals.report.rows import NUMBERS
from evals.report.summary import Summary
from evals.statistics import Estimate

_CHILD = Path(__file__).with_name("draw.py")
#: Runs in one picture; more can't be told apart.
MOST_RUNS: Final = 4
#: Charts drawn at the same time: each takes some 150 MB and a second or two of CPU.
AT_ONCE: Final = 1
#: Seconds for one drawing. The first on a machine takes longer, because matplotlib looks at all fonts.
MOST_SECONDS: Final = 120.0
#: Bytes of both pictures together; they have some 150 kB.
_MOST_BYTES = 16 << 20
#: Published rows that a comparable run is drawn with: the best, and one that everybody knows.
_REFERENCES = ("Qwen1.5-14B-MAT", "GPT-3.5-turbo")
#: Variables that say where matplotlib keeps what it knows about fonts, and where those are.
_PASSED = ("HOME", "PATH", "TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")

_TEXTS: Final = {
    # Chinese names alone: with the published ones beside them they would not fit.
    "plan": Text("plan", "规划"),
    "tooluse": Text("tooluse", "工具使用"),
    "reflextion": Text("reflextion", "反思"),
    "conclusion": Text("conclusion", "总结"),
    "profile": Text("profile", "人设"),
    "overall": Text("overall", "总分"),
    "title": Text("KAgentBench", "KAgentBench 对比"),
    "by_template": Text("By template", "按模板"),
    "published": Text("published", "官方结果"),
}
_ONE = Text("KAgentBench · overall {overall} · {items} items", "KAgentBench · 总分 {overall} · {items} 条")
_SEVERAL = Text("Scores × 100, {runs} runs", "得分 × 100，{runs} 次运行")
_RADAR_SCALE = Text(
    "Scores × 100 from 0 in the middle to the printed number at the edge",
    "得分 × 100，中心为 0，最外圈为所标数值",
)
_BARS_NOTE = Text("Score × 100 with 95 % interval (bootstrap over queries)", "得分 × 100 及 95% 区间（按问题重抽样）")
_FAILED = Text("The charts could not be drawn; the numbers are complete.", "图表未能绘制，但数据是完整的。")


class ChartError(Exception):
    """No pictures, for whatever reason. `text` is one sentence for people."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.text = _FAILED


@dataclass(frozen=True, slots=True)
class Charts:
    """PNG pictures, some 1,300 to 1,500 pixels wide, on a light ground."""

    #: None of an own suite, which has no five numbers.
    radar: bytes | None
    bars: bytes
    #: Language of their labels: English where no font on this machine has the Chinese ones.
    lang: Lang


class Artist:
    """Draws for one process: one at a time, each in a child that is ended if it takes too long."""

    def __init__(self, *, at_once: int = AT_ONCE, seconds: float = MOST_SECONDS) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._seconds = seconds

    async def charts(self, summaries: Sequence[tuple[str, Summary]], lang: Lang) -> Charts:
        """Radar and bars of the first `MOST_RUNS` runs, each under a name of its own. Raises `ChartError`.

        Published rows are drawn where a run is comparable with them, and it is the only one.
        """
        if not summaries:
            raise ValueError("nothing to draw")
        return await self.drawn(drawing(summaries[:MOST_RUNS], lang))

    async def drawn(self, wanted: Json) -> Charts:
        """What `draw.py` makes of this. Raises `ChartError`."""
        question = json.dumps(wanted).encode()
        async with self._room:
            try:
                child = await _start()
            except OSError as error:
                raise ChartError(f"no child: {error}") from error
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await _talk(child, question)
            except TimeoutError:
                raise ChartError(f"not done within {self._seconds:g} s") from None
            finally:
                if child.returncode is None:
                    with suppress(ProcessLookupError):
                        child.kill()
                await child.wait()
        if child.returncode:
            raise ChartError(f"the child ended with {child.returncode}")
        return _read(answer)


async def charts(summaries: Sequence[tuple[str, Summary]], lang: Lang) -> Charts:
    """`Artist.charts`, for a process that draws once."""
    return await Artist().charts(summaries, lang)


def drawing(summaries: Sequence[tuple[str, Summary]], lang: Lang) -> Json:
    """What `draw.py` is told: names, numbers times 100, labels in both languages."""
    alone = summaries[0][1] if len(summaries) == 1 else None
    references = [row for row in PUBLISHED if row.model in _REFERENCES] if alone and alone.comparable else []
    texts = {name: {"en": text.en, "zh": text.zh} for name, text in _TEXTS.items()}
    for name, text in (("radar_scale", _RADAR_SCALE), ("bars_note", _BARS_NOTE)):
        texts[name] = {"en": text.en, "zh": text.zh}
    languages: tuple[Lang, ...] = ("en", "zh")
    texts["several"] = {one: _SEVERAL.say(one, runs=len(summaries)) for one in languages}
    texts["one"] = {one: _subtitle(summaries[0][1], one) for one in languages}
    runs = [_run(name, summary) for name, summary in summaries]
    return {
        "lang": lang,
        "texts": texts,
        # The labels' own characters: a font that lacks one of them is no use.
        "needs": "".join(sorted({ch for text in texts.values() for ch in text["zh"]})),
        "runs": runs,
        "references": [
            {"name": row.model, "values": [getattr(row, metric) for metric in METRICS]} for row in references
        ],
    }


def _subtitle(summary: Summary, lang: Lang) -> str:
    row = next((row for row in summary.rows if row.number == "overall" and not row.template and not row.lang), None)
    estimate = row.score if row else None
    return _ONE.say(lang, overall=words.score(estimate), items=words.count(summary.items))


def _run(name: str, summary: Summary) -> dict[str, Any]:
    whole = {row.number: row.score for row in summary.rows if not row.template and not row.lang}
    by_template: dict[str, dict[str, Any]] = {}
    for row in summary.rows:
        if row.template and row.number != "overall":
            by_template.setdefault(row.number, {})[grid.name(row.template)[:14]] = estimated(row.score)
    overall = "" if summary.overall is None else f" · {words.points(summary.overall)}"
    values = [summary.scores.get(metric) for metric in METRICS]
    return {
        "name": grid.name(name),
        "mark": summary.mark,
        "title": f"{summary.mark}{grid.name(name)}{overall}",
        "numbers": list(NUMBERS),
        "values": [None if value is None else 100 * value for value in values],
        "estimates": [estimated(whole.get(number)) for number in NUMBERS],
        "templates": list(dict.fromkeys(template for number in by_template.values() for template in number)),
        "by_template": by_template,
    }


def estimated(estimate: Estimate | None) -> list[float | None] | None:
    """Value and interval, as `draw.py` takes them."""
    return None if estimate is None else [estimate.value, estimate.low, estimate.high]


async def _start() -> Process:
    # Isolated: no folder of ours on the path, few variables, not in our process group (Ctrl-C is for the server).
    variables = {name: value for name in _PASSED if (value := os.environ.get(name))}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-B", str(_CHILD)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={**variables, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        cwd="/",
        close_fds=True,
        start_new_session=True,
    )


async def _talk(child: Process, question: bytes) -> bytes:
    to_child, from_child = child.stdin, child.stdout
    if to_child is None or from_child is None:
        raise AssertionError("started with pipes")
    with suppress(ConnectionError):
        to_child.write(question)
        await to_child.drain()
    to_child.close()
    answer = bytearray()
    while piece := await from_child.read(1 << 16):
        answer += piece
        if len(answer) > _MOST_BYTES:
            raise ChartError("too much from the child")
    await child.wait()
    return bytes(answer)


def _read(answer: bytes) -> Charts:
    first, _, pictures = answer.partition(b"\n")
    try:
        head = json.loads(first)
        radar, bars = pictures[: head["radar"]], pictures[head["radar"] :]
        whole = len(bars) == head["bars"] and radar[:4] in (b"", b"\x89PNG") and bars.startswith(b"\x89PNG")
        if whole:
            return Charts(radar or None, bars, "zh" if head["lang"] == "zh" else "en")
    except (ValueError, KeyError, TypeError) as error:
        raise ChartError("not an answer") from error
    raise ChartError("no whole pictures")

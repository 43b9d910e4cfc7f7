"""The one message of a run, as Markdown: while it goes on, and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from agent.journal import Json
from agent.language import Lang
from bot.bench import texts
from bot.exporting import code
from evals.kagentbench.items import METRICS
from evals.runs import Run, RunSpec

#: Seconds between two edits, by the age of the run: a short one is watched, a long one is looked at now and then.
_PACES: Final = ((60.0, 5.0), (600.0, 10.0), (3_600.0, 30.0))
_SLOWEST: Final = 60.0
#: Characters of the bar.
_BAR: Final = 20
_FULL, _EMPTY = "█", "░"
_PHASES: Final = {"scoring": texts.SCORING, "judging": texts.JUDGING}
#: Numbers of a run that is under way: the benchmark's, and a suite's.
_NUMBERS: Final = (*METRICS, "pass")
#: Below this many replies per second they are counted per minute.
_SLOW: Final = 0.5


def pace(age: float) -> float:
    """Seconds between two edits of the message of a run that began so many seconds ago."""
    return next((every for until, every in _PACES if age < until), _SLOWEST)


def bar(done: int, total: int) -> str:
    """How far it is: `████░░░░ 42 %`. Full only when all is done."""
    share = min(1.0, done / total) if total else 0.0
    filled = int(share * _BAR)
    return f"`{_FULL * filled}{_EMPTY * (_BAR - filled)}` {int(share * 100)} %"


def about(spec: RunSpec, lang: Lang) -> str:
    """Data and options of a run in a few words."""
    from bot.bench.words import Wanted, words_of

    items = spec.data.items if spec.limit is None else min(spec.limit, spec.data.items)
    data = texts.DATA.say(lang, name=code(spec.data.name), items=f"{items:,}")
    options = words_of(
        Wanted(
            types=spec.types,
            templates=spec.templates,
            langs=spec.langs,
            seed=spec.seed,
            preset=spec.preset,
            repeats=spec.repeats,
            reasoning=spec.reasoning,
            constrained=spec.constrained,
            fresh=spec.fresh,
            judge=spec.judge,
        )
    )
    return f"{data} · {code(options)}" if options else data


def title(run: Run, lang: Lang) -> str:
    """What is measured."""
    text = texts.TITLE_SUITE if run.spec.data.kind == "suite" else texts.TITLE
    return text.say(lang, model=code(run.spec.model), data=about(run.spec, lang))


def far(progress: Mapping[str, Any], lang: Lang) -> str:
    """How far a run is, in a line: replies, rate, time left."""
    done, total = int(progress.get("done") or 0), int(progress.get("total") or 0)
    if not total:
        return texts.WAITING.say(lang)
    found = [texts.DONE.say(lang, done=f"{done:,}", total=f"{total:,}")]
    for name, text in (("cached", texts.CACHED), ("failed", texts.FAILED)):
        if progress.get(name):
            found.append(text.say(lang, count=f"{progress[name]:,}"))
    rate, left = float(progress.get("rate") or 0.0), progress.get("left")
    if done < total and rate > 0:
        fast = rate >= _SLOW
        text = texts.RATE if fast else texts.RATE_MINUTE
        found.append(text.say(lang, rate=f"{rate if fast else rate * 60:.1f}"))
        if left is not None:
            found.append(texts.LEFT.say(lang, time=time_of(float(left), lang)))
    return ("，" if lang == "zh" else ", ").join(found)


def time_of(seconds: float, lang: Lang) -> str:
    """A span of time in whole units that fit."""
    whole = max(0, round(seconds))
    units = (("d", "天", 86_400), ("h", "小时", 3_600), ("min", "分钟", 60), ("s", "秒", 1))
    for number, (en, zh, size) in enumerate(units):
        if whole < size and size > 1:
            continue
        parts = [(whole // size, en, zh)]
        if number + 1 < len(units):
            en, zh, smaller = units[number + 1]
            parts.append((whole % size // smaller, en, zh))
        return " ".join(f"{count} {zh if lang == 'zh' else en}" for count, en, zh in parts if count or len(parts) == 1)
    return ""


def scores_of(scores: Mapping[str, float | None]) -> str:
    """Partial scores, in the form of the published line."""
    return ", ".join(f"{name} {100 * value:.2f}" for name in _NUMBERS if (value := scores.get(name)) is not None)


def running(run: Run, progress: Mapping[str, Any], stop: str, lang: Lang) -> str:
    """The message of a run that goes on. `stop`: the command that ends it, as people type it."""
    lines = [title(run, lang)]
    done, total = int(progress.get("done") or 0), int(progress.get("total") or 0)
    if total:
        lines.append(bar(done, total))
    phase = _PHASES.get(str(progress.get("phase") or ""))
    lines.append(far(progress, lang) if phase is None else phase.say(lang))
    scores = scores_of(progress.get("scores") or {})
    if scores:
        lines.append(texts.SO_FAR.say(lang, items=f"{progress.get('scored') or 0:,}", scores=scores))
    lines.append(texts.RUN.say(lang, run=code(run.id), stop=stop))
    return "\n\n".join(lines)


def cancelled(run: Run, progress: Mapping[str, Any], lang: Lang) -> str:
    """The message of a run that was cancelled."""
    done, total = int(progress.get("done") or 0), int(progress.get("total") or 0)
    lines = [title(run, lang), texts.CANCELLED.say(lang, done=f"{done:,}", total=f"{total:,}")]
    scores = scores_of(progress.get("scores") or {})
    if scores:
        lines.append(texts.SO_FAR.say(lang, items=f"{progress.get('scored') or 0:,}", scores=scores))
    return "\n\n".join(lines)


def broken(run: Run, lang: Lang) -> str:
    """The message of a run that failed."""
    return "\n\n".join([title(run, lang), texts.BROKEN.say(lang, error=run.error)])


def unreadable(run: Run, lang: Lang) -> str:
    """The message of a run that is done, and whose summary another version wrote."""
    return "\n\n".join([title(run, lang), texts.OTHER_VERSION.say(lang, run=code(run.id))])


def finished(run: Run, summary: Json, difference: str, lang: Lang) -> str:
    """The message of a run that is done: `measured`, the run's name and how long it took. Raises as that does."""
    done = texts.RUN_DONE.say(lang, run=code(run.id), time=time_of(_seconds(run), lang))
    return f"{measured(run, summary, difference, lang)}\n\n{done}"


def measured(run: Run, summary: Json, difference: str, lang: Lang) -> str:
    """What came out: what it is, line, table, difference. Raises ValueError for another version's summary."""
    from evals.report import summary as summaries
    from evals.report import table
    from evals.suites.summary import is_suite_summary

    if is_suite_summary(summary):
        from bot.bench import suites

        line, shown = suites.line_of(summary), suites.brief(summary, lang)
    else:
        read = summaries.read(summary)
        line, shown = read.line, table.brief(read, lang)
    parts = [title(run, lang), f"```\n{line}\n```", shown]
    return "\n\n".join([*parts, difference] if difference else parts)


def _seconds(run: Run) -> float:
    ended: datetime = run.finished_at or run.started_at
    return (ended - run.started_at).total_seconds()

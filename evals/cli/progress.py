"""How far a command is: a bar on a terminal, a line every few seconds in a log. Always on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import click

from agent.language import Lang, Text

if TYPE_CHECKING:
    from evals.running.progress import Progress

#: Seconds between two lines where nobody sees a bar.
EVERY: Final = 10.0

_SCORING = Text("Scoring", "打分")
_ASKING = Text("Asking", "提问")
_LINE = Text("{what}: {done} of {total}", "{what}：{done} / {total}")
_RATE = Text(", {rate:.1f} replies/s", "，每秒 {rate:.1f} 条回复")
_LEFT = Text(", {left} left", "，剩余 {left}")
_CACHED = Text(", {cached} from earlier runs", "，{cached} 条来自以前的运行")
_FAILED = Text(", {failed} failed", "，{failed} 条失败")


class Bar:
    """Something with a total, as it goes on."""

    def __init__(self, lang: Lang, what: Text) -> None:
        self._lang = lang
        self._what = what.say(lang)
        self._bar: Any = None
        self._task: Any = None
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar, self._task = _bar(self._what)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int, more: str = "") -> None:
        """Where it stands; `more` follows the numbers."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, far=f"{done:,}/{total:,}{more}")
            return
        now = time.monotonic()
        if now - self._said >= EVERY:
            self._said = now
            click.echo(_LINE.say(self._lang, what=self._what, done=done, total=total) + more, err=True)


class Scoring(Bar):
    """`progress` of `evals.kagentbench.score.evaluate`."""

    def __init__(self, lang: Lang) -> None:
        super().__init__(lang, _SCORING)


class Asking(Bar):
    """`watch` of `evals.running.runner.run`."""

    def __init__(self, lang: Lang) -> None:
        super().__init__(lang, _ASKING)

    def watch(self, progress: Progress) -> None:
        """A run's own progress."""
        self.show(progress.done, progress.total, described(progress, self._lang))


def described(progress: Progress, lang: Lang) -> str:
    """Rate, time left, what came from elsewhere and what failed."""
    said = ""
    if progress.rate:
        said += _RATE.say(lang, rate=progress.rate)
    if progress.left is not None and progress.done < progress.total:
        said += _LEFT.say(lang, left=clock(progress.left))
    if progress.cached:
        said += _CACHED.say(lang, cached=progress.cached)
    if progress.failed:
        said += _FAILED.say(lang, failed=progress.failed)
    return said


def clock(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _bar(what: str) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        # One column: between two of them is a blank, and what follows the numbers begins with a comma.
        TextColumn("{task.fields[far]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    return bar, bar.add_task(what, total=None, far="")

"""The line at the bottom that moves while the chat waits: what is going on, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import termios
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live

from adapters.terminal import chat_texts as texts
from adapters.terminal.console import lines, one_line, utf8
from agent.language import Lang

#: Pictures a second: enough for the eye, little for a slow line.
_PER_SECOND = 8
#: Standard input.
_KEYBOARD = 0
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "-\\|/"


def elapsed(seconds: float, lang: Lang) -> str:
    """A duration as people say it."""
    whole = round(seconds)
    if 0 < seconds < 9.95 and seconds % 1:
        return texts.SECONDS.say(lang, seconds=f"{max(seconds, 0.1):.1f}")
    if whole < 60:
        return texts.SECONDS.say(lang, seconds=whole)
    return texts.MINUTES.say(lang, minutes=whole // 60, seconds=whole % 60)


@contextlib.contextmanager
def quiet(descriptor: int = _KEYBOARD) -> Iterator[None]:
    """Nothing that is typed meanwhile shows; it waits for the next prompt, key by key. Ctrl-C works as ever."""
    try:
        before = termios.tcgetattr(descriptor)
    except (termios.error, OSError, ValueError):
        yield
        return
    silent = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON), *before[4:]]
    termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Progress:
    """Shows the line, with whatever `above` gives right above it, until it is left; then all of that is gone."""

    def __init__(
        self,
        console: Console,
        lang: Lang,
        status: Callable[[], str],
        above: Callable[[], RenderableType | None] = lambda: None,
    ) -> None:
        self._console = console
        self._lang: Lang = lang
        self._status = status
        self._above = above
        self._began = time.monotonic()
        self._frames = _FRAMES if utf8(console) else _PLAIN_FRAMES
        self._exits = contextlib.ExitStack()
        self._live: Live | None = None
        self._ticker: asyncio.Task[None] | None = None

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    async def __aenter__(self) -> Progress:
        self.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()

    def resume(self) -> None:
        """Show it (again)."""
        if self._live is not None:
            return
        self._exits.enter_context(quiet())
        self._live = Live(
            get_renderable=self._drawn,
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._exits.enter_context(self._live)
        self._ticker = asyncio.create_task(self._tick())

    def pause(self) -> None:
        """Take it away."""
        if self._ticker is not None:
            self._ticker.cancel()
        self._ticker = self._live = None
        self._exits.close()

    def refresh(self) -> None:
        """Draw it anew, now."""
        if self._live is not None:
            self._live.refresh()

    async def _tick(self) -> None:
        while True:
            self.refresh()
            await asyncio.sleep(1 / _PER_SECOND)

    def _drawn(self) -> RenderableType:
        frame = self._frames[int(self.seconds * _PER_SECOND) % len(self._frames)]
        room = max(10, self._console.width - 30)
        line = lines(
            (
                (f"{frame} ", "cyan"),
                (one_line(self._status(), room), ""),
                (f" · {elapsed(int(self.seconds), self._lang)} · {texts.STOPS.say(self._lang)}", "dim"),
            )
        )
        line.no_wrap, line.overflow = True, "crop"
        above = self._above()
        return line if above is None else Group(above, "", line)

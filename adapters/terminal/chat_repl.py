"""The conversation at the prompt: question, answer, and commands in between."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from adapters.terminal import chat_commands as commands
from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_desk import Desk
from adapters.terminal.chat_progress import quiet
from adapters.terminal.chat_prompt import Prompt, ask_yes
from adapters.terminal.chat_shapes import Info, Turn
from adapters.terminal.chat_talk import GaveUp, Interrupts, Leave, Talk
from adapters.terminal.chat_view import LiveView, PlainView, View
from adapters.terminal.client import Away, Refused
from adapters.terminal.console import lines, one_line
from agent.language import Lang


@contextlib.contextmanager
def interrupts(outer: Interrupts | None = None) -> Iterator[Interrupts]:
    """Ctrl-C, for as long as the block runs, instead of the end of the program; afterwards it is `outer`'s again."""
    found = Interrupts()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, found.pressed)
    try:
        yield found
    finally:
        if outer is None:
            loop.remove_signal_handler(signal.SIGINT)
        else:
            loop.add_signal_handler(signal.SIGINT, outer.pressed)


def refusal(error: Refused, lang: Lang) -> str:
    """What the server said no with, for this program's user."""
    return texts.TOKEN_NEEDED.say(lang) if error.status == 401 else error.message


class Repl:
    """One person at one terminal."""

    def __init__(self, talk: Talk, console: Console, lang: Lang, history: Path) -> None:
        self._talk = talk
        self._console = console
        self._lang: Lang = lang
        self._outer: Interrupts | None = None
        self._desk = Desk(talk, console, lang, self._ask, self._watch, self._retry)
        self._prompt = Prompt(history, self._choices)

    async def run(self, conversation: str | None) -> None:
        """Talk until the person leaves; `conversation` is gone on with. Raises `Refused`, `Away` or `HostError`."""
        self._welcome(await self._talk.call(lambda client: client.info()))
        with quiet(), contextlib.suppress(Leave, EOFError):
            if conversation is not None:
                await self._obey(commands.open_conversation(self._desk, conversation))
            while True:
                await self._handle(await self._next())

    async def _next(self) -> str:
        """What is written next. Raises `Leave` for two Ctrl-C in a row and `EOFError` for Ctrl-D."""
        pressed_before = False
        while True:
            try:
                if line := await self._prompt.line():
                    return line
                pressed_before = False
            except KeyboardInterrupt:
                if pressed_before:
                    raise Leave from None
                pressed_before = True
                self._desk.say(texts.AGAIN_LEAVES, "dim")

    async def _handle(self, line: str) -> None:
        try:
            await self._obey(commands.run(self._desk, line) if line.startswith("/") else self._ask(line))
        except GaveUp as gave_up:
            self._desk.say(texts.KEPT if gave_up.kept else texts.NOT_SENT, "yellow")
        except Refused as error:
            self._console.print(lines([(refusal(error, self._lang), "red")]))
        except Away:
            self._desk.say(texts.NO_ANSWER, "red")
        self._console.print()

    async def _obey(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it; Ctrl-C ends it, unless a turn is shown, which has its own use for it."""
        with interrupts() as self._outer:
            task = asyncio.create_task(work)
            pressed = asyncio.create_task(self._outer.next())
            try:
                await asyncio.wait({task, pressed}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in (pressed, task):
                    one.cancel()
                await asyncio.gather(task, pressed, return_exceptions=True)
        if not task.cancelled():
            task.result()

    def _welcome(self, info: Info) -> None:
        model = info.model
        self._desk.say(texts.MODEL_DEMO if model.demo else texts.MODEL, "dim", name=one_line(model.name, 60))
        if model.state == "down":
            self._desk.say(texts.MODEL_DOWN, "yellow", detail=one_line(model.detail))
        self._desk.say(texts.HINT, "dim")
        offered = next((one.text for one in info.offered_questions if one.lang == self._lang), None)
        if offered is not None and model.demo:
            self._desk.say(texts.TRY, "dim", question=one_line(offered))
        self._console.print()

    # --- Turns

    async def _ask(self, question: str) -> None:
        await self._shown(lambda view, pressed: self._talk.ask(question, view, pressed))

    async def _watch(self, turn: Turn) -> None:
        await self._shown(lambda view, pressed: self._talk.watch(turn, view, pressed))

    async def _retry(self, turn: Turn) -> None:
        await self._shown(lambda view, pressed: self._talk.retry(turn, view, pressed))

    async def _shown(self, work: Callable[[View, Interrupts], Awaitable[Turn]]) -> None:
        with interrupts(self._outer) as pressed:
            async with self._view() as view:
                await work(view, pressed)

    def _view(self) -> View:
        if self._console.is_dumb_terminal:
            return PlainView(self._console, self._console, self._lang, ask_yes)
        return LiveView(self._console, self._lang, ask_yes)

    # --- The prompt

    def _choices(self, text: str) -> Iterable[tuple[str, str]]:
        return commands.choices(self._desk, text)

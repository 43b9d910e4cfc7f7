"""The conversation at the prompt: question, answer, and commands in between."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from rich.console import Console

from adapters.terminal import chat_commands as commands
from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_prompt import Prompt, ask_yes
from adapters.terminal.chat_shapes import Info, Turn
from adapters.terminal.chat_talk import GaveUp, Interrupts, Leave, Talk
from adapters.terminal.chat_view import LiveView, PlainView, View
from adapters.terminal.client import Away, Refused
from adapters.terminal.console import lines, one_line, utf8
from agent.language import Lang


@contextlib.contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Ctrl-C, for as long as the block runs, instead of the end of the program."""
    found = Interrupts()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, found.pressed)
    try:
        yield found
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def refusal(error: Refused, lang: Lang) -> str:
    """What the server said no with, for this program's user."""
    return texts.TOKEN_NEEDED.say(lang) if error.status == 401 else error.message


class Repl:
    """One person at one terminal."""

    def __init__(self, talk: Talk, console: Console, lang: Lang, history: Path) -> None:
        self._talk = talk
        self._console = console
        self._lang: Lang = lang
        self._model = ""
        self._desk = commands.Desk(talk, console, lang, self._ask, self._watch, self._retry)
        self._prompt = Prompt(history, self._choices, self._toolbar)

    async def run(self, conversation: str | None) -> None:
        """Talk until the person leaves; `conversation` is gone on with. Raises `Refused`, `Away` or `HostError`."""
        self._welcome(await self._talk.call(lambda client: client.info()))
        if conversation is not None:
            with interrupts():
                await commands.open_conversation(self._desk, conversation)
        pressed_before = False
        while True:
            try:
                line = await self._prompt.line()
            except KeyboardInterrupt:
                if pressed_before:
                    return
                pressed_before = True
                self._desk.say(texts.AGAIN_LEAVES, "dim")
                continue
            except EOFError:
                return
            pressed_before = False
            if not line:
                continue
            try:
                await (commands.run(self._desk, line) if line.startswith("/") else self._ask(line))
            except Leave:
                return
            except GaveUp as gave_up:
                self._desk.say(texts.KEPT if gave_up.kept else texts.NOT_SENT, "yellow")
            except Refused as error:
                self._console.print(lines([(refusal(error, self._lang), "red")]))
            except Away:
                self._desk.say(texts.NO_ANSWER, "red")

    def _welcome(self, info: Info) -> None:
        model = info.model
        self._model = one_line(model.name, 60)
        self._desk.say(texts.MODEL_DEMO if model.demo else texts.MODEL, "dim", name=self._model)
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
        with interrupts() as pressed:
            async with self._view() as view:
                turn = await work(view, pressed)
        self._model = one_line(turn.model or self._model, 60)
        self._desk.title = self._desk.title or one_line(turn.question, 60)

    def _view(self) -> View:
        if self._console.is_dumb_terminal:
            return PlainView(self._console, self._console, self._lang, ask_yes)
        return LiveView(self._console, self._lang, ask_yes)

    # --- The prompt

    def _choices(self, text: str) -> Iterable[tuple[str, str]]:
        return commands.choices(self._desk, text)

    def _toolbar(self) -> str:
        between = " · " if utf8(self._console) else " - "
        return between.join(piece for piece in (self._model, self._desk.title, "/help") if piece)

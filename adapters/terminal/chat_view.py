"""How a turn looks on a terminal while it is answered, and afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Protocol

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_html import text_of
from adapters.terminal.chat_progress import Progress, elapsed
from adapters.terminal.chat_shapes import Consent, Step, Turn
from adapters.terminal.console import lines, markdown, one_line, safe, utf8
from agent.language import Lang, Text

#: Lines of the screen that the growing part of an answer leaves free: the line of progress, and what is above.
_FREE_LINES = 5
_OUTCOMES: dict[str, tuple[Text, str]] = {
    "stopped": (texts.STOPPED, "yellow"),
    "withdrawn": (texts.WITHDRAWN, "yellow"),
    "superseded": (texts.SUPERSEDED, "yellow"),
}

#: Puts a question to the person: True for yes.
AskPerson = Callable[[str], Awaitable[bool]]


class View(Protocol):
    """What shows one turn. Used with `async with`; whatever moves is gone when that is left."""

    async def __aenter__(self) -> View: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, turn: Turn) -> None:
        """A newer picture of the turn."""

    def away(self) -> None:
        """The server doesn't answer; it is looked for."""

    def back(self, sentence: str) -> None:
        """It answers again."""

    def stopping(self) -> None:
        """The person wants it to stop."""

    async def allow(self, consent: Consent) -> bool:
        """Whether the step may run that the turn waits for. May be cancelled: somebody else decided."""

    def end(self, turn: Turn) -> None:
        """The last picture."""


def status_of(turn: Turn | None, lang: Lang) -> str:
    """What is going on, in a few words."""
    if turn is None:
        return texts.THINKING.say(lang)
    running = [step for step in turn.steps if step.state == "running"]
    if running and not turn.text:
        return running[-1].title
    if turn.status:
        return turn.status
    if turn.state == "queued":
        return texts.QUEUED.say(lang)
    return (texts.WRITING if turn.text else texts.THINKING).say(lang)


class LiveView:
    """On a terminal: finished steps and finished paragraphs stay, what still grows is drawn anew below them."""

    def __init__(self, console: Console, lang: Lang, ask: AskPerson) -> None:
        self._console = console
        self._lang: Lang = lang
        self._ask = ask
        self._turn: Turn | None = None
        #: What was said last about the connection or Ctrl-C; in place of the turn's own status.
        self._special: Text | None = None
        self._shown_steps: set[str] = set()
        #: The beginning of the text that is printed for good.
        self._printed = ""
        self._tail = _Tail(console)
        self._progress = Progress(console, lang, self._status, lambda: self._tail.renderable)

    async def __aenter__(self) -> LiveView:
        await self._progress.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._progress.__aexit__(kind, error, trace)

    def show(self, turn: Turn) -> None:
        if self._special is not texts.STOPPING:
            self._special = None
        self._turn = turn
        self._put_steps(turn)
        self._put(turn.text)
        self._progress.refresh()

    def _put_steps(self, turn: Turn) -> None:
        for step in turn.steps:
            if step.state != "running" and step.key not in self._shown_steps:
                self._shown_steps.add(step.key)
                self._console.print(step_line(step, utf8(self._console)))

    def _put(self, text: str) -> None:
        if self._printed.startswith(text):
            # A turn that runs again after a restart has not come this far yet.
            self._tail.text = ""
            return
        if not text.startswith(self._printed):
            self._printed = ""
            self._console.print(lines([(texts.ANEW.say(self._lang), "yellow")]))
        self._tail.text = text[len(self._printed) :]
        while self._tail.too_long and (block := first_block(self._tail.text)):
            self._console.print(markdown(block))
            self._console.print()
            self._printed += block
            self._tail.text = self._tail.text[len(block) :]

    def away(self) -> None:
        self._console.print(lines([(texts.AWAY.say(self._lang), "yellow")]))
        self._special = texts.RECONNECTING
        self._progress.refresh()

    def back(self, sentence: str) -> None:
        self._special = None
        self._console.print(lines([(sentence, "yellow")]))

    def stopping(self) -> None:
        self._special = texts.STOPPING
        self._progress.refresh()

    async def allow(self, consent: Consent) -> bool:
        self._progress.pause()
        self._console.print(lines([(texts.CONSENT.say(self._lang, question=consent.question), "bold")]))
        try:
            allowed = await self._ask(texts.ALLOW.say(self._lang))
            self._console.print(lines([((texts.ALLOWED if allowed else texts.DENIED).say(self._lang), "dim")]))
            return allowed
        finally:
            self._progress.resume()

    def end(self, turn: Turn) -> None:
        self._put_steps(turn)
        # Of what went wrong, the text is the reason.
        wrong = turn.state in ("failed", "refused")
        self._put("" if wrong else turn.text)
        rest, self._tail.text = self._tail.text, ""
        self._progress.pause()
        if wrong:
            self._console.print(lines([(turn.text.strip() or _reason(turn, self._lang), "red")]))
        elif rest.strip():
            self._console.print(markdown(rest))
        self._console.print(closing(turn, self._lang, self._progress.seconds))

    def _status(self) -> str:
        return self._special.say(self._lang) if self._special else status_of(self._turn, self._lang)


class PlainView:
    """Not on a terminal, or on a dumb one: the answer once, when it is complete, as the Markdown that it is.

    `err` gets what moves and what goes wrong.
    """

    def __init__(self, out: Console, err: Console, lang: Lang, ask: AskPerson | None = None) -> None:
        self._out = out
        self._err = err
        self._lang: Lang = lang
        self._ask = ask
        self._turn: Turn | None = None
        self._special: Text | None = None
        self._progress = Progress(err, lang, self._status)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> PlainView:
        if self._err.is_terminal and not self._err.is_dumb_terminal:
            await self._exits.enter_async_context(self._progress)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    def show(self, turn: Turn) -> None:
        self._turn = turn
        if self._special is not texts.STOPPING:
            self._special = None

    def away(self) -> None:
        self._special = texts.RECONNECTING
        self._err.print(lines([(texts.AWAY.say(self._lang), "")]))

    def back(self, sentence: str) -> None:
        self._special = None
        self._err.print(lines([(sentence, "")]))

    def stopping(self) -> None:
        self._special = texts.STOPPING

    async def allow(self, consent: Consent) -> bool:
        if self._ask is None:
            self._err.print(lines([(texts.NOBODY_TO_ASK.say(self._lang, question=consent.question), "")]))
            return False
        self._err.print(lines([(texts.CONSENT.say(self._lang, question=consent.question), "")]))
        return await self._ask(texts.ALLOW.say(self._lang))

    def end(self, turn: Turn) -> None:
        self._progress.pause()
        if turn.state in ("failed", "refused"):
            self._err.print(lines([(turn.text.strip() or _reason(turn, self._lang), "")]), soft_wrap=True)
            return
        # As it is: rich would make spaces of tabs.
        self._out.file.write("".join(f"{safe(line)}\n" for line in (turn.text.strip(), *remarks(turn, self._lang))))
        self._out.file.flush()
        if turn.state in _OUTCOMES and not turn.notes:
            self._err.print(lines([(_OUTCOMES[turn.state][0].say(self._lang), "")]))

    def _status(self) -> str:
        return self._special.say(self._lang) if self._special else status_of(self._turn, self._lang)


class JsonView(PlainView):
    """For programs: they get the outcome when all is over, and people the same signs of life as ever."""

    def end(self, turn: Turn) -> None:
        self._progress.pause()


class _Tail:
    """The growing end of an answer, as many of its last lines as the screen has room for."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._drawn: list[list[Segment]] = []
        self._width = 0

    @property
    def text(self) -> str:
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._text:
            self._text, self._width = text, 0

    @property
    def too_long(self) -> bool:
        return len(self._lines()) > self._room

    @property
    def renderable(self) -> RenderableType | None:
        return _Lines(self._lines()[-self._room :]) if self._text.strip() else None

    @property
    def _room(self) -> int:
        return max(3, self._console.height - _FREE_LINES)

    def _lines(self) -> list[list[Segment]]:
        if self._width != self._console.width:
            self._width = self._console.width
            self._drawn = self._console.render_lines(markdown(self._text), pad=False) if self._text.strip() else []
        return self._drawn


class _Lines:
    """Lines that were laid out already."""

    def __init__(self, drawn: list[list[Segment]]) -> None:
        self._drawn = drawn

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._drawn:
            yield from line
            yield Segment.line()


def first_block(text: str) -> str:
    """The first block of the Markdown with the empty lines after it; "" unless another one has begun after it."""
    starts = [
        token.map[0] for token in MarkdownIt().parse(text) if token.level == 0 and token.map and token.nesting >= 0
    ]
    if len(starts) < 2:
        return ""
    return "".join(text.splitlines(keepends=True)[: starts[1]])


def step_line(step: Step, marks: bool = True) -> RenderableType:
    """A finished step in one line: what it was and the beginning of what it found."""
    mark = ("✓" if step.state == "done" else "✗") if marks else ("ok" if step.state == "done" else "x")
    found = text_of(step.html).partition("\n")[0]
    colour = "green" if step.state == "done" else "red"
    line = lines([(f"{mark} ", colour), (one_line(step.title, 80), ""), (f"  {one_line(found)}", "dim")])
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def remarks(turn: Turn, lang: Lang) -> list[str]:
    """Sources and notes, a line each; an empty line first if there are any."""
    found: list[str] = []
    if turn.sources:
        found.append(f"{texts.SOURCES.say(lang)}:" if lang == "en" else f"{texts.SOURCES.say(lang)}：")
        found += [f"  {number}. {one_line(source, 2000)}" for number, source in enumerate(turn.sources, 1)]
    found += [one_line(note, 2000) for note in turn.notes]
    return ["", *found] if found else []


def closing(turn: Turn, lang: Lang, seconds: float | None) -> RenderableType:
    """What stands below an answer: how it ended, its sources and notes, who gave it and how long it took."""
    parts: list[tuple[str, str]] = []
    # A stopped turn says so in its notes.
    if turn.state in _OUTCOMES and not turn.notes:
        sentence, style = _OUTCOMES[turn.state]
        parts.append((f"{sentence.say(lang)}\n", style))
    parts += [(f"{line}\n", "dim") for line in remarks(turn, lang)]
    if turn.can_retry:
        parts.append((f"{texts.TRY_AGAIN.say(lang)}\n", "dim"))
    count = len(turn.steps)
    steps = texts.ONE_STEP.say(lang) if count == 1 else texts.STEPS.say(lang, count=count) if count else ""
    took = elapsed(seconds, lang) if seconds is not None else ""
    foot = " · ".join(piece for piece in (one_line(turn.model or ""), steps, took) if piece)
    if foot:
        parts.append((f"{foot}\n", "bright_black"))
    styled = lines(parts)
    styled.rstrip()
    return styled


def _reason(turn: Turn, lang: Lang) -> str:
    return safe((texts.FAILED if turn.state == "failed" else texts.REFUSED).say(lang))

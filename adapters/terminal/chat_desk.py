"""What the commands of a chat work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console

from adapters.terminal.chat_shapes import Conversation, Endpoint, Turn, Value
from adapters.terminal.chat_talk import Talk
from adapters.terminal.console import lines
from agent.language import Lang, Text


@dataclass
class Desk:
    """What commands work with."""

    talk: Talk
    console: Console
    lang: Lang
    #: Asks (again), and shows the turn.
    ask: Callable[[str], Awaitable[None]]
    #: Shows a turn that is going on.
    watch: Callable[[Turn], Awaitable[None]]
    #: Lets a turn be answered again.
    retry: Callable[[Turn], Awaitable[None]]
    #: As they were listed last, for /open and for completion.
    listed: Sequence[Conversation] = ()
    #: For completion.
    endpoints: Sequence[Endpoint] = ()
    values: Sequence[Value] = ()

    def say(self, text: Text, style: str = "", **fields: object) -> None:
        """One line for the person."""
        self.console.print(lines([(text.say(self.lang, **fields), style)]))


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    #: What it takes, for /help.
    takes: str
    about: Text
    run: Callable[[Desk, str], Awaitable[None]]
    #: What it can be completed with.
    choices: Callable[[Desk], Iterable[tuple[str, str]]] = lambda desk: ()

"""The agent's steps on a terminal, as they happen: in colour where there is one, else as plain lines."""

from __future__ import annotations

import os
import sys
from typing import Final

import click
from rich.console import Console

from adapters.terminal.console import lines, markdown, safe
from adapters.terminal.trace import LABELS, SEPARATOR, Action, ChainMessage
from agent.events import Finished
from agent.language import Lang, Text

#: Characters of an observation that are shown; the chain has all of it.
_SHOWN = 2000
_CUT = Text("… ({left} more characters)", "…（还有 {left} 个字符）")
_SOURCES = Text("Sources", "来源")
_STYLES: Final[dict[Action, str]] = {
    "search": "cyan",
    "click": "cyan",
    "execute": "cyan",
    "observation": "green",
    "thinking": "dim",
    "thought": "yellow",
    "reading": "dim",
    "reason": "blue",
    "finish": "blue",
    "conclusion": "bold",
    "fail": "red",
}


def has_colour() -> bool:
    """Whether standard output is a terminal that may be given colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Screen:
    """Shows chain messages."""

    def __init__(self, lang: Lang, *, silent: bool) -> None:
        """`silent` shows nothing: then the output is for a program."""
        self._lang = lang
        self._silent = silent
        self._console = Console(markup=False, emoji=False, highlight=False) if has_colour() and not silent else None

    def message(self, message: ChainMessage) -> None:
        """One step."""
        if self._silent or message.action == "chain_end":
            return
        label, between = LABELS[message.action].say(self._lang), SEPARATOR.say(self._lang)
        text = message.text if message.action == "conclusion" else self._shortened(message.text)
        if self._console is None:
            click.echo(f"{label}{between}{safe(text)}" if text else label)
        elif message.action == "conclusion":
            self._console.print(lines([(f"{label}{between}", _STYLES[message.action])]))
            self._console.print(markdown(text))
        else:
            style = _STYLES[message.action]
            self._console.print(lines([(f"{label}{between}" if text else label, f"bold {style}"), (text, style)]))

    def notes(self, finished: Finished) -> None:
        """What belongs below the response."""
        if self._silent:
            return
        below = [f"[{number}] {source}" for number, source in enumerate(finished.sources, 1)]
        if below:
            below.insert(0, f"{_SOURCES.say(self._lang)}{SEPARATOR.say(self._lang)}".rstrip())
        for line in (*below, *finished.notes):
            if self._console is None:
                click.echo(safe(line))
            else:
                self._console.print(lines([(line, "dim")]))

    def _shortened(self, text: str) -> str:
        if len(text) <= _SHOWN:
            return text
        return text[:_SHOWN] + _CUT.say(self._lang, left=len(text) - _SHOWN)

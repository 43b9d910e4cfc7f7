"""A story as text: what people saw and did, in the order in which it happened."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeVar

from agent.language import Lang, Text
from tests.support.story import Story

Entry = dict[str, Any]
T = TypeVar("T", bound=Story[Any, Any])

#: What the model of the tests is told, marks that it repeats, and what only the simulators' readers can type.
_BEHIND: Final = re.compile(
    r" ?\[(?:fake|m):[^\]]*\]|\n\(/fill .*\)|; /home shows it|; /stop stops it| \(value\)(?=: …)|kagent\.[a-z.]+: "
)
PRESSES: Final = Text("({who} presses “{what}”)", "（{who} 点击“{what}”）")
TYPES: Final = Text("({who} types {what})", "（{who} 输入 {what}）")


class Transcript(ABC):
    """Prints the log, and what people press, which the simulators' own readers know. `names`: of people and channels
    by their ids; `bot`: the bot's id.
    """

    def __init__(self, lang: Lang, names: Mapping[str, str], bot: str) -> None:
        self._lang: Lang = lang
        self._names = dict(names)
        self._bot = bot

    @abstractmethod
    def feed(self, entry: Entry) -> None:
        """One entry of the log."""

    def head(self, heading: Text) -> None:
        """A scene begins."""
        self._write(f"\n## {heading.say(self._lang)}\n")

    def note(self, text: Text) -> None:
        """Something that no log has."""
        who = "carol" if self._lang == "zh" else "alice"
        self._write(f"（{who} {text.zh}）" if self._lang == "zh" else f"({who} {text.en})")

    def _say(self, text: Text, user: str, what: str = "") -> None:
        self._write(text.say(self._lang, who=self._names.get(user, user), what=what))

    def _write(self, text: str) -> None:
        said = self._readable(_BEHIND.sub("", text)).replace(f"<@{self._bot}>", "@kagent")
        for name, shown in self._names.items():
            said = said.replace(f"<@{name}>", f"@{shown}").replace(f"<#{name}>", shown)
        print(said, flush=True)

    def _readable(self, text: str) -> str:
        """What stands for something else on the platform, as people see it."""
        return text


class Played:
    """What was told while a story was played, with its time."""

    def __init__(self) -> None:
        self._told: list[tuple[float, str, Text]] = []

    def tell(self, text: Text) -> None:
        self._told.append((time.time(), "head", text))

    def note(self, text: Text) -> None:
        self._told.append((time.time(), "note", text))

    def print(self, entries: list[Entry], transcript: Transcript) -> None:
        """The log, with what was told in between."""
        told = list(self._told)
        for entry in entries:
            while told and told[0][0] <= entry["at"]:
                _, kind, text = told.pop(0)
                (transcript.head if kind == "head" else transcript.note)(text)
            transcript.feed(entry)


@asynccontextmanager
async def playing(
    story: Callable[[Callable[[Text], None], Callable[[Text], None]], AbstractAsyncContextManager[T]],
    play: Callable[[T], Awaitable[None]],
) -> AsyncIterator[tuple[T, Played]]:
    """A story that was played to its end; its world is still there."""
    played = Played()
    async with story(played.tell, played.note) as told:
        await play(told)
        yield told, played

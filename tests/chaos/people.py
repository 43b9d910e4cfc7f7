"""The people of a kill test: they ask, edit, delete and press Stop while the server dies and comes back."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tests.chaos import steps
from tests.fakes.platform.harness import FakePlatform
from tests.fakes.platform.rules import Place

#: Most messages and deliveries that wait, for each conversation; a message has up to four deliveries.
_PATIENCE = 4
#: Of the questions, those for which a model plans; rules do for the others.
_PLANNED = 0.8


class Said(NamedTuple):
    """A message of a person."""

    #: As the platform's fake names it.
    name: Any
    number: int
    planned: bool


class People(ABC):
    """Who talk to the bot, as long as they are let. What they do is the same everywhere; how, is the platform's."""

    #: Share of the questions that are answered slowly: where Stop is a button below what is shown of an answer.
    slow = 0.0

    def __init__(self, chance: random.Random, conversations: int, rate: float) -> None:
        """`rate`: messages per second, on average."""
        self.chance = chance
        self._rate = rate
        self._most = _PATIENCE * conversations
        self._said: list[Said] = []
        self.sent = 0
        self.stopped = 0
        self.edited: Counter[int] = Counter()
        self.deleted: set[int] = set()

    async def talk(self, waiting: Callable[[], Awaitable[int]]) -> None:
        """Until cancelled; not while too many wait, for a slow machine would spend its time on carrying them along."""
        while True:
            if await waiting() <= self._most:
                await self.one()
            await asyncio.sleep(self.chance.expovariate(self._rate))

    async def one(self) -> None:
        """One thing that a person does."""
        dice = self.chance.random()
        if dice < 0.8 or not self._said:
            planned = self.chance.random() < _PLANNED
            slow = self.slow > 0 and self.chance.random() < self.slow
            asked = await self.ask(steps.question(self.sent, 0, planned=planned, slow=slow))
            self._said = [*self._said[-20:], Said(asked, self.sent, planned)]
            self.sent += 1
            return
        said = self.chance.choice(self._said)
        if said.number in self.deleted:
            return
        if dice < 0.87:
            self.edited[said.number] += 1
            await self.edit(said.name, steps.question(said.number, self.edited[said.number], planned=said.planned))
        elif dice < 0.94:
            self.deleted.add(said.number)
            await self.delete(said.name)
        else:
            self.stopped += await self.stop()

    @abstractmethod
    async def ask(self, text: str) -> Any:
        """Say this to the bot somewhere, with a marker of its own; how to name the message."""

    @abstractmethod
    async def edit(self, said: Any, text: str) -> None:
        """Change the message; the marker stays."""

    @abstractmethod
    async def delete(self, said: Any) -> None:
        """Delete the message."""

    @abstractmethod
    async def stop(self) -> bool:
        """Press Stop on something that runs, if anything does; whether it took."""


class PlatformPeople(People):
    """On the fake platform."""

    def __init__(self, platform: FakePlatform, chance: random.Random, conversations: int, rate: float) -> None:
        super().__init__(chance, conversations, rate)
        self._platform = platform
        self._places = [Place("W", f"C{n % 10}", f"T{n}") for n in range(conversations)]

    async def ask(self, text: str) -> Any:
        return await self._platform.ask(self.chance.choice(self._places), text)

    async def edit(self, said: Any, text: str) -> None:
        await self._platform.edit(said.id, f"{text} {said.marker}")

    async def delete(self, said: Any) -> None:
        await self._platform.delete(said.id)

    async def stop(self) -> bool:
        replay = await self._platform.replay()
        running = [m for m in replay.bots.values() if not m.gone and "stop" in m.buttons]
        if not running:
            return False
        try:
            await self._platform.press_stop(self.chance.choice(running).id)
        except Exception:  # the button went away in the meantime; a person would shrug
            return False
        return True

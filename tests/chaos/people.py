"""The people of a kill test: they ask, edit, delete and press Stop while the server dies and comes back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.chaos import steps
from tests.fakes.platform.harness import FakePlatform
from tests.fakes.platform.rules import Place

#: Most messages and deliveries that wait, for each conversation; a message has up to four deliveries.
_PATIENCE = 4
#: Of the questions, those for which a model plans; rules do for the others.
_PLANNED = 0.8


class _Said(NamedTuple):
    """A message of a person."""

    id: str
    marker: str
    number: int
    planned: bool


class People:
    """Who talk to the bot, as long as they are let."""

    def __init__(self, platform: FakePlatform, chance: random.Random, conversations: int, rate: float) -> None:
        """`rate`: messages per second, on average."""
        self._platform = platform
        self._chance = chance
        self._rate = rate
        self._most = _PATIENCE * conversations
        self._places = [Place("W", f"C{n % 10}", f"T{n}") for n in range(conversations)]
        self._said: list[_Said] = []
        self.sent = 0
        self.stopped = 0
        self.edited: Counter[int] = Counter()
        self.deleted: set[str] = set()

    async def talk(self, waiting: Callable[[], Awaitable[int]]) -> None:
        """Until cancelled; not while too many wait, for a slow machine would spend its time on carrying them along."""
        while True:
            if await waiting() <= self._most:
                await self.one()
            await asyncio.sleep(self._chance.expovariate(self._rate))

    async def one(self) -> None:
        """One thing that a person does."""
        dice = self._chance.random()
        if dice < 0.8 or not self._said:
            planned = self._chance.random() < _PLANNED
            text = steps.question(self.sent, 0, planned=planned)
            asked = await self._platform.ask(self._chance.choice(self._places), text)
            self._said = [*self._said[-20:], _Said(*asked, self.sent, planned)]
            self.sent += 1
            return
        said = self._chance.choice(self._said)
        if said.id in self.deleted:
            return
        if dice < 0.87:
            self.edited[said.number] += 1
            text = steps.question(said.number, self.edited[said.number], planned=said.planned)
            await self._platform.edit(said.id, f"{text} {said.marker}")
        elif dice < 0.94:
            self.deleted.add(said.id)
            await self._platform.delete(said.id)
        else:
            await self._press_stop()

    async def _press_stop(self) -> None:
        replay = await self._platform.replay()
        running = [m for m in replay.bots.values() if not m.gone and "stop" in m.buttons]
        if not running:
            return
        try:
            await self._platform.press_stop(self._chance.choice(running).id)
        except Exception:  # the button went away in the meantime; a person would shrug
            return
        self.stopped += 1

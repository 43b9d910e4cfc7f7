"""Sessions, servers, clients, the database and the process come and go in any order: every question is there once."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from adapters.discord.connection import connection
from adapters.discord.hearing import insisting
from bot.store.db import Store
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import BOB, GENERAL, LIGHTHOUSE, NEWS_CHANNEL
from tests.support.discord_bot import NearDiscord
from tests.support.discord_inbound import Listening, listening

HISTORY = "GET /channels/{channel}/messages"
#: What happens how often.
STEPS = {"ask": 6, "burst": 1, "outage": 2, "close": 2, "server": 2, "malformed": 1, "store": 2, "history": 1}


class Bob:
    """Asks in a channel, a thread, an announcement channel and directly; and breaks things."""

    def __init__(self, fake: FakeDiscord, seed: int) -> None:
        self.fake = fake
        self.random = random.Random(seed)
        self.places = [GENERAL, NEWS_CHANNEL, ""]
        #: What was asked, by the message's id.
        self.asked: dict[str, str] = {}

    async def ask(self, place: str | None = None) -> None:
        text = f"q{len(self.asked)}"
        where = self.random.choice(self.places) if place is None else place
        said = await (self.fake.mention(text, channel=where, user=BOB) if where else self.fake.dm(text, user=BOB))
        self.asked[said.message] = text

    async def several(self, most: int, place: str | None = None) -> None:
        for _ in range(self.random.randint(0, most)):
            await self.ask(place)

    async def step(self, app: Listening) -> None:
        """Something happens."""
        fake, chance = self.fake, self.random.random()

        async def burst() -> None:
            # More than a queue takes.
            await self.several(12, self.random.choice(self.places))

        async def outage() -> None:
            async with fake.outage(forget=chance < 0.7):
                await self.several(3)

        async def close() -> None:
            await fake.disconnect("abort" if chance < 0.5 else "invalid")

        async def server() -> None:
            await fake.control("guild", guild=LIGHTHOUSE, unavailable=True)
            await self.several(2)
            await fake.control("guild", guild=LIGHTHOUSE, unavailable=False)

        async def malformed() -> None:
            await fake.emit("CHANNEL_CREATE", {"guild_id": LIGHTHOUSE})

        async def store() -> None:
            app.mail.away = not app.mail.away

        async def history() -> None:
            await fake.script(HISTORY, "unavailable" if chance < 0.5 else "reset", times=2)

        can: list[Callable[[], Awaitable[None]]] = [self.ask, burst, outage, close, server, malformed, store, history]
        by_name = {each.__name__: each for each in can}
        (name,) = self.random.choices(list(STEPS), list(STEPS.values()))
        await by_name[name]()


@pytest.mark.parametrize("seed", range(12))
async def test_every_question_is_there_once(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(connection, "_FIRST_S", 0.05)
    monkeypatch.setattr(connection, "_LONGEST_S", 0.1)
    monkeypatch.setattr(insisting, "_LONGEST_S", 0.3)
    async with NearDiscord() as fake:
        await fake.set(limits=False)
        bob = Bob(fake, seed)
        async with listening(fake, sqlite_store, most_waiting=5) as app:
            bob.places.append(await fake.open_thread("talk", user=BOB))
            for place in bob.places:
                await bob.ask(place)
            await app.settled()
        for _ in range(3):
            await bob.several(4)
            away = bob.random.random() < 0.3
            async with listening(fake, sqlite_store, most_waiting=5, settle=False, away=away) as app:
                for _ in range(15):
                    await bob.step(app)
        async with listening(fake, sqlite_store) as app:
            await app.settled()
            rows = await app.desk.messages()

    assert {row.message_id: row.text for row in rows} == bob.asked
    assert len(rows) == len(bob.asked)
    assert all(row.turn_id is not None for row in rows)

"""Everything at once: two servers that die, stop, lose tasks and their database, a platform that fails, and people."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import Connection, select

from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal, OutcomeUnknown, step
from agent.profile import Profile
from agent.task import Task
from bot.dispatch import dispatcher, lease
from bot.messages import Deleted, Edited
from bot.ports import StoreUnavailable
from bot.store import audit
from bot.store.db import Store
from bot.store.tables import conversation, part, turn
from tests.support import server
from tests.support.server import ANN, START, Server, say, settled, target, until
from tests.support.storm import StormyPlatform, StormyStore

#: Seconds that the storm lasts.
_STORM = 4.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that takes seconds takes a tenth."""
    for module in (lease, dispatcher, server):
        monkeypatch.setattr(module, "LEASE_SECONDS", 1.5)
    for module in (lease, dispatcher):
        monkeypatch.setattr(module, "RENEW_SECONDS", 0.4)
    monkeypatch.setattr(lease, "MARGIN_SECONDS", 0.4)
    monkeypatch.setattr(dispatcher, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(dispatcher, "LONGEST_RETRY_SECONDS", 0.5)


class Storm:
    """Two servers on one store and one platform, and what happens to them."""

    def __init__(self, store: Store, seed: int, overlap: Literal["queue", "merge"]) -> None:
        self.chance = random.Random(seed)
        self.store = store
        self.platform = StormyPlatform(self.chance, 0.03)
        self.overlap = overlap
        #: How often the writing step ran, by question.
        self.wrote: Counter[str] = Counter()
        self._names = iter(range(1000))
        self.servers = [self._new(), self._new()]
        self._said: list[tuple[str, str, float]] = []

    def _new(self) -> Server:
        stormy: Any = StormyStore(self.store, self.chance)
        any_platform: Any = self.platform
        return Server(
            stormy,
            any_platform,
            self._agent,
            name=f"server-{next(self._names)}",
            profile=Profile(overlap=self.overlap),
            tidy_after=timedelta(seconds=0.5),
        )

    async def _agent(self, task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        async def write() -> str:
            self.wrote[task.question] += 1
            await asyncio.sleep(self.chance.random() * 0.05)
            return "written"

        with contextlib.suppress(OutcomeUnknown):
            await step(journal, "act/0/0", write, writes=True)
        yield TextDelta("re ")
        await asyncio.sleep(self.chance.random() * 0.1)
        yield Finished(f"re {task.question}")

    async def blow(self) -> None:
        """Until everything has come to rest."""
        for one in self.servers:
            await one.dispatcher.start()
        blowing = [asyncio.create_task(self._people()), asyncio.create_task(self._fate())]
        await asyncio.wait(blowing, timeout=_STORM, return_when=asyncio.FIRST_EXCEPTION)
        for task in blowing:
            task.cancel()
        for ended in await asyncio.gather(*blowing, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                raise AssertionError("the storm died down") from ended
        self.platform.trouble = 0.0
        for one in self.servers:
            self._weather(one, 0.0)
        await settled(self.store, 60)
        await until(self._calm, 30)
        for one in self.servers:
            await one.dispatcher.stop(grace=0)

    def _weather(self, one: Server, trouble: float) -> None:
        assert isinstance(one.store, StormyStore)
        one.store.trouble = trouble

    async def _calm(self) -> bool:
        """No lease is held and no look for strays is due."""
        busy = conversation.c.owner.is_not(None) | conversation.c.tidy_at.is_not(None)
        return await self.store.read(lambda c: c.execute(select(conversation.c.id).where(busy)).first()) is None

    async def _people(self) -> None:
        while True:
            # Nobody is told that an event was taken when the database was away; the platform sends it again.
            with contextlib.suppress(StoreUnavailable):
                await self._one(self.chance.choice(self.servers))
            await asyncio.sleep(self.chance.expovariate(20))

    async def _one(self, at: Server) -> None:
        dice = self.chance.random()
        if dice < 0.6 or not self._said:
            number, key = len(self._said), f"c{self.chance.randrange(6)}"
            sent_at = (datetime.now(UTC) - START).total_seconds()
            self._said.append((key, f"m{number}", sent_at))
            await at.inbox.receive(say(f"q{number}", f"m{number}", key=key, at=sent_at))
            return
        key, message_id, sent_at = self.chance.choice(self._said[-10:])
        if dice < 0.75:
            text, edited_at = f"{message_id} v{self.chance.random()}", START + timedelta(seconds=sent_at)
            await at.inbox.receive(Edited(target(key), message_id, ANN, text, edited_at))
        elif dice < 0.88:
            await at.inbox.receive(Deleted(target(key), message_id))
        else:
            live = select(turn.c.id).where(turn.c.state.in_(("queued", "running"))).limit(1)
            turn_id = await self.store.read(lambda c: c.execute(live).scalar())
            if turn_id is not None:
                await at.control.stop(turn_id, ANN)

    async def _fate(self) -> None:
        while True:
            await asyncio.sleep(self.chance.random() * 0.6)
            place = self.chance.randrange(2)
            one, dice = self.servers[place], self.chance.random()
            if dice < 0.7:
                self.servers[place] = self._new()
                if dice < 0.4:
                    await one.crash()
                else:
                    await one.dispatcher.stop(grace=self.chance.choice([0.0, 0.2]))
                await self.servers[place].dispatcher.start()
            elif dice < 0.85:
                self._weather(one, 0.3)
                await asyncio.sleep(0.2)
                self._weather(one, 0.0)
            else:
                for drain in list(one.dispatcher._drains.values()):
                    if self.chance.random() < 0.5:
                        drain.cancel()


def shown(connection: Connection) -> dict[str, tuple[str, str]]:
    """(State, answer) of the turn of each message that a ledger has."""
    rows = connection.execute(
        select(part.c.external_id, turn.c.state, turn.c.answer)
        .join(turn, turn.c.id == part.c.turn_id)
        .where(part.c.state == "posted")
    )
    return {row[0]: (row[1], row[2]) for row in rows}


@pytest.mark.parametrize("overlap", ["queue", "merge"])
async def test_every_message_has_one_outcome_in_a_storm(store: Store, overlap: Literal["queue", "merge"]) -> None:
    storm = Storm(store, 20260101, overlap)
    await storm.blow()
    assert [finding.en for finding in await store.read(lambda c: audit.findings(c, datetime.now(UTC)))] == []
    ledger = await store.read(shown)
    assert set(storm.platform.posts) == set(ledger)
    assert {state for state, _ in ledger.values()} <= {"answered", "stopped", "failed", "refused"}
    for external_id, (state, answer) in ledger.items():
        if state == "answered":
            assert storm.platform.posts[external_id].text == answer
    assert max(storm.wrote.values()) == 1
    assert len(storm.wrote) > 10

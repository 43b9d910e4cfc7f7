"""A rating is kept with what wrote the answer: agent system and model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from sqlalchemy import select

from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal
from agent.task import Task
from bot.store.db import Store
from bot.store.tables import feedback
from tests.support.server import ANN, Platform, Server, say, settled


async def written(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
    yield TextDelta("Two days.")
    yield Finished("Two days.", model="large-72b", style="kuaiagent")


async def rows(store: Store) -> list[Any]:
    columns = (feedback.c.author_id, feedback.c.value, feedback.c.rating, feedback.c.style, feedback.c.model)
    return [tuple(row) for row in await store.read(lambda c: c.execute(select(*columns)).all())]


async def test_a_rating_says_what_wrote_the_answer(store: Store) -> None:
    async with Server(store, Platform(), written) as server:
        await server.inbox.receive(say("how long?", "m1"))
        await settled(store)
        assert await server.control.rate(1, ANN, 4)
        assert await server.control.feedback(1, ANN, 1)
    assert await rows(store) == [("ann", 1, 4, "kuaiagent", "large-72b")]

"""Turns whose plans a model writes, on the store: what a restart recalls, and what people see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from agent.events import AgentEvent, Finished, TextDelta, TextReset
from agent.journal import Journal
from agent.llm.chat import ChatRequest, ReplyItem
from agent.task import Task
from bot.agents import bind_agent
from bot.store import steps
from bot.store.db import Store
from tests.support.agent import OneModelPool, Says
from tests.support.plans import COMPLETE, Lookup, plan
from tests.support.server import Platform, Server, say, settled, stored_texts

ONE = plan("look_up", thought="The word first.", word="one")


class Hangs(Says):
    """A model that hangs when its script is over."""

    def __init__(self, *script: str) -> None:
        super().__init__(*script)
        self.hanging = asyncio.Event()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        if not self._script:
            self.hanging.set()
            await asyncio.Event().wait()
        async for item in super().stream(request):
            yield item


async def test_a_turn_goes_on_from_its_plans_with_whatever_model_there_is_after_a_crash(store: Store) -> None:
    lookup, platform = Lookup(), Platform()
    first, second = Hangs(ONE), Says(COMPLETE, "It means thing number 1.", demo=True)
    async with Server(store, platform, bind_agent(OneModelPool(first), (lookup.tool,))) as server:
        await server.inbox.receive(say("What does one mean?", "m1"))
        await first.hanging.wait()
        await server.crash()
    async with Server(store, platform, bind_agent(OneModelPool(second), (lookup.tool,))):
        assert await settled(store) == {1: "answered"}
    assert len(lookup.runs) == 1
    assert (len(first.requests), len(second.requests)) == (1, 2)
    assert platform.closes[-1].text == "It means thing number 1."
    found = await store.read(lambda connection: steps.of_turn(connection, 1))
    assert list(found) == ["context", "plan/0", "act/0/0", "plan/1", "conclude"]
    assert {found[key].result["style"] for key in ("plan/0", "plan/1")} == {"kuaiagent"}


async def test_text_that_turned_out_void_leaves_one_message_with_the_answer(store: Store) -> None:
    shown = asyncio.Event()

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        yield TextDelta("Half of an answer that never")
        await shown.wait()
        yield TextReset()
        yield TextDelta("The whole answer.")
        yield Finished("The whole answer.")

    platform = Platform()

    async def post() -> None:
        shown.set()

    platform.before_post = post
    async with Server(store, platform, agent) as server:
        await server.inbox.receive(say("hello", "m1"))
        assert await settled(store) == {1: "answered"}
    assert list(platform.visible.values()) == ["The whole answer."]
    assert [call for call in platform.calls if call.startswith("post")] == ["post p1"]
    assert await stored_texts(store) == ["hello", "The whole answer."]

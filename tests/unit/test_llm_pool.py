from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from agent.llm.chat import ChatMessage, ChatRequest, ModelError, Priority, ReplyItem
from agent.llm.pool import EndpointPool, Member, Slots


class Model:
    """A model that nobody calls."""

    name = "model"
    context_tokens = 4096

    def __init__(self, *, demo: bool = False) -> None:
        self.demo = demo

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        raise NotImplementedError

    def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        raise NotImplementedError


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_calls_run_than_there_are_slots():
    pool = EndpointPool([Member(Model(), 2)])
    running, most = 0, 0

    async def call() -> None:
        nonlocal running, most
        async with pool.slot("turn"):
            running += 1
            most = max(most, running)
            await settle()
            running -= 1

    await asyncio.gather(*(call() for _ in range(7)))
    assert most == 2
    assert (pool.busy, pool.waiting) == (0, 0)


async def test_chat_goes_before_background_and_within_it_first_come_first_served():
    pool = EndpointPool([Member(Model(), 1)])
    order: list[str] = []

    async def call(name: str, priority: Priority) -> None:
        async with pool.slot(name, priority):
            order.append(name)

    async with pool.slot("holder"):
        waiting = [
            asyncio.create_task(call(name, priority))
            for name, priority in [
                ("background 1", Priority.BACKGROUND),
                ("chat 1", Priority.CHAT),
                ("background 2", Priority.BACKGROUND),
                ("chat 2", Priority.CHAT),
            ]
        ]
        await settle()
        assert pool.waiting == 4
    await asyncio.gather(*waiting)
    assert order == ["chat 1", "chat 2", "background 1", "background 2"]


async def test_a_waiter_that_is_cancelled_leaves_the_queue():
    slots = Slots(1)
    await slots.take(Priority.CHAT)
    gone = asyncio.create_task(slots.take(Priority.CHAT))
    next_one = asyncio.create_task(slots.take(Priority.BACKGROUND))
    await settle()
    gone.cancel()
    await settle()
    assert slots.waiting == 1
    slots.give()
    await next_one
    assert slots.busy == 1


async def test_a_slot_handed_to_a_waiter_that_is_just_being_cancelled_goes_to_the_next():
    slots = Slots(1)
    await slots.take(Priority.CHAT)
    gone = asyncio.create_task(slots.take(Priority.CHAT))
    next_one = asyncio.create_task(slots.take(Priority.CHAT))
    await settle()
    slots.give()
    gone.cancel()
    await next_one
    assert gone.cancelled()
    slots.give()
    assert slots.busy == 0


async def test_a_slot_comes_back_when_its_holder_fails():
    pool = EndpointPool([Member(Model(), 1)])
    with pytest.raises(RuntimeError):
        async with pool.slot("turn"):
            raise RuntimeError
    assert pool.busy == 0


async def test_calls_go_to_the_first_endpoint():
    first = Model(demo=True)
    pool = EndpointPool([Member(first, 1), Member(Model(), 1)])
    async with pool.slot("turn") as model:
        assert model is first
    assert pool.serving().demo


async def test_without_an_endpoint_there_is_no_slot():
    pool = EndpointPool([])
    with pytest.raises(ModelError) as caught:
        async with pool.slot("turn"):
            pass
    assert caught.value.fault == "not_started"
    assert not pool.serving().demo


def test_an_endpoint_has_at_least_one_slot():
    with pytest.raises(ValueError, match="at least one"):
        Slots(0)

"""Background calls keep no chat waiting, and come back when there is room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from agent.events import Usage
from agent.llm.chat import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    ModelError,
    ModelFault,
    Priority,
    ReplyEnd,
    ReplyItem,
    Restarted,
    TextChunk,
)
from agent.llm.pool import EndpointPool, Member

REQUEST = ChatRequest((ChatMessage("user", "hello"),))
CHAT, BACKGROUND = Priority.CHAT, Priority.BACKGROUND


class Model:
    """Goes on with each reply when the test says so: `first` lets the first token come, `rest` the others."""

    demo = False
    sees = False
    context_tokens = 4096

    def __init__(self, name: str = "model", fails: ModelFault | None = None) -> None:
        self.name = name
        self.fails = fails
        self.calls = 0
        #: Calls that run now, and those that were ended before their end.
        self.running = 0
        self.ended = 0
        self.first = asyncio.Event()
        self.rest = asyncio.Event()

    def let_go(self) -> None:
        self.first.set()
        self.rest.set()

    async def can_see(self) -> bool:
        return False

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        return 1

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        self.calls += 1
        self.running += 1
        complete = False
        try:
            await self.first.wait()
            if self.fails is not None:
                complete = True
                raise ModelError(self.fails, "it fails", retry_after=7.0)
            yield TextChunk("one ")
            await self.rest.wait()
            yield TextChunk("two")
            complete = True
            yield ReplyEnd("stop", Usage(), self.name)
        finally:
            self.running -= 1
            self.ended += not complete


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(100):
        await asyncio.sleep(0)


async def prepare(_model: ChatModel) -> ChatRequest:
    await asyncio.sleep(0)
    return REQUEST


async def collect(pool: EndpointPool, priority: Priority, model: str = "", *, alone: bool = False) -> list[ReplyItem]:
    stream = pool.stream(prepare, owner="test", priority=priority, model=model, alone=alone)
    async with aclosing(stream) as items:
        return [item async for item in items]


def start(pool: EndpointPool, *priorities: Priority) -> list[asyncio.Task[list[ReplyItem]]]:
    return [asyncio.create_task(collect(pool, priority)) for priority in priorities]


def text(items: Sequence[ReplyItem]) -> str:
    """The reply as whoever reads the stream has it in the end."""
    said = ""
    for item in items:
        said = "" if isinstance(item, Restarted) else said + (item.text if isinstance(item, TextChunk) else "")
    return said


def gpu(model: Model, slots: int) -> EndpointPool:
    return EndpointPool([Member(model, slots)])


def cpu(model: Model, slots: int = 4, lull: float = 0.0) -> EndpointPool:
    return EndpointPool([Member(model, slots, shared=lambda: True)], lull=lull)


# --- Room that is left


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (3, 1), (8, 4)])
async def test_background_calls_leave_half_of_the_slots_to_chats(slots: int, most: int):
    model = Model()
    model.first.set()
    pool = gpu(model, slots)
    calls = start(pool, *[BACKGROUND] * 10)
    await settle()
    assert (model.running, pool.waiting) == (most, 10 - most)
    model.let_go()
    await asyncio.gather(*calls)
    assert (model.calls, pool.given_way, pool.busy) == (10, 0, 0)


@pytest.mark.parametrize(("slots", "most"), [(4, 1), (8, 2), (16, 4)])
async def test_where_somebody_chats_background_calls_have_a_quarter_of_the_slots(slots: int, most: int):
    model = Model()
    model.first.set()
    pool = gpu(model, slots)
    (chat,) = start(pool, CHAT)
    await settle()
    calls = start(pool, *[BACKGROUND] * 10)
    await settle()
    assert model.running == 1 + most
    # The chat that has just ended is likely to go on.
    model.rest.set()
    await chat
    model.rest.clear()
    await settle()
    assert model.running == most
    model.let_go()
    await asyncio.gather(*calls)


async def test_a_chat_takes_the_slot_that_was_left_and_nobody_gives_way():
    model = Model()
    model.first.set()
    pool = gpu(model, 4)
    calls = start(pool, BACKGROUND, BACKGROUND)
    await settle()
    calls += start(pool, CHAT)
    await settle()
    assert (model.running, pool.given_way) == (3, 0)
    model.let_go()
    await asyncio.gather(*calls)
    assert model.ended == 0


async def test_no_background_call_begins_while_a_chat_waits_for_its_first_token():
    model = Model()
    pool = gpu(model, 8)
    calls = start(pool, CHAT, BACKGROUND)
    await settle()
    assert (model.running, pool.waiting) == (1, 1)
    model.first.set()
    await settle()
    # The chat still writes.
    assert (model.running, pool.waiting) == (2, 0)
    model.let_go()
    await asyncio.gather(*calls)


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (8, 1), (16, 2), (64, 8)])
async def test_few_background_calls_wait_for_their_first_token_at_the_same_time(slots: int, most: int):
    model = Model()
    pool = gpu(model, slots)
    calls = start(pool, *[BACKGROUND] * 10)
    await settle()
    assert (model.running, pool.waiting) == (most, 10 - most)
    model.let_go()
    await asyncio.gather(*calls)
    assert model.calls == 10


async def test_a_background_call_that_waits_for_its_first_token_gives_way_to_any_chat():
    model = Model()
    pool = gpu(model, 8)
    (background,) = start(pool, BACKGROUND)
    await settle()
    (chat,) = start(pool, CHAT)
    await settle()
    assert (model.ended, model.running, pool.given_way) == (1, 1, 1)
    model.let_go()
    assert text(await chat) == text(await background) == "one two"


async def test_a_chat_that_is_given_up_before_its_first_token_holds_nobody_back():
    model = Model()
    pool = gpu(model, 8)
    chat, background = start(pool, CHAT, BACKGROUND)
    await settle()
    chat.cancel()
    await settle()
    assert (model.running, pool.waiting) == (1, 0)
    model.let_go()
    assert text(await background) == "one two"


# --- Giving way


async def test_a_chat_ends_the_background_call_that_has_the_only_slot_and_that_begins_anew():
    model = Model()
    pool = gpu(model, 1)
    (background,) = start(pool, BACKGROUND)
    model.first.set()
    await settle()
    (chat,) = start(pool, CHAT)
    await settle()
    assert (model.ended, model.running, pool.given_way, pool.waiting) == (1, 1, 1, 1)
    model.rest.set()
    assert text(await chat) == "one two"
    items = await background
    assert text(items) == "one two"
    assert Restarted("it gave way to a chat") in items
    assert (model.calls, pool.busy, pool.waiting) == (3, 0, 0)


async def test_a_call_that_had_said_nothing_begins_anew_without_a_word():
    model = Model()
    pool = gpu(model, 1)
    (background,) = start(pool, BACKGROUND)
    await settle()
    (chat,) = start(pool, CHAT)
    await settle()
    model.let_go()
    await chat
    assert not any(isinstance(item, Restarted) for item in await background)
    assert pool.given_way == 1


async def test_for_each_chat_without_a_slot_one_background_call_gives_way_the_youngest_first():
    model = Model()
    model.first.set()
    pool = gpu(model, 4)
    older, younger = start(pool, BACKGROUND, BACKGROUND)
    await settle()
    chats = start(pool, CHAT, CHAT, CHAT)
    await settle()
    # Two slots were free.
    assert (pool.given_way, model.ended, model.running, pool.waiting) == (1, 1, 4, 1)
    model.let_go()
    await asyncio.gather(*chats)
    assert not any(isinstance(item, Restarted) for item in await older)
    assert any(isinstance(item, Restarted) for item in await younger)


async def test_only_background_calls_of_the_endpoint_that_the_chat_is_for_give_way():
    busy, other = Model("busy"), Model("other")
    pool = EndpointPool([Member(busy, 1, "busy", 10), Member(other, 1, "other", 20)])
    there = asyncio.create_task(collect(pool, BACKGROUND, "other", alone=True))
    here = asyncio.create_task(collect(pool, BACKGROUND, "busy", alone=True))
    await settle()
    (chat,) = start(pool, CHAT)
    await settle()
    assert (busy.ended, other.ended) == (1, 0)
    for model in (busy, other):
        model.let_go()
    await asyncio.gather(there, here, chat)


async def test_chats_never_give_way():
    model = Model()
    pool = gpu(model, 1)
    first, second = start(pool, CHAT, CHAT)
    await settle()
    assert (model.ended, pool.waiting) == (0, 1)
    model.let_go()
    await asyncio.gather(first, second)


async def test_a_chat_that_leaves_the_queue_lets_the_background_go_on():
    model = Model()
    pool = gpu(model, 1)
    (holder,) = start(pool, CHAT)
    await settle()
    background, chat = start(pool, BACKGROUND, CHAT)
    await settle()
    chat.cancel()
    model.let_go()
    await asyncio.gather(holder, background)
    assert (model.calls, pool.waiting, pool.busy) == (2, 0, 0)


# --- Where computing is shared


async def test_where_computing_is_shared_one_background_call_runs_at_a_time():
    model = Model()
    pool = cpu(model)
    calls = start(pool, *[BACKGROUND] * 3)
    await settle()
    assert (model.running, pool.waiting) == (1, 2)
    model.let_go()
    await asyncio.gather(*calls)
    assert model.calls == 3


async def test_where_computing_is_shared_the_background_gives_way_as_soon_as_a_chat_begins():
    model = Model()
    pool = cpu(model)
    background = start(pool, BACKGROUND, BACKGROUND)
    model.first.set()
    await settle()
    (chat,) = start(pool, CHAT)
    await settle()
    # Slots were free; none of them is taken again while the chat writes.
    assert (pool.given_way, model.running, pool.waiting) == (1, 1, 2)
    model.rest.set()
    await asyncio.gather(chat, *background)
    assert all(text(one.result()) == "one two" for one in background)


async def test_where_computing_is_shared_the_background_stays_away_for_a_moment_after_a_chat():
    model = Model()
    model.let_go()
    pool = cpu(model, lull=3600.0)
    await collect(pool, CHAT)
    (background,) = start(pool, BACKGROUND)
    await settle()
    assert pool.waiting == 1
    # Another chat is not held up by it.
    assert text(await collect(pool, CHAT)) == "one two"
    background.cancel()
    await asyncio.gather(background, return_exceptions=True)
    await pool.aclose()
    assert pool.waiting == 0


async def test_the_background_goes_on_when_chats_pause():
    model = Model()
    model.let_go()
    pool = cpu(model, lull=0.001)
    await collect(pool, CHAT)
    async with asyncio.timeout(5):
        assert text(await collect(pool, BACKGROUND)) == "one two"


# --- Races


@pytest.mark.parametrize("steps", range(14))
@pytest.mark.parametrize("shared", [False, True])
async def test_wherever_a_chat_comes_in_the_background_call_is_complete_and_no_slot_is_lost(steps: int, shared: bool):
    """In the queue, in `prepare`, before and after the first token, at the very end."""
    model = Model()
    model.let_go()
    pool = EndpointPool([Member(model, 1, shared=lambda: shared)], lull=0.0)
    (background,) = start(pool, BACKGROUND)
    for _ in range(steps):
        await asyncio.sleep(0)
    (chat,) = start(pool, CHAT)
    items, _ = await asyncio.gather(background, chat)
    assert text(items) == text(chat.result()) == "one two"
    assert sum(isinstance(item, ReplyEnd) for item in items) == 1
    assert (pool.busy, pool.waiting, model.running) == (0, 0, 0)
    # It may have had a slot and not called yet.
    assert model.calls == 2 + model.ended <= 2 + pool.given_way


@pytest.mark.parametrize("steps", range(8))
async def test_a_background_call_that_is_cancelled_while_it_gives_way_is_cancelled(steps: int):
    model = Model()
    pool = gpu(model, 1)
    (background,) = start(pool, BACKGROUND)
    model.first.set()
    await settle()
    (chat,) = start(pool, CHAT)
    for _ in range(steps):
        await asyncio.sleep(0)
    background.cancel()
    model.rest.set()
    results = await asyncio.gather(background, chat, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert text(chat.result()) == "one two"
    assert (pool.busy, pool.waiting, model.running) == (0, 0, 0)


async def test_a_reader_that_is_slow_gives_way_with_its_next_step():
    model = Model()
    model.first.set()
    pool = gpu(model, 1)
    async with aclosing(pool.stream(prepare, owner="test", priority=BACKGROUND)) as items:
        assert await anext(items) == TextChunk("one ")
        (chat,) = start(pool, CHAT)
        await settle()
        assert pool.waiting == 1
        model.rest.set()
        assert await anext(items) == Restarted("it gave way to a chat")
        assert text([item async for item in items]) == "one two"
    assert text(await chat) == "one two"


# --- A run's own model


async def test_nobody_stands_in_for_a_model_that_is_asked_alone():
    down, well = Model("down", fails="unreachable"), Model("well")
    down.let_go()
    well.let_go()
    pool = EndpointPool([Member(down, 1, "down", 10), Member(well, 1, "well", 20)])
    with pytest.raises(ModelError) as caught:
        await collect(pool, BACKGROUND, "down", alone=True)
    assert (caught.value.fault, well.calls) == ("unreachable", 0)
    with pytest.raises(ModelError) as caught:
        await collect(pool, BACKGROUND, "no such", alone=True)
    assert caught.value.fault == "not_started"
    await pool.aclose()


@pytest.mark.parametrize("fault", ["overloaded", "timeout"])
async def test_a_server_that_has_enough_of_a_run_is_still_asked_by_chats(fault):
    model, other = Model("busy", fails=fault), Model("other")
    model.let_go()
    other.let_go()
    pool = EndpointPool([Member(model, 2, "busy", 10), Member(other, 2, "other", 20)])
    with pytest.raises(ModelError) as caught:
        await collect(pool, BACKGROUND, "busy", alone=True)
    assert (caught.value.fault, caught.value.retry_after) == (fault, 7.0)
    assert pool.trouble(model) is None

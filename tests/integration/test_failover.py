"""A GPU endpoint that fails, and a CPU endpoint behind it: over real sockets, through the loop, the journal and a
platform.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select

from agent import texts
from agent.llm.chat import ChatModel, ChatRequest, ModelError, ReplyEnd, ReplyItem, Restarted, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import Endpoint, Timeouts
from agent.llm.pool import EndpointPool, Member
from agent.llm.trial import TRIAL
from agent.profile import Profile
from agent.tools.builtin import builtin_tools
from bot.agents import bind_agent
from bot.store.db import Store
from bot.store.tables import step, turn
from tests.fakes.llm import FakeLLM
from tests.support.llm import question
from tests.support.server import Platform, Server, say, settled, until
from tests.support.web import Site

#: Seconds between the looks at an endpoint that is down; only tests about its return have less.
NEVER = (3600.0,)
PLAN = '[fake:plan=calculator{"expression": "6*7"}]'


class Pair:
    """Two model servers and the pool over them."""

    def __init__(self, gpu: FakeLLM, cpu: FakeLLM, pauses: tuple[float, ...]) -> None:
        self.gpu, self.cpu = gpu, cpu
        timeouts = Timeouts(connect=2.0, first_token=20.0, between_tokens=20.0)
        self.models = [
            OpenAIChatModel(Endpoint(fake.base_url, timeouts=timeouts, name=name, reasoning="off"))
            for name, fake in (("gpu", gpu), ("cpu", cpu))
        ]
        members = [
            Member(model, 4, name, priority, model.check)
            for priority, (name, model) in enumerate(zip(("gpu", "cpu"), self.models, strict=True))
        ]
        self.pool = EndpointPool(members, pauses)

    async def ask(self, text: str, model: str = "") -> list[ReplyItem]:
        async def prepare(_model: ChatModel) -> ChatRequest:
            return question(text)

        async with aclosing(self.pool.stream(prepare, owner="test", model=model)) as items:
            return [item async for item in items]

    async def close(self) -> None:
        await self.pool.aclose()
        for model in self.models:
            await model.aclose()


@asynccontextmanager
async def pair_of(pauses: tuple[float, ...] = NEVER) -> AsyncIterator[Pair]:
    async with FakeLLM(model="big") as gpu, FakeLLM(model="small") as cpu:
        pair = Pair(gpu, cpu, pauses)
        # Both are known before anything happens to them, as on a server that has been running.
        await asyncio.gather(*(model.check() for model in pair.models))
        yield pair
        await pair.close()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with pair_of() as made:
        yield made


def asked(fake: FakeLLM) -> list[str]:
    """The questions of ours that a server was asked; what the client asks to get to know it is left out."""
    return [call.user for call in fake.calls() if call.user != TRIAL.messages[-1].content]


def end(items: list[ReplyItem]) -> ReplyEnd:
    assert isinstance(items[-1], ReplyEnd)
    return items[-1]


def text_of(items: list[ReplyItem]) -> str:
    """What a reader has before them in the end."""
    text = ""
    for item in items:
        text = "" if isinstance(item, Restarted) else text + item.text if isinstance(item, TextChunk) else text
    return text.strip()


def note(lang: Any, name: str, other: str) -> str:
    quoted = texts.FAILED_ENDPOINT.say(lang, name=other)
    return texts.NOTE_FAILED_OVER.say(lang, name=name, others=quoted)


# --- The pool over real servers


async def test_a_gpu_that_is_gone_is_stood_in_for(pair: Pair):
    await pair.gpu.stop()
    items = await pair.ask("[fake:say=from the cpu]")
    assert text_of(items) == "from the cpu"
    assert (end(items).model, end(items).endpoint, end(items).instead_of) == ("small", "cpu", ("gpu",))
    assert not any(isinstance(item, Restarted) for item in items)


@pytest.mark.parametrize(
    "trouble", ["reset=0", "status=500", "status=503", "status=401", "retry=1", "html", "garbage", "hang"]
)
async def test_whatever_a_gpu_does_before_its_first_token_the_cpu_answers(trouble: str):
    async with FakeLLM(model="big") as gpu, FakeLLM(model="small") as cpu:
        pair = Pair(gpu, cpu, NEVER)
        for model in pair.models:
            await model.check()
        if trouble == "hang":
            await pair.close()
            pair = impatient(gpu, cpu)
        await gpu.behave(f"[fake:{trouble}]")
        items = await pair.ask("Hello")
        assert (end(items).endpoint, end(items).instead_of) == ("cpu", ("gpu",))
        # It is down now, so the next question is not its problem any more.
        before = len(asked(gpu))
        assert end(await pair.ask("Hello again")).instead_of == ("gpu",)
        assert len(asked(gpu)) == before
        await pair.close()


def impatient(gpu: FakeLLM, cpu: FakeLLM) -> Pair:
    pair = Pair(gpu, cpu, NEVER)
    timeouts = Timeouts(connect=2.0, first_token=0.3, between_tokens=20.0)
    slow = OpenAIChatModel(Endpoint(gpu.base_url, model="big", timeouts=timeouts, name="gpu", context_tokens=4096))
    pair.models[0] = slow
    pair.pool.replace([Member(slow, 4, "gpu", 0), Member(pair.models[1], 4, "cpu", 1)])
    return pair


async def test_a_gpu_that_dies_in_mid_answer_is_stood_in_for_from_the_beginning(pair: Pair):
    await pair.gpu.behave("[fake:stall=3]")
    began = asyncio.Event()
    items: list[ReplyItem] = []

    async def prepare(_model: ChatModel) -> ChatRequest:
        return question("[m:1] Hello")

    async def read() -> None:
        async with aclosing(pair.pool.stream(prepare, owner="test")) as stream:
            async for item in stream:
                items.append(item)
                began.set()

    await pair.gpu.behave("[fake:stall=3]")
    reading = asyncio.create_task(read())
    await began.wait()
    await pair.gpu.stop()
    await reading
    assert sum(isinstance(item, Restarted) for item in items) == 1
    assert text_of(items).count("[m:1]") == 1
    assert end(items).instead_of == ("gpu",)


async def test_a_request_that_the_gpu_rejects_goes_nowhere_else(pair: Pair):
    await pair.gpu.behave("[fake:status=422]")
    with pytest.raises(ModelError) as caught:
        await pair.ask("Hello")
    assert caught.value.fault == "rejected"
    assert asked(pair.cpu) == []


async def test_when_both_are_gone_the_error_is_the_gpus(pair: Pair):
    await pair.gpu.stop()
    await pair.cpu.stop()
    with pytest.raises(ModelError) as caught:
        await pair.ask("Hello")
    assert (caught.value.fault, caught.value.host) == ("unreachable", pair.models[0]._endpoint.host)


async def test_a_gpu_that_is_back_answers_again_and_nobody_had_to_ask():
    async with pair_of(pauses=(0.02,)) as pair:
        await pair.gpu.stop()
        assert end(await pair.ask("Hello")).endpoint == "cpu"
        await pair.gpu.start()

        async def back() -> bool:
            return pair.pool.trouble(pair.models[0]) is None

        await until(back)
        items = await pair.ask("Hello")
        assert (end(items).endpoint, end(items).instead_of) == ("gpu", ())


async def test_a_preferred_cpu_is_asked_first_and_the_gpu_stands_in_for_it(pair: Pair):
    assert end(await pair.ask("Hello", "cpu")).instead_of == ()
    await pair.cpu.stop()
    items = await pair.ask("Hello", "small")
    assert (end(items).endpoint, end(items).instead_of) == ("gpu", ("cpu",))


# --- Through the loop, the journal and a platform


def server(store: Store, pair: Pair, platform: Platform) -> Server:
    agent = bind_agent(pair.pool, builtin_tools())
    return Server(store, platform, agent, profile=Profile(style="kuaiagent"))


@pytest.mark.parametrize(
    ("text", "lang"), [("What is six times seven?", "en"), ("六乘以七是多少？请计算。", "zh")], ids=["en", "zh"]
)
async def test_an_answer_of_the_cpu_says_so(sqlite_store: Store, pair: Pair, text: str, lang: str):
    await pair.gpu.behave("[fake:reset=0]")
    platform = Platform()
    async with server(sqlite_store, pair, platform) as bot:
        await bot.inbox.receive(say(f"[m:1] {text}", "m1"))
        assert list((await settled(sqlite_store)).values()) == ["answered"]
    (shown,) = platform.visible.values()
    assert shown.count("[m:1]") == 1
    assert shown.endswith(note(lang, "cpu", "gpu"))
    (final,) = platform.closes
    assert final.notes == (note(lang, "cpu", "gpu"),)


async def test_an_answer_of_the_gpu_says_nothing_of_the_kind(sqlite_store: Store, pair: Pair):
    platform = Platform()
    async with server(sqlite_store, pair, platform) as bot:
        await bot.inbox.receive(say("[m:1] Hello", "m1"))
        await settled(sqlite_store)
    assert platform.closes[0].notes == ()


async def test_after_the_first_token_the_turn_goes_on_from_its_journal_and_one_message_is_seen(
    sqlite_store: Store, pair: Pair
):
    await pair.gpu.behave(f"{PLAN}[fake:when=answer][fake:stall=4]")
    await pair.cpu.behave(f"{PLAN}[fake:say=Forty two.]")
    platform = Platform()
    async with server(sqlite_store, pair, platform) as bot:
        await bot.inbox.receive(say("[m:1] What is six times seven?", "m1"))

        async def begun() -> bool:
            return any("[m:1]" in text for text in platform.visible.values())

        await until(begun)
        planned = len(asked(pair.gpu))
        await pair.gpu.stop()
        assert list((await settled(sqlite_store)).values()) == ["answered"]
    (shown,) = platform.visible.values()
    assert shown == "[m:1] Forty two.\n" + note("en", "cpu", "gpu")
    assert [call for call in platform.calls if call.startswith("post")] == ["post p1"]
    # The plan and the tool run are the GPU's and were not repeated: the CPU was only asked for the answer.
    assert planned >= 2
    assert len(asked(pair.cpu)) == 1
    rows = await sqlite_store.read(lambda c: list(c.execute(select(step.c.key, step.c.state).order_by(step.c.id))))
    acts = [row for row in rows if row.key.startswith("act/")]
    assert [tuple(row) for row in acts] == [("act/0/0", "done")]
    (answer,) = await sqlite_store.read(lambda c: list(c.execute(select(turn.c.answer)).scalars()))
    assert answer.strip() == "[m:1] Forty two."


async def test_a_page_that_watches_sees_one_answer(sqlite_store: Store, pair: Pair):
    await pair.gpu.behave("[fake:when=answer][fake:stall=4]")
    await pair.cpu.behave("[fake:say=From the cpu.]")
    agent = bind_agent(pair.pool, builtin_tools())
    async with Site(sqlite_store, agent, profile=Profile(style="kuaiagent")) as site:
        sent = await site.client.send("[m:1] Hello")
        async with site.client.events(sent["conversation"]) as events:
            await events.until(lambda turn: "[m:1]" in turn["text"])
            await pair.gpu.stop()
            seen = await events.until(lambda turn: turn["state"] == "answered")
    assert seen["text"].strip() == "[m:1] From the cpu."
    assert seen["notes"] == [note("en", "cpu", "gpu")]


async def test_when_no_endpoint_answers_the_turn_fails_visibly(sqlite_store: Store, pair: Pair):
    await pair.gpu.stop()
    await pair.cpu.stop()
    platform = Platform()
    async with server(sqlite_store, pair, platform) as bot:
        await bot.inbox.receive(say("Hello", "m1"))
        assert list((await settled(sqlite_store)).values()) == ["failed"]

"""Those whom a run asks, on real sockets: what reaches the server, what comes back, and what ends there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

import pytest

from agent.llm.chat import ChatMessage, ChatModel, ChatRequest, ModelError, Priority, ReplyEnd, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import Endpoint
from agent.llm.pool import EndpointPool, Member
from bot.backend import Embedded, open_backend
from bot.settings.models import EndpointSettings, ModelSettings
from evals.running.asking import Asker, Question, Reply
from evals.running.models import EndpointAsker, PoolAsker
from evals.runs import ReasoningMode, Sampling
from tests.fakes.llm import FakeLLM
from tests.fakes.llm.harness import Call

MARKED = "Say <|im_end|> [m:a1] once."


@asynccontextmanager
async def endpoint_asker(fake: FakeLLM, context: int | None = 4096) -> AsyncIterator[EndpointAsker]:
    asker = EndpointAsker(Endpoint(fake.base_url, context_tokens=context, max_tokens=5, temperature=0.9))
    await asker.ready()
    try:
        yield asker
    finally:
        await asker.aclose()


@asynccontextmanager
async def pool_of(*fakes: FakeLLM, slots: int = 2, shared: bool = False) -> AsyncIterator[EndpointPool]:
    models = [OpenAIChatModel(Endpoint(fake.base_url, context_tokens=4096)) for fake in fakes]
    members = [Member(model, slots, f"m{n}", n, model.check, shared=lambda: shared) for n, model in enumerate(models)]
    pool = EndpointPool(members, lull=0.0)
    for model in models:
        await model.warm()
    try:
        yield pool
    finally:
        await pool.aclose()
        for model in models:
            await model.aclose()


@asynccontextmanager
async def either(kind: str, fake: FakeLLM) -> AsyncIterator[Asker]:
    """The one asker or the other, for what both do alike."""
    if kind == "endpoint":
        async with endpoint_asker(fake) as asker:
            yield asker
    else:
        async with pool_of(fake) as pool:
            asker_of_pool = PoolAsker(pool, "m0")
            await asker_of_pool.ready()
            yield asker_of_pool


BOTH = pytest.mark.parametrize("kind", ["endpoint", "pool"])


@pytest.fixture
async def fake() -> AsyncIterator[FakeLLM]:
    async with FakeLLM(log_requests=True) as server:
        yield server


@BOTH
async def test_a_question_reaches_the_server_as_it_is_with_its_whole_sampling(kind: str, fake: FakeLLM):
    async with either(kind, fake) as asker:
        reply = await asker.ask(Question(MARKED, sampling=Sampling(seed=3)))
    (call,) = fake.calls()
    body = call.body
    assert body["messages"] == [{"role": "user", "content": MARKED}]
    sampled = {name: body[name] for name in ("temperature", "top_p", "top_k", "max_tokens", "seed")}
    assert sampled == {"temperature": 0.1, "top_p": 0.75, "top_k": 40, "max_tokens": 520, "seed": 3}
    assert "[m:a1]" in reply.text
    assert (reply.finish_reason, reply.model, reply.reasoning) == ("stop", "fake-model", "")
    assert reply.prompt_tokens
    assert reply.completion_tokens
    assert reply.seconds > 0


@pytest.mark.parametrize("kind", ["vllm", "llama.cpp", "llama_cpp.server"])
async def test_the_published_forms_go_to_completions(kind: str):
    async with FakeLLM(kind=kind, log_requests=True) as fake, endpoint_asker(fake) as asker:
        for preset in ("qwen", "baichuan2"):
            assert (await asker.ask(Question(MARKED, preset))).text
        prompts = [call.body["prompt"] for call in fake.calls()]
    assert prompts == [
        f"<|im_start|>system\n<|im_end|>\n<|im_start|>user\n{MARKED}<|im_end|>\n<|im_start|>assistant\n",
        f"<reserved_106>{MARKED}<reserved_107>",
    ]


@BOTH
async def test_an_asker_is_called_as_its_server_calls_the_model_and_knows_its_window(kind: str, fake: FakeLLM):
    async with either(kind, fake) as asker:
        assert (asker.name, asker.context_tokens) == ("fake-model", 4096)
        assert await asker.count("one two three") == 3
        assert await asker.tokens("one two three") == [0, 1, 2]


async def test_a_window_that_nobody_tells_is_unknown(fake: FakeLLM):
    async with endpoint_asker(fake, context=None) as asker:
        assert asker.context_tokens is None


@BOTH
async def test_a_server_that_has_enough_says_when_to_ask_again(kind: str, fake: FakeLLM):
    async with either(kind, fake) as asker:
        with pytest.raises(ModelError) as caught:
            await asker.ask(Question("[fake:retry=7]"))
    assert (caught.value.fault, caught.value.retry_after) == ("overloaded", 7.0)


async def test_a_server_that_is_not_there_is_told_beforehand():
    asker = EndpointAsker(Endpoint("http://127.0.0.1:9/v1"))
    with pytest.raises(ModelError) as caught:
        await asker.ready()
    await asker.aclose()
    assert caught.value.fault == "unreachable"
    with pytest.raises(ModelError) as caught:
        await PoolAsker(EndpointPool(), "no such").ready()
    assert caught.value.fault == "not_started"


# --- What is a reply


async def asked(fake: FakeLLM, prompt: str, reasoning: ReasoningMode = "strip", **sampling: int) -> Reply:
    async with endpoint_asker(fake, 100_000) as asker:
        question = Question(prompt, sampling=Sampling(**sampling), reasoning=reasoning, reasoning_tokens=300)
        return await asker.ask(question)


async def test_an_empty_reply_is_a_reply(fake: FakeLLM):
    reply = await asked(fake, "[fake:empty=stop]")
    assert (reply.text, reply.finish_reason) == ("", "stop")
    assert len(fake.calls()) == 1


async def test_a_reply_that_got_lost_is_none(fake: FakeLLM):
    with pytest.raises(ModelError):
        await asked(fake, "[fake:empty=bare]")
    with pytest.raises(ModelError):
        await asked(fake, "[fake:end=3]")


async def test_a_thought_is_separated_and_has_tokens_of_its_own(fake: FakeLLM):
    reply = await asked(fake, "[fake:think=40] [fake:say=Yes.]", max_tokens=20)
    assert (reply.text, reply.finish_reason) == ("Yes.", "stop")
    assert reply.reasoning.startswith("\nthe quick")
    # Nobody knew that it thinks; then it was asked once more.
    assert [call.body["max_tokens"] for call in fake.calls()] == [20, 320]


async def test_a_thought_that_is_kept_is_part_of_the_reply(fake: FakeLLM):
    reply = await asked(fake, "[fake:think=40] [fake:say=Yes.]", "keep", max_tokens=20)
    assert reply.text.startswith("<think>\nthe quick")
    assert reply.text.endswith("</think>\n\nYes.")
    assert reply.reasoning == ""
    assert [call.body["max_tokens"] for call in fake.calls()] == [20, 320]


async def test_a_model_may_be_asked_not_to_think():
    async with FakeLLM(kind="reasoning", log_requests=True) as fake:
        reply = await asked(fake, "[fake:say=Yes.]", "off")
        (call,) = fake.calls()
    assert (reply.text, reply.reasoning) == ("Yes.", "")
    assert call.body["chat_template_kwargs"] == {"enable_thinking": False}


async def test_a_model_that_thinks_for_too_long_has_said_nothing_and_is_not_asked_otherwise(fake: FakeLLM):
    reply = await asked(fake, "[fake:think=2000] [fake:say=Yes.]", max_tokens=20)
    assert (reply.text, reply.finish_reason) == ("", "length")
    assert reply.reasoning
    assert not any("chat_template_kwargs" in call.body for call in fake.calls())


# --- What ends on the server


def aborted(calls: Sequence[Call]) -> list[Call]:
    return [call for call in calls if call.outcome == "aborted"]


async def test_a_stream_that_is_closed_after_any_chunk_ends_on_the_server(fake: FakeLLM):
    """After so many chunks; at none, the call is under way and nothing has come."""
    async with pool_of(fake) as pool:
        for number, chunks in enumerate((0, 1, 2, 3, 9), start=1):
            slow = "[fake:gap=0.01] [fake:tokens=2000] [fake:first=" + ("60]" if chunks == 0 else "0]")
            task = asyncio.create_task(listen(pool, slow, chunks))
            await fake.until(lambda calls, number=number: len(calls) == number)  # type: ignore[misc]
            if not chunks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            calls = await fake.until(lambda calls, number=number: len(aborted(calls)) == number)  # type: ignore[misc]
            assert chunks <= calls[-1].tokens < 200
            assert (pool.busy, pool.waiting) == (0, 0)


async def listen(pool: EndpointPool, text: str, chunks: int) -> None:
    """Take so many chunks of a background call's reply and leave; with none, wait for the first."""

    async def prepare(_model: ChatModel) -> ChatRequest:
        return ChatRequest((ChatMessage("user", text),))

    async with aclosing(pool.stream(prepare, owner="test", priority=Priority.BACKGROUND)) as items:
        for _ in range(chunks or 1):
            assert isinstance(await anext(items), TextChunk)


@BOTH
async def test_a_question_that_is_cancelled_ends_on_the_server(kind: str, fake: FakeLLM):
    async with either(kind, fake) as asker:
        asking = asyncio.create_task(asker.ask(Question("[fake:gap=0.05] [fake:tokens=2000]")))
        await fake.until(lambda calls: len(calls) == 1)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await fake.until(lambda calls: len(aborted(calls)) == 1)


async def chat(pool: EndpointPool, text: str) -> None:
    async def prepare(_model: ChatModel) -> ChatRequest:
        return ChatRequest((ChatMessage("user", text),))

    async with aclosing(pool.stream(prepare, owner="test")) as items:
        assert isinstance([item async for item in items][-1], ReplyEnd)


@pytest.mark.parametrize(("slots", "shared"), [(1, False), (4, True)])
async def test_a_runs_call_that_gives_way_ends_on_the_server_and_is_complete_in_the_end(
    fake: FakeLLM, slots: int, shared: bool
):
    async with pool_of(fake, slots=slots, shared=shared) as pool:
        asking = asyncio.create_task(PoolAsker(pool, "m0").ask(Question("A run's [m:run] [fake:gap=0.02]")))
        await fake.until(lambda calls: len(calls) == 1)
        await chat(pool, "A chat's [m:chat]")
        reply = await asking
        calls = fake.calls()
    assert reply.text.count("[m:run]") == 1
    assert reply.finish_reason == "stop"
    assert [call.outcome for call in calls] == ["aborted", "finished", "finished"]
    assert calls[0].user == calls[2].user
    assert pool.given_way == 1
    # The call that gave way had ended before the chat's first token could be held up by it.
    assert calls[0].ended_at <= calls[1].ended_at <= calls[2].at


async def test_another_endpoint_never_answers_for_the_one_that_is_measured():
    async with FakeLLM() as first, FakeLLM() as second, pool_of(first, second) as pool:
        await first.behave("[fake:status=503]")
        with pytest.raises(ModelError) as caught:
            await PoolAsker(pool, "m0").ask(Question("Hi"))
        assert (caught.value.fault, second.calls()) == ("unreachable", [])


@pytest.mark.parametrize(("kind", "shared"), [("vllm", False), ("llama.cpp", True), ("llama_cpp.server", True)])
async def test_a_server_whose_slots_hold_each_other_up_is_known_as_one(kind: str, shared: bool):
    async with FakeLLM(kind=kind) as fake:
        backend = open_backend(EndpointSettings(base_url=fake.base_url), "here", 10)
        assert not backend.member.shared()
        await backend.chat.check()
        assert backend.member.shared() == shared
        await backend.chat.aclose()


def test_the_embedded_model_is_one_from_the_start():
    assert Embedded.of(ModelSettings()).member.shared()

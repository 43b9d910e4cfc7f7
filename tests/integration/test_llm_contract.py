"""What every `ChatModel` promises: kept by the client with every kind of server, and by the embedded model for real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import get_args

import pytest

from agent.llm.chat import ChatMessage, ChatModel, ChatRequest, ModelError, ReasoningChunk, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer
from agent.llm.embedded_chat import EmbeddedChatModel
from agent.llm.endpoint import Endpoint
from tests.fakes.llm import FakeLLM
from tests.fakes.llm.kinds import Name
from tests.support.llm import answer, ask, failure, question

WINDOW = 1024
#: In any tokenizer.
TOO_LONG = "apple, " * 2 * WINDOW
SCHEMA = {
    "type": "object",
    "properties": {"pick": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["pick"],
    "additionalProperties": False,
}


#: Servers whose streams tell no usage (facts/llm.md, section 5).
WITHOUT_USAGE = ("fastchat", "llama_cpp.server")


@dataclass(frozen=True, slots=True)
class Subject:
    """A model under test and the endpoint behind it."""

    kind: str
    model: ChatModel
    endpoint: Endpoint


#: Where servers differ in more than words; `test_llm_servers.py` has the rest of what each of them promises.
every_kind = pytest.mark.parametrize("subject", [*get_args(Name), "embedded"], indirect=True)


@pytest.fixture(params=["vllm", "embedded"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    async with AsyncExitStack() as stack:
        if request.param != "embedded":
            flags = {"kind": request.param, "api_key": "the key", "context": WINDOW, "enforce": True}
            fake = await stack.enter_async_context(FakeLLM(**flags))
            endpoint = Endpoint(fake.base_url, api_key="the key", context_tokens=WINDOW)
            remote = OpenAIChatModel(endpoint)
            stack.push_async_callback(remote.aclose)
            yield Subject(request.param, remote, endpoint)
        else:
            server = EmbeddedServer(EmbeddedConfig(context_per_slot=WINDOW, slots=2, patience=120.0))
            stack.push_async_callback(server.stop)
            await server.start()
            embedded = EmbeddedChatModel(server)
            stack.push_async_callback(embedded.aclose)
            yield Subject("embedded", embedded, await server.ready(120.0))


async def test_a_reply_is_pieces_of_text_and_then_its_end(subject: Subject):
    chunks, end = await ask(subject.model, question("Say hello.", max_tokens=8))
    assert chunks
    assert all(chunk.text for chunk in chunks)
    assert end.finish_reason in ("stop", "length")
    assert end.model


async def test_usage_is_reported_where_the_server_reports_it(subject: Subject):
    _, end = await ask(subject.model, question("Say hello.", max_tokens=100))
    told = (end.usage.prompt_tokens is not None, end.usage.completion_tokens is not None)
    assert told == ((False, False) if subject.kind in WITHOUT_USAGE else (True, True))


async def test_max_tokens_ends_the_reply(subject: Subject):
    chunks, end = await ask(subject.model, question("Tell me a long story about the sea.", max_tokens=5))
    assert end.finish_reason == "length"
    assert 1 <= len("".join(chunk.text for chunk in chunks).split()) <= 5


async def test_the_model_tells_who_and_how_large_it_is(subject: Subject):
    await answer(subject.model, "Say hello.")
    assert subject.model.name
    assert subject.model.context_tokens == WINDOW


@every_kind
async def test_a_conversation_with_instructions_is_answered(subject: Subject):
    messages = (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Hi"),
        ChatMessage("assistant", "Hello!"),
        ChatMessage("user", "How are you?"),
    )
    chunks, _ = await ask(subject.model, ChatRequest(messages, max_tokens=8))
    assert "".join(chunk.text for chunk in chunks).strip()


async def test_a_prompt_that_does_not_fit_is_context_overflow(subject: Subject):
    assert (await failure(subject.model, TOO_LONG)).fault == "context_overflow"


async def test_a_wrong_key_is_unauthorized_and_not_quoted(subject: Subject):
    model = OpenAIChatModel(replace(subject.endpoint, api_key="sesame-open-up"))
    error = await failure(model, "Say hello.")
    await model.aclose()
    assert error.fault == "unauthorized"
    assert "sesame" not in str(error)


@pytest.mark.parametrize("text", ["\x00\x01\x1b[31m", "\ud800 broken", "\u202e\u200b", "🦜" * 20])
async def test_odd_characters_are_answered_like_others(subject: Subject, text: str):
    _, end = await ask(subject.model, question(f"What is this: {text}?", max_tokens=4))
    assert end.finish_reason in ("stop", "length")


@every_kind
async def test_more_calls_than_slots_are_all_answered(subject: Subject):
    ends = await asyncio.gather(*(ask(subject.model, question(f"Say {n}.", max_tokens=4)) for n in range(8)))
    assert len(ends) == 8


@every_kind
async def test_a_call_that_was_left_early_does_not_disturb_the_next_one(subject: Subject):
    async with aclosing(subject.model.stream(question("Tell me a long story.", max_tokens=500))) as items:
        async for item in items:
            assert isinstance(item, TextChunk | ReasoningChunk)
            break
    assert await answer(subject.model, "Say hello.")


@every_kind
async def test_a_call_that_is_cancelled_ends_at_once(subject: Subject):
    call = asyncio.create_task(ask(subject.model, question("Tell me a long story.", max_tokens=500)))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_count_is_near_what_the_server_counts(subject: Subject):
    messages = (ChatMessage("system", "Be brief and kind."), ChatMessage("user", "How are you today, my friend?"))
    _, end = await ask(subject.model, ChatRequest(messages, max_tokens=100))
    counted = await subject.model.count(messages)
    if subject.kind not in WITHOUT_USAGE:
        assert end.usage.prompt_tokens is not None
        assert end.usage.prompt_tokens <= counted <= 2 * end.usage.prompt_tokens + 20


@every_kind
async def test_a_schema_is_followed_or_can_be_checked(subject: Subject):
    request = replace(question("Which one?", max_tokens=40), schema=SCHEMA)
    chunks, _ = await ask(subject.model, request)
    text = "".join(chunk.text for chunk in chunks)
    if subject.kind == "fastchat":
        # It drops the schema without a word.
        assert text
    else:
        assert json.loads(text)["pick"] in ("red", "blue")


async def test_a_server_that_is_gone_is_unreachable():
    async with FakeLLM() as fake:
        base_url = fake.base_url
    model = OpenAIChatModel(Endpoint(base_url))
    error = await failure(model, "Hi")
    await model.aclose()
    assert isinstance(error, ModelError)
    assert error.fault == "unreachable"
    assert error.host == base_url.removeprefix("http://").removesuffix("/v1")

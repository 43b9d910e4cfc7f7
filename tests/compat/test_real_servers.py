"""Our client before real servers: what it finds out, counts, plans, loses and gets back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from agent.llm.chat import ChatMessage, ChatRequest, ModelError, Restarted, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import Endpoint
from tests.compat.real import WINDOW, Real, ask, running_embedded

#: A plan's schema: one alternative per tool, every string bounded.
TOOLS: dict[str, dict[str, Any]] = {
    "web_search": {"text": {"type": "string", "maxLength": 60}},
    "calculator": {"expression": {"type": "string", "maxLength": 60}},
    "get_solar_terms_info": {"year": {"type": "integer", "minimum": 1900, "maximum": 2100}},
    "task_complete": {"reason": {"type": "string", "maxLength": 60}},
    "do_nothing": {},
}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


PLAN = closed(
    {
        "thought": {"type": "string", "maxLength": 80},
        "task_name": {"type": "string", "maxLength": 40},
        "command": {"anyOf": [closed({"name": {"const": name}, "args": closed(args)}) for name, args in TOOLS.items()]},
    }
)
QUESTIONS = (
    "What is 17 times 23?",
    "Who wrote Hamlet?",
    "2026年的立春是哪一天？",
    "Thank you!",
    "125 加 378 等于多少？",
)
CONVERSATION = (
    ChatMessage("system", "You are helpful and brief."),
    ChatMessage("user", "What is the capital of France?"),
    ChatMessage("assistant", "Paris is the capital of France."),
    ChatMessage("user", "那么德国的首都呢？"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A real server and the client before it."""

    endpoint: Endpoint
    model: OpenAIChatModel


@pytest.fixture(params=["patient", "interrupting", "embedded"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    async with AsyncExitStack() as stack:
        if request.param == "embedded":
            served = await stack.enter_async_context(running_embedded())
            endpoint = Endpoint(served.base_url, served.api_key, temperature=0.0)
        else:
            real: Real = request.getfixturevalue(request.param)
            endpoint = Endpoint(real.base_url, temperature=0.0, context_tokens=WINDOW)
        model = OpenAIChatModel(endpoint)
        stack.push_async_callback(model.aclose)
        yield Subject(endpoint, model)


def question(text: str, max_tokens: int = 24, **fields: Any) -> ChatRequest:
    return ChatRequest((ChatMessage("user", text),), max_tokens, **fields)


async def said(model: OpenAIChatModel, request: ChatRequest) -> str:
    """The text that remains in the end."""
    text = ""
    async with aclosing(model.stream(request)) as items:
        async for item in items:
            text = "" if isinstance(item, Restarted) else text
            text += item.text if isinstance(item, TextChunk) else ""
    return text


async def test_the_server_is_recognised(subject: Subject):
    await subject.model.warm()
    facts = subject.model.facts
    if subject.endpoint.api_key:
        assert (facts.server, facts.structured, facts.embeddings) == ("llama-server", "json_schema", False)
    else:
        assert (facts.server, facts.structured, facts.embeddings) == ("llama_cpp.server", "json_object", False)
        assert facts.slots == 1
    assert subject.model.context_tokens == WINDOW
    assert facts.trouble is None


async def test_a_count_is_never_too_low_and_close(subject: Subject):
    await subject.model.warm()
    counted = await subject.model.count(CONVERSATION)
    messages = [{"role": message.role, "content": message.content} for message in CONVERSATION]
    body = {"messages": messages, "max_tokens": 1}
    whole = await asyncio.to_thread(ask, subject.endpoint.root, "/v1/chat/completions", body, subject.endpoint.api_key)
    real = whole.json["usage"]["prompt_tokens"]
    assert real <= counted <= real + 6 * len(CONVERSATION)


@pytest.mark.parametrize("text", QUESTIONS)
async def test_a_plan_follows_its_closed_schema(subject: Subject, text: str):
    request = question(f"{text}\nPlan one task as JSON with thought, task_name and command.", 400, schema=PLAN)
    # llama-cpp-python lets raw line breaks into strings.
    plan = json.loads(await said(subject.model, request), strict=False)
    assert list(plan) == ["thought", "task_name", "command"]
    assert plan["command"]["name"] in TOOLS
    assert set(plan["command"]["args"]) == set(TOOLS[plan["command"]["name"]])


async def test_four_questions_at_once_are_all_answered(subject: Subject):
    await subject.model.warm()
    questions = [question(f"Say the number {n}.") for n in range(4)]
    texts = await asyncio.gather(*(said(subject.model, each) for each in questions))
    assert all(text.strip() for text in texts)


async def test_questions_and_counts_at_once_lose_nothing(subject: Subject):
    await subject.model.warm()

    async def counted() -> int:
        return await subject.model.count((ChatMessage("user", "How many tokens are these? " * 5),))

    text, *counts = await asyncio.gather(said(subject.model, question("Tell a story.", 80)), counted(), counted())
    assert text.strip()
    assert all(count > 20 for count in counts)


async def test_a_prompt_that_does_not_fit_is_named(subject: Subject):
    with pytest.raises(ModelError) as caught:
        await said(subject.model, question("apple, " * WINDOW))
    assert caught.value.fault == "context_overflow"


async def test_a_model_without_sight_is_found_out_and_goes_on_answering(subject: Subject):
    assert [await subject.model.can_see(), subject.model.sees] == [False, False]
    assert subject.model.trouble is None
    assert (await said(subject.model, question("Say hi."))).strip()


async def test_leaving_a_stream_frees_the_server(subject: Subject):
    async with aclosing(subject.model.stream(question("Tell a very long story.", 3000))) as items:
        async for item in items:
            if isinstance(item, TextChunk):
                break
    async with asyncio.timeout(20):
        assert (await said(subject.model, question("Say hi."))).strip()


async def test_a_stream_that_another_program_ended_is_asked_for_again(interrupting: Real):
    model = OpenAIChatModel(Endpoint(interrupting.base_url, temperature=0.0, context_tokens=WINDOW))
    await model.warm()
    begun = asyncio.Event()
    restarted: list[str] = []

    async def mine() -> str:
        text = ""
        async with aclosing(model.stream(question("Tell a very long story about the sea.", 300))) as items:
            async for item in items:
                if isinstance(item, Restarted):
                    restarted.append(item.reason)
                    text = ""
                elif isinstance(item, TextChunk):
                    begun.set()
                    text += item.text
        return text

    call = asyncio.create_task(mine())
    await begun.wait()
    # Any question to the server ends a stream there, even one about its models.
    other = await asyncio.to_thread(ask, interrupting.root, "/v1/models")
    assert other.status == 200
    assert len(await call) > 200
    assert restarted
    await model.aclose()


async def test_a_prompt_that_is_written_here_is_answered(subject: Subject):
    model = OpenAIChatModel(
        Endpoint(
            subject.endpoint.base_url,
            subject.endpoint.api_key,
            temperature=0.0,
            context_tokens=WINDOW,
            chat_format="chatml",
        )
    )
    assert (await said(model, question("What is the capital of France?"))).strip()
    await model.aclose()

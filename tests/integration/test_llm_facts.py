"""What the client finds out about a server, when it asks, and what it makes of that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from agent.llm import client as client_module
from agent.llm import counting
from agent.llm.chat import ChatMessage, ChatRequest, ReasoningChunk, ReplyEnd, ReplyItem, Restarted, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import UNKNOWN_CONTEXT_TOKENS, Endpoint
from agent.llm.pool import EndpointPool, Member
from agent.llm.tokens import estimate_messages
from agent.styles.base import Ask
from agent.styles.fitting import fit
from agent.styles.noagent import NoAgent
from tests.fakes.llm import FakeLLM
from tests.support.agent import finished, run, task
from tests.support.llm import answer, ask, failure, question

SCHEMA = {
    "type": "object",
    "properties": {"pick": {"type": "string", "enum": ["red"]}},
    "required": ["pick"],
    "additionalProperties": False,
}
FORMED = replace(question("Which one?", max_tokens=40), schema=SCHEMA)


@asynccontextmanager
async def client(endpoint: Endpoint) -> AsyncIterator[OpenAIChatModel]:
    model = OpenAIChatModel(endpoint)
    try:
        yield model
    finally:
        await model.aclose()


async def items(model: OpenAIChatModel, request: ChatRequest) -> list[ReplyItem]:
    return [item async for item in model.stream(request)]


@pytest.mark.parametrize(("window", "most"), [(4096, 2500), (2048, 4096)])
async def test_a_long_conversation_and_the_usual_limit_of_a_reply_share_the_window(window: int, most: int):
    exchange = (ChatMessage("user", "Tell me more about it, please."), ChatMessage("assistant", "Of course I will."))
    asked = Ask(ChatRequest((ChatMessage("system", "Be brief."), *exchange * 300, ChatMessage("user", "And then?"))))
    async with (
        FakeLLM(context=window, enforce=True, log_requests=True) as fake,
        client(Endpoint(fake.base_url, max_tokens=most)) as model,
    ):
        await model.warm()
        fitted = await fit(asked, model, "en")
        assert fitted.left_out
        await ask(model, fitted.request)
        # Beside a short prompt the limit is the setting's, as far as it fits at all.
        await answer(model, "Hi")
        limits = [call.body["max_tokens"] for call in fake.calls()]
        assert limits[0] == window - await model.count(fitted.request.messages)
        assert limits[1] == min(most, window - await model.count(question("Hi").messages))


async def test_a_window_that_only_a_refusal_tells_costs_nobody_an_answer():
    history = [(f"Tell me more about number {n}, please.", "Of course I will, with pleasure. " * 3) for n in range(80)]
    async with FakeLLM(kind="openai", context=1024, enforce=True) as fake, client(Endpoint(fake.base_url)) as model:
        pool = EndpointPool([Member(model, 1)])
        done = finished(await run(task("And then?", history=history), NoAgent(), pool=pool))
        await pool.aclose()
        assert [call.outcome for call in fake.calls()] == ["refused", "finished"]
    assert done.text
    assert "left out" in done.notes[0]


# When it asks.


async def test_a_call_without_a_schema_costs_no_trial():
    async with FakeLLM() as fake, client(Endpoint(fake.base_url)) as model:
        await answer(model, "Hi")
        assert len(fake.calls(trials=True)) == 1
    assert (model.facts.server, model.facts.structured) == ("vllm", None)


async def test_warming_up_finds_out_everything():
    async with FakeLLM(context=8192) as fake, client(Endpoint(fake.base_url)) as model:
        await model.warm()
    facts = model.facts
    assert (facts.model, facts.models, facts.context_tokens) == ("fake-model", ("fake-model",), 8192)
    assert (facts.server, facts.tokenizer, facts.structured, facts.embeddings) == (
        "vllm",
        "/tokenize",
        "json_schema",
        False,
    )


async def test_structured_output_is_tried_when_it_is_first_needed_and_never_again():
    async with FakeLLM() as fake, client(Endpoint(fake.base_url)) as model:
        for _ in range(2):
            chunks, _ = await ask(model, FORMED)
            assert json.loads("".join(chunk.text for chunk in chunks)) == {"pick": "red"}
        assert [call.purpose for call in fake.calls(trials=True)] == ["trial", "json", "json"]


async def test_calls_side_by_side_all_learn_from_the_first_refusal():
    # It takes `max_completion_tokens` only; all four are refused before one of them knows.
    async with (
        FakeLLM(kind="openai", model="o3-mini") as fake,
        client(Endpoint(fake.base_url, model="o3-mini")) as model,
    ):
        answers = await asyncio.gather(*(ask(model, question("Hi", max_tokens=50)) for _ in range(4)))
        assert len(answers) == 4


async def test_a_schema_that_is_taken_and_ignored_is_not_believed():
    async with FakeLLM(kind="fastchat") as fake, client(Endpoint(fake.base_url)) as model:
        await model.warm()
    assert model.facts.structured == ""


async def test_a_reasoning_model_is_noticed_by_the_trial():
    async with FakeLLM(kind="reasoning") as fake, client(Endpoint(fake.base_url)) as model:
        await model.warm()
    assert model.facts.reasoning
    assert model.facts.structured == "json_schema"


async def test_a_server_that_is_gone_keeps_nobody_waiting_and_is_named():
    async with FakeLLM() as fake:
        base_url = fake.base_url
    async with client(Endpoint(base_url)) as model:
        await model.warm()
        assert model.facts.trouble is not None
        assert model.facts.trouble.fault == "unreachable"
        assert model.context_tokens == UNKNOWN_CONTEXT_TOKENS


async def test_a_server_that_came_back_as_another_one_is_asked_about_everything_again():
    async with FakeLLM(model="former", context=8192) as former:
        model = OpenAIChatModel(Endpoint(former.base_url))
        await model.warm()
    assert (await failure(model, "Hi")).fault == "unreachable"
    async with FakeLLM(kind="llama_cpp.server", model="new", port=former.port):
        chunks, _ = await ask(model, FORMED)
        await model.aclose()
    assert json.loads("".join(chunk.text for chunk in chunks)) == {"pick": "red"}
    facts = model.facts
    assert (facts.model, facts.server, facts.structured) == ("new", "llama_cpp.server", "json_object")
    assert model.context_tokens == UNKNOWN_CONTEXT_TOKENS
    assert model.most_slots == 1


async def test_the_same_server_after_a_failure_is_tried_again_and_keeps_its_window():
    async with FakeLLM(kind="openai") as fake, client(Endpoint(fake.base_url)) as model:
        await model.warm()
        await failure(model, "[fake:overflow]")
        await failure(model, "[fake:status=500]")
        await ask(model, FORMED)
        assert [call.purpose for call in fake.calls(trials=True)].count("trial") == 2
    assert model.context_tokens == 4096


async def test_a_model_that_was_replaced_unnoticed_is_called_by_its_new_name():
    async with FakeLLM(kind="openai", model="former") as former:
        model = OpenAIChatModel(Endpoint(former.base_url))
        await answer(model, "Hi")
    async with FakeLLM(kind="openai", model="new", port=former.port):
        assert await answer(model, "Hi")
        await model.aclose()
    assert model.name == "new"


async def test_a_server_that_tells_nothing_in_time_is_called_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_module, "_PROBE_PATIENCE", 0.05)

    async def silent(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with served({"/v1/models": silent}) as base_url, client(Endpoint(base_url, model="m")) as model:
        assert await answer(model, "Hi") == "Hello"


# Counting.


async def test_the_same_text_is_counted_once():
    asked: list[object] = []

    async def tokenize(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append(body.get("prompt", body.get("messages")))
        words = body["prompt"].split() if "prompt" in body else ["template"] * 3 * len(body["messages"]) + ["end"] * 5
        return web.json_response({"count": len(words), "tokens": []})

    async with served({"/tokenize": tokenize}) as base_url, client(Endpoint(base_url)) as model:
        await model.warm()
        asked.clear()
        talk = [ChatMessage("user", "one two three four"), ChatMessage("assistant", "five six seven eight nine")]
        # 3 per message (a letter of which is text) and 5 for the whole.
        assert await model.count(talk) == 4 + 5 + 2 * 2 + 5
        questions = len(asked)
        assert await model.count([*talk, *talk]) == 2 * (4 + 5 + 2 * 2) + 5
        assert len(asked) == questions
    assert asked.count("one two three four") == 1


async def test_a_tokenizer_that_takes_too_long_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(counting, "_PATIENCE", 0.1)
    asked = 0

    async def tokenize(request: web.Request) -> web.Response:
        nonlocal asked
        if (await request.json()).get("prompt") != "one two three":
            asked += 1
            await asyncio.Event().wait()
        return web.json_response({"count": 3, "tokens": []})

    talk = [ChatMessage("user", "How many tokens has this?")]
    async with served({"/tokenize": tokenize}) as base_url, client(Endpoint(base_url)) as model:
        await model.warm()
        assert await model.count(talk) == estimate_messages(talk)
        before = asked
        assert await model.count(talk) == estimate_messages(talk)
    assert asked == before >= 1


async def test_without_a_server_a_count_is_an_estimate():
    talk = [ChatMessage("user", "How many tokens has this?")]
    async with FakeLLM() as fake:
        base_url = fake.base_url
    async with client(Endpoint(base_url)) as model:
        assert await model.count(talk) == estimate_messages(talk)
    async with client(Endpoint("http://no such host/v1")) as model:
        assert await model.count(talk) == estimate_messages(talk)


# Reasoning.


async def test_a_model_that_was_seen_to_think_gets_tokens_for_that_from_then_on():
    async with FakeLLM(kind="reasoning", context=32768, log_requests=True) as fake:
        async with client(Endpoint(fake.base_url, reasoning_tokens=500)) as model:
            for _ in range(2):
                await ask(model, question("Hi", max_tokens=100))
        assert [call.body["max_tokens"] for call in fake.calls()] == [100, 600]


async def test_thinking_never_takes_more_than_the_window_has():
    async with FakeLLM(kind="reasoning", context=1024, enforce=True, log_requests=True) as fake:
        async with client(Endpoint(fake.base_url, reasoning="on")) as model:
            await ask(model, question("Hi", max_tokens=100))
            await ask(model, question("Hi", max_tokens=900))
        with_room, without = fake.calls()
    assert 100 + 256 < with_room.body["max_tokens"] <= 1024
    assert without.body["max_tokens"] == 900
    assert without.body["chat_template_kwargs"] == {"enable_thinking": False}


async def test_reasoning_off_asks_for_none():
    async with FakeLLM(kind="reasoning") as fake, client(Endpoint(fake.base_url, reasoning="off")) as model:
        got = await items(model, question("Hi"))
        assert not any(isinstance(item, ReasoningChunk) for item in got)
        assert isinstance(got[-1], ReplyEnd)


async def test_a_model_that_thinks_too_long_is_cut_off_and_asked_not_to_think():
    async with FakeLLM(kind="reasoning", log_requests=True) as fake:
        async with client(Endpoint(fake.base_url, reasoning_tokens=4)) as model:
            got = await items(model, question("Hi [fake:gap=0.01]"))
        calls = await fake.until(lambda calls: all(call.outcome != "open" for call in calls))
    assert [call.outcome for call in calls] == ["aborted", "finished"]
    assert "chat_template_kwargs" not in calls[0].body
    assert calls[1].body["chat_template_kwargs"] == {"enable_thinking": False}
    assert any(isinstance(item, TextChunk) for item in got)


async def test_a_block_that_the_template_opened_is_taken_back_once_and_then_known():
    async with FakeLLM() as fake, client(Endpoint(fake.base_url)) as model:
        asked = question("[fake:say=let me see\n</think>\n\nThe answer is 7.]")
        first, second = [await items(model, asked) for _ in range(2)]
    assert any(isinstance(item, Restarted) for item in first)
    assert "".join(item.text for item in after_restart(first)) == "The answer is 7."
    assert not any(isinstance(item, Restarted) for item in second)
    assert "".join(item.text for item in second if isinstance(item, TextChunk)) == "The answer is 7."


def after_restart(got: list[ReplyItem]) -> list[TextChunk]:
    kinds = [isinstance(item, Restarted) for item in got]
    return [item for item in got[kinds.index(True) :] if isinstance(item, TextChunk)]


# A server of the test's own.

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def served(paths: dict[str, Handler]) -> AsyncIterator[str]:
    """A server with these paths, which has one model and always says Hello."""

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "m", "owned_by": "vllm", "max_model_len": 4096}]})

    async def chat(_: web.Request) -> web.Response:
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
        return web.json_response({"model": "m", "choices": [choice]})

    app = web.Application()
    for path, handler in {"/v1/models": models, "/v1/chat/completions": chat, **paths}.items():
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()

"""The client against every way in which a server can fail, on real sockets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.events import Usage
from agent.llm import faults
from agent.llm.chat import ChatMessage, ChatRequest, ModelError, ModelFault, ReplyEnd, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import UNKNOWN_CONTEXT_TOKENS, Endpoint, Timeouts
from tests.fakes.llm import FakeLLM
from tests.support.llm import answer, ask, failure, question

#: Short ones, yet far above what a token takes on a busy machine.
TIMEOUTS = Timeouts(connect=5.0, first_token=1.0, between_tokens=1.0, total=30.0)


@pytest.fixture
async def fake() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as server:
        yield server


@pytest.fixture
async def model(fake: FakeLLM) -> AsyncIterator[OpenAIChatModel]:
    client = OpenAIChatModel(Endpoint(fake.base_url, model="fake-model", context_tokens=4096))
    yield client
    await client.aclose()


@pytest.fixture
async def impatient(fake: FakeLLM) -> AsyncIterator[OpenAIChatModel]:
    client = OpenAIChatModel(Endpoint(fake.base_url, model="fake-model", context_tokens=4096, timeouts=TIMEOUTS))
    await client.warm()
    yield client
    await client.aclose()


async def test_the_answer_holds_each_marker_of_the_question_once(model: OpenAIChatModel):
    text = await answer(model, "What about [m:a1] and [m:b2] and [m:a1]?")
    assert (text.count("[m:a1]"), text.count("[m:b2]")) == (1, 1)


@pytest.mark.parametrize(
    ("directive", "fault"),
    [
        ("status=401", "unauthorized"),
        ("status=403", "unauthorized"),
        ("status=404", "rejected"),
        ("status=422", "rejected"),
        ("status=301", "garbage"),
        ("status=500", "unreachable"),
        ("status=503", "unreachable"),
        ("retry=7", "overloaded"),
        ("overflow=vllm", "context_overflow"),
        ("overflow=llama.cpp", "context_overflow"),
        ("overflow=llama_cpp.server", "context_overflow"),
        ("overflow=openai", "context_overflow"),
        ("empty=bare", "empty"),
        ("empty=done", "empty"),
        ("empty=stop", "empty"),
        ("garbage", "garbage"),
        ("badjson", "garbage"),
        ("html", "garbage"),
        ("reset=0", "unreachable"),
        ("reset=3", "unreachable"),
        ("end=0", "empty"),
        ("end=3", "unreachable"),
        ("error=0", "unreachable"),
        ("error=3", "unreachable"),
    ],
)
async def test_every_failure_is_one_fault(model: OpenAIChatModel, directive: str, fault: ModelFault):
    assert (await failure(model, f"[fake:{directive}]")).fault == fault


@pytest.mark.parametrize("directive", ["reset=3", "end=3", "error=3"])
async def test_a_reply_that_breaks_off_says_after_how_many_tokens(model: OpenAIChatModel, directive: str):
    assert "after 3 tokens" in (await failure(model, f"[fake:{directive}]")).detail


async def test_text_before_a_break_was_given_out(model: OpenAIChatModel):
    said: list[str] = []

    async def listen() -> None:
        async for item in model.stream(question("[fake:reset=3] [m:x]")):
            assert isinstance(item, TextChunk)
            said.append(item.text)

    with pytest.raises(ModelError):
        await listen()
    assert "".join(said) == "[m:x] the quick "


async def test_an_unusable_address_is_unreachable():
    model = OpenAIChatModel(Endpoint("http://no such host/v1", model="m"))
    assert (await failure(model, "Hi")).fault == "unreachable"
    await model.aclose()


async def test_a_server_that_does_not_speak_http_is_garbage():
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        with suppress(ConnectionError):
            await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        model = OpenAIChatModel(Endpoint(f"http://127.0.0.1:{port}/v1", model="m", context_tokens=4096))
        assert (await failure(model, "Hi")).fault == "garbage"
        await model.aclose()


async def test_a_server_that_never_answers_is_a_timeout(impatient: OpenAIChatModel):
    error = await failure(impatient, "[fake:hang]")
    assert (error.fault, error.detail) == ("timeout", "no first token within 1 s")


async def test_signs_of_life_are_no_tokens(impatient: OpenAIChatModel):
    assert (await failure(impatient, "[fake:ping] [fake:gap=0.05]")).fault == "timeout"


async def test_a_server_that_stops_in_the_middle_is_a_timeout(impatient: OpenAIChatModel):
    error = await failure(impatient, "[fake:stall=3]")
    assert (error.fault, error.detail) == ("timeout", "nothing for 1 s after 3 tokens")


async def test_a_call_may_not_take_for_ever(fake: FakeLLM):
    timeouts = Timeouts(total=0.5)
    model = OpenAIChatModel(Endpoint(fake.base_url, model="m", context_tokens=4096, timeouts=timeouts))
    await model.warm()
    error = await failure(model, "[fake:tokens=100000] [fake:gap=0.05]")
    await model.aclose()
    assert (error.fault, error.detail) == ("timeout", "the call took longer than 0.5 s")


async def test_a_long_reply_is_no_timeout_while_tokens_come(impatient: OpenAIChatModel):
    assert await answer(impatient, "[fake:tokens=15] [fake:gap=0.1]")


async def test_reasoning_is_progress(impatient: OpenAIChatModel):
    assert await answer(impatient, "[fake:reasoning=15] [fake:gap=0.1] [fake:say=Yes.]") == "Yes."


async def test_reasoning_in_its_own_field_is_not_shown(model: OpenAIChatModel):
    assert await answer(model, "[fake:reasoning] [fake:say=The answer is 7.]") == "The answer is 7."


async def test_reasoning_inside_the_text_is_not_shown(model: OpenAIChatModel):
    assert await answer(model, "[fake:think=9] [fake:say=The answer is 7.]") == "The answer is 7."


async def test_a_reply_of_nothing_but_reasoning_is_asked_for_once_more_and_then_empty(fake: FakeLLM):
    model = OpenAIChatModel(Endpoint(fake.base_url, model="m", context_tokens=4096, reasoning_tokens=300))
    with pytest.raises(ModelError) as caught:
        await ask(model, question("[fake:think=1000] [fake:say=Never said.]", max_tokens=20))
    await model.aclose()
    assert caught.value.fault == "empty"
    assert "tokens of reasoning" in caught.value.detail
    assert "thought" in faults.say(caught.value, "en")
    assert len(fake.calls()) == 2


async def test_usage_and_the_end_are_reported(model: OpenAIChatModel):
    _, end = await ask(model, question("one two three [fake:tokens=7]"))
    assert end.usage.completion_tokens == 7
    assert end.usage.prompt_tokens is not None
    assert (end.finish_reason, end.model) == ("stop", "fake-model")


async def test_a_server_without_usage_leaves_it_unknown(model: OpenAIChatModel):
    _, end = await ask(model, question("[fake:nousage]"))
    assert end.usage == Usage(None, None)


async def test_a_server_that_rejects_stream_options_is_asked_without_them_from_then_on(
    fake: FakeLLM, model: OpenAIChatModel
):
    await answer(model, "[fake:nooptions]")
    await answer(model, "[fake:nooptions]")
    assert [call.outcome for call in fake.calls()] == ["refused", "finished", "finished"]


async def test_a_server_that_rejects_max_tokens_is_asked_with_its_successor_from_then_on(
    fake: FakeLLM, model: OpenAIChatModel
):
    request = question("[fake:nomaxtokens] [fake:tokens=9]", max_tokens=3)
    ends = [(await ask(model, request))[1].finish_reason for _ in range(2)]
    assert ends == ["length", "length"]
    assert [call.outcome for call in fake.calls()] == ["refused", "finished", "finished"]


async def test_a_server_that_does_not_stream_is_understood(model: OpenAIChatModel):
    chunks, end = await ask(model, question("[fake:nostream] [fake:say=All at once.]"))
    assert [chunk.text for chunk in chunks] == ["All at once."]
    assert end.usage.completion_tokens == 3


async def test_a_very_long_answer_arrives_whole(model: OpenAIChatModel):
    assert len(await answer(model, "[fake:long=200000]")) >= 199_990


async def test_leaving_the_stream_ends_the_call_on_the_server(fake: FakeLLM, model: OpenAIChatModel):
    async with aclosing(model.stream(question("[fake:tokens=100000] [fake:gap=0.01]"))) as items:
        async for _ in items:
            break
    [call] = await fake.until(lambda calls: all(call.outcome != "open" for call in calls))
    assert call.outcome == "aborted"
    assert call.tokens < 100_000


@pytest.mark.parametrize("directive", ["hang", "first=1000", "gap=1000"])
async def test_cancelling_ends_the_call_on_the_server(fake: FakeLLM, model: OpenAIChatModel, directive: str):
    call = asyncio.create_task(ask(model, question(f"[fake:{directive}]")))
    await fake.until(lambda calls: len(calls) == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    [seen] = await fake.until(lambda calls: calls[0].outcome != "open")
    assert seen.outcome == "aborted"


async def test_64_streams_run_side_by_side(fake: FakeLLM, model: OpenAIChatModel):
    # Each of them waits for the last token until all have got their first one.
    first = asyncio.Barrier(64)

    async def call() -> str:
        said = ""
        async with aclosing(model.stream(question("[fake:tokens=4] [fake:gap=0.2]"))) as items:
            async for item in items:
                if isinstance(item, ReplyEnd):
                    return said
                if not said:
                    await first.wait()
                if isinstance(item, TextChunk):
                    said += item.text
        return said

    async with asyncio.timeout(60):
        said = await asyncio.gather(*(call() for _ in range(64)))
    assert set(said) == {"the quick brown fox "}


@pytest.mark.parametrize("kind", ["vllm", "llama.cpp", "llama_cpp.server", "openai"])
async def test_one_call_after_another_reaches_every_kind_of_server(kind: str):
    async with FakeLLM(kind=kind) as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url))
        for _ in range(5):
            assert await answer(model, "Hi")
        await model.aclose()


@pytest.mark.parametrize("kind", ["vllm", "llama.cpp"])
async def test_the_window_is_asked_for(kind: str):
    async with FakeLLM(kind=kind, context=32768) as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url))
        assert model.context_tokens == UNKNOWN_CONTEXT_TOKENS
        await model.warm()
        await model.aclose()
    assert model.context_tokens == 32768


async def test_a_setting_for_the_window_wins():
    async with FakeLLM(context=32768) as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url, context_tokens=2000))
        await model.warm()
        await model.aclose()
    assert model.context_tokens == 2000


async def test_a_server_that_does_not_tell_its_window_may_tell_it_in_a_refusal():
    async with FakeLLM(kind="openai") as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url))
        await failure(model, "[fake:overflow=openai]")
        await model.aclose()
    assert model.context_tokens == 4096


async def test_without_a_setting_the_first_listed_model_is_called():
    async with FakeLLM(model="org/the-model") as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url))
        await answer(model, "Hi")
        await model.aclose()
        assert [call.model for call in fake.calls()] == ["org/the-model"]
    assert model.name == "org/the-model"


async def test_a_failed_probe_fails_no_call():
    async with FakeLLM() as fake:
        model = OpenAIChatModel(Endpoint(fake.origin + "/v1/nothing/here"))
        await model.warm()
        assert model.context_tokens == UNKNOWN_CONTEXT_TOKENS
        assert (await failure(model, "Hi")).fault == "rejected"
        await model.aclose()


async def test_the_endpoint_s_settings_hold_where_the_request_says_nothing(fake: FakeLLM):
    model = OpenAIChatModel(Endpoint(fake.base_url, model="m", context_tokens=4096, max_tokens=3))
    ends = [await ask(model, question("Hi")), await ask(model, question("Hi", max_tokens=5))]
    await model.aclose()
    assert [end.usage.completion_tokens for _, end in ends] == [3, 5]


async def test_nothing_of_the_environment_reaches_the_server(monkeypatch: pytest.MonkeyPatch):
    for name, value in {
        "OPENAI_API_KEY": "sk-environment",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_ORG_ID": "org-environment",
        "OPENAI_PROJECT_ID": "proj-environment",
        "OPENAI_CUSTOM_HEADERS": "x-environment: yes",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    async with FakeLLM(log_headers=True, api_key="") as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url, model="m", context_tokens=4096))
        await answer(model, "Hi")
        await model.aclose()
        [call] = fake.calls()
    assert "environment" not in str(call.headers)
    assert not {"x-stainless-os", "x-stainless-runtime"} & set(call.headers)
    assert call.headers["accept-encoding"] == "identity"


async def test_the_key_is_sent_as_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    async with FakeLLM(api_key="sk-configured") as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url, api_key="sk-configured", model="m", context_tokens=4096))
        assert await answer(model, "Hi")
        await model.aclose()


async def test_a_server_that_comes_back_is_called_again(fake: FakeLLM, model: OpenAIChatModel):
    await answer(model, "Hi")
    await fake.stop()
    assert (await failure(model, "Hi")).fault == "unreachable"
    await fake.start()
    assert await answer(model, "Hi")


async def test_roles_and_order_of_the_messages_are_kept(fake: FakeLLM, model: OpenAIChatModel):
    request = ChatRequest(
        (ChatMessage("user", "first [m:1]"), ChatMessage("assistant", "x"), ChatMessage("user", "last"))
    )
    chunks, _ = await ask(model, request)
    assert "[m:1]" not in "".join(chunk.text for chunk in chunks)
    assert [call.user for call in fake.calls()] == ["last"]


async def test_two_endpoints_do_not_share_what_they_learned(fake: FakeLLM, model: OpenAIChatModel):
    await answer(model, "[fake:nooptions]")
    other = OpenAIChatModel(replace(Endpoint(fake.base_url, model="m"), context_tokens=4096))
    _, end = await ask(other, question("Hi"))
    await other.aclose()
    assert end.usage.completion_tokens is not None


def test_importing_the_client_does_not_import_the_slow_packages():
    code = (
        "import sys, agent.llm.client, agent.llm.embedded_chat, agent.llm.pool;"
        "print({'openai', 'aiohttp', 'httpx2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(("key", "header"), [("", "Basic dXM6cEBzcw=="), ("sk-1", "Bearer sk-1")])
async def test_an_address_with_a_password_in_it_is_called_with_that_unless_there_is_a_key(key: str, header: str):
    seen: set[str | None] = set()

    async def reply(request: web.Request) -> web.Response:
        seen.add(request.headers.get("Authorization"))
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": "m", "object": "model", "max_model_len": 4096}]})
        if request.path != "/v1/chat/completions":
            return web.json_response({}, status=404)
        chunk = '{"choices": [{"index": 0, "delta": {"content": "Hello."}, "finish_reason": "stop"}]}'
        return web.Response(text=f"data: {chunk}\n\ndata: [DONE]\n\n", content_type="text/event-stream")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", reply)
    async with TestServer(app) as server:
        model = OpenAIChatModel(Endpoint(f"http://us:p%40ss@127.0.0.1:{server.port}/v1", api_key=key))
        try:
            assert await answer(model, "Hello?") == "Hello."
        finally:
            await model.aclose()
    assert seen == {header}

"""The fake model server itself: what other tests rely on."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.error
import urllib.request
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.llm import FakeLLM

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def fake() -> AsyncIterator[FakeLLM]:
    async with FakeLLM(context=4096) as server:
        yield server


async def post(url: str, body: object) -> tuple[int, Any]:
    def call() -> tuple[int, Any]:
        request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    return await asyncio.to_thread(call)


async def get(url: str) -> Any:
    def call() -> Any:
        with urllib.request.urlopen(url, timeout=30) as response:
            return json.load(response)

    return await asyncio.to_thread(call)


def chat(text: str, **fields: object) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **fields}


async def test_a_call_is_in_the_log_before_it_is_answered(fake: FakeLLM):
    call = asyncio.create_task(post(f"{fake.base_url}/chat/completions", chat("[fake:first=0.3] Hi")))
    [begun] = await fake.until(lambda calls: len(calls) == 1)
    assert (begun.outcome, begun.user, begun.model) == ("open", "[fake:first=0.3] Hi", "m")
    await call
    [ended] = fake.calls()
    assert (ended.outcome, ended.tokens, ended.id) == ("finished", 12, begun.id)


async def test_tokens_never_come_before_their_time(fake: FakeLLM):
    begun = time.monotonic()
    await post(f"{fake.base_url}/chat/completions", chat("[fake:first=0.2] [fake:gap=0.01] [fake:tokens=11]"))
    assert time.monotonic() - begun >= 0.3


async def test_an_unknown_directive_is_an_error_that_names_the_known_ones(fake: FakeLLM):
    status, body = await post(f"{fake.base_url}/chat/completions", chat("[fake:sloooow]"))
    assert status == 400
    assert "sloooow" in body["error"]["message"]
    assert "hang" in body["error"]["message"]


async def test_control_scripts_calls_that_carry_no_directive(fake: FakeLLM):
    await fake.behave("[fake:status=500]", times=1)
    url = f"{fake.base_url}/chat/completions"
    answered = [(await post(url, chat(text)))[0] for text in ("[fake:tokens=1]", "plain", "plain")]
    assert answered == [200, 500, 200]


async def test_models_version_and_tokenize_are_served(fake: FakeLLM):
    models = await get(f"{fake.base_url}/models")
    assert models["data"][0]["max_model_len"] == 4096
    assert (await get(f"{fake.origin}/version"))["version"]
    assert (await post(f"{fake.origin}/tokenize", {"prompt": "一二 three, four"}))[1]["count"] == 5


FORMAT = {"type": "json_schema", "json_schema": {"name": "r", "schema": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize(
    ("kind", "fields", "status", "said"),
    [
        ("vllm", {"tools": [{"type": "function"}]}, 400, "--enable-auto-tool-choice"),
        ("fastchat", {"model": "another"}, 400, "40301"),
        ("llama_cpp.server", {"response_format": FORMAT}, 500, "internal_server_error"),
        ("openai", {"model": "another"}, 404, "model_not_found"),
        ("openai", {"response_format": {"type": "json_object"}}, 400, "must contain the word"),
        ("openai", {"chat_template_kwargs": {}}, 400, "Unrecognized request argument"),
    ],
)
async def test_each_kind_refuses_in_its_own_way(kind: str, fields: dict[str, Any], status: int, said: str):
    async with FakeLLM(kind=kind) as fake:
        asked = chat("Hi", **{"model": "fake-model", **fields})
        answered, body = await post(f"{fake.base_url}/chat/completions", asked)
    assert (answered, said in json.dumps(body)) == (status, True)


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False, "required": []}, ""),
        ({"type": "object", "properties": {}}, "additionalProperties"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}, "required"),
        ({"anyOf": []}, "type 'object'"),
    ],
)
async def test_a_strict_schema_is_held_to_openai_s_rules(schema: dict[str, Any], wrong: str):
    strict = {"type": "json_schema", "json_schema": {"name": "r", "strict": True, "schema": schema}}
    async with FakeLLM(kind="openai") as fake:
        asked = chat("Hi", model="fake-model", response_format=strict)
        status, body = await post(f"{fake.base_url}/chat/completions", asked)
    assert (status, wrong in json.dumps(body)) == ((400, True) if wrong else (200, True))


async def test_tools_are_called_and_then_the_question_is_answered():
    tools = [{"type": "function", "function": {"name": "calculator", "parameters": {}}}]
    asked = chat('[fake:plan=calculator{"expression": "1 + 1"}]', model="fake-model", tools=tools)
    async with FakeLLM(kind="openai") as fake:
        _, called = await post(f"{fake.base_url}/chat/completions", asked)
        messages = [*asked["messages"], called["choices"][0]["message"], {"role": "tool", "content": "2"}]  # type: ignore[misc]
        _, answered = await post(f"{fake.base_url}/chat/completions", {**asked, "messages": messages})
    assert called["choices"][0]["finish_reason"] == "tool_calls"
    assert answered["choices"][0]["message"]["content"].startswith("the quick")


async def test_a_prompt_that_the_client_wrote_is_read_by_its_marks():
    prompt = "<|im_start|>user\n[m:1] Hi<|im_end|>\n<|im_start|>assistant\n"
    async with FakeLLM() as fake:
        body = {"model": "m", "prompt": prompt, "max_tokens": 3}
        _, answered = await post(f"{fake.base_url}/completions", body)
    assert answered["choices"][0] == {"index": 0, "text": "[m:1] the quick ", "finish_reason": "length"}
    assert answered["usage"]["prompt_tokens"] == 11


async def test_a_server_with_one_context_finishes_what_does_not_stream():
    async with FakeLLM(kind="llama_cpp.server", gap=0.02) as fake:
        url = f"{fake.base_url}/chat/completions"
        first, second = await asyncio.gather(post(url, chat("[m:1]")), post(url, chat("[m:2]")))
        assert (first[0], second[0]) == (200, 200)
        assert [call.outcome for call in fake.calls()] == ["finished", "finished"]


async def test_a_restarted_fake_keeps_its_port_and_its_log(fake: FakeLLM):
    await post(f"{fake.base_url}/chat/completions", chat("one"))
    port = fake.port
    await fake.stop()
    await fake.start()
    await post(f"{fake.base_url}/chat/completions", chat("two"))
    assert fake.port == port
    assert [call.user for call in fake.calls()] == ["one", "two"]


async def test_its_pace_is_set_by_flags():
    begun = time.monotonic()
    async with FakeLLM(first=0.2, gap=0.05, tokens=3) as fake:
        _, body = await post(f"{fake.base_url}/chat/completions", chat("Hi"))
    assert body["usage"]["completion_tokens"] == 3
    assert time.monotonic() - begun >= 0.3


async def test_it_ends_with_its_standard_input():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.llm", "--log", os.devnull, stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["port"] > 0
    process.stdin.close()
    async with asyncio.timeout(30):
        assert await process.wait() == 0

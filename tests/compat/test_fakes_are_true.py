"""The fakes against the real servers: the same questions, and answers of the same kind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from agent.llm.endpoint import Endpoint
from tests.compat.real import WINDOW, Real, Said, ask
from tests.fakes.llm import FakeLLM

_HI = [{"role": "user", "content": "Say hi."}]
_LONG = [{"role": "user", "content": "apple, " * WINDOW}]
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 12}},
    "required": ["city"],
    "additionalProperties": False,
}
_NESTED = {"type": "json_schema", "json_schema": {"name": "reply", "schema": _SCHEMA}}
_OBJECT = {"type": "json_object", "schema": _SCHEMA}
_PROMPT = "<|im_start|>user\nSay hi.<|im_end|>\n<|im_start|>assistant\n"
_USAGE = {"include_usage": True}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, GET without a body."""

    path: str
    body: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        said = {name: value for name, value in (self.body or {}).items() if name not in ("messages", "prompt", "input")}
        return f"{self.path} {said}" if said else self.path


def chat(messages: list[dict[str, str]] = _HI, **fields: Any) -> Question:
    return Question("/v1/chat/completions", {"messages": messages, "max_tokens": 40, "temperature": 0, **fields})


def completion(prompt: str = _PROMPT, **fields: Any) -> Question:
    return Question("/v1/completions", {"prompt": prompt, "max_tokens": 6, "temperature": 0, **fields})


CALLS = [
    chat(),
    chat(stream=True),
    chat(stream=True, stream_options=_USAGE),
    chat(max_tokens=3, stream=True),
    chat(response_format=_OBJECT),
    chat(response_format=_OBJECT, stream=True),
    chat(response_format=_NESTED),
    chat(response_format=_NESTED, stream=True),
    chat(_LONG),
    chat(_LONG, stream=True),
    completion(),
    completion(stream=True),
    completion("apple, " * WINDOW),
    completion("apple, " * WINDOW, stream=True),
]
PATHS = [
    Question("/v1/models"),
    Question("/health"),
    Question("/props"),
    Question("/version"),
    Question("/nothing/here"),
    Question("/v1/embeddings", {"input": "x", "model": "m"}),
    Question("/tokenize", {"content": "Hello, world"}),
    Question("/extras/tokenize", {"input": "Hello, world"}),
    Question("/extras/tokenize/count", {"input": "Hello, world"}),
    Question("/apply-template", {"messages": _HI}),
    Question("/v1/chat/completions/input_tokens", {"messages": _HI}),
    Question("/api/v1/token_check", {"prompts": []}),
]


@pytest.mark.parametrize("question", [*PATHS, *CALLS], ids=str)
async def test_llama_cpp_server_is_imitated(patient: Real, question: Question):
    async with FakeLLM(kind="llama_cpp.server", context=WINDOW, enforce=True, no_interrupt=True) as fake:
        imitated = await asyncio.to_thread(ask, fake.origin, question.path, question.body)
    compare(await asyncio.to_thread(ask, patient.root, question.path, question.body), imitated)


@pytest.mark.parametrize("question", [*PATHS, *CALLS], ids=str)
async def test_llama_server_is_imitated(embedded: Endpoint, question: Question):
    async with FakeLLM(kind="llama.cpp", context=WINDOW, enforce=True, api_key="k") as fake:
        imitated = await asyncio.to_thread(ask, fake.origin, question.path, question.body, "k")
    compare(await asyncio.to_thread(ask, embedded.root, question.path, question.body, embedded.api_key), imitated)


async def test_a_wrong_key_is_refused_alike(embedded: Endpoint):
    async with FakeLLM(kind="llama.cpp", api_key="k") as fake:
        imitated = await asyncio.to_thread(ask, fake.origin, "/v1/models", None, "wrong")
    compare(await asyncio.to_thread(ask, embedded.root, "/v1/models", None, "wrong"), imitated)


async def test_a_waiting_question_ends_a_stream_alike(interrupting: Real):
    """Even a question about models does."""
    long = chat([{"role": "user", "content": "Tell a very long story."}], stream=True, max_tokens=2000)
    async with FakeLLM(kind="llama_cpp.server", gap=0.01, tokens=2000) as fake:
        for root in (interrupting.root, fake.origin):
            stream = asyncio.create_task(asyncio.to_thread(ask, root, long.path, long.body))
            # A stream can't be over in this time; whether the question comes before or after its beginning, the later
            # one goes on.
            asked: list[Said] = []
            while not stream.done() and len(asked) < 50:
                asked.append(await asyncio.to_thread(ask, root, "/v1/models"))
            said = await stream
            assert all(each.status == 200 for each in asked)
            assert (said.status, said.done, said.whole) == (200, True, False)
            assert not any(event["choices"][0]["finish_reason"] for event in said.events)


async def test_max_completion_tokens_is_ignored_alike(patient: Real):
    question = Question("/v1/chat/completions", {"messages": _HI, "max_completion_tokens": 1, "temperature": 0})
    async with FakeLLM(kind="llama_cpp.server") as fake:
        for root in (patient.root, fake.origin):
            said = await asyncio.to_thread(ask, root, question.path, question.body)
            assert said.json["usage"]["completion_tokens"] > 1


def compare(real: Said, imitated: Said) -> None:
    """Whether the fake's answer could be the real server's. Texts and numbers may differ; the fake may say less."""
    assert (imitated.status, imitated.kind, imitated.whole) == (real.status, real.kind, real.whole)
    if real.kind != "text/event-stream":
        assert differences(real.json, imitated.json) == []
        return
    assert imitated.done == real.done
    assert bool(imitated.events) == bool(real.events)
    if real.events:
        for at in (0, 1, -1):
            assert differences(real.events[at], imitated.events[at]) == []


def differences(real: Any, imitated: Any, path: str = "") -> list[str]:
    """Where the fake says what the real server doesn't."""
    if imitated is None:
        return []
    if isinstance(imitated, Mapping) and isinstance(real, Mapping):
        found = [f"{path}.{name}: not there" for name in imitated if name not in real and imitated[name] is not None]
        for name in imitated:
            found += differences(real[name], imitated[name], f"{path}.{name}") if name in real else []
        return found
    if isinstance(imitated, list) and isinstance(real, list):
        return differences(real[0], imitated[0], f"{path}[0]") if real and imitated else []
    return [] if type(real) is type(imitated) else [f"{path}: {real!r} and {imitated!r}"]

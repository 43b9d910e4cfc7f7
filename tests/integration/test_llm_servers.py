"""One contract, kept by the client on every kind of server that the fakes imitate, and what is peculiar to each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from agent.llm.chat import ChatMessage, ChatRequest, ReasoningChunk, ReplyEnd, Restarted, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import Endpoint
from tests.fakes.llm import FakeLLM
from tests.fakes.llm.kinds import KINDS
from tests.fakes.llm.prompt import count_tokens, written
from tests.support.llm import answer, ask, failure, question

WINDOW = 1024
TOO_LONG = "apple, " * WINDOW
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 10}, "sure": {"type": "boolean"}},
    "required": ["city", "sure"],
    "additionalProperties": False,
}
#: What the client calls the server, and the form of a schema that it really follows.
FACTS = {
    "vllm": ("vllm", "json_schema"),
    "reasoning": ("vllm", "json_schema"),
    "fastchat": ("fastchat", ""),
    "llama.cpp": ("llama-server", "json_schema"),
    "llama_cpp.server": ("llama_cpp.server", "json_object"),
    "openai": ("openai", "json_schema"),
}
FOLLOWING = [kind for kind, (_, form) in FACTS.items() if form]
CONVERSATION = (
    ChatMessage("system", "Be brief."),
    ChatMessage("user", "What is the capital of France?"),
    ChatMessage("assistant", "Paris."),
    ChatMessage("user", "那么德国的首都呢？"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of server and the client before it."""

    kind: str
    fake: FakeLLM
    model: OpenAIChatModel


@pytest.fixture(params=list(KINDS))
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    async with served(request.param) as found:
        yield found


class served:  # noqa: N801 - a context manager, used like a function
    """A server of this kind that enforces a small window, and a client that knows nothing but its address."""

    def __init__(self, kind: str, *, context_tokens: int | None = None, **flags: Any) -> None:
        self._kind = kind
        self._context_tokens = context_tokens
        self._fake = FakeLLM(kind=kind, context=WINDOW, enforce=True, log_requests=True, **flags)

    async def __aenter__(self) -> Subject:
        await self._fake.__aenter__()
        self._model = OpenAIChatModel(Endpoint(self._fake.base_url, context_tokens=self._context_tokens))
        return Subject(self._kind, self._fake, self._model)

    async def __aexit__(self, *_: object) -> None:
        await self._model.aclose()
        await self._fake.__aexit__(None, None, None)


def schema_request(text: str, **fields: Any) -> ChatRequest:
    return ChatRequest((ChatMessage("user", text),), max_tokens=200, schema=SCHEMA, **fields)


async def test_a_reply_is_text_and_an_end(subject: Subject):
    chunks, end = await ask(subject.model, question("Hi [m:1]", max_tokens=100))
    assert "".join(chunk.text for chunk in chunks) == "[m:1] the quick brown fox jumps over the lazy dog and runs "
    assert (end.finish_reason, end.model) == ("stop", "fake-model")


async def test_usage_is_told_where_the_server_tells_it(subject: Subject):
    _, end = await ask(subject.model, question("Hi", max_tokens=100))
    [call] = subject.fake.calls()
    told = end.usage.prompt_tokens
    assert told == (count_tokens(written(call.body)) if KINDS[subject.kind].usage else None)


async def test_max_tokens_ends_the_reply(subject: Subject):
    _, end = await ask(subject.model, question("Hi [fake:tokens=50]", max_tokens=12))
    assert end.finish_reason == "length"


async def test_the_server_and_its_ways_are_recognised(subject: Subject):
    await subject.model.warm()
    facts = subject.model.facts
    expected = FACTS[subject.kind]
    # That it is OpenAI is told by its address, which a fake can't have; its listing is what remains.
    assert (facts.server, facts.structured) == expected


@pytest.mark.parametrize("kind", FOLLOWING)
async def test_a_reply_by_a_schema_follows_it(kind: str):
    async with served(kind) as subject:
        chunks, end = await ask(subject.model, schema_request("Which city?"))
        reply = json.loads("".join(chunk.text for chunk in chunks), strict=False)
        assert set(reply) == {"city", "sure"}
        assert len(reply["city"]) <= 10
        assert end.finish_reason == "stop"


async def test_a_server_without_schemas_replies_all_the_same():
    async with served("fastchat") as subject:
        chunks, _ = await ask(subject.model, schema_request("Which city?"))
        assert "".join(chunk.text for chunk in chunks).startswith("the quick")


async def test_a_count_is_never_too_low_and_close_where_there_is_a_tokenizer(subject: Subject):
    await subject.model.warm()
    counted = await subject.model.count(CONVERSATION)
    await ask(subject.model, ChatRequest(CONVERSATION, max_tokens=50))
    real = count_tokens(written(subject.fake.calls()[-1].body))
    assert counted >= real
    if subject.kind in ("vllm", "reasoning", "llama.cpp"):
        assert counted <= real + len(CONVERSATION)


async def test_a_prompt_that_does_not_fit_is_named(subject: Subject):
    assert (await failure(subject.model, TOO_LONG)).fault == "context_overflow"


@pytest.mark.parametrize("kind", ["vllm", "reasoning", "fastchat", "llama.cpp"])
async def test_the_window_is_told(kind: str):
    async with served(kind) as subject:
        await subject.model.warm()
        assert subject.model.context_tokens == WINDOW


async def test_leaving_a_stream_ends_the_call_on_the_server(subject: Subject):
    asked = question("[fake:tokens=500] [fake:gap=0.01]", max_tokens=400)
    async with aclosing(subject.model.stream(asked)) as items:
        async for item in items:
            if isinstance(item, TextChunk | ReasoningChunk):
                break
    [call] = await subject.fake.until(lambda calls: all(call.outcome != "open" for call in calls))
    assert (call.outcome, call.tokens < 400) == ("aborted", True)


@pytest.mark.parametrize(
    ("directive", "fault"),
    [("status=503", "unreachable"), ("retry=7", "overloaded"), ("reset=3", "unreachable"), ("empty=stop", "empty")],
)
async def test_faults_are_told_apart(subject: Subject, directive: str, fault: str):
    assert (await failure(subject.model, f"[fake:{directive}]")).fault == fault


async def test_an_error_in_mid_stream_is_one(subject: Subject):
    assert "the engine died" in (await failure(subject.model, "[fake:error=3]")).detail


@pytest.mark.parametrize("kind", list(KINDS))
async def test_a_wrong_key_is_unauthorized_and_not_quoted(kind: str):
    async with FakeLLM(kind=kind, api_key="right") as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url, api_key="sesame-open-up", model="fake-model"))
        error = await failure(model, "Hi")
        await model.aclose()
    assert (error.fault, "sesame" in str(error)) == ("unauthorized", False)


# --- llama_cpp.server: one context


async def test_four_questions_at_once_are_all_answered_by_a_server_with_one_context():
    async with served("llama_cpp.server", gap=0.005) as subject:
        await subject.model.warm()
        asked = [f"[m:{n}] Hi" for n in range(4)]
        said = await asyncio.gather(*(answer(subject.model, text) for text in asked))
        assert [text[:5] for text in said] == ["[m:0]", "[m:1]", "[m:2]", "[m:3]"]
        assert [call.outcome for call in subject.fake.calls() if call.purpose == "answer"] == ["finished"] * 4


async def test_a_stream_that_another_program_ended_is_asked_for_again():
    async with served("llama_cpp.server", gap=0.02) as subject, served_again(subject) as other:
        await subject.model.warm()
        mine = asyncio.create_task(ask_all(subject.model, question("[m:mine] Hi")))
        await subject.fake.until(lambda calls: any("mine" in call.user and call.outcome == "open" for call in calls))
        assert await answer(other, "[m:other] Hi")
        text, _ = await mine
        assert text.startswith("[m:mine] the quick")
        outcomes = [call.outcome for call in subject.fake.calls() if "mine" in call.user]
        assert outcomes == ["interrupted", "finished"]


async def test_a_stream_that_came_back_empty_is_asked_for_in_one_piece():
    async with served("llama_cpp.server") as subject:
        await subject.model.warm()
        assert await answer(subject.model, "[fake:empty=bare] [fake:say=Here.]") == "Here."
        assert [call.body["stream"] for call in subject.fake.calls() if call.purpose == "answer"] == [True, False]


# --- A model that thinks


async def test_what_a_model_thinks_is_no_part_of_its_reply():
    async with served("reasoning") as subject:
        async with aclosing(subject.model.stream(question("[fake:say=Yes.]"))) as items:
            thoughts = [item.text async for item in items if isinstance(item, ReasoningChunk)]
        assert "".join(thoughts).startswith("the quick")
        assert await answer(subject.model, "[fake:say=Yes.]") == "Yes."
        assert subject.model.facts.reasoning


async def test_a_model_that_only_thought_is_asked_not_to():
    async with served("reasoning") as subject:
        text, _ = await ask_all(subject.model, question("[fake:say=Yes.]", max_tokens=5))
        assert text == "Yes."
        assert subject.fake.calls()[-1].body["chat_template_kwargs"] == {"enable_thinking": False}


# --- A model without a chat template


async def test_a_prompt_is_written_here_where_the_server_has_no_template():
    async with served("vllm", no_template=True) as subject:
        chunks, _ = await ask(subject.model, question("[m:1] Hi", max_tokens=100))
        assert "".join(chunk.text for chunk in chunks).startswith("[m:1] the quick")
        body = subject.fake.calls()[-1].body
        assert body["prompt"].endswith("<|im_start|>assistant\n")


# --- OpenAI


@pytest.mark.parametrize("nostream", ["", "[fake:nostream]"])
async def test_a_tool_call_in_place_of_a_plan_is_given_as_text(nostream: str):
    schema = {"type": "object", "properties": {"command": {"type": "object"}}}
    asked = f'[fake:plan=calculator{{"expression": "1 + [1]"}}] [fake:badplan=toolcall] [fake:when=all] {nostream}'
    async with served("openai") as subject:
        text, end = await ask_all(subject.model, ChatRequest((ChatMessage("user", asked),), 200, schema=schema))
    call = json.loads(text.removeprefix("<tool_call>").removesuffix("</tool_call>\n"))
    assert call == {"name": "calculator", "arguments": {"expression": "1 + [1]"}}
    assert end.finish_reason == "tool_calls"


async def test_a_tool_call_in_place_of_an_answer_is_an_empty_answer():
    tools = [{"type": "function", "function": {"name": "calculator", "parameters": {}}}]
    async with FakeLLM(kind="openai") as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url, context_tokens=WINDOW, extra_body={"tools": tools}))
        assert (await failure(model, "[fake:plan=calculator]")).fault == "empty"
        await model.aclose()


async def test_a_refusal_is_shown_as_the_answer():
    async with served("openai") as subject:
        assert await answer(subject.model, "[fake:refuse=I can't help with that.]") == "I can't help with that."


async def test_a_model_that_wants_max_completion_tokens_gets_it():
    async with FakeLLM(kind="openai", model="o9-mini", log_requests=True) as fake:
        model = OpenAIChatModel(Endpoint(fake.base_url, context_tokens=WINDOW))
        _, end = await ask(model, question("Hi [fake:nomaxtokens]", max_tokens=3))
        await model.aclose()
        assert fake.calls()[-1].body["max_completion_tokens"] == 3
    assert end.finish_reason == "length"


async def test_an_account_without_money_is_overloaded():
    async with served("openai") as subject:
        assert (await failure(subject.model, "[fake:quota]")).fault == "overloaded"


async def ask_all(model: OpenAIChatModel, request: ChatRequest) -> tuple[str, ReplyEnd]:
    """The text that remains in the end, and the end."""
    text = ""
    async with aclosing(model.stream(request)) as items:
        async for item in items:
            if isinstance(item, Restarted):
                text = ""
            elif isinstance(item, TextChunk):
                text += item.text
            elif isinstance(item, ReplyEnd):
                return text, item
    raise AssertionError("the stream ended without ReplyEnd")


class served_again:  # noqa: N801 - as above
    """Another program that calls the same server."""

    def __init__(self, subject: Subject) -> None:
        self._model = OpenAIChatModel(Endpoint(subject.fake.base_url, model="fake-model", context_tokens=WINDOW))

    async def __aenter__(self) -> OpenAIChatModel:
        return self._model

    async def __aexit__(self, *_: object) -> None:
        await self._model.aclose()

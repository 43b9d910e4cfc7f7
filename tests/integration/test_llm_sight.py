"""Models that look at pictures, and models that don't, behind every kind of server."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from agent.llm.chat import ChatMessage, ChatModel, ChatRequest, ReplyEnd, TextChunk
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import ChatFormat, Endpoint, Vision
from agent.llm.images import Image
from agent.llm.pool import EndpointPool, Member
from agent.llm.sight import plain_png
from tests.fakes.llm import FakeLLM
from tests.fakes.llm.kinds import KINDS
from tests.support.llm import ask

BLUE = Image("image/png", plain_png(70, (0, 0, 250)), "sky.png")


def model(llm: FakeLLM, vision: Vision = "auto", chat_format: ChatFormat = "auto") -> OpenAIChatModel:
    return OpenAIChatModel(Endpoint(llm.base_url, model="fake-model", vision=vision, chat_format=chat_format))


def shown(text: str = "What is this?") -> ChatRequest:
    return ChatRequest((ChatMessage("user", text, (BLUE,)),))


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("vision", [True, False])
async def test_sight_is_found_out_with_one_small_picture(kind: str, vision: bool) -> None:
    async with FakeLLM(kind=kind, vision=vision) as llm:
        chat = model(llm)
        try:
            known = [chat.sees, await chat.can_see(), await chat.can_see(), chat.sees]
            assert known == [None, vision, vision, vision]
            assert chat.trouble is None
            trials = [call for call in llm.calls(trials=True) if call.user.startswith("Which colour")]
            assert len(trials) == 1
        finally:
            await chat.aclose()


async def test_a_picture_is_sent_with_its_message() -> None:
    async with FakeLLM(vision=True) as llm:
        chat = model(llm, "yes")
        chunks, _ = await ask(chat, shown())
        await chat.aclose()
        assert "[saw:blue 70x70] " in "".join(chunk.text for chunk in chunks)


@pytest.mark.parametrize(("vision", "sees"), [("yes", True), ("no", False)])
async def test_what_the_setting_says_is_not_tried_out(vision: Vision, sees: bool) -> None:
    async with FakeLLM(vision=not sees) as llm:
        chat = model(llm, vision)
        assert await chat.can_see() is sees
        await chat.aclose()
        assert llm.calls(trials=True) == []


async def test_a_prompt_that_is_written_here_has_no_pictures() -> None:
    async with FakeLLM(vision=True) as llm:
        chat = model(llm, "yes", "chatml")
        assert await chat.can_see() is False
        await chat.aclose()


async def test_pictures_go_to_the_endpoint_that_sees_and_text_to_the_first() -> None:
    async with FakeLLM(model="blind") as first, FakeLLM(model="seeing", vision=True) as second:
        chats = [OpenAIChatModel(Endpoint(llm.base_url)) for llm in (first, second)]
        pool = EndpointPool([Member(chat, 4, name, n) for n, (chat, name) in enumerate(zip(chats, "ab", strict=True))])

        async def endpoint(request: ChatRequest, *, images: bool) -> tuple[str, str, tuple[str, ...]]:
            async def prepare(_: ChatModel) -> ChatRequest:
                return request

            text = ""
            async with aclosing(pool.stream(prepare, owner="test", images=images)) as items:
                async for item in items:
                    text += item.text if isinstance(item, TextChunk) else ""
                    if isinstance(item, ReplyEnd):
                        return item.endpoint, text, item.instead_of
            raise AssertionError("no end")

        try:
            name, text, instead_of = await endpoint(shown(), images=True)
            assert (name, instead_of) == ("b", ())
            assert "[saw:blue" in text
            assert (await endpoint(ChatRequest((ChatMessage("user", "Hi"),)), images=False))[0] == "a"
            assert (pool.serving().sees, pool.serving(images=True).sees) == (False, True)
        finally:
            await pool.aclose()
            for chat in chats:
                await chat.aclose()


async def test_the_tokens_of_a_picture_are_counted() -> None:
    async with FakeLLM(vision=True) as llm:
        chat = model(llm)
        without = await chat.count((ChatMessage("user", "What is this?"),))
        assert await chat.count(shown().messages) == without + BLUE.tokens
        await chat.aclose()

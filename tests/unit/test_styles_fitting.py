"""Prompts that fit into the window that a model really has."""

from __future__ import annotations

import pytest

from agent.llm.chat import ChatMessage, ChatRequest, ModelError
from agent.llm.tokens import estimate_messages
from agent.styles.base import Ask
from agent.styles.fitting import Fitted, fit, shorten
from tests.support.agent import ScriptedModel


async def fitted_to(request: ChatRequest, window: int) -> Fitted:
    return await fit(Ask(request), ScriptedModel(window=window), "en")


def request(*contents: str, max_tokens: int | None = None) -> ChatRequest:
    roles = ["system", *["user", "assistant"] * len(contents)]
    messages = tuple(ChatMessage(role, text) for role, text in zip(roles, contents, strict=False))  # type: ignore[arg-type]
    return ChatRequest(messages, max_tokens=max_tokens)


async def test_a_request_that_fits_comes_back_as_it_is() -> None:
    whole = request("be brief", "q1", "a1", "q2")
    fitted = await fitted_to(whole, 4096)
    assert fitted.request is whole
    assert fitted.left_out == 0


async def test_the_oldest_exchanges_go_first_and_whole() -> None:
    old, new = "old " * 400, "new " * 100
    fitted = await fitted_to(request("be brief", old, old, new, new, "last"), 1024)
    assert [message.content for message in fitted.request.messages] == ["be brief", new, new, "last"]
    assert fitted.left_out == 2


@pytest.mark.parametrize("window", [512, 1000, 2048, 4096, 8192])
async def test_a_fitted_prompt_leaves_room_for_the_reply(window: int) -> None:
    exchanges = ["中文历史 " * 60] * 40
    fitted = await fitted_to(request("be brief", *exchanges, "last"), window)
    assert estimate_messages(fitted.request.messages) + min(1024, window // 4) <= window
    assert fitted.request.messages[-1].content == "last"
    assert (len(fitted.request.messages) - 2) % 2 == 0


async def test_a_reply_that_was_asked_for_is_reserved() -> None:
    text = "word " * 300
    assert (await fitted_to(request("s", text, "a", "last", max_tokens=100), 1000)).left_out == 0
    assert (await fitted_to(request("s", text, "a", "last", max_tokens=800), 1000)).left_out == 2


async def test_a_question_that_alone_is_too_long_is_a_context_overflow() -> None:
    with pytest.raises(ModelError) as failure:
        await fitted_to(request("be brief", "q", "a", "word " * 5000), 4096)
    assert failure.value.fault == "context_overflow"


def test_shortening_never_touches_the_question() -> None:
    long = "word " * 3000
    shortened = shorten(request("s", "q", "a", long), 100)
    assert [message.content for message in shortened.request.messages] == ["s", long]

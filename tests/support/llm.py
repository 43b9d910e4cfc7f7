"""Asking a chat model in a test."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from agent.llm.chat import ChatMessage, ChatModel, ChatRequest, ModelError, ReplyEnd, TextChunk


def question(text: str, max_tokens: int | None = None, temperature: float | None = None) -> ChatRequest:
    """A request with one user message."""
    return ChatRequest((ChatMessage("user", text),), max_tokens, temperature)


async def ask(model: ChatModel, request: ChatRequest) -> tuple[list[TextChunk], ReplyEnd]:
    """The whole reply, in the pieces in which it came."""
    chunks: list[TextChunk] = []
    async with aclosing(model.stream(request)) as items:
        async for item in items:
            if isinstance(item, ReplyEnd):
                return chunks, item
            if isinstance(item, TextChunk):
                chunks.append(item)
    raise AssertionError("the stream ended without ReplyEnd")


async def answer(model: ChatModel, text: str) -> str:
    """The text of the reply to `text`."""
    chunks, _ = await ask(model, question(text))
    return "".join(chunk.text for chunk in chunks)


async def failure(model: ChatModel, text: str) -> ModelError:
    """The error that `text` ends in; the test fails if it ends well."""
    with pytest.raises(ModelError) as caught:
        await ask(model, question(text))
    return caught.value

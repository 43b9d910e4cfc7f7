"""What the server is compared with: an aiohttp handler that makes the same streamed call and stores nothing.

`python -m benchmarks.bare MODEL_URL CLIENT` serves on a free port of the loopback interface until standard input ends.
CLIENT is `openai` (the package as its documentation shows it) or `ours` (`agent.llm.client`, as the server uses it):
with the latter, all that differs from the server is what the server does around the call.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web

#: As the OpenAI API takes them.
Messages = list[Any]
#: Messages in, pieces of text out.
Stream = Callable[[Messages], AsyncIterator[str]]


def make_stream(client: str, base_url: str) -> Stream:
    """The streamed call, through one of the clients."""
    return _openai(base_url) if client == "openai" else _ours(base_url)


def _openai(base_url: str) -> Stream:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)

    async def stream(messages: Messages) -> AsyncIterator[str]:
        chunks = await client.chat.completions.create(
            model="fake-model",
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return stream


def _ours(base_url: str) -> Stream:
    from agent.llm.chat import ChatMessage, ChatRequest, TextChunk
    from agent.llm.client import OpenAIChatModel
    from agent.llm.endpoint import Endpoint

    model = OpenAIChatModel(Endpoint(base_url, model="fake-model"))

    async def stream(messages: Messages) -> AsyncIterator[str]:
        request = ChatRequest(tuple(ChatMessage(m["role"], m["content"]) for m in messages))
        async for item in model.stream(request):
            if isinstance(item, TextChunk):
                yield item.text

    return stream


def make_handler(stream: Stream) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler: messages as JSON in, server-sent events out, one for each piece, as they come."""

    async def ask(request: web.Request) -> web.StreamResponse:
        messages = (await request.json())["messages"]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for text in stream(messages):
            await response.write(b"data: " + json.dumps({"text": text}).encode() + b"\n\n")
        await response.write(b"data: {}\n\n")
        return response

    return ask


async def _serve(stream: Stream) -> None:
    app = web.Application()
    app.router.add_post("/ask", make_handler(stream))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.Event().wait()


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_die_with_parent, daemon=True).start()
    asyncio.run(_serve(make_stream(sys.argv[2], sys.argv[1])))

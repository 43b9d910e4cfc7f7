"""A fake model server whose slots share one processor, as a GPU's do under continuous batching.

It computes in steps. A step reads up to so many tokens of prompts, first come first served, and writes one token for
everyone whose prompt is read; it takes the longer the more there is to do. Times are slept, so it costs no CPU.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

MODEL: Final = "shared"
#: Seconds of a step, on top for each token of a prompt, and for each token that is written: about a 7B model's on one
#: GPU of today.
_STEP, _PER_READ, _PER_WRITTEN = 0.015, 1 / 12_000, 0.0003
#: Tokens of prompts in one step, as vLLM's `max_num_batched_tokens`.
_BUDGET: Final = 2048
#: Characters of a token, near enough for prompts of English words.
_PER_TOKEN: Final = 5


@dataclass(eq=False, slots=True)
class _Slot:
    """One call at work."""

    unread: int
    unwritten: int
    written: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)


class SharedServer:
    """So many slots on one processor; who finds none free waits."""

    def __init__(self, slots: int) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._running: list[_Slot] = []
        self._work = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Listen; gives the address of its API."""
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        # A call that is left ends at once.
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        computing = asyncio.create_task(self._compute())
        try:
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}/v1"
        finally:
            computing.cancel()
            await asyncio.gather(computing, return_exceptions=True)
            await runner.cleanup()

    async def _compute(self) -> None:
        while True:
            await self._work.wait()
            room, read, writing = _BUDGET, 0, list[_Slot]()
            for slot in self._running:
                taken = min(slot.unread, room)
                slot.unread -= taken
                room, read = room - taken, read + taken
                if not slot.unread:
                    writing.append(slot)
            await asyncio.sleep(_STEP + read * _PER_READ + len(writing) * _PER_WRITTEN)
            for slot in writing:
                slot.unwritten -= 1
                slot.written.put_nowait(slot.unwritten <= 0)
            self._running = [slot for slot in self._running if slot.unwritten > 0]
            if not self._running:
                self._work.clear()

    async def _models(self, _request: web.Request) -> web.Response:
        entry = {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": 8192}
        return web.json_response({"object": "list", "data": [entry]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = await request.json()
        characters = sum(len(message["content"]) for message in body["messages"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        slot = _Slot(max(1, characters // _PER_TOKEN), int(body.get("max_tokens") or 64))
        try:
            async with self._slots:
                self._running.append(slot)
                self._work.set()
                await response.prepare(request)
                last = False
                while not last:
                    last = await slot.written.get()
                    choice = {"index": 0, "delta": {"content": "word "}, "finish_reason": "stop" if last else None}
                    await response.write(_event({"model": MODEL, "choices": [choice]}))
            await response.write(b"data: [DONE]\n\n")
        except ConnectionError:
            # Whoever asked is gone.
            return response
        finally:
            if slot in self._running:
                self._running.remove(slot)
        return response


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"

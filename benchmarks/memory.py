"""Memory of an idle server, with a remote model and with the embedded one, before and after its first answer.

After an answer too, because some of what it takes is loaded late. The first start of all is bigger, because it creates
the database, and what that takes stays loaded.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks import system
from benchmarks.figures import Figure, Limit, Result, at_most
from benchmarks.load import PageDoor
from benchmarks.servers import Kagentbot, folder_in
from tests.fakes.llm import FakeLLM

#: MB that a server without the embedded model may take.
LIMIT = at_most(110)
#: Seconds of idleness before memory is read.
IDLE = 5.0
#: Seconds that the embedded model may take to load; a bound, no measure.
_PATIENCE = 120.0


async def measure(quick: bool) -> Result:
    """Read all sizes."""
    idle = 0.1 if quick else IDLE
    load = system.load()
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="kagentbot-bench-") as scratch:
        async with FakeLLM() as model:
            folder = folder_in(scratch, "remote")
            settings = {"OPENAI_BASE_URL": model.base_url, "KAGENTBOT_PROFILE__STYLE": "noagent"}
            async with Kagentbot(folder, settings) as server:
                await asyncio.sleep(idle)
                figures += _sizes("remote model, first start of all", server, LIMIT)
            async with Kagentbot(folder, settings) as server:
                await asyncio.sleep(idle)
                figures += _sizes("remote model", server, LIMIT)
                await _ask(server)
                await asyncio.sleep(idle)
                figures += _sizes("remote model, after an answer", server, LIMIT)
        async with Kagentbot(folder_in(scratch, "embedded"), {"KAGENTBOT_PROFILE__STYLE": "noagent"}) as server:
            await _model_ready(server)
            await asyncio.sleep(idle)
            figures += _sizes("embedded model", server)
            await _ask(server)
            await asyncio.sleep(idle)
            figures += _sizes("embedded model, after an answer", server)
    return Result(figures, {"load": load})


def _sizes(when: str, server: Kagentbot, limit: Limit | None = None) -> list[Figure]:
    """The server's size and, if it has started the model, the model's."""
    rss, pss = system.memory(server.pid)
    figures = [Figure(f"server, {when}: RSS", rss, "MB", limit), Figure(f"server, {when}: PSS", pss, "MB")]
    for child in system.children(server.pid):
        rss, pss = system.memory(child)
        figures += [Figure(f"model's process, {when}: RSS", rss, "MB")]
        figures += [Figure(f"model's process, {when}: PSS", pss, "MB")]
    return figures


async def _ask(server: Kagentbot) -> None:
    async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        await PageDoor(session, server.url, stack).open()


async def _model_ready(server: Kagentbot) -> None:
    async with aiohttp.ClientSession(raise_for_status=True) as session, asyncio.timeout(_PATIENCE):
        while True:
            async with session.get(f"{server.url}/api/v1/info") as response:
                model = (await response.json())["model"]
            if model["state"] == "ok":
                return
            if model["state"] == "down":
                raise RuntimeError(f"the embedded model doesn't run: {model['detail']}")
            await asyncio.sleep(0.1)

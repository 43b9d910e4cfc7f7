"""`python -m benchmarks.slack_servers WHICH`: what the Slack benchmark measures, each in a process of its own.

- `bare`: a bolt app as its documentation shows it, with one shared session: a mention is answered with one post.
- `ours`: the server with its Slack adapter, as its settings (environment) say.
- `idle-turns`: the same with an agent that never says anything, so that what is measured ends with the first sign.
- `busy`: the same as `ours`, and a background job that always has as many calls of the model under way as fit.

Settings come from the environment. The port is printed as JSON; it ends with its standard input. Budgets are wider than
Slack's limits, because a benchmark is denser than a workspace; the fake's limits are as wide.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp

from benchmarks.slack_limits import WIDER


async def bare() -> int:
    """The app to compare with; its port."""
    from aiohttp import web
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    session = aiohttp.ClientSession()
    client = AsyncWebClient(
        token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["KAGENTBOT_SLACK__API_URL"], session=session
    )
    app = AsyncApp(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"])

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="…")

    @app.event("message")
    async def said(event: dict[str, Any]) -> None:
        pass

    runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])


async def ours(which: str) -> int:
    """The server; its port."""
    from adapters.slack import limits
    from bot.app import App, slack_adapter
    from bot.budget import Rate
    from bot.settings import load

    rate_of = limits.rate_of

    def wider(key: str) -> Rate:
        rate = rate_of(key)
        return Rate(rate.per_minute * WIDER, rate.burst * WIDER, rate.reserve * WIDER)

    limits.rate_of = wider
    app = App(load(), [slack_adapter], bind=silent if which == "idle-turns" else None)
    address = await app.start()
    if which == "busy":
        _KEPT.extend(asyncio.create_task(calls(app.endpoints.pool)) for _ in range(int(os.environ["BENCH_SLOTS"])))
    return address.port


_KEPT: list[asyncio.Task[None]] = []


def silent(pool: Any) -> Any:
    """An agent that works for ever and says nothing."""

    async def run(task: Any, journal: Any, owner: str) -> AsyncGenerator[Any, None]:
        await asyncio.Event().wait()
        yield

    return run


async def calls(pool: Any) -> None:
    """One call of the model after the other, as a background job makes them."""
    from agent.llm.chat import ChatMessage, ChatRequest, Priority

    async def prepare(model: Any) -> ChatRequest:
        return ChatRequest((ChatMessage("user", "Write something long."),))

    while True:
        async for _ in pool.stream(prepare, owner="job", priority=Priority.BACKGROUND):
            pass


async def main(which: str) -> None:
    port = await (bare() if which == "bare" else ours(which))
    print(json.dumps({"port": port}), flush=True)
    await asyncio.Event().wait()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(main(sys.argv[1]))

"""A connection to the fake Slack with listeners that only write down what arrives."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.app.async_app import AsyncApp

from adapters.chat.tasks import Tasks
from adapters.slack.connection.connection import SlackConnection, open_connection
from adapters.slack.connection.farewell import Farewell
from agent.clock import Clock, SystemClock
from bot.ports import Health
from bot.secrets import Secrets
from bot.settings import Settings, load
from bot.store.db import Store
from bot.web.access import Access
from bot.web.server import build_app
from tests.fakes.slack import FakeSlack


class Heard:
    """What came through bolt's middleware."""

    def __init__(self) -> None:
        self._news = asyncio.Condition()
        self.bodies: list[dict[str, Any]] = []
        #: While it is not set, nothing gets through.
        self.open = asyncio.Event()
        self.open.set()
        self.entered = asyncio.Event()
        self.teams: list[str | None] = []

    def register(self, app: AsyncApp) -> None:
        """The connection's `register`."""

        @app.middleware
        async def record(body: dict[str, Any], context: Any, next: Callable[[], Any]) -> None:  # noqa: A002
            self.entered.set()
            await self.open.wait()
            self.bodies.append(body)
            self.teams.append(context.get("bot_user_id"))
            async with self._news:
                self._news.notify_all()
            await next()

        @app.event(re.compile(".*"))
        async def anything() -> None:
            """Only so that it is acked."""

    async def until(self, text: str) -> None:
        """Wait for a mention with this in it."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: any(text in said for said in self.texts()))

    def texts(self) -> list[str]:
        """Of the mentions."""
        events = [body["event"] for body in self.bodies if body.get("type") == "event_callback"]
        return [event["text"] for event in events if event["type"] == "app_mention"]


def settings_for(slack: FakeSlack, folder: Path, **more: str) -> Settings:
    """Settings that lead to the fake; `more` are variables."""
    return load(
        environ={
            "HOME": str(folder),
            "KAGENTBOT_SLACK__API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            **more,
        }
    )


def connection_of(settings: Settings, store: Store, clock: Clock | None = None) -> SlackConnection:
    """The connection with secrets in the settings' folder."""
    return open_connection(settings, store, Secrets((), settings.data_dir), clock or SystemClock())


@contextlib.asynccontextmanager
async def connected(connection: SlackConnection, heard: Heard, port: int | None = None) -> AsyncIterator[str]:
    """The connection from start to stop, with its routes served; the address."""
    tasks = Tasks()

    def register(app: AsyncApp) -> None:
        Farewell(connection.clients, tasks).register(app)
        heard.register(app)

    await connection.start(register)
    table = connection.routes()
    server = TestServer(build_app([table] if table is not None else [web.RouteTableDef()], Access(None)), port=port)
    await server.start_server()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await connection.stop()
        await tasks.close()
        await connection.clients.close()
        await server.close()


async def until_health(connection: SlackConnection, holds: Callable[[Health], bool]) -> Health:
    """Wait until the health is like this."""
    async with asyncio.timeout(15):
        while not holds(health := connection.health()):  # noqa: ASYNC110 - health is asked for, it tells nobody
            await asyncio.sleep(0.01)
    return health

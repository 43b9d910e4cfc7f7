"""The fake Slack's Web API in the test's own process, for tests of its rules: real sockets, a clock that the test
moves, and whatever Slack would have sent to the app in a list."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.envelope import Envelope
from tests.fakes.slack.faults import FaultPlan, Scripted
from tests.fakes.slack.prepared import ALICE, BOT_TOKEN, C1, T1, prepare
from tests.fakes.slack.state import Slack
from tests.fakes.slack.web import Web

Body = dict[str, Any]


class Desk:
    """A fake Slack that is being served, and its app's client."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.sent: list[Envelope] = []
        self.later = 0.0
        self.slack = Slack(self.sent.append, clock=lambda: time.time() + self.later)
        prepare(self.slack)
        self.plan = FaultPlan(1)

    def client(self, token: str = BOT_TOKEN) -> AsyncWebClient:
        """slack_sdk's client, without retries of its own."""
        return AsyncWebClient(
            token=token, base_url=f"{self.slack.origin}/api/", session=self.session, retry_handlers=[], timeout=5
        )

    @property
    def app(self) -> AsyncWebClient:
        """The client with the bot's token."""
        return self.client()

    def set(self, **changes: Any) -> None:
        """Change the fake's settings."""
        self.slack.config = self.slack.config.changed(changes)

    def script(self, method: str, fault: str, **more: Any) -> None:
        """Let the next call of a method go wrong."""
        self.plan.script(Scripted(method=method, fault=fault, **more))

    def said(self, text: str = "question", *, channel: str = C1, user: str = ALICE, **more: Any) -> str:
        """Somebody writes; the ts."""
        return self.slack.say(more.pop("team", T1), channel, user, text, **more).ts

    def events(self, kind: str = "", subtype: str | None = None) -> list[Body]:
        """The events that were sent so far, of one type and subtype if asked."""
        found = [envelope.payload["event"] for envelope in self.sent if envelope.kind == "events_api"]
        if kind:
            found = [event for event in found if event["type"] == kind]
        return found if subtype is None else [event for event in found if event.get("subtype", "") == subtype]

    def calls(self) -> list[Body]:
        """The log's entries about calls."""
        return [entry for entry in self.slack.log.entries if entry["kind"] == "call"]


async def refused(call: Any) -> Body:
    """The body of a refusal; anything else fails the test."""
    try:
        answer = await call
    except SlackApiError as error:
        body: Body = error.response.data
        return body
    raise AssertionError(f"not refused: {answer.data}")


async def error_of(call: Any) -> str:
    """Slack's word for why it refused."""
    return str((await refused(call))["error"])


@asynccontextmanager
async def slack_web() -> AsyncIterator[Desk]:
    """Serve a fake on loopback."""
    async with aiohttp.ClientSession() as session:
        desk = Desk(session)
        app = web.Application()
        Web(desk.slack, desk.plan).routes(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            desk.slack.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield desk
        finally:
            await runner.cleanup()

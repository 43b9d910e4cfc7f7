"""Slack's inbound side on the fake Slack, with a real inbox behind it and nobody who answers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.app.async_app import AsyncApp

from adapters.slack.inbound import SlackInbound
from adapters.slack.listen import Listener, accept_the_rest, listen
from adapters.slack.tasks import Tasks
from bot.messages import Accepted, Event
from bot.ports import Receive
from bot.store.db import Store
from bot.web.access import Access
from bot.web.server import build_app
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.deliver import Mode
from tests.support.desk import Desk
from tests.support.slack_connection import connection_of, settings_for

NAMES = {"UBOB": "Bob Stone"}


class Mail:
    """An inbox that also keeps what it is handed."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.events: list[Event] = []

    async def receive(self, event: Event) -> Accepted:
        self.events.append(event)
        return await self._receive(event)


class Listening:
    """What listens, and what it heard."""

    def __init__(self, slack: FakeSlack, desk: Desk, mail: Mail, inbound: SlackInbound, tasks: Tasks) -> None:
        self.slack = slack
        self.desk = desk
        self.mail = mail
        self.inbound = inbound
        self.tasks = tasks

    async def settled(self) -> list[Event]:
        """Everything that was handed on, once Slack has no delivery under way and nothing runs here."""
        assert await self.slack.quiesce() == []
        await self.tasks.idle()
        return self.mail.events


def bare(app: AsyncApp, listener: Listener) -> None:
    """Messages and Stop alone."""
    listen(app, listener)
    accept_the_rest(app)


@contextlib.asynccontextmanager
async def listening(
    slack: FakeSlack,
    store: Store,
    folder: Path,
    mode: Mode,
    *,
    receive: Receive | None = None,
    register: Callable[..., Any] = bare,
    **variables: str,
) -> AsyncIterator[Listening]:
    """The inbound side from start to stop. `receive` takes the inbox's place."""
    desk, tasks = Desk(store), Tasks()
    mail = Mail(receive or desk.inbox.receive)
    connection = connection_of(
        settings_for(
            slack, folder, KAGENTBOT_SLACK__MODE=mode, KAGENTBOT_SLACK__SOCKETS="1", **_public(mode), **variables
        ),
        store,
    )
    listener = Listener(
        connection.clients, desk.control, tasks, name="kagent", name_of=lambda _, user: NAMES.get(user, "")
    )
    inbound = SlackInbound(connection, listener, lambda app: register(app, listener), tasks)
    await inbound.start(mail.receive)
    server = await serve(inbound.routes())
    try:
        await meet(slack, mode, server)
        yield Listening(slack, desk, mail, inbound, tasks)
    finally:
        await inbound.stop()
        await connection.clients.close()
        await server.close()


def _public(mode: Mode) -> dict[str, str]:
    return {"KAGENTBOT_SLACK__PUBLIC_URL": "https://bot.example.org"} if mode == "http" else {}


async def serve(routes: web.RouteTableDef | None) -> TestServer:
    """A web server with these routes."""
    server = TestServer(build_app([routes] if routes is not None else [web.RouteTableDef()], Access(None)))
    await server.start_server()
    return server


async def meet(slack: FakeSlack, mode: Mode, server: TestServer) -> None:
    """Tell the fake where the app is, and wait until events can arrive."""
    await slack.app(mode=mode, url=f"http://127.0.0.1:{server.port}/slack/events")
    if mode == "socket":
        await slack.until_connected(1)

"""Slack's inbound side on the fake Slack, with a real inbox behind it and nobody who answers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.chat.behind import Behind
from adapters.slack.asking.persons import person_of
from adapters.slack.connection.clients import Clients
from adapters.slack.inbound import SlackInbound
from adapters.slack.replying.look import Look
from agent.profile import Profile
from agent.tools.builtin import builtin_tools
from bot.invocation import CommandReply, Invocation
from bot.messages import Accepted, Event, Person
from bot.people import People
from bot.ports import Receive
from bot.present import tool_titles
from bot.profiles import Profiles
from bot.store import steps
from bot.store.db import Store
from bot.web.access import Access
from bot.web.server import build_app
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.harness import Said
from tests.fakes.slack.replay import BotMessage
from tests.support.desk import Desk
from tests.support.slack_connection import connection_of, settings_for


class Mail:
    """An inbox that also keeps what it is handed."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.events: list[Event] = []

    async def receive(self, event: Event) -> Accepted:
        self.events.append(event)
        return await self._receive(event)


class Knower:
    """The outbound side, as far as it knows people."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def person(self, workspace: str, user_id: str) -> Person:
        api = await self._clients.api(workspace)
        answer = await api.call("users.info", user=user_id, include_locale=True)
        return person_of(answer["user"], api.identity)


class Orders:
    """Commands that a test answers."""

    def __init__(self) -> None:
        self.given: list[Invocation] = []
        self.reply = CommandReply("Done.")

    async def run(self, invocation: Invocation) -> CommandReply:
        self.given.append(invocation)
        return self.reply

    async def bench(self, invocation: Invocation) -> CommandReply:
        self.given.append(invocation)
        return CommandReply("not set up")


class Listening:
    """What listens, and what it heard."""

    def __init__(
        self,
        slack: FakeSlack,
        desk: Desk,
        mail: Mail,
        inbound: SlackInbound,
        behind: Behind,
        clients: Clients,
        operators: set[str],
    ) -> None:
        self.slack = slack
        self.desk = desk
        self.mail = mail
        self.inbound = inbound
        self.profiles = behind.profiles
        self.orders = behind.commands
        self.clients = clients
        #: Ids of people who may do everything; may be changed.
        self.operators = operators

    async def settled(self) -> list[Event]:
        """Everything that was handed on, once Slack has no delivery under way and nothing runs here."""
        assert await self.slack.quiesce() == []
        await self.inbound.tasks.idle()
        return self.mail.events

    async def turn(self, said: Said) -> int:
        """The turn of a message."""
        await self.settled()
        stored = {row.message_id: row.turn_id for row in await self.desk.messages()}
        return int(stored[said.ts])

    async def post(self, said: Said, look: Look) -> BotMessage:
        """A message of ours in somebody's thread."""
        api = await self.clients.api("T1")
        made = await api.call("chat.postMessage", channel=said.channel, thread_ts=said.thread, **look.content)
        name = f"{said.channel}/{made['ts']}"
        return (await self.slack.replay()).bots[name]

    async def journal(self, turn_id: int, key: str, detail: Any, result: Any) -> None:
        """A finished step of a turn."""
        now = self.desk.clock.now()
        await self.desk.store.write(lambda c: steps.insert_done(c, turn_id, key, detail, result, 1, now))


@contextlib.asynccontextmanager
async def listening(
    slack: FakeSlack,
    store: Store,
    folder: Path,
    mode: Mode,
    *,
    receive: Receive | None = None,
    **variables: str,
) -> AsyncIterator[Listening]:
    """The inbound side from start to stop. `receive` takes the inbox's place."""
    desk = Desk(store)
    mail = Mail(receive or desk.inbox.receive)
    public = {"KAGENTBOT_SLACK__PUBLIC_URL": "https://bot.example.org"} if mode == "http" else {}
    of_mode = {"KAGENTBOT_SLACK__MODE": mode, "KAGENTBOT_SLACK__SOCKETS": "1", **public}
    connection = connection_of(settings_for(slack, folder, **of_mode, **variables), store)
    operators: set[str] = set()
    people = People(store, desk.clock, {"slack": Knower(connection.clients)}, lambda _p, _w, user: user in operators)
    tools = builtin_tools()
    behind = Behind(
        store=store,
        control=desk.control,
        people=people,
        profiles=Profiles(store, desk.clock, Profile(agent_name="kagent"), tools, models=lambda: ("small", "big")),
        commands=Orders(),
        titles=tool_titles(tools),
        models=lambda: ("small", "big"),
        name="kagent",
        lang="en",
    )
    inbound = SlackInbound(connection, behind)
    await inbound.start(mail.receive)
    server = await serve(inbound.routes())
    try:
        await meet(slack, mode, server)
        yield Listening(slack, desk, mail, inbound, behind, connection.clients, operators)
    finally:
        await inbound.stop()
        await people.stop()
        await connection.clients.close()
        await server.close()


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

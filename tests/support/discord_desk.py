"""The fake Discord's REST API in the test's own process, for tests of its rules: real sockets, a clock that the test
moves, and the events that the app would have been told of in a list."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from unittest import mock

import aiohttp
import discord
from aiohttp import web
from discord.http import Route

from tests.fakes.discord import server
from tests.fakes.discord.events import Event
from tests.fakes.discord.faults import FaultPlan, Scripted
from tests.fakes.discord.prepared import ALICE, BOT_TOKEN, GENERAL, LIGHTHOUSE, application, prepare
from tests.fakes.discord.state import Discord
from tests.fakes.discord.web import BASE, Web
from tests.fakes.discord.world import COMMAND, Channel, Interaction, Message, Overwrite

Body = dict[str, Any]

#: A row with one button, and the button.
BUTTON = {"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"}
ROW = {"type": 1, "components": [BUTTON]}


class Reply(NamedTuple):
    """What Discord answered."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> int:
        """Discord's word for why it refused."""
        return int(self.body["code"]) if isinstance(self.body, dict) else 0

    @property
    def refusal(self) -> tuple[int, int]:
        """Status and code."""
        return self.status, self.code


class Desk:
    """A fake Discord that is being served, and how its app asks it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.told: list[Event] = []
        self.discord = Discord(application())
        prepare(self.discord)
        self.discord.events.subscribe(self.told.append)
        self.plan = FaultPlan(1)
        self.set(limits=False)

    # Asking.

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = BOT_TOKEN,
        files: dict[str, bytes] | None = None,
        **query: Any,
    ) -> Reply:
        """One call, as the bot unless `token` says otherwise; with files, as a form."""
        headers = {"Authorization": f"Bot {token}"} if token is not None else {}
        sent: dict[str, Any] = {}
        if files is not None:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(body or {}), content_type="application/json")
            for number, (name, content) in enumerate(files.items()):
                form.add_field(f"files[{number}]", content, filename=name, content_type="application/octet-stream")
            sent["data"] = form
        elif body is not None:
            sent["json"] = body
        url = f"{self.discord.origin}{BASE}{path}"
        async with self.session.request(method, url, headers=headers, params=query, **sent) as response:
            raw = await response.read()
            parsed = json.loads(raw) if response.content_type == "application/json" else raw.decode()
            return Reply(response.status, parsed, response.headers)

    async def post(self, text: str = "hello", *, channel: str = GENERAL, **more: Any) -> Reply:
        """The bot writes."""
        return await self.ask("POST", f"/channels/{channel}/messages", {"content": text, **more})

    async def posted(self, text: str = "hello", *, channel: str = GENERAL, **more: Any) -> Body:
        """The message that the bot has written."""
        reply = await self.post(text, channel=channel, **more)
        assert reply.status == 200, reply
        body: Body = reply.body
        return body

    async def edit(self, message: Body, **body: Any) -> Reply:
        """The bot changes a message."""
        return await self.ask("PATCH", f"/channels/{message['channel_id']}/messages/{message['id']}", body)

    async def open_thread(self, message: str, *, channel: str = GENERAL, **body: Any) -> Reply:
        """The bot opens a thread from a message."""
        return await self.ask("POST", f"/channels/{channel}/messages/{message}/threads", {"name": "thread", **body})

    async def listed(self, channel: str = GENERAL, **query: Any) -> list[str]:
        """The ids of a channel's messages as a list gives them."""
        reply = await self.ask("GET", f"/channels/{channel}/messages", **query)
        assert reply.status == 200, reply
        return [message["id"] for message in reply.body]

    async def callback(self, interaction: Interaction, kind: int, data: Body | None = None, **query: Any) -> Reply:
        """The first answer to an interaction."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        return await self.ask("POST", path, {"type": kind, "data": data or {}}, token=None, **query)

    async def hook(self, method: str, interaction: Interaction, message: str = "", body: Body | None = None) -> Reply:
        """What an interaction's token is good for: followups, and its messages."""
        path = f"/webhooks/{self.discord.app.id}/{interaction.token}"
        return await self.ask(method, path + (f"/messages/{message}" if message else ""), body, token=None)

    # What happens.

    def set(self, **changes: Any) -> None:
        """Change the fake's settings."""
        self.discord.config = self.discord.config.changed(changes)

    def script(self, route: str, fault: str, **more: Any) -> None:
        """Let the next call of a route go wrong."""
        self.plan.script(Scripted(route=route, fault=fault, **more))

    def said(
        self, text: str = "question", *, channel: str = GENERAL, user: str = ALICE, at: float | None = None, **more: Any
    ) -> Message:
        """Somebody writes."""
        message = Message(self.discord.clock.snowflake(at), channel, user, text, **more)
        self.discord.add(message)
        self.discord.announce(message)
        return message

    def thread(self, *, owner: str = ALICE, channel: str = GENERAL) -> Channel:
        """Somebody opens a thread from a message of theirs."""
        message = self.said(channel=channel, user=owner)
        return self.discord.open_thread(self.discord.channels[channel], owner, "thread", message=message)

    def command(self, *, channel: str = GENERAL, user: str = ALICE, kind: int = COMMAND, **more: Any) -> Interaction:
        """Somebody types a command."""
        return self.discord.interact(kind, user, channel, {"name": "kagent", "type": 1}, **more)

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.discord.clock.advance(seconds)

    def deny(self, bits: int, *, channel: str = GENERAL) -> None:
        """Take permissions from the bot in a channel."""
        bot = self.discord.app.id
        self.discord.channels[channel].overwrites[bot] = Overwrite(bot, 1, deny=bits)

    def allow(self, bits: int) -> None:
        """Give the bot's role more permissions."""
        for role in self.discord.guilds[LIGHTHOUSE].roles.values():
            if role.bot_id:
                role.permissions |= bits

    # Looking.

    def events(self, kind: str = "") -> list[Body]:
        """The events that were told of so far, of one type if asked."""
        return [event.data for event in self.told if kind in ("", event.type)]

    def calls(self) -> list[Body]:
        """The log's entries about calls."""
        return [entry for entry in self.discord.log.entries if entry["kind"] == "call"]

    @property
    def last(self) -> Body:
        """The last call."""
        return self.calls()[-1]

    @property
    def pings(self) -> list[str]:
        """Whom the last call rang."""
        return list(self.last["pings"])

    def shown(self, message: Body) -> Message:
        """The message as it is."""
        return self.discord.messages[message["id"]]


@asynccontextmanager
async def discord_desk() -> AsyncIterator[Desk]:
    """Serve a fake on loopback."""
    async with aiohttp.ClientSession() as session:
        desk = Desk(session)
        runner = web.AppRunner(
            server.application([Web(desk.discord, desk.plan).routes]), access_log=None, shutdown_timeout=0.1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            desk.discord.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield desk
        finally:
            await runner.cleanup()


@asynccontextmanager
async def real_client(desk: Desk, **options: Any) -> AsyncIterator[discord.Client]:
    """discord.py's own client, logged in, without a gateway."""
    with mock.patch.object(Route, "BASE", f"{desk.discord.origin}{BASE}"):
        client = discord.Client(intents=discord.Intents.none(), **options)
        try:
            await client.login(BOT_TOKEN)
            yield client
        finally:
            await client.close()

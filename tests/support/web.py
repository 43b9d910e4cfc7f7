"""The web platform in the test's own process: real sockets, store, dispatcher and turns; a scripted agent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiohttp import ClientResponse, ClientSession, ClientTimeout, web

from adapters.web.admin import Desk
from adapters.web.inbound import WebInbound
from adapters.web.outbound import WebOutbound
from adapters.web.present import PLATFORM
from adapters.web.reads import About, ModelState
from agent.clock import SystemClock
from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal
from agent.language import Lang, Text
from agent.profile import Profile
from agent.task import Task
from agent.tools.builtin import builtin_tools
from bot.bench.beginning import Beginning
from bot.bench.console import Console
from bot.bench.drawing import Drawing
from bot.bench.human import Human
from bot.control import Control
from bot.dispatch.claim import Claim
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.lease import LEASE_SECONDS
from bot.endpoints import EndpointDraft, EndpointError, EndpointView, TestLine, TestReport
from bot.erasure import Erasure
from bot.inbox import Inbox, Rules
from bot.live import Live
from bot.messages import Author
from bot.ports import Health
from bot.profiles import Profiles
from bot.store.db import Store
from bot.turns import TurnRunner
from bot.web.health import Check
from bot.web.server import WebOptions, WebServer
from evals.library import Library
from tests.support.server import Script, echo, until

Json = dict[str, Any]
LIVE = ("queued", "running", "waiting")


class Gate:
    """An agent that says what it is told to say, when it is told to."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[AgentEvent | BaseException] = asyncio.Queue()
        self.asked: list[str] = []

    def say(self, *events: AgentEvent | BaseException) -> None:
        """Let the agent yield these; an exception is raised."""
        for event in events:
            self._events.put_nowait(event)

    def answer(self, text: str) -> None:
        """Let the agent answer at once."""
        self.say(TextDelta(text), Finished(text))

    async def __call__(self, task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        self.asked.append(task.question)
        while True:
            event = await self._events.get()
            if isinstance(event, BaseException):
                raise event
            yield event
            if isinstance(event, Finished):
                return


class Client:
    """A browser's tab, or a program, as far as the API sees it."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Json:
        """The JSON of an answer that must be a success ({} for an empty one)."""
        status, found = await self.ask(method, path, body, **more)
        assert status < 300, (status, found)
        return found

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Json]:
        """Status and JSON of any answer."""
        if body is not None:
            more["json"] = body
        async with self.session.request(method, path, **more) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else {}

    async def send(self, text: str, conversation: str | None = None, message_id: str | None = None) -> Json:
        """Post a message."""
        body = {"conversation": conversation, "message_id": message_id or str(uuid4()), "text": text}
        return await self.call("POST", "/api/v1/messages", body)

    async def turn(self, turn_id: int) -> Json:
        return await self.call("GET", f"/api/v1/turns/{turn_id}")

    async def finished(self, turn_id: int) -> Json:
        """The turn, once it is over."""
        return await self.turn_when(turn_id, lambda turn: turn["state"] not in LIVE)

    async def turn_when(self, turn_id: int, check: Callable[[Json], bool]) -> Json:
        """The turn, once it looks like this."""
        found: Json = {}

        async def looks_like_this() -> bool:
            found.update(await self.turn(turn_id))
            return check(found)

        await until(looks_like_this)
        return found

    @asynccontextmanager
    async def events(self, conversation: str) -> AsyncIterator[Events]:
        """The event stream of a conversation."""
        path = f"/api/v1/conversations/{conversation}/events"
        async with self.session.get(path, timeout=ClientTimeout(total=None)) as response:
            assert response.status == 200, await response.text()
            yield Events(response)


class Events:
    """An open event stream."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def __aiter__(self) -> AsyncIterator[Json]:
        name = ""
        async for raw in self.response.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                assert name == "turn"
                yield json.loads(line.removeprefix("data: "))

    async def until(self, check: Callable[[Json], bool]) -> Json:
        """The first picture that looks like this."""
        async with asyncio.timeout(20):
            async for turn in self:
                if check(turn):
                    return turn
        raise AssertionError("the stream ended")


class FakeEndpoints:
    """`bot.endpoints.Endpoints` without any server behind it."""

    def __init__(self) -> None:
        self.saved: dict[str, EndpointDraft] = {}
        self.removed: dict[str, EndpointDraft] = {}
        self.tested: list[EndpointDraft] = []

    def list(self, lang: Lang) -> list[EndpointView]:
        return [_endpoint_view(draft) for draft in self.saved.values()]

    async def test(self, draft: EndpointDraft, lang: Lang) -> TestReport:
        self._check(draft)
        self.tested.append(draft)
        reached = Text("It answers.", "可以连接。").say(lang)
        return TestReport((TestLine("reach", "ok", reached),), ("tiny", "large"), ok=True)

    async def save(self, draft: EndpointDraft, author: Author, lang: Lang = "en") -> EndpointView:
        self._check(draft)
        self.saved[draft.name] = draft
        return _endpoint_view(draft)

    async def remove(self, name: str, author: Author) -> None:
        if name not in self.saved:
            raise EndpointError("", Text("There is no such endpoint.", "没有这个端点。"))
        self.removed[name] = self.saved.pop(name)

    async def restore(self, name: str, author: Author, lang: Lang = "en") -> EndpointView:
        self.saved[name] = self.removed.pop(name)
        return _endpoint_view(self.saved[name])

    def _check(self, draft: EndpointDraft) -> None:
        if not draft.base_url.startswith("http"):
            raise EndpointError("base_url", Text("The address begins with http.", "地址以 http 开头。"))


def _endpoint_view(draft: EndpointDraft) -> EndpointView:
    return EndpointView(
        name=draft.name,
        host="127.0.0.1:1",
        model=draft.model,
        source="page",
        priority=draft.priority,
        slots=draft.slots,
        chat_format=draft.chat_format,
        health=Health("ok"),
        context_tokens=draft.context_tokens,
        structured="json_schema",
        reasoning=False,
        sees=None,
        tokenizer=True,
        demo=False,
        removable=True,
    )


class Site:
    """One server with the web platform."""

    def __init__(
        self,
        store: Store,
        script: Script = echo,
        *,
        options: WebOptions | None = None,
        checks: Sequence[Check] | None = None,
        max_chars: int = 1000,
        profile: Profile | None = None,
        routes: Sequence[web.RouteTableDef] = (),
        live: Live | None = None,
        name: str = "one",
    ) -> None:
        self.store = store
        self.clock = SystemClock()
        # Two sites that share none are two processes.
        self.live = live or Live()
        claim = Claim(
            name, timedelta(seconds=LEASE_SECONDS), ZoneInfo("UTC"), profile or Profile(), timedelta(seconds=60)
        )
        self.outbound = WebOutbound(self.live, self.clock)
        self.dispatcher = Dispatcher(
            store=store,
            clock=self.clock,
            claim=claim,
            runner=TurnRunner(store, self.clock, script, {PLATFORM: self.outbound}, max_chars),
            live=self.live,
            platforms=(PLATFORM,),
            most_turns=8,
        )
        self.inbox = Inbox(store, self.clock, self.dispatcher, self.live, Rules(max_chars))
        self.control = Control(store, self.clock, self.dispatcher, self.live)
        self.model = ModelState("small", True, Health("ok"))
        about = About(
            name="kagentbot",
            version="0.0",
            model=lambda _: self.model,
            titles={"time_delta": Text("Time delta", "时间差工具")},
            questions=[("en", "How many days?"), ("zh", "多少天？")],
            max_message_chars=max_chars,
        )
        self.endpoints = FakeEndpoints()
        self.data = TemporaryDirectory()
        library = Library(Path(self.data.name))
        self.human = Human.of(store, self.clock, library, (PLATFORM,))
        beginning = Beginning(store, self.clock, library, self.endpoints.list, {}, lambda: None)
        desk = Desk(
            Profiles(store, self.clock, profile or Profile(), builtin_tools()),
            self.endpoints,
            Erasure(store, self.clock, self.dispatcher, self.live),
            Console(beginning, Drawing()),
            self.human,
        )
        self.inbound = WebInbound(store, self.control, self.live, self.clock, about, desk)
        found = [Check("web", self.inbound.health)] if checks is None else list(checks)
        self.server = WebServer(options or WebOptions(port=0), [self.inbound.routes(), *routes], found)
        self.url = ""
        self.token: str | None = None
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Site:
        await self.dispatcher.start()
        await self.inbound.start(self.inbox.receive)
        address = await self.server.start()
        self.url, self.token = f"http://127.0.0.1:{address.port}", address.token
        self._session = ClientSession(self.url, headers={"X-Kagentbot": "1"})
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        await self.inbound.stop()
        await self.dispatcher.stop(grace=0)
        await self.server.stop()
        self.data.cleanup()

    @property
    def client(self) -> Client:
        """A client with our page's header."""
        assert self._session is not None
        return Client(self._session)

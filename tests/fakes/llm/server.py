"""The fake's sockets: a small HTTP/1.1 server on bare asyncio, so that it costs next to nothing."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.llm import directives, plans, prompt, refusals, script, side, wire
from tests.fakes.llm.answer import Answer
from tests.fakes.llm.config import Config
from tests.fakes.llm.log import Log
from tests.fakes.llm.turn import NoTurns, Slots, Turns

_CHAT, _COMPLETIONS = "/v1/chat/completions", "/v1/completions"


class Server:
    """State that all connections share."""

    def __init__(self, config: Config, log: Log) -> None:
        self.config = config
        self.log = log
        self.turns = _turns(config)
        self._chance = random.Random(1)
        self.prefix = f"{os.getpid():x}"
        self.calls = 0
        #: Planning calls by question.
        self._planned: Counter[str] = Counter()
        #: The last plans that can't be carried out, as text.
        self.unusable: deque[str] = deque(maxlen=200)

    def connection(self) -> Connection:
        return Connection(self)

    def next_id(self) -> str:
        self.calls += 1
        return f"chatcmpl-{self.prefix}-{self.calls}"

    def script_for(self, request: script.Request) -> script.Script:
        """The play for a request. Raises `ValueError`."""
        found = self._directives_for(request)
        key = plans.key(request.asked)
        earlier = self._planned[key]
        self._planned[key] += request.purpose == "plan"
        play = script.write(request, self._pace(), found, earlier)
        if play.unusable:
            self.unusable.append(play.said("content"))
        return play

    def _pace(self) -> script.Pace:
        pace, spread = self.config.pace, self.config.spread
        return replace(pace, first=pace.first * self._chance.uniform(1 - spread, 1 + spread)) if spread else pace

    def _directives_for(self, request: script.Request) -> Mapping[str, str]:
        """Those in the question; else those set by `/control`, which count down."""
        found = directives.parse(request.asked)
        config = self.config
        if request.purpose == "trial" and config.directives.get("when") != "trial":
            return {}
        if found or not config.directives or config.times == 0:
            return script.meant_for(request, found, "answer")
        if config.times is not None:
            config.times -= 1
        return script.meant_for(request, config.directives, "all")


def _turns(config: Config) -> Turns:
    if config.kind.one_context:
        return Turns()
    return NoTurns() if config.slots is None else Slots(config.slots, config.queue)


class Connection(asyncio.Protocol):
    """One client connection; one request at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = bytearray()
        self._answer: Answer | None = None
        #: A question that waits for its turn.
        self._waits: Callable[[], None] | None = None
        self._last = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.abandon()
        if self._waits is not None:
            self._server.turns.withdraw(self._waits)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._answer is None and self._waits is None:
            self._next_request()

    def _next_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(self._buffer) < end + 4 + length:
            return
        self._last = headers.get("connection") == "close"
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        self._route(method, urlsplit(target).path, headers, body)

    def _route(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> None:
        config = self._server.config
        if path == "/control":
            return self._control(json.loads(content))
        health = side.health(config) if path == "/health" else None
        if health is not None:
            return self._reply(health)
        if config.api_key and headers.get("authorization") != f"Bearer {config.api_key}":
            sent = headers.get("authorization", "").removeprefix("Bearer ")
            return self._reply(refusals.unauthorized(config.kind, sent))
        body = json.loads(content) if content else {}
        if (method, path) == ("POST", _CHAT) or ((method, path) == ("POST", _COMPLETIONS) and config.kind.completions):
            return self._call(headers, {**body, "messages": body.get("messages") or []} if path == _CHAT else body)
        answer = side.answer(config, method, path, body)
        if answer is None:
            return self._reply(refusals.not_found(config.kind, path))
        self._ask(answer)

    def _control(self, wanted: Mapping[str, Any]) -> None:
        turns = self._server.turns
        if "directives" in wanted:
            self._server.config.directives = directives.parse(wanted["directives"])
            self._server.config.times = wanted.get("times")
        if "slots" in wanted and isinstance(turns, Slots):
            turns.resize(wanted["slots"])
        self._reply(wire.whole_json(200, {}))

    def _ask(self, answer: bytes) -> None:
        """Reply to a question, which needs the context, too, where there is one only (seen: also `/v1/models`)."""
        turns = self._server.turns
        if not self._server.config.kind.one_context:
            return self._reply(answer)

        def go() -> None:
            self._waits = None
            self._reply(answer)
            turns.leave()

        self._waits = go
        turns.enter(go)

    def _call(self, headers: Mapping[str, str], body: dict[str, Any]) -> None:
        server, config = self._server, self._server.config
        call_id = server.next_id()
        purpose, play, wrong = "", None, ""
        try:
            request = script.read(config.kind, body, server.unusable, vision=config.vision)
            purpose, play = request.purpose, server.script_for(request)
        except ValueError as error:
            wrong = str(error)
        seen = {name: value for name, value in headers.items() if name != "authorization"}
        more: dict[str, Any] = {"headers": seen} if config.log_headers else {}
        if config.log_requests:
            more["body"] = body
        user, model = prompt.last_user_text(prompt.messages_of(body)), body.get("model")
        server.log.write(event="started", at=time.time(), id=call_id, model=model, user=user, purpose=purpose, **more)
        if play is None:
            server.log.write(event="ended", at=time.time(), id=call_id, outcome=f"bad script: {wrong}", tokens=0)
            return self._reply(wire.error(400, wrong))
        self._answer = Answer(self, config, server.log, server.turns, call_id, body, play)
        self._answer.begin()

    def _reply(self, data: bytes) -> None:
        self.transport.write(data)
        self.answered(streamed=False)

    def answered(self, *, streamed: bool) -> None:
        """The answer is complete; the connection may carry another request."""
        self._answer = None
        if self._last or (streamed and self._server.config.kind.closes):
            self.transport.close()
        elif self._buffer:
            self._next_request()

"""A web server in Discord's place that answers as a test says; for what the fake Discord does not do on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from adapters.discord.connection.rest import Rest

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

USER = {"id": "700", "username": "kagent", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION = {"id": "600", "name": "kagent", "flags": 1 << 19, "bot_public": False, "description": ""}


class Ticks:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(data: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An answer as discord.py wants it: the content type without a charset, and `Via` as the API sends it."""
    sent = {"Via": "1.1 google"} | (headers or {})
    if data is None:
        return web.Response(status=204, headers=sent)
    return web.Response(
        body=json.dumps(data).encode(), status=status, headers=sent | {"Content-Type": "application/json"}
    )


def bucket(remaining: int, *, name: str = "b1", limit: int = 5, reset: float = 5.0) -> dict[str, str]:
    """The headers that tell of a bucket."""
    return {
        "X-RateLimit-Bucket": name,
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset-After": f"{reset:.3f}",
    }


class DiscordWeb:
    """Answers each path by what was set for it, and remembers what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._heard = asyncio.Condition()
        self._answers: dict[tuple[str, str], list[Handler]] = {}
        self.say("GET", "/users/@me", answer(USER))
        self.say("GET", "/applications/@me", answer(APPLICATION))

    def say(self, method: str, path: str, *responses: web.Response) -> None:
        """Give these answers one after the other, the last one for ever."""

        def handler(response: web.Response) -> Handler:
            async def give(_: web.Request) -> web.StreamResponse:
                headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
                return web.Response(body=response.body, status=response.status, headers=headers)

            return give

        self._answers[method, path] = [handler(response) for response in responses]

    def do(self, method: str, path: str, handler: Handler) -> None:
        """Let a function answer."""
        self._answers[method, path] = [handler]

    def reset(self, method: str, path: str) -> None:
        """Accept the request and lose the connection before the answer."""

        async def lose(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.Event().wait()
            raise AssertionError

        self.do(method, path, lose)

    def count(self, method: str, path: str) -> int:
        return sum((each.method, each.path) == (method, path) for each in self.asked)

    async def arrived(self, method: str, path: str, count: int = 1) -> None:
        """Wait until so many of these requests have come in."""
        async with self._heard:
            await self._heard.wait_for(lambda: self.count(method, path) >= count)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v10")
        body = await request.read()
        self.asked.append(Asked(request.method, path, dict(request.headers), body))
        async with self._heard:
            self._heard.notify_all()
        answers = self._answers.get((request.method, path))
        if answers is None:
            return answer({"message": "404: Not Found", "code": 0}, 404)
        return await (answers.pop(0) if len(answers) > 1 else answers[0])(request)


@asynccontextmanager
async def discord_web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordWeb]:
    """A running server, with discord.py pointed at it."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "DISCORD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    server = DiscordWeb()
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setattr("discord.http.Route.BASE", f"{server.url}/api/v10")
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def rest_at(clock: Callable[[], float] | None = None, token: str = "MTIz.abc.secret") -> AsyncIterator[Rest]:
    """A `Rest` that is closed at the end."""
    rest = Rest(token, monotonic=clock) if clock is not None else Rest(token)
    try:
        yield rest
    finally:
        await rest.close()

"""Sockets to a Slack that behaves worse than the fake does: it falls silent, says nothing at all, or isn't there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.app.async_app import AsyncApp

from adapters.slack.connection import sockets
from adapters.slack.connection.clients import Clients, NoInstallations
from adapters.slack.connection.connection import make_app
from adapters.slack.connection.sockets import Sockets
from bot.posting import Refused, RetryLater


class Peer:
    """The other end of the sockets."""

    def __init__(self) -> None:
        self.opened = asyncio.Semaphore(0)
        self.greets = True
        self.sends: list[str] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Greets, and then neither reads nor answers, not even a ping."""
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        if self.greets:
            await ws.send_json({"type": "hello"})
        for text in self.sends:
            await ws.send_str(text)
        self.opened.release()
        await asyncio.sleep(60)
        return ws

    async def open_url(self) -> str:
        return self.url


@pytest.fixture
async def app() -> AsyncIterator[AsyncApp]:
    clients = Clients(lambda _: NoInstallations(), api_url="http://127.0.0.1:1/api")
    yield make_app(clients, "", "en")
    await clients.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    served = web.Application()
    served.router.add_get("/", peer.serve)
    server = TestServer(served)
    await server.start_server(shutdown_timeout=0.0)
    peer.url = f"ws://127.0.0.1:{server.port}/"
    yield peer
    await server.close()


async def until(peer: Peer, opened: int) -> None:
    async with asyncio.timeout(10):
        for _ in range(opened):
            await peer.opened.acquire()


async def test_a_socket_that_falls_silent_is_replaced(
    app: AsyncApp, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_HEARTBEAT_S", 0.1)
    kept = Sockets(app, peer.open_url, count=1, jitter=lambda: 0.0)
    await kept.start()
    await until(peer, 2)
    await kept.stop()


async def test_a_server_that_does_not_greet_is_given_up(
    app: AsyncApp, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_HELLO_S", 0.1)
    peer.greets = False
    kept = Sockets(app, peer.open_url, count=1, jitter=lambda: 0.0)
    await kept.start()
    await until(peer, 2)
    assert kept.hearing == 0
    assert "reached" in kept.trouble
    await kept.stop()


async def test_frames_that_mean_nothing_end_nothing(app: AsyncApp, peer: Peer) -> None:
    peer.sends = ["no json", "[]", "null", '{"type": "news"}', '{"type": "disconnect", "reason": "link_disabled"}']
    kept = Sockets(app, peer.open_url, count=1, jitter=lambda: 0.0)
    await kept.start()
    async with asyncio.timeout(10):
        while not kept.trouble:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    # The goodbye was understood, so the frames before it had ended nothing.
    assert "Socket Mode is switched off" in kept.trouble
    await kept.stop()


async def test_attempts_come_further_and_further_apart(app: AsyncApp) -> None:
    asked: list[float] = []
    third = asyncio.Event()

    async def nobody() -> str:
        asked.append(time.monotonic())
        if len(asked) == 3:
            third.set()
        raise RetryLater(0.0)

    kept = Sockets(app, nobody, count=1, jitter=lambda: 1.0)
    await kept.start()
    async with asyncio.timeout(10):
        await third.wait()
    await kept.stop()
    assert asked[1] - asked[0] >= 0.5
    assert asked[2] - asked[1] >= 1.0


async def test_slacks_own_wait_is_kept(app: AsyncApp) -> None:
    asked: list[float] = []
    second = asyncio.Event()

    async def busy() -> str:
        asked.append(time.monotonic())
        if len(asked) == 2:
            second.set()
        raise RetryLater(1.0)

    kept = Sockets(app, busy, count=1, jitter=lambda: 0.0)
    await kept.start()
    async with asyncio.timeout(10):
        await second.wait()
    await kept.stop()
    assert asked[1] - asked[0] >= 1.0


async def test_an_attempt_under_way_ends_with_the_stop(app: AsyncApp) -> None:
    asked = asyncio.Event()

    async def never() -> str:
        asked.set()
        await asyncio.Event().wait()
        raise Refused("unreachable")

    kept = Sockets(app, never, count=2)
    await kept.start()
    await asked.wait()
    async with asyncio.timeout(5):
        await kept.stop()

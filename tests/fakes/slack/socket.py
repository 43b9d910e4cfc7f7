"""Socket Mode: the app's WebSockets, and how an envelope finds its way over one of them and an ack its way back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSMsgType, web

from tests.fakes.slack.envelope import Kind
from tests.fakes.slack.http import Answer
from tests.fakes.slack.log import Log

#: The most sockets that one app may hold open at a time.
MOST_SOCKETS = 10

#: What Slack says when it wants a socket to end: soon, now, since Socket Mode was switched off, since there are too
#: many.
Goodbye = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]

#: Interactions whose answer may travel back with the ack, besides every slash command.
_ANSWERED = frozenset({"view_submission", "block_suggestion"})


@dataclass(eq=False, slots=True)
class Connection:
    """One open socket."""

    id: str
    ws: web.WebSocketResponse
    request: web.Request
    #: It was told to go: it may still ack, and gets no more envelopes.
    leaving: bool = False
    #: envelope_id → who waits for the ack.
    waiting: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)


class Sockets:
    """All sockets of the app.

    `tickets` are those that `apps.connections.open` has given out, each good for one socket. `closing` is how many
    seconds after its disconnect frame a socket is closed by Slack, asked for each time.
    """

    def __init__(self, log: Log, app_id: str, tickets: set[str], closing: Callable[[], float], seed: int) -> None:
        self._log = log
        self._app_id = app_id
        self._random = random.Random(seed)
        self._closing = closing
        self._tickets = tickets
        self._open: dict[str, Connection] = {}
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def describe(self) -> list[dict[str, Any]]:
        """The open sockets, oldest first."""
        return [{"id": c.id, "leaving": c.leaving, "waiting": len(c.waiting)} for c in self._open.values()]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The handler of `GET /link/`."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=404)
        self._tickets.remove(ticket)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if len(self._open) >= MOST_SOCKETS:
            self._log.write("socket_refused", why="too_many_websockets")
            await ws.send_json(_goodbye("too_many_websockets"))
            await ws.close()
            return ws
        self._count += 1
        connection = Connection(f"s{self._count}", ws, request)
        self._open[connection.id] = connection
        self._log.write("socket_opened", socket=connection.id, open=len(self._open))
        try:
            await ws.send_json(self._hello())
            await self._listen(connection)
        except ConnectionError:
            pass  # gone again before or while it was greeted
        finally:
            self._gone(connection)
        return ws

    async def send(self, kind: Kind, payload: dict[str, Any], *, timeout: float, attempt: int, reason: str) -> Answer:
        """Send one envelope over one of the sockets, chosen by chance, and wait for its ack."""
        choice = [connection for connection in self._open.values() if not connection.leaving]
        if not choice:
            return Answer("connection_failed")
        connection = self._random.choice(choice)
        envelope_id = _envelope_id()
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": kind == "slash_commands" or payload.get("type") in _ANSWERED,
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        acked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = acked
        self._log.write("enveloped", socket=connection.id, envelope=envelope_id)
        try:
            async with asyncio.timeout(timeout):
                await connection.ws.send_json(envelope)
                answer = await acked
        except TimeoutError:
            answer = Answer("timeout")
        except ConnectionError:
            answer = Answer("connection_failed")
        finally:
            connection.waiting.pop(envelope_id, None)
        return answer._replace(socket=connection.id)

    async def disconnect(self, reason: Goodbye, which: str | None = None) -> list[str]:
        """Tell one socket (None: all) to go, and close it a while later; the sockets that were told."""
        told = [c for c in self._open.values() if which in (None, c.id)]
        for connection in told:
            connection.leaving = True
            self._log.write("socket_told", socket=connection.id, reason=reason)
            with contextlib.suppress(ConnectionError):
                await connection.ws.send_json(_goodbye(reason))
            task = asyncio.create_task(self._close_later(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return [connection.id for connection in told]

    async def abort(self, which: str | None = None) -> list[str]:
        """Break one socket's connection (None: all of them) without a word, as a network does."""
        cut = [c for c in self._open.values() if which in (None, c.id)]
        for connection in cut:
            transport = connection.request.transport
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
            self._gone(connection)
        return [connection.id for connection in cut]

    async def stop(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._open.values()):
            await connection.ws.close()

    async def _close_later(self, connection: Connection) -> None:
        await asyncio.sleep(self._closing())
        await connection.ws.close()

    async def _listen(self, connection: Connection) -> None:
        """Take acks. One that comes over another socket than its envelope went out on is nobody's."""
        async for message in connection.ws:
            if message.type != WSMsgType.TEXT:
                continue
            try:
                ack = json.loads(message.data)
                envelope = str(ack["envelope_id"])
            except (ValueError, KeyError, TypeError):
                self._log.write("socket_noise", socket=connection.id, text=message.data[:200])
                continue
            acked = connection.waiting.pop(envelope, None)
            if acked is None or acked.done():
                self._log.write("socket_late_ack", socket=connection.id, envelope=envelope)
                continue
            acked.set_result(Answer(None, ack.get("payload") or {}))

    def _gone(self, connection: Connection) -> None:
        if self._open.pop(connection.id, None) is None:
            return
        self._log.write("socket_closed", socket=connection.id, open=len(self._open))
        for acked in connection.waiting.values():
            if not acked.done():
                acked.set_result(Answer("connection_failed"))

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "applink-fake", "build_number": 1, "approximate_connection_time": 18060},
        }


def _goodbye(reason: Goodbye) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}}


def _envelope_id() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

"""The gateway: hello and heartbeats, IDENTIFY and RESUME, close codes, and everything that goes wrong with sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from aiohttp import WSMsgType, web

from tests.fakes.discord.config import Config
from tests.fakes.discord.intents import ALL, PRIVILEGED
from tests.fakes.discord.log import Log
from tests.fakes.discord.sessions import Session

#: Ends a message of a zlib stream.
_FLUSHED = b"\x00\x00\xff\xff"
#: What a client may send at most, bytes; more is close code 4002.
_MOST_BYTES = 4096

_HEARTBEAT, _IDENTIFY, _PRESENCE, _VOICE, _RESUME, _MEMBERS = 1, 2, 3, 4, 6, 8

#: Close codes after which a session can't be taken up again.
_FINAL = frozenset({1000, 1001})


class Telling(NamedTuple):
    """One event for one session, as this session may see it."""

    event: str
    data: dict[str, Any]


class Server(Protocol):
    """What the gateway has to know of the Discord that it belongs to."""

    @property
    def config(self) -> Config: ...

    @property
    def log(self) -> Log: ...

    def knows(self, token: str) -> bool:
        """Whether this is the bot's token."""

    def allowed_intents(self) -> int:
        """The privileged intents that are switched on for the application."""

    def greet(self, session: Session, resume_url: str) -> Iterable[Telling]:
        """READY, and what follows it: a GUILD_CREATE for each guild of the shard."""

    def members(self, session: Session, request: dict[str, Any]) -> Iterable[Telling]:
        """The answer to a request for members."""


class Closing(Exception):
    """The connection is ended with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(eq=False, slots=True)
class Connection:
    """One open socket."""

    id: str
    ws: web.WebSocketResponse
    request: web.Request
    #: None: plain text.
    deflate: Any = None
    session: Session | None = None
    #: It sends nothing any more, and hears nothing: a link that is dead without anybody's having said so.
    frozen: bool = False
    #: Loop time of the last heartbeat.
    beat_at: float = 0.0
    #: Loop times of what the client sent, of the last minute.
    sends: deque[float] = field(default_factory=deque)
    _frames: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def push(self, frame: str) -> None:
        """Queue a frame; frames go out in this order."""
        self._frames.put_nowait(frame)

    def say(self, op: int, data: Any) -> None:
        """Queue something that is no event."""
        self.push(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def write(self) -> None:
        """Send what is queued, for ever. A broken connection ends it: who reads notices it, too."""
        with contextlib.suppress(ConnectionError):
            while True:
                frame = await self._frames.get()
                if not self.frozen:
                    await self._send(frame)
                self._frames.task_done()

    async def _send(self, frame: str) -> None:
        if self.deflate is None:
            await self.ws.send_str(frame)
            return
        packed = self.deflate.compress(frame.encode()) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        assert packed.endswith(_FLUSHED)
        await self.ws.send_bytes(packed)

    def cut(self) -> None:
        """Break it without a word, as a network does."""
        transport = self.request.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    async def drained(self) -> None:
        """Give what is queued a moment to go out."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._frames.join()


class Gateway:
    """All sockets and sessions of the app."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: dict[str, Connection] = {}
        self.sessions: dict[str, Session] = {}
        self._count = 0
        #: Loop times of the last IDENTIFY by its place in the queue (`shard % max_concurrency`).
        self._identified: dict[int, float] = {}
        #: Nobody gets in.
        self.down = False
        #: What else has to be told when a session ends.
        self.url = ""

    def describe(self) -> list[dict[str, Any]]:
        """The open connections, oldest first."""
        return [
            {
                "id": one.id,
                "frozen": one.frozen,
                "session": one.session.id if one.session else None,
                "shard": one.session.shard if one.session else None,
                "shards": one.session.shards if one.session else None,
                "intents": one.session.intents if one.session else None,
                "heard": one.session.heard if one.session else 0,
            }
            for one in self._open.values()
        ]

    def living(self) -> list[Session]:
        """The sessions that are connected or may still come back."""
        now, ttl = _now(), self._server.config.resume_ttl
        for session in [one for one in self.sessions.values() if one.link is None and now > one.left_at + ttl]:
            del self.sessions[session.id]
        return list(self.sessions.values())

    # --- Connections

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The handler of the gateway's address."""
        if self.down:
            return web.Response(status=503)
        ws = web.WebSocketResponse(max_msg_size=0, autoping=True)
        await ws.prepare(request)
        self._count += 1
        compressed = request.query.get("compress") == "zlib-stream"
        connection = Connection(f"g{self._count}", ws, request, zlib.compressobj() if compressed else None)
        connection.beat_at = _now()
        self._open[connection.id] = connection
        self._log("gateway_opened", connection, path=request.path, compressed=compressed)
        tasks = [asyncio.create_task(connection.write()), asyncio.create_task(self._guard(connection))]
        connection.say(10, {"heartbeat_interval": int(self._server.config.heartbeat_interval * 1000), "_trace": []})
        try:
            if request.query.get("v") != "10":
                raise Closing(4012, "Invalid API version.")
            await self._listen(connection)
            self._gone(connection, by_app=True)
        except Closing as closing:
            await self._close(connection, closing)
        except ConnectionError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._gone(connection)
        return ws

    async def _guard(self, connection: Connection) -> None:
        """End the connection of a client whose heart has stopped."""
        while True:
            interval = self._server.config.heartbeat_interval
            await asyncio.sleep(interval / 2)
            if not connection.frozen and _now() > connection.beat_at + interval * 1.5:
                await self._close(connection, Closing(4009, "Session timed out."))
                return

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.ws:
            if connection.frozen:
                continue
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            if len(message.data) > _MOST_BYTES:
                raise Closing(4002, "Error while decoding payload.")
            self._count_send(connection)
            try:
                frame = json.loads(message.data)
                op, data = int(frame["op"]), frame.get("d")
            except (ValueError, KeyError, TypeError):
                raise Closing(4002, "Error while decoding payload.") from None
            self._take(connection, op, data)

    def _count_send(self, connection: Connection) -> None:
        """120 sends in 60 seconds, heartbeats included."""
        now = _now()
        connection.sends.append(now)
        while connection.sends[0] < now - 60.0:
            connection.sends.popleft()
        if len(connection.sends) > self._server.config.gateway_sends:
            raise Closing(4008, "Rate limited.")

    def _take(self, connection: Connection, op: int, data: Any) -> None:
        if op == _HEARTBEAT:
            self._beat(connection, data)
        elif op == _IDENTIFY:
            self._identify(connection, data)
        elif op == _RESUME:
            self._resume(connection, data)
        elif op not in (_PRESENCE, _VOICE, _MEMBERS):
            raise Closing(4001, "Unknown opcode.")
        elif connection.session is None:
            raise Closing(4003, "Not authenticated.")
        elif op == _MEMBERS:
            for one in self._server.members(connection.session, data):
                connection.session.dispatch(one.event, one.data)

    # --- Heartbeats

    def _beat(self, connection: Connection, seq: Any) -> None:
        connection.beat_at = _now()
        if isinstance(seq, int) and connection.session is not None:
            self.heard(connection.session, seq)
        connection.say(11, None)

    def heard(self, session: Session, seq: int) -> None:
        """The app has told that everything up to this event has come: the only word of it that there is."""
        subjects = [[one.event, one.subject] for one in session.hear(seq) if one.subject]
        if subjects:
            self._server.log.write("heard", session=session.id, subjects=subjects)

    # --- Sessions

    def _identify(self, connection: Connection, data: Any) -> None:
        if connection.session is not None:
            raise Closing(4005, "Already authenticated.")
        if not isinstance(data, dict):
            raise Closing(4002, "Error while decoding payload.")
        if not self._server.knows(str(data.get("token", ""))):
            self._log("refused", connection, code=4004)
            raise Closing(4004, "Authentication failed.")
        shard, shards = _shard(data.get("shard"))
        intents = _intents(data.get("intents"), self._server.allowed_intents())
        if self._too_soon(shard):
            self._log("identify_too_soon", connection, shard=shard)
            connection.say(9, False)
            return
        session = Session(f"session-{self._count}-{shard}-{time.time_ns():x}", shard, shards, intents, link=connection)
        self.sessions[session.id] = session
        connection.session = session
        self._log("identified", connection, intents=intents, shard=shard, shards=shards)
        for one in self._server.greet(session, f"{self.url}/resume"):
            session.dispatch(one.event, one.data)

    def _too_soon(self, shard: int) -> bool:
        """Every `max_concurrency`-th shard shares one IDENTIFY per five seconds."""
        config = self._server.config
        key, now = shard % config.max_concurrency, _now()
        if now < self._identified.get(key, -1e9) + config.identify_every:
            return True
        self._identified[key] = now
        return False

    def _resume(self, connection: Connection, data: Any) -> None:
        if connection.session is not None:
            raise Closing(4005, "Already authenticated.")
        if not isinstance(data, dict):
            raise Closing(4002, "Error while decoding payload.")
        if not self._server.knows(str(data.get("token", ""))):
            raise Closing(4004, "Authentication failed.")
        seq = data.get("seq")
        session = {one.id: one for one in self.living()}.get(str(data.get("session_id")))
        missed = session.missed(seq) if session is not None and isinstance(seq, int) else None
        if session is None or missed is None or not isinstance(seq, int):
            self._log("resume_refused", connection, seq=seq)
            connection.say(9, False)
            return
        if isinstance(session.link, Connection):
            # The old connection of a session ends when a new one takes it up.
            session.link.session = None
            session.link.cut()
        session.link = connection
        connection.session = session
        self.heard(session, seq)
        self._log("resumed", connection, seq=seq, replayed=len(missed))
        for one in missed:
            connection.push(one.frame)
        session.dispatch("RESUMED", {"_trace": []})

    def _gone(self, connection: Connection, *, by_app: bool = False) -> None:
        """A connection is over: its session waits for RESUME, unless the app ended it with code 1000 or 1001."""
        if self._open.pop(connection.id, None) is None:
            return
        code = connection.ws.close_code
        self._log("gateway_closed", connection, code=code, by_app=by_app)
        session, connection.session = connection.session, None
        if session is None or session.link is not connection:
            return
        session.link = None
        session.left_at = _now()
        if by_app and code in _FINAL:
            self.sessions.pop(session.id, None)

    async def _close(self, connection: Connection, closing: Closing) -> None:
        self._log("gateway_closing", connection, code=closing.code, reason=closing.reason)
        await connection.drained()
        # aiohttp waits for the client's answer; a session is free for RESUME at once.
        self._gone(connection)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1.0):
                await connection.ws.close(code=closing.code, message=closing.reason.encode())

    # --- What a test does to it

    def _chosen(self, which: str | None) -> list[Connection]:
        return [one for one in self._open.values() if which in (None, one.id)]

    async def disconnect(self, how: str, which: str | None, code: int) -> list[str]:
        """Let one connection (None: all of them) come to an end: `close` with a code; `reconnect`: op 7;
        `invalid`: op 9, the session is lost; `resumable`: op 9, it may be taken up; `abort`: without a word;
        `freeze`: it stays open and is dead. The connections."""
        chosen = self._chosen(which)
        act: dict[str, Callable[[Connection], Any]] = {
            "reconnect": lambda one: one.say(7, None),
            "resumable": lambda one: one.say(9, True),
            "invalid": self._invalidate,
            "abort": self._abort,
            "freeze": lambda one: setattr(one, "frozen", True),
        }
        for connection in chosen:
            self._log("disconnecting", connection, how=how, code=code)
            if how == "close":
                await self._close(connection, Closing(code, "As the test says."))
            else:
                act[how](connection)
        return [one.id for one in chosen]

    def _invalidate(self, connection: Connection) -> None:
        if connection.session is not None:
            self.sessions.pop(connection.session.id, None)
            connection.session.link = None
        connection.session = None
        connection.say(9, False)

    def _abort(self, connection: Connection) -> None:
        connection.cut()
        self._gone(connection)

    def forget_sessions(self) -> None:
        """Those that are without a connection: RESUME comes too late for them."""
        for session in [one for one in self.sessions.values() if one.link is None]:
            del self.sessions[session.id]

    async def stop(self) -> None:
        """Close everything."""
        for connection in list(self._open.values()):
            await self._close(connection, Closing(1001, "Going away."))

    def _log(self, kind: str, connection: Connection, **more: Any) -> None:
        session = connection.session
        self._server.log.write(
            kind, connection=connection.id, session=session.id if session else None, open=len(self._open), **more
        )


def _shard(shard: Any) -> tuple[int, int]:
    """Which of how many. Raises `Closing` for what can't be."""
    if shard is None:
        return 0, 1
    if (
        not isinstance(shard, list)
        or len(shard) != 2
        or not all(isinstance(one, int) for one in shard)
        or not 0 <= shard[0] < shard[1]
    ):
        raise Closing(4010, "Invalid shard.")
    return shard[0], shard[1]


def _intents(intents: Any, privileged: int) -> int:
    """What it may hear. Raises `Closing` for what doesn't exist, or isn't switched on for the application."""
    if not isinstance(intents, int) or intents & ~ALL or intents < 0:
        raise Closing(4013, "Invalid intent(s).")
    if intents & PRIVILEGED & ~privileged:
        raise Closing(4014, "Disallowed intent(s).")
    return intents


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Socket Mode: the WebSockets that Slack sends events over, renewed without a gap.

slack_sdk's own client closes a socket before it opens the next one, and tries a lost connection every ten seconds for
ever; so here each socket is opened once, and what keeps them open (`Sockets`) opens the new one first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import aiohttp
from aiohttp import WSMsgType
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from adapters.slack import limits
from adapters.slack.connection.api import sdk_logger
from adapters.slack.errors import of_app_token, sentence
from agent.language import Lang
from bot.posting import Ambiguous, Refused, RetryLater

log = logging.getLogger(__name__)

#: Seconds of silence after which a socket is asked whether it is alive; half of that later, without an answer, it is
#: taken for dead.
_HEARTBEAT_S: Final = 10.0
#: Seconds without any frame after which a socket is not counted as one that hears.
_SILENT_S: Final = 4 * _HEARTBEAT_S
#: Seconds for the opening of a socket, up to Slack's greeting.
_HELLO_S: Final = 15.0
#: How long a dead peer may keep us waiting for its goodbye.
_CLOSING: Final = aiohttp.ClientWSTimeout(ws_close=1.0)
#: Seconds that envelopes in work have when a socket is closed: their ack has to go back over it.
_DRAIN_S: Final = 2.0
#: Seconds before another attempt after a failure: the first, the longest; and how long a socket must have lived to
#: count as a success.
_RETRY_FIRST_S: Final = 0.5
_RETRY_LONGEST_S: Final = 60.0
_LIVED_S: Final = 30.0
#: Seconds before another attempt when an operator has to do something first.
_REFUSED_S: Final = 60.0
#: The same when other processes have all the sockets that there may be.
_TOO_MANY_S: Final = 30.0

#: Why a socket ended: what Slack said, or "closed" for everything that nobody announced.
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets", "closed"]
#: Slack will close it shortly; until then it works.
_RENEWED: Final = ("warning", "refresh_requested")
#: What Slack says; anything else means no more than that this socket ends.
_GOODBYES: Final[dict[str, Reason]] = {
    "warning": "warning",
    "refresh_requested": "refresh_requested",
    "link_disabled": "link_disabled",
    "too_many_websockets": "too_many_websockets",
}

OpenUrl = Callable[[], Awaitable[str]]


class Socket(AsyncBaseSocketModeClient):
    """One WebSocket, from its opening to its end. It never connects again."""

    def __init__(self, app: AsyncApp, session: aiohttp.ClientSession, proxy: str | None) -> None:
        self.logger = sdk_logger()
        self.closed = False
        self._app = app
        self._session = session
        self._proxy = proxy
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._greeted = False
        # Set by a greeting or a goodbye, whichever comes first.
        self._first_word = asyncio.Event()
        self._refusing = False
        self._last_frame = time.monotonic()
        #: Done when the socket has ended, or is about to.
        self.ended: asyncio.Future[Reason] = asyncio.get_running_loop().create_future()

    @property
    def hears(self) -> bool:
        """Whether events can come over it."""
        open_ = self._ws is not None and not self._ws.closed and not self.closed
        return open_ and self._greeted and time.monotonic() - self._last_frame < _SILENT_S

    async def open(self, url: str) -> None:
        """Connect, and wait for Slack's greeting. Raises `aiohttp.ClientError`, `TimeoutError`, `OSError`; and
        `ConnectionError` when Slack said goodbye instead, with the reason in `ended`.
        """
        async with asyncio.timeout(_HELLO_S):
            self._ws = await self._session.ws_connect(
                url, autoping=False, heartbeat=_HEARTBEAT_S, proxy=self._proxy, timeout=_CLOSING
            )
            self._last_frame = time.monotonic()
            self._reader = asyncio.create_task(self._read(self._ws))
            await self._first_word.wait()
        if not self._greeted:
            raise ConnectionError("Slack did not greet")

    async def over(self, most_s: float) -> None:
        """Wait until nothing can come over it any more, at most so many seconds."""
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=most_s)

    async def close(self) -> None:
        """Let envelopes in work be acked, take no new ones, close."""
        self._refusing = True
        if self._working:
            await asyncio.wait(set(self._working), timeout=_DRAIN_S)
        self.closed = True
        if self._ws is not None:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await self._ws.close()
        tasks = [*self._working, *([self._reader] if self._reader is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._end("closed")

    async def send_message(self, message: str) -> None:
        """One frame; slack_sdk sends acks by this."""
        if self._ws is None:
            raise ConnectionError("the socket was never opened")
        await self._ws.send_str(message)

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        try:
            while True:
                frame = await ws.receive()
                self._last_frame = time.monotonic()
                if frame.type is WSMsgType.TEXT:
                    self._hear(frame.data)
                elif frame.type is WSMsgType.PING:
                    await ws.pong(frame.data)
                elif frame.type not in (WSMsgType.PONG, WSMsgType.BINARY):
                    return
        except (aiohttp.ClientError, OSError) as error:
            log.debug("a socket broke: %s", type(error).__name__)
        finally:
            self._end("closed")

    def _hear(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            log.warning("Slack sent a frame over a socket that is no JSON object; it was ignored")
            return
        match message.get("type"):
            case "hello":
                self._greeted = True
                self._first_word.set()
            case "disconnect":
                self._end(_GOODBYES.get(str(message.get("reason")), "refresh_requested"))
            case _:
                self._start(message)

    def _start(self, message: dict[str, Any]) -> None:
        request = SocketModeRequest.from_dict(message)
        # What comes while we leave is not acked, so Slack sends it again over another socket.
        if request is None or self._refusing:
            return
        task = asyncio.create_task(self._answer(request))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _answer(self, request: SocketModeRequest) -> None:
        try:
            response = await run_async_bolt_app(self._app, request)
            # Only a 200 is acked; anything else Slack delivers again.
            await send_async_response(self, request, response, time.time())
        except (aiohttp.ClientError, OSError) as error:
            log.info("an ack could not be sent (%s); Slack will deliver again", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one envelope must not end the socket; no traceback, it has bodies
            log.error("an envelope could not be handled: %s", type(error).__name__)

    def _end(self, reason: Reason) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)
        self._first_word.set()


class Sockets:
    """Keeps so many sockets open. `start` returns at once; `stop` closes them in order."""

    def __init__(
        self,
        app: AsyncApp,
        open_url: OpenUrl,
        *,
        count: int,
        proxy: str | None = None,
        lang: Lang = "en",
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`open_url` asks Slack for the address of a new socket and raises what `bot.posting` names; `lang` is that of
        the log's sentences.
        """
        self._app = app
        self._open_url = open_url
        self._count = count
        self._proxy = proxy
        self._lang = lang
        self._jitter = jitter
        self._session: aiohttp.ClientSession | None = None
        self._current: dict[int, Socket] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        # Why each keeper's latest attempt failed.
        self._troubles: dict[int, str] = {}
        #: Whether any socket was ever open.
        self.has_heard = False

    @property
    def hearing(self) -> int:
        """How many sockets events can come over right now."""
        return sum(socket.hears for socket in self._current.values())

    @property
    def trouble(self) -> str:
        """Why a socket is missing, in one sentence; "" when none is, or nobody knows."""
        return next(iter(self._troubles.values()), "")

    async def start(self) -> None:
        """Begin to connect."""
        # A session of its own: a socket is no call with a time-out.
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0))
        self._keepers = [asyncio.create_task(self._keep(number)) for number in range(self._count)]

    async def stop(self) -> None:
        """Take nothing more, let what came be acked, close."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in self._current.values()), return_exceptions=True)
        for leaving in list(self._leaving):
            leaving.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _keep(self, number: int) -> None:
        """One socket, and another one whenever it ends."""
        failures = 0
        while True:
            opened_at = time.monotonic()
            socket, pause = await self._opened(number)
            if socket is None:
                failures += 1
                await asyncio.sleep(max(pause, self._backoff(failures)))
                continue
            self._troubles.pop(number, None)
            self.has_heard = True
            before, self._current[number] = self._current.get(number), socket
            if before is not None:
                self._let_go(before)
            reason = await socket.ended
            # One that ends as soon as it is open must not become a storm of openings.
            failures = 0 if time.monotonic() - opened_at >= _LIVED_S else failures + 1
            await asyncio.sleep(max(self._refusal(number, reason), self._backoff(failures)))

    async def _opened(self, number: int) -> tuple[Socket | None, float]:
        """A socket that hears; or None, and the least number of seconds to wait before another attempt."""
        assert self._session is not None  # noqa: S101 - made by `start`
        socket = Socket(self._app, self._session, self._proxy)
        try:
            await socket.open(await self._open_url())
        except Refused as refused:
            self._complain(number, of_app_token(refused.code, self._lang))
            return None, _REFUSED_S
        except RetryLater as later:
            self._complain(number, sentence("unreachable", self._lang))
            return None, later.seconds
        except (Ambiguous, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("no socket to Slack: %s", type(error).__name__)
            reason = socket.ended.result() if socket.ended.done() else "closed"
            if reason in ("closed", *_RENEWED):
                self._complain(number, sentence("unreachable", self._lang))
            await socket.close()
            return None, self._refusal(number, reason)
        except BaseException:
            await socket.close()
            raise
        return socket, 0.0

    def _refusal(self, number: int, reason: Reason) -> float:
        """Seconds to wait after an end for this reason, besides the back-off."""
        match reason:
            case "link_disabled":
                self._complain(number, sentence(reason, self._lang))
                return _REFUSED_S
            case "too_many_websockets":
                self._complain(number, sentence(reason, self._lang))
                # Not all processes at once.
                return _TOO_MANY_S * (1 + self._jitter())
            case _:
                return 0.0

    def _complain(self, number: int, trouble: str) -> None:
        if trouble not in self._troubles.values():
            log.error("Slack: %s", trouble)
        self._troubles[number] = trouble

    def _backoff(self, failures: int) -> float:
        if failures == 0:
            return 0.0
        longest = min(_RETRY_LONGEST_S, _RETRY_FIRST_S * 2.0 ** min(failures - 1, 10))
        return longest * (0.5 + self._jitter() / 2)

    def _let_go(self, socket: Socket) -> None:
        """Close the one before in the background: until Slack closes it, events may still come over it."""
        task = asyncio.create_task(self._linger(socket))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _linger(self, socket: Socket) -> None:
        try:
            await socket.over(limits.SOCKET_WARNING_S)
        finally:
            await socket.close()

"""discord.py's HTTP client, made to make each call once and at once.

By itself it calls again after a 429, a 5xx or a lost connection, and waits while a bucket is empty, before a call and
after one. A message without a nonce would then exist twice (a webhook's can have none), a call that has arrived would
not come back for seconds, and none of this can be switched off. So its limiter is replaced by one that never waits
(`buckets.Buckets` does that, before the call), and a trace of aiohttp, which hears each answer before discord.py does,
takes it out of discord.py's hands where that would call again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.request
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from discord.http import HTTPClient, Ratelimit, Route

#: Statuses at which discord.py calls again.
_REPEATED: Final = frozenset({429, 500, 502, 504, 524})


class Answered(Exception):
    """An answer that discord.py would have repeated the call for."""

    def __init__(self, status: int, headers: Mapping[str, str], data: Any) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        #: The body as JSON; None if it isn't.
        self.data = data


class Interrupted(Exception):
    """The connection was lost after it had been made."""


class Heard:
    """What is known of one call; given to `request` as `trace_request_ctx`."""

    __slots__ = ("connected", "headers")

    def __init__(self) -> None:
        #: Whether there was a connection, so that something may have been sent.
        self.connected = False
        #: Of the answer; None before it.
        self.headers: Mapping[str, str] | None = None


class SingleCalls(HTTPClient):
    """An `HTTPClient` for `Rest`. To be made inside the event loop."""

    def __init__(self) -> None:
        quiet_library()
        super().__init__(asyncio.get_running_loop(), http_trace=_trace(), proxy=proxy_of(Route.BASE))
        self._no_limit = _NoLimit()

    def get_ratelimit(self, key: str) -> Ratelimit:
        """One that never waits."""
        return self._no_limit


class _NoLimit(Ratelimit):
    def __init__(self) -> None:
        # None of what the real one keeps: all its methods that are used are below.
        self.remaining = 1

    def update(self, response: aiohttp.ClientResponse, *, use_clock: bool = False) -> None:
        """Nothing."""

    async def acquire(self) -> None:
        """At once."""

    async def __aexit__(self, *_: object) -> None:
        """At once."""


def _trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_on_connected)
    trace.on_connection_reuseconn.append(_on_connected)
    trace.on_request_end.append(_on_answer)
    trace.on_request_exception.append(_on_failure)
    return trace


def _heard(context: SimpleNamespace) -> Heard:
    heard = context.trace_request_ctx
    return heard if isinstance(heard, Heard) else Heard()


async def _on_connected(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    _heard(context).connected = True


async def _on_answer(_: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
    response = params.response
    _heard(context).headers = response.headers
    # Read here, so that a connection lost within the body is a failure of the call, too.
    body = await response.read()
    if response.status not in _REPEATED:
        return
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    raise Answered(response.status, response.headers, data)


async def _on_failure(
    _: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
) -> None:
    # discord.py calls again after a reset, by the error's number on macOS and Windows.
    problem = params.exception
    if isinstance(problem, OSError) and not never_sent(problem):
        raise Interrupted(type(problem).__name__) from problem


def never_sent(problem: BaseException) -> bool:
    """Whether there was no connection at all, so that the platform can't have heard of the call."""
    return isinstance(
        problem, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
    )


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for this address (HTTPS_PROXY, HTTP_PROXY, NO_PROXY); discord.py looks at
    none by itself.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = urllib.request.getproxies()
    if host in ("localhost", "127.0.0.1", "::1") or urllib.request.proxy_bypass(host):
        return None
    return proxies.get("https" if parts.scheme in ("https", "wss") else "http") or None


class _Brief(logging.Filter):
    """Of what discord.py logs, neither that there will be no voice, which nobody wants here, nor where in its own code
    it noticed that a connection was lost.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if said.startswith(("Attempting a reconnect", "Failed to connect for shard_id")):
            record.exc_info = record.exc_text = None
        return "voice will NOT be supported" not in said


def quiet_library() -> None:
    """What discord.py logs: never below WARNING, whatever the server's level, because further down it writes bodies."""
    logger = logging.getLogger("discord")
    logger.setLevel(max(logging.WARNING, logger.level))
    for name in ("discord.client", "discord.shard"):
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Brief) for each in logger.filters):
            logger.addFilter(_Brief())

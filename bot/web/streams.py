"""Event streams that stay open: how many a client may have, and their orderly end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from bot.web import texts
from bot.web.errors import WebError

#: A browser opens at most six connections to one server over HTTP/1.1, so this is several browsers of one person.
STREAMS_PER_CLIENT = 32
STREAMS_IN_TOTAL = 1024


class Streams:
    """All open streams of this server."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._clients: Counter[str] = Counter()
        self._closing = asyncio.Event()

    def __len__(self) -> int:
        return len(self._tasks)

    @contextmanager
    def open(self, request: web.Request) -> Iterator[None]:
        """Hold a place for the current task's stream. At shutdown the block is left early, without an error."""
        client = _client_of(request)
        if self._full_for(client):
            raise WebError(429, "too_many_streams", texts.TOO_MANY_STREAMS, headers={"Retry-After": "5"})
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream belongs to a task")
        self._tasks.add(task)
        self._clients[client] += 1
        try:
            yield
        except asyncio.CancelledError:
            if not self._closing.is_set():
                raise
            task.uncancel()
        finally:
            self._tasks.discard(task)
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    def _full_for(self, client: str) -> bool:
        return (
            self._closing.is_set()
            or len(self._tasks) >= STREAMS_IN_TOTAL
            or self._clients[client] >= STREAMS_PER_CLIENT
        )

    async def close(self, _app: web.Application) -> None:
        """End all streams and take no more; clients connect again by themselves."""
        self._closing.set()
        for task in self._tasks:
            task.cancel()


def _client_of(request: web.Request) -> str:
    # Behind a proxy every request comes from one address; the nearest proxy writes the last entry.
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rpartition(",")[2].strip() or request.remote or ""

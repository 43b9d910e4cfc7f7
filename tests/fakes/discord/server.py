"""The fake as one aiohttp application; both halves put their routes into it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

#: Adds routes (`app.add_routes(table)`) and what is to end with the server (`app.on_shutdown`).
Half = Callable[[web.Application], None]

#: More than the largest upload there is: ten files of 10 MiB.
_BODY_BYTES = 128 * 1024 * 1024


def application(halves: Iterable[Half]) -> web.Application:
    """An application with the routes of all halves."""
    app = web.Application(client_max_size=_BODY_BYTES)
    for half in halves:
        half(app)
    return app


def as_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer. Its type has no charset, as on Discord: discord.py hands back a string otherwise (facts 1)."""
    sent = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(body=sent, status=status, headers={**(headers or {}), "Content-Type": "application/json"})


def reset(request: web.Request) -> web.Response:
    """Break the connection with RST, as a proxy that restarts does; the returned response reaches nobody."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
    return web.Response()

"""Opening the listening sockets: the wanted port, or the next free one."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

from agent.language import Lang, Text
from bot.web import texts

#: How many further ports are tried when the wanted one is busy.
PORTS_TO_TRY = 20
_BACKLOG = 512


class ListenError(Exception):
    """The server can't open its port; `say` is one sentence that says what to change."""

    def __init__(self, text: Text, **fields: object) -> None:
        super().__init__(text.say("en", **fields))
        self._text = text
        self._fields = fields

    def say(self, lang: Lang) -> str:
        return self._text.say(lang, **self._fields)


class Listening(NamedTuple):
    """Sockets that listen, all on the same port."""

    sockets: list[socket.socket]
    port: int
    #: Whether nobody outside this machine can connect.
    loopback: bool


async def listen(host: str, port: int) -> Listening:
    """Listen on every address of `host` at `port` or the next free one; port 0 is any free one.

    Raises `ListenError`.
    """
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError):
        raise ListenError(texts.HOST_UNKNOWN, host=host) from None
    families = list(dict.fromkeys((info[0], info[4]) for info in infos))
    last = port if port == 0 else min(port + PORTS_TO_TRY, 65_535)
    for candidate in range(port, last + 1):
        sockets = _listen_on(families, host, candidate)
        if sockets:
            addresses = [ipaddress.ip_address(sock.getsockname()[0].partition("%")[0]) for sock in sockets]
            return Listening(sockets, sockets[0].getsockname()[1], all(a.is_loopback for a in addresses))
    raise ListenError(texts.PORTS_BUSY, host=host, first=port, last=last)


def _listen_on(families: Sequence[tuple[int, Any]], host: str, port: int) -> list[socket.socket]:
    """Sockets on this very port; [] when it is busy."""
    sockets: list[socket.socket] = []
    unavailable: OSError | None = None
    for family, address in families:
        # Port 0 stands for the port that the first address got.
        wanted = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_open(family, (address[0], wanted, *address[2:])))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL or error.errno == errno.EAFNOSUPPORT:
                # `localhost` may name ::1 on a machine without IPv6.
                unavailable = error
                continue
            _close(sockets)
            if error.errno == errno.EADDRINUSE:
                return []
            if error.errno in (errno.EACCES, errno.EPERM):
                raise ListenError(texts.PORT_FORBIDDEN, host=host, port=port) from None
            raise ListenError(texts.CANNOT_LISTEN, host=host, port=port, error=error.strerror) from None
    if not sockets and unavailable is not None:
        raise ListenError(texts.HOST_UNKNOWN, host=host)
    return sockets


def _open(family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
        # Two sockets may bind one port; only one may listen.
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def own_address(family: socket.AddressFamily) -> str:
    """This machine's address as its network sees it; the loopback one when it has no network."""
    # Connecting a datagram socket sends nothing: it only makes the system choose the address that it would send from.
    # The destinations are reserved for documentation (RFC 5737, RFC 3849).
    away, loopback = ("192.0.2.1", "127.0.0.1") if family == socket.AF_INET else ("2001:db8::1", "::1")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((away, 9))
            address: str = sock.getsockname()[0]
            return address
    except OSError:
        return loopback

"""The HTTP server: the routes of all adapters behind one door."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.ports import StoreUnavailable
from bot.web import texts
from bot.web.access import Access, new_token
from bot.web.errors import WebError, error_response
from bot.web.health import Check, Readiness, healthz, readyz
from bot.web.listen import ListenError, Listening, listen, own_address
from bot.web.streams import Streams

log = logging.getLogger(__name__)

ACCESS: web.AppKey[Access] = web.AppKey("access", Access)
STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)

#: Bytes; a message of 100,000 characters fits however its JSON is escaped.
MAX_BODY = 2 * 1024 * 1024
#: Seconds that requests in progress have at shutdown.
_SHUTDOWN_S = 5.0
#: Nothing from elsewhere, nothing inline: model output that slips through the renderer can't run or load anything.
_CSP = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_SECURITY_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "kagentbot",
}


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How the server listens and whom it lets in."""

    host: str = "127.0.0.1"
    #: The port wanted; when it is busy, the next free one is taken. 0 is any free one.
    port: int = 8000
    #: Demanded under `/api/` when set; when not, one is made as soon as others than this machine can connect.
    token: str | None = None
    #: Names besides loopback ones that this server is reached by, for example behind a proxy.
    hosts: tuple[str, ...] = ()
    #: Largest request body in bytes.
    max_body: int = MAX_BODY


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    url: str
    port: int
    #: What `/api/` demands; None on loopback.
    token: str | None

    @property
    def link(self) -> str:
        """The address to open. The token is in the fragment, which browsers keep to themselves."""
        return f"{self.url}/#token={quote(self.token, safe='')}" if self.token else f"{self.url}/"


def build_app(
    routes: Iterable[web.RouteTableDef],
    access: Access,
    checks: Sequence[Check] = (),
    max_body: int = MAX_BODY,
) -> web.Application:
    """The application: these routes, `/login`, `/healthz`, `/readyz`, and what protects them."""
    app = web.Application(middlewares=[_protect], client_max_size=max_body)
    streams = Streams()
    app[ACCESS] = access
    app[STREAMS] = streams
    app.on_shutdown.append(streams.close)
    app.on_response_prepare.append(_add_headers)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz(Readiness(checks), access.admits))
    app.router.add_post("/login", access.login)
    for table in routes:
        app.router.add_routes(table)
    return app


@web.middleware
async def _protect(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the request, run it, and turn whatever goes wrong into one sentence."""
    try:
        request.app[ACCESS].check(request)
        return await handler(request)
    except WebError as error:
        return error_response(request, error)
    except StoreUnavailable as error:
        log.warning("database unavailable: %s", error)
        return error_response(request, WebError(503, "store_unavailable", error.text, headers={"Retry-After": "2"}))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return error_response(request, _from_http(error, request))
    except ConnectionError:
        # The client has gone; there is nobody to tell.
        raise
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return error_response(request, WebError(500, "internal", texts.INTERNAL))


def _from_http(error: web.HTTPException, request: web.Request) -> WebError:
    match error.status:
        case 404:
            return WebError(404, "not_found", texts.NOT_FOUND)
        case 405:
            return WebError(405, "wrong_method", texts.WRONG_METHOD, headers={"Allow": error.headers.get("Allow", "")})
        case 413:
            return WebError(413, "too_large", texts.TOO_LARGE, limit=request.client_max_size)
        case status:
            return WebError(status, "bad_request", texts.BAD_REQUEST)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_SECURITY_HEADERS)
    # Answers are private and change; page files may be kept, but are asked for anew, so that an upgrade shows at once.
    response.headers.setdefault("Cache-Control", "no-store" if request.path.startswith("/api/") else "no-cache")


class WebServer:
    """Listens, serves, and closes in order."""

    def __init__(
        self,
        options: WebOptions,
        routes: Sequence[web.RouteTableDef],
        checks: Sequence[Check] = (),
        make_token: Callable[[], str] = new_token,
    ) -> None:
        self._options = options
        self._routes = tuple(routes)
        self._checks = tuple(checks)
        self._make_token = make_token
        self._runner: web.AppRunner | None = None

    async def start(self) -> Address:
        """Listen; the address to tell people. Raises `ListenError`."""
        listening = await listen(self._options.host, self._options.port)
        options = self._options
        if options.token is None and (options.hosts or not listening.loopback):
            options = replace(options, token=self._new_token(listening))
        access = Access(options.token, options.hosts)
        app = build_app(self._routes, access, self._checks, options.max_body)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, keepalive_timeout=75.0, shutdown_timeout=_SHUTDOWN_S
        )
        await self._runner.setup()
        for sock in listening.sockets:
            await web.SockSite(self._runner, sock).start()
        return Address(f"http://{_shown(options.host)}:{listening.port}", listening.port, options.token)

    def _new_token(self, listening: Listening) -> str:
        try:
            return self._make_token()
        except OSError as error:
            for sock in listening.sockets:
                sock.close()
            raise ListenError(texts.NO_TOKEN_KEPT, error=error) from error

    async def stop(self) -> None:
        """End the event streams, let requests in progress finish, close."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _shown(host: str) -> str:
    """The host as part of an address that people can open."""
    if host in ("", "0.0.0.0"):  # noqa: S104 - compared, not bound
        return own_address(socket.AF_INET)
    if host == "::":
        return f"[{own_address(socket.AF_INET6)}]"
    return f"[{host}]" if ":" in host else host

"""Who may come in: host names, requests from other sites, the token.

Without a token the server listens on loopback only, and what protects it from web pages elsewhere is that it answers to
loopback names alone (DNS rebinding) and takes no request that another site's page can send. With a token, nothing under
`/api/` is answered without it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.web import texts
from bot.web.errors import WebError

#: Sent by our own page with every request that changes something. A page of another site can't send it: a browser
#: asks first (CORS preflight), and this server never says yes.
HEADER = "X-Kagentbot"
COOKIE = "kagentbot_session"
#: Days that a browser keeps the session; changing the token ends it at once.
_COOKIE_DAYS = 30
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: A browser says here where a request comes from; `none` is a person typing the address.
_OWN_SITE = frozenset({"same-origin", "none"})
_PROXY_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")

#: Wrong tokens within a minute, from one address and from all of them, before nobody's guess is looked at any more.
ATTEMPTS_PER_ADDRESS = 10
ATTEMPTS_IN_TOTAL = 100
_ATTEMPT_WINDOW_S = 60.0


class Attempts:
    """Counts wrong tokens, so that guessing takes years."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._window_ends = 0.0
        self._total = 0
        self._by_address: dict[str, int] = {}

    def blocked(self, address: str) -> bool:
        """Whether a guess from this address must not even be compared."""
        if self._monotonic() >= self._window_ends:
            return False
        return self._total >= ATTEMPTS_IN_TOTAL or self._by_address.get(address, 0) >= ATTEMPTS_PER_ADDRESS

    def failed(self, address: str) -> None:
        """A guess from this address was wrong."""
        now = self._monotonic()
        if now >= self._window_ends:
            self._window_ends = now + _ATTEMPT_WINDOW_S
            self._total = 0
            self._by_address.clear()
        self._total += 1
        self._by_address[address] = self._by_address.get(address, 0) + 1


class Access:
    """The door of one server."""

    def __init__(
        self, token: str | None, hosts: tuple[str, ...] = (), monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._token = token.encode() if token else None
        # The cookie is not the token: who reads a browser's cookies can't sign in elsewhere with it.
        self._session = _session_of(self._token) if self._token else None
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)
        self._attempts = Attempts(monotonic)

    @property
    def token_needed(self) -> bool:
        """Whether `/api/` asks for a token."""
        return self._token is not None

    def check(self, request: web.Request) -> None:
        """Let the request in, or raise `WebError`."""
        headers = request.headers
        host = headers.get("Host", "")
        self._check_host(host)
        path = request.path
        is_api = path.startswith("/api/")
        if not is_api and path != "/login":
            return
        if self._token is None and any(name in headers for name in _PROXY_HEADERS):
            raise WebError(403, "token_not_set", texts.PROXY_NEEDS_TOKEN)
        if headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE:
            raise WebError(403, "cross_site", texts.CROSS_SITE)
        if request.method not in _SAFE_METHODS:
            self._check_origin(headers.get("Origin"), host)
            if headers.get(HEADER) != "1":
                raise WebError(403, "header_missing", texts.NO_HEADER)
        if is_api and not self.admits(request):
            raise WebError(401, "token_needed", texts.TOKEN_NEEDED, headers={"WWW-Authenticate": "Bearer"})

    def _check_host(self, host: str) -> None:
        name = _host_name(host)
        if not name:
            raise WebError(400, "no_host", texts.NO_HOST)
        # With a token and no list, any name may lead here: what a rebinding page lacks is the cookie of our name.
        if name in self._hosts or _is_loopback_name(name) or _is_address(name):
            return
        if self._token is not None and not self._hosts:
            return
        raise WebError(
            403, "wrong_host", texts.WRONG_HOST, host=name[:100].encode("ascii", "backslashreplace").decode()
        )

    def _check_origin(self, origin: str | None, host: str) -> None:
        if origin is None:
            return
        netloc = urlsplit(origin).netloc.lower()
        if netloc and (netloc == host.lower() or _host_name(netloc) in self._hosts):
            return
        raise WebError(403, "cross_site", texts.CROSS_SITE)

    def admits(self, request: web.Request) -> bool:
        """Whether the request carries the token or the session, where one is needed.

        Raises `WebError` after too many wrong guesses.
        """
        if self._token is None or self._session is None:
            return True
        cookie = request.cookies.get(COOKIE)
        if cookie is not None and hmac.compare_digest(cookie.encode(errors="replace"), self._session):
            return True
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        return self._right(credentials.strip(), request)

    def _right(self, token: str, request: web.Request) -> bool:
        address = request.remote or ""
        if self._attempts.blocked(address):
            raise WebError(429, "too_many_attempts", texts.TOO_MANY_ATTEMPTS, headers={"Retry-After": "60"})
        if self._token is None or hmac.compare_digest(token.encode(errors="replace"), self._token):
            return True
        self._attempts.failed(address)
        return False

    async def login(self, request: web.Request) -> web.Response:
        """`POST /login`: the token in, the session cookie out."""
        try:
            body = Login.model_validate_json(await request.read())
        except ValidationError:
            raise WebError(400, "not_json", texts.NOT_JSON) from None
        if not self._right(body.token, request):
            raise WebError(401, "token_wrong", texts.TOKEN_WRONG)
        response = web.Response(status=204)
        if self._session is not None:
            response.set_cookie(
                COOKIE,
                self._session.decode(),
                max_age=_COOKIE_DAYS * 86_400,
                httponly=True,
                samesite="Strict",
                secure=request.secure or request.headers.get("X-Forwarded-Proto") == "https",
            )
        return response


class Login(BaseModel):
    """Body of `POST /login`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: str


def _session_of(token: bytes) -> bytes:
    return hmac.new(token, b"kagentbot session 1", hashlib.sha256).hexdigest().encode()


def _host_name(host: str) -> str:
    """The name in a Host header or an origin's authority, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _is_loopback_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_address(name: str) -> bool:
    # A page that a browser loaded from a bare address can't be rebound: there is no name to point elsewhere.
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def new_token() -> str:
    """A token that can't be guessed."""
    return secrets.token_urlsafe(24)


def stored_token(path: Path) -> str:
    """The token in this file; made on the first call, readable by this user only."""
    try:
        found = path.read_text("ascii").strip()
    except FileNotFoundError:
        found = ""
    if found:
        return found
    token = new_token()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    temporary.replace(path)
    return token

"""Slack's events, over sockets or HTTP, through one bolt app.

connection = open_connection(settings, store, secrets, clock)
connection.start(register)      # `register` puts middleware and listeners on the app
connection.stop()
connection.clients              # for whatever calls the Web API
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.slack import limits
from adapters.slack.connection.api import ask, sdk_logger
from adapters.slack.connection.clients import Clients, TokenInstallations
from adapters.slack.connection.installs import Installs
from adapters.slack.connection.oauth import OAuth
from adapters.slack.connection.sockets import Sockets
from adapters.slack.errors import SENTENCES, sentence
from adapters.slack.setup.checking import said
from adapters.slack.setup.doctor import problems
from adapters.slack.setup.manifest import EVENTS_PATH, INSTALL_PATH
from agent.clock import Clock
from agent.language import Lang, Text
from bot.ports import Health, StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater
from bot.secrets import Secrets
from bot.settings import Settings
from bot.settings.slack import SlackSettings
from bot.store.db import Store

log = logging.getLogger(__name__)

Register = Callable[[AsyncApp], None]

#: Seconds between two looks at a token that Slack refused, or at a Slack that couldn't be asked.
_LOOK_AGAIN_S: Final = 60.0
_LOOK_SOON_S: Final = 5.0
#: Seconds between two complaints about bad signatures: anybody can send one.
_COMPLAIN_EVERY_S: Final = 60.0

_CONNECTING = Text("connecting to Slack", "正在连接 Slack")
_SOCKETS = Text("{open} of {count} sockets", "已连接 {open}/{count}")
_LISTENING = Text("events over HTTP", "通过 HTTP 接收事件")
_NOBODY_YET = Text("no workspace has installed the app yet: open {url}", "还没有工作区安装应用：请打开 {url}")
_HELD_BACK = Text(
    "Slack holds back events of workspace {team}: there were more than {most} within an hour.",
    "Slack 正在限制工作区 {team} 的事件：一小时内超过了 {most} 个。",
)
_NO_SOCKET = Text("no socket is open", "没有打开的连接")


class SlackConnection:
    """Receives Slack's events. `start`, then `stop`."""

    def __init__(
        self,
        settings: SlackSettings,
        clients: Clients,
        oauth: OAuth | None,
        *,
        app_token: str,
        signing_secret: str,
        lang: Lang,
        broken: str = "",
    ) -> None:
        """`broken`: why nothing can work with these settings, in one sentence; "" when it can."""
        self.clients = clients
        self._settings = settings
        self._oauth = oauth
        self._app_token = app_token
        self._signing_secret = signing_secret
        self._lang = lang
        self._broken = broken
        self._app: AsyncApp | None = None
        self._sockets: Sockets | None = None
        self._look: asyncio.Task[None] | None = None
        # What the look at the installations found: how many are served; None before it could be made.
        self._served: int | None = None
        self._trouble = ""
        self._complained_at = float("-inf")

    async def start(self, register: Register) -> None:
        """Begin to receive; connects in the background, so it never waits for Slack."""
        if self._broken:
            log.error("Slack: %s", self._broken)
            return
        self._app = make_app(self.clients, self._signing_secret, self._lang)
        self._app.use(_TooManyEvents(self._lang))
        register(self._app)
        self._look = asyncio.create_task(self._look_at_installations())
        if self._settings.mode == "socket":
            proxy = self.clients.client(None).proxy
            self._sockets = Sockets(
                self._app, self._open_url, count=self._settings.sockets, proxy=proxy, lang=self._lang
            )
            await self._sockets.start()

    async def stop(self) -> None:
        """Accept nothing more: HTTP requests are told to come again, sockets are closed after what is in work is acked.
        The clients stay open, for answers in the making.
        """
        self._app = None
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)
        if self._sockets is not None:
            await self._sockets.stop()

    def health(self) -> Health:
        """Whether events can arrive and be answered."""
        if self._broken or self._trouble:
            return Health("down", self._broken or self._trouble)
        return self._of_sockets() if self._settings.mode == "socket" else self._of_installations(_LISTENING, {})

    def _of_sockets(self) -> Health:
        sockets, count = self._sockets, self._settings.sockets
        hearing = 0 if sockets is None else sockets.hearing
        fields = {"open": hearing, "count": count}
        if hearing == 0:
            if sockets is None or not (sockets.trouble or sockets.has_heard):
                return Health("starting", _CONNECTING.say(self._lang))
            return Health("down", sockets.trouble or _NO_SOCKET.say(self._lang))
        if hearing < count:
            return Health("degraded", _SOCKETS.say(self._lang, **fields))
        return self._of_installations(_SOCKETS, fields)

    def _of_installations(self, well: Text, fields: dict[str, int]) -> Health:
        if troubles := self.clients.troubles:
            return Health("degraded", troubles[-1])
        if self._served is None:
            return Health("starting", _CONNECTING.say(self._lang))
        if self._served == 0 and self._oauth is not None and not (self._oauth.installed or self.clients.serves):
            url = f"{self._settings.public_url}{INSTALL_PATH}"
            return Health("ok", _NOBODY_YET.say(self._lang, url=url))
        return Health("ok", well.say(self._lang, **fields))

    def routes(self) -> web.RouteTableDef | None:
        """Slack's requests in HTTP mode, and the pages of an installation."""
        routes = web.RouteTableDef()
        if self._broken:
            return None
        if self._settings.mode == "http":
            routes.get(EVENTS_PATH)(self._probe)
            routes.post(EVENTS_PATH)(self._receive)
        if self._oauth is not None:
            self._oauth.add_to(routes)
        return routes if len(routes) else None

    async def _probe(self, request: web.Request) -> web.Response:
        """Slack looks at the certificate of a command's address from time to time (`ssl_check`)."""
        return web.Response(status=200 if request.query.get("ssl_check") == "1" else 405)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        """One request of Slack's. Nothing is done, not even parsed, before its signature is known to be right."""
        body = await request.read()
        if not self._is_from_slack(body, request):
            return web.Response(status=401)
        app = self._app
        if app is None:
            # Slack delivers again, then perhaps to the process after this one.
            return web.Response(status=503)
        try:
            asked = await to_bolt_request(request)
        except (UnicodeDecodeError, LookupError, ValueError):
            return web.Response(status=400)
        return await to_aiohttp_response(await app.async_dispatch(asked))

    def _is_from_slack(self, body: bytes, request: web.Request) -> bool:
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if self._signing_secret and is_signed(self._signing_secret, body, stamp, signature, time.time()):
            return True
        now = asyncio.get_running_loop().time()
        if now - self._complained_at >= _COMPLAIN_EVERY_S:
            self._complained_at = now
            log.warning("%s", SENTENCES["bad_signature"].say(self._lang))
        return False

    async def _open_url(self) -> str:
        answer = await ask(self.clients.client(None), "apps.connections.open", app_token=self._app_token)
        url = answer.get("url")
        if not isinstance(url, str):
            raise Ambiguous("apps.connections.open: no address")
        return url

    async def _look_at_installations(self) -> None:
        """Find out who we are, and tell the operator at the start what would go wrong later."""
        while True:
            try:
                self._served = await self.clients.verify()
                self._trouble = ""
                return
            except Refused as refused:
                pause, trouble = _LOOK_AGAIN_S, said(refused, self._lang)
            except RetryLater as later:
                pause, trouble = max(_LOOK_SOON_S, later.seconds), said(later, self._lang)
            except Ambiguous as problem:
                pause, trouble = _LOOK_SOON_S, said(problem, self._lang)
            except StoreUnavailable as problem:
                pause, trouble = _LOOK_SOON_S, problem.text.say(self._lang)
            if trouble != self._trouble:
                log.error("Slack: %s", trouble)
            self._trouble = trouble
            await asyncio.sleep(pause)


def is_signed(secret: str, body: bytes, stamp: str, signature: str, now: float) -> bool:
    """Whether Slack sent this request within the last minutes (docs.slack.dev, verifying requests from Slack).

    Of our own: slack_sdk's check decodes the body first, and fails on one that is not UTF-8.
    """
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(now - int(stamp)) > limits.SIGNATURE_S:
        return False
    right = "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right.encode(), signature.encode(errors="replace"))


class _Authorize(AsyncAuthorize):
    """bolt's question, asked of the clients. A class, because for a function bolt inspects its arguments each time."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_: Any,
    ) -> AuthorizeResult | None:
        return await self._clients.authorize(context, enterprise_id, team_id)


class _TooManyEvents(AsyncMiddleware):
    """Slack's notice that it holds events back (`app_rate_limited`), which is no event: acked, and said in the log."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - bolt's name
    ) -> BoltResponse | None:
        if req.body.get("type") != "app_rate_limited":
            return await next()
        log.warning("%s", _HELD_BACK.say(self._lang, team=req.body.get("team_id"), most=limits.EVENTS_PER_HOUR))
        return BoltResponse(status=200, body="")


def make_app(clients: Clients, signing_secret: str, lang: Lang) -> AsyncApp:
    """The bolt app without listeners. To be called inside the event loop.

    Nothing in the environment changes it: bolt reads tokens and secrets from there by itself and, with a client id and
    secret, would become another kind of app.
    """
    with _without_slack_variables():
        return AsyncApp(
            name="kagentbot",
            logger=sdk_logger(),
            signing_secret=signing_secret,
            client=clients.client(None),
            authorize=_Authorize(clients),  # type: ignore[arg-type]  # bolt's type lacks None, which it takes
            user_facing_authorize_error_message=sentence("not_installed", lang),
            attaching_function_token_enabled=False,
            # We call the Web API ourselves, within its limits.
            attaching_conversation_kwargs_enabled=False,
        )


@contextlib.contextmanager
def _without_slack_variables() -> Iterator[None]:
    kept = {name: value for name, value in os.environ.items() if name.startswith("SLACK_")}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)


def open_connection(settings: Settings, store: Store, secrets: Secrets, clock: Clock) -> SlackConnection:
    """The connection of these settings. Connects to nothing yet."""
    slack, keys, lang = settings.slack, settings.credentials, settings.lang
    found = problems(settings)
    for problem in found:
        if not problem.fatal:
            log.warning("Slack: %s", problem.text.say(lang))
    allowed = frozenset(slack.workspaces)
    token = keys.slack_bot_token
    oauth: OAuth | None = None
    if slack.client_id and slack.client_secret is not None:
        installs = Installs(store, secrets, clock)
        # An empty list serves nobody here: anybody could install the app.
        clients = Clients(
            lambda _: installs, api_url=slack.api_url, allowed=allowed, monotonic=clock.monotonic, lang=lang
        )
        oauth = OAuth(
            clients,
            installs,
            client_id=slack.client_id,
            client_secret=slack.client_secret.get_secret_value(),
            public_url=slack.public_url or "",
            lang=lang,
        )
    else:
        secret = token.get_secret_value() if token is not None else ""
        clients = Clients(
            lambda made: TokenInstallations(made, secret, clock.monotonic),
            api_url=slack.api_url,
            allowed=allowed or None,
            monotonic=clock.monotonic,
            lang=lang,
        )
    return SlackConnection(
        slack,
        clients,
        oauth,
        app_token=keys.slack_app_token.get_secret_value() if keys.slack_app_token else "",
        signing_secret=keys.slack_signing_secret.get_secret_value() if keys.slack_signing_secret else "",
        lang=lang,
        broken=next((problem.text.say(lang) for problem in found if problem.fatal), ""),
    )

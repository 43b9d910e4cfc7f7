"""Workspaces install the app themselves: Slack's OAuth, from the link to the kept installation.

The state that travels with the browser says when it ends and is signed, so any process can check it; it is worth
something only in the browser that holds the cookie made with it. What comes back is a page with one sentence.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from html import escape
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from adapters.slack import limits
from adapters.slack.connection.api import Identity, SlackRefused, ask, scopes_in
from adapters.slack.connection.clients import Clients, identify
from adapters.slack.connection.installs import Installation, Installs
from adapters.slack.errors import sentence
from adapters.slack.setup.manifest import INSTALL_PATH, OPTIONAL_SCOPES, REDIRECT_PATH, SCOPES, lacking
from agent.language import Lang, Text
from bot.ports import StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater
from bot.secrets import SecretsError

log = logging.getLogger(__name__)

#: Seconds from the link to the way back; the code that Slack gives is good for as long.
_STATE_S: Final = limits.OAUTH_CODE_S
_COOKIE: Final = "kagentbot_slack_install"
_COOKIE_PATH: Final = "/slack"

_DONE = Text(
    "kagent is installed in {team}: invite it to a channel with /invite, or write to it directly.",
    "kagent 已安装到 {team}：请用 /invite 邀请它进入频道，或直接给它发私信。",
)
_CANCELLED = Text(
    "The installation was cancelled, and nothing was changed: begin again whenever you like.",
    "安装已取消，没有做任何改动：可以随时重新开始。",
)
_STALE = Text(
    "This installation was not begun in this browser, or too long ago: begin again with the link below.",
    "这次安装不是在当前浏览器中开始的，或者已经过期：请用下面的链接重新开始。",
)
_NOT_SERVED = Text(
    "This server doesn't serve your workspace ({team}), and nothing was kept: ask its operator to allow {id}.",
    "本服务不为你的工作区（{team}）提供服务，没有保存任何内容：请联系运维人员允许 {id}。",
)
_LACKING = Text(
    "Slack granted too little, and nothing was kept: begin again and allow {scopes}.",
    "Slack 授予的权限不足，没有保存任何内容：请重新开始并允许 {scopes}。",
)
_LATER = Text(
    "Slack can't be reached just now, and nothing was kept: try again in a minute.",
    "暂时无法连接 Slack，没有保存任何内容：请一分钟后重试。",
)
_NOT_KEPT = Text(
    "The installation could not be saved: try again in a minute, or ask the operator.",
    "安装信息无法保存：请一分钟后重试，或联系运维人员。",
)
_AGAIN = Text("Install kagent", "安装 kagent")

_PAGE: Final = """<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>kagent</title>
<p lang="en">{en}</p>
<p lang="zh">{zh}</p>
{link}
</html>
"""


class OAuth:
    """The two pages of an installation."""

    def __init__(
        self,
        clients: Clients,
        installs: Installs,
        *,
        client_id: str,
        client_secret: str,
        public_url: str,
        lang: Lang,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`public_url`: the address that browsers know this server by, without a slash at its end."""
        self._clients = clients
        self._installs = installs
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect = f"{public_url}{REDIRECT_PATH}"
        # On this machine there is no TLS, and a browser drops a `Secure` cookie there.
        self._secure = public_url.startswith("https://")
        self._lang = lang
        self._now = now
        #: Whether a workspace has installed the app through this process.
        self.installed = False
        # Bound to what it is for: the client secret itself signs nothing.
        self._key = hmac.digest(client_secret.encode(), b"kagentbot: state of a Slack installation", hashlib.sha256)

    def add_to(self, routes: web.RouteTableDef) -> None:
        """`/slack/install` and `/slack/oauth_redirect`."""
        routes.get(INSTALL_PATH)(self.install)
        routes.get(REDIRECT_PATH)(self.come_back)

    async def install(self, request: web.Request) -> web.StreamResponse:
        """On to Slack, with a state that only this browser can bring back."""
        browser = secrets.token_urlsafe(24)
        query = {
            "client_id": self._client_id,
            "scope": ",".join([*sorted(SCOPES), *sorted(OPTIONAL_SCOPES)]),
            "state": self._state(browser, int(self._now() + _STATE_S)),
            "redirect_uri": self._redirect,
        }
        response = web.Response(
            status=302, headers={"Location": f"{authorize_url(self._clients.api_url)}?{urlencode(query)}"}
        )
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(
            _COOKIE,
            browser,
            max_age=int(_STATE_S),
            path=_COOKIE_PATH,
            httponly=True,
            # Lax: the way back is a link from Slack's site.
            samesite="Lax",
            secure=self._secure,
        )
        return response

    async def come_back(self, request: web.Request) -> web.StreamResponse:
        """From Slack: keep the installation, or say why not."""
        query = request.query
        if not self._is_ours(query.get("state", ""), request.cookies.get(_COOKIE, "")):
            return _page(400, _STALE, again=True)
        error = query.get("error")
        if error is not None:
            cancelled = error == "access_denied"
            return _page(200 if cancelled else 400, _CANCELLED if cancelled else _both(error), again=True)
        try:
            return await self._finish(query.get("code", ""))
        except SlackRefused as refused:
            log.warning("an installation failed: %s", sentence(refused.code, self._lang, needed=refused.needed))
            return _page(400, _both(refused.code, needed=refused.needed), again=True)
        except (RetryLater, Ambiguous, Refused):
            return _page(503, _LATER, again=True)
        except (SecretsError, StoreUnavailable) as problem:
            log.error("an installation could not be saved: %s", problem)
            return _page(503, _NOT_KEPT, again=True)

    async def _finish(self, code: str) -> web.StreamResponse:
        answer = await ask(
            self._clients.client(None),
            "oauth.v2.access",
            client_id=self._client_id,
            client_secret=self._client_secret,
            code=code,
            redirect_uri=self._redirect,
        )
        granted: dict[str, Any] = answer.data if isinstance(answer.data, dict) else {}
        token = str(granted.get("access_token") or "")
        if not token or granted.get("token_type") != "bot":
            raise SlackRefused("not_bot_token")
        identity = _identity(granted)
        name = identity.team_name or identity.workspace
        if not self._clients.allows(identity):
            await self._give_back(token)
            return _page(403, _filled(_NOT_SERVED, team=name, id=identity.workspace))
        if missing := lacking(identity.scopes):
            # Not given back: it may be the token of an earlier installation that works.
            return _page(400, _filled(_LACKING, scopes=", ".join(missing)), again=True)
        # Its answer has what the other one lacks: the bot's own id, and the workspace's address.
        known = await identify(self._clients.client(token))
        identity = Identity(
            team_id=identity.team_id,
            enterprise_id=identity.enterprise_id,
            bot_user_id=known.bot_user_id,
            bot_id=known.bot_id,
            scopes=identity.scopes,
            team_name=identity.team_name,
            url=known.url,
            org_wide=identity.org_wide,
        )
        await self._installs.save(Installation(identity, token), _installer(granted))
        self.installed = True
        log.info("the app was installed in %s", identity.workspace)
        return _page(200, _filled(_DONE, team=name))

    async def _give_back(self, token: str) -> None:
        """A token that isn't kept should be of no use to anybody."""
        try:
            await ask(self._clients.client(token), "auth.revoke")
        except (Refused, RetryLater, Ambiguous) as problem:
            log.warning("a token that isn't needed could not be revoked: %s", type(problem).__name__)

    def _state(self, browser: str, until: int) -> str:
        signed = hmac.new(self._key, f"{until}.{browser}".encode(), hashlib.sha256).hexdigest()
        return f"{until}.{signed}"

    def _is_ours(self, state: str, browser: str) -> bool:
        until, _, _ = state.partition(".")
        if not browser or not (until.isascii() and until.isdigit() and len(until) <= 12) or int(until) < self._now():
            return False
        return hmac.compare_digest(state.encode(errors="replace"), self._state(browser, int(until)).encode())


def authorize_url(api_url: str) -> str:
    """Slack's page that asks for consent; it is on the Web API's host."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc}/oauth/v2/authorize"


def _identity(granted: dict[str, Any]) -> Identity:
    team, enterprise = granted.get("team") or {}, granted.get("enterprise") or {}
    org_wide = bool(granted.get("is_enterprise_install"))
    return Identity(
        team_id="" if org_wide else str(team.get("id") or ""),
        enterprise_id=str(enterprise.get("id") or ""),
        bot_user_id=str(granted.get("bot_user_id") or ""),
        bot_id="",
        scopes=scopes_in(str(granted.get("scope") or "")),
        team_name=str((enterprise if org_wide else team).get("name") or ""),
        org_wide=org_wide,
    )


def _installer(granted: dict[str, Any]) -> str:
    return str((granted.get("authed_user") or {}).get("id") or "")[:128]


def _both(code: str, needed: str = "") -> Text:
    return Text(sentence(code, "en", needed=needed), sentence(code, "zh", needed=needed))


def _filled(text: Text, **fields: object) -> Text:
    return Text(text.say("en", **fields), text.say("zh", **fields))


def _page(status: int, text: Text, *, again: bool = False) -> web.Response:
    """The sentence in both languages: a browser that comes from Slack has told us none."""
    link = f'<p><a href="{INSTALL_PATH}">{_AGAIN.en} · {_AGAIN.zh}</a></p>' if again else ""
    body = _PAGE.format(lang="en", en=escape(text.en), zh=escape(text.zh), link=link)
    response = web.Response(status=status, text=body, content_type="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.del_cookie(_COOKIE, path=_COOKIE_PATH)
    return response

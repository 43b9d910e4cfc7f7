"""The Web API client of each installed workspace, and the one HTTP session that all of them share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import limits
from adapters.slack.connection.api import (
    CALL_TIMEOUT_S,
    SCOPES_CHANGED,
    Identity,
    SlackApi,
    SlackRefused,
    ask,
    make_client,
    scopes_in,
)
from adapters.slack.errors import OPERATOR, REVOKED, TOKEN_CODES, sentence
from adapters.slack.setup.manifest import lacking
from agent.language import Lang
from bot.budget import RateBudget
from bot.posting import Ambiguous, Refused, RetryLater

log = logging.getLogger(__name__)

#: Seconds for the connection itself: a host that doesn't answer is found out before the call's own time is over, and
#: then it is certain that nothing was sent.
_CONNECT_S = 10.0
#: Seconds until a token that was refused is tried again: events must not become one auth.test each.
_REFUSED_FOR_S = 60.0
#: Nobody here is to answer an event from such a workspace. With a token that is only wrong, events are left to be
#: delivered again: the operator may be mending it.
_NOBODYS = REVOKED | {"not_installed", "not_allowed"}
#: Troubles that are remembered; foreign workspaces must not fill the memory.
_MOST_TOLD = 1_000


class Installed(Protocol):
    """One installation with its token. `installs.Installation` is one."""

    @property
    def identity(self) -> Identity: ...

    @property
    def token(self) -> str: ...

    @property
    def stamp(self) -> object:
        """Changes whenever the installation does."""


class Installations(Protocol):
    """Where installations are looked up: `installs.Installs`, or the one token of the settings."""

    async def find(self, workspace: str) -> Installed | None:
        """That of a team or an organisation; None: not installed there. Raises what the database or Slack does."""

    async def every(self) -> Sequence[Installed]:
        """All of them. Raises as `find` does."""

    async def belongs(self, team_id: str, enterprise_id: str) -> None:
        """This team is served by that organisation's installation."""

    async def revoked(self, workspace: str, stamp: object) -> None:
        """The installation with this stamp is gone."""


class Clients:
    """All clients. `close` once, at the end."""

    def __init__(
        self,
        installations: Callable[[Clients], Installations],
        *,
        api_url: str,
        allowed: frozenset[str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        lang: Lang = "en",
    ) -> None:
        """`allowed`: ids of the teams and organisations that are served; None: all that have installed the app. `lang`:
        that of the log's sentences.
        """
        self.api_url = api_url
        self._allowed = allowed
        self._installations = installations(self)
        self._lang = lang
        self._budget = RateBudget(limits.rate_of, monotonic)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._apis: dict[str, tuple[object, SlackApi]] = {}
        # A dictionary for its order.
        self._told: dict[tuple[str, str, str], None] = {}
        # Workspaces whose installation is being looked into.
        self._doubts: dict[str, asyncio.Task[None]] = {}

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session. To be used inside the event loop, before `close`."""
        if self._closed:
            raise RuntimeError("the connections to Slack are closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S, sock_connect=_CONNECT_S)
            )
        return self._session

    @property
    def troubles(self) -> tuple[str, ...]:
        """One sentence for each trouble that an operator can mend, the newest last."""
        return tuple(dict.fromkeys(sentence(code, self._lang, needed=needed) for _, code, needed in self._told))

    @property
    def serves(self) -> bool:
        """Whether any workspace has been served by this process."""
        return bool(self._apis)

    def client(self, token: str | None) -> AsyncWebClient:
        """A client of slack_sdk for this token (None: for calls that carry their own)."""
        return make_client(token, self.session, self.api_url)

    async def api(self, workspace: str) -> SlackApi:
        """The Web API for the team or organisation with this id.

        Raises `Refused`: "not_installed", "not_allowed", or what Slack says about the token; `RetryLater` and
        `Ambiguous` when Slack can't be asked, `StoreUnavailable` when the database can't.
        """
        installed = await self._installations.find(workspace)
        if installed is None:
            self._apis.pop(workspace, None)
            raise Refused("not_installed")
        if not self.allows(installed.identity):
            raise Refused("not_allowed")
        cached = self._apis.get(workspace)
        if cached is not None and cached[0] == installed.stamp and not cached[1].session.closed:
            return cached[1]
        client = self.client(installed.token)
        api = SlackApi(installed.identity, client, self._budget, self._hears(workspace))
        self._apis[workspace] = installed.stamp, api
        # It was looked up anew: whatever was wrong with its token isn't any more.
        self._unsay(workspace, None if cached is not None else _NOBODYS | TOKEN_CODES)
        return api

    def allows(self, identity: Identity) -> bool:
        """Whether this workspace is served."""
        return self._allowed is None or bool(self._allowed & {identity.team_id, identity.enterprise_id})

    async def authorize(
        self, context: AsyncBoltContext, enterprise_id: str | None, team_id: str | None
    ) -> AuthorizeResult | None:
        """bolt's question: whose token an event is for; None: nobody's, the event is acked and dropped.

        Raises where the answer is unknown just now; bolt then answers 500, and Slack delivers again.
        """
        for workspace in _candidates(context, enterprise_id, team_id):
            try:
                api = await self.api(workspace)
            except Refused as refused:
                self._tell(workspace, refused.code, "")
                if refused.code not in _NOBODYS:
                    raise
                continue
            if api.identity.org_wide and team_id and team_id != api.team_id:
                await self._installations.belongs(team_id, api.enterprise_id)
            return AuthorizeResult(
                enterprise_id=api.enterprise_id or enterprise_id,
                team_id=api.team_id or team_id,
                bot_user_id=api.bot_user_id,
                bot_id=api.bot_id,
                bot_token=api.token,
                bot_scopes=sorted(api.scopes),
            )
        return None

    async def workspaces(self) -> list[str]:
        """Ids of the workspaces that are served. Raises as `api` does."""
        found = [installed.identity for installed in await self._installations.every()]
        return [identity.workspace for identity in found if self.allows(identity)]

    async def verify(self) -> int:
        """Look at all installations: whether each is served and may do what it must; what is wrong is told to the
        operator. How many can be served. Raises as `api` does.
        """
        served = 0
        for installed in await self._installations.every():
            identity = installed.identity
            if not self.allows(identity):
                self._tell(identity.workspace, "not_allowed", "")
                continue
            served += 1
            if missing := lacking(identity.scopes):
                self._tell(identity.workspace, "missing_scope", ", ".join(missing))
        return served

    async def forget(self, workspace: str) -> None:
        """Slack says that the app was removed from this workspace, or its token taken back: unless it works, which it
        does when the app was installed again meanwhile, nothing is called with it any more.
        """
        self._apis.pop(workspace, None)
        installed = await self._installations.find(workspace)
        if installed is None:
            return
        try:
            await identify(self.client(installed.token))
        except (Refused, RetryLater, Ambiguous) as problem:
            await self._installations.revoked(workspace, installed.stamp)
            if isinstance(problem, Refused) and isinstance(self._installations, TokenInstallations):
                # Of the one workspace of the settings: only an operator can install the app there again.
                self._tell(workspace, problem.code, "")

    async def close(self) -> None:
        """Close the session; nothing may be called after this."""
        self._closed = True
        doubts = list(self._doubts.values())
        for task in doubts:
            task.cancel()
        await asyncio.gather(*doubts, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _hears(self, workspace: str) -> Callable[[str, str, str], None]:
        def trouble(method: str, code: str, needed: str) -> None:
            if code == SCOPES_CHANGED:
                self._unsay(workspace, frozenset({"missing_scope"}))
                return
            if code in REVOKED and workspace not in self._doubts:
                task = asyncio.ensure_future(self._revoked(workspace))
                self._doubts[workspace] = task
                task.add_done_callback(lambda _: self._doubts.pop(workspace))
            self._tell(workspace, code, needed)

        return trouble

    async def _revoked(self, workspace: str) -> None:
        try:
            await self.forget(workspace)
        except Exception as error:  # noqa: BLE001 - the token is refused by Slack anyway; the next call says so again
            log.warning("the installation of %s can't be marked as revoked: %s", workspace, type(error).__name__)

    def _unsay(self, workspace: str, codes: frozenset[str] | None) -> None:
        """These troubles of a workspace are over; None: all of them."""
        self._told = {
            told: None for told in self._told if told[0] != workspace or (codes is not None and told[1] not in codes)
        }

    def _tell(self, workspace: str, code: str, needed: str) -> None:
        """Once for each workspace and code: what an operator can mend."""
        told = (workspace, code, needed)
        if code not in OPERATOR or told in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told[told] = None
        log.warning("Slack, %s: %s", workspace, sentence(code, self._lang, needed=needed))


def _candidates(context: AsyncBoltContext, enterprise_id: str | None, team_id: str | None) -> list[str]:
    """Whose installation it may be, the likeliest first. bolt has the ids from the event's `authorizations`, so in a
    channel shared between organisations they are ours and not the author's.
    """
    org_wide = bool(context.get("is_enterprise_install"))
    found = [enterprise_id, team_id] if org_wide else [team_id, enterprise_id]
    return list(dict.fromkeys(each for each in found if each))


class NoInstallations:
    """None: for calls that carry their own token."""

    async def find(self, workspace: str) -> Installed | None:
        """None."""
        return None

    async def every(self) -> list[Installed]:
        """None."""
        return []

    async def belongs(self, team_id: str, enterprise_id: str) -> None:
        """Nothing."""

    async def revoked(self, workspace: str, stamp: object) -> None:
        """Nothing."""


class TokenInstallations:
    """The one workspace of the settings' bot token. Slack says which, the first time that it is needed."""

    def __init__(self, clients: Clients, token: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clients = clients
        self._token = token
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._installed: _ByToken | None = None
        self._refused: Refused | None = None
        self._retry_at = 0.0

    async def find(self, workspace: str) -> Installed | None:
        """The token's installation, where it is that workspace's. Raises `Refused` when the token is no good."""
        installed = await self.only()
        identity = installed.identity
        if workspace in {identity.team_id, identity.enterprise_id}:
            return installed
        # Only events of its own organisation reach an app that is installed in a whole one.
        return installed.at(workspace) if identity.org_wide else None

    async def every(self) -> list[Installed]:
        """The one."""
        return [await self.only()]

    async def only(self) -> _ByToken:
        """The token's installation, wherever it is. Raises as `api.ask` does."""
        async with self._lock:
            if self._installed is not None:
                return self._installed
            if self._refused is not None and self._monotonic() < self._retry_at:
                raise self._refused
            try:
                identity = await identify(self._clients.client(self._token))
            except Refused as refused:
                self._refused, self._retry_at = refused, self._monotonic() + _REFUSED_FOR_S
                raise
            self._installed, self._refused = _ByToken(identity, self._token), None
            return self._installed

    async def belongs(self, team_id: str, enterprise_id: str) -> None:
        """Nothing to keep: the one token serves all teams that its events come from."""

    async def revoked(self, workspace: str, stamp: object) -> None:
        """The token is asked about again before it is used again."""
        self._installed = None


class _ByToken:
    def __init__(self, identity: Identity, token: str) -> None:
        self.identity = identity
        self.token = token
        self.stamp: object = identity

    def at(self, team_id: str) -> _ByToken:
        return _ByToken(replace(self.identity, team_id=team_id), self.token)


async def identify(client: AsyncWebClient) -> Identity:
    """Whose token it is. Raises as `api.ask` does."""
    answer = await ask(client, "auth.test")
    data = answer.data
    if not isinstance(data, dict):
        raise Ambiguous("auth.test: no JSON")
    granted = str(answer.headers.get("x-oauth-scopes") or "")
    if not data.get("bot_id"):
        # A user's token: everything would be said in that person's name.
        raise SlackRefused("not_bot_token")
    org_wide = bool(data.get("is_enterprise_install"))
    return Identity(
        team_id="" if org_wide else str(data.get("team_id") or ""),
        enterprise_id=str(data.get("enterprise_id") or ""),
        bot_user_id=str(data.get("user_id") or ""),
        bot_id=str(data.get("bot_id") or ""),
        scopes=scopes_in(granted),
        team_name=str(data.get("team") or ""),
        url=str(data.get("url") or ""),
        org_wide=org_wide,
    )

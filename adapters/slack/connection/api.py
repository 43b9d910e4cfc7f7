"""Slack's Web API within its limits, and what its failures mean."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack import limits
from adapters.slack.errors import SENTENCES, sentence
from bot.budget import RateBudget
from bot.posting import Ambiguous, Refused, RetryLater

#: Seconds until a call is given up as unanswered; Slack's own clients wait as long.
CALL_TIMEOUT_S = 30.0
#: Seconds to wait when there was no connection at all.
UNREACHABLE_S = 0.5
#: What Slack calls failures of its own: part of the work may have been done, so the outcome is unknown.
_OF_ITS_OWN = frozenset({"internal_error", "fatal_error", "service_unavailable"})
#: Slack did not get the whole request, so it did nothing.
_INCOMPLETE = frozenset({"request_timeout"})
#: Sent with or without status 429.
_RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})

#: What slack_sdk and slack_bolt log. Never below WARNING, whatever the server's level: further down they write bodies.
#: A level of its own, because both look at `logger.level` and take 0 for DEBUG.
_log = logging.getLogger("adapters.slack.sdk")
_log.setLevel(logging.WARNING)


class RateLimited(RetryLater):
    """Slack has refused a call because there were too many."""


class SlackRefused(Refused):
    """A refusal with what Slack says about it."""

    def __init__(self, code: str, *, needed: str = "", messages: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        #: With `missing_scope`: the scopes that would do, with commas.
        self.needed = needed
        #: With `invalid_arguments` and the like: what is wrong where. May quote what was sent.
        self.messages = messages
        #: Where the call was about; "" nowhere in particular.
        self.channel = ""

    def __str__(self) -> str:
        """For the log: what it means, where that is known."""
        where = f" in {self.channel}" if self.channel else ""
        meaning = f": {sentence(self.code, 'en', needed=self.needed)}" if self.code in SENTENCES else ""
        return f"Slack refused{where}: {self.code}{meaning}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token speaks for, as auth.test or the installation says."""

    #: Our workspace; "" for an installation in a whole organisation.
    team_id: str
    enterprise_id: str
    bot_user_id: str
    bot_id: str
    scopes: frozenset[str]
    team_name: str = ""
    #: https address of the workspace, for links; "" unknown.
    url: str = ""
    #: Whether the app is installed for all workspaces of the organisation.
    org_wide: bool = False

    @property
    def workspace(self) -> str:
        """The workspace of our keys: the team, or the organisation where there is none."""
        return self.team_id or self.enterprise_id


def scopes_in(granted: str) -> frozenset[str]:
    """The scopes of a header or an answer, which have commas between them."""
    return frozenset(scope.strip() for scope in granted.split(",") if scope.strip())


def sdk_logger() -> logging.Logger:
    """The logger to give to slack_sdk and slack_bolt."""
    return _log


def make_client(token: str | None, session: aiohttp.ClientSession, api_url: str) -> AsyncWebClient:
    """A client that shares the session and repeats nothing by itself: a repeated POST may post twice."""
    return AsyncWebClient(
        token=token,
        base_url=api_url,
        timeout=int(CALL_TIMEOUT_S),
        session=session,
        logger=_log,
        retry_handlers=[],
    )


async def ask(client: AsyncWebClient, method: str, **arguments: Any) -> AsyncSlackResponse:
    """One call. Raises `RetryLater` when Slack did nothing and may be asked again, `Ambiguous` when nobody knows,
    `SlackRefused` when it never will.

    Arguments are sent the way that slack_sdk's method of that name does: reading methods take no JSON.
    """
    send = getattr(client, method.replace(".", "_"), None)
    try:
        if send is None:
            return await client.api_call(method, json=arguments)
        answer: AsyncSlackResponse = await send(**arguments)
        return answer
    except SlackApiError as error:
        raise _meaning(method, error.response) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
        # Nothing was sent.
        raise RetryLater(UNREACHABLE_S) from error
    except (aiohttp.InvalidURL, SlackRequestError) as error:
        raise SlackRefused("invalid_arguments") from error
    except (aiohttp.ClientError, TimeoutError, OSError, AttributeError) as error:
        # AttributeError: slack_sdk, about a body that is plain text, as a proxy may send one.
        raise Ambiguous(f"{method}: {type(error).__name__}") from error


def _meaning(method: str, response: Any) -> Exception:
    """What an answer that isn't ok means."""
    if not isinstance(response, AsyncSlackResponse):
        # A body that can't be read: all that is left is the status.
        status, headers, data = int(getattr(response, "status", 0)), getattr(response, "headers", {}), {}
    else:
        status, headers = response.status_code, response.headers
        data = response.data if isinstance(response.data, dict) else {}
    code = str(data.get("error") or "")
    if status == 429 or code in _RATE_LIMITED:
        return RateLimited(_retry_after(headers))
    if status >= 500 or code in _OF_ITS_OWN or not code:
        return Ambiguous(f"{method}: {code or f'status {status}'}")
    if code in _INCOMPLETE:
        return RetryLater(UNREACHABLE_S)
    metadata = data.get("response_metadata") or {}
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return SlackRefused(code, needed=str(data.get("needed") or ""), messages=tuple(map(str, messages or ())))


def _retry_after(headers: Any) -> float:
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return limits.RETRY_AFTER_DEFAULT_S
    # Slack's number is whole seconds; 0 or less would make a loop of us.
    return seconds if 1.0 <= seconds < float("inf") else 1.0


#: A code of our own for `OnTrouble`: the installation has other scopes than it had.
SCOPES_CHANGED = "scopes_changed"

#: Hears of every refusal and warning: the method, Slack's code, and the scopes that a `missing_scope` names.
OnTrouble = Callable[[str, str, str], None]


class SlackApi:
    """The Web API for one installed workspace."""

    def __init__(
        self, identity: Identity, client: AsyncWebClient, budget: RateBudget, on_trouble: OnTrouble | None = None
    ) -> None:
        """`on_trouble(method, code, needed)` hears of refusals and warnings; it must not raise."""
        self.identity = identity
        self._client = client
        self._budget = budget
        self._on_trouble = on_trouble
        self._granted = ""

    @property
    def team_id(self) -> str:
        return self.identity.team_id

    @property
    def enterprise_id(self) -> str:
        return self.identity.enterprise_id

    @property
    def bot_user_id(self) -> str:
        return self.identity.bot_user_id

    @property
    def bot_id(self) -> str:
        return self.identity.bot_id

    @property
    def scopes(self) -> frozenset[str]:
        """What this installation was granted."""
        return self.identity.scopes

    @property
    def token(self) -> str:
        """For Slack's file hosts alone; never to be logged or shown."""
        return self._client.token or ""

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session of all calls."""
        session = self._client.session
        assert session is not None  # noqa: S101 - `make_client` always gives one
        return session

    @property
    def proxy(self) -> str | None:
        """The proxy that all calls go through."""
        return self._client.proxy

    async def call(self, method: str, *, channel: str = "", urgent: bool = False, **arguments: Any) -> dict[str, Any]:
        """One call within the workspace's budget; what Slack answered.

        `channel` is sent, too. An `urgent` call may use the part of the budget that is kept for the end of an answer
        and for Stop. Raises `RetryLater` at once, without asking Slack, when the budget is spent: whoever calls has
        checked its lease just before, so there is no waiting in here. Raises also what `ask` does.
        """
        keys = self._keys(method, channel)
        if (wait := self._budget.take(*keys, urgent=urgent)) > 0:
            raise RetryLater(wait)
        if channel:
            arguments["channel"] = channel
        try:
            answer = await ask(self._client, method, **arguments)
        except RateLimited as later:
            self._budget.penalise(keys, later.seconds)
            raise
        except SlackRefused as refused:
            refused.channel = channel
            self._tell(method, refused.code, refused.needed)
            raise
        data = answer.data
        if not isinstance(data, dict):
            raise Ambiguous(f"{method}: no JSON")
        self._hear_warnings(method, data)
        self._hear_scopes(method, str(answer.headers.get("x-oauth-scopes") or ""))
        return data

    async def call_patiently(
        self, method: str, *, channel: str = "", urgent: bool = False, most_s: float = 10.0, **arguments: Any
    ) -> dict[str, Any]:
        """`call`, waiting as long as it is told to, up to `most_s` seconds in all. For what holds no lease: names of
        people, views, what a person has just clicked.
        """
        deadline = asyncio.get_running_loop().time() + most_s
        while True:
            try:
                return await self.call(method, channel=channel, urgent=urgent, **arguments)
            except RetryLater as later:
                if asyncio.get_running_loop().time() + later.seconds > deadline:
                    raise
                await asyncio.sleep(later.seconds)

    def left(self, method: str, channel: str = "") -> float:
        """How many calls of this method may be made right now that are not urgent."""
        return self._budget.left(*self._keys(method, channel))

    def _keys(self, method: str, channel: str) -> tuple[str, ...]:
        workspace = self.identity.workspace
        if channel and method in limits.POSTS:
            return f"{workspace}/{method}", f"{workspace}/{channel}/{limits.POST}"
        return (f"{workspace}/{method}",)

    def _hear_warnings(self, method: str, data: dict[str, Any]) -> None:
        warning = data.get("warning")
        if isinstance(warning, str):
            for code in warning.split(","):
                self._tell(method, code.strip(), "")

    def _hear_scopes(self, method: str, granted: str) -> None:
        """Slack sends with each answer what is granted: somebody may have installed the app again with more."""
        if not granted or granted == self._granted:
            return
        self._granted = granted
        scopes = scopes_in(granted)
        if scopes != self.identity.scopes:
            self.identity = replace(self.identity, scopes=scopes)
            self._tell(method, SCOPES_CHANGED, "")

    def _tell(self, method: str, code: str, needed: str) -> None:
        if self._on_trouble is not None:
            self._on_trouble(method, code, needed)

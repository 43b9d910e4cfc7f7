"""Discord's REST API within its limits, and what its failures mean.

rest = Rest(token)
await rest.call("POST", "/channels/{channel_id}/messages", channel_id=1, json={"content": "Hello"})
await rest.close()
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import discord
from discord.http import HTTPClient, Route

from adapters.discord import limits
from adapters.discord.connection.buckets import Buckets, Taken
from adapters.discord.connection.http import Answered, Heard, Interrupted, SingleCalls, never_sent
from adapters.discord.errors import PERMISSION_CODES, SENTENCES, TOKEN_CODES, sentence
from agent.language import Lang
from bot.posting import Ambiguous, Refused, RetryLater

log = logging.getLogger(__name__)

#: Seconds until a call is given up as unanswered.
CALL_TIMEOUT_S: Final = 10.0
#: Seconds to wait when there was no connection at all.
UNREACHABLE_S: Final = 0.5
#: Seconds until a token that was refused is tried again.
_REFUSED_FOR_S: Final = 60.0
#: Places whose missing permissions are remembered as told.
_MOST_TOLD: Final = 1_000
#: Bits of an application's flags (docs, application object): the intent is switched on, or is for a small bot.
_MESSAGE_CONTENT: Final = (1 << 18) | (1 << 19)
#: Codes that Discord sends with 429 although waiting doesn't help.
_NEVER_429: Final = frozenset({30046})


class RateLimited(RetryLater):
    """Discord has refused a call because there were too many."""

    def __init__(self, seconds: float, *, everything: bool = False, shared: bool = False) -> None:
        super().__init__(seconds)
        #: Whether nothing at all may be called.
        self.everything = everything
        #: Whether others used the limit up: such an answer isn't held against us.
        self.shared = shared


class DiscordRefused(Refused):
    """A refusal with what Discord says about it."""

    def __init__(self, code: str, status: int = 0, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        #: What is wrong where. May quote what was sent.
        self.message = message
        #: The call, and the channel that it was about ("" none).
        self.method = self.path = self.channel = ""

    def __str__(self) -> str:
        """For the log: what it means, where that is known."""
        where = f" in {self.channel}" if self.channel else ""
        meaning = f": {sentence(self.code, 'en')}" if self.code in SENTENCES else ""
        return f"Discord refused {self.method} {self.path}{where}: {self.code}{meaning}"


@dataclass(frozen=True, slots=True)
class Application:
    """What GET /applications/@me says."""

    id: int
    name: str
    flags: int
    #: Whether anybody may invite the bot.
    is_public: bool

    @property
    def has_message_content(self) -> bool:
        """Whether the Message Content intent may be asked for."""
        return bool(self.flags & _MESSAGE_CONTENT)


class Rest:
    """Every call of one bot. One per process, because the limits are counted in it; `close` once, at the end."""

    application_id: int
    user_id: int
    user_name: str

    def __init__(
        self,
        token: str,
        *,
        client: discord.Client | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        lang: Lang = "en",
    ) -> None:
        """`client`: one that is logged in and whose HTTP client is to be used; for tests. `lang`: the log's."""
        self._token = token
        self._client = client
        self._monotonic = monotonic
        self._lang = lang
        self._buckets = Buckets(monotonic)
        self._http: HTTPClient | None = None
        self._login = asyncio.Lock()
        self._refused: DiscordRefused | None = None
        self._retry_at = float("-inf")
        # After a login that failed, when the next one may be tried.
        self._login_at = float("-inf")
        self._invalid: deque[float] = deque()
        self._told: set[tuple[str, str]] = set()
        self._closed = False

    @property
    def trouble(self) -> str:
        """Why nothing can be called until an operator mends it; "" when it can."""
        if self._refused is not None:
            return sentence(self._refused.code, self._lang)
        return sentence("invalid_requests", self._lang) if self._invalid_wait() > 0 else ""

    async def ready(self) -> None:
        """Log in, if that hasn't been done. Raises as `call` does, but never `Ambiguous`."""
        await self._logged_in()

    async def call(
        self,
        method: str,
        path: str,
        *,
        urgent: bool = False,
        json: Any = None,
        files: Sequence[discord.File] = (),
        params: Mapping[str, Any] | None = None,
        reason: str | None = None,
        **ids: int | str,
    ) -> Any:
        """One call; what Discord answered, as JSON values (None for nothing).

        `path` as in discord.py ("/channels/{channel_id}/messages"), `ids` fill it. Messages ping nobody, whatever
        `json` says; with a `nonce` Discord is asked to create no second one. An `urgent` call may use the part of the
        limits that is kept for the end of an answer and for Stop.

        Raises `RetryLater` when Discord did nothing and may be asked again (at once, without asking Discord, when a
        limit is used up: whoever calls has checked its lease just before, so there is no waiting in here), `Ambiguous`
        when nobody knows, `DiscordRefused` when it never will.
        """
        http = await self._logged_in()
        self._check_guards()
        taken = self._buckets.take(method, path, ids, json, urgent=urgent)
        if not isinstance(taken, Taken):
            raise RetryLater(taken)
        arguments = _arguments(_harmless(method, path, json), files, params, reason)
        heard, sent = Heard(), True
        try:
            answer = await _one(http, _route(method, path, ids), heard, arguments)
        except RateLimited as limited:
            sent = False
            self._buckets.penalise(taken, limited.seconds, everything=limited.everything)
            if not limited.shared:
                self._invalid.append(self._monotonic())
            raise
        except RetryLater:
            sent = False
            raise
        except DiscordRefused as refused:
            refused.method, refused.path, refused.channel = method, path, str(ids.get("channel_id", ""))
            self._hear(refused)
            raise
        finally:
            self._buckets.done(taken, heard.headers if sent else None, sent=sent)
        self._let_in()
        return answer

    async def call_patiently(
        self, method: str, path: str, *, most_s: float = 10.0, urgent: bool = False, **arguments: Any
    ) -> Any:
        """`call`, waiting as long as it is told to, up to `most_s` seconds in all. For what holds no lease: names of
        people, the past of a channel, what a person has just clicked.
        """
        deadline = self._monotonic() + most_s
        while True:
            try:
                return await self.call(method, path, urgent=urgent, **arguments)
            except RetryLater as later:
                if self._monotonic() + later.seconds > deadline:
                    raise
                await asyncio.sleep(later.seconds)

    def left(self, method: str, path: str, **ids: int | str) -> float:
        """How many calls could be made right now that are not urgent."""
        return self._buckets.left(method, path, ids)

    def wait(self, method: str, path: str, **ids: int | str) -> float:
        """Seconds until a call that is not urgent could be made, if nobody is faster; 0 now."""
        return self._buckets.wait(method, path, ids)

    def seconds_per_call(self, method: str, path: str, **ids: int | str) -> float:
        """Seconds between two calls that are not urgent, evenly spread, such as the limit bears for ever."""
        return self._buckets.seconds_per_call(method, path, ids)

    async def application(self) -> Application:
        """Our application as it is now. Raises as `call` does."""
        return _application(await self.call("GET", "/applications/@me"))

    async def close(self) -> None:
        """Close the connections; nothing may be called after this."""
        self._closed = True
        if self._http is not None and self._client is None:
            await self._http.close()

    async def _logged_in(self) -> HTTPClient:
        if self._closed:
            raise RuntimeError("the connections to Discord are closed")
        if self._http is not None:
            return self._http
        async with self._login:
            if self._http is None:
                self._check_guards()
                self._http = await (self._log_in() if self._client is None else self._take_over(self._client))
        return self._http

    async def _take_over(self, client: discord.Client) -> HTTPClient:
        application = client.application_id
        if client.user is None or application is None:
            raise RetryLater(UNREACHABLE_S)
        self.user_id, self.user_name, self.application_id = client.user.id, client.user.name, application
        return client.http

    async def _log_in(self) -> HTTPClient:
        http = SingleCalls()
        try:
            user = await _translated(http.static_login(self._token), Heard())
            application = _application(await _one(http, Route("GET", "/applications/@me"), Heard(), {}))
        except BaseException as problem:
            await http.close()
            if isinstance(problem, DiscordRefused):
                problem.method, problem.path = "GET", "/users/@me"
                self._hear(problem)
            if isinstance(problem, (Ambiguous, RetryLater)):
                # Nothing of what was asked for has been sent yet.
                later = problem if isinstance(problem, RetryLater) else RetryLater(UNREACHABLE_S)
                self._login_at = self._monotonic() + later.seconds
                raise later from problem
            raise
        self.user_id, self.user_name = int(user["id"]), str(user["username"])
        self.application_id = application.id
        self._let_in()
        return http

    def _check_guards(self) -> None:
        """Raises what every call would meet, without making it."""
        if (refused := self._refused) is not None and self._monotonic() < self._retry_at:
            # A new one: one that is raised again keeps everybody who raised it before.
            again = DiscordRefused(refused.code, refused.status, refused.message)
            again.method, again.path, again.channel = refused.method, refused.path, refused.channel
            raise again
        wait = max(self._invalid_wait(), self._login_at - self._monotonic())
        if wait > 0:
            raise RetryLater(wait)

    def _invalid_wait(self) -> float:
        """Seconds until there were few enough refusals to go on: Discord bans addresses that are refused too often."""
        now, window = self._monotonic(), limits.INVALID_REQUESTS.seconds
        while self._invalid and self._invalid[0] <= now - window:
            self._invalid.popleft()
        if len(self._invalid) < limits.INVALID_REQUESTS_USED:
            return 0.0
        return self._invalid[len(self._invalid) - limits.INVALID_REQUESTS_USED] + window - now

    def _hear(self, refused: DiscordRefused) -> None:
        """What an operator can mend is told once."""
        if refused.status in (401, 403):
            self._invalid.append(self._monotonic())
            if len(self._invalid) == limits.INVALID_REQUESTS_USED:
                log.error("Discord: %s", sentence("invalid_requests", self._lang))
        if refused.code in TOKEN_CODES:
            if self._refused is None:
                log.error("Discord: %s", sentence(refused.code, self._lang))
            self._refused, self._retry_at = refused, self._monotonic() + _REFUSED_FOR_S
            return
        told = refused.channel, refused.code
        if refused.code in PERMISSION_CODES and told not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(told)
            log.warning("Discord, channel %s: %s", refused.channel or "–", sentence(refused.code, self._lang))

    def _let_in(self) -> None:
        if self._refused is not None:
            self._refused = None
            log.info("Discord takes the token again")


def _route(method: str, path: str, ids: Mapping[str, Any]) -> Route:
    return Route(method, path, **ids)


async def understood(call: Awaitable[Any]) -> Any:
    """Await a call that discord.py makes past `Rest`: the answers to interactions, which have limits of their own.

    Raises as `Rest.call` does.
    """
    return await _translated(call, Heard())


async def _one(http: HTTPClient, route: Route, heard: Heard, arguments: Mapping[str, Any]) -> Any:
    return await _translated(http.request(route, trace_request_ctx=heard, **arguments), heard)


async def _translated(call: Any, heard: Heard) -> Any:
    """Await a call of discord.py's; what it raises in the words of `bot.posting`."""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            answer = await call
            return None if answer == "" else answer
    except Answered as answered:
        raise _meaning(answered.status, answered.data, answered.headers) from None
    except discord.LoginFailure:
        raise DiscordRefused("401", 401) from None
    except discord.RateLimited as limited:
        raise RateLimited(limited.retry_after) from limited
    except discord.HTTPException as error:
        raise _meaning(error.status, {"code": error.code, "message": error.text}, None) from None
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise DiscordRefused("400", 400) from error
    except (aiohttp.ClientError, Interrupted, TimeoutError, OSError) as error:
        if never_sent(error) or (isinstance(error, TimeoutError) and not heard.connected):
            raise RetryLater(UNREACHABLE_S) from error
        raise Ambiguous(type(error).__name__) from error


def _meaning(status: int, data: Any, headers: Mapping[str, str] | None) -> Exception:
    """What an answer that isn't 2xx means. `headers`: None where only discord.py has seen them."""
    fields = data if isinstance(data, dict) else {}
    code = fields.get("code")
    if status == 429 and code not in _NEVER_429:
        seconds = _retry_after(fields, headers or {})
        if headers is None:
            return RateLimited(min(seconds, 1.0))
        # Without these two it isn't Discord's API that answers but what protects it, and that means all our calls.
        is_api = bool(headers.get("Via")) and "retry_after" in fields
        shared = headers.get("X-RateLimit-Scope") == "shared"
        return RateLimited(seconds, everything=not is_api or bool(fields.get("global")), shared=shared)
    if status >= 500:
        return Ambiguous(f"status {status}")
    return DiscordRefused(str(code or status), status, str(fields.get("message") or ""))


def _retry_after(fields: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    for given in (fields.get("retry_after"), headers.get("Retry-After")):
        try:
            seconds = float(given)  # type: ignore[arg-type]  # None is what TypeError is for
        except (TypeError, ValueError):
            continue
        # 0 or less would make a loop of us.
        if seconds < float("inf"):
            return min(max(seconds, 0.1), limits.RETRY_AFTER_MOST_S)
    return limits.RETRY_AFTER_DEFAULT_S


def _arguments(
    json: Any, files: Sequence[discord.File], params: Mapping[str, Any] | None, reason: str | None
) -> dict[str, Any]:
    """What discord.py's `request` takes."""
    arguments: dict[str, Any] = {"reason": reason} if reason else {}
    if params:
        arguments["params"] = dict(params)
    if not files:
        return arguments | ({} if json is None else {"json": json})
    payload = dict(json or {})
    payload["attachments"] = [
        *payload.get("attachments", ()),
        *({"id": number} | file.to_dict(number) for number, file in enumerate(files)),
    ]
    form: list[dict[str, Any]] = [
        {"name": "payload_json", "value": jsonlib.dumps(payload), "content_type": "application/json"}
    ]
    for number, file in enumerate(files):
        # It may have been read by a call that failed.
        file.reset(seek=True)
        field = {"name": f"files[{number}]", "value": file.fp, "filename": file.filename}
        form.append(field | {"content_type": "application/octet-stream"})
    return arguments | {"form": form, "files": files}


def _harmless(method: str, path: str, json: Any) -> Any:
    """The same, but a message in it pings nobody and, with a nonce, is created once."""
    if method not in ("POST", "PATCH") or not isinstance(json, dict):
        return json
    if path.endswith(("/messages", "/messages/{message_id}", "/{webhook_token}")):
        once = {"enforce_nonce": True} if "nonce" in json else {}
        return json | {"allowed_mentions": {"parse": []}} | once
    if path.endswith("/threads") and isinstance(json.get("message"), dict):
        # The first message of a forum's post.
        return json | {"message": json["message"] | {"allowed_mentions": {"parse": []}}}
    return json


def _application(data: Any) -> Application:
    try:
        return Application(
            int(data["id"]), str(data["name"]), int(data.get("flags") or 0), bool(data.get("bot_public", True))
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Ambiguous("no application in the answer") from error

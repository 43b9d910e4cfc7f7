"""How Slack calls the app's request URL: one path for events, interactivity and slash commands, each request signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack.envelope import Kind

#: Slack refuses to be fooled by a clock of its own, so apps refuse requests that are older than this many seconds.
SIGNATURE_AGE = 300

#: Redirects that Slack follows (facts 2.3); one more is a failure. aiohttp counts the request that is too many.
_REDIRECTS = 3

#: Ways in which a request isn't Slack's; the app must refuse each before any work.
Forgery = Literal["no_signature", "bad_signature", "other_secret", "other_body", "old_timestamp"]


class Answer(NamedTuple):
    """How one attempt to deliver something ended."""

    #: None: the app took it. Otherwise Slack's word for what went wrong, the later retry's reason.
    why: str | None
    #: What the app answered, parsed where it is JSON.
    body: Any = None
    #: The app said that it doesn't want it again.
    final: bool = False
    #: The HTTP status; 0 where there was none.
    status: int = 0
    #: Which socket it went out on; "" over HTTP.
    socket: str = ""


NOBODY = Answer("connection_failed")


class Poster:
    """Posts signed requests to wherever the app is just now."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None
        #: The app's request URL; None while there is none.
        self.url: str | None = None

    async def close(self) -> None:
        """Drop all connections."""
        if self._session is not None:
            await self._session.close()

    async def post(
        self,
        kind: Kind,
        payload: dict[str, Any],
        *,
        timeout: float,
        attempt: int = 0,
        reason: str = "",
        forged: Forgery | None = None,
    ) -> Answer:
        """One request. `attempt` counts the redeliveries of an event (0: the first delivery), `reason` says why."""
        body, content_type = _encode(kind, payload)
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "*/*",
        } | self._signed(body, forged)
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        return await self._request(body + b" " if forged == "other_body" else body, headers, timeout)

    def _signed(self, body: bytes, forged: Forgery | None) -> dict[str, str]:
        if forged == "no_signature":
            return {}
        at = str(int(time.time()) - (2 * SIGNATURE_AGE if forged == "old_timestamp" else 0))
        secret = "not-" + self._secret if forged == "other_secret" else self._secret
        digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        if forged == "bad_signature":
            digest = digest[::-1]
        return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}

    async def _request(self, body: bytes, headers: dict[str, str], timeout: float) -> Answer:
        if self.url is None:
            return NOBODY
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                self.url,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(timeout),
                max_redirects=_REDIRECTS,
            ) as response:
                text = await response.text()
                final = response.headers.get("X-Slack-No-Retry") == "1"
                if response.status // 100 != 2:
                    return Answer("http_error", text, final, response.status)
                return Answer(None, _parse(text, response.content_type), final, response.status)
        except TimeoutError:
            return Answer("http_timeout")
        except aiohttp.TooManyRedirects:
            return Answer("too_many_redirects")
        except aiohttp.ClientConnectionError:
            return NOBODY
        except aiohttp.ClientError:
            return Answer("unknown_error")


def _encode(kind: Kind, payload: dict[str, Any]) -> tuple[bytes, str]:
    """An event is JSON, a press or a submitted view is a form with `payload`, a command is a form of its own."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = {"payload": json.dumps(payload)} if kind == "interactive" else payload
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _parse(text: str, content_type: str) -> Any:
    """What the app answered; a command may be answered with plain text, which is the same as its `text`."""
    if not text:
        return {}
    if content_type == "application/json":
        return json.loads(text)
    return {"text": text}

"""Calls of the Web API with one token, patient with limits."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.connection.api import RateLimited, SlackRefused, ask
from adapters.slack.errors import sentence
from agent.language import Lang
from bot.posting import Ambiguous, RetryLater
from scripts.live import texts as common
from scripts.live.failing import Failed
from scripts.slack_live import texts

#: Times that a call is tried again after "too many" or a connection that failed before anything was sent.
_TRIES = 5


class Caller:
    """One token."""

    def __init__(self, client: AsyncWebClient, lang: Lang) -> None:
        self.client = client
        self._lang: Lang = lang

    async def __call__(self, method: str, **arguments: Any) -> dict[str, Any]:
        """What Slack answered; waits where Slack asks for it. Raises `Failed`."""
        try:
            return await self.refusable(method, **arguments)
        except SlackRefused as refused:
            needed = f" ({refused.needed})" if refused.needed else ""
            reason = common.REFUSED.say(self._lang, method=method, code=refused.code + needed)
            raise Failed(reason, sentence(refused.code, self._lang, needed=refused.needed)) from refused

    async def refusable(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The same, for calls whose refusal is what one wants to see. Raises `SlackRefused`, `Failed`."""
        for _ in range(_TRIES):
            try:
                answer = await ask(self.client, method, **arguments)
            except RetryLater as later:
                await asyncio.sleep(later.seconds)
                continue
            except Ambiguous as trouble:
                reason = common.NO_ANSWER.say(self._lang, method=method, trouble=trouble)
                raise Failed(reason, texts.FIX_NETWORK.say(self._lang)) from trouble
            return answer.data if isinstance(answer.data, dict) else {}
        reason = common.NO_ANSWER.say(self._lang, method=method, trouble="429")
        raise Failed(reason, texts.FIX_NETWORK.say(self._lang))

    async def granted(self) -> tuple[dict[str, Any], frozenset[str]]:
        """Who the token is, and its scopes. Raises `Failed`."""
        try:
            answer = await ask(self.client, "auth.test")
        except SlackRefused as refused:
            reason = common.REFUSED.say(self._lang, method="auth.test", code=refused.code)
            raise Failed(reason, sentence(refused.code, self._lang)) from refused
        except (RetryLater, Ambiguous) as trouble:
            raise Failed(sentence("unreachable", self._lang), texts.FIX_NETWORK.say(self._lang)) from trouble
        scopes = str(answer.headers.get("x-oauth-scopes") or "")
        found = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
        return answer.data if isinstance(answer.data, dict) else {}, found

    async def until_limited(self, method: str, most: int, **arguments: Any) -> tuple[int, str | None]:
        """Call until Slack says "too many": how many calls it took, and its Retry-After; None when it never did."""
        taken = 0
        while taken < most:
            answers = await asyncio.gather(*(self._once(method, arguments) for _ in range(10)))
            taken += sum(answer is None for answer in answers)
            if waits := [answer for answer in answers if answer is not None]:
                return taken, waits[0]
        return taken, None

    async def _once(self, method: str, arguments: dict[str, Any]) -> str | None:
        """The Retry-After of a call that was one too many ("" for one without); None for a call that was taken."""
        try:
            await ask(self.client, method, **arguments)
        except RateLimited as limited:
            cause = limited.__cause__
            headers = cause.response.headers if isinstance(cause, SlackApiError) else {}
            return str(headers.get("Retry-After", ""))
        except (SlackRefused, RetryLater, Ambiguous) as trouble:
            reason = common.NO_ANSWER.say(self._lang, method=method, trouble=trouble)
            raise Failed(reason, texts.FIX_NETWORK.say(self._lang)) from trouble
        return None

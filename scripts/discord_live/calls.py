"""Calls of the REST API with the bot's token, patient with limits."""

from __future__ import annotations

from typing import Any

from adapters.discord.connection.rest import Rest
from adapters.discord.errors import sentence
from agent.language import Lang
from bot.posting import Ambiguous, Refused, RetryLater
from scripts.discord_live import texts
from scripts.live import texts as common
from scripts.live.failing import Failed

#: Seconds that one call may wait for Discord's limits.
_PATIENCE_S = 30.0


class Caller:
    """The bot."""

    def __init__(self, rest: Rest, lang: Lang) -> None:
        self.rest = rest
        self._lang: Lang = lang

    async def __call__(self, method: str, path: str, **arguments: Any) -> Any:
        """What Discord answered. Raises `Failed`."""
        try:
            return await self.refusable(method, path, **arguments)
        except Refused as refused:
            reason = common.REFUSED.say(self._lang, method=f"{method} {path}", code=refused.code)
            raise Failed(reason, sentence(refused.code, self._lang)) from refused

    async def refusable(self, method: str, path: str, **arguments: Any) -> Any:
        """The same, for calls whose refusal is what one wants to see. Raises `Refused`, `Failed`."""
        try:
            return await self.rest.call_patiently(method, path, most_s=_PATIENCE_S, **arguments)
        except (RetryLater, Ambiguous) as trouble:
            reason = common.NO_ANSWER.say(self._lang, method=f"{method} {path}", trouble=trouble)
            raise Failed(reason, texts.FIX_NETWORK.say(self._lang)) from trouble

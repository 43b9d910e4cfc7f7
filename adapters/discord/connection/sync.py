"""Tells Discord which commands there are: once, in the background, and only when they have changed.

Discord takes so many new commands a day, and every restart would use some of them up. It also fills in what it wasn't
told, so what it has can't be compared with what we have; a hash of what was sent last is kept instead.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.discord.connection.rest import Rest
from adapters.discord.errors import TOKEN_CODES, sentence
from agent.clock import Clock
from agent.language import Lang, Text
from bot.ports import StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater
from bot.store import installations as rows
from bot.store.db import Store

log = logging.getLogger(__name__)

Commands = Sequence[Mapping[str, Any]]

PLATFORM: Final = "discord"
#: The row of the table `installation` that has the hash; no server's id begins like this.
_ROW: Final = "commands:"
#: Seconds that one attempt may wait for Discord's limits.
_PATIENCE_S: Final = 60.0
#: Seconds before the second attempt, doubled each time.
_FIRST_S: Final = 2.0
_LONGEST_S: Final = 300.0
#: Seconds until they are sent again when Discord has taken as many as it takes in a day (30034), or refuses the token.
_TOMORROW_S: Final = 6 * 3_600.0
_LATER: Final = TOKEN_CODES | {"30034"}

_SENT = Text("Discord knows the commands now: {names}", "Discord 已更新命令：{names}")
_REFUSED = Text("Discord doesn't take the commands: {why}", "Discord 没有接受命令：{why}")


class CommandSync:
    """Keeps Discord's copy of the commands up to date."""

    def __init__(self, rest: Rest, store: Store, clock: Clock, lang: Lang = "en") -> None:
        """`lang`: that of the log's sentences."""
        self._rest = rest
        self._store = store
        self._clock = clock
        self._lang = lang

    async def keep(self, commands: Commands) -> None:
        """Send the commands if they aren't the ones that were sent last; try until that is certain. Raises nothing of
        Discord's or the database's.
        """
        pause = _FIRST_S
        while True:
            try:
                if await self.once(commands):
                    log.info("%s", _SENT.say(self._lang, names=", ".join(f"/{each['name']}" for each in commands)))
                return
            except Refused as refused:
                detail = getattr(refused, "message", "")
                log.error("%s %s", _REFUSED.say(self._lang, why=sentence(refused.code, self._lang)), detail)
                if refused.code not in _LATER:
                    return
                wait = _TOMORROW_S
            except (RetryLater, Ambiguous, StoreUnavailable) as problem:
                wait = max(pause, problem.seconds if isinstance(problem, RetryLater) else 0.0)
            await self._clock.sleep(wait)
            pause = min(_LONGEST_S, 2.0 * pause)

    async def once(self, commands: Commands) -> bool:
        """The same in one attempt: whether they had to be sent. Raises as `Rest.call` and the database do."""
        await self._rest.ready()
        row, content = f"{_ROW}{self._rest.application_id}", _digest(commands)
        known = await self._store.read(lambda c: rows.get(c, PLATFORM, row))
        if known is not None and known.sealed == content:
            return False
        await send(self._rest, commands)
        now = self._clock.now()
        await self._store.write(lambda c: rows.save(c, PLATFORM, row, content, "", now))
        return True


async def send(rest: Rest, commands: Commands) -> None:
    """Replace all commands of the application. Raises as `Rest.call` does."""
    await rest.ready()
    await rest.call_patiently(
        "PUT",
        "/applications/{application_id}/commands",
        application_id=rest.application_id,
        json=list(commands),
        most_s=_PATIENCE_S,
    )


def _digest(commands: Commands) -> str:
    return hashlib.sha256(json.dumps(list(commands), sort_keys=True).encode()).hexdigest()

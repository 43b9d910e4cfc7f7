"""Whom the bot serves on Discord: the servers of the settings, and in direct messages the people of these."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from time import monotonic
from typing import Final

from adapters.discord.connection.calls import Calls
from bot.posting import Refused

log = logging.getLogger(__name__)

#: Seconds that it is remembered whether somebody is in a server that is served.
_FRESH_S: Final = 3_600.0
#: The same of somebody who isn't, who may just be joining one.
_FRESH_STRANGER_S: Final = 300.0
#: Refusals that say that somebody isn't in a server: no member, no such person, or the bot itself isn't in it.
_NO_MEMBER: Final = frozenset({"10007", "10013", "10004", "50001", "403", "404"})
#: People who are remembered.
_MOST: Final = 10_000
#: Seconds between two lines of the log about strangers.
_TELL_S: Final = 600.0


class Access:
    """Decides it. A server whose bot is invited by anybody is served only when the operator has named it."""

    def __init__(self, rest: Calls, servers: Collection[str], clock: Callable[[], float] = monotonic) -> None:
        """`servers`: their ids. `clock`: monotonic, in seconds."""
        self._rest = rest
        self._servers = tuple(servers)
        self._clock = clock
        self._known: dict[str, tuple[float, bool]] = {}
        self._told_at = float("-inf")
        self._strangers = 0

    @property
    def servers(self) -> tuple[str, ...]:
        """Ids of the servers that are served."""
        return self._servers

    def serves(self, server: str) -> bool:
        """Whether a server is served."""
        return server in self._servers

    async def serves_person(self, user_id: str) -> bool:
        """Whether somebody may write to us directly: a member of a served server. Raises as `Rest.call` does."""
        now = self._clock()
        known = self._known.get(user_id)
        if known is None or now - known[0] >= (_FRESH_S if known[1] else _FRESH_STRANGER_S):
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[user_id] = (now, await self._is_member(user_id))
        if not known[1]:
            self._tell(now)
        return known[1]

    async def _is_member(self, user_id: str) -> bool:
        path = "/guilds/{guild_id}/members/{user_id}"
        for server in self._servers:
            try:
                await self._rest.call("GET", path, guild_id=server, user_id=user_id)
            except Refused as refused:
                if refused.code not in _NO_MEMBER:
                    raise
                continue
            return True
        return False

    def _tell(self, now: float) -> None:
        self._strangers += 1
        if now - self._told_at >= _TELL_S:
            log.info("%d direct messages of people of no server that is served: not answered", self._strangers)
            self._told_at, self._strangers = now, 0

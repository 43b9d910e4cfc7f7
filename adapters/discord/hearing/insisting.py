"""Trying until it is done: Discord tells everything once, so nothing may be given up because the database or the REST
API is away for a while.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from adapters.discord.errors import TOKEN_CODES
from agent.clock import Clock
from bot.ports import StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds before the second try, doubled each time, and the longest wait.
_FIRST_S: Final = 0.25
_LONGEST_S: Final = 10.0
#: Seconds between two lines of the log about the same trouble.
_TELL_S: Final = 30.0


class Insists:
    """Tries again after what goes by. One per process, so that a hundred queues don't say the same in the log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_at = float("-inf")

    async def until_done(self, act: Callable[[], Awaitable[T]]) -> T:
        """What `act` returns in the end. It must be one that may be repeated. Raises `Refused`, unless it is the token
        that is refused, which an operator mends; and defects.
        """
        pause = _FIRST_S
        while True:
            try:
                return await act()
            except RetryLater as later:
                wait = max(later.seconds, 0.05)
            except Refused as refused:
                if refused.code not in TOKEN_CODES:
                    raise
                # The log has been told why, by whoever called.
                wait = _LONGEST_S
            except (StoreUnavailable, Ambiguous) as error:
                self._tell(error)
                wait, pause = pause, min(2 * pause, _LONGEST_S)
            await self._clock.sleep(min(wait, 4 * _LONGEST_S))

    def _tell(self, error: Exception) -> None:
        now = self._clock.monotonic()
        if now - self._told_at >= _TELL_S:
            self._told_at = now
            log.warning("messages of Discord wait: %s", error)

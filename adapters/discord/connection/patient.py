"""Looking something up once more: what goes by within moments shall not decide who somebody is to us."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeVar

from bot.posting import Ambiguous, RetryLater

T = TypeVar("T")

#: Seconds to wait after an answer that didn't come.
_PAUSE_S: Final = 0.25


async def patiently(look: Callable[[], Awaitable[T]], most_s: float) -> T:
    """What `look` finds; tried again, for so many seconds at most, when a limit or a lost answer comes between.

    It must change nothing. Raises as `Rest.call` does.
    """
    deadline = monotonic() + most_s
    while True:
        try:
            return await look()
        except (RetryLater, Ambiguous) as trouble:
            wait = trouble.seconds if isinstance(trouble, RetryLater) else _PAUSE_S
            if monotonic() + wait > deadline:
                raise
            await asyncio.sleep(wait)

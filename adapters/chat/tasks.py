"""Work that goes on after the platform has its answer: nobody else keeps hold of it, so this does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from bot.ports import StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater

log = logging.getLogger(__name__)

#: Seconds that work under way gets when the server stops.
_GRACE_S: Final = 3.0
#: What goes wrong outside, by nobody's defect.
OUTSIDE: Final = (Refused, RetryLater, Ambiguous, StoreUnavailable)


class Tasks:
    """The running work; `close` once."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Run this; `what` is how the log calls it when it fails."""
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(self._watched(what, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def idle(self) -> None:
        """Wait until nothing runs."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Start nothing more, and let what runs end soon."""
        self._closed = True
        if not self._running:
            return
        _, late = await asyncio.wait(set(self._running), timeout=_GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _watched(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except OUTSIDE as error:
            log.warning("%s failed: %s", what, error)
        except Exception:
            log.exception("%s failed", what)

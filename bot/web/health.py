"""`/healthz` (the process lives) and `/readyz` (it can do its work)."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.ports import Health
from bot.web import texts

log = logging.getLogger(__name__)

#: A part that doesn't say how it is within this time is down.
_PROBE_S = 2.0
#: Answers are at most this old; asking costs a write to the database, and anybody may ask.
_FRESH_S = 1.0
_WORST = ("ok", "degraded", "starting", "down")


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the server and how to ask for its health."""

    name: str
    probe: Callable[[], Health | Awaitable[Health]]
    #: Whether the server is of no use without it. What isn't vital and not ok makes it `degraded` at most.
    vital: bool = True


class Readiness:
    """The health of all parts, asked at most once a second."""

    def __init__(self, checks: Sequence[Check], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._checks = tuple(checks)
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._found: dict[str, tuple[Check, Health]] = {}

    async def ask(self) -> dict[str, tuple[Check, Health]]:
        """Name → the check and what it found."""
        async with self._lock:
            if self._monotonic() - self._asked_at >= _FRESH_S:
                health = await asyncio.gather(*(_ask(check) for check in self._checks))
                self._found = {check.name: (check, h) for check, h in zip(self._checks, health, strict=True)}
                self._asked_at = self._monotonic()
            return self._found


async def _ask(check: Check) -> Health:
    try:
        async with asyncio.timeout(_PROBE_S):
            health = check.probe()
            return await health if inspect.isawaitable(health) else health
    except TimeoutError:
        return Health("down", texts.NO_ANSWER.say("en", seconds=f"{_PROBE_S:g}"))
    except Exception as error:  # noqa: BLE001 - whatever a part raises, it is not well
        log.warning("health check of %s failed: %r", check.name, error)
        return Health("down", type(error).__name__)


def overall(found: dict[str, tuple[Check, Health]]) -> str:
    """One word for the whole server."""
    worst = 0
    for check, health in found.values():
        rank = _WORST.index(health.state)
        worst = max(worst, rank if check.vital else min(rank, 1))
    return _WORST[worst]


async def healthz(_request: web.Request) -> web.Response:
    """The process lives and its event loop turns."""
    return web.json_response({"status": "ok"})


def readyz(
    readiness: Readiness, may_see_details: Callable[[web.Request], bool]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler; details are for those who may see them, because they can name files and hosts."""

    async def handle(request: web.Request) -> web.Response:
        found = await readiness.ask()
        status = overall(found)
        details = may_see_details(request)
        checks = {
            name: {"state": health.state, "detail": health.detail if details else ""}
            for name, (_, health) in found.items()
        }
        ready = status in ("ok", "degraded")
        return web.json_response({"status": status, "checks": checks}, status=200 if ready else 503)

    return handle

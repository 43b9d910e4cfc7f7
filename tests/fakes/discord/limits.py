"""How often the app may call: a window per route and channel, one for everything, and the ban for who doesn't listen
(facts "REST rate limits")."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from tests.fakes.discord.config import BUCKETS, Config

Key = tuple[str, str]


class Refusal(NamedTuple):
    """A 429."""

    retry_after: float
    #: "user", "shared" or "global".
    scope: str
    headers: dict[str, str]
    #: The call came within a wait that an earlier 429 had asked for.
    early: bool = False


@dataclass(slots=True)
class _Window:
    until: float = 0.0
    used: int = 0


class Limits:
    """Counts calls in fixed windows that begin with their first call."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._windows: dict[Key, _Window] = {}
        self._whole = _Window()
        #: Until when earlier 429s have asked to wait.
        self._told: dict[Key, float] = {}
        #: When 401, 403 and 429 were answered.
        self._invalid: deque[float] = deque()
        self._banned_until = 0.0

    def charge(self, route: str, bucket: str, major: str, config: Config, *, exempt: bool) -> Refusal | dict[str, str]:
        """Count one call: its headers, or why it is refused. `exempt`: not counted against the limit of everything, as
        calls about interactions aren't."""
        now = self._now()
        most, seconds = config.buckets.get(bucket) or BUCKETS[bucket]
        key = (route, major)
        window = self._windows.get(key)
        if window is None or now >= window.until:
            window = self._windows[key] = _Window(now + seconds)
        if not config.limits:
            return _headers(route, most, most - 1, window.until, now)
        if not exempt:
            if now >= self._whole.until:
                self._whole = _Window(now + 1.0)
            if self._whole.used >= config.global_rate:
                return self._refuse(("", ""), self._whole.until - now, "global", {})
            self._whole.used += 1
        if window.used >= most:
            headers = _headers(route, most, 0, window.until, now)
            return self._refuse(key, window.until - now, "user", headers)
        window.used += 1
        return _headers(route, most, most - window.used, window.until, now)

    def charge_within(self, name: str, major: str, config: Config, headers: dict[str, str]) -> Refusal | None:
        """Count one call against a limit that the headers don't tell of (renames of a channel)."""
        if not config.limits:
            return None
        now = self._now()
        most, seconds = config.buckets.get(name) or BUCKETS[name]
        key = (name, major)
        window = self._windows.get(key)
        if window is None or now >= window.until:
            window = self._windows[key] = _Window(now + seconds)
        if window.used >= most:
            return self._refuse(key, window.until - now, "user", headers)
        window.used += 1
        return None

    def by_fault(self, route: str, major: str, scope: str, seconds: float, headers: dict[str, str]) -> Refusal:
        """A 429 that no window explains."""
        key = ("", "") if scope == "global" else (route, major)
        return self._refuse(key, seconds, scope, {} if scope == "global" else headers)

    def note(self, status: int, scope: str, config: Config) -> None:
        """Remember an answer that counts as an invalid request: 401, 403 and 429, but of what others used up."""
        if status not in (401, 403, 429) or scope == "shared":
            return
        now = self._now()
        self._invalid.append(now)
        while self._invalid and self._invalid[0] <= now - config.invalid_window:
            self._invalid.popleft()
        if len(self._invalid) >= config.invalid_requests:
            self._invalid.clear()
            self._banned_until = now + config.invalid_window

    @property
    def banned(self) -> bool:
        """Whether the address is banned."""
        return self._now() < self._banned_until

    def clear(self) -> None:
        """Nothing is used up, and nobody has to wait."""
        self._windows.clear()
        self._told.clear()
        self._invalid.clear()
        self._whole = _Window()
        self._banned_until = 0.0

    def _refuse(self, key: Key, seconds: float, scope: str, headers: dict[str, str]) -> Refusal:
        now = self._now()
        early = now < self._told.get(key, 0.0)
        self._told[key] = now + seconds
        return Refusal(round(max(seconds, 0.001), 3), scope, headers, early)


@cache
def bucket_hash(route: str) -> str:
    """What X-RateLimit-Bucket says: the same for all channels."""
    return hashlib.sha256(route.encode()).hexdigest()[:32]


def _headers(route: str, most: int, left: int, until: float, now: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(most),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": f"{until:.3f}",
        "X-RateLimit-Reset-After": f"{math.ceil(max(until - now, 0.0) * 1000) / 1000:.3f}",
        "X-RateLimit-Bucket": bucket_hash(route),
    }

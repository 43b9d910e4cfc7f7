"""How often a method may be called: a bucket per method and workspace, and per channel for posts (facts 2.1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tests.fakes.slack.config import Config

#: Calls per minute; Slack promises these ("20+"), and the fake gives no more.
TIER1, TIER2, TIER3, TIER4 = 1, 20, 50, 100
#: "Hundreds per minute" (auth.test, assistant.threads.setStatus).
SPECIAL = 300
#: Of an app that is distributed outside the Marketplace (facts 2.1).
UNLISTED = frozenset({"conversations.history", "conversations.replies"})


class Refusal(NamedTuple):
    """A 429."""

    #: Whole seconds, as Slack writes them.
    retry_after: int
    #: The call came within a wait that an earlier 429 had asked for.
    early: bool


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Tiers:
    """Charges calls to buckets. A refused call costs nothing, but whoever comes back too early is told to wait on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._now = clock
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._blocked: dict[tuple[str, ...], float] = {}

    def charge(self, team: str, method: str, channel: str, per_minute: float, config: Config) -> Refusal | None:
        """Count one call, or refuse it. `per_minute` is the method's tier."""
        key = (team, method, channel) if method == "chat.postMessage" else (team, method)
        early = self._wait(key) or self._wait((team, method, channel, "fault"))
        if early:
            return Refusal(early, early=True)
        if not config.limits:
            return None
        factor = config.tier_factor
        if method == "chat.postMessage":
            due = [
                ((*key, "bucket"), config.post_burst * factor, config.post_rate * factor),
                ((team, "posts"), config.workspace_posts * factor, config.workspace_posts * factor / 60),
            ]
        else:
            most = TIER1 if config.unlisted and method in UNLISTED else per_minute
            due = [((*key, "bucket"), max(most * factor, 1.0), most * factor / 60)]
        buckets = [(self._filled(name, capacity, rate), rate) for name, capacity, rate in due]
        waits = [(1 - bucket.level) / rate for bucket, rate in buckets if bucket.level < 1]
        if waits:
            return self.block(key, max(waits))
        for bucket, _ in buckets:
            bucket.level -= 1
        return None

    def block(self, key: tuple[str, ...], seconds: float) -> Refusal:
        """Refuse now and until `seconds` from now."""
        wait = max(1, math.ceil(seconds))
        self._blocked[key] = self._now() + wait
        return Refusal(wait, early=False)

    def by_fault(self, team: str, method: str, channel: str, seconds: float) -> Refusal:
        """A 429 that no bucket explains."""
        return self.block((team, method, channel, "fault"), seconds)

    def clear(self) -> None:
        """Full buckets, and nobody has to wait."""
        self._buckets.clear()
        self._blocked.clear()

    def _wait(self, key: tuple[str, ...]) -> int:
        left = self._blocked.get(key, 0.0) - self._now()
        return math.ceil(left) if left > 0 else 0

    def _filled(self, key: tuple[str, ...], capacity: float, rate: float) -> _Bucket:
        now = self._now()
        bucket = self._buckets.setdefault(key, _Bucket(capacity, now))
        bucket.level = min(capacity, bucket.level + (now - bucket.at) * rate)
        bucket.at = now
        return bucket

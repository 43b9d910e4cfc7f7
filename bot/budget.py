"""How many calls a platform may still be asked for: token buckets by key, a part of each kept for what can't wait.

The buckets are kept in one process. They are chosen so that nothing is refused in normal use; where several processes
share a platform's limits, or the platform has changed its mind, its own refusal (`penalise`) has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

#: Buckets that are kept before those that are full again are thrown away: each channel has one of its own.
_MOST_BUCKETS = 2_048


@dataclass(frozen=True, slots=True)
class Rate:
    """What one bucket holds. In any minute at most `burst + per_minute` calls are let through."""

    #: Tokens that come back in a minute.
    per_minute: float
    #: Tokens of a full bucket.
    burst: float
    #: Tokens of these that only urgent calls may take.
    reserve: float = 0.0

    def __post_init__(self) -> None:
        if self.per_minute <= 0 or self.burst < 1 or not 0 <= self.reserve <= self.burst - 1:
            raise ValueError("a bucket must hold a call that is not urgent, and fill again")


class _Bucket:
    __slots__ = ("blocked_until", "rate", "seen_at", "tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self.tokens = rate.burst
        self.seen_at = now
        self.blocked_until = now

    def fill(self, now: float) -> None:
        self.tokens = min(self.rate.burst, self.tokens + (now - self.seen_at) * self.rate.per_minute / 60.0)
        self.seen_at = now

    def wait(self, now: float, cost: float, *, urgent: bool) -> float:
        """Seconds until `cost` can be paid; 0 now."""
        # What costs more than a bucket holds goes when the bucket is full.
        floor = 0.0 if urgent else self.rate.reserve
        missing = min(cost + floor, self.rate.burst) - self.tokens
        # A hair less than a token is a token: what was filled in steps doesn't add up exactly.
        refill = missing * 60.0 / self.rate.per_minute if missing > 1e-6 else 0.0
        return max(0.0, refill, self.blocked_until - now)


class RateBudget:
    """The buckets of one platform."""

    def __init__(self, rate_of: Callable[[str], Rate], monotonic: Callable[[], float]) -> None:
        """`rate_of` names the bucket of a key that has none yet; `monotonic` is the clock, in seconds."""
        self._rate_of = rate_of
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}

    def take(self, *keys: str, cost: float = 1.0, urgent: bool = False) -> float:
        """Pay for one call out of the buckets of all these keys. 0: paid, make the call. Otherwise nothing was taken,
        and that many seconds later it may be asked for again.
        """
        now = self._monotonic()
        buckets = [self._bucket(key, now) for key in keys]
        wait = max((bucket.wait(now, cost, urgent=urgent) for bucket in buckets), default=0.0)
        if wait <= 0:
            for bucket in buckets:
                bucket.tokens -= cost
        return wait

    def left(self, *keys: str) -> float:
        """How many calls that are not urgent may be made right now, each out of all these buckets."""
        now = self._monotonic()
        return min(self._spare(self._bucket(key, now), now) for key in keys)

    def penalise(self, keys: Iterable[str], seconds: float) -> None:
        """The platform has refused: nothing goes out of these buckets for so many seconds, and then as they fill."""
        now = self._monotonic()
        for key in keys:
            bucket = self._bucket(key, now)
            bucket.tokens = min(bucket.tokens, 0.0)
            bucket.blocked_until = max(bucket.blocked_until, now + seconds)

    def _spare(self, bucket: _Bucket, now: float) -> float:
        return 0.0 if bucket.blocked_until > now else max(0.0, bucket.tokens - bucket.rate.reserve)

    def _bucket(self, key: str, now: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._forget_full(now)
            bucket = self._buckets[key] = _Bucket(self._rate_of(key), now)
        bucket.fill(now)
        return bucket

    def _forget_full(self, now: float) -> None:
        """A full bucket says nothing that a new one would not."""
        for key, bucket in list(self._buckets.items()):
            bucket.fill(now)
            if bucket.tokens >= bucket.rate.burst and bucket.blocked_until <= now:
                del self._buckets[key]

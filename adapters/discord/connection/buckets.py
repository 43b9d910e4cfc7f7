"""How many calls may still be made: Discord's buckets as its headers describe them.

Each route has a bucket per channel, server or webhook; routes that Discord gives the same bucket share one. A bucket
lets so many calls through in a window that begins with its first call. What the headers say counts; before they have
said anything, `limits.ASSUMED`. Bursts are thereby used up to the last call but never beyond, so that Discord has
nothing to refuse: with a bucket that refills evenly it would be half as many calls for the same certainty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord import limits
from adapters.discord.limits import Window

#: Added to the end of each window: Discord's clock is not ours, and its number of seconds is rounded.
_MARGIN_S: Final = 0.05
#: Seconds until it is worth asking again while it is unknown when a window will end: its calls are under way.
_SOON_S: Final = 0.1
#: Buckets that are kept before those that say nothing any more are thrown away: each channel has several.
_MOST_BUCKETS: Final = 2_048
#: Parameters of a path that a bucket is counted by (docs, rate limits, top-level resources).
_MAJOR: Final = ("channel_id", "guild_id", "webhook_id", "webhook_token")


@dataclass(slots=True)
class _Bucket:
    window: Window
    #: Whether a header has said so, for this route anywhere.
    known: bool
    #: What the running window has left by what we know; it counts until `resets_at`.
    remaining: int
    resets_at: float = float("-inf")
    #: Calls under way, not in `remaining` yet.
    outgoing: int = 0
    blocked_until: float = float("-inf")

    @property
    def reserve(self) -> int:
        """Calls of a window that only what can't wait may use."""
        return 1 if self.window.calls >= 3 else 0

    def free(self, now: float) -> int:
        if now < self.blocked_until:
            return 0
        return (self.remaining if now < self.resets_at else self.window.calls) - self.outgoing

    def wait(self, now: float, *, urgent: bool) -> float:
        if now < self.blocked_until:
            return self.blocked_until - now
        if self.free(now) > (0 if urgent else self.reserve):
            return 0.0
        return max(self.resets_at - now, _SOON_S)

    def counted(self, now: float) -> None:
        """A call was made of which no header tells."""
        if now >= self.resets_at:
            self.remaining, self.resets_at = self.window.calls, now + self.window.seconds
        self.remaining = max(0, self.remaining - 1)

    def told(self, calls: int, remaining: int, seconds: float, now: float) -> None:
        """The headers of an answer."""
        resets_at = now + seconds + _MARGIN_S
        same = now < self.resets_at and resets_at - self.resets_at < max(0.25 * self.window.seconds, 4 * _MARGIN_S)
        # Of two answers of one window the lower one is the later one, in whatever order they arrive.
        self.remaining = min(self.remaining, remaining) if same else remaining
        self.resets_at = max(self.resets_at, resets_at) if same else resets_at
        # The first call of a window says how long one is; of any other one it is known only that it isn't shorter.
        is_first = remaining == calls - 1 or not self.known or calls != self.window.calls
        self.window = Window(max(1, calls), seconds if is_first else max(seconds, self.window.seconds))
        self.known = True

    def is_idle(self, now: float) -> bool:
        return self.outgoing == 0 and now >= self.resets_at and now >= self.blocked_until


@dataclass(slots=True)
class Taken:
    """Calls that were paid for; hand it back to `Buckets.done` when the call is over."""

    route: str
    major: str
    buckets: list[_Bucket] = field(default_factory=list)


class Buckets:
    """All buckets of one bot in one process."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` is the clock, in seconds."""
        self._monotonic = monotonic
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        # The name that Discord gives a route's bucket.
        self._names: dict[str, str] = {}
        # What was learned about a bucket in any channel.
        self._learned: dict[str, Window] = {}
        self._calls: deque[float] = deque()
        self._all_blocked_until = float("-inf")

    def take(self, method: str, path: str, ids: Mapping[str, Any], json: Any = None, *, urgent: bool) -> Taken | float:
        """Pay for one call. Otherwise nothing was taken, and it may be asked for again so many seconds later."""
        now = self._monotonic()
        route, major = f"{method} {path}", _major(ids)
        buckets = [self._bucket(route, major, now)]
        if (sub := limits.sub_limit(method, path, json)) is not None:
            buckets.append(self._sub_bucket(sub, major))
        wait = max(self._global_wait(now, urgent=urgent), *(each.wait(now, urgent=urgent) for each in buckets))
        if wait > 0:
            return wait
        for each in buckets:
            each.outgoing += 1
        self._calls.append(now)
        return Taken(route, major, buckets)

    def done(self, taken: Taken, headers: Mapping[str, str] | None, *, sent: bool = True) -> None:
        """The call is over. `headers`: of its answer, None without one. `sent`: whether Discord may have counted it."""
        now = self._monotonic()
        main, *others = taken.buckets
        for each in taken.buckets:
            each.outgoing -= 1
        for each in others:
            if sent:
                each.counted(now)
        told = _told(headers) if headers is not None else None
        if told is None:
            if sent and main.window.seconds > 0:
                main.counted(now)
            return
        name, calls, remaining, seconds = told
        bucket = self._named(taken, name, main)
        bucket.told(calls, remaining, seconds, now)
        self._learned[name or taken.route] = bucket.window

    def penalise(self, taken: Taken, seconds: float, *, everything: bool = False) -> None:
        """Discord has refused: nothing goes out of this bucket, or of any at all, for so many seconds."""
        until = self._monotonic() + min(seconds, limits.RETRY_AFTER_MOST_S) + _MARGIN_S
        if everything:
            self._all_blocked_until = max(self._all_blocked_until, until)
            return
        name = self._names.get(taken.route, taken.route)
        main, *subs = taken.buckets
        # Where there is a limit inside the bucket, it is that one: the bucket's own is never passed.
        bucket = subs[0] if subs else self._buckets.get((name, taken.major), main)
        bucket.blocked_until = max(bucket.blocked_until, until)

    def left(self, method: str, path: str, ids: Mapping[str, Any]) -> float:
        """How many calls that can wait may be made right now."""
        now = self._monotonic()
        bucket = self._bucket(f"{method} {path}", _major(ids), now)
        of_all = limits.GLOBAL_USED.calls - limits.GLOBAL_RESERVE - len(self._recent(now))
        blocked = now < self._all_blocked_until
        return 0.0 if blocked else float(max(0, min(of_all, bucket.free(now) - bucket.reserve)))

    def wait(self, method: str, path: str, ids: Mapping[str, Any]) -> float:
        """Seconds until a call that can wait may be made; 0 now."""
        now = self._monotonic()
        bucket = self._bucket(f"{method} {path}", _major(ids), now)
        return max(self._global_wait(now, urgent=False), bucket.wait(now, urgent=False))

    def seconds_per_call(self, method: str, path: str, ids: Mapping[str, Any]) -> float:
        """Seconds between two calls that can wait, evenly spread, such as the bucket bears for ever."""
        bucket = self._bucket(f"{method} {path}", _major(ids), self._monotonic())
        return (bucket.window.seconds + _MARGIN_S) / (bucket.window.calls - bucket.reserve)

    def _recent(self, now: float) -> deque[float]:
        while self._calls and self._calls[0] <= now - limits.GLOBAL_USED.seconds - _MARGIN_S:
            self._calls.popleft()
        return self._calls

    def _global_wait(self, now: float, *, urgent: bool) -> float:
        most = limits.GLOBAL_USED.calls - (0 if urgent else limits.GLOBAL_RESERVE)
        recent = self._recent(now)
        blocked = self._all_blocked_until - now
        if len(recent) < most:
            return max(0.0, blocked)
        return max(blocked, recent[len(recent) - most] + limits.GLOBAL_USED.seconds + _MARGIN_S - now, _MARGIN_S)

    def _bucket(self, route: str, major: str, now: float) -> _Bucket:
        name = self._names.get(route, route)
        bucket = self._buckets.get((name, major))
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._forget_idle(now)
            learned = self._learned.get(name)
            # One at a time, for as long as nobody has said how many there may be.
            window = learned or limits.ASSUMED.get(route) or Window(1, 0.0)
            bucket = self._buckets[name, major] = _Bucket(window, learned is not None, window.calls)
        elif not bucket.known and (learned := self._learned.get(name)) is not None and bucket.is_idle(now):
            bucket.window, bucket.known = learned, True
        return bucket

    def _sub_bucket(self, sub: tuple[str, Window], major: str) -> _Bucket:
        name, window = sub
        return self._buckets.setdefault((name, major), _Bucket(window, True, window.calls))

    def _named(self, taken: Taken, name: str, bucket: _Bucket) -> _Bucket:
        """The bucket that an answer of this call was about; Discord may call it by another name than before."""
        if not name or self._names.get(taken.route) == name:
            return self._buckets.setdefault((name or taken.route, taken.major), bucket)
        if taken.route not in self._names:
            # What was counted so far goes on counting, in all channels; where another route has the bucket already,
            # that one's count is the right one.
            for route, major in [key for key in self._buckets if key[0] == taken.route]:
                self._buckets.setdefault((name, major), self._buckets.pop((route, major)))
        self._names[taken.route] = name
        return self._buckets.setdefault((name, taken.major), bucket)

    def _forget_idle(self, now: float) -> None:
        for key, bucket in list(self._buckets.items()):
            if bucket.is_idle(now):
                del self._buckets[key]


def _major(ids: Mapping[str, Any]) -> str:
    return "+".join(str(ids[name]) for name in _MAJOR if name in ids)


def _told(headers: Mapping[str, str]) -> tuple[str, int, int, float] | None:
    """Name, size, rest and seconds of the bucket, where the headers tell."""
    try:
        return (
            headers.get("X-RateLimit-Bucket", ""),
            int(headers["X-RateLimit-Limit"]),
            int(headers["X-RateLimit-Remaining"]),
            min(max(0.0, float(headers["X-RateLimit-Reset-After"])), limits.RETRY_AFTER_MOST_S),
        )
    except (KeyError, ValueError):
        return None

"""How far a run is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from evals.runs import Prediction

#: Seconds over which the rate is taken.
RATE_S = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. What is counted is what is kept: a kill takes nothing of it away."""

    #: Prompts that have a reply, or have failed for good.
    done: int
    #: Prompts of the run, repeats included.
    total: int
    #: Of those done, taken from an earlier run.
    cached: int = 0
    #: Of those done, failed for good.
    failed: int = 0
    #: Replies per second over the last minute, those of earlier runs left out; 0 while there are none.
    rate: float = 0.0
    #: Seconds that the rest takes at this rate; None while there is no rate.
    left: float | None = None
    #: Calls under way.
    concurrency: int = 0
    #: Tokens that the model has written for this run, as far as its server tells.
    tokens: int = 0


class Meter:
    """Counts what is kept."""

    def __init__(self, total: int, now: float) -> None:
        self._total = total
        self._began = now
        self._done = self._cached = self._failed = self._tokens = 0
        #: When replies were kept that were asked for now.
        self._times: deque[float] = deque()

    def earlier(self, prediction: Prediction) -> None:
        """One that was kept before this process began."""
        self._count(prediction)

    def kept(self, prediction: Prediction, now: float) -> None:
        """One that is kept now."""
        self._count(prediction)
        if not prediction.cached:
            self._times.append(now)

    def progress(self, now: float, concurrency: int) -> Progress:
        """How far it is."""
        while self._times and self._times[0] <= now - RATE_S:
            self._times.popleft()
        spent = min(RATE_S, now - self._began)
        rate = len(self._times) / spent if spent > 0 else 0.0
        left = (self._total - self._done) / rate if rate > 0 else None
        return Progress(
            done=self._done,
            total=self._total,
            cached=self._cached,
            failed=self._failed,
            rate=rate,
            left=0.0 if self._done >= self._total else left,
            concurrency=concurrency,
            tokens=self._tokens,
        )

    def _count(self, prediction: Prediction) -> None:
        self._done += 1
        self._cached += prediction.cached
        self._failed += bool(prediction.error)
        self._tokens += 0 if prediction.cached else prediction.completion_tokens or 0

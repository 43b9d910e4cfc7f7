"""What a test can set, all in one place; times are seconds, scaled down so that tests are quick."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from tests.fakes.platform.faults import FAULTS


@dataclass(frozen=True, slots=True)
class Config:
    """The platform's behaviour. Changed as a whole, by `replace`, while it runs."""

    #: Probability of each fault of `faults.FAULTS`, per call of the bot.
    faults: dict[str, float] = field(default_factory=dict)
    #: A message appears in a listing, and a deleted one disappears from it, this long afterwards.
    read_lag: float = 0.3
    #: What a 429 asks for; until it is over, the same method is refused in the same channel.
    retry_after: float = 0.5
    #: How long a late answer takes; longer than the bot waits.
    late: float = 3.0
    #: How long a slow answer takes; shorter than the bot waits.
    slow: float = 0.2
    #: A stream ends by itself after this (Slack's after about five minutes).
    stream_ttl: float = 30.0

    #: How often each event is delivered, whether acked or not; 0: not at all.
    copies: int = 1
    #: Each addressed message comes as two events with ids of their own: one that isn't addressed, then one that is.
    twins: bool = False
    #: Each event waits for this, and for a random share of `jitter` besides, so that events overtake each other.
    delay: float = 0.0
    jitter: float = 0.0
    #: Probability that an ack gets lost on its way, so that the event is delivered once more.
    lost_ack: float = 0.0
    #: An unanswered delivery counts as failed after this, although the bot may have taken it (Slack: 3 s).
    ack_timeout: float = 3.0
    #: Pause before the first redelivery, doubled up to the longest.
    retry_first: float = 0.2
    retry_longest: float = 1.0

    def changed(self, changes: dict[str, Any]) -> Config:
        """A copy with these fields changed; an unknown name is an error of the test."""
        unknown = changes.keys() - {item.name for item in fields(self)}
        unknown |= changes.get("faults", {}).keys() - FAULTS.keys()
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        return replace(self, **changes)

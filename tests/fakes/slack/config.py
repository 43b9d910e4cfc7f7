"""What a test can set, all in one place; times are seconds. What differs from Slack is scaled down for quick tests."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from tests.fakes.slack.faults import FAULTS


@dataclass(frozen=True, slots=True)
class Config:
    """Slack's behaviour. Changed as a whole, by `changed`, while it runs."""

    #: Probability of each fault of `faults.FAULTS`, per call of the app.
    faults: dict[str, float] = field(default_factory=dict)
    #: A message appears in conversations.history and .replies, and a deleted one disappears, this long afterwards.
    read_lag: float = 0.0
    #: What a 429 by fault asks for; until it is over, the same method is refused in the same channel.
    retry_after: float = 1.0
    #: How long a late answer takes; longer than the app waits.
    late: float = 3.0
    #: How long a slow answer takes; shorter than the app waits.
    slow: float = 0.2

    #: Whether calls are counted against their tiers at all (facts 2.1).
    limits: bool = True
    #: Every tier's number of calls per minute, times this.
    tier_factor: float = 1.0
    #: chat.postMessage per channel: so many per second, after a burst of so many (facts 2.1: "~1/s, short bursts").
    post_rate: float = 1.0
    post_burst: float = 5.0
    #: chat.postMessage of a whole workspace, per minute (facts 2.1: "several hundred").
    workspace_posts: float = 300.0
    #: An app that is distributed outside the Marketplace: conversations.history/.replies once a minute, 15 messages.
    unlisted: bool = False
    #: A file that was uploaded is processed, and good for an image block, this long afterwards (facts 1.5).
    file_processing: float = 0.0
    #: Whether what is posted with a person's token carries the bot_id of the token's app (facts 6: not verified).
    personal_bot_id: bool = False

    #: A stream dies this long after its start, even when fed (facts 2.2).
    stream_ttl: float = 300.0
    #: UTF-8 bytes of one streamed message in all, `details` and `output` of its tasks counted twice (facts 2.2).
    stream_bytes: int = 11_000
    #: A thread's status line clears after this without a message (facts 1.3).
    status_ttl: float = 120.0
    #: Life of a trigger_id (facts 2.3).
    trigger_ttl: float = 3.0
    #: Life of a response_url (facts 2.3).
    response_ttl: float = 1800.0
    #: `processing` that nobody ends clears after this (facts 2.4).
    session_ttl: float = 3600.0
    #: Whether Slack unfurls links in the app's messages, which sends message_changed (facts 5.3).
    unfurls: bool = True
    #: Whether each reply sends message_changed for the root of its thread (facts 5.3).
    thread_noise: bool = True

    #: How often each event is delivered, whether acked or not; 0: not at all.
    copies: int = 1
    #: Each event waits for this, and for a random share of `jitter` besides, so that events overtake each other.
    delay: float = 0.0
    jitter: float = 0.0
    #: Probability that an ack gets lost on its way, so that the event is delivered once more.
    lost_ack: float = 0.0
    #: The app has this long to ack (facts 2.3).
    ack_timeout: float = 3.0
    #: Pauses before each redelivery of an event (facts 2.3: at once, a minute, five minutes), and what they are
    #: multiplied with: 0.01 for tests in which nothing waits for them.
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    retry_scale: float = 1.0
    #: Delayed Events: one more redelivery in each of these periods after the last (facts 2.3: hourly); 0: off.
    delayed_every: float = 0.0
    #: A socket that was told to go is closed this long afterwards.
    socket_closing: float = 10.0

    def changed(self, changes: dict[str, Any]) -> Config:
        """A copy with these fields changed; an unknown name is an error of the test."""
        unknown = changes.keys() - {item.name for item in fields(self)}
        unknown |= changes.get("faults", {}).keys() - FAULTS.keys()
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        return replace(self, **changes)

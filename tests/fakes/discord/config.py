"""What a test can set, all in one place; times are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from tests.fakes.discord.faults import FAULTS

#: Bucket → calls per window of so many seconds. The shape is documented, the numbers are what headers were seen to
#: say (facts "REST rate limits", "Not verified"); of what nobody measured they are what such routes usually have.
BUCKETS: dict[str, tuple[int, float]] = {
    "post": (5, 5.0),
    "edit": (5, 5.0),
    "delete": (5, 1.0),
    "history": (5, 1.0),
    "message": (5, 1.0),
    "typing": (5, 5.0),
    "thread": (5, 5.0),
    "channel": (5, 5.0),
    "rename": (2, 600.0),
    # Edits of messages that are more than an hour old, in one channel.
    "old-edit": (30, 3600.0),
    "reaction": (1, 0.25),
    "webhooks": (5, 5.0),
    "webhook": (5, 2.0),
    "callback": (5, 1.0),
    "commands": (5, 20.0),
    "dm": (5, 1.0),
    "other": (50, 1.0),
}


@dataclass(frozen=True, slots=True)
class Config:
    """Discord's behaviour. Changed as a whole, by `changed`, while it runs."""

    #: Probability of each fault of `faults.FAULTS`, per call of the app.
    faults: dict[str, float] = field(default_factory=dict)
    #: A message appears in lists, and a deleted one disappears from them, this long afterwards.
    read_lag: float = 0.0
    #: What a 429 by fault asks for.
    retry_after: float = 1.0
    #: How long a late answer takes; longer than the app waits.
    late: float = 12.0
    #: How long a slow answer takes; shorter than the app waits.
    slow: float = 0.2

    #: Whether calls are counted at all. Headers are sent either way.
    limits: bool = True
    #: Overrides of `BUCKETS` by name.
    buckets: dict[str, tuple[int, float]] = field(default_factory=dict)
    #: Calls of the bot per second, interactions not counted.
    global_rate: int = 50
    #: 401, 403 and 429 answers within so many seconds after which nothing is let through for as long.
    invalid_requests: int = 10_000
    invalid_window: float = 600.0

    #: How long an interaction waits for its first answer, and how long its token is good afterwards.
    interaction_ack: float = 3.0
    interaction_life: float = 900.0
    #: How long a nonce is remembered ("the past few minutes").
    nonce_life: float = 180.0
    #: How long an attachment's address is good.
    url_life: float = 86_400.0
    #: Bytes of one file.
    file_size: int = 10 * 1024 * 1024
    #: Whether links get previews, which sends MESSAGE_UPDATE.
    unfurls: bool = True
    #: New commands a day.
    command_creates: int = 200
    #: Threads of a server that aren't archived.
    active_threads: int = 1000
    #: An edit of a message counts as one of an old message from this age on.
    old_after: float = 3600.0

    #: Seconds between heartbeats that HELLO asks for.
    heartbeat_interval: float = 41.25
    #: IDENTIFY: one per so many seconds for each of `max_concurrency` (5 on Discord), and so many a day.
    identify_every: float = 0.0
    max_concurrency: int = 1
    identifies: int = 1000
    #: How many shards GET /gateway/bot recommends.
    shards: int = 1
    #: How long a session without a connection can be taken up again.
    resume_ttl: float = 90.0
    #: What a client may send over the gateway in a minute.
    gateway_sends: int = 120
    #: How often each event comes.
    copies: int = 1
    #: Each event waits for this, and for a random share of `jitter` besides: those of different channels overtake each
    #: other, those of one channel don't.
    delay: float = 0.0
    jitter: float = 0.0

    def changed(self, changes: dict[str, Any]) -> Config:
        """A copy with these fields changed; an unknown name is an error of the test."""
        unknown = changes.keys() - {item.name for item in fields(self)}
        unknown |= changes.get("faults", {}).keys() - FAULTS.keys()
        unknown |= changes.get("buckets", {}).keys() - BUCKETS.keys()
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        return replace(self, **changes)

"""Sessions of the gateway: what one shard was told, in order, and what it missed."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

#: The events that a session keeps for RESUME; who missed more has to identify anew.
MOST_KEPT = 5_000


class Link(Protocol):
    """The connection that a session is on just now."""

    def push(self, frame: str) -> None:
        """Send this as soon as everything before it is sent."""


class Dispatched(NamedTuple):
    """One event as this session got it, or would have."""

    seq: int
    event: str
    #: What it is about, for the log.
    subject: str
    frame: str


@dataclass(eq=False, slots=True)
class Session:
    """One IDENTIFY. It outlives its connection: RESUME takes it up on another one."""

    id: str
    #: Which of how many.
    shard: int
    shards: int
    intents: int
    seq: int = 0
    #: Its connection; None: it has lost it.
    link: Link | None = None
    #: Loop time at which it lost it.
    left_at: float = 0.0
    #: What RESUME can give again, oldest first.
    kept: deque[Dispatched] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    #: Up to which event the app has said, with a heartbeat, that it has come.
    heard: int = 0

    def dispatch(self, event: str, data: dict[str, Any], subject: str = "") -> int:
        """Tell it of something, now or when it comes back; the number of the event."""
        self.seq += 1
        frame = json.dumps({"op": 0, "t": event, "s": self.seq, "d": data}, ensure_ascii=False)
        self.kept.append(Dispatched(self.seq, event, subject, frame))
        if self.link is not None:
            self.link.push(frame)
        return self.seq

    def missed(self, seq: int) -> list[Dispatched] | None:
        """Everything behind event `seq`; None where some of it isn't kept any more or there never was such an event."""
        if not 0 <= seq <= self.seq:
            return None
        first = self.kept[0].seq if self.kept else self.seq + 1
        return None if seq + 1 < first else [one for one in self.kept if one.seq > seq]

    def hear(self, seq: int) -> list[Dispatched]:
        """The app has said that it has everything up to `seq`: what is new in that."""
        fresh = [one for one in self.kept if self.heard < one.seq <= seq]
        self.heard = max(self.heard, min(seq, self.seq))
        return fresh


def shard_of(guild: str, shards: int) -> int:
    """Where a guild's events go; direct messages go to shard 0 (facts 1)."""
    return (int(guild) >> 22) % shards if guild else 0

"""A model server in simulated time, for trying out a pace: a minute of it takes a moment."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.llm.chat import ModelFault
from evals.running.pace import Pace, Ticket

#: Seconds that a call is on its way before it is begun or refused, and that the client needs between two calls.
NETWORK_S, CLIENT_S = 0.002, 0.001


@dataclass
class Served:
    """What a simulated run came to."""

    #: When calls ended with a reply, and when calls were refused.
    replies: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    #: Time and calls under way, whenever one ended.
    under_way: list[tuple[float, int]] = field(default_factory=list)

    def between(self, begin: float, end: float) -> int:
        """Replies in this time."""
        return sum(begin <= at < end for at in self.replies)

    def refused_between(self, begin: float, end: float) -> int:
        """Refusals in this time."""
        return sum(begin <= at < end for at in self.refusals)

    def most_under_way(self, begin: float, end: float) -> int:
        """Calls under way in this time, at most."""
        return max((count for at, count in self.under_way if begin <= at < end), default=0)


@dataclass
class Simulated:
    """A server with slots, and how it treats what is too much."""

    #: Slots by time.
    slots: Callable[[float], int]
    #: Seconds of a call, given how many run and a source of chance.
    seconds: Callable[[int, random.Random], float]
    #: Calls that may wait for a slot; None for any number, 0 refuses at once.
    queue: int | None = None
    fault: ModelFault = "overloaded"
    seed: int = 1

    def serve(self, pace: Pace, until: float) -> Served:
        """Let a client with this pace call the server for so many seconds; it has always more to ask."""
        chance, served = random.Random(self.seed), Served()
        events: list[tuple[float, int, str, Ticket | None]] = []
        waiting: deque[Ticket] = deque()
        running, number, now = 0, 0, 0.0

        def plan(at: float, what: str, ticket: Ticket | None = None) -> None:
            nonlocal number
            number += 1
            heapq.heappush(events, (at, number, what, ticket))

        def begin(at: float, ticket: Ticket) -> None:
            nonlocal running
            running += 1
            plan(at + self.seconds(running, chance), "done", ticket)

        plan(0.0, "client")
        while events:
            now, _, what, ticket = heapq.heappop(events)
            if now > until:
                break
            if what == "client":
                wait = pace.wait(now)
                if wait == 0.0:
                    plan(now + NETWORK_S * chance.uniform(0.5, 1.5), "arrives", pace.start(now))
                    plan(now, "client")
                elif wait is not None:
                    plan(now + wait, "client")
            elif what == "arrives" and ticket is not None:
                if running < self.slots(now):
                    begin(now, ticket)
                elif self.queue is None or len(waiting) < self.queue:
                    waiting.append(ticket)
                else:
                    plan(now + NETWORK_S, "refused", ticket)
            elif what == "done" and ticket is not None:
                running -= 1
                while waiting and running < self.slots(now):
                    begin(now, waiting.popleft())
                plan(now + NETWORK_S, "replied", ticket)
            elif what == "replied" and ticket is not None:
                pace.replied(ticket, now)
                served.replies.append(now)
                served.under_way.append((now, pace.in_flight))
                plan(now + CLIENT_S * chance.uniform(0.5, 2), "client")
            elif what == "refused" and ticket is not None:
                pace.refused(ticket, now, self.fault)
                served.refusals.append(now)
                plan(now + CLIENT_S, "client")
        return served


def halved(slots: int, at: float) -> Callable[[float], int]:
    """So many slots, and half of them from then on."""
    return lambda now: slots if now < at else slots // 2


def doubled(slots: int, at: float) -> Callable[[float], int]:
    """So many slots, and twice as many from then on."""
    return lambda now: slots if now < at else 2 * slots


def steady(seconds: float, spread: float = 0.0) -> Callable[[int, random.Random], float]:
    """Calls of about the same length."""
    return lambda _, chance: seconds * chance.uniform(1 - spread, 1 + spread)


def written(seconds: float) -> Callable[[int, random.Random], float]:
    """Calls as models have them: many short replies, some long ones; so long on average."""
    return lambda _, chance: seconds * min(4.0, chance.gammavariate(2.0, 0.5))

"""How many calls are under way at once: as many as keep the server's queue just full.

Nobody tells how much a server can do, and it changes: others use it, prompts get longer, a part of it dies. Two things
are seen from outside. Servers that queue get slower (`climbing`). Servers that refuse (429, 503) say at once that it is
too much, and how many they have taken is known then: those under way. Finding that out costs one refusal now and then,
and coming down from a level that is refused goes in steps, each with a single one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from agent.llm.chat import ModelFault
from evals.running.climbing import FIRST, MOST, Climb

#: What is left of a level that was refused again before anything was taken.
_AGAIN: Final = 0.85
#: What is left of a level at which a call was not answered in time.
_TIMED_OUT: Final = 0.7
#: Seconds between two looks above a level that was refused: by what a call takes, within these bounds; longer by the
#: factor after each one in vain, up to the longest.
_LEAST_LOOK_S, _MOST_LOOK_S, _LONGER, _LONGEST_LOOK_S = 0.5, 2.0, 1.5, 3.0
#: Seconds after which a call counts as taken: so many times what a refusal takes, and at least this.
_TAKEN, _LEAST_TAKEN_S = 4.0, 0.02
#: Seconds without a refusal after which a server counts as one that queues.
_FORGET_S: Final = 30.0
#: Seconds of rest where nothing at all is taken: doubled each time, up to the longest. What the server asks for counts
#: up to its bound: a run has its patience.
_REST_S, _LONGEST_REST_S, _MOST_ASKED_S = 0.2, 5.0, 30.0
#: Seconds with too few calls under way, by what a call takes, after which a round says nothing.
_STARVED, _LEAST_STARVED_S = 0.1, 0.05


@dataclass(slots=True, eq=False)
class Ticket:
    """A call under way."""

    started: float


class Pace:
    """Decides when the next call may start. Pure: it is told the time."""

    def __init__(self, first: int = FIRST, most: int = MOST) -> None:
        self._climb = Climb(first, most)
        self.in_flight = 0
        self._last_start = -math.inf
        #: When there began to be fewer calls than allowed; None while there are not.
        self._short_since: float | None = 0.0
        self._rest_until = -math.inf
        #: Refused: when last, how long it took, and how often in a row without a call that was taken.
        self._refused_at = -math.inf
        self._refusal_s = 0.0
        self._streak = 0
        #: When the level was last lowered: calls of before are of the same burst.
        self._cut_at = -math.inf
        #: The level at which the server was full.
        self._full_at: int | None = None
        #: The next look above that, how far it goes, and how long until the one after it.
        self._look_at = math.inf
        self._step = 1
        self._look_s = 0.0
        #: The level before calls began to be refused, and that of a server that has gone away since.
        self._usual = first
        self._resume_at = 0

    @property
    def limit(self) -> int:
        """Most calls under way just now."""
        return self._climb.level

    def wait(self, now: float) -> float | None:
        """Seconds until a call may start: 0 for now, None for when one has ended."""
        if now < self._rest_until:
            return self._rest_until - now
        self._forget(now)
        if self.in_flight < self.limit:
            return 0.0
        due = self._due()
        if due is None or self.in_flight > self.limit:
            return None
        if now < due:
            return due - now
        self._look_higher(now)
        return 0.0 if self.in_flight < self.limit else None

    def start(self, now: float) -> Ticket:
        """A call starts."""
        self.in_flight += 1
        self._last_start = now
        if self.in_flight >= self.limit:
            self._short_since = None
            self._climb.begin(now)
        return Ticket(now)

    def replied(self, ticket: Ticket, now: float) -> None:
        """It ended with a reply, or in a way that is about its prompt."""
        self._left(now)
        if ticket.started > self._cut_at:
            self._streak = 0
        if self._resume_at:
            self._climb.reopen(max(self.limit, self._resume_at // 2))
            # What it took before it will take again; one by one from the half on, in case it doesn't.
            self._full_at, self._resume_at = max(self.limit, self._resume_at), 0
            return
        starved_s = max(_LEAST_STARVED_S, _STARVED * self._climb.seconds)
        if self._short_since is not None and now - self._short_since > starved_s:
            self._climb.spoil()
        self._climb.replied(now, now - ticket.started, self.in_flight)

    def refused(self, ticket: Ticket, now: float, fault: ModelFault, retry_after: float | None = None) -> None:
        """It ended in a way that says that the server has too much to do, or is not there."""
        level = self.limit
        self._left(now)
        if fault == "timeout":
            left = math.floor(_TIMED_OUT * min(level, self.in_flight + 1)) if ticket.started > self._cut_at else level
        else:
            left = min(level, self.in_flight)
            self._refusal_s = max(0.5 * self._refusal_s, now - ticket.started)
        if ticket.started > self._cut_at:
            self._streak += 1
            if self._streak == 1:
                self._usual = level
            if self._streak > 1 and fault != "timeout":
                left = math.floor(_AGAIN * left)
            self._cut_at = now
        self._refused_at = now
        self._climb.held = True
        self._climb.cap(max(1, left))
        self._full_at = max(1, min(level, self.in_flight))
        self._step = 1
        self._look_s = min(_LONGEST_LOOK_S, _LONGER * self._look_s) if self._look_s else self._first_look()
        self._look_at = now + self._look_s
        if not self.in_flight:
            self._rest(now, fault, retry_after)

    def withdrawn(self, ticket: Ticket, now: float) -> None:
        """It was cancelled, or ended in a way that says nothing about the server."""
        self._left(now)

    def _left(self, now: float) -> None:
        self.in_flight -= 1
        if self._short_since is None and self.in_flight < self.limit:
            self._short_since = now

    def _rest(self, now: float, fault: ModelFault, retry_after: float | None) -> None:
        """Nothing is taken at all."""
        rest = min(_LONGEST_REST_S, _REST_S * 2 ** min(self._streak, 10))
        self._rest_until = now + max(rest, min(retry_after or 0.0, _MOST_ASKED_S))
        if fault in ("unreachable", "not_started"):
            self._resume_at = max(self._resume_at, self._usual)

    def _forget(self, now: float) -> None:
        if self._full_at is not None and now - self._refused_at > _FORGET_S:
            self._full_at, self._climb.held, self._look_s = None, False, 0.0

    def _due(self) -> float | None:
        """When the level may be raised beyond what was refused, or towards it after coming down too far."""
        if self._full_at is None:
            return None
        # Not before the last one is known to be taken.
        taken = self._last_start + max(_LEAST_TAKEN_S, _TAKEN * self._refusal_s)
        return taken if self.limit < self._full_at else max(taken, self._look_at)

    def _look_higher(self, now: float) -> None:
        if self._full_at is not None and self.limit < self._full_at:
            self._climb.lift(self.limit + 1)
            return
        # A server that queues what is beyond this doesn't refuse it, and gains nothing.
        if not self._climb.is_far_above:
            if self._step > 1:
                # The last look was not in vain: from here on it goes ever faster.
                self._look_s = self._first_look()
            self._climb.lift(self.limit + self._step)
            self._step = min(2 * self._step, max(1, self.limit // 2))
            self._full_at = self.limit
        self._look_at = now + self._look_s

    def _first_look(self) -> float:
        return min(_MOST_LOOK_S, max(_LEAST_LOOK_S, self._climb.seconds))

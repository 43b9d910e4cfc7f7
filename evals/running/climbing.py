"""How many calls at once are worth it: more while more get done, fewer while nothing is lost by it.

Servers that queue what they can't do at once say nothing about it; a call only takes longer. What tells is the
throughput: below a server's capacity it grows with the calls under way, beyond it it doesn't. Being above costs waiting
time, being below costs throughput, so going up is quick and coming down is careful.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

#: Calls under way at the start: few, because a server may take one at a time, and a minute for it.
FIRST: Final = 4
#: Most calls under way; vLLM runs 256 at once by default (`--max-num-seqs`).
MOST: Final = 256

#: A level grows by the first factor while throughput keeps up with it (the share of it that it must keep up by), by
#: the second one while it still gains.
_FAST, _KEEPS_UP = 3.0, 0.6
_SLOW, _GAINS = 1.5, 0.15
#: Calls that take so many times longer than alone wait for others, whatever throughput seems to be.
_LONGER = 1.5
#: A level of so many calls is a good enough measure to look at it twice; a lower one is rather raised.
_MANY = 16
#: What a level is above the calls that the server works on: enough that none of its slots waits for the next call.
_HEADROOM = 1.25
#: A level so far above these (and two calls) is tried lower.
_TOO_FAR = 1.6
#: A look upwards, and what share of it throughput must follow by; a look downwards, and what it may lose.
_UP, _FOLLOWS = 1.3, 0.35
_DOWN, _KEEPS = 0.7, 0.92
#: Throughput that changed by so much says that the server has changed.
_MORE, _LESS = 1.15, 0.8
#: Replies that a judgement is made from, at least; each call under way counts once when opening, and so often else.
_FEWEST: Final = 24
_TURNS: Final = {"opening": 1, "steady": 2, "up": 2, "down": 3}
#: Rounds between two looks upwards, at most; doubled after each one in vain.
_LONGEST_CALM = 4
#: Seconds of a call from which on a server is slow: there, too many calls at once may end in time-outs.
_SLOW_S = 10.0

Phase = Literal["opening", "steady", "up", "down"]


@dataclass(frozen=True, slots=True)
class _Round:
    """What one level gave."""

    level: int
    #: Replies per second.
    rate: float
    #: Seconds that its calls took, on average, and the quickest one.
    mean: float
    quickest: float


class Climb:
    """Finds the level. Pure: it is told what ends, and when."""

    def __init__(self, first: int = FIRST, most: int = MOST) -> None:
        self.level = first
        self._most = most
        #: Whether nothing is tried above the level, because the server refuses what is too much.
        self.held = False
        self._phase: Phase = "opening"
        #: Replies per second at this level.
        self._rate = 0.0
        #: Seconds that a call takes when it doesn't wait for others; 0 while nobody knows.
        self._base = 0.0
        #: The round before, while opening.
        self._before: _Round | None = None
        #: Rounds in a row that gained nothing, while opening.
        self._in_vain = 0
        #: Where a look upwards or downwards began.
        self._back = first
        self._calm, self._most_calm = 0, 1
        #: Whether lower levels were found to lose something.
        self._settled = False
        self._began: float | None = None
        self._replies = 0
        self._spent = 0.0
        self._quickest = math.inf

    @property
    def works_on(self) -> float:
        """Calls that the server works on at once, about; the others wait. 0 while nobody knows."""
        return self._rate * self._base

    @property
    def seconds(self) -> float:
        """Seconds that a call takes when it doesn't wait; 0 while nobody knows."""
        return self._base

    @property
    def is_far_above(self) -> bool:
        """Whether many more calls are under way than the server works on."""
        return bool(self._rate) and self.level > _TOO_FAR * self.works_on + 2

    def begin(self, now: float) -> None:
        """As many calls as the level allows are under way: what ends from now on counts."""
        if self._began is None:
            self._began = now

    def spoil(self) -> None:
        """There were fewer calls under way for a while: what was counted says nothing about the level."""
        self._restart()

    def cap(self, level: int) -> None:
        """The server refused more than this."""
        if level >= self.level:
            return
        if level < self.level - 1 - self.level // _FEWEST or self._phase != "steady":
            self._phase, self._calm = "steady", 0
            self._restart()
        self.level = level

    def lift(self, level: int) -> None:
        """The server took more than expected."""
        self.level = min(level, self._most)

    def reopen(self, level: int) -> None:
        """Begin anew from here, since the server was away."""
        self._phase, self._before, self._rate = "opening", None, 0.0
        self._raise_to(level, None)

    def replied(self, now: float, seconds: float, under_way: int) -> None:
        """A call ended that took so long; so many are under way still."""
        if self._began is None:
            # Coming down: what is too much is on its way out.
            if under_way <= self.level:
                self._began = now
            return
        self._replies += 1
        self._spent += seconds
        self._quickest = min(self._quickest, seconds)
        enough = self.level * _TURNS[self._phase]
        if self._replies < (enough if self._phase == "opening" else max(_FEWEST, enough)) or now <= self._began:
            return
        rate = self._replies / (now - self._began)
        self._judge(_Round(self.level, rate, self._spent / self._replies, self._quickest), now)

    def _judge(self, found: _Round, now: float) -> None:
        # The first calls of a slow server that takes one at a time wait for each other; the quickest one didn't.
        alone = found.quickest if not self._base and found.mean >= _SLOW_S else found.mean
        self._base = min(alone, self._base or alone)
        self._restart()
        match self._phase:
            case "opening":
                self._open(found, now)
            case "steady":
                self._steady(found, now)
            case "up":
                self._looked_up(found, now)
            case "down":
                self._looked_down(found)

    def _open(self, found: _Round, now: float) -> None:
        before = self._before
        if before is None:
            # By how many calls it did while the first one took its time.
            gain = (found.rate * found.quickest - 1) / max(1, found.level - 1)
        else:
            gain = _gain(found, before.level, before.rate)
        self._in_vain = 0 if gain >= _GAINS else self._in_vain + 1
        # Few calls are a poor measure, and one level too many is cheap where calls are quick.
        enough = self._in_vain > (found.mean < _SLOW_S)
        if not enough and not self.held and self.level < self._most:
            self._before = found if gain >= _GAINS or before is None else before
            keeps_up = gain >= _KEEPS_UP and found.mean <= _LONGER * self._base
            again = not gain >= _GAINS and self.level >= _MANY
            self._raise_to(self.level if again else math.ceil(self.level * (_FAST if keeps_up else _SLOW)), now)
            return
        self._in_vain, self._before = 0, None
        self._rate = found.rate
        self._back = before.level if before is not None and before.rate >= _KEEPS * found.rate else self.level
        self._settled = False
        self._look_down(math.ceil(self._back * _DOWN * _DOWN))

    def _steady(self, found: _Round, now: float) -> None:
        known, self._calm = self._rate, self._calm + 1
        fell = found.rate < _LESS * known
        self._rate = found.rate if fell or not known else (known + found.rate) / 2
        self._settled = self._settled and not fell
        if fell:
            # That round began before the fall, perhaps: the next one shows how far it went.
            return
        if self.is_far_above and not self._settled:
            self._back = self.level
            self._look_down(math.floor(self.level * _DOWN))
        elif (found.rate > _MORE * known or self._calm >= self._most_calm) and not self.held:
            self._back, self._phase = self.level, "up"
            self._raise_to(math.ceil(self.level * _UP), now)

    def _look_down(self, lowest: int) -> None:
        target = max(1, lowest, math.ceil(_HEADROOM * self.works_on + 0.5))
        if target >= self.level:
            self._phase, self._calm = "steady", 0
            return
        self.level, self._phase = target, "down"

    def _looked_up(self, found: _Round, now: float) -> None:
        gain = _gain(found, self._back, self._rate)
        self._calm = 0
        if gain >= _FOLLOWS:
            self._phase, self._before, self._most_calm = "opening", found, 1
            self._raise_to(math.ceil(self.level * (_FAST if gain >= _KEEPS_UP else _SLOW)), now)
            return
        self._most_calm = min(_LONGEST_CALM, 2 * self._most_calm)
        if found.rate < _LESS * self._rate:
            self._rate, self._settled = found.rate, False
        self.level, self._phase = self._back, "steady"

    def _looked_down(self, found: _Round) -> None:
        self._phase, self._calm = "steady", 0
        if found.rate >= _KEEPS * self._rate:
            self._rate = max(found.rate, (self._rate + found.rate) / 2)
            return
        # It worked on more of them than was thought: calls take longer by now.
        self.level, self._settled = self._back, True
        self._base = max(self._base, self._back / self._rate / _HEADROOM)

    def _raise_to(self, level: int, now: float | None) -> None:
        self.level = max(1, min(level, self._most))
        self._restart()
        self._began = now

    def _restart(self) -> None:
        self._began = None
        self._replies, self._spent, self._quickest = 0, 0.0, math.inf


def _gain(found: _Round, level: int, rate: float) -> float:
    """Which share of the level's growth throughput has followed by: 1 for all of it, 0 for none."""
    if rate <= 0 or found.level <= level:
        return 0.0
    return (found.rate / rate - 1) / (found.level / level - 1)

"""Which call of an app goes wrong, and how: what the fakes of platforms have in common."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar


@dataclass(slots=True, kw_only=True)
class Scripted:
    """Let the next calls of one kind fail in one way; which kind, the platform's own fields say."""

    fault: str
    #: Calls of this kind to let pass first.
    skip: int = 0
    times: int = 1

    def hits(self, call: str, place: str) -> bool:
        """Whether a call is of this kind. `place`: the channel that it is about; "" for none."""
        raise NotImplementedError


S = TypeVar("S", bound=Scripted)


class FaultPlan(Generic[S]):
    """Chooses the fault of each call: the scripted ones first, then by chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._script: list[S] = []

    def script(self, item: S) -> None:
        """Add to the script; entries for one kind of call are played one after the other."""
        self._script.append(item)

    def clear(self) -> None:
        """Forget what is left of the script."""
        self._script.clear()

    def choose(self, call: str, place: str, chances: Mapping[str, float]) -> str | None:
        """The fault of this call, or None."""
        for item in self._script:
            if not item.hits(call, place):
                continue
            if item.skip > 0:
                item.skip -= 1
                return None
            item.times -= 1
            if item.times <= 0:
                self._script.remove(item)
            return item.fault
        if not chances:
            return None
        drawn = self._random.random()
        for name, chance in chances.items():
            if drawn < chance:
                return None if name == "late" and self.never_late(call) else name
            drawn -= chance
        return None

    def never_late(self, call: str) -> bool:
        """Whether `late` happens to it only when scripted: a change that comes after a later one would undo it, and
        there is nothing that an app could do about that."""
        raise NotImplementedError

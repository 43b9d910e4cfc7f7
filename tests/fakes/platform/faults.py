"""When a call of the bot goes wrong, and how. What each fault does on the wire is in `web`."""

from __future__ import annotations

import random
from dataclasses import dataclass

#: Name → what the bot meets.
FAULTS: dict[str, str] = {
    # Nothing happened.
    "reset": "the connection is reset before the call is looked at",
    "rate_limited": "429 with Retry-After",
    "unavailable": "500, and nothing was done",
    "error": "200 that says it failed: internal_error, and nothing was done",
    # It happened, and the bot isn't told.
    "done_reset": "done, then the connection is reset",
    "done_late": "done, but the answer comes after the bot's time-out",
    "done_unavailable": "done, but answered with 500",
    "done_error": "done, but answered with 200 that says it failed",
    # It happens when the bot has given up.
    "late": "done only after the bot's time-out",
    # It happened and is told, slowly.
    "slow": "done and answered, but slowly",
}
#: The call was done at once; only its answer suffers.
DONE = frozenset({"done_reset", "done_late", "done_unavailable", "done_error", "slow"})
#: Methods for which `late` happens only when scripted: a change that comes after a later one would undo it, and there
#: is nothing that a bot could do about that.
NEVER_LATE = frozenset({"edit", "append", "stop_stream"})


@dataclass(slots=True)
class Scripted:
    """Let the next calls of a method fail in one way."""

    method: str
    fault: str
    #: Calls of this method to let pass first.
    skip: int = 0
    times: int = 1


class FaultPlan:
    """Chooses the fault of each call: the scripted ones first, then by chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._script: list[Scripted] = []

    def script(self, item: Scripted) -> None:
        """Add to the script; entries for one method are played one after the other."""
        if item.fault not in FAULTS:
            raise ValueError(f"no such fault: {item.fault}")
        self._script.append(item)

    def clear(self) -> None:
        """Forget what is left of the script."""
        self._script.clear()

    def choose(self, method: str, chances: dict[str, float]) -> str | None:
        """The fault of this call, or None."""
        for item in self._script:
            if item.method != method:
                continue
            if item.skip > 0:
                item.skip -= 1
                return None
            item.times -= 1
            if item.times <= 0:
                self._script.remove(item)
            return item.fault
        drawn = self._random.random()
        for name, chance in chances.items():
            if drawn < chance:
                return None if name == "late" and method in NEVER_LATE else name
            drawn -= chance
        return None

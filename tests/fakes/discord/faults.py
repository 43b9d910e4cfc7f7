"""When a call of the app goes wrong, and how. What each fault does on the wire is in `web`."""

from __future__ import annotations

import random
from dataclasses import dataclass

#: Name → what the app meets.
FAULTS: dict[str, str] = {
    # Nothing happened.
    "reset": "the connection is reset before the call is looked at",
    "internal_error": "500, and nothing was done",
    "bad_gateway": "502 with a page instead of JSON, and nothing was done",
    "unavailable": "503, and nothing was done",
    "html": "503 with a page instead of JSON, and nothing was done",
    "ratelimited": "429 of the route's bucket, although it isn't used up",
    "shared": "429 of a limit that others have used up (scope shared)",
    "global": "429 of everything (global)",
    "banned": "429 without Via, a page: the address is banned",
    # It happened, and the app isn't told.
    "done_reset": "done, then the connection is reset",
    "done_late": "done, but the answer comes after the app's time-out",
    "done_internal_error": "done, but answered with 500",
    "done_bad_gateway": "done, but answered with 502 and a page",
    # It happens when the app has given up.
    "late": "done only after the app's time-out",
    # It happened and is told, slowly.
    "slow": "done and answered, but slowly",
}
#: The call was done at once; only its answer suffers.
DONE = frozenset({"done_reset", "done_late", "done_internal_error", "done_bad_gateway", "slow"})
#: 429s.
LIMITED = frozenset({"ratelimited", "shared", "global", "banned"})


@dataclass(slots=True)
class Scripted:
    """Let the next calls of a route fail in one way."""

    #: "PATCH /channels/{channel}/messages/{message}", …; "GET /attachments" for downloads.
    route: str
    #: One of `FAULTS`, or Discord's error code as a word, "50013": refused with it, and nothing was done.
    fault: str
    #: Calls of this route to let pass first.
    skip: int = 0
    times: int = 1
    #: Only calls about this channel, thread or webhook; "": any.
    major: str = ""


class FaultPlan:
    """Chooses the fault of each call: the scripted ones first, then by chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._script: list[Scripted] = []

    def script(self, item: Scripted) -> None:
        """Add to the script; entries for one route are played one after the other."""
        self._script.append(item)

    def clear(self) -> None:
        """Forget what is left of the script."""
        self._script.clear()

    def choose(self, route: str, major: str, chances: dict[str, float]) -> str | None:
        """The fault of this call, or None."""
        for item in self._script:
            if item.route != route or item.major not in ("", major):
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
                # A change that comes after a later one would undo it, and there is nothing that an app could do.
                return None if name == "late" and route.startswith("PATCH") else name
            drawn -= chance
        return None

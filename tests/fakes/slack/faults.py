"""When a call of the app goes wrong, and how. What each fault does on the wire is in `web`."""

from __future__ import annotations

import random
from dataclasses import dataclass

#: Name → what the app meets (facts 1.5, 2.1, 3.6).
FAULTS: dict[str, str] = {
    # Nothing happened.
    "reset": "the connection is reset before the call is looked at",
    "ratelimited": "429 with Retry-After, although the tier isn't used up",
    "unavailable": "500, and nothing was done",
    "internal_error": "200 that says internal_error, and nothing was done",
    "fatal_error": "200 that says fatal_error, and nothing was done",
    "html": "503 with a page instead of JSON, and nothing was done",
    # It happened, and the app isn't told.
    "done_reset": "done, then the connection is reset",
    "done_late": "done, but the answer comes after the app's time-out",
    "done_unavailable": "done, but answered with 500",
    "done_internal_error": "done, but answered with 200 that says internal_error",
    # It happens when the app has given up.
    "late": "done only after the app's time-out",
    # It happened and is told, slowly.
    "slow": "done and answered, but slowly",
    # Files only.
    "redirect": "a download is answered with a redirect to another host, which must not see the token",
}
#: The call was done at once; only its answer suffers.
DONE = frozenset({"done_reset", "done_late", "done_unavailable", "done_internal_error", "slow"})
#: Methods for which `late` happens only when scripted: a change that comes after a later one would undo it, and there
#: is nothing that an app could do about that.
NEVER_LATE = frozenset({"chat.update", "chat.appendStream", "chat.stopStream"})


@dataclass(slots=True)
class Scripted:
    """Let the next calls of a method fail in one way."""

    #: "chat.update", …; "files.download", "files.upload" and "response_url" for what isn't a method.
    method: str
    #: One of `FAULTS`, or any other word: Slack answers 200 with this error, and nothing was done.
    fault: str
    #: Calls of this method to let pass first.
    skip: int = 0
    times: int = 1
    #: Only calls about this channel; "": any.
    channel: str = ""


class FaultPlan:
    """Chooses the fault of each call: the scripted ones first, then by chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._script: list[Scripted] = []

    def script(self, item: Scripted) -> None:
        """Add to the script; entries for one method are played one after the other."""
        self._script.append(item)

    def clear(self) -> None:
        """Forget what is left of the script."""
        self._script.clear()

    def choose(self, method: str, channel: str, chances: dict[str, float]) -> str | None:
        """The fault of this call, or None."""
        for item in self._script:
            if item.method != method or item.channel not in ("", channel):
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

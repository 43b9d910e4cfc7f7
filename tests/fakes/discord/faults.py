"""When a call of the app goes wrong, and how. What each fault does on the wire is in `web`."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes import faulting

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


@dataclass(slots=True, kw_only=True)
class Scripted(faulting.Scripted):
    """`fault` is one of `FAULTS`, or Discord's error code as a word, "50013": refused with it, and nothing was done."""

    #: "PATCH /channels/{channel}/messages/{message}", …; "GET /attachments" for downloads.
    route: str
    #: Only calls about this channel, thread or webhook; "": any.
    major: str = ""

    def hits(self, call: str, place: str) -> bool:
        return self.route == call and self.major in ("", place)


class FaultPlan(faulting.FaultPlan[Scripted]):
    """Discord's; calls are routes."""

    def never_late(self, call: str) -> bool:
        return call.startswith("PATCH")

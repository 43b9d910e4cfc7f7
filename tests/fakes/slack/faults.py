"""When a call of the app goes wrong, and how. What each fault does on the wire is in `web`."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes import faulting

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
#: Methods that change what is there.
NEVER_LATE = frozenset({"chat.update", "chat.appendStream", "chat.stopStream"})


@dataclass(slots=True, kw_only=True)
class Scripted(faulting.Scripted):
    """`fault` is one of `FAULTS`, or any other word: Slack answers 200 with this error, and nothing was done."""

    #: "chat.update", …; "files.download", "files.upload" and "response_url" for what isn't a method.
    method: str
    #: Only calls about this channel; "": any.
    channel: str = ""

    def hits(self, call: str, place: str) -> bool:
        return self.method == call and self.channel in ("", place)


class FaultPlan(faulting.FaultPlan[Scripted]):
    """Slack's; calls are methods."""

    def never_late(self, call: str) -> bool:
        return call in NEVER_LATE

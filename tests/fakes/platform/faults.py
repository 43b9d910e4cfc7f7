"""When a call of the bot goes wrong, and how. What each fault does on the wire is in `web`."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes import faulting

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
#: Methods that change what is there.
NEVER_LATE = frozenset({"edit", "append", "stop_stream"})


@dataclass(slots=True, kw_only=True)
class Scripted(faulting.Scripted):
    """`fault` is one of `FAULTS`."""

    method: str

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"no such fault: {self.fault}")

    def hits(self, call: str, place: str) -> bool:
        return self.method == call


class FaultPlan(faulting.FaultPlan[Scripted]):
    """Calls are methods."""

    def never_late(self, call: str) -> bool:
        return call in NEVER_LATE

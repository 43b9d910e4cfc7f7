"""Named places at which a test can kill the process, so that each window of a crash is hit on purpose.

Live only when `KAGENTBOT_CRASHPOINT` is set to `NAME` or `NAME:N` (die at the N-th passage); otherwise a call costs one
comparison.
"""

from __future__ import annotations

import os
import signal

#: Every crash point, with the window that it opens. The kill tests iterate over this.
CRASHPOINTS: dict[str, str] = {
    "accept.before_commit": "the message is not stored, the platform not acked",
    "accept.after_commit": "stored, but not acked and nobody woken",
    "claim.after_commit": "leased, running and frozen, no step begun",
    "step.after_begin": "a step has begun, its work not",
    "step.after_make": "the step's work is done, its result not written",
    "step.after_finish": "the step's result is written, nothing shown",
    "plan.after_begin": "a plan has begun, the model not been asked",
    "plan.after_make": "the model has planned, its plan not written",
    "plan.after_finish": "a plan is written, none of its tools run",
    "write.after_begin": "a writing step is on record as begun, nobody knows whether it was done",
    "part.after_intend": "a post is intended, not made",
    "part.after_post": "posted, its id not written",
    "part.after_posted": "posted and written",
    "reply.before_close": "the answer is known, its last form not shown",
    "reply.after_close": "the last form is shown, the turn not finished",
    "finish.after_commit": "finished, the lease perhaps not released",
}
#: The same for benchmarks: no turn passes them.
BENCH_CRASHPOINTS: dict[str, str] = {
    "bench.after_end": "the run has its outcome, its message still shows it under way",
    "bench.before_report": "the end of the run is known to its process, nothing of it is shown",
    "bench.after_report": "the end is shown, the job not over",
}

_spec = os.environ.get("KAGENTBOT_CRASHPOINT", "")
_name, _, _count = _spec.partition(":")
_left = int(_count or 1)


def crashpoint(name: str) -> None:
    """Die here by SIGKILL if this is the armed crash point."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)


def step_crashpoint(point: str, key: str, *, writes: bool = False) -> None:
    """The crash point of every step; that of plans; that of writing steps."""
    crashpoint(f"step.{point}")
    if key.startswith("plan/"):
        crashpoint(f"plan.{point}")
    if writes:
        crashpoint(f"write.{point}")

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
    "part.after_intend": "a post is intended, not made",
    "part.after_post": "posted, its id not written",
    "part.after_posted": "posted and written",
    "reply.before_close": "the answer is known, its last form not shown",
    "reply.after_close": "the last form is shown, the turn not finished",
    "finish.after_commit": "finished, the lease perhaps not released",
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

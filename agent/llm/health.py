"""What a pool knows of one endpoint's health: whether it is asked, and when it is looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent.llm.chat import ModelError, ModelFault

#: Seconds that an endpoint is avoided after each failure in a row; the last one repeats.
PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
#: Faults that are about the endpoint, not about one request: it is avoided for a while.
AVOIDED: Final = frozenset[ModelFault](
    ("unreachable", "unauthorized", "overloaded", "timeout", "garbage", "not_started")
)


class Health:
    """Starts as well. Down after a failure, on trial when its server says that it is there again, well after an answer.

    A server may say that it is there and fail all the same. So only an answer makes the pause short again.
    """

    def __init__(self, pauses: Sequence[float] = PAUSES) -> None:
        self._pauses = pauses
        self._failures = 0
        self._trouble: ModelError | None = None

    @property
    def trouble(self) -> ModelError | None:
        """Why it is avoided; None while it isn't."""
        return self._trouble

    @property
    def pause(self) -> float:
        """Seconds until it is looked at again."""
        return self._pauses[min(max(self._failures, 1), len(self._pauses)) - 1]

    def failed(self, error: ModelError) -> None:
        """A call failed. Of calls that fail together only the first one makes the pause longer."""
        if self._trouble is None:
            self._failures += 1
        self._trouble = error

    def still_failing(self, error: ModelError) -> None:
        """It was looked at again, in vain."""
        self._failures += 1
        self._trouble = error

    def on_trial(self) -> None:
        """Its server is there again."""
        self._trouble = None

    def well(self) -> None:
        """It has answered."""
        self._failures = 0
        self._trouble = None

"""What a failed call means: for the call, and for the server."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.language import Lang, Text
from agent.llm.chat import ModelError, ModelFault
from agent.llm.faults import say

#: How often a call is tried that ends so; one that isn't listed is tried once. A 429 is no failure of the call: it was
#: not even begun, and is tried again for as long as others get through.
TRIES: Final[Mapping[ModelFault, int]] = {
    "unreachable": 5,
    "not_started": 5,
    "timeout": 3,
    "garbage": 2,
    "empty": 2,
    "overloaded": 50,
}
#: Faults that say something about the server: that it has too much to do, or is not there.
OF_SERVER: Final = frozenset[ModelFault](("unreachable", "not_started", "timeout", "overloaded"))
#: Faults that every call has where an address or a model's name is wrong.
DOUBTFUL: Final = frozenset[ModelFault](("rejected", "garbage"))
#: So many calls that fail so, without one that doesn't, and it is not the calls.
MOST_DOUBTFUL: Final = 8

#: Seconds before the second try; doubled with each further one up to the longest.
_FIRST_S, _LONGEST_S = 0.5, 15.0
#: A 429 is answered before anything was done, so asking again soon is cheap.
_FIRST_OVERLOADED_S: Final = 0.1
#: A server that wants to be left alone for longer is asked all the same; a run has its patience.
_LONGEST_RETRY_AFTER_S: Final = 60.0


class EndpointDown(Exception):
    """The model can't be asked; `text` is the sentence for people."""

    def __init__(self, error: ModelError) -> None:
        super().__init__(str(error))
        self.error = error
        self.fault: ModelFault = error.fault
        self.text = Text(say(error, "en"), say(error, "zh"))

    def say(self, lang: Lang) -> str:
        """The sentence."""
        return self.text.say(lang)


def back_off(error: ModelError, tries: int, chance: random.Random) -> float:
    """Seconds until a call is tried again that has failed so many times."""
    if error.retry_after is not None:
        # Later by chance, never sooner.
        return min(error.retry_after, _LONGEST_RETRY_AFTER_S) * chance.uniform(1.0, 1.2)
    first = _FIRST_OVERLOADED_S if error.fault == "overloaded" else _FIRST_S
    longest: float = min(_LONGEST_S, first * 2 ** min(tries - 1, 16))
    return longest * chance.uniform(0.5, 1.0)


@dataclass(slots=True)
class Health:
    """Whether the server answers at all."""

    patience: float
    #: Calls that it answered since this began.
    answers: int = 0
    #: When the first call failed since then.
    _failing_since: float | None = None

    def answered(self) -> None:
        """A call came to an end that a server is needed for."""
        self.answers += 1
        self._failing_since = None

    def failed(self, now: float) -> None:
        """A call found no server."""
        if self._failing_since is None:
            self._failing_since = now

    def is_down(self, now: float, oldest: float | None) -> bool:
        """Whether nothing has succeeded for too long. `oldest`: when the oldest call under way began; one that began
        before the failures did may be answered yet.
        """
        since = self._failing_since
        if since is None or now - since < self.patience:
            return False
        return oldest is None or oldest > since

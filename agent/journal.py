"""The memory of a run in progress: what has been done is recalled, never done twice.

Keys are positional (`context`, `plan/0`, `act/0/1`, `conclude`), so that a run that is started again from the top
meets its own finished steps in the same places.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

#: Anything that `json.dumps` takes: what a journal can keep.
Json = Any


@dataclass(frozen=True, slots=True)
class Recalled:
    """A step found in the journal."""

    state: Literal["started", "done"]
    writes: bool
    #: What `finish` was given; None while the step is only started.
    result: Json = None


class OutcomeUnknown(Exception):
    """A step that changes the outside world was started before a crash; nobody knows whether it happened.

    It must not be run again; the model is told so.
    """


class Parked(Exception):
    """The run waits for a person's consent to a step that changes the outside world; it goes on in a later run."""

    def __init__(self, key: str, tool: str, args: Json, until: datetime) -> None:
        super().__init__(f"{key}: {tool}")
        self.key = key
        self.tool = tool
        self.tool_args = args
        #: After this time the answer counts as no.
        self.until = until


class Journal(Protocol):
    """Steps of one turn. Every method may raise when the turn is no longer ours; then the run must end at once."""

    def recall(self, key: str) -> Recalled | None:
        """The step with this key as an earlier attempt left it; None if it was never started."""

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        """Note that the step starts. For a writing step this is durable when it returns."""

    async def finish(self, key: str, result: Json) -> None:
        """Note the step's result, durably."""

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        """Whether a person allowed this writing tool run; False if they didn't, or didn't answer in time.

        Raises `Parked` while nobody has decided.
        """


async def step(
    journal: Journal,
    key: str,
    make: Callable[[], Awaitable[Json]],
    detail: Json = None,
    *,
    writes: bool = False,
) -> Json:
    """Run `make` once for this key, or recall what it gave.

    A started read-only step is made again; a started writing step raises `OutcomeUnknown`.
    """
    found = journal.recall(key)
    if found is not None and found.state == "done":
        return found.result
    if found is not None and found.writes:
        raise OutcomeUnknown(key)
    await journal.begin(key, detail, writes=writes)
    result = await make()
    await journal.finish(key, result)
    return result

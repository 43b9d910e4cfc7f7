"""The journal of a run that lives as long as its process: nothing is recalled, every step is kept for the record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from agent.clock import Clock
from agent.journal import Json, Recalled

#: Asks a person whether a tool that changes something may run: (tool, arguments) → yes or no.
AskConsent = Callable[[str, Json], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Kept:
    """One step of the run."""

    key: str
    detail: Json
    writes: bool
    started_at: datetime
    #: None while it runs.
    finished_at: datetime | None = None
    result: Json = None


class MemoryJournal:
    """`agent.journal.Journal` without a database."""

    def __init__(self, clock: Clock, consent: AskConsent) -> None:
        self._clock = clock
        self._consent = consent
        self._steps: dict[str, Kept] = {}

    @property
    def steps(self) -> tuple[Kept, ...]:
        """All steps so far, in the order in which they began."""
        return tuple(self._steps.values())

    def recall(self, key: str) -> Recalled | None:
        step = self._steps.get(key)
        if step is None:
            return None
        return Recalled("started" if step.finished_at is None else "done", step.writes, step.result)

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        self._steps[key] = Kept(key, detail, writes, self._clock.now())

    async def finish(self, key: str, result: Json) -> None:
        self._steps[key] = replace(self._steps[key], finished_at=self._clock.now(), result=result)

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        return await self._consent(tool, args)

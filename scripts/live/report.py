"""Steps, how they end, and what is printed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from agent.language import Lang, Text
from scripts.live import texts
from scripts.live.failing import Failed

C = TypeVar("C")


@dataclass(frozen=True)
class Step(Generic[C]):
    """One thing that is tried. `run` gives what was seen, in a few words, or raises `Failed`."""

    name: str
    title: Text
    run: Callable[[C], Awaitable[str]]
    #: Steps that must have gone well, by name.
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended."""

    step: Step[Any]
    state: Literal["ok", "failed", "skipped"]
    detail: str = ""
    fix: str = ""


@dataclass(slots=True)
class Report:
    """What is printed, as it happens."""

    lang: Lang
    say: Callable[[str], None]
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every step went well."""
        return all(outcome.state == "ok" for outcome in self.outcomes)

    async def take(self, steps: Sequence[Step[C]], check: C) -> None:
        """Try them all, one after the other; what depends on a failed one is left out."""
        for step in steps:
            self._add(await self._try(step, check))

    async def _try(self, step: Step[C], check: C) -> Outcome:
        well = {outcome.step.name for outcome in self.outcomes if outcome.state == "ok"}
        if missing := [name for name in step.needs if name not in well]:
            titles = {outcome.step.name: outcome.step.title for outcome in self.outcomes}
            return Outcome(step, "skipped", texts.SKIPPED.say(self.lang, step=titles[missing[0]].say(self.lang)))
        try:
            return Outcome(step, "ok", await step.run(check))
        except Failed as failed:
            return Outcome(step, "failed", failed.reason, failed.fix)

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        state = texts.STATES[outcome.state].say(self.lang)
        detail = f": {outcome.detail}" if outcome.detail else ""
        self.say(f"{len(self.outcomes):>2}  {state:<6} {outcome.step.title.say(self.lang)}{detail}")
        if outcome.fix:
            self.say(f"           {texts.FIX.say(self.lang, fix=outcome.fix)}")

    def close(self, facts: Sequence[str], left: Sequence[str]) -> None:
        """What was measured, what is left behind, and the sum."""
        if facts:
            self.say(texts.MEASURED.say(self.lang))
        for fact in facts:
            self.say(f"  - {fact}")
        self.say(texts.LEFT.say(self.lang, what=", ".join(left)) if left else texts.CLEAN.say(self.lang))
        well = sum(outcome.state == "ok" for outcome in self.outcomes)
        self.say(texts.SUM.say(self.lang, well=well, all=len(self.outcomes)))

"""What all steps of a check share: the server that is tried, its model, and what was measured."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from agent.language import Lang, Text
from scripts.live.failing import Failed
from scripts.live.people import Ask
from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot

T = TypeVar("T")

#: Seconds for an answer to appear on a real platform.
PATIENCE_S = 45.0


@dataclass(kw_only=True)
class BaseCheck:
    """One run."""

    lang: Lang
    model: FakeLLM
    server: Kagentbot
    ask: Ask
    #: Seconds between two looks, which platforms count.
    pause: float
    #: What was measured, in words.
    facts: list[str] = field(default_factory=list)

    def fail(self, reason: Text, fix: Text, **fields: object) -> Failed:
        """For `raise`."""
        return Failed(reason.say(self.lang, **fields), fix.say(self.lang, **fields))

    def measured(self, fact: Text, **fields: object) -> None:
        """Something that the platform's documentation doesn't say."""
        self.facts.append(fact.say(self.lang, **fields))

    def mark(self) -> str:
        """A word that the model of this check repeats, so that an answer shows which question it answers."""
        return f"[m:live{uuid.uuid4().hex[:8]}]"

    async def until(self, look: Callable[[], Awaitable[T]], seconds: float) -> T | None:
        """What `look` finds, as soon as it is anything; None if it never is."""
        deadline = time.monotonic() + seconds
        while not (found := await look()):
            if time.monotonic() >= deadline:
                return None
            await asyncio.sleep(self.pause)
        return found

    async def model_asked(self, mark: str, outcome: str = "") -> bool:
        """Wait until the model was asked this, and with `outcome` until the call ended so; whether it happened."""

        async def look() -> bool:
            return any(mark in call.user and outcome in ("", call.outcome) for call in self.model.calls())

        return bool(await self.until(look, self.patience))

    @property
    def patience(self) -> float:
        return PATIENCE_S

    def trouble(self) -> str:
        """The last line of the server's log."""
        return (self.server.log.strip().splitlines() or ["-"])[-1][:300]

"""Ratings by people at the server: what its pages and its chats use."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.clock import Clock
from bot.bench.cases import Cases
from bot.store import feedback
from bot.store.db import Store
from bot.store.feedback import Given
from bot.store.human import DatabaseSets
from evals.human.rating import Raters
from evals.human.sets import PASS, HumanStore
from evals.library import Library

if TYPE_CHECKING:
    from evals.human.report import Report


@dataclass(frozen=True, slots=True)
class Human:
    """Sets of answers, what raters see of them, and what becomes of bad answers in chats."""

    store: Store
    sets: HumanStore
    #: All that a rater's page needs; it names no system and no model.
    raters: Raters
    cases: Cases

    @classmethod
    def of(cls, store: Store, clock: Clock, library: Library, own: Collection[str]) -> Human:
        """`own`: platforms whose direct conversations are those of whoever runs the server."""
        sets = DatabaseSets(store, clock)
        return cls(store, sets, Raters(sets), Cases(store, library, own))

    async def report(self, set_id: str, passed: int = PASS) -> Report | None:
        """The numbers of a closed set; None where there is none, or where it may not be seen yet."""
        from evals.human.report import report_of  # statistics: half a megabyte that most servers never need

        made = await self.sets.find(set_id)
        if made is None or made.id != set_id or made.state != "closed":
            return None
        answers, ratings = await self.sets.answers(set_id), await self.sets.ratings(set_id)
        raters = await self.sets.raters(set_id)
        return await asyncio.to_thread(report_of, made, answers, ratings, raters, passed)

    async def feedback(self) -> Sequence[Given]:
        """What people gave to answers in chats; `evals.human.feedback` makes a table of it."""
        return await self.store.read(feedback.given)

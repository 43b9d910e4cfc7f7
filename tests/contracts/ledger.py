"""`bot.ports.Ledger` in memory, with a conversation's book that outlives the attempts at a turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from agent.clock import Clock, SystemClock
from agent.journal import Json
from bot.messages import Part
from bot.ports import LostTurn

#: For turns whose first message's time doesn't matter.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Book:
    """What is committed for one conversation."""

    def __init__(self) -> None:
        #: (turn, position) → the part; removed parts are not in it.
        self.parts: dict[tuple[int, int], Part] = {}

    def posted_ids(self) -> set[str]:
        """The ids of all parts that were posted."""
        return {part.external_id for part in self.parts.values() if part.external_id is not None}


class FakeLedger:
    """The ledger of one attempt at a turn. `FakeLedger(book, …)` again is the next attempt."""

    def __init__(
        self,
        book: Book,
        *,
        since: datetime = _LONG_AGO,
        turn_id: int = 1,
        clock: Clock | None = None,
        is_job: bool = False,
    ) -> None:
        self.is_job = is_job
        self._book = book
        self._since = since
        self._turn_id = turn_id
        self._clock = clock or SystemClock()
        self.resumed = bool(self.parts)
        #: Set to make the turn somebody else's.
        self.lost = False
        #: How many creating calls were given up.
        self.given_up = 0
        #: What was called, in order, except for `check`.
        self.calls: list[str] = []

    @property
    def parts(self) -> Sequence[Part]:
        mine = [part for (turn_id, _), part in self._book.parts.items() if turn_id == self._turn_id]
        return sorted(mine, key=lambda part: part.position)

    @property
    def since(self) -> datetime:
        return self._since

    @property
    def turn_id(self) -> int:
        return self._turn_id

    @property
    def conversation_id(self) -> int:
        return 1

    @property
    def nonce(self) -> str:
        return f"turn-{self._turn_id}"

    def check(self) -> None:
        if self.lost:
            raise LostTurn("the lease ran out")

    async def known(self, external_ids: Sequence[str]) -> set[str]:
        return self._book.posted_ids() & set(external_ids)

    async def intend(self, position: int) -> None:
        self._write(f"intend {position}", position, Part(position, None, self._clock.now()))

    async def posted(self, position: int, external_id: str) -> None:
        intended = self._book.parts[self._turn_id, position]
        assert intended.external_id is None, "a part is posted once"
        self._write(f"posted {position}", position, Part(position, external_id, intended.intended_at))

    async def removed(self, position: int) -> None:
        self._write(f"removed {position}", position, None)

    def gave_up(self) -> None:
        self.given_up += 1

    async def save_draft(self, body: Json, version: int) -> None:
        self.check()

    def _write(self, call: str, position: int, part: Part | None) -> None:
        """One fenced write."""
        self.check()
        self.calls.append(call)
        if part is None:
            self._book.parts.pop((self._turn_id, position), None)
        else:
            self._book.parts[self._turn_id, position] = part

"""Every item of a run, for the viewer of a page: made by a process of its own, filtered and opened here."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from bot.bench import texts
from bot.bench.beginning import Refusal
from bot.bench.scoring import Scorer
from bot.exporting import code
from bot.store.bench import DatabaseRuns
from evals.runs import Prediction, Run

if TYPE_CHECKING:
    from evals.library import Library

Flag = Literal["", "unreadable", "wrong", "raised"]
Order = Literal["", "worst", "best"]

#: Runs whose items are kept. The texts of one stay packed: some 20 MB for 3,000 items of realistic lengths.
_KEPT: Final = 2
#: Bits of an entry's flags (`evals.report.viewing`).
_BITS: Final[Mapping[str, int]] = {"unreadable": 1, "wrong": 2, "raised": 4}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are looked for; "" for any."""

    type: str = ""
    template: str = ""
    lang: str = ""
    flag: Flag = ""
    #: In any case, in the query or the id.
    words: str = ""
    order: Order = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item in a list."""

    #: Its place among all items of the run.
    place: int
    type: str
    id: str
    query: str
    lang: str
    #: 0 to 1.
    score: float
    #: The worst of it: bits of `unreadable`, `wrong` and `raised`, over its replies.
    flags: int

    def has(self, flag: str) -> bool:
        """Whether a reply is `unreadable`, has a `wrong` tool, or `raised`."""
        return bool(self.flags & _BITS[flag])


class Sheets:
    """The items of one run."""

    def __init__(self, made: Mapping[str, Any]) -> None:
        """`made`: as `evals.report.viewing.viewer` makes it."""
        self.templates: Sequence[str] = made["templates"]
        self._index: list[list[Any]] = made["index"]
        self._size: int = made["block"]
        self._blocks = [base64.b64decode(block) for block in made["blocks"]]

    def find(self, wanted: Filter) -> list[Entry]:
        """The items that are like this. A few milliseconds for 3,000."""
        found = [one for place, entry in enumerate(self._index) if (one := self._entry(place, entry, wanted))]
        if wanted.order:
            found.sort(key=lambda one: one.score, reverse=wanted.order == "best")
        return found

    def __len__(self) -> int:
        """How many items there are."""
        return len(self._index)

    def item(self, place: int) -> tuple[Entry, Mapping[str, Any]]:
        """An item and its texts (`evals.report.viewing`). Blocking: some 20 ms where texts are long."""
        block = json.loads(zlib.decompress(self._blocks[place // self._size]))
        entry = self._entry(place, self._index[place], Filter())
        if entry is None:
            raise LookupError(place)
        return entry, block[place % self._size]

    def _entry(self, place: int, entry: list[Any], wanted: Filter) -> Entry | None:
        kind, id_, query, lang, score, raises, replies = entry
        if (wanted.type and kind != wanted.type) or (wanted.lang and lang != wanted.lang):
            return None
        if wanted.template:
            replies = [one for one in replies if self.templates[one[0]] == wanted.template]
            if not replies:
                return None
            score = sum(one[1] for one in replies) / len(replies)
        flags = _BITS["raised"] if raises else 0
        for one in replies:
            flags |= one[2]
        if wanted.flag and not flags & _BITS[wanted.flag]:
            return None
        words = wanted.words.strip().casefold()
        if words and words not in query.casefold() and words not in id_.casefold():
            return None
        return Entry(place, kind, id_, query, lang, score, flags)


class Viewing:
    """Items of runs that are over, made when somebody looks."""

    def __init__(self, library: Library, runs: DatabaseRuns) -> None:
        self._library = library
        self._runs = runs
        self._kept: OrderedDict[str, Sheets] = OrderedDict()
        self._one = asyncio.Lock()

    async def of(self, run: Run) -> Sheets:
        """The items of a run. Raises `Refusal`, `ScoringFailed`, `StoreUnavailable`."""
        async with self._one:
            if run.id not in self._kept:
                async with Scorer() as scorer:
                    await self.fill(scorer, run)
                    self._kept[run.id] = await asyncio.to_thread(Sheets, await scorer.sheets())
            self._kept.move_to_end(run.id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[run.id]

    async def fill(self, scorer: Scorer, run: Run) -> None:
        """Give a process the items and replies of a run. Raises what `of` raises."""
        await scorer.open(await self._path(run), run.spec)
        replies: Sequence[Prediction] = await self._runs.predictions(run.id)
        await scorer.take(replies)

    def forget(self, run_id: str) -> None:
        """A run was deleted."""
        self._kept.pop(run_id, None)

    async def _path(self, run: Run) -> Path:
        data = run.spec.data
        kept = await asyncio.to_thread(self._library.find, data.name)
        if kept is None or kept.data.sha256 != data.sha256:
            raise Refusal(texts.DATA_AWAY, name=code(data.name))
        return kept.path

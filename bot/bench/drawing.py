"""The charts of runs, drawn once each, one at a time for the whole server."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from agent.journal import Json
from agent.language import Lang
from evals.runs import Run

if TYPE_CHECKING:
    from evals.report.charts import Artist, Charts

#: Pairs of pictures that are kept, of some 200 kB each.
_KEPT: Final = 16


class Drawing:
    """Draws, and remembers what it has drawn: the numbers of a run that is done never change."""

    def __init__(self) -> None:
        self._artist: Artist | None = None
        self._kept: OrderedDict[tuple[str, Lang], Charts] = OrderedDict()
        self._one = asyncio.Lock()

    async def charts(self, run: Run, lang: Lang) -> Charts:
        """Radar and bars of a run that is done; of one of a suite, bars alone. Raises
        `evals.report.charts.ChartError`, and ValueError where its summary is of another version.
        """
        from evals.report.charts import Artist

        key = run.id, lang
        # Whoever asks for the second picture of a pair meanwhile waits for the first.
        async with self._one:
            if key not in self._kept:
                self._artist = self._artist or Artist()
                self._kept[key] = await _drawn(self._artist, run.summary, lang)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


async def _drawn(artist: Artist, found: Json, lang: Lang) -> Charts:
    from evals.report import summary
    from evals.suites import chart
    from evals.suites import summary as suite_summary

    if suite_summary.is_suite_summary(found):
        return await chart.chart(await asyncio.to_thread(suite_summary.read, found), lang, artist)
    read = await asyncio.to_thread(summary.read, found)
    return await artist.charts([(read.model, read)], lang)

"""What a finished run is shown with: its charts, and the difference to an earlier one."""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy import Connection

from agent.language import Lang
from bot.bench import texts
from bot.bench.drawing import Drawing
from bot.bench.scoring import ScoringFailed, compared
from bot.exporting import code
from bot.messages import ReplyFile
from bot.store import bench
from bot.store.db import Store
from evals import earlier
from evals.runs import Run

log = logging.getLogger(__name__)

#: Earlier runs that are looked at for one to compare with.
_MOST: Final = 20
_PNG: Final = "image/png"


async def difference(store: Store, run: Run, lang: Lang) -> str:
    """The difference to the last run of the same data, by the same model if there is one, as Markdown; "" for none."""
    before = await store.read(lambda c: earlier_than(c, run))
    if before is None:
        return ""
    try:
        said = await compared(before.summary, run.summary, lang, "difference")
    except ScoringFailed as error:
        log.warning("runs %s and %s could not be compared: %s", before.id, run.id, error)
        return ""
    return since(before, said, lang)


def since(before: Run, said: str, lang: Lang) -> str:
    """What has changed, below a line that names the run since which it has."""
    head = texts.DIFFERENCE.say(lang, run=code(before.id), date=f"{before.started_at:%Y-%m-%d}")
    return f"{head}\n\n{said}"


def earlier_than(connection: Connection, run: Run) -> Run | None:
    """The run before this one that it is best compared with, if there is one."""
    return earlier.earlier_than(run, bench.done(connection, _MOST, run.spec.data.sha256))


async def pictures(run: Run, lang: Lang, drawing: Drawing | None = None) -> tuple[tuple[ReplyFile, ...], str]:
    """The charts of a run; and, where there are none, the remark that says so. `drawing`: the server's own."""
    try:
        drawn = await (drawing or Drawing()).charts(run, lang)
    except Exception:
        # What a drawing library may raise has no end, and the numbers are there all the same.
        log.exception("the charts of run %s could not be drawn", run.id)
        return (), texts.NO_CHART.say(lang)
    # Either kind of summary has it.
    line = str(run.summary["line"])
    if drawn.radar is None:
        return (ReplyFile(f"{run.id}-bars.png", _PNG, drawn.bars, texts.RATES.say(lang, line=line)),), ""
    return (
        ReplyFile(f"{run.id}-bars.png", _PNG, drawn.bars, texts.BARS.say(lang, line=line)),
        ReplyFile(f"{run.id}-radar.png", _PNG, drawn.radar, texts.RADAR.say(lang, line=line)),
    ), ""

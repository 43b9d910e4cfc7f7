"""What is measured every week: said in a chat, kept in the database, begun by a periodic job."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.journal import Json
from agent.language import Lang, Text
from bot import notices
from bot.bench import texts, words
from bot.bench.beginning import Beginning, Prepared, Refusal
from bot.bench.jobs import Busy, Order
from bot.exporting import code
from bot.invocation import CommandReply
from bot.jobs import Cancelled, Kind, Progress
from bot.messages import Author, Target
from bot.ports import LostTurn, StoreUnavailable
from bot.store import bench_schedules
from bot.store.bench import Origin
from bot.store.bench_schedules import Schedule
from evals.runs import Run

if TYPE_CHECKING:
    from bot.bench.desk import BenchAsked

log = logging.getLogger(__name__)

#: The kind of the job that looks which runs are due, and how often it looks.
SCHEDULE: Final = "benchmark-schedule"
LOOK: Final = timedelta(minutes=30)
#: Days between two runs of a schedule.
WEEK: Final = 7
#: For so long a run is put off whose author may not have it, in case their platform can't be asked who they are.
PATIENCE: Final = timedelta(days=1)


class Scheduling:
    """`bench schedule …`."""

    def __init__(self, beginning: Beginning, zone: ZoneInfo) -> None:
        self._beginning = beginning
        self._store = beginning.store
        self._zone = zone

    async def obey(self, asked: BenchAsked) -> CommandReply:
        """List, begin or end. Raises `Mistake`, `Refusal`, `StoreUnavailable`."""
        how, rest = words.scheduled(asked.args)
        match how:
            case "weekly":
                return await self._weekly(asked, rest)
            case "off":
                return await self._off(asked, rest)
            case _:
                return await self._list(asked)

    async def _weekly(self, asked: BenchAsked, rest: tuple[str, ...]) -> CommandReply:
        wanted = words.wanted(rest)
        target, lang = asked.asked.target, asked.lang
        prepared = await self._beginning.prepare(wanted, lang)
        if not await self._beginning.reach(target):
            return CommandReply(asked.say(texts.NOT_HERE))
        now = self._beginning.clock.now()
        next_at = now + timedelta(days=WEEK)
        model, author = prepared.spec.model, asked.asked.invocation.author.id
        kept, stop = words.packed(wanted), asked.form("cancel", "取消")
        await self._store.write(
            lambda c: bench_schedules.save(c, target, model, kept, WEEK, next_at, author, lang, stop, now)
        )
        off = asked.form(f"schedule off {model}", f"定时 关闭 {model}")
        what = words.words_of(wanted)
        fields = {"model": code(model), "at": self._time(next_at), "off": off}
        return CommandReply(
            asked.say(texts.SCHEDULED, what=code(what) if what else asked.say(texts.USUAL), **fields), private=False
        )

    async def _off(self, asked: BenchAsked, rest: tuple[str, ...]) -> CommandReply:
        model = next(iter(words.without_options(rest)), "")
        place = asked.asked.target.conversation_key
        ended = await self._store.write(lambda c: bench_schedules.remove(c, place, model))
        if not ended:
            return CommandReply(asked.say(texts.NOT_SCHEDULED))
        models = asked.asked.list([code(one) for one in ended])
        return CommandReply(asked.say(texts.UNSCHEDULED, models=models), private=False)

    async def _list(self, asked: BenchAsked) -> CommandReply:
        found = await self._store.read(bench_schedules.every)
        if not found:
            how = asked.form("schedule weekly", "定时 每周")
            return CommandReply(asked.say(texts.NO_SCHEDULES, how=how))
        lines = [self._line(asked, one) for one in found]
        return CommandReply("\n".join([asked.say(texts.SCHEDULES), "", *lines]))

    def _line(self, asked: BenchAsked, one: Schedule) -> str:
        here = one.target.conversation_key == asked.asked.target.conversation_key
        place = asked.say(texts.HERE) if here else asked.say(texts.ELSEWHERE, place=code(one.target.channel))
        what = words.words_of(words.unpacked(one.wanted))
        shown = code(what) if what else asked.say(texts.USUAL)
        return asked.say(
            texts.SCHEDULE_LINE, model=code(one.model), what=shown, at=self._time(one.next_at), place=place
        )

    def _time(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%Y-%m-%d %H:%M} ({self._zone.key})"


#: Whether somebody may run benchmarks in a place.
May = Callable[[Target, Author], Awaitable[bool]]


def schedules(beginning: Beginning, may: May) -> Kind:
    """The periodic job that begins what is due. What was missed while no server ran is made up once, not many times.

    `may`: asked anew about whoever has set a schedule up, each time that it is due.
    """

    async def run(_: Json, progress: Progress) -> None:
        now = beginning.clock.now()
        for one in await beginning.store.read(lambda c: bench_schedules.due(c, now)):
            try:
                begun = await _begin(beginning, one, may)
            except (Cancelled, LostTurn, StoreUnavailable):
                raise
            except Exception:
                # The others are not to wait for it.
                log.exception("the scheduled run of %s did not begin; it is tried again at the next look", one.model)
                continue
            if begun is not None:
                log.info("run %s of %s begins by its schedule", begun.id, one.model)
            await progress.report({"looked": now.isoformat()})
        beginning.look()

    return Kind(run, every=LOOK)


async def _begin(beginning: Beginning, one: Schedule, may: May) -> Run | None:
    """Begin a run that is due; None if it can't be, now or this time."""
    lang: Lang = "zh" if one.lang == "zh" else "en"
    # What a model said last week is no measure of it today.
    wanted = replace(words.unpacked(one.wanted | {"model": one.model}), fresh=True)
    if not await may(one.target, Author(one.author_id)):
        if beginning.clock.now() - one.next_at >= PATIENCE:
            await _skip(beginning, one, texts.NOT_GRANTED.filled(model=code(one.model)), lang)
        return None
    try:
        prepared = await beginning.prepare(wanted, lang)
    except Refusal as error:
        await _skip(beginning, one, error.text, lang)
        return None
    try:
        return await beginning.store.write(lambda c: _begin_in(c, beginning, one, prepared, lang))
    except Busy:
        # At the next look, when the run that is under way may be over.
        return None


async def _skip(beginning: Beginning, one: Schedule, why: Text, lang: Lang) -> None:
    """Leave it out this time, and say why in its place."""

    def skip(connection: Connection) -> None:
        now = beginning.clock.now()
        if bench_schedules.advance(connection, one, now) and beginning.writes_in(one.target):
            notices.queue(connection, one.target, f"benchmark-schedule {one.id}", why, lang, now)

    await beginning.store.write(skip)


def _begin_in(
    connection: Connection, beginning: Beginning, one: Schedule, prepared: Prepared, lang: Lang
) -> Run | None:
    now, target = beginning.clock.now(), one.target
    if not bench_schedules.advance(connection, one, now):
        return None
    origin = Origin(target.platform, target.workspace, target.channel, one.author_id, lang)
    order = Order(target if beginning.writes_in(target) else None, lang, one.stop)
    run, _ = beginning.begin_in(connection, prepared, order, origin, now)
    return run

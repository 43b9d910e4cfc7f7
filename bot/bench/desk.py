"""`bench …` for every platform: run, status, cancel, compare, leaderboard, data, schedule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.journal import Json
from agent.language import Lang, Text
from bot.bench import jobs, message, texts, words
from bot.bench.beginning import Beginning, Refusal
from bot.bench.board import board
from bot.bench.jobs import Busy, Order
from bot.bench.scheduling import Scheduling
from bot.bench.scoring import ScoringFailed, compared
from bot.bench.words import Mistake, Verb
from bot.command_profile import Asked
from bot.exporting import code
from bot.invocation import CommandReply
from bot.store import bench
from bot.store import jobs as job_rows
from bot.store.bench import Origin
from evals.earlier import alike
from evals.runs import Run

log = logging.getLogger(__name__)

#: Runs that are looked through for two to compare, and that a list of suggestions may have.
_MOST: Final = 50
#: Characters of a hash that are shown.
_HASH: Final = 12

Handler = Callable[["BenchAsked"], Awaitable[CommandReply]]


@dataclass(frozen=True, slots=True)
class BenchAsked:
    """A command about benchmarks in its place."""

    asked: Asked
    verb: Verb
    args: tuple[str, ...]
    #: Whether it was given as the platform's own command for benchmarks.
    own: bool

    @property
    def lang(self) -> Lang:
        return self.asked.lang

    def say(self, text: Text, **fields: object) -> str:
        """A sentence in the author's language."""
        return self.asked.say(text, **fields)

    def form(self, en: str, zh: str) -> str:
        """A form of the command as the author would write it here."""
        return self.asked.form(en, zh) if self.own else self.asked.form(f"bench {en}", f"基准测试 {zh}")


class Bench:
    """Obeys them. Who may is decided before."""

    def __init__(self, beginning: Beginning, zone: ZoneInfo) -> None:
        self._beginning = beginning
        self._store = beginning.store
        self._zone = zone
        scheduling = Scheduling(beginning, zone)
        self._handlers: Mapping[Verb, Handler] = {
            "": self._status,
            "run": self._run,
            "status": self._status,
            "cancel": self._cancel,
            "compare": self._compare,
            "leaderboard": self._leaderboard,
            "data": self._data,
            "schedule": scheduling.obey,
        }

    async def obey(self, asked: BenchAsked) -> CommandReply:
        """Obey; everything that is wrong is a sentence of the reply. Raises `StoreUnavailable`."""
        try:
            return await self._handlers[asked.verb](asked)
        except (Mistake, Refusal) as error:
            return CommandReply(error.text.say(asked.lang))

    # --- What may be suggested while somebody types

    def models(self, begun: str = "") -> list[str]:
        """Names of endpoints and models that contain this."""
        names = dict.fromkeys(name for one in self._beginning.endpoints("en") for name in (one.name, one.model) if name)
        return [name for name in names if begun.casefold() in name.casefold()]

    async def data_sets(self, begun: str = "") -> list[str]:
        """Names of data sets that contain this."""
        try:
            names = await asyncio.to_thread(self._beginning.library.names)
        except OSError as error:
            log.warning("data sets can't be listed: %s", error)
            return []
        return [name for name in names if begun.casefold() in name.casefold()]

    async def runs(self, begun: str = "") -> list[tuple[str, str]]:
        """Finished runs, newest first: their ids, and a line about each. Raises `StoreUnavailable`."""
        found = await self._store.read(lambda c: bench.names_of_done(c, _MOST))
        lines = [
            (run_id, f"{run_id} · {spec.model} · {spec.data.name} · {self._day(began)}")
            for run_id, spec, began in found
        ]
        return [(run_id, line) for run_id, line in lines if begun.casefold() in line.casefold()]

    # --- Run, status, cancel

    async def _run(self, asked: BenchAsked) -> CommandReply:
        beginning, lang = self._beginning, asked.lang
        prepared = await beginning.prepare(words.wanted(asked.args), lang)
        target, stop = asked.asked.target, asked.form("cancel", "取消")
        posts = await beginning.reach(target)
        order = Order(target if posts else None, lang, stop)
        origin = Origin(target.platform, target.workspace, target.channel, asked.asked.invocation.author.id, lang)
        try:
            run, ahead = await beginning.begin(prepared, order, origin)
        except Busy:
            said = asked.say(texts.BUSY, model=code(prepared.spec.model), stop=stop)
            return CommandReply("\n\n".join([said, *await self._running(asked)]))
        about = {"run": code(run.id), "data": message.about(run.spec, lang), "model": code(run.spec.model)}
        if posts:
            said = asked.say(texts.BEGUN, **about, stop=stop)
        else:
            said = asked.say(texts.BEGUN_HERE, **about, stop=stop, status=asked.form("status", "状态"))
        if prepared.needs_judge:
            how = asked.form(f"run data={run.spec.data.name} judge=NAME", f"运行 数据={run.spec.data.name} 评判=名称")
            said += " " * (lang == "en") + asked.say(texts.NEEDS_JUDGE, how=how)
        if ahead is not None:
            said += " " * (lang == "en") + asked.say(texts.QUEUED, run=code(ahead.id), model=code(ahead.spec.model))
        return CommandReply(said)

    async def _status(self, asked: BenchAsked) -> CommandReply:
        words.without_options(asked.args)
        parts = await self._running(asked)
        last = next(iter(await self._store.read(lambda c: bench.ended(c, 1))), None)
        if not parts:
            parts = [asked.say(texts.NOTHING_RUNS, run=asked.form("run", "运行"))]
        if last is not None:
            parts.append(await asyncio.to_thread(self._last, last, asked))
        return CommandReply("\n\n".join(parts))

    async def _running(self, asked: BenchAsked) -> list[str]:
        def query(connection: Connection) -> list[tuple[Run, Json]]:
            return [(run, job_rows.progress(connection, job)) for run, job in bench.with_job(connection)]

        stop = asked.form("cancel", "取消")
        found = await self._store.read(query)
        return [
            message.running(run, progress if isinstance(progress, Mapping) else {}, stop, asked.lang)
            for run, progress in found
        ]

    def _last(self, run: Run, asked: BenchAsked) -> str:
        head = asked.say(texts.LAST)
        match run.state:
            case "done":
                try:
                    return f"{head}\n\n{message.finished(run, run.summary, '', asked.lang)}"
                except ValueError:
                    return f"{head} {message.title(run, asked.lang)}"
            case "failed":
                return f"{head}\n\n{message.broken(run, asked.lang)}"
            case _:
                state = asked.say(texts.STATES[run.state])
                return f"{head} {message.title(run, asked.lang)} · {code(run.id)} · {state}"

    async def _cancel(self, asked: BenchAsked) -> CommandReply:
        [name] = words.without_options(asked.args) or ("",)
        found = await self._store.read(bench.with_job)
        meant = [(run, job) for run, job in found if not name or run.spec.model == name or run.id.startswith(name)]
        if name and not meant:
            # The model's other name.
            keys = {one.name for one in self._beginning.endpoints("en") if name in (one.name, one.model)}
            keys |= {one.model or "" for one in self._beginning.endpoints("en") if name in (one.name, one.model)}
            meant = [(run, job) for run, job in found if run.spec.model in keys]
        if not found:
            return CommandReply(asked.say(texts.NOTHING_RUNS, run=asked.form("run", "运行")))
        if not meant:
            return CommandReply(asked.say(texts.NOT_RUNNING, name=code(name)))
        if len(meant) > 1:
            known = asked.asked.list([asked.form(f"cancel {run.id}", f"取消 {run.id}") for run, _ in meant])
            return CommandReply(asked.say(texts.WHICH, known=known))
        [(run, job)] = meant
        now = self._beginning.clock.now()
        await self._store.write(lambda c: jobs.cancel(c, run, job, now))
        self._beginning.look()
        return CommandReply(asked.say(texts.CANCELLING, run=code(run.id), model=code(run.spec.model)))

    # --- What was measured

    async def _compare(self, asked: BenchAsked) -> CommandReply:
        names = words.without_options(asked.args)
        found = await self._store.read(lambda c: bench.done(c, _MOST))
        pair = self._two(asked, found, names) if names else _newest_two(found)
        if pair is None:
            return CommandReply(asked.say(texts.NONE_TO_COMPARE, run=asked.form("run", "运行")))
        a, b = pair
        if a.spec.data.sha256 != b.spec.data.sha256:
            return CommandReply(asked.say(texts.NOT_COMPARABLE, a=code(a.id), b=code(b.id)))
        try:
            said = await compared(a.summary, b.summary, asked.lang)
        except ScoringFailed:
            log.exception("runs %s and %s could not be compared", a.id, b.id)
            return CommandReply(asked.say(texts.NOT_COMPARED))
        about = {"a_about": self._about(a), "b_about": self._about(b)}
        head = asked.say(texts.COMPARED, a=code(a.id), b=code(b.id), **about)
        return CommandReply(f"{head}\n\n{said}")

    def _two(self, asked: BenchAsked, found: Sequence[Run], names: Sequence[str]) -> tuple[Run, Run] | None:
        """Those that are named, the older one first; one alone is compared with what came before it."""
        meant = []
        for name in names:
            run = _called(found, name)
            if run is None:
                forms = {"status": asked.form("status", "状态"), "leaderboard": asked.form("leaderboard", "排行榜")}
                raise Refusal(texts.NO_RUN, name=code(name), **forms)
            meant.append(run)
        if len(meant) > 1:
            return meant[0], meant[1]
        return _newest_two(found[found.index(meant[0]) :])

    async def _leaderboard(self, asked: BenchAsked) -> CommandReply:
        [name] = words.without_options(asked.args) or ("",)
        sha256 = (await self._beginning.data(name)).data.sha256 if name else None
        if sha256 is None:
            newest = await self._store.read(lambda c: bench.done(c, 1))
            sha256 = newest[0].spec.data.sha256 if newest else ""
        runs = await self._store.read(lambda c: bench.done(c, _MOST, sha256)) if sha256 else []
        if not runs:
            return CommandReply(asked.say(texts.NO_RESULTS, run=asked.form("run", "运行")))
        return CommandReply(await asyncio.to_thread(board, runs, asked.lang))

    async def _data(self, asked: BenchAsked) -> CommandReply:
        words.without_options(asked.args)
        try:
            kept = await asyncio.to_thread(self._beginning.library.every)
        except OSError as error:
            raise Refusal(texts.NO_FOLDER, why=error.strerror or type(error).__name__) from error
        lines = []
        for one in kept:
            counts = {
                name: asked.asked.list([f"{kind} {count:,}" for kind, count in found.items()])
                for name, found in (("types", one.types), ("langs", one.langs))
            }
            lines.append(
                asked.say(
                    texts.DATA_LINE,
                    name=code(one.data.name),
                    items=f"{one.data.items:,}",
                    hash=code(one.data.sha256[:_HASH]),
                    **counts,
                )
            )
        how = asked.say(texts.DATA_HOW, run=asked.form("run data=NAME", "运行 data=名称"))
        return CommandReply("\n".join([asked.say(texts.DATA_SETS), "", *lines, "", how]))

    def _about(self, run: Run) -> str:
        return f"{code(run.spec.model)}, {self._day(run.started_at)}"

    def _day(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d}"


def _called(found: Sequence[Run], name: str) -> Run | None:
    """The run with this id, or the only one whose id begins so; else the newest one of a model of this name."""
    exact = [run for run in found if run.id == name] or [run for run in found if run.id.startswith(name)]
    if len(exact) == 1:
        return exact[0]
    return next((run for run in found if run.spec.model == name), None)


def _newest_two(found: Sequence[Run]) -> tuple[Run, Run] | None:
    """The newest run that has one before it over the same data, and that one, the older one first; rather one that
    asked the same.
    """
    for number, run in enumerate(found):
        earlier = [one for one in found[number + 1 :] if one.spec.data.sha256 == run.spec.data.sha256]
        if earlier:
            return max(earlier, key=partial(alike, run)), run
    return None

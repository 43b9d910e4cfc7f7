"""`--post`: a finished report into a channel, once: by the server that runs beside, or by this process alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from agent.journal import Json
from agent.language import Lang, Text
from evals.cli.ending import FINE, NOT_WRITTEN, WRONG, Ended
from evals.cli.program import Desk, tell

if TYPE_CHECKING:
    from bot.app import App
    from bot.bench.posting import Report
    from bot.messages import Target
    from evals.runs import Run

#: Seconds that a server beside us is waited for.
PATIENCE: Final = 60.0
#: Earlier runs that are looked at for one to compare with.
_LOOKED_AT: Final = 50

_FORM = Text(
    "--post {given} isn't PLATFORM:CHANNEL, for example slack:#bench or discord:123456789012345678.",
    "--post {given} 不是 平台:频道 的形式，例如 slack:#bench 或 discord:123456789012345678。",
)
_NOT_SET_UP = Text(
    "{platform} is not set up here, so nothing can be posted there: `kagentbot {platform} setup` does it.",
    "这里没有设置 {platform}，无法向它发布：可用 `kagentbot {platform} setup` 进行设置。",
)
_NO_ANSWER = Text(
    "{platform} can't be asked about {name} just now ({why}): try again in a moment.",
    "暂时无法向 {platform} 查询 {name}（{why}）：请稍后再试。",
)
_POSTED = Text("Posted to {place}.", "已发布到 {place}。")
_LATER = Text(
    "The server has not posted the report to {place} yet; it will as soon as it can.",
    "服务尚未把报告发布到 {place}；它会尽快发布。",
)
_FAILED = Text(
    "The report could not be posted to {place} ({why}); the result itself is complete.",
    "报告未能发布到 {place}（{why}）；结果本身是完整的。",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to, found before the work began."""

    #: As it was given.
    name: str
    target: Target


def place_of(desk: Desk, given: str) -> Place | None:
    """The channel that is meant, if any, tried so far as that can be done without posting. Raises `Ended`."""
    if not given:
        return None
    platform, _, name = given.partition(":")
    used = {"slack": desk.settings.uses_slack, "discord": desk.settings.uses_discord}
    if platform not in used or not name.strip():
        raise Ended(WRONG, _FORM, given=given[:80])
    if not used[platform]:
        raise Ended(WRONG, _NOT_SET_UP, platform=platform)
    return Place(given, asyncio.run(_found(desk, platform, name.strip())))


def post(desk: Desk, place: Place, report: Report) -> int:
    """Say it there, and tell how that went. The exit status; the work is done, so nothing is raised for the platform's
    sake.
    """
    from bot.ports import StoreUnavailable

    try:
        state, error = asyncio.run(_posted(desk, place.target, report))
    except StoreUnavailable as unavailable:
        state, error = "failed", unavailable.text.say(desk.lang).rstrip(".。")
    said = {"done": _POSTED, "queued": _LATER, "running": _LATER}.get(state, _FAILED)
    tell(said.say(desk.lang, place=place.name, why=error or state))
    return NOT_WRITTEN if said is _FAILED else FINE


def of_run(desk: Desk, run: Run, made: Json) -> Report:
    """The report of a run that has just come to its end: as the server's own, with charts and the difference to the
    run before it.
    """
    from bot.bench import message

    run = replace(run, state="done", finished_at=datetime.now(UTC), summary=made)
    return _report(desk, run, message.finished)


def of_file(desk: Desk, made: Json) -> Report:
    """The report of a predictions file that was scored or checked: the same, but for a run's name and duration."""
    from bot.bench import message
    from evals.report import summary
    from evals.runs import Run
    from evals.suites import summary as suite_summary

    spec = suite_summary.read(made).spec if suite_summary.is_suite_summary(made) else summary.read(made).spec
    now = datetime.now(UTC)
    return _report(desk, Run("eval", spec, "done", now, now, summary=made), message.measured)


def _report(desk: Desk, run: Run, text: Callable[[Run, Json, str, Lang], str]) -> Report:
    from bot.bench.posting import Report
    from bot.bench.reporting import pictures

    lang = desk.lang
    images, remark = asyncio.run(pictures(run, lang))
    said = text(run, run.summary, asyncio.run(_difference(desk, run)), lang)
    return Report("\n\n".join(filter(None, [said, remark])), lang, images)


async def _difference(desk: Desk, run: Run) -> str:
    """To the last run over the same data before this one, as a server has it; "" where there is none."""
    from bot.bench.comparing import change
    from bot.bench.reporting import since
    from evals.earlier import earlier_than

    before = earlier_than(run, await desk.runs.runs(_LOOKED_AT))
    if before is None:
        return ""
    try:
        return since(before, change(before.summary, run.summary, desk.lang), desk.lang)
    except ValueError:
        # A run of another version.
        return ""


async def _found(desk: Desk, platform: str, name: str) -> Target:
    from bot.ports import Finds, NoPlace
    from bot.posting import Ambiguous, Refused, RetryLater

    async with _app(desk) as app:
        outbound = app.outbounds[platform]
        if not isinstance(outbound, Finds):
            raise Ended(WRONG, _NOT_SET_UP, platform=platform)
        try:
            return await outbound.find(name)
        except NoPlace as error:
            raise Ended(WRONG, error.text) from None
        except (Ambiguous, Refused, RetryLater) as error:
            raise Ended(NOT_WRITTEN, _NO_ANSWER, platform=platform, name=name[:80], why=error) from None


async def _posted(desk: Desk, target: Target, report: Report) -> tuple[str, str]:
    """Queue the report; then whoever may post it does: its job's state and error."""
    from bot.bench.posting import post_alone, post_beside, queue_report
    from bot.store import migrate
    from bot.store.db import sqlite_path
    from bot.store.exclusive import Exclusive, InUse

    path = sqlite_path(desk.settings.database_url)
    lock = None if path is None else Exclusive(path)
    alone = True
    async with _app(desk) as app:
        try:
            if lock is not None:
                lock.acquire()
        except InUse:
            alone = False
        try:
            if alone:
                await asyncio.to_thread(migrate.upgrade, desk.settings.database_url)
            now = app.clock.now()
            job = await app.store.write(lambda c: queue_report(c, target, report, now))
            if alone:
                return await post_alone(app.store, app.clock, app.owner, app.outbounds, job)
            return await post_beside(app.store, job, PATIENCE)
        finally:
            if lock is not None:
                lock.release()


@asynccontextmanager
async def _app(desk: Desk) -> AsyncIterator[App]:
    """The server's parts of these settings, none of them started; what was opened is closed."""
    from bot.app import App

    app = App(desk.settings)
    try:
        yield app
    finally:
        for outbound in app.outbounds.values():
            await outbound.close()
        await app.store.close()

"""`--post`: a finished report into a channel, once: by the server that runs beside, or by this process alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from agent.journal import Json
from agent.language import Text
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
_DIFFERENCE = Text("Difference to run {run} of {date}:", "与 {date} 的运行 {run} 相比：")


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


def post(desk: Desk, place: Place | None, report: Report) -> int:
    """Say it there, and tell how that went. The exit status; the work is done, so nothing is raised for the platform's
    sake.
    """
    from bot.ports import StoreUnavailable

    if place is None:
        return FINE
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
    from bot.bench.posting import Report
    from bot.bench.reporting import pictures

    run = replace(run, state="done", finished_at=datetime.now(UTC), summary=made)
    difference = asyncio.run(_difference(desk, run, made))
    if run.spec.data.kind == "suite":
        return of_suite(desk, made, difference)
    images, remark = asyncio.run(pictures(run, desk.lang))
    text = message.finished(run, made, difference, desk.lang)
    return Report("\n\n".join(filter(None, [text, remark])), desk.lang, images)


def of_file(desk: Desk, made: Json) -> Report:
    """The report of a predictions file that was scored: what it is, line, table, charts, the difference to the last run
    over the same data.
    """
    from bot.bench import message
    from bot.bench.posting import Report
    from bot.bench.reporting import pictures
    from evals.report import summary as summaries
    from evals.report import table
    from evals.runs import Run

    lang, summary = desk.lang, summaries.read(made)
    now = datetime.now(UTC)
    run = Run("eval", summary.spec, "done", now, now, summary=made)
    images, remark = asyncio.run(pictures(run, lang))
    text = f"{message.title(run, lang)}\n\n```\n{summary.line}\n```\n\n{table.brief(summary, lang)}"
    difference = asyncio.run(_difference(desk, run, made))
    return Report("\n\n".join(filter(None, [text, difference, remark])), lang, images)


def of_suite(desk: Desk, made: Json, difference: str = "") -> Report:
    """The report of a suite: its line and its tables."""
    from bot.bench.posting import Report
    from evals.suites import report, summary

    read = summary.read(made)
    text = f"```\n{read.line}\n```\n\n{report.as_markdown(read.evaluations[0], desk.lang)}"
    return Report("\n\n".join(filter(None, [text, difference])), desk.lang)


async def _difference(desk: Desk, run: Run, made: Json) -> str:
    """To the newest finished run of the same data before this one, of the same model if there is one."""
    from bot.exporting import code

    found = [
        one
        for one in await desk.runs.runs(_LOOKED_AT)
        if one.started_at < run.started_at and one.summary and one.spec.data.sha256 == run.spec.data.sha256
    ]
    earlier = next(iter([one for one in found if one.spec.model == run.spec.model] or found), None)
    if earlier is None:
        return ""
    head = _DIFFERENCE.say(desk.lang, run=code(earlier.id), date=f"{earlier.started_at:%Y-%m-%d}")
    if run.spec.data.kind == "suite":
        from evals.cli.suites import compared

        return compared(earlier.summary, made, earlier.id, desk.lang)[0]
    from evals.report import compare, summary

    try:
        comparison = compare.compare(summary.read(earlier.summary), summary.read(made))
    except ValueError:
        # A run of another version.
        return ""
    return f"{head}\n\n{compare.brief(comparison, desk.lang)}"


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

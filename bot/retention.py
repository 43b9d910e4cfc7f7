"""The periodic job that forgets what needs no keeping."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import Connection, delete, select

from agent.clock import Clock
from agent.journal import Json
from bot.jobs import Kind, Progress
from bot.store import blobs, messages
from bot.store.db import Store
from bot.store.tables import job

#: Platforms redeliver for hours at most; DESIGN.md promises 24 hours.
KEEP_DELIVERIES = timedelta(hours=48)
#: Attachments and reports.
KEEP_BLOBS = timedelta(days=90)
#: Ended jobs, for the record.
KEEP_JOBS = timedelta(days=30)
#: Rows, and blobs of up to 10 MB, that one transaction deletes.
_ROWS = 5_000
_BLOBS = 20


def retention(store: Store, clock: Clock, copies: Callable[[], Awaitable[None]] | None = None) -> Kind:
    """Runs every six hours, in transactions so small that no message waits for long.

    `copies` deletes copies of what was erased, in case erasing was cut off before it got to them; it raises nothing.
    """

    async def run(_: Json, progress: Progress) -> None:
        now = clock.now()

        def old_jobs(connection: Connection) -> int:
            old = select(job.c.id).where(job.c.finished_at < now - KEEP_JOBS).limit(_ROWS)
            return connection.execute(delete(job).where(job.c.id.in_(old))).rowcount

        forgets: dict[str, Callable[[Connection], int]] = {
            "deliveries": lambda c: messages.forget_deliveries(c, now - KEEP_DELIVERIES, _ROWS),
            "blobs": lambda c: blobs.forget(c, now - KEEP_BLOBS, _BLOBS),
            "jobs": old_jobs,
        }
        forgotten = dict.fromkeys(forgets, 0)
        for table, forget in forgets.items():
            while count := await store.write(forget):
                forgotten[table] += count
                await progress.report(forgotten)
        if copies is not None:
            await copies()
        await progress.report(forgotten)

    return Kind(run, every=timedelta(hours=6))

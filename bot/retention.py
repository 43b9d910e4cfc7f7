"""The periodic job that forgets what needs no keeping."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, delete

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


def retention(store: Store, clock: Clock) -> Kind:
    """Runs every six hours; each table in a transaction of its own, so that no message waits for long."""

    async def run(_: Json, progress: Progress) -> None:
        now = clock.now()

        def old_jobs(connection: Connection) -> int:
            return connection.execute(delete(job).where(job.c.finished_at < now - KEEP_JOBS)).rowcount

        forgotten = {
            "deliveries": await store.write(lambda c: messages.forget_deliveries(c, now - KEEP_DELIVERIES)),
            "blobs": await store.write(lambda c: blobs.forget(c, now - KEEP_BLOBS)),
            "jobs": await store.write(old_jobs),
        }
        await progress.report(forgotten)

    return Kind(run, every=timedelta(hours=6))

"""The ledger of what a job posts: the same promises as a turn's, fenced by the job's epoch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from agent.journal import Json
from bot.jobs import Progress
from bot.messages import Part
from bot.store import job_parts
from bot.store.db import Store

#: How far a platform's clock may be behind ours: nothing of a job is older than its row by more than that.
_SKEW = timedelta(minutes=5)


class JobLedger:
    """`bot.ports.Ledger` of a job. Made anew, by `open_ledger`, for each attempt."""

    def __init__(self, store: Store, progress: Progress, platform: str, known: Sequence[Part]) -> None:
        self._store = store
        self._progress = progress
        self._platform = platform
        self._parts = {part.position: part for part in known}

    @property
    def turn_id(self) -> int:
        return 0

    @property
    def conversation_id(self) -> int:
        return 0

    @property
    def is_job(self) -> bool:
        return True

    @property
    def resumed(self) -> bool:
        return self._progress.epoch > 1

    @property
    def parts(self) -> Sequence[Part]:
        return [self._parts[position] for position in sorted(self._parts)]

    @property
    def since(self) -> datetime:
        return self._progress.queued_at - _SKEW

    @property
    def nonce(self) -> str:
        return f"kagentbot-j{self._progress.job_id}"

    def check(self) -> None:
        self._progress.check()

    async def known(self, external_ids: Sequence[str]) -> set[str]:
        return await self._store.read(lambda c: job_parts.known(c, self._platform, external_ids))

    async def intend(self, position: int) -> None:
        def change(connection: Connection, now: datetime) -> datetime:
            progress = self._progress
            job_parts.intend(connection, progress.job_id, self._platform, position, progress.epoch, now)
            return now

        at = await self._progress.write(change)
        self._parts[position] = Part(position, None, at)

    async def posted(self, position: int, external_id: str) -> None:
        job_id = self._progress.job_id
        await self._progress.write(lambda c, now: job_parts.posted(c, job_id, position, external_id, now))
        self._parts[position] = Part(position, external_id, self._parts[position].intended_at)

    async def removed(self, position: int) -> None:
        await self._progress.write(lambda c, _: job_parts.removed(c, self._progress.job_id, position))
        self._parts.pop(position, None)

    def gave_up(self) -> None:
        """Nobody looks again after a job: its own end has looked once (`Poster.settle`)."""

    async def save_draft(self, body: Json, version: int) -> None:
        """Where we show messages ourselves, jobs post none."""


async def open_ledger(store: Store, progress: Progress, platform: str) -> JobLedger:
    """The ledger of the job that runs, with what its earlier attempts have posted. Raises `StoreUnavailable`."""
    found = await store.read(lambda c: job_parts.of_job(c, progress.job_id))
    return JobLedger(store, progress, platform, found)

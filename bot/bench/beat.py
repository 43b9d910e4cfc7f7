"""Keeps a job's lease while it works for hours, and hears that it was cancelled or taken over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

from agent.journal import Json
from bot.jobs import Cancelled, Progress
from bot.ports import LostTurn, StoreUnavailable

T = TypeVar("T")

log = logging.getLogger(__name__)


class Beat:
    """Reports every few seconds. An asynchronous context; entering it reports once, so it raises what a report raises
    but for `Cancelled`, which `during` raises.
    """

    def __init__(self, progress: Progress, every: float, picture: Callable[[], Json]) -> None:
        """`every`: seconds. `picture`: where the job stands, as it is kept; called at each report."""
        self._progress = progress
        self._every = every
        self._picture = picture
        self._cancelled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Beat:
        await self._report()
        self._task = asyncio.create_task(self._go_on(), name=f"beat of job {self._progress.job_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this while the job is ours and nobody has cancelled it.

        Raises `Cancelled` or `LostTurn` after the work was ended, and what the work raises.
        """
        task = asyncio.ensure_future(work)
        cancelled = asyncio.ensure_future(self._cancelled.wait())
        beating = self._task
        if beating is None:
            raise RuntimeError("a beat has to be entered")
        try:
            await asyncio.wait({task, cancelled, beating}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            for one in (task, cancelled):
                one.cancel()
            await asyncio.gather(task, cancelled, return_exceptions=True)
        if beating.done():
            beating.result()
        raise Cancelled

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._report()
            except StoreUnavailable as error:
                # The lease goes on running out; whatever is written meanwhile fails by itself.
                log.warning("a job could not report: %s", error)

    async def _report(self) -> None:
        try:
            await self._progress.report(self._picture())
        except Cancelled:
            self._cancelled.set()
        except LostTurn:
            log.warning("job %s was taken over", self._progress.job_id)
            raise

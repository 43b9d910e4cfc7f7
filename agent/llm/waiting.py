"""Waiting for what runs in the background."""

from __future__ import annotations

import asyncio


async def over(task: asyncio.Task[None] | None, seconds: float | None = None) -> None:
    """Wait until `task` is over, at most so many seconds; whatever becomes of it."""
    if task is not None:
        await asyncio.wait([task], timeout=seconds)

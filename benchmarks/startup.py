"""From exec to the first 200 of `/readyz`, with a remote model configured."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks import system
from benchmarks.figures import Figure, Result, at_most
from benchmarks.servers import Kagentbot, folder_in

#: Starts of each kind.
STARTS = 7
#: Seconds between two questions to a server that isn't ready yet.
_EVERY = 0.005
#: Seconds that a start may take; a bound, no measure.
_PATIENCE = 60.0
#: Nothing listens there: an unreachable model must not hold up a start.
_NO_MODEL = "http://127.0.0.1:9/v1"


async def measure(quick: bool) -> Result:
    """Start the server on a new database, and on one that is up to date."""
    starts = 1 if quick else STARTS
    load = system.load()
    first, again = [], []
    with TemporaryDirectory(prefix="kagentbot-bench-") as scratch:
        for number in range(starts):
            folder = folder_in(scratch, str(number))
            first.append(await _start(folder))
            again.append(await _start(folder))
    figures = [
        Figure("ready, database up to date (median)", statistics.median(again), "s", at_most(2)),
        Figure("ready, database up to date (slowest)", max(again), "s"),
        Figure("ready, new database (median)", statistics.median(first), "s", at_most(2)),
        Figure("ready, new database (slowest)", max(first), "s"),
    ]
    return Result(figures, {"up_to_date": again, "new": first, "load": load})


async def _start(folder: Path) -> float:
    """Start, wait until it is ready, stop; the seconds to being ready."""
    server = Kagentbot(folder, {"OPENAI_BASE_URL": _NO_MODEL, "OPENAI_MODEL": "none"})
    began = time.perf_counter()
    await server.start()
    try:
        # It prints its address when it listens; before that nobody could ask.
        await server.ready()
        async with asyncio.timeout(_PATIENCE):
            while not await _is_ready(server):  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(_EVERY)
        return time.perf_counter() - began
    finally:
        await server.stop()


async def _is_ready(server: Kagentbot) -> bool:
    """Whether `/readyz` answers with 200: everything but the model works."""
    place = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(f"GET /readyz HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    finally:
        writer.close()

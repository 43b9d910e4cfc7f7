"""The real server as a process of its own, for tests that use it through the page."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_READY = "kagentbot is ready: "
#: Of the caller's environment; anything more could be a setting.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "PYTHONHASHSEED")


class LiveServer:
    """`kagentbot serve` on a data folder of its own."""

    def __init__(self, data: Path, settings: dict[str, str]) -> None:
        self._data = data
        self._settings = settings
        self._log = data / "log"
        self._process: Process | None = None
        #: The address that it printed, with the token if it has one.
        self.link = ""
        self._port = "0"

    @property
    def url(self) -> str:
        return self.link.partition("/#")[0].rstrip("/")

    async def start(self) -> None:
        """Start it and wait for its address; the second start takes the same port."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot.cli", "serve", "--port", self._port),
                env={**kept, "HOME": str(self._data), "KAGENTBOT_DATA_DIR": str(self._data), **self._settings},
                cwd=_ROOT,
                stdout=PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode()
            if text.startswith(_READY):
                self.link = text.removeprefix(_READY).strip()
                self._port = self.url.rpartition(":")[2]
                return
        raise AssertionError(f"the server ended before it was ready: {self._log.read_text('utf-8')[-2000:]}")

    async def kill(self) -> None:
        """SIGKILL: nothing is said, saved or handed over."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        await self._process.wait()


@asynccontextmanager
async def running_live_server(data: Path, **settings: str) -> AsyncIterator[LiveServer]:
    """A server for the time of a test. `settings` are environment variables."""
    server = LiveServer(data, settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()

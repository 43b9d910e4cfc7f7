"""The processes that are measured: the server as it is shipped, and the bare handler beside it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[1]
#: Seconds for a start or a stop; a bound for broken ones, no measure.
_PATIENCE = 60.0
#: Settings of whoever runs this must not reach the server that is measured.
FOREIGN = ("KAGENTBOT_", "OPENAI_", "SLACK_", "DISCORD_", "DATABASE_URL", "PORT", "WEATHER_", "LC_", "LANG")


class Child:
    """A process that is started and stopped. Its standard error goes to a file, and into the errors raised here."""

    def __init__(self, command: list[str], log: Path, cwd: Path, environment: Mapping[str, str]) -> None:
        self._command = command
        self._log = log
        self._cwd = cwd
        self._environment = environment
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        if self._process is None:
            raise RuntimeError("it isn't running")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def start(self) -> None:
        """Start it; returns at once."""
        with self._log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=errors, cwd=self._cwd, env=self._environment
            )

    async def line(self) -> str:
        """The next line of its standard output. Raises `RuntimeError` with its errors when it ends instead."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), _PATIENCE)
        if line:
            return line.decode().strip()
        code = await self.process.wait()
        tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
        raise RuntimeError(f"{' '.join(self._command)} ended ({code}):\n{tail}")

    async def stop(self) -> None:
        """End it in order, by SIGTERM; what doesn't obey is killed."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), _PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()


class Kagentbot(Child):
    """`kagentbot serve` with a data folder of its own; the database survives a stop."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        """`settings` are environment variables on top of the defaults; the port is any free one."""
        data = folder / "data"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        environment |= {"KAGENTBOT_DATA_DIR": str(data), "KAGENTBOT_SERVER__PORT": "0", "LANG": "C.UTF-8"}
        command = [str(Path(sys.executable).with_name("kagentbot")), "serve"]
        # Where it runs there is no settings file.
        super().__init__(command, folder / "kagentbot.log", folder, {**environment, **settings})
        self.database = data / "kagentbot.db"
        self.url = ""

    async def ready(self) -> None:
        """Wait until it has printed its address."""
        while "http://" not in (line := await self.line()):
            pass
        self.url = line[line.index("http://") :].rstrip("/")

    async def __aenter__(self) -> Kagentbot:
        await self.start()
        await self.ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


class Bare(Child):
    """The bare handler (`benchmarks.bare`)."""

    def __init__(self, folder: Path, model_url: str, client: str) -> None:
        command = [sys.executable, "-m", "benchmarks.bare", model_url, client]
        super().__init__(command, folder / f"bare-{client}.log", ROOT, os.environ)
        self.url = ""

    async def __aenter__(self) -> Bare:
        await self.start()
        self.url = f"http://127.0.0.1:{json.loads(await self.line())['port']}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def folder_in(scratch: str, name: str) -> Path:
    """A new folder for a server."""
    folder = Path(scratch, name)
    folder.mkdir()
    return folder

"""The server under attack as a process: start it, kill it, start it again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).parents[2]
#: Seconds for a start; a bound for broken ones, no measure.
_START = 30.0


#: Turns that run at the same time: few enough that a short life brings some of them to their end.
_TURNS = 12
#: Tokens of the model's window: enough for plans of several calls, and known even while its server is away.
CONTEXT = 32_768


def _endpoint(name: str, base_url: str) -> dict[str, str | int]:
    return {"name": name, "base_url": base_url, "model": "fake", "context_tokens": CONTEXT, "slots": 32}


@dataclass
class Bot:
    """One server's life with many deaths. Its standard error goes to `log`."""

    database_url: str
    folder: Path
    #: Its model servers, best first: name → address.
    models: Mapping[str, str]
    arguments: list[str]
    #: Settings besides those that every run has.
    extra: Mapping[str, str] = field(default_factory=dict)
    #: Deaths so far.
    deaths: int = 0
    port: int = 0
    process: Process | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / "bot.log"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the server, and of command-line tools beside it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        return inherited | {
            "DATABASE_URL": self.database_url,
            "KAGENTBOT_DATA_DIR": str(self.folder),
            "KAGENTBOT_SERVER__PORT": "0",
            "KAGENTBOT_TIMEZONE": "UTC",
            "KAGENTBOT_LIMITS__TURNS": str(_TURNS),
            "KAGENTBOT_MODELS__ENDPOINTS": json.dumps([_endpoint(*one) for one in self.models.items()]),
            **self.extra,
        }

    async def start(self, crashpoint: str = "") -> bool:
        """Start it; False when it died on the way (at an early crash point)."""
        environment = self.environment | ({"KAGENTBOT_CRASHPOINT": crashpoint} if crashpoint else {})
        with self.log.open("ab") as errors:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.chaos.serve",
                *self.arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                cwd=_ROOT,
                env=environment,
            )
        if self.process.stdout is None:
            raise RuntimeError("the server has no standard output")
        line = await asyncio.wait_for(self.process.stdout.readline(), _START)
        if line:
            self.port = json.loads(line)["port"]
            return True
        code = await self.process.wait()
        if code != -9:
            raise RuntimeError(f"the server did not start (exit {code}):\n{self.tail()}")
        self.deaths += 1
        return False

    async def kill(self) -> None:
        """SIGKILL, if it still lives."""
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.process = None
        self.deaths += 1

    async def died(self, within: float) -> bool:
        """Whether it dies by itself in this time."""
        if self.process is None:
            return True
        try:
            await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        return await self.process.wait()

    async def audit(self) -> tuple[int, str]:
        """`kagentbot doctor --audit` beside the server: (exit status, output)."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.cli",
            "doctor",
            "--audit",
            stdout=PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=_ROOT,
            env=self.environment,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

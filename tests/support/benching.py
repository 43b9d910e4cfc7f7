"""`kagent-bench` as people start it: a process of its own, with a home of its own."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from evals.cli import main
from tests.support.process import ROOT, Done

#: Of the caller's environment; anything more could be a setting.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "PYTHONHASHSEED")
#: Seconds for a command: a bound for broken ones on a busy machine, no measure.
_PATIENCE = 60.0


class Bench:
    """The program with one home folder and one set of settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """`settings` are environment variables, and the only ones besides HOME, PATH and LANG."""
        self.home = folder / "home"
        #: Where commands run, and relative files are.
        self.here = folder / "here"
        self.settings = settings
        self.home.mkdir(parents=True, exist_ok=True)
        self.here.mkdir(exist_ok=True)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home / ".local" / "share" / "kagentbot"

    @property
    def runs(self) -> list[Path]:
        """The folders of all runs, the oldest first."""
        return sorted(path.parent for path in (self.data / "bench" / "runs").glob("[!.]*/spec.json"))

    async def start(self, *arguments: str, program: tuple[str, ...] = ("-m", "evals.cli"), **settings: str) -> Process:
        """Begin a command; whoever begins it ends it."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *program, *arguments),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=self.here,
            env=self._environment | settings,
        )

    async def run(self, *arguments: str, program: tuple[str, ...] = ("-m", "evals.cli"), **settings: str) -> Done:
        """A command from its beginning to its end."""
        return await ended(await self.start(*arguments, program=program, **settings))

    async def inside(self, *arguments: str) -> Done:
        """The same without a process of its own, which costs more than the command: for one that begins no run, since
        Ctrl-C is the main thread's.
        """
        return await asyncio.to_thread(self._inside, arguments)

    def _inside(self, arguments: tuple[str, ...]) -> Done:
        out, err = io.StringIO(), io.StringIO()
        environment = patch.dict(os.environ, self._environment, clear=True)
        with environment, chdir(self.here), redirect_stdout(out), redirect_stderr(err):
            try:
                main(arguments)
            except SystemExit as over:
                status = int(over.code or 0)
        return Done(status, out.getvalue(), err.getvalue())

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        # The checkout of these tests, whichever is installed.
        ours = {"HOME": str(self.home), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        return kept | ours | self.settings


async def ended(process: Process) -> Done:
    """How a command ends."""
    async with asyncio.timeout(_PATIENCE):
        out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())

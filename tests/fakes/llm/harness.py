"""Start and stop the fake in a test, and read what it was asked."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Call:
    """One chat call that the fake saw."""

    id: str
    model: str
    #: Text of the last user message.
    user: str
    #: Unix time of its start.
    at: float
    #: `open` while it runs, then `finished`, `aborted` (the client left), `refused`, `reset`, `broken off`,
    #: `interrupted`, `empty` or `garbage`.
    outcome: str = "open"
    #: Tokens that were sent.
    tokens: int = 0
    #: Unix time of its end; 0 while it runs.
    ended_at: float = 0.0
    #: Headers of the request, without the key; only with the flag `log_headers`.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: `answer`, `plan`, `json` (by a schema that is no plan's), or `trial` (whether the server follows schemas, or
    #: its model sees).
    purpose: str = "answer"
    #: The request as it came; only with the flag `log_requests`.
    body: Mapping[str, Any] = field(default_factory=dict)


class FakeLLM:
    """A fake model server in its own process. `flags` are those of `python -m tests.fakes.llm`, without the dashes."""

    def __init__(self, log: Path | None = None, **flags: str | float | bool) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="fake-llm-") if log is None else None
        self.log = Path(self._scratch.name, "calls.jsonl") if self._scratch is not None else Path(str(log))
        self._flags = flags
        self._process: Process | None = None
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    async def __aenter__(self) -> FakeLLM:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._scratch is not None:
            self._scratch.cleanup()

    async def start(self) -> None:
        """Start the process; the second start of the same object takes the same port again."""
        flags = {"port": self.port, "log": self.log, **self._flags}
        words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items() if not isinstance(value, bool)]
        words += [f"--{name.replace('_', '-')}" for name, value in flags.items() if value is True]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fakes.llm", *words, stdin=PIPE, stdout=PIPE, cwd=_ROOT
        )
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fake model server did not start; its reason is on standard error")
        self.port = json.loads(line)["port"]

    async def stop(self) -> None:
        """Stop the process at once; what was under way is broken off."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._process = None

    async def behave(self, directives: str, times: int | None = None) -> None:
        """Obey these directives for requests that carry none of their own; `""` ends it."""
        await self._control({"directives": directives, "times": times})

    async def resize(self, slots: int) -> None:
        """It runs so many calls side by side from now on; for one that was started with `slots`."""
        await self._control({"slots": slots})

    async def _control(self, wanted: Mapping[str, Any]) -> None:
        await asyncio.to_thread(urllib.request.urlopen, f"{self.origin}/control", json.dumps(wanted).encode(), 10)

    def calls(self, *, trials: bool = False) -> list[Call]:
        """All chat calls so far, in order of arrival; those that only try the server out only with `trials`."""
        calls: dict[str, Call] = {}
        # What comes after the last line's end is being written.
        lines = self.log.read_text(errors="replace").split("\n")[:-1] if self.log.exists() else []
        for entry in map(json.loads, lines):
            if entry["event"] == "started":
                names = ("id", "model", "user", "at", "headers", "purpose", "body")
                calls[entry["id"]] = Call(**{name: entry[name] for name in names if name in entry})
            else:
                call = calls[entry["id"]]
                calls[call.id] = replace(call, outcome=entry["outcome"], tokens=entry["tokens"], ended_at=entry["at"])
        return [call for call in calls.values() if trials or call.purpose != "trial"]

    async def until(self, holds: Callable[[list[Call]], bool], timeout: float = 10.0) -> list[Call]:
        """The calls, as soon as `holds` of them. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while not holds(calls := self.calls()):  # noqa: ASYNC110 - another process writes the log
                await asyncio.sleep(0.01)
        return calls

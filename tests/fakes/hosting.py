"""What the harnesses of fake platforms have in common: a process of its own, its control calls, its log as it grows."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

import aiohttp

_ROOT = Path(__file__).parents[2]


class Feeds(Protocol):
    """A replay of the log."""

    def feed(self, entry: dict[str, Any], /) -> None:
        """Take in the next entry."""


R = TypeVar("R", bound=Feeds)
T = TypeVar("T")


class Hosted(Generic[R]):
    """A fake platform in its own process. Use as an async context manager."""

    def __init__(self, name: str, log: Path | None, replay: R, words: list[str], settings: dict[str, Any]) -> None:
        """`name`: of its package in `tests.fakes`, which gets `words` on its command line besides `--log`. `settings`
        hold from its start until `set` changes them.
        """
        self._name = name
        self._scratch = tempfile.TemporaryDirectory(prefix=f"fake-{name}-") if log is None else None
        self.log = Path(self._scratch.name, f"{name}.jsonl") if self._scratch else log or Path()
        self._words = words
        self._settings = settings
        self._process: Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._replay = replay
        self._read = 0
        self.port = 0

    @property
    def url(self) -> str:
        """The fake's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._scratch is not None:
            self._scratch.cleanup()

    async def start(self) -> None:
        """Start it."""
        self.port = await self._launch()
        self._session = aiohttp.ClientSession()
        await self.set(**self._settings)

    async def stop(self) -> None:
        """End it at once."""
        if self._session is not None:
            await self._session.close()
        await self._end()

    async def set(self, *, reset: bool = False, **settings: Any) -> None:
        """Change settings of its `config.Config`; with `reset` all others go back to their defaults and the script is
        forgotten."""
        await self.control("set", reset=reset, **settings)

    async def replay(self) -> R:
        """Everything up to now."""
        await self._catch_up(0.0)
        return self._replay

    async def until(self, holds: Callable[[R], T], timeout: float = 15.0) -> T:
        """What `holds` returns, as soon as that is true. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            await self._catch_up(0.0)
            while not (found := holds(self._replay)):
                await self._catch_up(timeout)
            return found

    async def control(self, name: str, /, **body: Any) -> dict[str, Any]:
        """One call of the control API. Raises the platform's own error for what it lets nobody do."""
        return await self._post(f"/control/{name}", body, {})

    async def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        assert self._session is not None, "the fake is not started"
        # Waits are bounded by the test, not by the client.
        timeout = aiohttp.ClientTimeout(None)
        async with self._session.post(self.url + path, json=body, headers=headers, timeout=timeout) as response:
            if response.status == 400:
                raise ValueError((await response.json())["error"])
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
        if not answer["ok"]:
            raise self._error(answer)
        return answer

    def _error(self, answer: dict[str, Any]) -> Exception:
        """What an answer means that isn't ok."""
        raise NotImplementedError

    async def _catch_up(self, timeout: float) -> None:
        after = self._read
        entries = (await self.control("log", after=after, timeout=timeout))["entries"]
        # Another task may have read some of them meanwhile.
        fresh = entries[self._read - after :]
        self._read += len(fresh)
        for entry in fresh:
            self._replay.feed(entry)

    async def _launch(self) -> int:
        """Serve in a process of its own; the port."""
        command = [sys.executable, "-m", f"tests.fakes.{self._name}", f"--log={self.log}", *self._words]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=_ROOT)
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the fake {self._name} did not start; its reason is on standard error")
        return int(json.loads(line)["port"])

    async def _end(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._process = None

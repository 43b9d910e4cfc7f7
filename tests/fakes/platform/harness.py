"""Start and stop the fake in a test, play the people in it, and read what happened."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import aiohttp

from tests.fakes.platform.judge import Reply, Report, judge, replies
from tests.fakes.platform.log import load
from tests.fakes.platform.replay import Replay
from tests.fakes.platform.rules import Place, RuleError

T = TypeVar("T")

_ROOT = Path(__file__).parents[3]
TOKEN = "fake-token"
SECRET = "fake-secret"


class Said(NamedTuple):
    """A question that carries a marker."""

    id: str
    marker: str


class FakePlatform:
    """The platform in its own process. Use as an async context manager.

    `faults` and `settings` are those of `faults.FAULTS` and `config.Config`; they hold until `set` changes them.
    """

    def __init__(
        self, log: Path | None = None, *, seed: int = 1, faults: dict[str, float] | None = None, **settings: Any
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="fake-platform-") if log is None else None
        self.log = Path(self._scratch.name, "platform.jsonl") if self._scratch else log or Path()
        self._seed = seed
        self._settings = settings | ({"faults": faults} if faults else {})
        self._process: Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._replay = Replay()
        self._read = 0
        self._asked = 0
        self.token = TOKEN
        self.secret = SECRET
        self.port = 0

    @property
    def url(self) -> str:
        """Where the bot finds the web API, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> FakePlatform:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._scratch is not None:
            self._scratch.cleanup()

    async def start(self) -> None:
        """Start the process."""
        words = [f"--log={self.log}", f"--seed={self._seed}", f"--token={self.token}", f"--secret={self.secret}"]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fakes.platform", *words, stdin=PIPE, stdout=PIPE, cwd=_ROOT
        )
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fake platform did not start; its reason is on standard error")
        self.port = json.loads(line)["port"]
        self._session = aiohttp.ClientSession()
        if self._settings:
            await self.set(**self._settings)

    async def stop(self) -> None:
        """End the process at once."""
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._process = None

    # What people and the world do.

    async def say(
        self, place: Place, text: str, *, author: str = "U1", addressed: bool = True, sent_at: float | None = None
    ) -> str:
        """A person writes exactly this; the message's id. `sent_at` is the platform's time, where it matters."""
        said = await self._control(
            "say", **place._asdict(), author=author, text=text, addressed=addressed, sent_at=sent_at
        )
        return str(said["message"])

    async def ask(self, place: Place, text: str, **how: Any) -> Said:
        """A person writes this with a marker of its own at the end."""
        self._asked += 1
        marker = f"[m:{self._asked}]"
        return Said(await self.say(place, f"{text} {marker}", **how), marker)

    async def edit(self, message: str, text: str, *, addressed: bool = True) -> None:
        """The author changes a message."""
        await self._control("edit", message=message, text=text, addressed=addressed)

    async def delete(self, message: str) -> None:
        """The author deletes a message; a message of the bot is deleted by a moderator, and the bot isn't told."""
        await self._control("delete", message=message)

    async def press_stop(self, message: str, by: str = "U1") -> None:
        """A person presses Stop on a message of the bot. Raises `RuleError` when it has no such button (any more)."""
        await self._control("stop", message=message, by=by)

    async def bot(self, url: str | None) -> None:
        """The bot's webhook is here from now on (None: nowhere)."""
        await self._control("bot", url=url)

    async def set(self, *, reset: bool = False, **settings: Any) -> None:
        """Change settings of `config.Config`; with `reset` all others go back to their defaults and the script is
        forgotten."""
        await self._control("set", reset=reset, **settings)

    async def script(self, method: str, fault: str, *, skip: int = 0, times: int = 1) -> None:
        """Let calls of this method fail in this way, after `skip` that don't."""
        await self._control("script", method=method, fault=fault, skip=skip, times=times)

    async def call(self, method: str, **body: Any) -> dict[str, Any]:
        """One call of the web API with the bot's token. Raises `RuleError`; whatever else is wrong, as aiohttp does."""
        return await self._json(f"/api/{method}", body, {"Authorization": f"Bearer {self.token}"})

    # What happened.

    async def quiesce(self, timeout: float = 30.0) -> list[str]:
        """Wait until every event is acked; the delivery ids that are not by then."""
        return list((await self._control("quiesce", timeout=timeout))["pending"])

    async def state(self) -> list[dict[str, Any]]:
        """All messages that are visible now, people's and the bot's, oldest first."""
        return list((await self._control("state"))["messages"])

    async def replay(self) -> Replay:
        """Everything up to now."""
        await self._catch_up(0.0)
        return self._replay

    async def until(self, holds: Callable[[Replay], T], timeout: float = 15.0) -> T:
        """What `holds` returns, as soon as that is true. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            await self._catch_up(0.0)
            while not (found := holds(self._replay)):
                await self._catch_up(timeout)
            return found

    async def outcomes(self) -> dict[str, list[Reply]]:
        """For each person's message that carries a marker, the bot's visible replies that answer it."""
        replay = await self.replay()
        shown = replies(replay)
        return {
            human.id: [reply for reply in shown if reply.place == human.place and reply.markers & human.markers]
            for human in replay.humans.values()
            if human.markers
        }

    def judge(self, complete: Callable[[str, str], bool] | None = None) -> Report:
        """The judge's verdict over the log file as it is now."""
        return judge(load(self.log), complete=complete)

    async def _catch_up(self, timeout: float) -> None:
        entries = (await self._control("log", after=self._read, timeout=timeout))["entries"]
        self._read += len(entries)
        for entry in entries:
            self._replay.feed(entry)

    async def _control(self, name: str, **body: Any) -> dict[str, Any]:
        return await self._json(f"/control/{name}", body, {})

    async def _json(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        assert self._session is not None, "the platform is not started"
        # Waits are bounded by the test, not by the client.
        async with self._session.post(
            self.url + path, json=body, headers=headers, timeout=aiohttp.ClientTimeout(None)
        ) as response:
            if response.status == 400:
                raise ValueError((await response.json())["error"])
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
        if not answer["ok"]:
            raise RuleError(answer["error"])
        return answer

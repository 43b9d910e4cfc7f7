"""`kagentbot` as people start it: a process of its own with a home of its own, its printed address, its JSON API."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from aiohttp import ClientSession

from tests.support.web import Client, Json

ROOT = Path(__file__).parents[2]
#: Of the caller's environment; anything more could be a setting.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "PYTHONHASHSEED")
_READY = re.compile(r"(?:kagentbot is ready: |kagentbot 已就绪：)(\S+)")
#: Seconds for a start, a stop or a command: bounds for broken ones on a busy machine, no measure.
_PATIENCE = 60.0


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class NotReady(Exception):
    """The server ended before it was ready; `done` says how."""

    def __init__(self, done: Done) -> None:
        super().__init__(f"exit {done.status}: {done.err}{done.out}")
        self.done = done


class Visitor(Client):
    """A client in another process than the server's, on a machine that both share: it asks less often."""

    async def turn_when(self, turn_id: int, check: Callable[[Json], bool]) -> Json:
        """The turn, once it looks like this."""
        async with asyncio.timeout(_PATIENCE):
            while not check(turn := await self.turn(turn_id)):  # noqa: ASYNC110 - nothing here tells when it changes
                await asyncio.sleep(0.03)
        return turn


class Kagentbot:
    """The program with one home folder and one set of settings: its server, killed and started at will, and its
    other commands beside it.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, *, confined: Sequence[str] = ()
    ) -> None:
        """`settings` are environment variables and the only ones that the program gets besides HOME, PATH and LANG.

        `confined` are the arguments of `tests.support.confined` for the server and all commands.
        """
        self.home = folder / "home"
        self._folder = folder / "elsewhere"
        self.settings = dict(settings or {})
        self._confined = tuple(confined)
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        #: The address as it was printed, with the token if there is one.
        self.link = ""
        #: What the server has printed since its last start.
        self.lines: list[str] = []
        self.home.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(exist_ok=True)

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.settings.get("KAGENTBOT_DATA_DIR", self.home / ".local" / "share" / "kagentbot"))

    @property
    def url(self) -> str:
        """Where it is reached on this machine, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self.link.partition("/#")[0].rstrip("/").rpartition(":")[2])

    @property
    def token(self) -> str:
        """The token in the printed address; "" if there is none."""
        return unquote(self.link.partition("#token=")[2])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What all its servers have said on standard error."""
        return (self.home / "log").read_text(errors="replace")

    def environment(self, **settings: str) -> dict[str, str]:
        """All that the program gets, with further settings."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        # The checkout of these tests, whichever is installed.
        ours = {"HOME": str(self.home), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        return kept | ours | self.settings | settings

    async def start(self, *arguments: str, **settings: str) -> None:
        """`kagentbot serve` with these arguments; returns when it has printed its address. Raises `NotReady`.

        A port that was any free one is the same at the next start, so that clients find the server again.
        """
        assert self._process is None, "it runs"
        if self.link and self.settings.get("PORT") == "0":
            self.settings["PORT"] = str(self.port)
        log = self.home / "log"
        said = len(self.log) if log.exists() else 0
        self.lines = []
        with log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._launcher(), *("-m", "bot.cli", "serve", *arguments),
                stdin=DEVNULL, stdout=PIPE, stderr=errors,
                cwd=self._folder, env=self.environment(**settings),
            )  # fmt: skip
        ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(self._process, ready))
        async with asyncio.timeout(_PATIENCE):
            if await ready:
                return
        status = await self._ended()
        raise NotReady(Done(status, "\n".join(self.lines), self.log[said:]))

    def _launcher(self) -> tuple[str, ...]:
        if not self._confined:
            return (sys.executable,)
        return (sys.executable, "-m", "tests.support.confined", *self._confined, "--", sys.executable)

    async def _read(self, process: Process, ready: asyncio.Future[bool]) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            self.lines.append(raw.decode().rstrip("\n"))
            if (found := _READY.match(self.lines[-1])) and not ready.done():
                self.link = found[1]
                ready.set_result(True)
        if not ready.done():
            ready.set_result(False)

    async def _ended(self) -> int:
        """The exit status, as soon as there is one."""
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(_PATIENCE):
            status = await self._process.wait()
            await self._reading
        self._process = None
        return status

    async def kill(self) -> None:
        """SIGKILL: nothing is said, saved or handed over."""
        assert self._process is not None
        self._process.kill()
        await self._ended()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """SIGTERM, or another signal; the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return await self._ended()

    async def died(self) -> int:
        """Wait until it has come to its end by itself; the exit status."""
        return await self._ended()

    async def run(self, *arguments: str, **settings: str) -> Done:
        """Another command of the program, such as `doctor`, beside the server or without one."""
        process = await asyncio.create_subprocess_exec(
            *self._launcher(), *("-m", "bot.cli", *arguments),
            stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            cwd=self._folder, env=self.environment(**settings),
        )  # fmt: skip
        async with asyncio.timeout(_PATIENCE):
            out, err = await process.communicate()
        return Done(process.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def client(self, **headers: str) -> AsyncIterator[Visitor]:
        """Somebody who talks to the JSON API, with the token if there is one."""
        known = {"X-Kagentbot": "1"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        async with ClientSession(self.url, headers=known | headers) as session:
            yield Visitor(session)

    async def __aenter__(self) -> Kagentbot:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            await self.kill()


@asynccontextmanager
async def serving(
    folder: Path, settings: Mapping[str, str] | None = None, **more: Sequence[str]
) -> AsyncIterator[Kagentbot]:
    """A server that has been started; it is killed at the end, if the test has not stopped it."""
    async with Kagentbot(folder, settings, **more) as bot:
        await bot.start()
        yield bot


def with_model(base_url: str, **settings: str) -> dict[str, str]:
    """Settings for a server whose model is at this address and is asked once for each answer; any free port."""
    style = {"KAGENTBOT_PROFILE__STYLE": "noagent"}
    return {"OPENAI_BASE_URL": base_url, "OPENAI_MODEL": "fake-model", "PORT": "0"} | style | settings


def is_one_sentence(text: str, lang: str) -> bool:
    """Whether this is one sentence of that language, on one line."""
    chinese = re.search(r"[\u4e00-\u9fff]", text) is not None
    ends = re.findall(r"[。？！]|[.?!](?=\s|$)", text)
    return chinese is (lang == "zh") and len(ends) == 1 and text.endswith(ends[0]) and "\n" not in text

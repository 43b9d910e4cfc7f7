"""What the simulators have in common: somebody at a terminal, a fake platform, and a kagentbot server behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from tests.fakes.llm.harness import FakeLLM

_ROOT = Path(__file__).parents[2]

#: How long a script waits for an answer, seconds.
PATIENCE = 180.0
#: Seconds until the server is connected: it may have to unpack and start the embedded model first.
_CONNECT = 120.0
#: The fake model's pace: slow enough to see an answer grow, and to stop it. Seconds between tokens; tokens.
_GAP, _TOKENS = 0.05, 80

#: Where lines come from: each one is asked for with a prompt. Raises EOFError at the end.
Lines = Callable[[str], Awaitable[str]]


class Quit(Exception):
    """Somebody has seen enough."""


class Fake(Protocol):
    """The harness of a fake platform."""

    async def control(self, name: str, /, **body: Any) -> dict[str, Any]: ...

    async def until_connected(self, count: int = 1, timeout: float = ...) -> None: ...


class Screen(Protocol):
    """What prints the log."""

    def feed(self, entry: dict[str, Any]) -> None: ...


class Person(Protocol):
    """Takes what is typed."""

    @property
    def prompt(self) -> str: ...

    async def take(self, line: str) -> None:
        """One line. Raises `Quit`."""

    async def settle(self) -> None:
        """Wait until every message that needs an answer has one, at most `PATIENCE`."""


class Watch:
    """Shows the fake's log as it grows; any number of tasks may wait for more."""

    def __init__(self, fake: Fake, screen: Screen) -> None:
        self._fake = fake
        self._screen = screen
        self._read = 0

    async def catch_up(self, timeout: float) -> None:
        """Show what is new, as soon as there is something, or nothing after `timeout` seconds."""
        after = self._read
        entries = (await self._fake.control("log", after=after, timeout=timeout))["entries"]
        # Another task may have shown some of them meanwhile.
        fresh = entries[self._read - after :]
        self._read += len(fresh)
        for entry in fresh:
            self._screen.feed(entry)

    async def follow(self) -> None:
        """Show everything, for ever."""
        while True:
            await self.catch_up(60.0)


async def converse(person: Person, watch: Watch, lines: Lines, *, wait: bool) -> None:
    """Take lines until they end. With `wait`, a line's answer comes before the next line, unless it ends with `&`."""
    following = asyncio.create_task(watch.follow())
    try:
        while True:
            line = (await lines(person.prompt)).rstrip()
            alone = line.endswith(" &")
            await person.take(line.removesuffix("&") if alone else line)
            if wait and not alone:
                await person.settle()
    except (EOFError, Quit):
        if wait:
            await person.settle()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def at_the_terminal(talk: Callable[[Lines, bool], Awaitable[None]]) -> None:
    """Hand over the lines that are typed, or piped in, and whether each answer is to be waited for."""
    print("/help lists what you can type; end with /quit or Ctrl-D.", flush=True)
    if not sys.stdin.isatty():
        await talk(_piped, True)
        return
    with patch_stdout():
        session: PromptSession[str] = PromptSession()
        await talk(session.prompt_async, False)


@contextlib.asynccontextmanager
async def words_model() -> AsyncIterator[dict[str, str]]:
    """A model that only makes words, for a few seconds: the settings with which a server uses it."""
    async with FakeLLM(gap=_GAP, tokens=_TOKENS) as model:
        yield {"KAGENTBOT_MODELS__ENDPOINTS": json.dumps([{"name": "words", "base_url": model.base_url}])}


@contextlib.asynccontextmanager
async def connected_server(fake: Fake, environment: Mapping[str, str], log: Path, name: str) -> AsyncIterator[bool]:
    """A server that is connected to the fake; False where it doesn't get there, and why is on standard error."""
    print(f"Starting the server; its log is {log}", flush=True)
    async with _server(environment, log) as server:
        connected = await _connected(fake, server)
        if not connected:
            said = (await asyncio.to_thread(log.read_text, "utf-8", "replace")).splitlines()[-10:]
            print(
                f"The server has not connected to the fake {name}. What it said last:", *said, sep="\n", file=sys.stderr
            )
        yield connected


@contextlib.asynccontextmanager
async def _server(environment: Mapping[str, str], log: Path) -> AsyncIterator[Process]:
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", "serve", "--port", "0"),
            env=environment,
            cwd=_ROOT,
            stdin=DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 10.0)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _connected(fake: Fake, server: Process) -> bool:
    """Wait for the server's connection; False when it ends without, or takes too long."""
    connecting = asyncio.create_task(fake.until_connected(timeout=_CONNECT))
    ending = asyncio.create_task(server.wait())
    await asyncio.wait((connecting, ending), return_when=asyncio.FIRST_COMPLETED)
    for task in (connecting, ending):
        task.cancel()
    results = await asyncio.gather(connecting, ending, return_exceptions=True)
    return results[0] is None


async def _piped(prompt: str) -> str:
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        raise EOFError
    print(f"{prompt}{line}", end="", flush=True)
    return line

"""Where the chat's server is: at an address that was given, running on this machine, or started for this chat."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.terminal import chat_texts as texts
from adapters.terminal.client import Away
from agent.language import Lang
from bot.presence import FILE_NAME
from bot.settings import Settings

#: What a server of our own says while it runs; in the data folder.
LOG_NAME = "chat-server.log"
#: Seconds that a server on this machine has for `/healthz`.
_HEALTH_S = 5.0
#: Seconds that a server which was running has to come back before the chat starts one of its own: whatever looks after
#: it (systemd, a container's supervisor) restarts it within a few.
COMES_BACK_S = 10.0
#: Seconds that a server of our own has to be ready; a start takes two, migrating a large database longer.
_START_S = 120.0
#: Seconds beyond `limits.grace` after which a server of our own that won't end is killed.
_END_S = 10.0
#: Seconds between two looks at whether a starting server has written its note.
_LOOK_S = 0.05


class HostError(Exception):
    """There is no server to talk to; the message is one sentence that says what to do."""


class Reached(NamedTuple):
    """A server that answers."""

    url: str
    token: str | None
    how: Literal["given", "running", "own"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person asked for."""

    settings: Settings
    #: The settings file that was named on the command line, for a server of our own.
    config: Path | None = None
    #: The address that was named on the command line.
    url: str | None = None


class _Note(NamedTuple):
    url: str
    pid: int


class Host:
    """Finds the server, starts one if there is none, and finds it again after it went away."""

    def __init__(self, wanted: Wanted, session: ClientSession) -> None:
        self._wanted = wanted
        self._settings = wanted.settings
        self._lang: Lang = wanted.settings.lang
        self._session = session
        self._child: Process | None = None
        self.log = self._settings.data_dir / LOG_NAME

    @property
    def has_own(self) -> bool:
        """Whether a server of our own runs."""
        return self._child is not None and self._child.returncode is None

    async def reach(self, starting: Callable[[], None]) -> Reached:
        """The server, for the first time; `starting` is called before one is started. Raises `HostError`."""
        if self._wanted.url is not None:
            url = _checked(self._wanted.url, self._lang)
            if not await self._healthy(url):
                raise HostError(texts.NO_SERVER_AT.say(self._lang, url=url))
            return Reached(url, self._token_for(url), "given")
        if found := await self._running():
            return found
        starting()
        return await self._own()

    async def again(self, gone_for: float) -> Reached:
        """The server, after it has been away for `gone_for` seconds.

        Raises `Away` when it is not back yet, `HostError` when it can't come back.
        """
        if self._wanted.url is not None:
            url = _checked(self._wanted.url, self._lang)
            if not await self._healthy(url):
                raise Away(url)
            return Reached(url, self._token_for(url), "given")
        if found := await self._running():
            return found
        if self._child is None and gone_for < COMES_BACK_S:
            raise Away("not back yet")
        return await self._own()

    async def close(self) -> None:
        """End the server that was started here, in order; it hands over what it can't finish."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), self._settings.limits.grace + _END_S)
        except TimeoutError:
            child.kill()
            await child.wait()

    # --- A server that runs already

    async def _running(self) -> Reached | None:
        """The server that runs on these settings, whoever started it."""
        note = _note(self._settings.data_dir)
        if note is None or not _alive(note.pid) or not await self._healthy(note.url):
            return None
        own = self.has_own and self._child is not None and self._child.pid == note.pid
        return Reached(note.url, self._token_for(note.url), "own" if own else "running")

    async def _healthy(self, url: str) -> bool:
        timeout = ClientTimeout(total=_HEALTH_S)
        try:
            async with self._session.get(f"{url}/healthz", timeout=timeout, allow_redirects=False) as response:
                # The name in the header: by now, another program may listen where a server was killed.
                ours = response.headers.get("Server") == "kagentbot" or self._wanted.url is not None
                return response.status == 200 and ours
        except (ClientError, TimeoutError, ConnectionError):
            return False

    def _token_for(self, url: str) -> str | None:
        """The token of the settings; the one that a server made for itself goes to that server only."""
        token = self._settings.server.token
        if token is not None:
            return token.get_secret_value()
        note = _note(self._settings.data_dir)
        if note is None or note.url != url:
            return None
        try:
            return (self._settings.data_dir / "web-token").read_text("ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    # --- A server of our own

    async def _own(self) -> Reached:
        """Start a server that ends with this chat. Raises `HostError`."""
        await self.close()
        try:
            child = self._child = await self._spawn()
        except OSError as error:
            raise HostError(texts.NOT_STARTED.say(self._lang, reason=error.strerror or error, log=self.log)) from None
        deadline = time.monotonic() + _START_S
        while child.returncode is None and time.monotonic() < deadline:
            note = _note(self._settings.data_dir)
            if note is not None and note.pid == child.pid and await self._healthy(note.url):
                return Reached(note.url, self._token_for(note.url), "own")
            await asyncio.sleep(_LOOK_S)
        await self.close()
        # Somebody else's was a moment faster, and the database serves one.
        if found := await self._running():
            return found
        raise HostError(texts.NOT_STARTED.say(self._lang, reason=self._last_words(), log=self.log))

    async def _spawn(self) -> Process:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = ("--config", str(self._wanted.config)) if self._wanted.config else ()
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
            # A session of its own: Ctrl-C at this terminal is for the chat alone.
            return await asyncio.create_subprocess_exec(
                # -P: no code from the current folder, whatever lies in it.
                *(sys.executable, "-P", "-m", "adapters.terminal.chat_child", *config),
                *("serve", "--host", "127.0.0.1", "--port", "0"),
                stdin=PIPE, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def _last_words(self) -> str:
        """What the server that ended said last, or nothing."""
        with contextlib.suppress(OSError):
            said = [line for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]
            if said:
                return said[-1].strip().rstrip("。.")
        return texts.NO_REASON.say(self._lang)


def _checked(url: str, lang: Lang) -> str:
    """The address without a slash at its end. Raises `HostError`."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise HostError(texts.BAD_URL.say(lang)) from None
    if not valid or parts.query:
        raise HostError(texts.BAD_URL.say(lang))
    if parts.fragment or parts.username or parts.password:
        # Command lines are seen by everybody on the machine.
        raise HostError(texts.TOKEN_IN_URL.say(lang))
    return url.rstrip("/")


def _note(data_dir: Path) -> _Note | None:
    """What the newest server on this data wrote about itself (`bot.presence`)."""
    try:
        found = json.loads((data_dir / FILE_NAME).read_text("utf-8"))
        return _Note(str(found["url"]).rstrip("/"), int(found["pid"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        # Somebody else's process.
        return False
    return True

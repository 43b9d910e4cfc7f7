"""Somebody who reads a page and types its commands: real processes, with a home folder of their own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.pages import Block

READY = "kagentbot is ready: "
#: Seconds that anything may take; they only end a test that fails anyway.
LIMIT = 120
#: Settings and the like, which a reader's machine would not have.
_NOT_PASSED_ON = re.compile(
    r"(KAGENTBOT|OPENAI|SLACK|DISCORD|WEATHER|XDG|LC)_|PYTHON\w|MAKE|"
    r"(DATABASE_URL|PORT|LANG|LANGUAGE|MFLAGS|ARGS|SEED|VIRTUAL_ENV)$"
)


class Server:
    """A server that a block of commands has started."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors
        self.said = ""
        self._link = ""

    def wait_until_ready(self, seconds: float) -> None:
        """Read what it says up to its address."""
        stdout = self._process.stdout
        assert stdout is not None
        with _killed_after(seconds, self._process):
            for line in stdout:
                self.said += line
                if line.startswith(READY):
                    self._link = line.removeprefix(READY).strip()
                    return
        raise AssertionError(f"no server within {seconds:g} s:\n{self.said}{self._errors.read_text('utf-8')[-3000:]}")

    def ask(self, question: str, seconds: float = LIMIT) -> dict[str, Any]:
        """The turn that answers, once it is over."""
        posted = {"conversation": None, "message_id": str(uuid.uuid4()), "text": question}
        with self._open("/api/v1/messages", seconds, json.dumps(posted).encode()) as response:
            conversation = json.load(response)["conversation"]
        with self._open(f"/api/v1/conversations/{conversation}/events", seconds) as events:
            for line in events:
                if not line.startswith(b"data: "):
                    continue
                turn: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
                if turn["state"] not in ("queued", "running", "waiting"):
                    return turn
        raise AssertionError("the stream of events ended")

    def _open(self, path: str, seconds: float, body: bytes | None = None) -> Any:
        address, _, fragment = self._link.partition("/#")
        # The address may be one of this machine's others; the traffic stays inside.
        url = f"http://127.0.0.1:{address.rstrip('/').rpartition(':')[2]}{path}"
        headers = {"X-Kagentbot": "1", "Content-Type": "application/json"}
        if fragment:
            headers["Authorization"] = f"Bearer {unquote(fragment.removeprefix('token='))}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(urllib.request.Request(url, body, headers), timeout=seconds)

    def stop(self) -> None:
        """SIGTERM, as Ctrl-C does it to all processes of the command; nothing of it is left."""
        os.killpg(self._process.pid, signal.SIGTERM)
        with _killed_after(LIMIT, self._process):
            out, _ = self._process.communicate()
        self.said += out
        # make ends by the signal that it got, once its child has ended.
        assert self._process.returncode in (0, 128 + signal.SIGTERM), self.said + self._errors.read_text("utf-8")
        with pytest.raises(ProcessLookupError):
            os.killpg(self._process.pid, 0)


@contextlib.contextmanager
def _killed_after(seconds: float, process: subprocess.Popen[str]) -> Iterator[None]:
    timer = threading.Timer(seconds, _kill, [process])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Reader:
    """Somebody who types a page's commands, with a home folder of their own."""

    def __init__(self, home: Path, folder: Path, fill: Callable[[str], str]) -> None:
        """`folder` is where they type; `fill` puts something real for what a page leaves open."""
        self._home = home
        self._folder = folder
        self._fill = fill
        home.mkdir(parents=True)

    @property
    def database(self) -> Path:
        return self._home / ".local/share/kagentbot/kagentbot.db"

    def run(self, block: Block, folder: Path | None = None, **variables: str) -> None:
        """Run commands that end, and end well."""
        with self._started(block, folder, variables) as process:
            with _killed_after(LIMIT, process):
                out, _ = process.communicate()
            assert process.returncode == 0, f"{block}:\n{out}{self._errors.read_text('utf-8')}"

    @contextlib.contextmanager
    def serving(self, block: Block, seconds: float = LIMIT) -> Iterator[Server]:
        """Run commands of which the last one is a server."""
        with self._started(block, None, {}) as process:
            server = Server(process, self._errors)
            server.wait_until_ready(seconds)
            yield server
            server.stop()

    @property
    def _errors(self) -> Path:
        return self._home / "errors"

    @contextlib.contextmanager
    def _started(self, block: Block, folder: Path | None, variables: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
        # Bash waits for its command and ends as that did, instead of leaving it alone at SIGTERM.
        script = f"set -e; trap : TERM\n{self._fill(block.text)}\n"
        with (
            self._errors.open("w") as errors,
            subprocess.Popen(
                ["bash", "-c", script],
                cwd=folder or self._folder,
                env={**self._environment(), **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                _kill(process)

    def _environment(self) -> dict[str, str]:
        """This machine's, without settings; what pip has learnt of its index and fetched before stays in reach."""
        kept = {name: value for name, value in os.environ.items() if not _NOT_PASSED_ON.match(name)}
        own = {"HOME": str(self._home), "LANG": "C.UTF-8", "PORT": "0", "PIP_CACHE_DIR": _pip("cache", "dir")}
        configured = [Path.home() / name for name in (".config/pip/pip.conf", ".pip/pip.conf")]
        if found := next((path for path in configured if path.is_file()), None):
            own["PIP_CONFIG_FILE"] = kept.get("PIP_CONFIG_FILE", str(found))
        return {**kept, **own}


def _pip(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()

"""Starts the real llama_cpp.server, and asks servers without a client in between."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from agent.llm import gguf
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer
from agent.llm.endpoint import Endpoint

#: Of `--n_ctx`.
WINDOW = 4096
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Real:
    """A server that runs."""

    port: int

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"


@dataclass(frozen=True, slots=True)
class Said:
    """A response as it came."""

    status: int
    kind: str
    body: str
    #: Whether the response came to its end.
    whole: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The events of a stream but for `[DONE]`."""
        data = [line.removeprefix("data: ") for line in self.body.splitlines() if line.startswith("data: ")]
        return [json.loads(each) for each in data if each != "[DONE]"]

    @property
    def done(self) -> bool:
        return "data: [DONE]" in self.body


@contextmanager
def running(python: Path, log: Path, *flags: str) -> Iterator[Real]:
    """llama_cpp.server with the bundled model and the published flags."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Real(free.getsockname()[1])
    command = [str(python), "-m", "llama_cpp.server", "--model", str(gguf.bundled()), "--chat_format", "chatml"]
    command += ["--host", "127.0.0.1", "--port", str(server.port), "--n_ctx", str(WINDOW), "--n_threads", "1", *flags]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _until_ready(server, process, log)
            yield server
        finally:
            process.terminate()


@asynccontextmanager
async def running_embedded() -> AsyncIterator[Endpoint]:
    """The embedded model with its own server."""
    server = EmbeddedServer(EmbeddedConfig(context_per_slot=WINDOW, slots=2, patience=_START_SECONDS))
    await server.start()
    try:
        yield await server.ready(_START_SECONDS)
    finally:
        await server.stop()


def ask(root: str, path: str, body: Mapping[str, Any] | None = None, key: str = "") -> Said:
    """One question, GET without a body and POST with one."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(root + path, data, headers), timeout=120) as response:
            kind = response.headers.get_content_type()
            pieces: list[bytes] = []
            try:
                while piece := response.read1():
                    pieces.append(piece)
            except (OSError, HTTPException):
                return Said(response.status, kind, b"".join(pieces).decode(), whole=False)
            return Said(response.status, kind, b"".join(pieces).decode())
    except urllib.error.HTTPError as error:
        with error:
            return Said(error.code, error.headers.get_content_type(), error.read().decode())


def _until_ready(server: Real, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if ask(server.root, "/v1/models").status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"llama_cpp.server did not start: {log.read_text(errors='replace')[-2000:]}")

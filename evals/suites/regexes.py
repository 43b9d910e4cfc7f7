"""Patterns out of files that anybody may have written, tried where they can do no harm."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

#: Characters of an answer that are searched: its beginning.
MOST_TEXT: Final = 100_000
#: Seconds until a try is given up whose process the kernel has not ended: on a machine that is very busy.
_PATIENCE: Final = 60.0
_COMMAND: Final = (sys.executable, "-I", "-B", str(Path(__file__).with_name("regex_child.py")))
#: No variables, no folder of ours on the path, no descriptors but the pipes, and Ctrl-C is not for it.
_ALONE: Final[dict[str, Any]] = {"env": {}, "cwd": "/", "close_fds": True, "start_new_session": True}


class Regexes:
    """Searches with patterns in a child process, which is started with the first one and again after one that hung."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Regexes:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def search(self, pattern: str, text: str, *, ignore_case: bool = False) -> bool | None:
        """Whether the pattern matches somewhere; None when it takes over half a second of CPU or can't be used.

        Raises `OSError` when no process can be started.
        """
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(_PATIENCE):
                    answer = await self._asked(_line(pattern, text[:MOST_TEXT], ignore_case))
            except (TimeoutError, ConnectionError):
                answer = b""
            except BaseException:
                await self._end()
                raise
            if not answer:
                await self._end()
                return None
        found = json.loads(answer)
        return found if isinstance(found, bool) else None

    async def _asked(self, line: bytes) -> bytes:
        process = self._process = self._process or await _start()
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(line)
        await process.stdin.drain()
        return await process.stdout.readline()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()


def unusable(patterns: Sequence[str]) -> tuple[int, str] | None:
    """The first of these that can't be used, by its place, and why in English; "" where it only takes too long.

    Blocking. Raises `OSError` when no process can be started.
    """
    if not patterns:
        return None
    lines = b"".join(_line(pattern, "") for pattern in patterns)
    done = subprocess.run(_COMMAND, input=lines, capture_output=True, check=False, **_ALONE)
    for place in range(len(patterns)):
        answers = done.stdout.splitlines()
        found = json.loads(answers[place]) if place < len(answers) else ""
        if isinstance(found, str):
            return place, found
    return None


def _line(pattern: str, text: str, ignore_case: bool = True) -> bytes:
    return json.dumps({"pattern": pattern, "text": text, "ignore_case": ignore_case}).encode() + b"\n"


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        **_ALONE,
    )

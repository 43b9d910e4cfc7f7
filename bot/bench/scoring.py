"""The server's end of the process that scores (`bot.bench.figures`)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

import bot
from agent.journal import Json
from agent.language import Lang
from bot.bench.framing import LENGTH, message, prediction_json
from evals.runs import Prediction, RunSpec, spec_json

#: Replies that one request carries: a megabyte or two of JSON, so that making it doesn't hold up the event loop.
_BATCH: Final = 200
#: Variables of the environment that the process is given: no secret of the server's has any business there.
_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME")


class ScoringFailed(Exception):
    """The process that scores died, or could not do what it was asked."""


class Scorer:
    """A process that scores one run. An asynchronous context; one call at a time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._calling = asyncio.Lock()

    async def __aenter__(self) -> Scorer:
        root = str(Path(bot.__file__).parents[1])
        environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.bench.figures",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment | {"PYTHONPATH": root},
            # A terminal's Ctrl-C is for the server, which ends this process in its own time.
            start_new_session=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        self._process = None
        _kill(process)
        await process.wait()

    async def open(self, path: Path, spec: RunSpec) -> int:
        """Read the items of a run; how many there are. Raises `ScoringFailed`."""
        return int(await self._call("open", path=str(path), spec=spec_json(spec)))

    async def add(self, predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Take replies; `scores` (0 to 1, None where there is none yet) and how many `items` they are of.

        Raises `ScoringFailed`.
        """
        found: dict[str, Any] = {"scores": {}, "items": 0}
        for first in range(0, len(predictions), _BATCH):
            batch = predictions[first : first + _BATCH]
            found = await self._call("add", predictions=[prediction_json(one) for one in batch])
        return found

    async def take(self, predictions: Sequence[Prediction]) -> None:
        """Take replies without scoring them, for what is made of all of them. Raises `ScoringFailed`."""
        for first in range(0, len(predictions), _BATCH):
            batch = predictions[first : first + _BATCH]
            await self._call("take", predictions=[prediction_json(one) for one in batch])

    async def sheets(self) -> dict[str, Any]:
        """`evals.report.viewing.viewer` of what was taken. Raises `ScoringFailed`."""
        found: dict[str, Any] = await self._call("sheets")
        return found

    async def official(self, path: Path) -> None:
        """Write what was taken as an official predictions file. Raises `ScoringFailed`."""
        await self._call("official", path=str(path))

    async def page(self, path: Path, given: Mapping[str, Any], lang: Lang) -> None:
        """Write the report as one HTML file (`bot.bench.sheets.page`). Raises `ScoringFailed`."""
        await self._call("page", path=str(path), given=dict(given), lang=lang)

    async def finish(self) -> Json:
        """The summary of all replies. Raises `ScoringFailed`."""
        found: dict[str, Json] = await self._call("finish")
        return found["summary"]

    async def compare(self, how: Literal["compare", "difference"], a: Json, b: Json, lang: Lang) -> str:
        """Two summaries side by side, or the difference in words alone, as Markdown. Raises `ScoringFailed`."""
        found: dict[str, str] = await self._call(how, a=a, b=b, lang=lang)
        return found["markdown"]

    async def _call(self, name: str, **given: Any) -> Any:
        async with self._calling:
            process = self._process
            if process is None or process.stdin is None or process.stdout is None:
                raise ScoringFailed("the process that scores does not run")
            try:
                process.stdin.write(await asyncio.to_thread(message, {"call": name, "given": given}))
                await process.stdin.drain()
                head = await process.stdout.readexactly(LENGTH)
                body = await process.stdout.readexactly(int.from_bytes(head))
            except (OSError, asyncio.IncompleteReadError) as error:
                raise ScoringFailed("the process that scores has died") from error
            except asyncio.CancelledError:
                # Its answer would be taken for that to the next request.
                _kill(process)
                raise
            answer = await asyncio.to_thread(json.loads, body)
        if "error" in answer:
            raise ScoringFailed(answer["error"])
        return answer["value"]


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


async def compared(a: Json, b: Json, lang: Lang, how: Literal["compare", "difference"] = "compare") -> str:
    """`Scorer.compare` by a process of its own."""
    async with Scorer() as scorer:
        return await scorer.compare(how, a, b, lang)

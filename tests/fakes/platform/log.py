"""The append-only log: one JSON line per thing that happened, written before anybody is told of it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Log:
    """Entries in order. `at` is Unix time; `kind` says what happened:

    - `said`, `reworded`, `erased`: a person wrote, edited, deleted (`message`, `place`, `author`, `text`, `addressed`)
    - `pressed`: a person pressed Stop (`message` of the bot, `by`)
    - `sent`, `acked`, `unacked`: an attempt to deliver an event, and how it ended (`delivery`, `event`, `subject`,
    `attempt`) - `call`: the bot called (`method`, `accepted`, `error`, `fault`, `told`); an accepted call that changed
    a message carries all of it
      as `shown`, a deletion its id as `gone`
    """

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", encoding="utf-8") if path else None
        self._entries: list[Entry] = []
        self._grown = asyncio.Event()

    def write(self, kind: str, **fields: Any) -> None:
        """Append and flush."""
        entry = {"at": time.time(), "kind": kind, **fields}
        self._entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self, after: int, timeout: float) -> list[Entry]:
        """The entries behind the first `after`, as soon as there are any; [] after `timeout` seconds."""
        if len(self._entries) <= after:
            try:
                async with asyncio.timeout(timeout):
                    await self._grown.wait()
            except TimeoutError:
                return []
        return self._entries[after:]


def load(path: Path) -> list[Entry]:
    """The entries of a log file; a last line that is not complete yet is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]

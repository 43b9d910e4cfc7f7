"""The append-only log: one JSON line per thing that happened, written before anybody is told of it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Log:
    """Entries in order. `at` is Unix time; `kind` says what happened. Messages are named by `subject`, "channel/ts".

    Written by `state`:
    - `said`, `reworded`, `erased`: a person wrote, edited, deleted (`subject`, `team`, `channel`, `ts`, `thread_ts`,
      `user`, `author_team`, `text`, `direct`; `said` also `sent_at`, `mentions`, the ids of people, and `mentions_us`)
    - `stopped`: a person pressed Slack's own Stop (`channel`, `thread_ts`, `user`; `shown`: the streams it ended)
    - `moderated`: a message of the app was deleted by somebody else (`shown`)

    Written by `web`:
    - `call`: the app called (`method`, `team`, `accepted`, `error`, `fault`, `told`, `arguments` without the token;
      `early`: within the wait that a 429 had asked for); an accepted call that changed messages of the app carries all
      of each as `shown`, a list of `Message`s as people see them, with `gone` once one is deleted
    - `answered`: something was posted to a response_url (`channel`, `user`, `arguments`, `accepted`, `error`; `shown`)
    - `upload`, `download`: bytes came or went (`file`, `size`, `error`; `elsewhere`: after a redirect, on a host that
      must not be shown the token, `leaked`)

    Written by the delivery side: `sent`, `acked`, `unacked` (`delivery`, `event`, `subject`, `attempt`), `pressed`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file = path.open("a", encoding="utf-8") if path else None
        #: All of them, for a test in the same process.
        self.entries: list[Entry] = []
        self._grown = asyncio.Event()

    def write(self, kind: str, **fields: Any) -> None:
        """Append and flush."""
        entry = {"at": time.time(), "kind": kind, **fields}
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self, after: int, timeout: float) -> list[Entry]:
        """The entries behind the first `after`, as soon as there are any; [] after `timeout` seconds."""
        if len(self.entries) <= after:
            try:
                async with asyncio.timeout(timeout):
                    await self._grown.wait()
            except TimeoutError:
                return []
        return self.entries[after:]


def load(path: Path) -> list[Entry]:
    """The entries of a log file; a last line that is not complete yet is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]

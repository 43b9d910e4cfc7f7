"""The append-only log: one JSON line per thing that happened, written before anybody is told of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Log:
    """Entries in order. `at` is the fake's time; `kind` says what happened. Messages are named by `subject`,
    "channel/id", a thread's by the thread.

    Written by `state`:
    - `moderated`: a message of the app was deleted by somebody else (`shown`)
    - `interaction`: a person made one (`id`, `type`, `user`, `channel`, `name`: the command or custom_id)

    Written by `web`:
    - `call`: the app called (`method`, "POST /channels/{channel}/messages" and the like; `ids`: what the braces stood
      for, `interaction`: whose token it came with; `arguments`: its body; `status`, `accepted`, Discord's `code`,
      `fault`, `told`; `result`: the id of what it was answered, which a repeated nonce has from an earlier call; of a
      429 `scope`, `retry_after`, and `early`: within the wait that an earlier one had asked for); an accepted call
      that changed messages of the app carries all of each as `shown`, a list of messages as people see them
      (`shapes.seen`), with `gone` once one is deleted; `pings`: whom the call rang
    - `download`: an attachment was fetched (`attachment`, `size`, `status`)

    Written by `people` and `hands`:
    - `said`: somebody wrote (`guild`, `channel`, `parent` of a thread, `id`, `user`, `bot`, `text`, `files`, `direct`,
      `mentions`, `mentions_us`, `replies_to`, `replies_to_us`, `everyone`, `readable` by the app, `sent_at`);
      `reworded` (`text`), `erased`; `threaded`: somebody opened a thread (`thread`, `channel`)
    - `pressed` (`custom_id`, `values`), `commanded` (`name`, `data`), `submitted` (`custom_id`); `interaction_failed`:
      the app hasn't answered in time

    Written by the gateway:
    - `gateway_opened`, `gateway_closing` (by the fake, with `code`), `gateway_closed` (`code`, `by_app`),
      `disconnecting` (`how`); `identified` (`intents`, `shard`, `shards`), `identify_too_soon`, `resumed` (`replayed`),
      `resume_refused`
    - `told`: an event went to `sessions` (`seq`; `live`: it is connected); `heard`: the app's heartbeat says that these
      `subjects`, with their events, have come
    """

    def __init__(self, path: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._file = path.open("a", encoding="utf-8") if path else None
        self._now = now
        #: All of them, for a test in the same process.
        self.entries: list[Entry] = []
        self._waiting: list[asyncio.Future[None]] = []

    def write(self, kind: str, **fields: Any) -> None:
        """Append and flush."""
        entry = {"at": self._now(), "kind": kind, **fields}
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def read(self, after: int, timeout: float) -> list[Entry]:
        """The entries behind the first `after`, as soon as there are any; [] after `timeout` seconds."""
        if len(self.entries) <= after:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            try:
                async with asyncio.timeout(timeout):
                    await future
            except TimeoutError:
                return []
        return self.entries[after:]


def load(path: Path) -> list[Entry]:
    """The entries of a log file; a last line that is not complete yet is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]

"""A note beside the data that says where this server is reached, for programs of the same user on the same machine.

It holds no secret; the token has a file of its own. A server that was killed leaves its note behind, so whoever reads
it asks the server before believing it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from datetime import datetime
from pathlib import Path

log = logging.getLogger(__name__)

#: The note's name in the data folder.
FILE_NAME = "server.json"


class Presence:
    """The note of this process."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._pid = os.getpid()

    def announce(self, url: str, started_at: datetime) -> None:
        """Write the note: complete or not at all, readable by this user only. A server does without it, if it must."""
        note = {"url": url, "pid": self._pid, "started_at": started_at.isoformat(timespec="seconds")}
        temporary = self._path.with_name(f"{FILE_NAME}.{self._pid}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(note, file)
            temporary.replace(self._path)
        except OSError as error:
            log.warning("%s can't be written (%s): commands on this machine won't find the server", self._path, error)

    def withdraw(self) -> None:
        """Remove the note, unless another server has written its own since."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if json.loads(self._path.read_text("utf-8")).get("pid") == self._pid:
                self._path.unlink()

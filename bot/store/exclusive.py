"""One server per SQLite file: an flock beside it, held for the server's life and freed by the system when it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from agent.language import Text
from bot.ports import StoreUnavailable

_CLOSED = Text(
    "The folder {path} can't be written ({error}): give this user the right to, or set KAGENTBOT_DATA_DIR to another.",
    "目录 {path} 不可写（{error}）：请授予当前用户写权限，或把 KAGENTBOT_DATA_DIR 设为其他目录。",
)
BUSY = Text(
    "Another kagentbot server is using {path}: stop it first, or give this one a data folder of its own "
    "with KAGENTBOT_DATA_DIR.",
    "另一个 kagentbot 服务正在使用 {path}：请先停止它，或用 KAGENTBOT_DATA_DIR 给本服务指定另一个数据目录。",
)


class InUse(Exception):
    """Another process holds the lock; `path` is the database file."""

    def __init__(self, path: Path) -> None:
        super().__init__(BUSY.say("en", path=path))
        self.path = path


class Exclusive:
    """The lock beside a database file."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock at once. Raises `InUse`, or `StoreUnavailable` where no file can be made."""
        # Where links lead: two names of one file have one lock.
        database = self._database.resolve()
        folder = database.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = database.with_name(database.name + ".lock")
            fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _closed(folder, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if isinstance(error, BlockingIOError):
                raise InUse(self._database) from None
            # Some network file systems have no locks.
            raise _closed(folder, error) from error
        self._fd = fd

    def release(self) -> None:
        """Give the lock back. The file stays: deleting it would let two processes lock two different files."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _closed(folder: Path, error: OSError) -> StoreUnavailable:
    fields = {"path": folder, "error": error.strerror or type(error).__name__}
    return StoreUnavailable(Text(_CLOSED.say("en", **fields), _CLOSED.say("zh", **fields)), detail=str(error))

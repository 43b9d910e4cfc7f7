"""What Linux tells about processes and this machine, from /proc; and what SQLite tells about its commits."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import struct
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024
#: Bytes of a page of SQLite, and how many are written to see how long that takes.
_PAGE, _FSYNCS = 4096, 100


def available() -> bool:
    """Whether this machine can be asked: the figures come from Linux's /proc."""
    return (_PROC / "self/smaps_rollup").exists()


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process so far, user and system."""
    # The name in the second field may hold anything, so count from its closing bracket: utime and stime are 14 and 15.
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Memory(NamedTuple):
    """Memory of one process, in MB (10⁶ bytes)."""

    #: Resident: shared pages count in full.
    rss: float
    #: Proportional: shared pages count by the number of processes that share them.
    pss: float


def memory(pid: int) -> Memory:
    """Memory of a process now."""
    lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return Memory(kib["Rss"] * _KIB / 1e6, kib["Pss"] * _KIB / 1e6)


def children(pid: int) -> list[int]:
    """Processes that this one has started and that still run."""
    tasks = (_PROC / str(pid) / "task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def commits(database: Path) -> int:
    """Write transactions that were committed to a SQLite database in WAL mode since it was opened first.

    SQLite counts them in the header of the WAL index ("iChange", sqlite.org/walformat.html section 2.1), the file
    beside the database that its connections share; a transaction that wrote nothing doesn't count. With
    `synchronous=FULL` each one is one fsync.
    """
    with database.with_name(database.name + "-shm").open("rb") as index:
        version, _, changes = struct.unpack("=III", index.read(12))
    if version != 3007000:
        raise RuntimeError(f"the WAL index of {database.name} has the unknown version {version}")
    return int(changes)


def fsync_seconds(folder: Path) -> float:
    """How long the disk behind a folder takes to make one written page durable (median): the price of a commit."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            began = time.perf_counter()
            file.write(bytes(_PAGE))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def load() -> float:
    """Processes that were running or waiting for a core in the last minute, on average."""
    return os.getloadavg()[0]


def describe() -> dict[str, str]:
    """This machine and what runs on it, in words."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cpu": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "sqlite": sqlite3.sqlite_version,
    }


def _cpu_model() -> str:
    for line in (_PROC / "cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()

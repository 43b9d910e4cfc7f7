"""The score of a full-size KAgentBench file, against reading the same two files with `json.loads`.

Every measurement is a process of its own. The score's CPU time is that of the whole process and its workers, starting
Python and importing everything included; the baseline's is only the loop over the lines. Wall time likewise. Memory is
the sum over all processes, looked at every few milliseconds: shared pages count once (PSS).
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks import system
from benchmarks.figures import Figure, Result, at_most
from benchmarks.kagentbench_files import write

#: Shares of the full size (3,247 lines).
SCALES = (0.25, 0.5, 1.0)
REPEATS = 5
#: Processes that score.
WORKERS = 2
#: Seconds between two looks at the memory.
_EVERY = 0.005

_JSON = """
import json, os, sys, time
def cpu(): return sum(os.times()[:2])
begin, began = cpu(), time.perf_counter()
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        for line in file:
            json.loads(line)
print(json.dumps([cpu() - begin, time.perf_counter() - began]))
"""
_SCORE = """
import sys
from pathlib import Path
from evals.kagentbench.score import evaluate, published_line
print(published_line(evaluate(Path(sys.argv[1]), Path(sys.argv[2]), workers=int(sys.argv[3]))))
"""
#: Seconds that a CPU clock counts at least.
_TICK = 0.001


class Cost(NamedTuple):
    """Seconds."""

    cpu: float
    wall: float


async def measure(quick: bool) -> Result:
    """Make the files, read them and score them, by turns."""
    scales = [scale / 50 for scale in SCALES] if quick else SCALES
    with TemporaryDirectory(prefix="kagentbot-bench-") as scratch:
        files = []
        for scale in scales:
            folder = Path(scratch) / f"{scale:g}"
            folder.mkdir()
            files.append(await asyncio.to_thread(write, folder, scale))
        return await asyncio.to_thread(_measure, files, 1 if quick else REPEATS)


def _measure(files: list[tuple[Path, Path]], repeats: int) -> Result:
    read: list[list[Cost]] = [[] for _ in files]
    scored: list[list[Cost]] = [[] for _ in files]
    load = system.load()
    for _ in range(repeats):
        for pair, of_read, of_scored in zip(files, read, scored, strict=True):
            of_read.append(_read(pair))
            of_scored.append(_score(pair))
    memory = _memory(files[-1])
    ratio = _over(_median(scored[-1]).cpu, _median(read[-1]).cpu)
    wall = min(cost.wall for cost in scored[-1]) / min(cost.wall for cost in read[-1])
    per_line = [_median(of_scored).cpu / _lines(pair) * 1e6 for pair, of_scored in zip(files, scored, strict=True)]
    figures = [
        Figure(f"score of {_lines(files[-1])} lines, CPU, against json.loads", ratio, "x", at_most(9)),
        Figure(f"the same, wall time with {WORKERS} workers (shortest of each)", wall, "x", at_most(5)),
        Figure("the same, peak memory of all processes", memory, "MB", at_most(400)),
        Figure("CPU of the score", _median(scored[-1]).cpu, "s"),
        Figure("CPU of json.loads", _median(read[-1]).cpu, "s"),
        *(Figure(f"CPU a line, of {_lines(pair)}", cost, "us") for pair, cost in zip(files, per_line, strict=True)),
        Figure("CPU a line, all against a quarter of them", _over(per_line[-1], per_line[0]), "x", at_most(1.2)),
    ]
    sizes = [[path.stat().st_size for path in pair] for pair in files]
    return Result(figures, {"read": read, "scored": scored, "bytes": sizes, "load": load})


def _read(pair: tuple[Path, Path]) -> Cost:
    """What `json.loads` over both files costs."""
    said = subprocess.run([sys.executable, "-c", _JSON, *map(str, pair)], capture_output=True, check=True).stdout
    return Cost(*json.loads(said))


def _score(pair: tuple[Path, Path]) -> Cost:
    """What the score costs, from exec to exit."""
    began = time.perf_counter()
    process = _start(pair)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError("The score failed.")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - began)


def _memory(pair: tuple[Path, Path]) -> float:
    """The most memory that the score's processes hold together, in MB."""
    most = 0.0
    process = _start(pair)
    while process.poll() is None:
        try:
            pids = [process.pid, *system.children(process.pid)]
            most = max(most, sum(system.memory(pid).pss for pid in pids))
        except (OSError, KeyError):  # one of them has just ended
            pass
        time.sleep(_EVERY)
    return most


def _start(pair: tuple[Path, Path]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _SCORE, *map(str, pair), str(WORKERS)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL)


def _over(cost: float, other: float) -> float:
    """How many times the other. A quick run may be over before the system's CPU clock has moved at all."""
    return cost / max(other, _TICK)


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.cpu for cost in costs), statistics.median(cost.wall for cost in costs))


def _lines(pair: tuple[Path, Path]) -> int:
    with pair[0].open("rb") as file:
        return sum(1 for _ in file)

"""How much of a model server's capacity a run uses that is told nothing of it, also when half of it goes away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.llm.endpoint import Endpoint
from benchmarks.figures import Figure, Result, at_least
from evals.kagentbench.items import Item
from evals.running.models import EndpointAsker
from evals.running.runner import Progress, run
from evals.runs import DataSet, RunSpec
from evals.store import FileRuns
from tests.fakes.llm.harness import FakeLLM

#: What the server can do at first: so many calls side by side, each so many seconds long, more or less by a share.
SLOTS, CALL_S, SPREAD = 24, 0.8, 0.2
#: Seconds of warming up, then of the measurement; in its middle half of the slots go away.
WARM_UP_S, MEASURED_S = 15.0, 60.0
#: How servers treat what is too much: a queue without an end, one of a few calls (429 beyond), none at all.
SERVERS: Final[Mapping[str, Mapping[str, int]]] = {
    "queues all": {},
    "queues 8, then 429": {"queue": 8},
    "429 at once": {"queue": 0},
    "503 at once": {"queue": 0, "refuses_with": 503},
}


class _Phase(NamedTuple):
    """A part of the measurement in which the capacity is one number."""

    begin: float
    end: float
    slots: int


async def measure(quick: bool) -> Result:
    """Run against each kind of server in turn."""
    warm_up, measured = (1.0, 2.0) if quick else (WARM_UP_S, MEASURED_S)
    figures: list[Figure] = []
    details: dict[str, Any] = {}
    for name in list(SERVERS)[: 1 if quick else None]:
        found = await _against(SERVERS[name], warm_up, measured)
        details[name] = found
        limit = at_least(95)
        figures.append(Figure(f"part of the capacity used, server that {_says(name)}", found["share"], "%", limit))
        if "queue" in SERVERS[name]:
            figures.append(Figure(f"refusals in that minute, {name}", found["refusals"], ""))
    return Result(figures, details)


def _says(name: str) -> str:
    return name if name.startswith("queues") else f"answers {name}"


async def _against(flags: Mapping[str, int], warm_up: float, measured: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-infer-") as scratch:
        folder = Path(scratch)
        fake = FakeLLM(folder / "calls.jsonl", first=CALL_S, spread=SPREAD, tokens=20, slots=SLOTS, **flags)
        async with fake as llm:
            asker, store = EndpointAsker(Endpoint(llm.base_url, model="fake-model")), FileRuns(folder / "runs")
            items = _items(int(2 * SLOTS / CALL_S * (warm_up + measured)))
            spec = RunSpec(DataSet("benchmark", "official", "0" * 64, len(items)), "fake-model")
            begun = await store.begin(spec, {})
            seen: list[Progress] = []
            running = asyncio.create_task(run(spec, items, asker, store, begun.id, watch=seen.append))
            begin = time.time() + warm_up
            await asyncio.sleep(warm_up + measured / 2)
            await llm.resize(SLOTS // 2)
            halved = time.time()
            await asyncio.sleep(begin + measured - halved)
            end = time.time()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asker.aclose()
            store.close()
            phases = [_Phase(begin, halved, SLOTS), _Phase(halved, end, SLOTS // 2)]
            return _found(fake.log, phases) | {"concurrency": [one.concurrency for one in seen]}


def _found(log: Path, phases: Sequence[_Phase]) -> dict[str, Any]:
    """What the server's log says: replies by capacity, and refusals."""
    ended = [entry for entry in map(json.loads, log.read_text().splitlines()) if entry["event"] == "ended"]

    def count(phase: _Phase) -> Counter[str]:
        return Counter(entry["outcome"] for entry in ended if phase.begin <= entry["at"] < phase.end)

    counts = [count(phase) for phase in phases]
    capacities = [phase.slots / CALL_S * (phase.end - phase.begin) for phase in phases]
    # Half of the calls that run when slots go away run on without one, for half of their time on average.
    capacities[-1] += (phases[0].slots - phases[-1].slots) / 2
    shares = [100 * each["finished"] / capacity for each, capacity in zip(counts, capacities, strict=True)]
    share = 100 * sum(each["finished"] for each in counts) / sum(capacities)
    return {"share": share, "shares": shares, "refusals": sum(each["refused"] for each in counts)}


def _items(count: int) -> list[Item]:
    return [
        Item("profile", str(number), f"query {number}", {"prompt": f"What is {number}?"}, "", (), (), "en")
        for number in range(count)
    ]

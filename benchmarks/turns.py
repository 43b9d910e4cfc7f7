"""Turns through the server as it is shipped, beside the same streamed call with nothing around it.

One pair is a round with the server, then a round with the bare handler, at the same number of askers; rates are
compared within each pair, so that what else the machine does weighs on both.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import system
from benchmarks.figures import Figure, Result, at_least, at_most, percentile
from benchmarks.load import Order, Report
from benchmarks.servers import ROOT, Bare, Kagentbot
from tests.fakes.llm import FakeLLM

#: The fake model: seconds to the first token, and from token to token.
FIRST, GAP, TOKENS = 0.25, 0.005, 50
#: Tokens of its window: that of a small self-hosted model, which a conversation of twenty turns nearly fills.
WINDOW = 8192
#: Calls at the same time that the endpoint is said to take: more than there are askers, so that no turn waits for
#: a slot (the default of 8 is for a model on a CPU).
SLOTS = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    askers: Sequence[int] = (1, 8, 32)
    pairs: int = 5
    #: Seconds of each round, and before it.
    seconds: float = 6.0
    warm: float = 2.0


QUICK = Plan(askers=(1, 2), pairs=1, seconds=0.6, warm=0.6)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rounds, one after the other."""

    askers: int
    ours: Report
    bare: Report

    @property
    def rate(self) -> float:
        """Our turns per second as a part of the bare handler's."""
        return self.ours.turns_per_second / self.bare.turns_per_second

    @property
    def added_ms(self) -> float:
        """How much longer our median turn takes, in milliseconds."""
        return 1000 * (percentile(self.ours.latencies, 0.5) - percentile(self.bare.latencies, 0.5))


async def measure(quick: bool) -> Result:
    """Run all pairs."""
    plan = QUICK if quick else Plan()
    loads: dict[str, float] = {}
    with TemporaryDirectory(prefix="kagentbot-bench-") as scratch:
        folder = Path(scratch)
        fsync = await asyncio.to_thread(system.fsync_seconds, folder)
        async with AsyncExitStack() as stack:
            model = FakeLLM(first=FIRST, gap=GAP, tokens=TOKENS, context=WINDOW)
            await stack.enter_async_context(model)
            settings = {
                "OPENAI_BASE_URL": model.base_url,
                "OPENAI_MODEL": "fake-model",
                "KAGENTBOT_MODELS__ENDPOINT__SLOTS": str(SLOTS),
                "KAGENTBOT_PROFILE__STYLE": "noagent",
            }
            ours = await stack.enter_async_context(Kagentbot(folder, settings))
            bare = {
                client: await stack.enter_async_context(Bare(folder, model.base_url, client))
                for client in ("openai", "ours")
            }
            pairs: list[Pair] = []
            same_client: list[Pair] = []
            for askers in plan.askers:
                loads[str(askers)] = system.load()
                for _ in range(plan.pairs):
                    here = await _round(ours, askers, plan)
                    pairs.append(Pair(askers, here, await _round(bare["openai"], askers, plan)))
                    if askers == max(plan.askers):
                        same_client.append(Pair(askers, here, await _round(bare["ours"], askers, plan)))
    figures = [figure for askers in plan.askers for figure in _figures(pairs, askers)]
    figures += _same_client(same_client)
    figures.append(Figure("fsync of this disk", 1000 * fsync, "ms"))
    return Result(figures, {"pairs": [asdict(p) for p in (*pairs, *same_client)], "load": loads})


async def _round(server: Kagentbot | Bare, askers: int, plan: Plan) -> Report:
    """One round, by a load generator in a process of its own."""
    is_ours = isinstance(server, Kagentbot)
    order = Order(
        door="kagentbot" if is_ours else "bare",
        url=server.url,
        pid=server.pid,
        workers=askers,
        warm=plan.warm,
        seconds=plan.seconds,
        window=WINDOW,
        database=str(server.database) if isinstance(server, Kagentbot) else None,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.load", json.dumps(asdict(order)), stdout=PIPE, cwd=ROOT
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the load generator failed; its reason is on standard error")
    return Report(**json.loads(output))


def _figures(pairs: Sequence[Pair], askers: int) -> list[Figure]:
    of = [pair for pair in pairs if pair.askers == askers]
    median = statistics.median
    at = f"{askers} at a time"
    return [
        Figure(f"turns/s, {at}", median(p.ours.turns_per_second for p in of), "/s"),
        Figure(f"turns/s of the bare handler, {at}", median(p.bare.turns_per_second for p in of), "/s"),
        Figure(f"part of the bare handler's turns/s, {at}", median(p.rate for p in of), "", at_least(0.6)),
        Figure(f"p50 of a turn, {at}", 1000 * median(percentile(p.ours.latencies, 0.5) for p in of), "ms"),
        Figure(f"p99 of a turn, {at}", 1000 * median(percentile(p.ours.latencies, 0.99) for p in of), "ms"),
        Figure(f"added p50, {at}", median(p.added_ms for p in of), "ms", at_most(15) if askers == 1 else None),
        Figure(f"CPU per turn, {at}", median(p.ours.cpu_ms_per_turn for p in of), "ms"),
        Figure(f"CPU per turn of the bare handler, {at}", median(p.bare.cpu_ms_per_turn for p in of), "ms"),
        Figure(f"commits per turn, {at}", median(p.ours.commits_per_turn for p in of), ""),
    ]


def _same_client(pairs: Sequence[Pair]) -> list[Figure]:
    at = f"{pairs[0].askers} at a time"
    return [
        Figure(
            f"part of the turns/s of a bare handler with our model client, {at}",
            statistics.median(pair.rate for pair in pairs),
            "",
            at_least(0.6),
        ),
        Figure(
            f"CPU per turn of a bare handler with our model client, {at}",
            statistics.median(pair.bare.cpu_ms_per_turn for pair in pairs),
            "ms",
        ),
    ]

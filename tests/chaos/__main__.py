"""`make chaos`: the full numbers, and the controls that must fail. `SEED=` replays a run."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.chaos.bench import run_bench
from tests.chaos.infer import run_killed
from tests.chaos.kill import run
from tests.chaos.stage import Plan
from tests.support.postgres import postgres_server

#: Crash points that are enough to show what a missing safety does.
_CONTROLLED = ("accept.after_commit", "plan.after_finish", "part.after_posted", "reply.before_close")
#: In the order in which they run; each can run alone.
PARTS = (
    "sqlite",
    "streams",
    "postgresql",
    "failover",
    "slack",
    "sockets",
    "discord",
    "names",
    "infer",
    "bench",
    "controls",
)


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--keep", type=Path, help="folder for logs and databases (default: thrown away)")
    parser.add_argument("--part", choices=PARTS, help="default: all of them")
    options = parser.parse_args()
    print(f"SEED={options.seed}", flush=True)
    plan = Plan(seed=options.seed, kills=options.kills, conversations=options.conversations)
    fewer = replace(plan, kills=plan.kills // 5)
    held = True
    for part in [options.part] if options.part else PARTS:
        match part:
            case "sqlite":
                held &= await _attack(plan, options.keep, part, holds=True)
            case "streams":
                held &= await _attack(replace(fewer, streams=True), options.keep, part, holds=True)
            case "postgresql":
                with postgres_server() as server, server.database() as url:
                    held &= await _attack(replace(fewer, database_url=url), options.keep, part, holds=True)
            case "slack":
                slack = replace(plan, platform="slack", events=10_000)
                held &= await _attack(slack, options.keep, part, holds=True)
                control = replace(plan, platform="slack", kills=10, points=_CONTROLLED, broken="dedupe")
                held &= await _attack(control, options.keep, "slack-control-dedupe", holds=False)
            case "discord":
                discord = replace(plan, platform="discord", events=10_000)
                held &= await _attack(discord, options.keep, part, holds=True)
                for broken in ("dedupe", "journal", "catch_up"):
                    control = replace(plan, platform="discord", kills=10, points=_CONTROLLED, broken=broken)
                    held &= await _attack(control, options.keep, f"discord-control-{broken}", holds=False)
            case "names":
                held &= await _attack(replace(fewer, platform="discord", named=True), options.keep, part, holds=True)
            case "infer":
                held &= await _ask(plan.seed)
            case "bench":
                held &= await _measure(plan.seed, plan.kills // 20)
            case "sockets":
                held &= await _attack(replace(fewer, platform="slack", sockets=True), options.keep, part, holds=True)
            case "failover":
                held &= await _attack(replace(fewer, failover=True), options.keep, part, holds=True)
            case _:
                for broken in ("journal", "ledger", "dedupe"):
                    control = replace(plan, kills=10, points=_CONTROLLED, broken=broken)
                    held &= await _attack(control, options.keep, f"control-{broken}", holds=False)
    print("all as it must be" if held else "NOT as it must be")
    return 0 if held else 1


async def _ask(seed: int) -> bool:
    """Kill a headless run, and one that forgets."""
    held = True
    for name, broken in (("infer", ""), ("infer-control-journal", "journal")):
        print(f"\n== {name}: must {'FAIL' if broken else 'hold'}", flush=True)
        result = await run_killed(seed, kills=3 if broken else 20, prompts=600, broken=broken)
        print(result, flush=True)
        held &= bool(result.needless) if broken else result.ok
    return held


async def _measure(seed: int, randoms: int) -> bool:
    """Kill runs of a benchmark on both platforms, and some of a server that forgets what it has posted."""
    print("\n== bench: must hold", flush=True)
    result = await run_bench(seed, randoms)
    print(f"{result}\n\n== bench-control-ledger: must FAIL", flush=True)
    control = await run_bench(seed, 0, points=("bench.before_report", "bench.after_report"), broken=True)
    print(control, flush=True)
    # Each of them, for the right reason.
    return result.ok and all(any("messages" in one for one in trial.problems) for trial in control.trials)


async def _attack(plan: Plan, keep: Path | None, name: str, *, holds: bool) -> bool:
    print(f"\n== {name}: must {'hold' if holds else 'FAIL'}", flush=True)
    result = await run(plan, keep / name if keep else None)
    print(result, flush=True)
    if holds:
        # Where no turn changed its model server, nothing was shown about that.
        return result.ok and (not plan.failover or result.handed_on > 0)
    # For the right reason: without its journal a server runs steps again, without catching up it misses messages, the
    # others break what people see.
    match plan.broken:
        case "journal":
            return bool(result.reruns)
        case "catch_up":
            return any(problem.kind == "missing" for problem in result.report.problems)
        case _:
            return not result.report.ok


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

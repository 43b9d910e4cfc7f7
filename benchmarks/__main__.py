"""`python -m benchmarks`: measure, print a table, say which limits are missed (exit 1)."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from benchmarks import beside, context, discord, infer, kagentbench, memory, prefix, slack, startup, system, turns
from benchmarks.figures import HEADING, Result, table

#: Every benchmark, in the order in which they run: the ones that take least time first.
BENCHMARKS: Mapping[str, Callable[[bool], Coroutine[Any, Any, Result]]] = {
    "startup": startup.measure,
    "memory": memory.measure,
    "context": context.measure,
    "prefix": prefix.measure,
    "kagentbench": kagentbench.measure,
    "beside": beside.measure,
    "slack": slack.measure,
    "discord": discord.measure,
    "turns": turns.measure,
    "infer": infer.measure,
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what docs/benchmarks.md claims.")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="this one; may be given several times")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to this file")
    parser.add_argument("--quick", action="store_true", help="as short as can be: the numbers mean nothing")
    options = parser.parse_args()
    if not system.available():
        print("The benchmarks read Linux's /proc: run them on Linux.", file=sys.stderr)
        return 2

    machine = system.describe()
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    results: dict[str, Result] = {}
    for name, measure in BENCHMARKS.items():
        if options.only and name not in options.only:
            continue
        print(f"\n{name} (load {system.load():.1f} before it)\n\n{HEADING}", flush=True)
        results[name] = asyncio.run(measure(options.quick))
        print(table(results[name].figures), flush=True)

    if options.json is not None:
        found = {name: result.as_json() for name, result in results.items()}
        options.json.write_text(json.dumps({"machine": machine, "quick": options.quick, "results": found}, indent=1))
    missed = [figure.name for result in results.values() for figure in result.figures if not figure.holds]
    if options.quick or not missed:
        return 0
    print(f"\nmissed: {'; '.join(missed)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())

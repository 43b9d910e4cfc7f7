"""`python -m tests.fakes.discord`: serve on loopback until standard input ends; the port is printed as a JSON line."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from tests.fakes.discord.faults import FAULTS
from tests.fakes.discord.house import House


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.discord", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--log", type=Path, help="file that gets one JSON line for everything that happens")
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens by chance")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=PROBABILITY", help=", ".join(FAULTS))
    options = parser.parse_args()
    faults = {name: float(chance) for name, _, chance in (item.partition("=") for item in options.fault)}
    if faults.keys() - FAULTS.keys():
        parser.error(f"no such fault: {', '.join(faults.keys() - FAULTS.keys())}")
    threading.Thread(target=_die_with_parent, daemon=True).start()
    asyncio.run(_serve(options, faults))


async def _serve(options: argparse.Namespace, faults: dict[str, float]) -> None:
    house = House(options.log, options.seed)
    house.discord.config = house.discord.config.changed({"faults": faults})
    print(json.dumps({"port": await house.open(options.port)}), flush=True)
    await asyncio.Event().wait()


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

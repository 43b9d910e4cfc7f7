"""`python -m tests.fakes.discord`: serve on loopback until standard input ends; the port is printed as a JSON line."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from aiohttp import web

from tests.fakes.discord import server
from tests.fakes.discord.clock import Clock
from tests.fakes.discord.control import Controls
from tests.fakes.discord.delivery import Delivery, Desk
from tests.fakes.discord.faults import FAULTS, FaultPlan
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.log import Log
from tests.fakes.discord.prepared import application, prepare
from tests.fakes.discord.state import Discord
from tests.fakes.discord.web import Web


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
    plan = FaultPlan(options.seed)
    clock = Clock()
    discord = Discord(application(), log=Log(options.log, clock.now), clock=clock)
    discord.config = discord.config.changed({"faults": faults})
    gateway = Gateway(Desk(discord))
    delivery = Delivery(discord, gateway, options.seed)
    prepare(discord)
    controls = Controls(discord, plan, gateway, delivery)
    app = server.application([Web(discord, plan).routes, controls.routes])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    port = runner.addresses[0][1]
    discord.origin = f"http://127.0.0.1:{port}"
    gateway.url = f"ws://127.0.0.1:{port}/gateway"
    print(json.dumps({"port": port}), flush=True)
    await asyncio.Event().wait()


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

"""`python -m tests.fakes.platform`: serve on loopback until standard input ends; the port is printed as one JSON
line."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from aiohttp import web

from tests.fakes.platform.config import Config
from tests.fakes.platform.faults import FAULTS
from tests.fakes.platform.log import Log
from tests.fakes.platform.web import Platform


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.platform", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--log", type=Path, help="file that gets one JSON line for everything that happens")
    parser.add_argument("--token", default="fake-token", help="what the bot must show")
    parser.add_argument("--secret", default="fake-secret", help="what the bot is shown with each event")
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens by chance")
    parser.add_argument("--bot", help="the bot's webhook, if it is known already")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=PROBABILITY", help=", ".join(FAULTS))
    options = parser.parse_args()
    faults = {name: float(chance) for name, _, chance in (item.partition("=") for item in options.fault)}
    if faults.keys() - FAULTS.keys():
        parser.error(f"no such fault: {', '.join(faults.keys() - FAULTS.keys())}")
    threading.Thread(target=_die_with_parent, daemon=True).start()
    asyncio.run(_serve(options, Config(faults=faults)))


async def _serve(options: argparse.Namespace, config: Config) -> None:
    platform = Platform(Log(options.log), options.token, options.secret, options.seed, config)
    if options.bot:
        platform.set_bot(options.bot)
    runner = web.AppRunner(platform.app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.Event().wait()


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

"""`python -m tests.fakes.slack`: serve on loopback until standard input ends; the port is printed as one JSON line."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from aiohttp import web

from tests.fakes.slack.control import Controls
from tests.fakes.slack.deliver import Deliverer
from tests.fakes.slack.faults import FAULTS, FaultPlan
from tests.fakes.slack.http import Poster
from tests.fakes.slack.log import Log
from tests.fakes.slack.prepared import SIGNING_SECRET, prepare
from tests.fakes.slack.socket import Sockets
from tests.fakes.slack.state import Slack
from tests.fakes.slack.web import Web


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--log", type=Path, help="file that gets one JSON line for everything that happens")
    parser.add_argument("--mode", choices=("http", "socket"), default="http", help="how the app is reached")
    parser.add_argument("--app", help="the app's request URL, if it is known already")
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens by chance")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=PROBABILITY", help=", ".join(FAULTS))
    options = parser.parse_args()
    faults = {name: float(chance) for name, _, chance in (item.partition("=") for item in options.fault)}
    if faults.keys() - FAULTS.keys():
        parser.error(f"no such fault: {', '.join(faults.keys() - FAULTS.keys())}")
    threading.Thread(target=_die_with_parent, daemon=True).start()
    asyncio.run(_serve(options, faults))


async def _serve(options: argparse.Namespace, faults: dict[str, float]) -> None:
    log = Log(options.log)
    poster = Poster(SIGNING_SECRET)
    poster.url = options.app
    plan = FaultPlan(options.seed)
    # The world sends its events through the deliverer, which asks the world for its settings.
    slack = Slack(lambda envelope: deliverer.send(envelope), log)
    slack.config = slack.config.changed({"faults": faults})
    sockets = Sockets(log, slack.app.id, slack.tickets, lambda: slack.config.socket_closing, options.seed)
    deliverer = Deliverer(log, poster, sockets, lambda: slack.config, options.seed)
    deliverer.mode = options.mode
    prepare(slack)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    Web(slack, plan).routes(app)
    Controls(slack, plan, deliverer, poster, sockets).routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    port = runner.addresses[0][1]
    slack.origin = f"http://127.0.0.1:{port}"
    print(json.dumps({"port": port}), flush=True)
    await asyncio.Event().wait()


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

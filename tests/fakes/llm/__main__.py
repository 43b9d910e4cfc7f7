"""`python -m tests.fakes.llm`: serve on loopback until standard input ends."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading

from tests.fakes.llm.config import Config
from tests.fakes.llm.kinds import KINDS
from tests.fakes.llm.log import Log
from tests.fakes.llm.script import Pace
from tests.fakes.llm.server import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.llm", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--log", default=os.devnull, help="file for one JSON line per event")
    parser.add_argument("--kind", choices=list(KINDS), default="vllm")
    parser.add_argument("--model", default="fake-model")
    parser.add_argument("--context", type=int, help="window in tokens, as reported")
    parser.add_argument("--enforce", action="store_true", help="refuse what does not fit the window")
    parser.add_argument("--api-key", default="", help="key to demand")
    parser.add_argument("--vision", action="store_true", help="the model looks at pictures")
    parser.add_argument("--no-template", action="store_true", help="the model has no chat template")
    parser.add_argument("--no-interrupt", action="store_true", help="llama_cpp.server with --interrupt_requests false")
    parser.add_argument("--log-headers", action="store_true", help="log the headers of requests, too")
    parser.add_argument("--log-requests", action="store_true", help="log the bodies of requests, too")
    parser.add_argument("--first", type=float, default=0.0, help="seconds to the first token")
    parser.add_argument("--gap", type=float, default=0.0, help="seconds between tokens")
    parser.add_argument("--tokens", type=int, default=12, help="tokens of an answer")
    parser.add_argument("--spread", type=float, default=0.0, help="share by which --first differs from call to call")
    parser.add_argument("--slots", type=int, help="calls that run side by side; the others wait")
    parser.add_argument("--queue", type=int, help="calls that may wait for a slot; the others are refused")
    parser.add_argument("--refuses-with", type=int, default=429, help="the HTTP status of such a refusal")
    options = parser.parse_args()
    config = Config(
        kind=KINDS[options.kind],
        model=options.model,
        context=options.context,
        enforce=options.enforce,
        api_key=options.api_key,
        vision=options.vision,
        template=not options.no_template,
        interrupt=not options.no_interrupt,
        log_headers=options.log_headers,
        log_requests=options.log_requests,
        pace=Pace(options.first, options.gap, options.tokens),
        spread=options.spread,
        slots=options.slots,
        queue=options.queue,
        refuses_with=options.refuses_with,
    )
    threading.Thread(target=_die_with_parent, daemon=True).start()
    asyncio.run(_serve(Server(config, Log(options.log)), options.port))


async def _serve(server: Server, port: int) -> None:
    listener = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", port, backlog=1024)
    print(json.dumps({"port": listener.sockets[0].getsockname()[1]}), flush=True)
    await listener.serve_forever()


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

"""`python -m tests.acceptance.loopback_visit FOLDER`: a first visit to a server without settings, as JSON.

To be run where there is no network but loopback; it fails where there is one.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

from tests.support.process import serving

QUESTION = "How many days are there between 2024-02-28 and 2024-03-01?"
CHAT = "What is the capital of France?"
#: Addresses for documentation (RFC 5737, RFC 3849): nobody is there, but a network would have a way to them.
_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def assert_no_network() -> None:
    """Raises where another machine could be reached."""
    for family, address in _AWAY:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            try:
                # Sends nothing; it only asks the system for the way.
                sock.connect((address, 9))
            except OSError:
                continue
            raise AssertionError(f"there is a way to {address}")


async def visit(folder: Path) -> dict[str, object]:
    """Start the server, ask a question for a tool and one for the model, stop it."""
    async with serving(folder) as bot:
        async with bot.client() as client:
            sent = [await client.send(QUESTION), await client.send(CHAT)]
            turns = [await client.finished(one["turn_id"]) for one in sent]
            ready = await client.call("GET", "/readyz")
        return {"link": bot.link, "turns": turns, "ready": ready, "status": await bot.stop(), "log": bot.log}


if __name__ == "__main__":
    assert_no_network()
    print(json.dumps(asyncio.run(visit(Path(sys.argv[1])))))

"""A second process on the same database: `python -m tests.support.second WHAT URL`.

It says "ready" when its store is open, starts when it reads a line, and prints one line of JSON at the end.

    takeovers   five tasks that take over the lease of conversation 1, twenty times each; the epochs that they got
    messages    fifty messages into one conversation; the turns that they got
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from bot.store import conversations
from bot.store.db import Store, open_store
from tests.support.clock import START
from tests.support.desk import Desk, say

ROOT = Path(__file__).parents[2]
TASKS = 5
TIMES = 20
MESSAGES = 50


async def takeovers(store: Store, name: str) -> list[int]:
    """Take over a lease that is always over; the epochs."""

    async def task(number: int) -> list[int]:
        epochs = []
        for _ in range(TIMES):
            row = await store.write(lambda c: conversations.lease(c, 1, f"{name}-{number}", START, START))
            assert row is not None
            epochs.append(row.epoch)
        return epochs

    return [epoch for epochs in await asyncio.gather(*(task(n) for n in range(TASKS))) for epoch in epochs]


async def messages(store: Store, name: str) -> list[int]:
    """Store messages one after another; their turns."""
    desk = Desk(store, name)
    accepted = [await desk.inbox.receive(say("hello", f"{name}-{number}")) for number in range(MESSAGES)]
    return [one.turn_id for one in accepted if one.turn_id is not None]


WORK = {"takeovers": takeovers, "messages": messages}


class Second:
    """The other process, seen from the test."""

    def __init__(self, what: str, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.second", what, url],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Second:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def go(self) -> None:
        """Let it start."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    async def result(self) -> list[int]:
        """What it got; waits for its end."""
        out, _ = await asyncio.to_thread(self._process.communicate)
        assert self._process.returncode == 0
        found: list[int] = json.loads(out)
        return found


async def main(what: str, url: str) -> None:
    store = open_store(url)
    await store.read(lambda c: c.exec_driver_sql("SELECT 1").scalar())
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await WORK[what](store, "second")))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

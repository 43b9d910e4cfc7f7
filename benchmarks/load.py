"""The load generator: workers that each ask, wait for the end of the answer, and ask again (a closed loop).

`python -m benchmarks.load ORDER`, with an `Order` as JSON, prints a `Report` as JSON. It is a process of its own, so
that its work is in nobody else's figures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import aiohttp

from agent.profile import Profile
from agent.styles.fitting import REPLY_TOKENS, shorten
from agent.styles.noagent import ask
from agent.task import Exchange, Task
from benchmarks import system
from bot.store.history import HISTORY_TURNS

#: Seconds that a turn may take; a bound for broken ones.
_PATIENCE = 60.0
#: Seconds before a stream that was refused is asked for again (the streams of the round before are closing).
_AGAIN = 0.5
#: Seconds over which the workers begin: about a turn.
_SPREAD = 0.5
_OVER = ("merged", "superseded", "stopped", "refused", "failed", "withdrawn")


@dataclass(frozen=True, slots=True)
class Order:
    """What to do."""

    door: Literal["kagentbot", "bare"]
    url: str
    #: The server's process, whose CPU time is read.
    pid: int
    workers: int
    #: Seconds before the measurement, for each worker's first turns.
    warm: float
    #: Seconds of measurement: turns that begin in it are measured to their end.
    seconds: float
    #: Tokens of the model's window, to which messages are fitted as the server does it.
    window: int
    #: Its SQLite file, if it has one.
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured."""

    turns: int
    #: Sum over the workers of their turns by the time that these took.
    turns_per_second: float
    #: Of each turn, from the request to the end of the answer, in seconds.
    latencies: list[float]
    #: CPU time of the server's process.
    cpu_ms_per_turn: float
    #: Commits of its database; 0 without one.
    commits_per_turn: float


class Door(Protocol):
    """One conversation with a server."""

    async def open(self) -> None:
        """What happens once, before the first question."""

    async def ask(self, question: str) -> str:
        """Ask; the complete answer when it is there."""


@dataclass
class PageDoor:
    """As the page does it: messages by POST, turns by one event stream that stays open."""

    session: aiohttp.ClientSession
    url: str
    stack: AsyncExitStack
    _key: str | None = None
    _events: AsyncIterator[dict[str, Any]] | None = None

    async def open(self) -> None:
        """The first message makes the conversation, whose stream is then opened."""
        turn_id = await self._post("Hello, who are you?")
        self._events = self._follow()
        await self._until_answered(turn_id)

    async def ask(self, question: str) -> str:
        return await self._until_answered(await self._post(question))

    async def _post(self, text: str) -> int:
        body = {"conversation": self._key, "message_id": str(uuid.uuid4()), "text": text}
        headers = {"X-Kagentbot": "1"}
        url = f"{self.url}/api/v1/messages"
        async with self.session.post(url, json=body, headers=headers, raise_for_status=True) as response:
            posted = await response.json()
        self._key = posted["conversation"]
        return int(posted["turn_id"])

    async def _follow(self) -> AsyncIterator[dict[str, Any]]:
        url = f"{self.url}/api/v1/conversations/{self._key}/events"
        response = await self.stack.enter_async_context(self.session.get(url))
        while response.status == 429:
            await asyncio.sleep(_AGAIN)
            response = await self.stack.enter_async_context(self.session.get(url))
        response.raise_for_status()
        async for data in events(response):
            yield data

    async def _until_answered(self, turn_id: int) -> str:
        assert self._events is not None
        async for turn in self._events:
            if turn["id"] != turn_id:
                continue
            if turn["state"] == "answered":
                return str(turn["text"])
            if turn["state"] in _OVER:
                raise RuntimeError(f"turn {turn_id} was {turn['state']}: {turn['text']}")
        raise RuntimeError("the event stream ended")


@dataclass
class BareDoor:
    """The bare handler stores nothing, so its client sends what the server's prompt would be."""

    session: aiohttp.ClientSession
    url: str
    window: int
    _history: list[Exchange] = field(default_factory=list)

    async def open(self) -> None:
        await self.ask("Hello, who are you?")

    async def ask(self, question: str) -> str:
        task = Task(question, tuple(self._history), Profile(), datetime.now(UTC), "en")
        room = self.window - min(REPLY_TOKENS, self.window // 4)
        request = shorten(ask(task, demo=False).request, room).request
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        body = {"messages": messages}
        async with self.session.post(f"{self.url}/ask", json=body, raise_for_status=True) as response:
            pieces = [event["text"] async for event in events(response) if event]
        answer = "".join(pieces)
        self._history = [*self._history, Exchange(question, answer)][-HISTORY_TURNS:]
        return answer


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """The data of a response's server-sent events."""
    rest = b""
    async for piece in response.content.iter_any():
        *blocks, rest = (rest + piece).split(b"\n\n")
        for block in blocks:
            _, found, data = block.partition(b"data: ")
            if found:
                yield json.loads(data)


class _Window:
    """The time of the measurement, and who is through with it."""

    def __init__(self, begins: float, seconds: float, workers: int) -> None:
        self.begins = begins
        self.ends = begins + seconds
        self._busy = workers

    def through(self) -> None:
        """One more worker has ended its last measured turn."""
        self._busy -= 1

    @property
    def over(self) -> bool:
        """Whether nobody measures any more. Until then all go on working, so that the load stays what it was."""
        return self._busy == 0


class _Worker:
    """One asker: it begins before the window opens and goes on after it."""

    def __init__(self, number: int, door: Door) -> None:
        self._number = number
        self._door = door
        self._asked = 0
        #: Beginning and end of each measured turn.
        self.turns: list[tuple[float, float]] = []

    @property
    def turns_per_second(self) -> float:
        """Over exactly the time that its measured turns took, so that no turn is cut in two."""
        return len(self.turns) / (self.turns[-1][1] - self.turns[0][0])

    async def run(self, window: _Window) -> None:
        await self._door.open()
        through = False
        while not window.over:
            began = time.perf_counter()
            # Each has one turn at least, so that no worker is without a figure.
            if began >= window.ends and self.turns and not through:
                through = True
                window.through()
            await self._turn()
            if began >= window.begins and not through:
                self.turns.append((began, time.perf_counter()))

    async def _turn(self) -> None:
        self._asked += 1
        question = f"Question {self._asked} of worker {self._number}: what is there to know about topic {self._asked}?"
        async with asyncio.timeout(_PATIENCE):
            if not await self._door.ask(question):
                raise RuntimeError("an answer was empty")


async def run(order: Order) -> Report:
    """Carry out an order."""
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, AsyncExitStack() as stack:
        workers = [_Worker(n, _door(order, session, stack)) for n in range(order.workers)]
        window = _Window(time.perf_counter() + order.warm, order.seconds, order.workers)
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.run(window))
                # Spread over the time of a turn: askers who all begin in the same moment don't exist.
                await asyncio.sleep(_SPREAD / order.workers)
            await asyncio.sleep(window.begins - time.perf_counter())
            before, opened = _counters(order), time.perf_counter()
            await asyncio.sleep(window.ends - time.perf_counter())
            after, closed = _counters(order), time.perf_counter()
    per_second = sum(worker.turns_per_second for worker in workers)
    turns = per_second * (closed - opened)
    return Report(
        turns=sum(len(worker.turns) for worker in workers),
        turns_per_second=per_second,
        latencies=[ended - began for worker in workers for began, ended in worker.turns],
        cpu_ms_per_turn=1000 * (after[0] - before[0]) / turns,
        commits_per_turn=(after[1] - before[1]) / turns,
    )


def _door(order: Order, session: aiohttp.ClientSession, stack: AsyncExitStack) -> Door:
    if order.door == "kagentbot":
        return PageDoor(session, order.url, stack)
    return BareDoor(session, order.url, order.window)


def _counters(order: Order) -> tuple[float, int]:
    return system.cpu_seconds(order.pid), system.commits(Path(order.database)) if order.database else 0


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(run(Order(**json.loads(sys.argv[1])))))))

"""Context assembly: taking a turn and freezing what it depends on, in a small and in a large database.

What is timed is the server's own claim (`bot.dispatch.claim.Claim.first`: lease, next turn, history, frozen context)
on the server's own writer connection, without the commit; it is rolled back, so that it can be repeated.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.clock import SystemClock
from agent.profile import Profile
from benchmarks import system
from benchmarks.figures import Figure, Result, at_most, percentile
from benchmarks.filling import fill, key_of
from bot.dispatch.claim import Claim, Claimed
from bot.dispatch.lease import LEASE_SECONDS
from bot.inbox import Inbox, Rules
from bot.live import Live
from bot.messages import Author, Incoming, Target
from bot.store.db import Store, open_store

#: How much longer the slowest hundredth may take in the large database.
RATIO = 1.5
_SEED = 7
_CLAIM = Claim("bench", timedelta(seconds=LEASE_SECONDS), ZoneInfo("UTC"), Profile(), timedelta(seconds=60))


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    #: Messages in the small and in the large database.
    small: int = 10_000
    large: int = 1_000_000
    #: Messages of the large database's longest conversation.
    longest: int = 10_000
    #: Conversations that have a waiting turn, chosen at random in each database.
    waiting: int = 1000
    #: Claims in each database, and of the longest conversation.
    claims: int = 3000


QUICK = Plan(small=200, large=2000, longest=400, waiting=4, claims=20)


class _Nobody:
    """A `bot.ports.Waker` that wakes nobody: turns are to stay in the queue."""

    def in_transaction(self, connection: Connection, conversation_id: int) -> None: ...

    def committed(self, conversation_id: int) -> None: ...

    def nudge(self, turn_id: int) -> None: ...


class _Timed(Exception):
    """How many seconds a claim took."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


async def measure(quick: bool) -> Result:
    """Fill both databases, let turns wait in them, claim these in turn."""
    plan = QUICK if quick else Plan()
    load = system.load()
    with TemporaryDirectory(prefix="kagentbot-bench-") as scratch:
        began = time.perf_counter()
        small, large = Path(scratch, "small.db"), Path(scratch, "large.db")
        in_small = await asyncio.to_thread(fill, small, plan.small)
        in_large = await asyncio.to_thread(fill, large, plan.large, plan.longest)
        filled = time.perf_counter() - began
        stores = open_store(f"sqlite:///{small}"), open_store(f"sqlite:///{large}")
        try:
            draw = random.Random(_SEED)
            few = draw.sample(range(1, in_small + 1), min(plan.waiting, in_small))
            many = draw.sample(range(2, in_large + 1), min(plan.waiting, in_large - 1))
            for store, numbers in ((stores[0], few), (stores[1], [1, *many])):
                for number in numbers:
                    await _ask(store, number)
            times = await _claim_in_turn(plan, stores, few, many)
        finally:
            for store in stores:
                await store.close()
    return Result(_figures(plan, *times), {"load": load, "filling_seconds": filled})


async def _claim_in_turn(
    plan: Plan, stores: tuple[Store, Store], few: list[int], many: list[int]
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of claims in the small database, in the large one, and of the longest conversation there."""
    draw = random.Random(_SEED)
    times: tuple[list[float], list[float], list[float]] = ([], [], [])
    # The three take turns, so that what else the machine does weighs on all. The first round warms up.
    for round_number in range(plan.claims + 1):
        places = ((stores[0], draw.choice(few)), (stores[1], draw.choice(many)), (stores[1], 1))
        for (store, number), kept in zip(places, times, strict=True):
            seconds = await _claim(store, number)
            if round_number:
                kept.append(seconds)
    return times


async def _ask(store: Store, number: int) -> None:
    """A new message in a conversation, taken in as the server does it."""
    clock = SystemClock()
    inbox = Inbox(store, clock, _Nobody(), Live(), Rules(10_000))
    key = key_of(number)
    target = Target("web", "", key, None, f"web:{key}")
    await inbox.receive(Incoming(target, f"new-{number}", Author("web"), "What comes next?", clock.now()))


async def _claim(store: Store, number: int) -> float:
    """Seconds of one claim, which is rolled back."""
    now = SystemClock().now()

    def query(connection: Connection) -> None:
        began = time.perf_counter()
        taken = _CLAIM.first(connection, number, now)
        seconds = time.perf_counter() - began
        if taken is None or not isinstance(taken[1], Claimed) or not taken[1].task.history:
            raise RuntimeError(f"conversation {number} has no turn with a history to claim")
        raise _Timed(seconds)

    try:
        await store.write(query)
    except _Timed as timed:
        return timed.seconds
    raise AssertionError("unreachable")


def _figures(plan: Plan, small: list[float], large: list[float], longest: list[float]) -> list[Figure]:
    figures: list[Figure] = []
    few, many = f"{plan.small:,} messages", f"{plan.large:,} messages"
    one = f"conversation of {plan.longest:,} messages among {many}"
    for where, times in ((few, small), (many, large), (one, longest)):
        figures += [
            Figure(f"context assembly, {where}, p50", 1000 * percentile(times, 0.5), "ms"),
            Figure(f"context assembly, {where}, p99", 1000 * percentile(times, 0.99), "ms"),
        ]
    base = percentile(small, 0.99)
    return [
        *figures,
        Figure(f"p99 at {many} by p99 at {few}", percentile(large, 0.99) / base, "", at_most(RATIO)),
        Figure(f"p99 of the {one} by p99 at {few}", percentile(longest, 0.99) / base, "", at_most(RATIO)),
    ]

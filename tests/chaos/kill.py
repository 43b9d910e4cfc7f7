"""The kill test: a server is killed again and again while people talk to it; every message gets exactly one outcome.

Outcomes are counted from the fake platform's log alone. The database is read for one question only: which steps were
finished when the process died, so that the test can see whether they are run again.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, or_, select

from bot.crashpoints import CRASHPOINTS
from bot.store.db import Store, open_store
from bot.store.tables import conversation, message, step, turn
from tests.chaos.bot import Bot
from tests.fakes.llm.harness import FakeLLM
from tests.fakes.platform.harness import FakePlatform
from tests.fakes.platform.judge import Report, replies
from tests.fakes.platform.rules import Place

_MARKER = re.compile(r"\[m:[^\]\s]+\]")
#: Fault probabilities per call of the bot; together about one call in twelve goes wrong.
FAULTS = {
    "reset": 0.01,
    "rate_limited": 0.01,
    "unavailable": 0.01,
    "error": 0.01,
    "done_reset": 0.02,
    "done_unavailable": 0.01,
    "done_late": 0.005,
    "slow": 0.02,
}
#: Words of the fake model's answers.
TOKENS = 25
#: Seconds that the end may take: recoveries, redeliveries, the last look for strays.
_SETTLE = 90.0


@dataclass(frozen=True)
class Plan:
    """One run of the kill test."""

    seed: int = 1
    #: Kills at random moments.
    kills: int = 200
    #: Crash points at which it is killed besides, once each.
    points: tuple[str, ...] = tuple(CRASHPOINTS)
    conversations: int = 50
    #: Messages per second, on average.
    rate: float = 12.0
    streams: bool = False
    #: A safety that is taken away (`tests.chaos.serve`), so that the test must fail.
    broken: str = ""
    database_url: str = ""


@dataclass
class Result:
    """What a run has shown."""

    plan: Plan
    report: Report
    deaths: int
    points: Counter[str]
    sent: int
    edited: int
    deleted: int
    stopped: int
    #: Model calls, runs of the writing and of the reading tool.
    calls: Counter[str]
    #: Finished steps that ran again, and writing steps that ran twice.
    reruns: list[str]
    audit: str
    seconds: float
    #: Failures that are not "the server stopped so often": nothing else may fail here.
    unexplained: list[str]

    @property
    def ok(self) -> bool:
        broken = (self.reruns, self.audit, self.report.unacked, self.unexplained)
        return self.report.ok and not any(broken)

    def _headline(self) -> str:
        broken = f" broken: {self.plan.broken}" if self.plan.broken else ""
        kills = f"{self.deaths} kills in {self.seconds:.0f} s, {self.plan.conversations} conversations"
        return f"seed {self.plan.seed}{broken}: {kills}"

    def __str__(self) -> str:
        lines = [
            self._headline(),
            f"  crash points hit: {', '.join(f'{name} {n}' for name, n in sorted(self.points.items())) or 'none'}",
            f"  {self.sent} messages sent, {self.edited} edited, {self.deleted} deleted, {self.stopped} stopped",
            f"  {self.report}",
            f"  {self.calls['model']} model calls, {self.calls['note']} writing and {self.calls['look']} reading runs",
            f"  finished steps run again or writing steps run twice: {len(self.reruns)}",
            *[f"    {rerun}" for rerun in self.reruns[:10]],
            *[f"    failed for another reason: {text}" for text in self.unexplained[:10]],
            f"  doctor --audit: {self.audit or 'clean'}",
            f"  {'HELD' if self.ok else 'BROKEN'}",
        ]
        return "\n".join(lines)


class People:
    """Who talk to the bot, as long as they are let."""

    def __init__(self, platform: FakePlatform, plan: Plan, chance: random.Random) -> None:
        self._platform = platform
        self._plan = plan
        self._chance = chance
        self._places = [Place("W", f"C{n % 10}", f"T{n}") for n in range(plan.conversations)]
        self._said: list[tuple[str, str]] = []
        self.sent = 0
        self.stopped = 0
        self.edited: Counter[str] = Counter()
        self.deleted: set[str] = set()

    async def talk(self) -> None:
        """Until cancelled."""
        while True:
            await self.one()
            await asyncio.sleep(self._chance.expovariate(self._plan.rate))

    async def one(self) -> None:
        """One thing that a person does."""
        dice = self._chance.random()
        if dice < 0.8 or not self._said:
            said = await self._platform.ask(self._chance.choice(self._places), f"question {self.sent}")
            self.sent += 1
            self._said = [*self._said[-20:], (said.id, said.marker)]
            return
        message_id, marker = self._chance.choice(self._said)
        if message_id in self.deleted:
            return
        if dice < 0.87:
            self.edited[marker] += 1
            await self._platform.edit(message_id, f"question again, version {self.edited[marker]} {marker}")
        elif dice < 0.94:
            self.deleted.add(message_id)
            await self._platform.delete(message_id)
        else:
            await self._press_stop()

    async def _press_stop(self) -> None:
        replay = await self._platform.replay()
        running = [m for m in replay.bots.values() if not m.gone and "stop" in m.buttons]
        if not running:
            return
        try:
            await self._platform.press_stop(self._chance.choice(running).id)
        except Exception:  # the button went away in the meantime; a person would shrug
            return
        self.stopped += 1


@dataclass
class Finished:
    """Steps that were done when the process died, and how often each had run by then."""

    runs: dict[tuple[str, str], int] = field(default_factory=dict)


class KillTest:
    """Everything that one run needs."""

    def __init__(self, plan: Plan, folder: Path, llm: FakeLLM, platform: FakePlatform) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)
        self.llm = llm
        self.platform = platform
        self.people = People(platform, plan, random.Random(plan.seed + 1))
        self.effects = folder / "effects.jsonl"
        self.effects.touch()
        url = plan.database_url or f"sqlite:///{folder}/kagentbot.db"
        arguments = [
            *("--platform", platform.url, "--token", platform.token, "--secret", platform.secret),
            *("--effects", str(self.effects)),
            *(["--streams"] if plan.streams else []),
            *(["--broken", plan.broken] if plan.broken else []),
        ]
        self.bot = Bot(url, folder, llm.base_url, arguments)
        self.points: Counter[str] = Counter()
        self.finished = Finished()

    async def run(self) -> Result:
        """Kill at every crash point and at random moments, then let everything come to rest and judge."""
        began = time.monotonic()
        await self._up()
        store = open_store(self.bot.database_url)
        talking = asyncio.create_task(self.people.talk())
        try:
            for name in self.plan.points:
                await self._kill_at(name, store)
            for _ in range(self.plan.kills):
                await asyncio.sleep(self.chance.uniform(0.1, 3.0))
                await self._kill(store)
                await self._up()
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
        await self._rest(store)
        status, output = await self.bot.audit()
        await store.close()
        await self.bot.stop()
        calls = self._runs()
        return Result(
            plan=self.plan,
            report=self.platform.judge(_whole),
            unexplained=await self._unexplained(),
            deaths=self.bot.deaths,
            points=self.points,
            sent=self.people.sent,
            edited=sum(self.people.edited.values()),
            deleted=len(self.people.deleted),
            stopped=self.people.stopped,
            calls=Counter({kind: sum(n for (k, _), n in calls.items() if k == kind) for kind, _ in calls}),
            reruns=self._reruns(calls),
            audit="" if status == 0 else output.strip(),
            seconds=time.monotonic() - began,
        )

    async def _up(self, crashpoint: str = "") -> bool:
        """Start the server and tell the platform; False if an armed one died before it could be told of."""
        if not await self.bot.start(crashpoint):
            return False
        await self.platform.bot(f"http://127.0.0.1:{self.bot.port}/fake/events")
        return True

    async def _kill_at(self, name: str, store: Store) -> None:
        """Arm a crash point and wait until the traffic has hit it."""
        await self._kill(store)
        armed = f"{name}:{self.chance.randint(1, 4)}"
        # A turn that it takes over may hit the point before it has told its port.
        if await self._up(armed) and not await self.bot.died(within=20.0):
            raise RuntimeError(f"crash point {name} was not reached")
        self.points[name] += 1
        await self._kill(store)
        await self._up()

    async def _kill(self, store: Store) -> None:
        await self.bot.kill()
        counts = self._runs()
        for kind, marker in await store.read(_finished_steps):
            self.finished.runs.setdefault((kind, marker), counts[kind, marker])

    def _runs(self) -> Counter[tuple[str, str]]:
        """How often each kind of step ran for each message, by the logs of the outside world."""
        runs: Counter[tuple[str, str]] = Counter()
        for call in self.llm.calls():
            runs.update(("model", marker) for marker in set(_MARKER.findall(call.user)))
        for line in self.effects.read_text().splitlines():
            entry = json.loads(line)
            runs.update((entry["tool"], marker) for marker in set(_MARKER.findall(entry["text"])))
        return runs

    def _reruns(self, runs: Counter[tuple[str, str]]) -> list[str]:
        """Broken promises about steps. A message that was edited has a turn of its own for each version."""
        again = [
            f"{kind} {marker}: finished after {then} runs, then ran {runs[kind, marker] - then} times more"
            for (kind, marker), then in self.finished.runs.items()
            if runs[kind, marker] > then and marker not in self.people.edited
        ]
        twice = [
            f"note {marker}: written {count} times"
            for (kind, marker), count in runs.items()
            if kind == "note" and count > 1 + self.people.edited[marker]
        ]
        return again + twice

    async def _unexplained(self) -> list[str]:
        shown = replies(await self.platform.replay())
        return [reply.text for reply in shown if reply.outcome == "failed" and "the server stopped" not in reply.text]

    async def _rest(self, store: Store) -> None:
        """Wait until nothing is under way any more; what isn't by then shows in the verdict."""
        await self.platform.quiesce(30.0)
        deadline = time.monotonic() + _SETTLE
        while time.monotonic() < deadline and await store.read(_busy):  # noqa: ASYNC110 - rows of another process
            await asyncio.sleep(0.2)


def _whole(question: str, answer: str) -> bool:
    """Whether an answer has all the words that the fake model writes."""
    return len(answer.split()) >= TOKENS


def _finished_steps(connection: Connection) -> list[tuple[str, str]]:
    """(kind, marker) of the steps that are done."""
    kinds = {"act/0/0": "note", "act/1/0": "look", "conclude": "model"}
    rows = connection.execute(
        select(step.c.key, message.c.text)
        .join(message, message.c.turn_id == step.c.turn_id)
        .where(step.c.state == "done", step.c.key.in_(list(kinds)), message.c.role == "user")
    )
    return [(kinds[key], marker) for key, text in rows for marker in _MARKER.findall(text)]


def _busy(connection: Connection) -> bool:
    live = select(turn.c.id).where(turn.c.state.in_(("queued", "running", "waiting"))).limit(1)
    untidy = select(conversation.c.id).where(
        or_(conversation.c.tidy_at.is_not(None), conversation.c.owner.is_not(None))
    )
    return connection.execute(live).first() is not None or connection.execute(untidy.limit(1)).first() is not None


async def run(plan: Plan, folder: Path | None = None) -> Result:
    """One run with fakes of its own. `folder` keeps the logs; without it they go with the run."""
    with tempfile.TemporaryDirectory(prefix="kill-") as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        settings = {"lost_ack": 0.05, "twins": True, "jitter": 0.1, "copies": 2}
        async with (
            FakeLLM(place / "model.jsonl", first=0.05, gap=0.008, tokens=TOKENS) as llm,
            FakePlatform(place / "platform.jsonl", seed=plan.seed, faults=FAULTS, **settings) as platform,
        ):
            test = KillTest(plan, place, llm, platform)
            try:
                return await test.run()
            finally:
                await test.bot.kill()

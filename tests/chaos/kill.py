"""The kill test: a server is killed again and again while people talk to it; every message gets exactly one outcome.

Outcomes are counted from the fake platform's log alone, steps from those of the model servers and the tools. The
database is read for one question only: which steps were finished when the process died, so that the test can see
whether they are run again.
"""

from __future__ import annotations

import asyncio
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from sqlalchemy import Connection, func, or_, select

from bot.crashpoints import CRASHPOINTS
from bot.store.db import Store, open_store
from bot.store.tables import conversation, message, step, turn
from tests.chaos import steps
from tests.chaos.bot import CONTEXT, Bot
from tests.chaos.people import People, PlatformPeople
from tests.fakes.llm.harness import FakeLLM
from tests.fakes.platform.harness import FakePlatform
from tests.fakes.platform.judge import Report, replies
from tests.fakes.platform.log import load

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
#: How fast the fake model writes its plans, in seconds; its answers are slower (`steps`).
_PACE: dict[str, float] = {"first": 0.02, "gap": 0.002, "tokens": TOKENS, "context": CONTEXT}
#: Between the time in a step's row and its commit, at most.
_COMMIT = timedelta(seconds=5)
#: Seconds that the end may take: recoveries, redeliveries, the last look for strays.
_SETTLE = 90.0
#: Most bytes that a life of the server adds to the logs of models and tools, some 4,000 for a turn; most seconds of it.
_LIFE, _LONGEST_LIFE = 80_000.0, 10.0
#: Seconds that the preferred model server is there, and away, at least and at most.
_THERE, _AWAY = (0.5, 3.0), (0.2, 2.0)


_LIVE = ("queued", "running", "waiting")


@dataclass(frozen=True)
class Plan:
    """One run of the kill test."""

    seed: int = 1
    #: Kills at random moments.
    kills: int = 200
    #: Crash points at which it is killed besides, once each.
    points: tuple[str, ...] = tuple(CRASHPOINTS)
    conversations: int = 50
    #: Events that there have to be, at least; repeated deliveries don't count.
    events: int = 0
    #: Messages per second, on average.
    rate: float = 12.0
    streams: bool = False
    #: Which platform the people are on, and whether it is reached by sockets.
    platform: Literal["fake", "slack"] = "fake"
    sockets: bool = False
    #: Whether there is a second model server, while the preferred one is killed and restarted, too.
    failover: bool = False
    #: A safety that is taken away (`tests.chaos.serve`), so that the test must fail.
    broken: str = ""
    database_url: str = ""


@dataclass
class Result:
    """What a run has shown."""

    plan: Plan
    report: Verdict
    deaths: int
    points: Counter[str]
    traffic: Traffic
    sent: int
    edited: int
    deleted: int
    stopped: int
    #: Every step that ran, by the logs of the model servers and of the tools.
    runs: list[steps.Run]
    #: Finished steps that ran again, and writing steps that ran twice.
    reruns: list[str]
    #: Answers that were asked for without all that the turn had found.
    incomplete: list[str]
    #: Deaths of the preferred model server.
    outages: int
    audit: str
    seconds: float
    #: Failures that are not "the server stopped so often": nothing else may fail here.
    unexplained: list[str]

    @property
    def ok(self) -> bool:
        broken = (self.reruns, self.incomplete, self.audit, self.report.unacked, self.unexplained)
        return self.report.ok and not any(broken)

    @property
    def handed_on(self) -> int:
        """Turns that one model server began and another one went on with."""
        return steps.handed_on(self.runs)

    def _ran(self) -> str:
        ran = Counter(run.step.split()[0].split("/")[0] for run in self.runs)
        again = steps.asked_again(self.runs)
        plans = f"{ran['plan']} plans ({again} asked for again, their call was under way), {ran['answer']} answers"
        return f"{plans}, {ran['note']} writing and {ran['look']} reading runs"

    def _headline(self) -> str:
        broken = f" broken: {self.plan.broken}" if self.plan.broken else ""
        kills = f"{self.deaths} kills in {self.seconds:.0f} s, {self.plan.conversations} conversations"
        return f"seed {self.plan.seed}{broken}: {kills}"

    def _verdict(self) -> list[str]:
        headline, *problems = str(self.report).splitlines()
        kinds = Counter(problem.kind for problem in self.report.problems)
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return [f"  {headline}", f"  problems: {counts or 'none'}", *(f"  {line}" for line in problems[:10])]

    def _outages(self) -> str:
        return f"  preferred model server killed {self.outages} times; {self.handed_on} turns went on with another one"

    def __str__(self) -> str:
        lines = [
            self._headline(),
            f"  crash points hit: {', '.join(f'{name} {n}' for name, n in sorted(self.points.items())) or 'none'}",
            f"  {self.traffic.events} events: {self.traffic.acked} deliveries acked, {self.traffic.unacked} not",
            f"  {self.sent} messages sent, {self.edited} edited, {self.deleted} deleted, {self.stopped} stopped",
            *self._verdict(),
            f"  {self._ran()}",
            *([self._outages()] if self.plan.failover else []),
            f"  finished steps run again or writing steps run twice: {len(self.reruns)}",
            *[f"    {rerun}" for rerun in self.reruns[:10]],
            f"  answers without all results: {len(self.incomplete)}",
            *[f"    {lacking}" for lacking in self.incomplete[:10]],
            *[f"    failed for another reason: {text}" for text in self.unexplained[:10]],
            f"  doctor --audit: {self.audit or 'clean'}",
            f"  {'HELD' if self.ok else 'BROKEN'}",
        ]
        return "\n".join(lines)


class Verdict(Protocol):
    """What the judge of a platform's log says."""

    @property
    def ok(self) -> bool: ...

    @property
    def accepted(self) -> int: ...

    @property
    def unacked(self) -> tuple[str, ...]: ...

    @property
    def problems(self) -> Sequence[Any]:
        """Each with its `kind`."""


class Traffic(NamedTuple):
    """How often the platform told the server something."""

    #: Different ones that the server has taken.
    events: int
    #: Deliveries that it has acked, doubles and repetitions included; and those that it has not.
    acked: int
    unacked: int

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> Traffic:
        """What a platform's log says."""
        kinds: Counter[str] = Counter()
        taken: set[str] = set()
        for entry in entries:
            kinds[entry["kind"]] += 1
            if entry["kind"] == "acked":
                taken.add(entry["delivery"])
        return cls(len(taken), kinds["acked"], kinds["unacked"])


class Stage(Protocol):
    """The platform of a run, with its people, its log and its judge."""

    @property
    def people(self) -> People: ...

    @property
    def arguments(self) -> list[str]:
        """What `tests.chaos.serve` is told to find it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Settings of the server for this platform."""

    async def told(self, port: int) -> None:
        """The server is there now."""

    async def pending(self, timeout: float) -> list[str]:
        """Wait until every event is acked; those that are not by then."""

    async def traffic(self) -> Traffic:
        """What was delivered so far."""

    def judge(self) -> Verdict: ...

    async def failures(self) -> list[str]:
        """Texts of the replies that say that something failed."""


class PlatformStage:
    """The fake platform."""

    environment: Mapping[str, str] = {}

    def __init__(self, platform: FakePlatform, plan: Plan) -> None:
        self._platform = platform
        self.people = PlatformPeople(platform, random.Random(plan.seed + 1), plan.conversations, plan.rate)
        self.arguments = [
            *("--platform", platform.url, "--token", platform.token, "--secret", platform.secret),
            *(["--streams"] if plan.streams else []),
        ]

    async def told(self, port: int) -> None:
        await self._platform.bot(f"http://127.0.0.1:{port}/fake/events")

    async def pending(self, timeout: float) -> list[str]:
        return await self._platform.quiesce(timeout)

    async def traffic(self) -> Traffic:
        return Traffic.of(load(self._platform.log))

    def judge(self) -> Report:
        return self._platform.judge(whole)

    async def failures(self) -> list[str]:
        return [reply.text for reply in replies(await self._platform.replay()) if reply.outcome == "failed"]


class KillTest:
    """Everything that one run needs."""

    def __init__(self, plan: Plan, folder: Path, llms: Sequence[FakeLLM], stage: Stage) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)
        #: By name, best first.
        self.models = dict(zip(("first", "second"), llms, strict=False))
        self.stage = stage
        self.people = stage.people
        self.effects = folder / "effects.jsonl"
        self.effects.touch()
        url = plan.database_url or f"sqlite:///{folder}/kagentbot.db"
        arguments = [
            *stage.arguments,
            *("--effects", str(self.effects)),
            *(["--broken", plan.broken] if plan.broken else []),
        ]
        models = {name: llm.base_url for name, llm in self.models.items()}
        self.bot = Bot(url, folder, models, arguments, stage.environment)
        self.points: Counter[str] = Counter()
        #: (step, question) → when the process died that had finished it.
        self.finished: dict[tuple[str, str], float] = {}
        self._looked_at = datetime.now(UTC)
        self.outages = 0
        self._over = asyncio.Event()

    async def run(self) -> Result:
        """Kill at every crash point and at random moments, then let everything come to rest and judge."""
        began = time.monotonic()
        await self._up()
        store = open_store(self.bot.database_url)
        talking = asyncio.create_task(self.people.talk(partial(self._waiting, store)))
        flickering = asyncio.create_task(self._flicker())
        try:
            for name in self.plan.points:
                await self._kill_at(name, store)
            kills = 0
            while kills < self.plan.kills or (await self.stage.traffic()).events < self.plan.events:
                await self._work(self.chance.uniform(0, _LIFE))
                await self._kill(store)
                await self._up()
                kills += 1
            await self._until_handed_on()
        finally:
            talking.cancel()
            [ended] = await asyncio.gather(talking, return_exceptions=True)
            if not isinstance(ended, asyncio.CancelledError):
                # With nobody to talk to it, anything would hold.
                raise RuntimeError("the people have gone") from ended
            self._over.set()
            await flickering
        await self._rest(store)
        status, output = await self.bot.audit()
        await store.close()
        await self.bot.stop()
        runs = self._runs()
        return Result(
            plan=self.plan,
            report=self.stage.judge(),
            unexplained=await self._unexplained(),
            deaths=self.bot.deaths,
            points=self.points,
            traffic=await self.stage.traffic(),
            sent=self.people.sent,
            edited=sum(self.people.edited.values()),
            deleted=len(self.people.deleted),
            stopped=self.people.stopped,
            runs=runs,
            reruns=[*self._reruns(runs), *steps.written_twice(runs), *steps.gone_back(runs)],
            incomplete=[line for llm in self.models.values() for line in steps.answered_without(llm.calls())],
            outages=self.outages,
            audit="" if status == 0 else output.strip(),
            seconds=time.monotonic() - began,
        )

    async def _up(self, crashpoint: str = "") -> bool:
        """Start the server and tell the platform; False if an armed one died before it could be told of."""
        if not await self.bot.start(crashpoint):
            return False
        await self.stage.told(self.bot.port)
        return True

    async def _kill_at(self, name: str, store: Store) -> None:
        """Arm a crash point and wait until the traffic has hit it."""
        await self._kill(store)
        armed = f"{name}:{self.chance.randint(1, 4)}"
        # A turn that it takes over may hit the point before it has told its port.
        if await self._up(armed) and not await self.bot.died(within=60.0):
            raise RuntimeError(f"crash point {name} was not reached")
        self.points[name] += 1
        await self._kill(store)
        await self._up()

    async def _kill(self, store: Store) -> None:
        await self.bot.kill()
        died_at, since = time.time(), self._looked_at
        self._looked_at = datetime.now(UTC)
        for finished in await store.read(partial(_finished_steps, since=since - _COMMIT)):
            self.finished.setdefault(finished, died_at)

    async def _waiting(self, store: Store) -> int:
        """Messages that wait for their end, and deliveries for their ack."""
        return await store.read(_live) + len(await self.stage.pending(0.0))

    async def _work(self, amount: float) -> None:
        """Let so many bytes be added to the logs of the model servers and tools: the same on slow and fast machines."""
        logs = [self.effects, *(llm.log for llm in self.models.values())]
        enough = sum(log.stat().st_size for log in logs) + amount
        deadline = time.monotonic() + _LONGEST_LIFE
        while sum(log.stat().st_size for log in logs) < enough and time.monotonic() < deadline:  # noqa: ASYNC110 - logs of other processes
            await asyncio.sleep(0.005)

    async def _flicker(self) -> None:
        """Kill and restart the preferred model server until all is over, if this is about that."""
        chance, preferred = random.Random(self.plan.seed + 2), self.models["first"]
        while self.plan.failover and not await self._is_over(within=chance.uniform(*_THERE)):
            await preferred.stop()
            self.outages += 1
            await self._is_over(within=chance.uniform(*_AWAY))
            await preferred.start()

    async def _until_handed_on(self) -> None:
        """Go on until a turn was begun with one model server and ended with another, if this is about that."""
        deadline = time.monotonic() + _SETTLE
        if not self.plan.failover:
            return
        while not steps.handed_on(self._runs()) and time.monotonic() < deadline:  # noqa: ASYNC110 - logs of other processes
            await asyncio.sleep(0.5)

    async def _is_over(self, within: float) -> bool:
        try:
            await asyncio.wait_for(self._over.wait(), within)
        except TimeoutError:
            return False
        return True

    def _runs(self) -> list[steps.Run]:
        """Every step that ran, by the logs of the outside world."""
        of_models = [run for name, llm in self.models.items() for run in steps.model_runs(llm.calls(), name)]
        return of_models + steps.tool_runs(self.effects.read_text().splitlines())

    def _reruns(self, runs: Sequence[steps.Run]) -> list[str]:
        """Steps that ran after the death of a process that had finished them."""
        return [
            f"{run.step} {run.question}: ran again after a process had died that had finished it"
            for run in runs
            if run.at > self.finished.get((run.step, run.question), math.inf)
        ]

    async def _unexplained(self) -> list[str]:
        return [text for text in await self.stage.failures() if "the server stopped" not in text]

    async def _rest(self, store: Store) -> None:
        """Wait until nothing is under way any more; what isn't by then shows in the verdict."""
        await self.stage.pending(30.0)
        deadline = time.monotonic() + _SETTLE
        while time.monotonic() < deadline and await store.read(_busy):  # noqa: ASYNC110 - rows of another process
            await asyncio.sleep(0.2)


def whole(question: str, answer: str) -> bool:
    """Whether an answer has all the words that the fake model writes."""
    return len(answer.split()) >= TOKENS


def _finished_steps(connection: Connection, since: datetime) -> list[tuple[str, str]]:
    """(step, question) of what was finished since then. Plans of rules are left out, for nobody outside sees them."""
    rows = connection.execute(
        select(step.c.key, step.c.detail, step.c.result, message.c.text)
        .join(message, message.c.turn_id == step.c.turn_id)
        .where(step.c.state == "done", step.c.finished_at >= since, message.c.role == "user")
    )
    found = []
    for key, detail, result, text in rows:
        question = steps.name_of(text or "")
        if question is None:
            continue
        if key == "conclude":
            found.append(("answer", question))
        elif key.startswith("act/"):
            found.append((steps.of_tool(detail["tool"], detail["args"]["text"]), question))
        elif key.startswith("plan/") and result.get("style"):
            found.append((key, question))
    return found


def _live(connection: Connection) -> int:
    """Turns that are not over."""
    live = select(func.count()).select_from(turn).where(turn.c.state.in_(_LIVE))
    return connection.execute(live).scalar_one()


def _busy(connection: Connection) -> bool:
    untidy = select(conversation.c.id).where(
        or_(conversation.c.tidy_at.is_not(None), conversation.c.owner.is_not(None))
    )
    return _live(connection) > 0 or connection.execute(untidy.limit(1)).first() is not None


async def run(plan: Plan, folder: Path | None = None) -> Result:
    """One run with fakes of its own. `folder`, a new one, keeps the logs; without it they go with the run."""
    with tempfile.TemporaryDirectory(prefix="kill-") as scratch:
        place = folder or Path(scratch)
        # Logs of an earlier run would be judged, too.
        place.mkdir(parents=True, exist_ok=folder is None)
        settings = {"lost_ack": 0.05, "twins": True, "jitter": 0.1, "copies": 2}
        async with AsyncExitStack() as fakes:
            llms = [
                await fakes.enter_async_context(FakeLLM(place / f"model-{name}.jsonl", model="fake", **_PACE))
                for name in (("first", "second") if plan.failover else ("first",))
            ]
            if plan.platform == "slack":
                # Here, because it is a stage for what is in this file.
                from tests.chaos.slack import attack

                return await attack(plan, place, llms[0])
            platform = await fakes.enter_async_context(
                FakePlatform(place / "platform.jsonl", seed=plan.seed, faults=FAULTS, **settings)
            )
            test = KillTest(plan, place, llms, PlatformStage(platform, plan))
            try:
                return await test.run()
            finally:
                await test.bot.kill()

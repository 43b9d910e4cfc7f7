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
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, func, or_, select

from bot.store.db import Store, open_store
from bot.store.tables import conversation, message, step, turn
from tests.chaos import steps
from tests.chaos.bot import CONTEXT, Bot
from tests.chaos.discord import discord_stage
from tests.chaos.platform import platform_stage
from tests.chaos.result import Result
from tests.chaos.slack import slack_stage
from tests.chaos.stage import TOKENS, Plan, Stage
from tests.fakes.llm.harness import FakeLLM

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

#: Makes the platform of a run.
_STAGES: Mapping[str, Callable[[Plan, Path], AbstractAsyncContextManager[Stage]]] = {
    "fake": platform_stage,
    "slack": slack_stage,
    "discord": discord_stage,
}
_LIVE = ("queued", "running", "waiting")


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
            while not talking.done() and (
                kills < self.plan.kills or (await self.stage.traffic()).events < self.plan.events
            ):
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
        return await store.read(_live) + await self.stage.waiting()

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
        await self.stage.settle(30.0)
        deadline = time.monotonic() + _SETTLE
        while time.monotonic() < deadline and await store.read(_busy):  # noqa: ASYNC110 - rows of another process
            await asyncio.sleep(0.2)


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
        async with AsyncExitStack() as fakes:
            llms = [
                await fakes.enter_async_context(FakeLLM(place / f"model-{name}.jsonl", model="fake", **_PACE))
                for name in (("first", "second") if plan.failover else ("first",))
            ]
            stage = await fakes.enter_async_context(_STAGES[plan.platform](plan, place))
            test = KillTest(plan, place, llms, stage)
            try:
                return await test.run()
            finally:
                await test.bot.kill()

"""Servers that run benchmarks on a store, one after another or side by side, and what people see of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import bot.bench.jobs
from agent.clock import SystemClock
from agent.journal import Json
from agent.language import Lang
from bot.bench.beginning import Beginning
from bot.bench.jobs import BENCHMARK, Benchmarks, Order
from bot.bench.measuring import Measuring, Standing
from bot.bench.words import Wanted
from bot.jobs import Jobs
from bot.messages import ReplyFile, Target
from bot.ports import Health
from bot.store import bench, jobs
from bot.store.bench import Origin
from bot.store.db import Store
from bot.store.tables import job
from evals.library import Library
from evals.running.asking import Question, Reply
from evals.runs import Run, RunStore
from tests.contracts.runs import prediction
from tests.support.server import Platform, until

PLACE = Target("test", "w", "c", None, "test:w:c")
ORDER = Order(PLACE, "en", "`/kagent-bench cancel`")
CHART = ReplyFile("bars.png", "image/png", b"PNG", "bars")


@dataclass(frozen=True)
class Served:
    name: str
    model: str
    health: Health = field(default_factory=lambda: Health("ok"))


@dataclass(frozen=True, slots=True)
class Halting(Measuring):
    """Keeps a reply each time that it is begun, then waits until the test lets it go on."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    keeps: bool = True

    async def run(self, run: Run, runs: RunStore, standing: Standing) -> tuple[Mapping[str, Any], Json]:
        self.begun.append(run.id)
        if self.errors:
            raise self.errors.pop(0)
        if self.keeps:
            await runs.add(run.id, [prediction(str(len(self.begun)))])
            standing.done, standing.total = len(await runs.predictions(run.id)), 4
        await self.gate.wait()
        return {"model": {"name": "tiny"}}, {"line": "plan : 1.00"}


@dataclass
class Scene:
    """Servers on one store, one after another or side by side, and what people see."""

    store: Store
    folder: Path
    platform: Platform = field(default_factory=Platform)
    measuring: Halting = field(init=False)
    servers: list[Jobs] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.library = Library(self.folder / "data")
        self.measuring = Halting(self.library, lambda _: Instant(), self.clock)
        self.beginning = Beginning(
            self.store,
            self.clock,
            self.library,
            lambda _: [Served("gpu", "big"), Served("cpu", "small")],
            {},
            self.look,
        )

    def look(self) -> None:
        for server in self.servers:
            server.look()

    async def serve(self, measuring: Measuring | None = None) -> Jobs:
        """A process that runs benchmarks."""
        outbounds: Any = {"test": self.platform}
        made = Benchmarks(
            self.store,
            self.clock,
            outbounds,
            measuring or self.measuring,
            beat=0.01,
            pace=lambda _: 0.01,
            pictures=_pictures,
            difference=_difference,
        )
        server = Jobs(self.store, self.clock, f"server {len(self.servers)}", {BENCHMARK: made.kind})
        await server.start()
        self.servers.append(server)
        return server

    async def begin(self, model: str = "gpu", order: Order = ORDER) -> Run:
        prepared = await self.beginning.prepare(Wanted(model=model, limit=4), "en")
        return (await self.beginning.begin(prepared, order, Origin("test", "w", "c", "op", "en")))[0]

    async def cancel(self, run: Run) -> None:
        job_id = await self.store.read(lambda c: bench.job_of(c, run.id))
        assert job_id is not None
        now = self.clock.now()
        await self.store.write(lambda c: bot.bench.jobs.cancel(c, run, job_id, now))
        self.look()

    async def kill(self, server: Jobs) -> None:
        """What SIGKILL leaves behind, and that the system gives the lock to the next one."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Jobs, "_hand_back", _nothing)
            await server.stop()
        self.servers.remove(server)
        now = self.clock.now()
        await self.store.write(lambda c: jobs.void_all_leases(c, now))

    async def state(self, run: Run) -> str:
        found = await self.store.read(lambda c: bench.find(c, run.id))
        assert found is not None
        return found.state

    async def jobs(self) -> list[str]:
        """The states of all jobs, oldest first."""
        return list(await self.store.read(lambda c: c.execute(select(job.c.state).order_by(job.c.id)).scalars().all()))

    async def over(self, count: int = 1) -> None:
        async def ended() -> bool:
            states = await self.jobs()
            return len(states) >= count and not {"queued", "running"} & set(states)

        await until(ended)

    async def seen(self, words: str) -> str:
        """Wait until people see this in one message; the message."""

        async def there() -> bool:
            return any(words in text for text in self.platform.visible.values())

        await until(there)
        [text] = [text for text in self.platform.visible.values() if words in text]
        return text

    @property
    def messages(self) -> list[str]:
        return list(self.platform.visible.values())


async def _nothing(*_: object) -> None:
    pass


async def _pictures(run: Run, lang: Lang) -> tuple[tuple[ReplyFile, ...], str]:
    return (CHART,), ""


async def _difference(store: Store, run: Run, lang: Lang) -> str:
    return ""


class Instant:
    """A model that answers at once."""

    name = "tiny"
    server = "here"
    context_tokens = 4096

    async def ready(self) -> None:
        pass

    async def ask(self, question: Question) -> Reply:
        return Reply("Thought: look.\nAction: web_search\nAction Input: tea", prompt_tokens=2, completion_tokens=3)

    async def tokens(self, text: str) -> list[int] | None:
        return None

    async def text_of(self, tokens: list[int]) -> str | None:
        return None

    async def count(self, text: str) -> int:
        return len(text)

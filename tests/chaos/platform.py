"""The kill test on the fake platform."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.people import PlatformPeople
from tests.chaos.stage import Plan, Stage, Traffic, whole
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

    async def waiting(self) -> int:
        return len(await self._platform.quiesce(0.0))

    async def settle(self, timeout: float) -> None:
        await self._platform.quiesce(timeout)

    async def traffic(self) -> Traffic:
        return Traffic.of(load(self._platform.log))

    def judge(self) -> Report:
        return self._platform.judge(whole)

    async def failures(self) -> list[str]:
        return [reply.text for reply in replies(await self._platform.replay()) if reply.outcome == "failed"]


@asynccontextmanager
async def platform_stage(plan: Plan, folder: Path) -> AsyncIterator[Stage]:
    """A fake platform of its own, with its log in this folder."""
    settings = {"lost_ack": 0.05, "twins": True, "jitter": 0.1, "copies": 2}
    async with FakePlatform(folder / "platform.jsonl", seed=plan.seed, faults=FAULTS, **settings) as platform:
        yield PlatformStage(platform, plan)

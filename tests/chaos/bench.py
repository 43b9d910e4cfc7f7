"""The kill test of benchmarks in a chat: a server is killed while it runs one and posts it; people see one message.

Each trial has a server, a platform's fake and a model of its own. What people see is told by the fake's log alone, what
the model was asked by the model's.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from unittest import mock

from bot.crashpoints import BENCH_CRASHPOINTS
from tests.chaos.discord import FAULTS as DISCORD_FAULTS
from tests.chaos.slack import FAULTS as SLACK_FAULTS
from tests.fakes.llm.harness import Call, FakeLLM
from tests.support import bench_story
from tests.support.bench_story import BenchStory, Report, in_discord_story, in_slack_story
from tests.support.process import Kagentbot, with_model

Platform = Literal["slack", "discord"]
PLATFORMS: Final[tuple[Platform, ...]] = ("slack", "discord")
#: The windows of a run and of its message.
POINTS: Final = (*BENCH_CRASHPOINTS, "part.after_intend", "part.after_post", "part.after_posted")
#: The model: seconds of a call, and calls side by side. A run of sixteen prompts takes some seconds.
_CALL_S, _SLOTS = 0.3, 4
_PROMPTS: Final = 16
#: Seconds of a life that a random kill ends: some end before anything was posted, some in the middle of its end.
_LIFE: Final = (0.3, 9.0)
#: Most kills of one run.
_KILLS: Final = 4
#: How many times as often as for turns the platform fails.
_MORE: Final = 4.0
#: Seconds before a kill within which a call that has ended counts as under way: its reply is on its way to the disk.
_ON_ITS_WAY_S: Final = 0.5
#: Seconds that a run may take to its end once nobody kills it any more.
_PATIENCE: Final = 180.0
#: Seconds without anything new after which nothing more is to come.
_QUIET: Final = 1.5


class Forgetful(Kagentbot):
    """The same with `tests.chaos.bench_serve` in its place."""

    def _launcher(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "tests.chaos.bench_serve")


@dataclass(frozen=True, slots=True)
class Trial:
    """One run that was killed, and what is left of it."""

    platform: Platform
    #: The crash point, or "random".
    point: str
    kills: int
    #: What is wrong; () for nothing.
    problems: tuple[str, ...]
    #: Calls that repeated a prompt, and calls under way at the kills.
    repeated: int
    under_way: int


@dataclass(frozen=True, slots=True)
class Result:
    """All trials."""

    seed: int
    broken: bool
    trials: Sequence[Trial]
    seconds: float

    @property
    def ok(self) -> bool:
        return not any(trial.problems for trial in self.trials)

    def __str__(self) -> str:
        kills, points = sum(one.kills for one in self.trials), Counter(one.point for one in self.trials)
        repeated, under_way = (sum(getattr(one, name) for one in self.trials) for name in ("repeated", "under_way"))
        wrong = [f"    {one.platform}, {one.point}: {'; '.join(one.problems)}" for one in self.trials if one.problems]
        broken = " broken: ledger" if self.broken else ""
        return "\n".join(
            (
                f"seed {self.seed}{broken}: {len(self.trials)} runs, {kills} kills, {self.seconds:.0f} s",
                "  " + ", ".join(f"{point} {count}" for point, count in points.items()),
                f"  repeated calls: {repeated}, under way at the kills: {under_way}",
                f"  runs with anything but one message with its charts: {len(wrong)}",
                *wrong,
                f"  {'HELD' if self.ok else 'BROKEN'}",
            )
        )


async def run_bench(
    seed: int,
    randoms: int,
    *,
    points: Sequence[str] = POINTS,
    platforms: Sequence[Platform] = PLATFORMS,
    broken: bool = False,
) -> Result:
    """Kill a run at each of these points, and so many more at random, on each platform."""
    chance, began = random.Random(seed), time.monotonic()
    plans = [(platform, point) for platform in platforms for point in (*points, *["random"] * randoms)]
    trials = [await _trial(platform, point, chance, broken=broken) for platform, point in plans]
    return Result(seed, broken, trials, time.monotonic() - began)


async def _trial(platform: Platform, point: str, chance: random.Random, *, broken: bool) -> Trial:
    kind = Forgetful if broken else Kagentbot
    make: Any = in_slack_story if platform == "slack" else in_discord_story
    faults: Mapping[str, float] = {}
    if point == "random":
        usual = SLACK_FAULTS if platform == "slack" else DISCORD_FAULTS
        # A run makes few calls.
        faults = {name: _MORE * share for name, share in usual.items()}
    with (
        tempfile.TemporaryDirectory(prefix="chaos-bench-") as folder,
        mock.patch.object(bench_story, "Kagentbot", kind),
    ):
        async with (
            FakeLLM(first=_CALL_S, tokens=8, slots=_SLOTS) as model,
            make(Path(folder), with_model(model.base_url)) as story,
        ):
            kills = await (_at_random(story, chance, faults) if point == "random" else _at(story, point))
            problems = await _end(story)
            calls = model.calls()
    prompts = Counter(call.user for call in calls)
    repeated, under_way = sum(prompts.values()) - len(prompts), sum(_was_killed(call, kills) for call in calls)
    if repeated > under_way:
        problems.append(f"{repeated} calls repeated, {under_way} under way")
    if len(prompts) != _PROMPTS:
        problems.append(f"{len(prompts)} prompts asked")
    return Trial(platform, point, len(kills), tuple(problems), repeated, under_way)


async def _at(story: BenchStory, point: str) -> list[float]:
    """Die at a crash point, once."""
    story.bot.settings["KAGENTBOT_CRASHPOINT"] = point
    await story.start()
    del story.bot.settings["KAGENTBOT_CRASHPOINT"]
    await story.types("run limit=4")
    await story.bot.died()
    return [time.time()]


async def _at_random(story: BenchStory, chance: random.Random, faults: Mapping[str, float]) -> list[float]:
    """Die now and then, while the platform fails now and then, too."""
    kills = []
    await story.start()
    await story.types("run limit=4")
    await story.faulty(faults)
    for number in range(chance.randint(1, _KILLS)):
        if number:
            await story.bot.start()
        await asyncio.sleep(chance.uniform(*_LIFE))
        kills.append(time.time())
        await story.bot.kill()
    await story.faulty({})
    return kills


async def _end(story: BenchStory) -> list[str]:
    """Let it come to its end, and look; what is wrong."""
    await story.start()
    try:
        async with asyncio.timeout(_PATIENCE):
            # A message that looks finished may be followed by another one for as long as the job goes on.
            while await asyncio.to_thread(_under_way, story.bot.data):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)
    except TimeoutError:
        return [f"no end within {_PATIENCE:g} s: {[one.text[:80] for one in await story.reports()]}"]
    found = _wrong(await _settled(story))
    if isinstance(story.bot, Forgetful):
        return found
    audit = await story.bot.run("doctor", "--audit")
    return found + ([] if audit.out == "clean\n" else [f"the audit says {audit.out!r}"])


def _under_way(data: Path) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{data}/kagentbot.db?mode=ro", uri=True)) as database:
        query = "SELECT 1 FROM job WHERE kind = 'benchmark' AND state IN ('queued', 'running')"
        return database.execute(query).fetchone() is not None


async def _settled(story: BenchStory) -> list[Report]:
    """What is there once nothing changes any more."""
    seen, clock = await story.reports(), asyncio.get_running_loop().time
    since = clock()
    while clock() - since < _QUIET:
        await asyncio.sleep(0.1)
        now = await story.reports()
        if now != seen:
            seen, since = now, clock()
    return seen


def _wrong(reports: Sequence[Report]) -> list[str]:
    """What is not as it must be: one message, that of a finished run, with both charts."""
    if len(reports) != 1:
        return [f"{len(reports)} messages"]
    [report] = reports
    kinds = sorted(name.rpartition("-")[2] for name in report.pictures)
    wrong = [] if kinds == ["bars.png", "radar.png"] else [f"the pictures {list(report.pictures)}"]
    return wrong + ([] if "[sample 4] plan : " in report.text else [f"no line in {report.text[:200]!r}"])


def _was_killed(call: Call, kills: Sequence[float]) -> bool:
    """Whether it was under way when the process died."""
    ended = call.ended_at or float("inf")
    return any(call.at <= kill < ended + _ON_ITS_WAY_S for kill in kills)

"""The kill test of a headless run: its process is killed again and again; nothing is lost, and no reply is asked for
twice but those that were under way.

What was asked is counted from the model server's log alone.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evals.store import FileRuns
from tests.fakes.llm.harness import Call, FakeLLM

_ROOT: Final = Path(__file__).parents[2]
#: The server: seconds of a call, more or less by a share, and calls side by side.
_CALL_S, _SPREAD, _SLOTS = 0.12, 0.5, 4
#: Seconds before a kill within which a call that has ended counts as under way: the reply is on its way to the disk
#: (`evals.running.keeping.PAUSE_S`, one write, and what a busy machine adds).
_ON_ITS_WAY_S = 0.75
#: Replies between two kills, at most.
_LIFE = 40
#: Seconds that the process may take for anything.
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a kill test of a run has shown."""

    seed: int
    broken: str
    prompts: int
    #: Unix times of the kills.
    kills: Sequence[float]
    #: Calls that the server has begun.
    calls: int
    #: Of those, repeats; and those that repeat a call that had ended well before any kill.
    repeated: int
    needless: Sequence[str]
    #: Calls under way at the kills.
    under_way: int
    #: Prompts without an answer by the server's log, and without exactly one reply in the store.
    unanswered: Sequence[str]
    unkept: Sequence[str]

    @property
    def ok(self) -> bool:
        return not (self.needless or self.unanswered or self.unkept) and self.repeated <= self.under_way

    def __str__(self) -> str:
        broken = f" broken: {self.broken}" if self.broken else ""
        return "\n".join(
            (
                f"seed {self.seed}{broken}: {len(self.kills)} kills, {self.prompts} prompts, {self.calls} calls",
                f"  repeated calls: {self.repeated}, under way at the kills: {self.under_way}",
                f"  repeated although answered before: {len(self.needless)}",
                *(f"    {prompt}" for prompt in self.needless[:10]),
                f"  prompts without an answer: {len(self.unanswered)}, not kept exactly once: {len(self.unkept)}",
                f"  {'HELD' if self.ok else 'BROKEN'}",
            )
        )


async def run_killed(seed: int, kills: int, prompts: int, broken: str = "") -> Asked:
    """Ask so many prompts while the process that asks is killed so often, then let it come to its end."""
    chance, deaths = random.Random(seed), list[float]()
    with tempfile.TemporaryDirectory(prefix="chaos-infer-") as scratch:
        folder = Path(scratch)
        fake = FakeLLM(folder / "calls.jsonl", first=_CALL_S, spread=_SPREAD, tokens=8, slots=_SLOTS)
        async with fake as llm:
            for _ in range(kills):
                process = await _start(llm.base_url, folder, prompts, broken)
                most = min(_LIFE, prompts // (kills + 1))
                # The control lives long enough to have something to forget.
                await _until_more(llm, process, chance.randint(most - 5 if broken else 0, most), chance)
                deaths.append(await _kill(process))
            process = await _start(llm.base_url, folder, prompts, broken)
            if await asyncio.wait_for(process.wait(), _PATIENCE_S) != 0:
                raise RuntimeError("the run did not come to its end; its reason is on standard error")
            store = FileRuns(folder / "runs")
            [found] = await store.runs()
            kept = [one.key.item for one in await store.predictions(found.id) if not one.error]
            return _judged(seed, broken, prompts, deaths, llm.calls(), kept)


def _judged(
    seed: int, broken: str, prompts: int, kills: Sequence[float], calls: Sequence[Call], kept: Sequence[str]
) -> Asked:
    by_prompt: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_prompt[call.user].append(call)
    names = [f"prompt {number} of {prompts}" for number in range(prompts)]
    return Asked(
        seed,
        broken,
        prompts,
        kills,
        calls=len(calls),
        repeated=sum(len(each) - 1 for each in by_prompt.values()),
        needless=[
            prompt for prompt, each in by_prompt.items() if any(not _was_killed(call, kills) for call in each[:-1])
        ],
        under_way=sum(_was_killed(call, kills) for call in calls),
        unanswered=[name for name in names if not any(call.outcome == "finished" for call in by_prompt[name])],
        unkept=[name for number, name in enumerate(names) if kept.count(str(number)) != 1],
    )


def _was_killed(call: Call, kills: Sequence[float]) -> bool:
    """Whether it was under way when the process died."""
    ended = call.ended_at or float("inf")
    return any(call.at <= kill < ended + _ON_ITS_WAY_S for kill in kills)


async def _start(base_url: str, folder: Path, prompts: int, broken: str) -> Process:
    words = [base_url, str(folder / "runs"), str(prompts), *(["--broken", broken] if broken else [])]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.asks", *words, stdin=DEVNULL, stdout=DEVNULL, cwd=_ROOT
    )


async def _until_more(llm: FakeLLM, process: Process, replies: int, chance: random.Random) -> None:
    """Until the server has given so many more replies, and a moment longer."""
    enough = _finished(llm) + replies
    deadline = time.monotonic() + _PATIENCE_S
    while _finished(llm) < enough and process.returncode is None:
        if time.monotonic() > deadline:
            raise TimeoutError("the run asks nothing")
        await asyncio.sleep(0.01)
    await asyncio.sleep(chance.uniform(0, _CALL_S))


def _finished(llm: FakeLLM) -> int:
    return sum(call.outcome == "finished" for call in llm.calls())


async def _kill(process: Process) -> float:
    """SIGKILL. When."""
    at = time.time()
    if process.returncode is None:
        process.kill()
    await process.wait()
    return at

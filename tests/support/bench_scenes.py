"""What operators do with benchmarks on every chat platform, and what the fakes saw of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

from tests.fakes.llm import FakeLLM
from tests.support.bench_story import BenchStory, Report

#: A model of which a run of sixteen prompts takes some seconds: of one call, and how many run side by side.
_CALL_S, _SLOTS = 0.5, 4
#: Seconds before a kill within which a call that has ended counts as under way: its reply is on its way to the disk.
_ON_ITS_WAY_S = 0.5


class Killed(NamedTuple):
    """A run whose server was killed and started again."""

    reply: str
    report: Report
    #: Messages that were created for everybody, whatever became of them.
    posted: int
    #: Prompts that were asked, calls that repeated one, and calls that were under way at the kill.
    asked: int
    repeated: int
    under_way: int


def a_model() -> FakeLLM:
    """A slow one."""
    return FakeLLM(first=_CALL_S, tokens=8, slots=_SLOTS)


@asynccontextmanager
async def started(story: AbstractAsyncContextManager[Any]) -> AsyncIterator[Any]:
    """With its server."""
    async with story as made:
        await made.start()
        yield made


async def killed(story: BenchStory, model: FakeLLM) -> Killed:
    """A run is begun; as soon as its message shows how far it is, the server is killed, and started again."""
    before = await story.posted()
    reply = await story.types("run limit=4")
    await story.until_seen(lambda reports: any(one.far for one in reports), 30.0)
    await story.bot.kill()
    at = time.time()
    # What is left shall not take long.
    await model.behave("[fake:first=0.01]")
    await story.start()
    report = await story.report()
    calls = [call for call in model.calls() if call.purpose != "trial"]
    await model.behave("")
    return Killed(
        reply,
        report,
        await story.posted() - before,
        asked=len({call.user for call in calls}),
        repeated=sum(count - 1 for count in Counter(call.user for call in calls).values()),
        under_way=sum(call.at <= at < (call.ended_at or at) + _ON_ITS_WAY_S for call in calls),
    )


async def cancelled(story: BenchStory) -> tuple[str, Report]:
    """A run is begun and cancelled; what that says, and its message."""
    known = {one.id for one in await story.reports()}
    await story.types("run limit=8")
    said = await story.types("cancel")
    found = await story.until_seen(lambda reports: [one for one in reports if one.id not in known and one.over], 30.0)
    return said, found[0]

"""Twenty answers at a time in one workspace: Slack's limits are never met, and nobody is left behind."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from adapters.slack import limits
from adapters.slack.outbound import PACE
from agent.clock import SystemClock
from bot.delivery import Delivery
from bot.messages import Draft, Final, StepView
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Place
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.log import Entry
from tests.support.slack_bench import ASKED, Outbound, place_of, where

#: So many seconds pass in one of the machine's.
_FASTER = 20.0
_ANSWERS = 20
#: Seconds that each answer grows for.
_GROWING_S = 80.0
_FALTERS_S = 10.0

#: Slack's documented calls per minute and workspace (facts 2.1).
_PER_MINUTE = {
    "chat.startStream": 20,
    "chat.stopStream": 20,
    "chat.appendStream": 100,
    "chat.update": 50,
    "chat.delete": 50,
    "agents.sessions.setStatus": 50,
}


class FastClock(SystemClock):
    """Time that passes quickly."""

    def __init__(self) -> None:
        self._start = super().monotonic()
        self._began = super().now()

    def monotonic(self) -> float:
        return (super().monotonic() - self._start) * _FASTER

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / _FASTER)


@dataclass
class Answer:
    """One answer in the making."""

    number: int
    place: Place
    delivery: Delivery
    text: str = ""

    def draft(self) -> Draft:
        return Draft(self.text, (StepView("act/0/0", "search", {"q": "llamas"}, "done"),))


async def grow(answer: Answer, clock: FastClock) -> float:
    """Write for a while, then end; how long the end took, in seconds."""
    answer.delivery.show(answer.draft)
    until = clock.monotonic() + _GROWING_S
    while clock.monotonic() < until:
        await clock.sleep(1.0)
        answer.text += f"word {len(answer.text)} "
        answer.delivery.show(answer.draft)
    ended = clock.monotonic()
    await answer.delivery.close(Final("answered", f"{answer.text}[{answer.number}]", "en"))
    return clock.monotonic() - ended


def busiest_minute(calls: list[Entry]) -> int:
    """The most calls within any minute of the quick time, less what a machine that falters for half a second adds."""
    times = [call["at"] * _FASTER for call in calls]
    return max((sum(begin <= at < begin + 60.0 - _FALTERS_S for at in times) for begin in times), default=0)


async def test_twenty_answers_share_the_budget_of_a_workspace() -> None:
    async with FakeSlack(copies=0, limits=False) as fake:
        clock = FastClock()
        outbound = Outbound(fake, clock=clock, pace=PACE)
        answers = []
        for number in range(_ANSWERS):
            place = place_of(await fake.say("What is it?"))
            await outbound.working(place.target, ASKED)
            reply = await outbound.open(place.target, FakeLedger(Book(), since=place.since, clock=clock), ASKED)
            answers.append(Answer(number, place, Delivery(reply, PACE, clock, lambda _: None)))
        waits = await asyncio.gather(*(grow(answer, clock) for answer in answers))
        replay = await fake.replay()
        await outbound.close()

    # Slack would have refused nothing.
    for method, most in _PER_MINUTE.items():
        assert busiest_minute(replay.called(method)) <= most, method
    posts = [call for name in limits.POSTS for call in replay.called(name)]
    assert busiest_minute(posts) <= 60
    assert [call["error"] for call in replay.calls if not call["accepted"]] == []

    # Everybody got the whole answer, in one message, and soon.
    for answer in answers:
        (message,) = replay.visible(where(answer.place))
        assert message.text == f"{answer.text}[{answer.number}]"
        assert message.finished
    assert max(waits) <= 60.0

    # Many grew before people's eyes, and none of them was forgotten meanwhile.
    changes: dict[str, list[float]] = defaultdict(list)
    for call in replay.calls:
        if call["method"] in ("chat.appendStream", "chat.update"):
            changes[call["arguments"]["ts"]].append(call["at"] * _FASTER)
    pauses = [max(after - at for at, after in pairwise(times)) for times in changes.values() if len(times) > 1]
    assert len(pauses) >= 8
    assert max(pauses) <= 30.0

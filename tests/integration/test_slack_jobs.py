"""What jobs post in Slack: told apart from what turns post beside them, in threads, channels and direct messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from adapters.slack.hearing.parse import time_of
from adapters.slack.replying.thread import JOB_EVENT, TURN_EVENT
from bot.messages import Asked, Author, Draft, Final, StepView, Target
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Place, answer
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.judge import judge
from tests.fakes.slack.prepared import ALICE, T1
from tests.fakes.slack.replay import BotMessage
from tests.support.slack_bench import ASKED, READ_LAG, Outbound, call, place_of

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

Start = Callable[..., Outbound]

#: Whom a job's reply answers.
NOBODY = Asked(Author(""), "", "en")
REPORT = Final("answered", "It is 42.", "en", can_rate=False)

_channels = count(1)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: FakeSlack) -> FakeSlack:
    await running.set(reset=True, copies=0, limits=False)
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def start(fake: FakeSlack) -> AsyncIterator[Start]:
    """Makes the adapter as a process that has just started."""
    made: list[Outbound] = []

    def outbound(**how: Any) -> Outbound:
        made.append(Outbound(fake, **how))
        made[-1].clients.plenty()
        return made[-1]

    yield outbound
    for each in made:
        await each.close()


@pytest_asyncio.fixture(loop_scope="module", params=["channel", "thread", "direct"])
async def place(fake: FakeSlack, request: pytest.FixtureRequest) -> Place:
    """A channel of its own, a thread there, or direct messages: where a command was given."""
    if request.param == "direct":
        said = await fake.dm("Hello")
    else:
        name = f"CJ{next(_channels)}{request.param[:2].upper()}"
        await fake.control("add", kind="channel", channel=name, teams=[T1], members=[ALICE, fake.bot_user])
        said = await fake.say("Hello", channel=name)
    if request.param == "thread":
        return place_of(said)
    target = Target("slack", T1, said.channel, None, f"slack:{T1}:{said.channel}")
    return Place(target, time_of(said.ts))


def of_job(book: Book, place: Place, number: int = 7) -> FakeLedger:
    return FakeLedger(book, since=place.since, turn_id=number, is_job=True)


async def ours(fake: FakeSlack, place: Place) -> list[BotMessage]:
    """What people see of us in a channel since the place was made, oldest first."""
    seen = (await fake.replay()).visible()
    return [one for one in seen if one.place.channel == place.target.channel and time_of(one.ts) >= place.since]


async def plant(fake: FakeSlack, place: Place, text: str, event: str, payload: dict[str, Any]) -> str:
    """A message of ours whose id nobody has written down."""
    metadata = {"event_type": event, "event_payload": payload}
    where = {"thread_ts": place.target.thread} if place.target.thread else {}
    made = await call(
        fake, "chat.postMessage", channel=place.target.channel, markdown_text=text, metadata=metadata, **where
    )
    return str(made["ts"])


async def methods(fake: FakeSlack, since: int) -> list[str]:
    calls = (await fake.replay()).calls[since:]
    return [call["method"] for call in calls if call["method"] != "auth.test"]


async def test_a_job_s_message_is_edited_and_never_streams_and_has_no_stop(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    before = len((await fake.replay()).calls)
    outbound = start()
    reply = await outbound.open(place.target, of_job(Book(), place), NOBODY)
    steps = (StepView("act/0", "search", {}),)
    for draft in (Draft(status="Waiting"), Draft("0 %", steps, "Asking"), Draft("50 %"), Draft("90 %")):
        assert await reply.show(draft)
        assert [one.buttons for one in await ours(fake, place)] in ([], [[]])
    await reply.close(REPORT)
    await outbound.close()
    assert await methods(fake, before) == ["chat.postMessage", *["chat.update"] * 3]
    (message,) = await ours(fake, place)
    assert (message.text, message.buttons) == ("It is 42.", [])
    assert message.metadata == {"event_type": JOB_EVENT, "event_payload": {"job": "turn-7", "part": 0}}
    assert message.place.thread == (place.target.thread or message.ts)


async def test_what_a_job_had_posted_and_not_journaled_is_adopted(fake: FakeSlack, start: Start, place: Place) -> None:
    book = Book()
    await of_job(book, place).intend(0)
    planted = await plant(fake, place, "50 %", JOB_EVENT, {"job": "turn-7", "part": 0})
    reply = await start().open(place.target, of_job(book, place), NOBODY)
    await reply.close(REPORT)
    assert [(one.ts, one.text) for one in await ours(fake, place)] == [(planted, "It is 42.")]


async def test_a_job_that_is_settled_leaves_turns_and_other_jobs_alone(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    book = Book()
    await of_job(book, place).intend(0)
    await plant(fake, place, "of a turn", TURN_EVENT, {"turn": "turn-7", "part": 0})
    await plant(fake, place, "of another job", JOB_EVENT, {"job": "turn-8", "part": 0})
    reply = await start().open(place.target, of_job(book, place), NOBODY)
    await reply.close(REPORT)
    assert [one.text for one in await ours(fake, place)] == ["of a turn", "of another job", "It is 42."]


async def test_what_was_in_a_place_before_the_job_is_not_looked_at(fake: FakeSlack, start: Start, place: Place) -> None:
    planted = await plant(fake, place, "old", JOB_EVENT, {"job": "turn-7", "part": 0})
    book, later = Book(), Place(place.target, time_of(planted) + timedelta(microseconds=1))
    await of_job(book, later).intend(0)
    reply = await start().open(place.target, of_job(book, later), NOBODY)
    await reply.close(REPORT)
    assert [one.text for one in await ours(fake, place)] == ["old", "It is 42."]


# Beside a turn, in its thread.


@pytest_asyncio.fixture(loop_scope="module")
async def thread(fake: FakeSlack) -> Place:
    return place_of(await fake.say("What is it?"))


async def test_a_turn_s_tidying_and_recovery_leave_a_job_s_message_alone(
    fake: FakeSlack, start: Start, thread: Place
) -> None:
    outbound = start(read_lag=READ_LAG)
    await plant(fake, thread, "of a job", JOB_EVENT, {"job": "turn-7", "part": 0})
    await outbound.tidy(thread.target, thread.since, FakeLedger(Book()).known)
    assert [one.text for one in await ours(fake, thread)][-1:] == ["of a job"]
    book = Book()
    await FakeLedger(book).intend(0)
    reply = await outbound.open(thread.target, FakeLedger(book, since=thread.since), ASKED)
    await reply.close(answer("42"))
    assert [one.text for one in await ours(fake, thread)][-2:] == ["of a job", "42"]


async def test_a_job_that_ends_leaves_a_turn_s_signs_of_work(fake: FakeSlack, start: Start, thread: Place) -> None:
    outbound = start()
    await outbound.working(thread.target, ASKED)
    before = len((await fake.replay()).calls)
    book = Book()
    for _ in range(2):
        reply = await outbound.open(thread.target, of_job(book, thread), NOBODY)
        await reply.show(Draft(status="Waiting"))
        await reply.close(REPORT)
    await outbound.close()
    assert not any(method.endswith(".setStatus") for method in await methods(fake, before))


async def test_a_report_is_no_answer_and_a_report_twice_is_a_problem(
    fake: FakeSlack, start: Start, thread: Place
) -> None:
    await plant(fake, thread, "a report", JOB_EVENT, {"job": "job-1", "part": 0})
    entries = (await fake.replay()).entries
    mine = [entry for entry in entries if entry["kind"] == "call" and "job-1" in str(entry)]
    assert judge(mine).problems == ()
    await plant(fake, thread, "a report", JOB_EVENT, {"job": "job-1", "part": 0})
    mine = [entry for entry in (await fake.replay()).entries if entry["kind"] == "call" and "job-1" in str(entry)]
    assert [problem.kind for problem in judge(mine).problems] == ["broken"]

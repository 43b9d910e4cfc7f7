"""The audit on both databases: silent about a healthy one, and a finding for each invariant that is broken by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from agent.language import detect
from agent.profile import Profile
from bot.dispatch.claim import Claimed
from bot.dispatch.lease import LEASE_SECONDS
from bot.store import audit, job_parts, jobs, parts
from bot.store.db import Store
from bot.store.tables import conversation, message, part, turn
from tests.support.clock import START, ManualClock
from tests.support.desk import ANN, Desk, edit, say, target
from tests.support.desk import delete as deletion

HOUR = timedelta(hours=1)


async def healthy(store: Store, clock: ManualClock) -> Desk:
    """A database in which turns have come to every end and are in every state that is no end."""
    desk = Desk(store, profile=Profile(overlap="merge"), clock=clock)

    async def claim(key: str) -> Claimed:
        return await desk.start((await desk.conversation(key)).id)

    async def send(key: str, *ids: str, **more: Any) -> None:
        for number, message_id in enumerate(ids):
            await desk.inbox.receive(say(f"about {message_id}", message_id, key=key, at=number, **more))

    await send("answered", "a1", "a2", "a3")  # two of them merged
    await desk.end(await claim("answered"))
    await send("superseded", "s1")
    superseded = await claim("superseded")
    await desk.inbox.receive(edit("other", "s1"))
    following = await desk.end(superseded, "superseded", None)
    assert isinstance(following, Claimed)
    await desk.end(following)
    for key, state in (("failed", "failed"), ("stopped", "stopped"), ("refused", "refused")):
        await send(key, f"{key}-1")
        await desk.end(await claim(key), state, "text")  # type: ignore[arg-type]
    retried = await claim_failed(desk)
    assert await desk.control.retry(retried, ANN) is not None
    await desk.end(await claim("failed"))
    await send("withdrawn", "w1")
    await desk.inbox.receive(deletion("w1"))
    await desk.inbox.receive(deletion("w2"))
    await send("context", "c0")
    await desk.end(await claim("context"))
    await send("context", "c1", addressed=False)
    await send("waiting", "p1")
    await desk.park(await claim("waiting"), clock.now() + HOUR)
    await desk.first((await desk.conversation("waiting")).id)
    await send("running", "r1")
    running = await claim("running")
    await desk.fence(running).write(
        lambda c, now: parts.intend(c, running.turn.id, running.turn.conversation_id, 0, running.turn.epoch, now)
    )
    await send("queued", "q1")
    return desk


async def claim_failed(desk: Desk) -> int:
    """The id of the failed turn."""
    return next(row.id for row in await desk.turns() if row.state == "failed")


@pytest.fixture
async def desk(store: Store) -> Desk:
    return await healthy(store, ManualClock())


async def test_an_intent_that_somebody_works_on_may_stay_open_for_longer(desk: Desk) -> None:
    """The platform is away, or has asked for quiet."""
    await desk.store.write(lambda c: c.execute(update(part).values(intended_at=LONG_AGO)))
    assert await desk.findings() == []


async def test_a_healthy_database_has_no_findings(desk: Desk) -> None:
    assert {row.state for row in await desk.turns()} == {
        *("queued", "running", "waiting", "answered", "merged", "superseded", "stopped", "refused", "failed"),
        "withdrawn",
    }
    assert await desk.findings() == []


def turns_of(key: str, **values: Any) -> Callable[[Connection], Any]:
    """A change of the turns of one conversation."""
    mine = select(conversation.c.id).where(conversation.c.key == target(key).conversation_key).scalar_subquery()
    return lambda c: c.execute(update(turn).where(turn.c.conversation_id == mine).values(**values))


def lease_of(key: str, **values: Any) -> Callable[[Connection], Any]:
    """A change of one conversation."""
    mine = conversation.c.key == target(key).conversation_key
    return lambda c: c.execute(update(conversation).where(mine).values(**values))


def message_of(message_id: str, **values: Any) -> Callable[[Connection], Any]:
    """A change of one message."""
    return lambda c: c.execute(update(message).where(message.c.message_id == message_id).values(**values))


def second_running_turn(connection: Connection) -> None:
    """A copy of the running turn."""
    [row] = connection.execute(select(turn).where(turn.c.state == "running")).mappings()
    copy = {**row, "seq": 99}
    del copy["id"]
    [key] = connection.execute(insert(turn).values(copy).returning(turn.c.id)).one()
    connection.execute(message_of_row(connection, "r1", key))


def message_of_row(connection: Connection, message_id: str, turn_id: int) -> Any:
    """A message like this one that belongs to another turn."""
    [row] = connection.execute(select(message).where(message.c.message_id == message_id)).mappings()
    copy = {**row, "message_id": "copy", "turn_id": turn_id}
    del copy["id"]
    return insert(message).values(copy)


def answer_twice(connection: Connection) -> None:
    """A second copy of an answer."""
    [row] = connection.execute(select(message).where(message.c.role == "assistant").limit(1)).mappings()
    copy = {**row, "message_id": "turn/again"}
    del copy["id"]
    connection.execute(insert(message).values(copy))


def job_with_open_intent(connection: Connection) -> None:
    """A job that failed after it had begun to post."""
    job_id = jobs.queue(connection, "notice", "k", {}, START, START)
    row = jobs.claim(connection, "one", START, START + HOUR)
    assert row is not None
    assert row.id == job_id
    job_parts.intend(connection, row.id, "test", 0, row.epoch, START)
    jobs.end(connection, row.id, row.epoch, "failed", START)


LONG_AGO = START - HOUR

#: What is done to the database, and what the audit says.
BROKEN: dict[str, tuple[Callable[[Connection], Any], str]] = {
    "running without an owner": (
        lambda c: (lease_of("running", owner=None)(c), turns_of("running", touched_at=LONG_AGO)(c)),
        "is running, but nobody holds its conversation's lease",
    ),
    "running under a lease that ended long ago": (
        lambda c: (lease_of("running", lease_until=LONG_AGO)(c), turns_of("running", touched_at=LONG_AGO)(c)),
        "is running, but nobody holds its conversation's lease",
    ),
    "an intent that stays open": (
        lambda c: (lease_of("running", owner=None)(c), c.execute(update(part).values(intended_at=LONG_AGO))),
        "was intended, but has no message id",
    ),
    "a turn that ended with an open intent": (
        turns_of("running", state="failed", finished_at=START),
        "was intended, but has no message id",
    ),
    "a job that ended with an open intent": (
        job_with_open_intent,
        "is over, but a message that it intended has no id",
    ),
    "an addressed message without a turn": (
        message_of("c1", addressed=True),
        "was accepted, but has no turn",
    ),
    "a message of a turn that is not there": (
        message_of("q1", turn_id=4711),
        "belongs to a turn that does not exist",
    ),
    "a message that stayed with its superseded turn": (
        lambda c: message_of("s1", turn_id=c.scalar(select(turn.c.id).where(turn.c.state == "superseded")))(c),
        "which was superseded: nobody answers it",
    ),
    "a message that stayed with a merged turn": (
        lambda c: message_of("a2", turn_id=c.scalar(select(turn.c.id).where(turn.c.state == "merged").limit(1)))(c),
        "which was merged: nobody answers it",
    ),
    "a message that was not deleted of a turn that was withdrawn": (
        message_of("w1", erased_at=None),
        "which was withdrawn: nobody answers it",
    ),
    "a turn for no message": (
        lambda c: c.execute(delete(message).where(message.c.message_id == "refused-1")),
        "answers no message",
    ),
    "a turn that is over since nobody knows when": (
        turns_of("refused", finished_at=None),
        "is over, but has no time of ending",
    ),
    "a live turn with a time of ending": (
        turns_of("queued", finished_at=START),
        "has an outcome, but is still live",
    ),
    "a queued turn that nobody works on": (
        turns_of("queued", created_at=LONG_AGO),
        "waits, and nobody works on its conversation",
    ),
    "a queued turn of an owner that is gone": (
        lambda c: (
            turns_of("queued", created_at=LONG_AGO)(c),
            lease_of("queued", owner="gone", lease_until=LONG_AGO)(c),
        ),
        "waits, and nobody works on its conversation",
    ),
    "a parked turn whose time is over": (
        turns_of("waiting", waiting_until=LONG_AGO),
        "waits for consent beyond its time or its end",
    ),
    "a parked turn that was stopped long ago": (
        turns_of("waiting", end_as="stopped", end_asked_at=LONG_AGO),
        "waits for consent beyond its time or its end",
    ),
    "two running turns": (
        second_running_turn,
        "has more than one running turn",
    ),
    "a turn merged into a merged one": (
        lambda c: c.execute(
            update(turn)
            .where(turn.c.id == select(turn.c.id).where(turn.c.state == "merged").limit(1).scalar_subquery())
            .values(merged_into=select(turn.c.id).where(turn.c.state == "merged").offset(1).limit(1).scalar_subquery())
        ),
        "was merged into a turn that has no outcome of its own",
    ),
    "a turn merged into nothing": (
        lambda c: c.execute(update(turn).where(turn.c.state == "merged").values(merged_into=4711)),
        "was merged into a turn that has no outcome of its own",
    ),
    "an answer that is not kept": (
        lambda c: c.execute(delete(message).where(message.c.role == "assistant")),
        "was answered, but its answer is not among the messages once",
    ),
    "an answer that is kept twice": (
        answer_twice,
        "was answered, but its answer is not among the messages once",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_the_audit_finds(desk: Desk, name: str) -> None:
    break_it, sentence = BROKEN[name]
    await desk.store.write(break_it)
    found = [finding.en for finding in await desk.findings()]
    assert any(sentence in one for one in found), found
    # A message that is taken from its turn leaves a turn without one: the same fault, seen from its other side.
    assert all(sentence in one or "answers no message" in one for one in found), found


@pytest.mark.parametrize("name", BROKEN)
async def test_a_finding_says_the_same_in_both_languages(desk: Desk, name: str) -> None:
    """Each in its own words, and about the same turns and messages."""
    await desk.store.write(BROKEN[name][0])
    for english, chinese in await desk.findings():
        assert (detect(english), detect(chinese)) == ("en", "zh")
        assert sorted(re.findall(r"\d+", english)) == sorted(re.findall(r"\d+", chinese))


async def test_every_check_of_the_audit_has_a_database_that_breaks_it(desk: Desk) -> None:
    """Otherwise a new check could be one that never finds anything."""
    seen: set[str] = set()
    for break_it, _ in BROKEN.values():

        def looked_at(connection: Connection, break_it: Any = break_it) -> set[str]:
            with connection.begin_nested() as savepoint:
                break_it(connection)
                found = {check.__name__ for check in audit._CHECKS if list(check(connection, desk.clock.now()))}
                savepoint.rollback()
            return found

        seen |= await desk.store.write(looked_at)
    assert seen == {check.__name__ for check in audit._CHECKS}


async def test_what_has_just_happened_is_no_finding(store: Store) -> None:
    """A lease that ended a moment ago waits for the sweep; a turn that was just resumed is no old one."""
    clock = ManualClock()
    desk = Desk(store, clock=clock)
    await desk.inbox.receive(say("hello", "m1"))
    await desk.start()
    clock.advance(LEASE_SECONDS + 5)
    assert await desk.findings() == []
    clock.advance(20)
    assert len(await desk.findings()) == 1


async def test_a_turn_that_was_handed_over_may_wait_for_the_next_start(desk: Desk) -> None:
    """A server that was stopped in order leaves it running without a lease, for as long as it is stopped."""

    def stopped_long_ago(connection: Connection) -> None:
        lease_of("running", owner=None, lease_until=None)(connection)
        turns_of("running", touched_at=LONG_AGO, handed_over=True)(connection)

    await desk.store.write(stopped_long_ago)
    assert await desk.findings() == []


async def test_a_turn_that_was_parked_for_hours_and_has_just_been_resumed_is_no_finding(desk: Desk) -> None:
    clock = desk.clock
    [parked] = [row for row in await desk.turns() if row.state == "waiting"]
    clock.advance(1800)
    before = await desk.findings()

    def resume(connection: Connection) -> None:
        connection.execute(
            update(turn)
            .where(turn.c.id == parked.id)
            .values(state="queued", waiting_until=None, touched_at=clock.now())
        )

    await desk.store.write(resume)
    assert await desk.findings() == before
    clock.advance(61)
    assert len(await desk.findings()) > len(before)

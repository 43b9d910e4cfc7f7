"""Leases on both databases: one owner, fenced predecessors, and nothing left behind by a release."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from agent.profile import Profile
from bot.dispatch.claim import Claimed, Drained, Tidy
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.lease import LEASE_SECONDS, MARGIN_SECONDS, Lease
from bot.inbox import Inbox, Rules
from bot.ports import LostTurn
from bot.store import conversations, jobs, parts, turns
from bot.store.db import Store, open_store, sync_engine
from tests.support.clock import START, ManualClock
from tests.support.desk import ANN, Desk, Instant, delete, edit, say, target
from tests.support.second import MESSAGES, TASKS, TIMES, Second, messages, takeovers
from tests.support.server import until

PAST_THE_LEASE = LEASE_SECONDS + 1


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


# One owner


async def test_a_lease_has_one_owner(store: Store, clock: ManualClock) -> None:
    desks = [Desk(store, f"owner-{n}", clock=clock) for n in range(8)]
    await desks[0].inbox.receive(say("hello", "m1"))
    got = await asyncio.gather(*(desk.first() for desk in desks))
    [(epoch, claimed)] = [one for one in got if one is not None]
    assert epoch == 1
    assert isinstance(claimed, Claimed)
    assert (await desks[0].conversation()).owner is not None
    assert await desks[0].states() == ["running"]


async def test_a_lease_can_be_taken_when_its_time_is_over_and_not_before(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("hello", "m1"))
    await one.start()
    clock.advance(LEASE_SECONDS - 1)
    assert await two.first() is None
    clock.advance(1)
    assert await two.first() is not None


async def test_an_empty_queue_frees_the_lease(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("hello", "m1"))
    assert isinstance(await desk.end(await desk.start()), Drained)
    row = await desk.conversation()
    assert (row.owner, row.lease_until, row.epoch) == (None, None, 1)


async def test_a_renewal_prolongs_the_leases_that_are_still_ours(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("a", "m1", key="c1"))
    await one.inbox.receive(say("b", "m2", key="c2"))
    await one.start(1)
    await one.start(2)
    clock.advance(PAST_THE_LEASE)
    await two.start(2)
    until = clock.now() + timedelta(seconds=99)
    kept = await store.write(lambda c: conversations.extend_all(c, "one", {1: 1, 2: 1}, until))
    assert kept == {1}
    assert (await one.conversation("c1")).lease_until == until
    assert (await one.conversation("c2")).owner == "two"


async def test_a_renewal_of_a_lost_lease_fails(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("hello", "m1"))
    await one.start()
    clock.advance(PAST_THE_LEASE)
    await two.start()
    until = clock.now() + timedelta(seconds=99)
    assert await store.write(lambda c: conversations.extend_all(c, "one", {1: 1}, until)) == set()
    assert await store.write(lambda c: conversations.extend(c, 1, "one", 1, until)) is None
    # Its own name does not help a process that has lost the lease and holds an old epoch.
    assert await store.write(lambda c: conversations.extend(c, 1, "two", 1, until)) is None


def test_the_owner_stops_trusting_its_lease_a_margin_before_its_end(clock: ManualClock) -> None:
    lease = Lease(1, 1, clock, clock.monotonic())
    clock.advance(LEASE_SECONDS - MARGIN_SECONDS - 1)
    lease.check()
    lease.extended(clock.monotonic())
    clock.advance(LEASE_SECONDS - MARGIN_SECONDS - 1)
    lease.check()
    clock.advance(1)
    with pytest.raises(LostTurn):
        lease.check()


def test_a_late_renewal_does_not_shorten_a_lease(clock: ManualClock) -> None:
    clock.advance(100)
    lease = Lease(1, 1, clock, clock.monotonic())
    lease.extended(clock.monotonic() - 50)
    clock.advance(LEASE_SECONDS - MARGIN_SECONDS - 1)
    lease.check()


# Take-overs


async def test_a_takeover_fences_the_old_owner(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("hello", "m1"))
    old = await one.start()
    clock.advance(PAST_THE_LEASE)
    new = await two.start()
    assert (new.turn.id, new.turn.epoch, new.turn.attempts) == (old.turn.id, 2, 2)
    with pytest.raises(LostTurn):
        await one.fence(old).write(lambda c, now: parts.intend(c, old.turn.id, 1, 0, old.turn.epoch, now))
    assert await store.read(lambda c: parts.of_turn(c, old.turn.id)) == []
    assert await one.end(old, answer="from the old owner") is None
    assert isinstance(await two.end(new, answer="from the new owner"), Drained)
    assert [row.text for row in await two.messages()] == ["hello", "from the new owner"]


async def test_a_takeover_notes_when_to_look_for_strays(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("hello", "m1", at=7))
    first = await one.start()
    clock.advance(PAST_THE_LEASE)
    await two.start()
    row = await two.conversation()
    assert (row.tidy_at, row.tidy_since) == (clock.now() + two.claim.tidy_after, first.turn.sent_at)


async def test_a_second_takeover_keeps_the_earlier_time_to_look_from(store: Store, clock: ManualClock) -> None:
    desks = [Desk(store, name, clock=clock) for name in ("one", "two", "three")]
    await desks[0].inbox.receive(say("first", "m1", at=7))
    await desks[0].inbox.receive(say("second", "m2", at=9))
    first = await desks[0].start()
    clock.advance(PAST_THE_LEASE)
    assert isinstance(await desks[1].end(await desks[1].start()), Claimed)
    clock.advance(PAST_THE_LEASE)
    assert (await desks[2].start()).turn.id == 2
    row = await desks[2].conversation()
    assert (row.tidy_at, row.tidy_since) == (clock.now() + desks[2].claim.tidy_after, first.turn.sent_at)


async def test_strays_are_looked_for_between_turns_when_it_is_time(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("first", "m1", at=7))
    await one.inbox.receive(say("second", "m2", at=9))
    first = await one.start()
    clock.advance(PAST_THE_LEASE)
    taken = await two.start()
    clock.advance(two.claim.tidy_after.total_seconds())
    assert await two.end(taken) == Tidy(first.target, first.turn.sent_at)
    await store.write(lambda c: conversations.set_tidy(c, 1, 2, None, None))
    assert (await two.start()).turn.id == 2


async def test_a_turn_that_was_handed_over_is_no_attempt(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("hello", "m1"))
    await one.start()
    assert await store.write(lambda c: conversations.hand_back(c, 1, 1))
    assert not await store.write(lambda c: conversations.hand_back(c, 1, 0))
    again = await two.start()
    assert (again.turn.epoch, again.turn.attempts) == (2, 1)
    clock.advance(PAST_THE_LEASE)
    assert (await one.start()).turn.attempts == 2


async def test_at_the_start_of_the_only_process_every_lease_is_void(store: Store) -> None:
    before, after = Desk(store, "before"), Desk(store, "after")
    await before.inbox.receive(say("hello", "m1"))
    await before.start()
    assert await store.write(conversations.void_all_leases) == 1
    assert (await after.start()).turn.attempts == 2


# Release


async def test_a_release_with_a_waiting_turn_is_refused(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("one", "m1"))
    await desk.start()
    await desk.inbox.receive(say("two", "m2", at=1))
    assert not await store.write(lambda c: conversations.release(c, 1, 1))
    assert (await desk.conversation()).owner == "one"


async def test_a_release_under_an_old_epoch_is_refused(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("one", "m1"))
    await one.start()
    clock.advance(PAST_THE_LEASE)
    await two.start()
    assert not await store.write(lambda c: conversations.release(c, 1, 1))
    assert (await two.conversation()).owner == "two"


async def test_release_loses_against_a_message_that_arrives(postgres_store: Store, postgres_url: str) -> None:
    """The message's transaction is open when the drain wants to release: the drain waits for it and sees its turn.

    A release that was one statement with a sub-query would wait too, but look for the turn in its old snapshot.
    """
    desk = Desk(postgres_store)
    await desk.inbox.receive(say("one", "m1"))
    claimed = await desk.start()
    engine = sync_engine(postgres_url)
    with engine.connect() as arriving:
        seq = conversations.take_seq(arriving, 1, START)
        turn_id = turns.queue(arriving, conversation_id=1, generation=1, seq=seq, sent_at=START, lang="en", now=START)
        ending = asyncio.create_task(desk.end(claimed))
        await blocked(engine)
        arriving.commit()
        following = await ending
    engine.dispose()
    assert isinstance(following, Claimed)
    assert following.turn.id == turn_id


async def blocked(engine: Engine) -> None:
    """Wait until some transaction waits for another's lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        async def is_blocked() -> bool:
            return bool(connection.execute(waiting).scalar())

        await until(is_blocked)


async def test_an_edit_and_a_part_of_the_running_turn_do_not_wait_for_each_other(
    postgres_store: Store, postgres_url: str
) -> None:
    desk = Desk(postgres_store)
    await desk.inbox.receive(say("hello", "m1"))
    claimed = await desk.start()
    engine = sync_engine(postgres_url)
    with engine.connect() as editing:
        conversations.lock(editing, 1)
        async with asyncio.timeout(20):
            await desk.fence(claimed).write(lambda c, now: parts.intend(c, claimed.turn.id, 1, 0, 1, now))
        editing.rollback()
    engine.dispose()


# The sweep


async def found(desk: Desk, *platforms: str) -> list[int]:
    now, owner = desk.clock.now(), desk.claim.owner
    return await desk.store.read(lambda c: conversations.find_work(c, owner, platforms or ("test",), now))


async def test_the_sweep_finds_queued_turns_that_nobody_works_on(store: Store, clock: ManualClock) -> None:
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("hello", "m1"))
    assert await found(two) == [1]
    assert await found(two, "elsewhere") == []
    await one.start()
    assert await found(two) == []
    clock.advance(PAST_THE_LEASE)
    assert await found(two) == [1]


async def test_turns_of_a_platform_that_is_gone_do_not_hide_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store)
    for number in range(4):
        original = say("hello", f"m{number}")
        platform = "gone" if number < 3 else "test"
        place = type(original.target)(platform, "w", "ch", None, f"{platform}:{number}")
        await desk.inbox.receive(type(original)(place, f"m{number}", ANN, "hello", original.sent_at))
    monkeypatch.setattr(conversations, "_MOST_WORK", 2)
    assert len(await found(desk, "gone")) == 2
    assert await found(desk, "test") == [4]


async def test_the_sweep_finds_what_an_earlier_drain_of_this_process_left(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("hello", "m1"))
    await desk.start()
    assert await found(desk) == [1]


async def test_the_sweep_finds_parked_turns_when_their_time_is_over_or_their_end_was_asked_for(store: Store) -> None:
    desk = Desk(store)
    for number in (1, 2):
        await desk.inbox.receive(say("hello", f"m{number}", key=f"c{number}"))
        claimed = await desk.start(number)
        await desk.park(claimed, desk.clock.now() + timedelta(hours=1))
        assert isinstance(await desk.first(number), tuple)
    assert await found(desk) == []
    assert await desk.control.stop(2, ANN)
    assert await found(desk) == [2]
    desk.clock.advance(3600)
    assert await found(desk) == [1, 2]


async def test_the_sweep_finds_conversations_to_tidy_when_it_is_time(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("hello", "m1"))
    await desk.answer()
    at = START + timedelta(seconds=60)
    await store.write(lambda c: conversations.set_tidy(c, 1, 1, at, START))
    assert await found(desk) == []
    desk.clock.advance(60)
    assert await found(desk) == [1]


LOOKS: dict[str, Callable[[Connection], Any]] = {
    "find_work": lambda c: conversations.find_work(c, "one", ("test",), START),
    "take_over": lambda c: turns.take_over(c, 1, 1, START),
    "start_next": lambda c: turns.start_next(c, 1, 1, START),
    "release": lambda c: conversations.release(c, 1, 0),
    "hand_back": lambda c: conversations.hand_back(c, 1, 0),
    "claim a job": lambda c: jobs.claim(c, "one", START, START),
    "next_run": jobs.next_run,
}


@pytest.mark.parametrize("name", LOOKS)
def test_looking_for_work_reads_what_is_live_and_not_the_history(sqlite_url: str, name: str) -> None:
    """A partial index is used only when its condition is spelled out in the query; a million old turns cost nothing."""
    engine = sync_engine(sqlite_url)
    statements: list[tuple[str, Any]] = []
    with engine.connect() as connection:
        conversations.find_or_create(connection, target(), START)
        event.listen(
            connection, "before_cursor_execute", lambda _c, _k, sql, given, *_: statements.append((sql, given))
        )
        LOOKS[name](connection)
        plans = [
            row[3]
            for sql, given in list(statements)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)
        ]
    engine.dispose()
    about = [plan for plan in plans if plan.split()[1] in ("turn", "job")]
    assert about
    for plan in about:
        assert any(index in plan for index in ("ix_turn_live", "ix_job_due", "INTEGER PRIMARY KEY")), plans


# Many at once


async def test_each_epoch_is_handed_out_once(store: Store) -> None:
    await Desk(store).inbox.receive(say("hello", "m1"))
    halves = await asyncio.gather(takeovers(store, "a"), takeovers(store, "b"))
    assert sorted(epoch for half in halves for epoch in half) == list(range(1, 2 * TASKS * TIMES + 1))


async def test_each_epoch_is_handed_out_once_with_a_second_process(store: Store, database_url: str) -> None:
    await Desk(store).inbox.receive(say("hello", "m1"))
    with Second("takeovers", database_url) as second:
        second.go()
        mine = await takeovers(store, "first")
        theirs = await second.result()
    assert sorted(mine + theirs) == list(range(1, 2 * TASKS * TIMES + 1))


async def test_a_second_process_can_write_beside_the_first(store: Store, database_url: str) -> None:
    with Second("messages", database_url) as second:
        second.go()
        mine = await messages(store, "first")
        theirs = await second.result()
    desk = Desk(store)
    assert len({*mine, *theirs}) == 2 * MESSAGES
    assert [row.seq for row in await desk.turns()] == list(range(1, 2 * MESSAGES + 1))
    assert (await desk.conversation()).next_seq == 2 * MESSAGES + 1


class Worker:
    """A process that has wake-ups but no sweep: what a wake-up misses stays undone."""

    def __init__(self, store: Store, name: str, runner: Instant, profile: Profile | None = None) -> None:
        self.desk = Desk(store, name, profile=profile)
        any_runner: Any = runner
        self.dispatcher = Dispatcher(
            store=store,
            clock=self.desk.clock,
            claim=self.desk.claim,
            runner=any_runner,
            live=self.desk.live,
            platforms=("test",),
            most_turns=8,
        )
        self.inbox = Inbox(store, self.desk.clock, self.dispatcher, self.desk.live, Rules(1000))

    async def idle(self) -> None:
        """Wait until every drain is over."""

        async def is_idle() -> bool:
            return self.dispatcher.busy == 0

        await until(is_idle, 60)


@pytest.mark.parametrize("overlap", ["queue", "merge"])
async def test_no_turn_is_left_behind_when_messages_meet_releases(database_url: str, overlap: Any) -> None:
    """Two owners, one conversation, twenty messages at once, five times; nobody sweeps."""
    stores = [open_store(database_url)]
    if stores[0].dialect == "postgresql":
        stores.append(open_store(database_url))
    runner = Instant()
    workers = [Worker(stores[n % len(stores)], f"owner-{n}", runner, Profile(overlap=overlap)) for n in range(2)]
    desk = workers[0].desk
    for wave in range(5):
        await asyncio.gather(*(workers[n % 2].inbox.receive(say(f"q{n}", f"m{wave}-{n}", at=wave)) for n in range(20)))
        for worker in workers:
            await worker.idle()
        assert set(await desk.states()) <= {"answered", "merged"}
    assert len(await desk.turns()) == 100
    assert (await desk.conversation()).owner is None
    asked = "\n\n".join(claimed.task.question for claimed in runner.ran).split("\n\n")
    assert len(asked) == 100
    assert await desk.findings() == []
    for store in stores:
        await store.close()


async def test_an_edit_that_meets_a_claim_is_never_lost(store: Store) -> None:
    """Whatever comes first, the new text is answered in the end: the turn reads it, or is superseded."""
    runner = Instant()
    worker = Worker(store, "one", runner, Profile(overlap="merge"))
    for number in range(20):
        edited = asyncio.Event()

        async def until_edited(_: Claimed, edited: asyncio.Event = edited) -> None:
            await edited.wait()

        runner.during = until_edited
        # Two messages, so that the claim merges: the second's turn changes under the edit's hands.
        await worker.desk.inbox.receive(say("first", f"a{number}", at=number))
        await worker.desk.inbox.receive(say("old", f"b{number}", at=number + 0.5))
        worker.dispatcher.wake(1)
        await worker.inbox.receive(edit("new", f"b{number}"))
        edited.set()
        await worker.idle()
        assert runner.ran[-1].task.question == "first\n\nnew"
    assert await worker.desk.findings() == []


async def test_retries_at_once_make_one_turn(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("hello", "m1"))
    await desk.end(await desk.start(), "failed", None)
    got = await asyncio.gather(*(desk.control.retry(1, ANN) for _ in range(5)))
    assert sorted(got, key=str) == [2, None, None, None, None]
    assert await desk.states() == ["failed", "queued"]


async def test_stops_at_once_are_one_request(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("hello", "m1"))
    got = await asyncio.gather(*(desk.control.stop(1, ANN) for _ in range(5)))
    assert sorted(got) == [False, False, False, False, True]


async def test_any_mixture_of_events_leaves_every_message_with_one_outcome(store: Store) -> None:
    """Accepts, edits, deletions, stops and retries against two owners that claim and end turns."""
    dice = random.Random(7)

    async def a_little(claimed: Claimed) -> None:
        for _ in range(dice.randrange(3)):
            await asyncio.sleep(0)

    workers = [Worker(store, f"owner-{n}", Instant(a_little), Profile(overlap="merge")) for n in range(2)]
    desk = workers[0].desk

    async def life(number: int) -> None:
        key, message_id, worker = f"c{number % 3}", f"m{number}", workers[number % 2]
        original = say(f"q{number}", message_id, key=key, at=number)
        accepted = await worker.inbox.receive(original)
        for action in dice.choices(["edit", "delete", "again", "stop", "retry"], k=2):
            if action == "edit":
                await worker.inbox.receive(edit(f"Q{number} {dice.random()}", message_id))
            elif action == "delete":
                await worker.inbox.receive(delete(message_id))
            elif action == "again":
                await worker.inbox.receive(original)
            elif accepted.turn_id is not None and action == "stop":
                await desk.control.stop(accepted.turn_id, ANN)
            elif accepted.turn_id is not None:
                await desk.control.retry(accepted.turn_id, ANN)

    await asyncio.gather(*(life(number) for number in range(60)))
    # The desk's bell wakes nobody, so what Stop and Retry left is the sweep's.
    for _ in range(10):
        for worker in workers:
            for conversation_id in await found(worker.desk):
                worker.dispatcher.wake(conversation_id)
            await worker.idle()
    desk.clock.advance(3600)
    assert not {"queued", "running", "waiting"} & set(await desk.states())
    assert await desk.findings() == []
    assert [(await desk.conversation(f"c{n}")).owner for n in range(3)] == [None, None, None]

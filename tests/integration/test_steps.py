"""The rows behind a turn's journal and ledger on both databases: the table "Step" of `docs/state.md`, and who writes.

The agent is left out; what a ledger does around the calls to a platform is in `test_posting.py` and the contract of the
adapters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.journal import OutcomeUnknown, Recalled, step
from bot.dispatch.claim import CONTEXT, Claimed
from bot.dispatch.lease import LEASE_SECONDS
from bot.journal import TurnJournal, TurnLedger
from bot.ports import LostTurn
from bot.store import parts, steps
from bot.store.db import Store
from bot.store.tables import draft
from tests.support.clock import START, ManualClock
from tests.support.desk import Desk, say


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def queue(desk: Desk, text: str) -> None:
    await desk.inbox.receive(say(text, f"m-{text}"))


def journal(desk: Desk, claimed: Claimed, known: Mapping[str, Recalled] | None = None) -> TurnJournal:
    return TurnJournal(desk.fence(claimed), claimed.steps if known is None else known)


# Steps


async def test_finished_steps_are_recalled(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "hello")
    made: list[str] = []

    async def make() -> dict[str, Any]:
        made.append("made")
        return {"text": "字 and \x00 and \ud83d", "list": [1, None, 2.5]}

    result = await step(journal(one, await one.start()), "act/0/0", make)
    clock.advance(LEASE_SECONDS)
    again = await step(journal(two, await two.start()), "act/0/0", make)
    assert again == result
    assert made == ["made"]


async def test_a_started_reading_step_runs_again(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "hello")
    begun = journal(one, await one.start())
    await begun.begin("act/0/0", {"try": 1})
    await begun.settle()
    clock.advance(LEASE_SECONDS)
    claimed = await two.start()
    assert claimed.steps["act/0/0"] == Recalled("started", False)

    async def make() -> str:
        return "made"

    assert await step(journal(two, claimed), "act/0/0", make, {"try": 2}) == "made"
    assert await store.read(lambda c: steps.detail(c, 1, "act/0/0")) == {"try": 2}


async def test_a_writing_step_is_on_record_before_it_runs_and_is_not_begun_again(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "hello")
    await journal(one, await one.start()).begin("act/0/0", writes=True)
    assert (await store.read(lambda c: steps.of_turn(c, 1)))["act/0/0"] == Recalled("started", True)
    clock.advance(LEASE_SECONDS)
    claimed = await two.start()
    ran: list[str] = []

    async def make() -> str:
        ran.append("ran")
        return "done"

    with pytest.raises(OutcomeUnknown):
        await step(journal(two, claimed), "act/0/0", make, writes=True)
    with pytest.raises(OutcomeUnknown):
        await journal(two, claimed, {}).begin("act/0/0", writes=True)
    assert ran == []


async def test_steps_of_a_lost_turn_are_not_written(store: Store) -> None:
    """The old owner was frozen: its own clock says that the lease is still good."""
    one = Desk(store, "one", clock=ManualClock(START))
    two = Desk(store, "two", clock=ManualClock(START + timedelta(seconds=LEASE_SECONDS)))
    await queue(one, "hello")
    claimed = await one.start()
    old = journal(one, claimed)
    await old.begin("act/0/0")
    await old.settle()
    await two.start()
    with pytest.raises(LostTurn):
        await old.finish("act/0/0", "from the old owner")
    await old.begin("act/1/0")
    with pytest.raises(LostTurn):
        await old.finish("act/1/0", "from the old owner")
    with pytest.raises(LostTurn):
        await old.begin("act/2/0", writes=True)
    found = await store.read(lambda c: steps.of_turn(c, 1))
    assert {key: row.state for key, row in found.items()} == {CONTEXT: "done", "act/0/0": "started"}


async def test_a_step_is_not_begun_when_the_lease_is_over(desk: Desk) -> None:
    await queue(desk, "hello")
    begun = journal(desk, await desk.start())
    desk.clock.advance(LEASE_SECONDS)
    with pytest.raises(LostTurn):
        await begun.begin("act/0/0")
    assert set(await desk.store.read(lambda c: steps.of_turn(c, 1))) == {CONTEXT}


async def test_a_step_is_finished_once(desk: Desk) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    await desk.store.write(lambda c: steps.begin(c, 1, "act/0/0", None, 1, START, writes=False))
    assert await desk.store.write(lambda c: steps.finish(c, 1, "act/0/0", "first", START))
    assert not await desk.store.write(lambda c: steps.finish(c, 1, "act/0/0", "second", START))
    assert not await desk.store.write(lambda c: steps.insert_done(c, 1, "act/0/0", None, "third", 1, START))
    with pytest.raises(LostTurn):
        await journal(desk, claimed).finish("act/0/0", "fourth")
    assert (await desk.store.read(lambda c: steps.of_turn(c, 1)))["act/0/0"].result == "first"


# Parts, as far as rows go


async def test_a_part_is_posted_once(desk: Desk) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    ledger = TurnLedger(desk.fence(claimed), ())
    await ledger.intend(0)
    [part] = await desk.store.read(lambda c: parts.of_turn(c, 1))
    assert (part.position, part.external_id, part.intended_at) == (0, None, START)
    assert await desk.store.write(lambda c: parts.posted(c, 1, 0, "p1", START))
    assert not await desk.store.write(lambda c: parts.posted(c, 1, 0, "p2", START))
    assert await desk.store.read(lambda c: parts.known(c, 1, ["p1", "p2"])) == {"p1"}


async def test_a_removed_part_is_gone_from_the_ledger(desk: Desk) -> None:
    await queue(desk, "hello")
    ledger = TurnLedger(desk.fence(await desk.start()), ())
    await ledger.intend(0)
    await ledger.posted(0, "p1")
    await ledger.removed(0)
    assert await desk.store.read(lambda c: parts.of_turn(c, 1)) == []
    assert await desk.store.read(lambda c: parts.known(c, 1, ["p1"])) == set()


async def test_a_takeover_sees_the_parts_of_the_last_owner(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "hello")
    ledger = TurnLedger(one.fence(await one.start()), ())
    await ledger.intend(0)
    await ledger.posted(0, "p1")
    await ledger.intend(1)
    clock.advance(LEASE_SECONDS)
    claimed = await two.start()
    assert [(part.position, part.external_id) for part in claimed.parts] == [(0, "p1"), (1, None)]
    await TurnLedger(two.fence(claimed), claimed.parts).intend(1)
    [_, again] = await store.read(lambda c: parts.of_turn(c, 1))
    assert again.intended_at == clock.now()


@pytest.mark.parametrize("call", ["intend", "posted", "removed", "save_draft"])
async def test_a_lost_turn_writes_nothing_into_its_ledger(store: Store, call: str) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "hello")
    ledger = TurnLedger(one.fence(await one.start()), ())
    await ledger.intend(0)
    clock.advance(LEASE_SECONDS)
    await two.start()
    arguments: dict[str, tuple[Any, ...]] = {
        "intend": (1,),
        "posted": (0, "p1"),
        "removed": (0,),
        "save_draft": ({"text": "x"}, 1),
    }
    with pytest.raises(LostTurn):
        await getattr(ledger, call)(*arguments[call])
    [part] = await store.read(lambda c: parts.of_turn(c, 1))
    assert (part.position, part.external_id) == (0, None)
    assert await store.read(lambda c: c.execute(select(draft)).all()) == []

"""The table "Turn" of `docs/state.md` on both databases: every transition, and what may not happen.

Turns are claimed and ended by hand here; what the dispatcher, the agent and the platforms add is in `test_turns.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from agent.journal import Parked, Recalled
from agent.profile import Profile
from bot.dispatch.claim import CONTEXT, Claimed, Drained
from bot.dispatch.lease import LEASE_SECONDS
from bot.journal import CONSENT_TIME, TurnJournal, TurnLedger
from bot.messages import TurnState
from bot.store import steps, turns
from bot.store.db import Store
from bot.store.tables import draft
from tests.support.clock import START, ManualClock
from tests.support.desk import ANN, Desk, delete, edit, say

BOB = type(ANN)("bob")
MERGE = Profile(overlap="merge")


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


@pytest.fixture
def merging(store: Store) -> Desk:
    return Desk(store, profile=MERGE)


async def queue(desk: Desk, *texts: str, at: float = 0) -> None:
    """One message each, in this order by platform time too."""
    for number, text in enumerate(texts):
        await desk.inbox.receive(say(text, f"m-{text}", at=at + number))


def journal(desk: Desk, claimed: Claimed, known: Mapping[str, Recalled] | None = None) -> TurnJournal:
    return TurnJournal(desk.fence(claimed), claimed.steps if known is None else known)


# queued -> running


async def test_a_started_turn_carries_the_epoch_of_its_lease(desk: Desk) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    [row] = await desk.turns()
    assert (row.state, row.epoch, row.attempts, row.started_at) == ("running", 1, 1, desk.clock.now())
    assert (claimed.turn.epoch, claimed.task.question) == (1, "hello")
    assert (await desk.conversation()).epoch == 1


async def test_turns_of_the_same_time_run_by_arrival(desk: Desk) -> None:
    for text in ("b", "a", "c"):
        await desk.inbox.receive(say(text, text))
    asked = []
    todo: Any = await desk.start()
    while isinstance(todo, Claimed):
        asked.append(todo.task.question)
        todo = await desk.end(todo)
    assert asked == ["b", "a", "c"]


async def test_starting_freezes_what_the_turn_depends_on(desk: Desk) -> None:
    await queue(desk, "one")
    await desk.answer()
    await queue(desk, "two", at=1)
    await desk.inbox.receive(edit("TWO", "m-two"))
    claimed = await desk.start()
    frozen = (await desk.store.read(lambda c: steps.of_turn(c, claimed.turn.id)))[CONTEXT]
    assert frozen.state == "done"
    assert frozen.result == {
        "now": START.isoformat(),
        "zone": "UTC",
        "lang": "en",
        "profiles": [1],
        "messages": [[3, 1]],
        "history": [1],
    }
    assert [(e.question, e.answer, e.at) for e in claimed.task.history] == [("one", "ok", START)]


async def test_a_full_history_begins_alike_for_several_turns(desk: Desk) -> None:
    beginnings, lengths = [], []
    for number in range(32):
        await queue(desk, str(number), at=number)
        claimed = await desk.start()
        if claimed.task.history:
            beginnings.append(claimed.task.history[0].question)
            lengths.append(len(claimed.task.history))
        await desk.end(claimed)
    assert list(dict.fromkeys(beginnings)) == ["0", "4", "9", "14"]
    assert lengths[:19] == list(range(1, 20))
    assert all(16 <= length <= 20 for length in lengths[19:])


async def test_a_takeover_rebuilds_the_question_from_what_was_frozen(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "hello")
    first = await one.start()
    clock.advance(LEASE_SECONDS)
    second = await two.start()
    assert second.task == first.task
    assert second.task.now == START


async def test_a_takeover_keeps_the_zone_of_the_first_attempt(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    two.claim = replace(two.claim, zone=ZoneInfo("Asia/Shanghai"))
    await queue(one, "What day is it?")
    first = await one.start()
    clock.advance(LEASE_SECONDS)
    second = await two.start()
    assert second.task.now.utcoffset() == first.task.now.utcoffset() == timedelta(0)


# queued -> merged


async def test_merging_takes_all_that_waits_into_the_first(merging: Desk) -> None:
    await queue(merging, "one", "two", "three")
    claimed = await merging.start()
    assert claimed.task.question == "one\n\ntwo\n\nthree"
    assert [(row.state, row.merged_into) for row in await merging.turns()] == [
        ("running", None),
        ("merged", 1),
        ("merged", 1),
    ]
    assert {row.turn_id for row in await merging.messages()} == {1}
    assert isinstance(await merging.end(claimed), Drained)
    assert await merging.findings() == []


async def test_a_refused_message_is_not_merged(merging: Desk) -> None:
    await queue(merging, "one", " ", "three")
    claimed = await merging.start()
    assert claimed.task.question == "one\n\nthree"
    assert await merging.states() == ["running", "queued", "merged"]


async def test_nothing_is_merged_into_a_refused_message(merging: Desk) -> None:
    await queue(merging, " ", "two")
    assert (await merging.start()).turn.reason == "empty"
    assert await merging.states() == ["running", "queued"]


async def test_nothing_is_merged_into_a_turn_that_was_stopped(merging: Desk) -> None:
    await queue(merging, "one", "two")
    assert await merging.control.stop(1, ANN)
    stopped = await merging.start()
    assert (stopped.turn.id, stopped.turn.end_as) == (1, "stopped")
    following = await merging.end(stopped, "stopped", None)
    assert isinstance(following, Claimed)
    assert following.task.question == "two"


async def test_a_stopped_turn_is_not_merged_into_another(merging: Desk) -> None:
    await queue(merging, "one", "two")
    assert await merging.control.stop(2, ANN)
    assert (await merging.start()).task.question == "one"
    assert await merging.states() == ["running", "queued"]


async def test_nothing_is_merged_into_a_turn_whose_question_is_frozen(merging: Desk) -> None:
    await queue(merging, "write")
    await ask_consent(merging, await merging.start())
    await queue(merging, "two", at=1)
    assert await merging.control.consent(1, "consent/0/0", ANN, True)
    resumed = await merging.start()
    assert (resumed.turn.id, resumed.task.question) == (1, "write")
    following = await merging.end(resumed)
    assert isinstance(following, Claimed)
    assert following.task.question == "two"


async def test_messages_of_another_generation_are_not_merged(merging: Desk) -> None:
    await merging.inbox.receive(say("one", "m1", threaded=False))
    merging.clock.advance(13 * 3600)
    await merging.inbox.receive(say("two", "m2", at=1, threaded=False))
    assert (await merging.start()).task.question == "one"
    assert await merging.states() == ["running", "queued"]


async def test_what_points_to_a_turn_that_is_merged_follows_it(merging: Desk) -> None:
    await queue(merging, "one", "two", at=1)
    running = await merging.start()
    await merging.inbox.receive(edit("ONE", "m-one"))
    await queue(merging, "zero", at=0)
    following = await merging.end(running, "superseded", None)
    assert isinstance(following, Claimed)
    assert following.task.question == "zero\n\nONE\n\ntwo"
    rows = await merging.turns()
    assert [row.state for row in rows] == ["superseded", "merged", "merged", "running"]
    assert [row.merged_into for row in rows] == [4, 4, 4, None]
    await merging.end(following)
    assert await merging.findings() == []


# Ends


ENDS: list[TurnState] = ["answered", "stopped", "refused", "failed", "superseded", "withdrawn"]


@pytest.mark.parametrize("state", ENDS)
async def test_a_running_turn_ends_once(desk: Desk, state: TurnState) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    assert isinstance(await desk.end(claimed, state, "text"), Drained)
    [row] = await desk.turns()
    assert (row.state, row.answer, row.finished_at) == (state, "text", desk.clock.now())
    for other in ENDS:
        assert await desk.end(claimed, other, "again") is None
    assert await desk.states() == [state]


async def test_an_answer_is_kept_among_the_messages_once(desk: Desk) -> None:
    await queue(desk, "hello")
    await desk.answer()
    asked, answer = await desk.messages()
    assert (answer.role, answer.text, answer.turn_id, answer.addressed) == ("assistant", "ok", asked.turn_id, False)
    assert await desk.findings() == []


async def test_an_answer_that_is_complete_stands_against_stop(desk: Desk) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    assert await desk.control.stop(1, ANN)
    assert await desk.end(claimed, "answered") is not None
    assert await desk.states() == ["answered"]


@pytest.mark.parametrize("state", ["answered", "stopped", "failed"])
async def test_an_answer_yields_to_an_edit(desk: Desk, state: TurnState) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    await desk.inbox.receive(edit("other", "m-hello"))
    assert await desk.end(claimed, state) is None
    assert isinstance(await desk.end(claimed, "superseded", None), Claimed)


async def test_an_answer_yields_to_a_deletion(desk: Desk) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    await desk.inbox.receive(delete("m-hello"))
    assert await desk.end(claimed) is None
    assert isinstance(await desk.end(claimed, "withdrawn", None), Drained)


async def test_the_end_of_a_turn_takes_its_draft_with_it(desk: Desk) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    ledger = TurnLedger(desk.fence(claimed), ())
    await ledger.save_draft({"text": "so f"}, 1)
    await ledger.save_draft({"text": "so far"}, 2)
    kept = select(draft.c.turn_id, draft.c.version, draft.c.body)
    assert await desk.store.read(lambda c: c.execute(kept).all()) == [(1, 2, {"text": "so far"})]
    await desk.end(claimed)
    assert await desk.store.read(lambda c: c.execute(kept).all()) == []


@pytest.mark.parametrize(("state", "kept"), [("answered", True), ("superseded", False), ("withdrawn", False)])
async def test_steps_of_a_text_that_was_taken_back_go_with_it(desk: Desk, state: TurnState, kept: bool) -> None:
    await queue(desk, "hello")
    claimed = await desk.start()
    await desk.end(claimed, state)
    assert bool(await desk.store.read(lambda c: steps.of_turn(c, 1))) is kept


# Ends that are asked for


async def test_stop_is_noted_with_who_asked(desk: Desk) -> None:
    await queue(desk, "hello")
    assert await desk.control.stop(1, BOB)
    [row] = await desk.turns()
    assert (row.state, row.end_as, row.end_asked_by, row.end_asked_at) == ("queued", "stopped", "bob", START)
    assert (desk.bell.nudged, desk.bell.woken) == ([1], [1, 1])


async def test_only_the_first_stop_counts(desk: Desk) -> None:
    await queue(desk, "hello")
    assert await desk.control.stop(1, ANN)
    assert not await desk.control.stop(1, BOB)
    assert (await desk.turns())[0].end_asked_by == "ann"


async def test_what_is_over_can_not_be_stopped(desk: Desk) -> None:
    await queue(desk, "hello")
    await desk.answer()
    assert not await desk.control.stop(1, ANN)
    assert not await desk.control.stop(999, ANN)
    assert (await desk.turns())[0].end_as is None


async def test_a_deletion_beats_stop_and_stop_does_not_beat_it(desk: Desk) -> None:
    await queue(desk, "hello")
    await desk.start()
    assert await desk.control.stop(1, ANN)
    await desk.inbox.receive(delete("m-hello"))
    assert (await desk.turns())[0].end_as == "withdrawn"
    assert not await desk.control.stop(1, ANN)
    assert (await desk.turns())[0].end_as == "withdrawn"


async def test_the_owner_learns_which_of_its_turns_shall_end(desk: Desk) -> None:
    await queue(desk, "one", "two", "three")
    await desk.control.stop(2, ANN)
    await desk.control.stop(3, ANN)
    assert await desk.store.read(lambda c: turns.ends_asked(c, [1, 2])) == [(2, "stopped")]
    assert await desk.store.read(lambda c: turns.ends_asked(c, [])) == []


async def test_a_takeover_finds_the_end_that_was_asked_for(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "hello")
    await one.start()
    await one.control.stop(1, ANN)
    clock.advance(LEASE_SECONDS)
    assert (await two.start()).turn.end_as == "stopped"


# running -> waiting -> queued


async def ask_consent(desk: Desk, claimed: Claimed) -> None:
    """Let a turn run into a writing step and park it, as its worker would."""
    with pytest.raises(Parked) as parked:
        await journal(desk, claimed).consent("consent/0/0", "send_mail", {"to": "bob"})
    assert await desk.park(claimed, parked.value.until)


async def test_consent_parks_the_turn_until_its_time(desk: Desk) -> None:
    await queue(desk, "write")
    await ask_consent(desk, await desk.start())
    [row] = await desk.turns()
    assert (row.state, row.waiting_until) == ("waiting", START + CONSENT_TIME)


async def test_a_parked_turn_leaves_the_lease_to_the_next(desk: Desk) -> None:
    await queue(desk, "write", "chat")
    await ask_consent(desk, await desk.start())
    assert (await desk.start()).task.question == "chat"
    assert await desk.states() == ["waiting", "running"]


@pytest.mark.parametrize("allow", [True, False])
async def test_consent_is_recalled_when_the_turn_goes_on(desk: Desk, allow: bool) -> None:
    await queue(desk, "write")
    await ask_consent(desk, await desk.start())
    assert await desk.control.consent(1, "consent/0/0", BOB, allow)
    assert await desk.states() == ["queued"]
    resumed = await desk.start()
    assert resumed.steps["consent/0/0"] == Recalled("done", False, {"allow": allow, "by": "bob"})
    assert await journal(desk, resumed).consent("consent/0/0", "send_mail", {"to": "bob"}) is allow


async def test_consent_is_given_once(desk: Desk) -> None:
    await queue(desk, "write")
    await ask_consent(desk, await desk.start())
    assert await desk.control.consent(1, "consent/0/0", ANN, True)
    assert not await desk.control.consent(1, "consent/0/0", BOB, False)
    assert (await desk.start()).steps["consent/0/0"].result == {"allow": True, "by": "ann"}


async def test_consent_to_an_earlier_step_decides_nothing(desk: Desk) -> None:
    await queue(desk, "write")
    await ask_consent(desk, await desk.start())
    assert not await desk.control.consent(1, "consent/0/1", ANN, True)
    assert [row.state for row in await desk.turns()] == ["waiting"]
    assert await desk.control.consent(1, "consent/0/0", ANN, False)


async def test_consent_to_a_turn_that_waits_for_none_is_refused(desk: Desk) -> None:
    await queue(desk, "hello")
    assert not await desk.control.consent(1, "consent/0/0", ANN, True)
    await desk.start()
    assert not await desk.control.consent(1, "consent/0/0", ANN, True)
    assert await desk.states() == ["running"]


async def test_consent_after_stop_is_refused(desk: Desk) -> None:
    await queue(desk, "write")
    await ask_consent(desk, await desk.start())
    assert await desk.control.stop(1, ANN)
    assert not await desk.control.consent(1, "consent/0/0", ANN, True)
    ending = await desk.start()
    assert (ending.turn.id, ending.turn.end_as) == (1, "stopped")


async def test_consent_that_nobody_gives_in_time_is_a_no(desk: Desk) -> None:
    await queue(desk, "write")
    await ask_consent(desk, await desk.start())
    assert isinstance((await desk.first() or (0, None))[1], Drained)
    desk.clock.advance(CONSENT_TIME.total_seconds())
    resumed = await desk.start()
    assert await journal(desk, resumed).consent("consent/0/0", "send_mail", {"to": "bob"}) is False


async def test_a_parked_turn_goes_on_in_the_place_of_its_message(desk: Desk) -> None:
    await queue(desk, "write")
    await ask_consent(desk, await desk.start())
    await queue(desk, "later", at=5)
    await desk.control.consent(1, "consent/0/0", ANN, True)
    assert (await desk.start()).turn.id == 1


async def test_a_turn_that_shall_end_is_not_parked(desk: Desk) -> None:
    await queue(desk, "write")
    claimed = await desk.start()
    assert await desk.control.stop(1, ANN)
    assert not await desk.park(claimed, START + timedelta(hours=1))
    assert await desk.states() == ["running"]


async def test_a_lost_turn_is_not_parked(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await queue(one, "write")
    old = await one.start()
    clock.advance(LEASE_SECONDS)
    await two.start()
    assert not await one.park(old, START + timedelta(hours=1))


# Retry


async def test_a_retry_is_a_new_turn_for_the_same_messages(desk: Desk) -> None:
    await queue(desk, "hello")
    await desk.end(await desk.start(), "failed", None)
    assert await desk.control.retry(1, ANN) == 2
    old, new = await desk.turns()
    assert (old.state, old.merged_into) == ("failed", 2)
    assert (new.state, new.retry_of, new.seq) == ("queued", 1, 2)
    assert (await desk.start()).task.question == "hello"
    assert await desk.findings() == []


async def test_a_stopped_turn_can_be_retried(desk: Desk) -> None:
    await queue(desk, "hello")
    await desk.end(await desk.start(), "stopped", "hal")
    assert await desk.control.retry(1, ANN) == 2


@pytest.mark.parametrize("state", ["answered", "refused", "superseded", "withdrawn"])
async def test_what_did_not_fail_is_not_retried(desk: Desk, state: TurnState) -> None:
    await queue(desk, "hello")
    await desk.end(await desk.start(), state)
    assert await desk.control.retry(1, ANN) is None
    assert await desk.control.retry(999, ANN) is None


async def test_a_retry_takes_what_was_merged_along(merging: Desk) -> None:
    await queue(merging, "one", "two")
    await merging.end(await merging.start(), "failed", None)
    assert await merging.control.retry(1, ANN) == 3
    assert (await merging.start()).task.question == "one\n\ntwo"
    assert [row.merged_into for row in await merging.turns()] == [3, 3, None]
    assert await merging.findings() == []


async def test_a_retry_of_a_deleted_message_is_refused(desk: Desk) -> None:
    await queue(desk, "hello")
    await desk.end(await desk.start(), "failed", None)
    await desk.inbox.receive(delete("m-hello"))
    assert await desk.control.retry(1, ANN) is None
    assert await desk.states() == ["failed"]


async def test_a_retry_can_be_retried(desk: Desk) -> None:
    await queue(desk, "hello")
    await desk.end(await desk.start(), "failed", None)
    await desk.control.retry(1, ANN)
    await desk.end(await desk.start(), "failed", None)
    assert await desk.control.retry(1, ANN) is None
    assert await desk.control.retry(2, ANN) == 3

"""The inbox on both databases: the table "Message" of `docs/state.md`, and what must not be lost when events race."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.profile import Profile
from bot.dispatch.claim import Claimed
from bot.messages import Attachment, Author, Event, Person
from bot.store import people
from bot.store.db import Store
from tests.support.desk import ANN, MAX_CHARS, Desk, delete, edit, say

HOUR = 3600.0


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def receive(desk: Desk, *events: Event) -> None:
    for event in events:
        await desk.inbox.receive(event)


# Accepting


async def test_an_accepted_message_has_a_queued_turn(desk: Desk) -> None:
    accepted = await desk.inbox.receive(say("hello", "m1", at=5))
    [row] = await desk.turns()
    [stored] = await desk.messages()
    assert (accepted.turn_id, accepted.duplicate) == (row.id, False)
    assert (row.state, row.seq, row.attempts, row.sent_at) == ("queued", 1, 0, stored.sent_at)
    assert (stored.text, stored.turn_id, stored.addressed) == ("hello", row.id, True)
    assert desk.bell.woken == [row.conversation_id]


async def test_messages_of_a_conversation_are_numbered_in_the_order_of_arrival(desk: Desk) -> None:
    await receive(desk, say("b", "m2", at=2), say("a", "m1", at=1), say("elsewhere", "m3", key="c2"))
    assert [(row.conversation_id, row.seq) for row in await desk.turns()] == [(1, 1), (1, 2), (2, 1)]


async def test_delivering_a_message_five_times_gives_one_turn(desk: Desk) -> None:
    results = [await desk.inbox.receive(say("hello", "m1", delivery_id=f"d{n}")) for n in range(5)]
    assert [r.duplicate for r in results] == [False, True, True, True, True]
    assert {r.turn_id for r in results} == {1}
    assert await desk.states() == ["queued"]
    assert desk.bell.woken == [1]


async def test_five_deliveries_at_once_give_one_turn(desk: Desk) -> None:
    results = await asyncio.gather(*(desk.inbox.receive(say("hello", "m1", delivery_id=f"d{n}")) for n in range(5)))
    assert sorted(r.duplicate for r in results) == [False, True, True, True, True]
    assert await desk.states() == ["queued"]
    assert await desk.findings() == []


async def test_a_delivery_seen_before_is_a_duplicate_whatever_it_carries(desk: Desk) -> None:
    await receive(desk, say("hello", "m1", delivery_id="d1"))
    again = await desk.inbox.receive(say("other", "m2", delivery_id="d1"))
    assert again.duplicate
    assert len(await desk.messages()) == 1


async def test_the_same_message_id_in_another_channel_is_another_message(desk: Desk) -> None:
    first = say("hello", "m1")
    other = say("hello", "m1", key="c2")
    elsewhere = type(other.target)("test", "w", "other", None, "test:c2")
    await receive(desk, first, type(other)(elsewhere, "m1", ANN, "hello", other.sent_at))
    assert await desk.states() == ["queued", "queued"]


async def test_an_unaddressed_message_is_kept_as_context(desk: Desk) -> None:
    await receive(desk, say("hello", "m0"))
    accepted = await desk.inbox.receive(say("by the way", "m1", addressed=False))
    assert accepted.turn_id is None
    assert len(await desk.turns()) == 1
    [_, stored] = await desk.messages()
    assert (stored.text, stored.addressed) == ("by the way", False)
    assert desk.bell.woken == [1]


async def test_what_is_said_where_the_agent_was_never_called_is_not_kept(desk: Desk) -> None:
    events: list[Event] = [
        say("by the way", "m1", addressed=False),
        edit("by the by", "m1", addressed=False),
        delete("m1"),
        delete("m2"),
    ]
    for event in events:
        assert (await desk.inbox.receive(event)).turn_id is None
    assert await desk.messages() == []
    assert await desk.turns() == []


async def test_a_twin_that_is_addressed_gets_the_turn(desk: Desk) -> None:
    await receive(desk, say("before", "m0"), say("hello", "m1", addressed=False))
    accepted = await desk.inbox.receive(say("hello", "m1"))
    assert (accepted.turn_id, accepted.duplicate) == (2, False)
    assert await desk.states() == ["queued", "queued"]
    [_, stored] = await desk.messages()
    assert (stored.turn_id, stored.addressed) == (2, True)


async def test_a_twin_that_is_not_addressed_changes_nothing(desk: Desk) -> None:
    await receive(desk, say("hello", "m1"))
    twin = await desk.inbox.receive(say("hello", "m1", addressed=False))
    assert (twin.turn_id, twin.duplicate) == (1, True)


async def test_addressed_twins_that_arrive_together_get_one_turn(desk: Desk) -> None:
    await receive(desk, say("before", "m0"), say("hello", "m1", addressed=False))
    await asyncio.gather(*(desk.inbox.receive(say("hello", "m1")) for _ in range(5)))
    assert await desk.states() == ["queued", "queued"]
    assert await desk.findings() == []


# Input that is refused, or cleaned


@pytest.mark.parametrize("text", ["", "  \n\t ", "\x00\x07\x1b\x9b"])
async def test_a_message_without_text_is_queued_for_refusal(desk: Desk, text: str) -> None:
    await receive(desk, say(text, "m1"))
    [row] = await desk.turns()
    assert (row.state, row.reason) == ("queued", "empty")


async def test_a_file_without_text_is_no_empty_message(desk: Desk) -> None:
    await receive(desk, say("", "m1", attachments=(Attachment("f1", "a.pdf", "application/pdf", 10),)))
    [row] = await desk.turns()
    assert row.reason is None


async def test_what_has_no_words_is_answered_in_the_language_of_its_author(desk: Desk) -> None:
    carol, place = Person("carol", "Carol", lang="zh"), say("?", "m0").target
    now = desk.clock.now()
    await desk.store.write(lambda c: people.save(c, place.platform, place.workspace, carol, now))
    said = [(text, Author("carol")) for text in ("", "42?", "Why 42?")] + [("42?", Author("stranger"))]
    await receive(desk, *(replace(say(text, f"m{n}"), author=author) for n, (text, author) in enumerate(said)))
    assert [row.lang for row in await desk.turns()] == ["zh", "zh", "en", "en"]


async def test_a_message_that_is_too_long_is_refused_and_not_kept_whole(desk: Desk) -> None:
    await receive(desk, say("字" * 200_000, "m1"))
    [row] = await desk.turns()
    [stored] = await desk.messages()
    assert (row.state, row.reason) == ("queued", "too_long")
    assert len(stored.text) == MAX_CHARS


async def test_text_that_no_database_takes_is_cleaned(desk: Desk) -> None:
    accepted = await desk.inbox.receive(say("a\x00b\ud83dc\r\nd", "m1"))
    assert accepted.turn_id == 1
    [stored] = await desk.messages()
    assert stored.text == "abc\nd"


async def test_a_name_that_no_database_takes_is_cleaned(desk: Desk) -> None:
    message = say("hello", "m1")
    await receive(
        desk, type(message)(message.target, "m1", Author("x", "A\x00\ud800nn" * 100), "hello", message.sent_at)
    )
    [stored] = await desk.messages()
    assert stored.author_name == ("Ann" * 100)[:200]


async def test_an_answer_that_no_database_takes_is_kept_without_it(desk: Desk) -> None:
    await receive(desk, say("hello", "m1"))
    claimed = await desk.start()
    await desk.end(claimed, answer="to\x00day\ud83d")
    assert (await desk.turns())[0].answer == "today"
    assert (await desk.messages())[1].text == "today"


# Edits


async def test_an_edit_that_overtakes_its_message_wins(desk: Desk) -> None:
    await receive(desk, edit("new", "m1"))
    original = await desk.inbox.receive(say("old", "m1"))
    assert (original.turn_id, original.duplicate) == (1, True)
    [stored] = await desk.messages()
    assert stored.text == "new"
    assert (await desk.start()).task.question == "new"


async def test_an_overheard_edit_that_overtakes_its_message_wins(desk: Desk) -> None:
    await receive(desk, say("before", "m0"), edit("new", "m1", addressed=False))
    await desk.answer()
    assert len(await desk.turns()) == 1
    await receive(desk, say("old", "m1"))
    assert (await desk.start()).task.question == "new"


async def test_an_edit_beside_its_message_is_never_lost(desk: Desk) -> None:
    for number in range(15):
        message_id, key = f"m{number}", "c1"
        events: list[Event] = [say("old", message_id, key=key), edit("new", message_id)]
        await asyncio.gather(*(desk.inbox.receive(event) for event in events[:: 1 if number % 2 else -1]))
    assert {row.text for row in await desk.messages()} == {"new"}
    assert await desk.states() == ["queued"] * 15
    assert await desk.findings() == []


async def test_editing_a_waiting_message_lets_its_turn_read_the_new_text(desk: Desk) -> None:
    await receive(desk, say("old", "m1"))
    accepted = await desk.inbox.receive(edit("new", "m1"))
    assert (accepted.turn_id, accepted.duplicate) == (1, False)
    assert await desk.states() == ["queued"]
    assert (await desk.messages())[0].revision == 1
    assert (await desk.start()).task.question == "new"


async def test_editing_a_waiting_message_judges_it_anew(desk: Desk) -> None:
    await receive(desk, say("x" * 2000, "m1"), say("hello", "m2", at=1))
    await receive(desk, edit("short", "m1"), edit(" ", "m2"))
    assert [row.reason for row in await desk.turns()] == [None, "empty"]


async def test_editing_a_waiting_message_answers_in_its_new_language(desk: Desk) -> None:
    await receive(desk, say("hello", "m1"), edit("今天是星期几？", "m1"))
    assert (await desk.start()).task.lang == "zh"


async def test_editing_a_running_message_asks_its_turn_to_end_and_queues_another(desk: Desk) -> None:
    await receive(desk, say("old", "m1"))
    running = await desk.start()
    accepted = await desk.inbox.receive(edit("new", "m1"))
    old, new = await desk.turns()
    assert (old.state, old.end_as, old.merged_into) == ("running", "superseded", new.id)
    assert (new.state, accepted.turn_id) == ("queued", new.id)
    assert desk.bell.nudged == [old.id]
    following = await desk.end(running, "superseded", None)
    assert isinstance(following, Claimed)
    assert following.task.question == "new"
    assert await desk.findings() == []


async def test_editing_a_running_message_again_makes_no_third_turn(desk: Desk) -> None:
    await receive(desk, say("old", "m1"))
    running = await desk.start()
    await receive(desk, edit("new", "m1"), edit("newer", "m1"))
    following = await desk.end(running, "superseded", None)
    assert isinstance(following, Claimed)
    assert following.task.question == "newer"
    assert await desk.states() == ["superseded", "running"]


async def test_editing_a_running_message_to_nothing_is_refused(desk: Desk) -> None:
    await receive(desk, say("old", "m1"))
    await desk.start()
    await receive(desk, edit("  ", "m1"))
    assert [row.reason for row in await desk.turns()] == [None, "empty"]


async def test_editing_a_message_that_was_merged_answers_both_anew(store: Store) -> None:
    desk = Desk(store, profile=Profile(overlap="merge"))
    await receive(desk, say("one", "m1", at=1), say("two", "m2", at=2))
    running = await desk.start()
    assert running.task.question == "one\n\ntwo"
    await receive(desk, edit("TWO", "m2"))
    following = await desk.end(running, "superseded", None)
    assert isinstance(following, Claimed)
    assert following.task.question == "one\n\nTWO"
    assert await desk.states() == ["superseded", "merged", "running"]
    assert await desk.findings() == []


async def test_editing_a_parked_message_supersedes_its_turn(desk: Desk) -> None:
    await receive(desk, say("old", "m1"))
    claimed = await desk.start()
    assert await desk.park(claimed, desk.clock.now() + timedelta(hours=1))
    await receive(desk, edit("new", "m1"))
    old, new = await desk.turns()
    assert (old.state, old.end_as, new.state) == ("waiting", "superseded", "queued")


async def test_editing_a_message_whose_turn_was_resumed_supersedes_it(desk: Desk) -> None:
    """Its context is frozen and its consent was given for the old text, although it is queued."""
    await receive(desk, say("old", "m1"))
    claimed = await desk.start()
    journal_key = "consent/0/0"
    await consent_asked(desk, claimed, journal_key)
    assert await desk.control.consent(1, "consent/0/0", ANN, True)
    assert await desk.states() == ["queued"]
    await receive(desk, edit("new", "m1"))
    old, new = await desk.turns()
    assert (old.end_as, new.state) == ("superseded", "queued")


async def test_deleting_a_message_whose_turn_was_resumed_lets_its_worker_take_the_reply_back(desk: Desk) -> None:
    """It is queued, but has posted its question."""
    await receive(desk, say("write", "m1"))
    await consent_asked(desk, await desk.start(), "consent/0/0")
    assert await desk.control.consent(1, "consent/0/0", ANN, True)
    await receive(desk, delete("m1"))
    [row] = await desk.turns()
    assert (row.state, row.end_as) == ("queued", "withdrawn")


async def consent_asked(desk: Desk, claimed: Claimed, key: str) -> None:
    from bot.store import steps

    now = desk.clock.now()
    detail = {"tool": "t", "args": {}, "until": (now + timedelta(hours=1)).isoformat()}
    await desk.store.write(lambda c: steps.begin(c, claimed.turn.id, key, detail, 1, now, writes=False))
    assert await desk.park(claimed, now + timedelta(hours=1))


async def test_editing_an_answered_message_changes_only_its_text(desk: Desk) -> None:
    await receive(desk, say("old", "m1"))
    await desk.answer()
    accepted = await desk.inbox.receive(edit("new", "m1"))
    assert accepted.turn_id == 1
    assert await desk.states() == ["answered"]
    assert (await desk.messages())[0].text == "new"


async def test_editing_to_the_same_text_changes_nothing(desk: Desk) -> None:
    await receive(desk, say("same", "m1"))
    await desk.start()
    again = await desk.inbox.receive(edit("same", "m1"))
    assert again.duplicate
    assert (await desk.turns())[0].end_as is None
    assert (await desk.messages())[0].revision == 0


async def test_editing_in_a_mention_queues_a_turn(desk: Desk) -> None:
    await receive(desk, say("before", "m0"), say("hello", "m1", addressed=False))
    await desk.answer()
    accepted = await desk.inbox.receive(edit("@bot hello", "m1"))
    assert (accepted.turn_id, accepted.duplicate) == (2, False)
    assert (await desk.start()).task.question == "@bot hello"


async def test_editing_in_a_mention_where_the_agent_was_never_called_queues_a_turn(desk: Desk) -> None:
    await receive(desk, say("hello", "m1", addressed=False))
    accepted = await desk.inbox.receive(edit("@bot hello", "m1"))
    assert (accepted.turn_id, accepted.duplicate) == (1, False)
    late = await desk.inbox.receive(say("hello", "m1", addressed=False))
    assert late.duplicate
    assert (await desk.start()).task.question == "@bot hello"


async def test_editing_in_a_mention_that_is_not_part_of_the_text_queues_a_turn(desk: Desk) -> None:
    await receive(desk, say("before", "m0"), say("hello", "m1", addressed=False), edit("hello", "m1"))
    assert await desk.states() == ["queued", "queued"]


async def test_editing_what_was_overheard_changes_only_its_text(desk: Desk) -> None:
    await receive(desk, say("before", "m0"), say("old", "m1", addressed=False))
    accepted = await desk.inbox.receive(edit("new", "m1", addressed=False))
    assert (accepted.turn_id, accepted.duplicate) == (None, False)
    assert len(await desk.turns()) == 1
    assert (await desk.messages())[1].text == "new"


# Deletions


async def test_a_deletion_that_overtakes_its_message_wins(desk: Desk) -> None:
    await receive(desk, delete("m1"))
    late = await desk.inbox.receive(say("secret", "m1"))
    assert (late.turn_id, late.duplicate) == (None, True)
    assert await desk.turns() == []
    assert await desk.messages() == []


async def test_a_deletion_beside_its_message_is_never_lost(desk: Desk) -> None:
    for number in range(15):
        events: list[Event] = [say("secret", f"m{number}"), delete(f"m{number}")]
        await asyncio.gather(*(desk.inbox.receive(event) for event in events[:: 1 if number % 2 else -1]))
    # Those that were deleted before they arrived are not there at all.
    assert {(row.text, row.erased_at is not None) for row in await desk.messages()} <= {("", True)}
    assert set(await desk.states()) <= {"withdrawn"}
    assert await desk.findings() == []


async def test_deleting_a_waiting_message_withdraws_its_turn(desk: Desk) -> None:
    await receive(desk, say("secret", "m1"))
    await desk.inbox.receive(delete("m1"))
    [row] = await desk.turns()
    assert (row.state, row.finished_at) == ("withdrawn", desk.clock.now())
    assert await desk.findings() == []


async def test_deleting_a_message_leaves_only_its_ids(desk: Desk) -> None:
    await receive(desk, say("secret", "m1", attachments=(Attachment("f1", "secret.pdf", "application/pdf", 10),)))
    await receive(desk, delete("m1"))
    [stored] = await desk.messages()
    assert (stored.text, stored.attachments, stored.author_name) == ("", [], "")
    assert (stored.message_id, stored.erased_at) == ("m1", desk.clock.now())
    assert (await desk.conversation()).title == ""


async def test_deleting_a_message_stands_against_its_redelivery(desk: Desk) -> None:
    await receive(desk, say("secret", "m1"), delete("m1"))
    again = await desk.inbox.receive(say("secret", "m1"))
    edited = await desk.inbox.receive(edit("secret!", "m1"))
    assert again.duplicate
    assert edited.duplicate
    assert (await desk.messages())[0].text == ""
    assert await desk.states() == ["withdrawn"]


async def test_deleting_twice_is_a_duplicate(desk: Desk) -> None:
    await receive(desk, say("secret", "m1"), delete("m1"))
    assert (await desk.inbox.receive(delete("m1"))).duplicate


async def test_deleting_a_running_message_asks_its_turn_to_end(desk: Desk) -> None:
    await receive(desk, say("secret", "m1"))
    running = await desk.start()
    await receive(desk, delete("m1"))
    assert (await desk.turns())[0].end_as == "withdrawn"
    assert desk.bell.nudged == [1]
    assert await desk.end(running, "answered") is None
    assert await desk.end(running, "withdrawn", None) is not None
    assert await desk.findings() == []


async def test_deleting_a_running_message_takes_its_steps_with_it(desk: Desk) -> None:
    from bot.store import steps

    await receive(desk, say("secret", "m1"))
    running = await desk.start()
    await receive(desk, delete("m1"))
    await desk.end(running, "withdrawn", None)
    assert await desk.store.read(lambda c: steps.of_turn(c, 1)) == {}


async def test_deleting_one_of_two_waiting_messages_of_a_turn_leaves_the_other(store: Store) -> None:
    desk = Desk(store, profile=Profile(overlap="merge"))
    await receive(desk, say("one", "m1", at=1), say("two", "m2", at=2))
    running = await desk.start()
    await receive(desk, delete("m1"))
    following = await desk.end(running, "superseded", None)
    assert isinstance(following, Claimed)
    assert following.task.question == "two"
    await receive(desk, delete("m2"))
    assert (await desk.turns())[2].end_as == "withdrawn"
    assert await desk.findings() == []


async def test_deleting_an_answered_message_keeps_the_answer(desk: Desk) -> None:
    await receive(desk, say("hello", "m1"))
    await desk.answer()
    await receive(desk, delete("m1"))
    assert await desk.states() == ["answered"]
    assert [row.text for row in await desk.messages()] == ["", "ok"]


async def test_deleting_an_answered_message_takes_its_steps_with_it(desk: Desk) -> None:
    """Arguments and results of tools quote the question."""
    from bot.store import steps

    await receive(desk, say("secret", "m1"))
    await desk.answer()
    await receive(desk, delete("m1"))
    assert await desk.store.read(lambda c: steps.of_turn(c, 1)) == {}
    assert await desk.findings() == []


async def test_the_title_follows_the_text_that_it_was_taken_from(desk: Desk) -> None:
    await receive(desk, say("first words", "m1"), say("second", "m2", at=1))
    assert (await desk.conversation()).title == "first words"
    await receive(desk, edit("better words", "m1"))
    assert (await desk.conversation()).title == "better words"
    await receive(desk, delete("m2"))
    assert (await desk.conversation()).title == "better words"
    await receive(desk, delete("m1"))
    assert (await desk.conversation()).title == ""


# Generations


async def test_twelve_idle_hours_start_a_new_generation(desk: Desk) -> None:
    await receive(desk, say("one", "m1", threaded=False))
    await desk.answer()
    desk.clock.advance(13 * HOUR)
    await receive(desk, say("two", "m2", threaded=False, at=1))
    assert [row.generation for row in await desk.turns()] == [1, 2]
    assert (await desk.start()).task.history == ()


async def test_a_thread_stays_one_generation(desk: Desk) -> None:
    await receive(desk, say("one", "m1"))
    desk.clock.advance(13 * HOUR)
    await receive(desk, say("two", "m2", at=1))
    assert [row.generation for row in await desk.turns()] == [1, 1]


async def test_a_redelivery_after_idle_hours_starts_nothing(desk: Desk) -> None:
    await receive(desk, say("one", "m1", threaded=False))
    desk.clock.advance(13 * HOUR)
    await receive(desk, say("one", "m1", threaded=False))
    assert (await desk.conversation()).generation == 1


async def test_what_is_overheard_after_idle_hours_starts_nothing(desk: Desk) -> None:
    await receive(desk, say("one", "m1", threaded=False))
    desk.clock.advance(13 * HOUR)
    await receive(desk, say("chat", "m2", threaded=False, addressed=False))
    assert (await desk.conversation()).generation == 1


async def test_messages_that_end_the_silence_together_start_one_generation(desk: Desk) -> None:
    await receive(desk, say("one", "m0", threaded=False))
    desk.clock.advance(13 * HOUR)
    await asyncio.gather(*(desk.inbox.receive(say("x", f"m{n}", threaded=False)) for n in range(1, 6)))
    assert [row.generation for row in await desk.turns()] == [1, 2, 2, 2, 2, 2]

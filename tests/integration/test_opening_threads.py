"""Questions in a channel whose answer opens a thread, or doesn't, and the channel's low-water mark."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from agent.profile import Profile
from bot.inbox import Rules
from bot.messages import MENTION, OVERHEARD, Accepted, Address, Author, Deleted, Edited, Incoming, Target
from bot.places import Place
from bot.profiles import Profiles
from bot.store import watermarks
from bot.store.db import Store
from tests.support.clock import START
from tests.support.desk import MAX_CHARS, Desk

ANN = Author("ann")
IN_CHANNEL = Target("test", "w", "ch", None, "test:w:ch")


def thread(message_id: int) -> Target:
    """The thread that an answer to this message opens."""
    return Target("test", "w", "ch", str(message_id), f"test:w:{message_id}")


def said(number: int, text: str = "hi", address: Address = MENTION) -> Incoming:
    """A message of the channel from which a thread can be opened."""
    at = START + timedelta(seconds=number)
    return Incoming(
        IN_CHANNEL,
        str(number),
        ANN,
        text,
        at,
        address=address,
        threaded=False,
        opens=thread(number),
        mark=number,
    )


def in_thread(number: int, of: int, address: Address = OVERHEARD) -> Incoming:
    at = START + timedelta(seconds=number)
    return Incoming(thread(of), str(number), ANN, "and?", at, address=address, earlier=True, mark=number)


async def key_of(desk: Desk, accepted: Accepted) -> str:
    """The conversation that a message's turn is in."""
    assert accepted.turn_id is not None
    row = next(row for row in await desk.turns() if row.id == accepted.turn_id)
    return (await desk.start(row.conversation_id)).target.conversation_key


async def answer_in_place(desk: Desk) -> None:
    """An admin says that this channel is answered in place."""
    profiles = Profiles(desk.store, desk.clock, Profile(), ())
    await profiles.save(Place("channel", "test:w:ch"), {"answer_in": "channel"}, ANN, based_on=0)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def test_a_mention_in_a_channel_begins_the_thread_that_its_answer_opens(desk: Desk) -> None:
    assert await key_of(desk, await desk.inbox.receive(said(1))) == "test:w:1"


async def test_each_mention_in_a_channel_begins_a_thread_of_its_own(desk: Desk) -> None:
    first = await desk.inbox.receive(said(1))
    second = await desk.inbox.receive(said(2))
    assert [await key_of(desk, first), await key_of(desk, second)] == ["test:w:1", "test:w:2"]


async def test_who_goes_on_in_that_thread_is_answered_without_a_mention(desk: Desk) -> None:
    await desk.inbox.receive(said(1))
    assert (await desk.inbox.receive(replace(in_thread(2, of=1), earlier=False))).turn_id is not None


async def test_where_the_profile_says_so_a_channel_is_answered_in_place(desk: Desk) -> None:
    await answer_in_place(desk)
    first = await desk.inbox.receive(said(1))
    assert await key_of(desk, first) == "test:w:ch"


async def test_the_settings_say_where_channels_are_answered_unless_a_profile_does(store: Store) -> None:
    desk = Desk(store, rules=Rules(MAX_CHARS, answer_in="channel"))
    assert await key_of(desk, await desk.inbox.receive(said(1))) == "test:w:ch"


async def test_what_is_not_meant_for_us_opens_nothing(desk: Desk) -> None:
    assert await desk.inbox.receive(said(1, address=OVERHEARD)) == Accepted(None)
    assert await desk.turns() == []


async def test_a_message_seen_again_stays_in_the_thread_that_it_opened(desk: Desk) -> None:
    first = await desk.inbox.receive(said(1))
    await answer_in_place(desk)
    again = await desk.inbox.receive(said(1))
    assert (again.turn_id, again.duplicate) == (first.turn_id, True)


async def test_a_message_seen_again_begins_nothing_where_it_would_go_now(desk: Desk) -> None:
    await desk.inbox.receive(said(1))
    await answer_in_place(desk)
    await desk.inbox.receive(said(1))
    # Nobody has called the agent in the channel itself, so what is said there is nobody's business.
    await desk.inbox.receive(said(2, address=OVERHEARD))
    assert [row.message_id for row in await desk.messages()] == ["1"]


async def test_a_message_that_is_edited_into_a_question_opens_its_thread(desk: Desk) -> None:
    await desk.inbox.receive(said(1, address=OVERHEARD))
    at = START + timedelta(seconds=5)
    edited = Edited(IN_CHANNEL, "1", ANN, "@agent hi", at, address=MENTION, opens=thread(1))
    assert await key_of(desk, await desk.inbox.receive(edited)) == "test:w:1"


async def test_deleting_the_question_withdraws_the_turn_of_the_thread(desk: Desk) -> None:
    accepted = await desk.inbox.receive(said(1))
    await desk.inbox.receive(Deleted(IN_CHANNEL, "1"))
    assert [(row.id, row.state) for row in await desk.turns()] == [(accepted.turn_id, "withdrawn")]


# The low-water mark


async def marks(store: Store) -> dict[tuple[str, str], int]:
    return await store.read(lambda c: watermarks.of(c, "test"))


async def test_the_mark_is_that_of_the_place_in_which_a_message_stands(desk: Desk, store: Store) -> None:
    await desk.inbox.receive(said(1))
    await desk.inbox.receive(in_thread(2, of=1))
    assert await marks(store) == {("w", "ch"): 1, ("w", "1"): 2}


async def test_a_message_that_is_nobodys_advances_the_mark(desk: Desk, store: Store) -> None:
    await desk.inbox.receive(said(7, address=OVERHEARD))
    assert await marks(store) == {("w", "ch"): 7}


async def test_the_mark_never_goes_back(desk: Desk, store: Store) -> None:
    await desk.inbox.receive(said(9))
    await desk.inbox.receive(said(4))
    await desk.inbox.receive(replace(said(5), mark=None))
    assert await marks(store) == {("w", "ch"): 9}


async def test_a_mark_that_is_there_is_not_begun_anew(store: Store, desk: Desk) -> None:
    await desk.inbox.receive(said(9))
    await store.write(lambda c: watermarks.begin(c, "test", "w", {"ch": 100, "other": 100}, desk.clock.now()))
    assert await marks(store) == {("w", "ch"): 9, ("w", "other"): 100}


async def test_the_marks_of_a_workspace_are_forgotten_together(store: Store, desk: Desk) -> None:
    await desk.inbox.receive(said(1))
    await desk.inbox.receive(in_thread(2, of=1))
    await store.write(lambda c: watermarks.forget(c, "test", "w"))
    assert await marks(store) == {}


async def test_a_message_that_could_not_be_stored_leaves_the_mark(store: Store, desk: Desk) -> None:
    await desk.inbox.receive(said(1))
    with pytest.raises(RuntimeError):
        # The commit fails: message and mark go together.
        await desk.store.write(lambda c: _apply_and_fail(desk, c, said(2)))
    assert await marks(store) == {("w", "ch"): 1}


def _apply_and_fail(desk: Desk, connection: Connection, incoming: Incoming) -> None:
    desk.inbox._apply(connection, incoming)
    raise RuntimeError("the database went away")

"""Deleting a conversation for good: what goes, what stays so that nothing comes back, and turns that are under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from agent.events import AgentEvent, TextDelta
from agent.journal import Journal
from agent.profile import Profile
from agent.task import Task
from bot.dispatch.lease import LEASE_SECONDS
from bot.erasure import Erasure
from bot.messages import MENTION, Attachment, Author, Incoming, Target
from bot.places import Place
from bot.profiles import Profiles
from bot.store import audit, blobs, feedback, steps, views
from bot.store.db import Store
from bot.store.tables import blob, message, metadata
from tests.support.clock import START, ManualClock
from tests.support.desk import ANN, Desk, say, target
from tests.support.server import Platform, Server, settled, stored_texts

SECRET = "swordfish"
NAMED = Author("U1", "Ann Onymous")


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def erasure(desk: Desk) -> Erasure:
    return Erasure(desk.store, desk.clock, desk.bell, desk.live)


async def everything(store: Store) -> str:
    """All that the database holds, as one text."""
    return await store.read(
        lambda c: "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in c.execute(select(table)))
    )


async def test_erasing_leaves_no_word_of_a_conversation(desk: Desk) -> None:
    await desk.inbox.receive(replace(say(f"what is {SECRET}?", "m1"), author=NAMED))
    claimed = await desk.start()
    row = claimed.turn
    await desk.store.write(
        lambda c: steps.insert_done(c, row.id, "act/0/0", {"args": SECRET}, {"answer": SECRET}, 1, START)
    )
    await desk.end(claimed, answer=f"{SECRET} is a fish")
    await desk.store.write(lambda c: feedback.rate(c, row.id, "U1", 1, START))
    profiles = Profiles(desk.store, desk.clock, Profile(), ())
    await profiles.save(Place("channel", "test:w:ch"), {"agent_bio": SECRET}, NAMED, based_on=0)

    assert await erasure(desk).conversation("test:c1", ANN)

    left = await everything(desk.store)
    assert SECRET not in left
    assert NAMED.name not in left
    stored = await desk.conversation()
    assert (stored.title, stored.erased_at) == ("", desk.clock.now())
    assert await desk.states() == ["answered"]
    assert await desk.findings() == []


async def test_erasing_spares_other_conversations(desk: Desk) -> None:
    await desk.inbox.receive(say("here", "m1"))
    await desk.inbox.receive(say("there", "m2", key="c2"))
    await desk.answer(1)
    await desk.answer(2)
    await erasure(desk).conversation("test:c1", ANN)
    assert [row.text for row in await desk.messages()] == ["", "there", "", "ok"]
    assert [row.answer for row in await desk.turns()] == [None, "ok"]
    assert (await desk.conversation("c2")).erased_at is None


async def test_a_channels_profile_stays_as_long_as_another_conversation_has_the_channel(desk: Desk) -> None:
    profiles = Profiles(desk.store, desk.clock, Profile(), ())
    channel = Place("channel", "test:w:ch")
    await profiles.save(channel, {"agent_bio": "Ours"}, NAMED, based_on=0)
    await desk.inbox.receive(say("here", "m1"))
    thread = Target("test", "w", "ch", "t2", "test:w:ch:t2")
    await desk.inbox.receive(replace(say("there", "m2"), target=thread))
    await desk.answer(1)
    await desk.start(2)
    await erasure(desk).conversation("test:c1", ANN)
    assert await profiles.newest(channel) is not None

    # The context of the turn that runs names this version; whoever takes the turn over has to find it.
    desk.clock.advance(LEASE_SECONDS + 1)
    taken = await desk.start(2)
    assert (taken.unreadable, taken.task.profile.agent_bio) == (False, "Ours")

    await erasure(desk).conversation(thread.conversation_key, ANN)
    await erasure(desk).conversation("test:c1", ANN)
    assert await profiles.newest(channel) is None


async def test_the_profile_of_a_channel_in_which_others_may_speak_is_not_its_only_conversations(desk: Desk) -> None:
    profiles = Profiles(desk.store, desk.clock, Profile(), ())
    channel = Place("channel", "test:w:ch")
    await profiles.save(channel, {"agent_bio": "Ours"}, NAMED, based_on=0)
    await desk.inbox.receive(replace(say("here", "m1"), address=MENTION))
    await desk.answer(1)
    await erasure(desk).conversation("test:c1", ANN)
    assert [row.text for row in await desk.messages()] == ["", ""]
    assert await profiles.newest(channel) is not None


async def test_what_nobody_knows_is_not_erased(desk: Desk) -> None:
    assert not await erasure(desk).conversation("test:nowhere", ANN)


async def test_a_redelivery_brings_nothing_back(desk: Desk) -> None:
    await desk.inbox.receive(say(SECRET, "m1"))
    await desk.answer()
    await erasure(desk).conversation("test:c1", ANN)
    again = await desk.inbox.receive(say(SECRET, "m1"))
    assert (again.turn_id, again.duplicate) == (1, True)
    assert SECRET not in await everything(desk.store)
    assert (await desk.conversation()).erased_at is not None
    assert await desk.control.retry(1, ANN) is None


async def test_a_new_message_after_an_erasure_begins_afresh(desk: Desk) -> None:
    thread = replace(target(), thread="t1")
    await desk.inbox.receive(Incoming(thread, "m1", ANN, SECRET, START))
    await desk.answer()
    before = await desk.conversation()
    await erasure(desk).conversation("test:c1", ANN)
    await desk.inbox.receive(Incoming(thread, "m2", ANN, "hello again", START + timedelta(seconds=1)))
    claimed = await desk.start()
    after = await desk.conversation()
    assert (claimed.task.question, claimed.task.history) == ("hello again", ())
    assert (after.erased_at, after.title, after.generation) == (None, "hello again", before.generation + 1)
    shown = await desk.store.read(lambda c: views.page(c, after.id, "viewer", 10))
    assert [turn.id for turn in shown] == [2]


async def test_erasing_ends_what_waits_as_withdrawn(desk: Desk) -> None:
    await desk.inbox.receive(say("one", "m1"))
    await desk.inbox.receive(say("two", "m2", at=1))
    claimed = await desk.start()
    await erasure(desk).conversation("test:c1", ANN)
    assert await desk.states() == ["running", "withdrawn"]
    assert desk.bell.nudged == [1, 2]
    # An answer that is ready in this moment doesn't count any more.
    assert await desk.end(claimed, answer=SECRET) is None
    assert await desk.end(claimed, "withdrawn", None) is not None
    assert await desk.states() == ["withdrawn", "withdrawn"]
    assert SECRET not in await everything(desk.store)
    assert await desk.findings() == []


async def test_a_parked_turn_is_withdrawn_by_its_worker(desk: Desk) -> None:
    await desk.inbox.receive(say("one", "m1"))
    claimed = await desk.start()
    await desk.park(claimed, START + timedelta(hours=1))
    await erasure(desk).conversation("test:c1", ANN)
    assert [(row.state, row.end_as) for row in await desk.turns()] == [("waiting", "withdrawn")]
    assert desk.bell.woken[-1] == 1
    last = await desk.start()
    assert (last.turn.end_as, last.task.question) == ("withdrawn", "")
    assert await desk.end(last, "withdrawn", None) is not None


async def test_a_running_turn_stops_and_takes_its_reply_back(store: Store) -> None:
    platform, begun = Platform(), asyncio.Event()

    async def endless(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        await journal.begin("plan/0", {"about": task.question})
        await journal.finish("plan/0", {"thought": task.question})
        yield TextDelta(task.question)
        begun.set()
        await asyncio.Event().wait()

    async with Server(store, platform, endless) as server:
        await server.inbox.receive(say(SECRET, "m1"))
        await begun.wait()
        erase = Erasure(store, server.clock, server.dispatcher, server.live)
        assert await erase.conversation("test:c1", ANN)
        assert await settled(store) == {1: "withdrawn"}
        assert await store.read(lambda c: audit.findings(c, server.clock.now())) == []
    assert platform.visible == {}
    assert await stored_texts(store) == [""]
    assert SECRET not in await everything(store)


async def test_a_turn_whose_process_died_is_withdrawn_by_the_next_one(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say(SECRET, "m1"))
    await one.start()
    await erasure(one).conversation("test:c1", ANN)
    clock.advance(3600)
    taken = await two.start()
    assert (taken.turn.end_as, taken.turn.attempts, taken.task.question) == ("withdrawn", 2, "")
    assert await two.end(taken, "withdrawn", None) is not None
    assert SECRET not in await everything(store)


async def test_erasing_twice_also_takes_what_was_overheard_since(desk: Desk) -> None:
    await desk.inbox.receive(say("one", "m1"))
    await desk.answer()
    erase = erasure(desk)
    await erase.conversation("test:c1", ANN)
    await desk.inbox.receive(say(SECRET, "m2", addressed=False))
    assert (await desk.conversation()).erased_at is not None
    assert await erase.conversation("test:c1", ANN)
    assert SECRET not in await everything(desk.store)


async def test_an_erasure_that_fails_midway_has_erased_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.inbox.receive(say("keep", "m1"))
    await desk.answer()

    def die(*_: object) -> int:
        raise RuntimeError("in the middle of it")

    with monkeypatch.context() as patched:
        patched.setattr("bot.store.profiles.forget", die)
        with pytest.raises(RuntimeError, match="in the middle"):
            await erasure(desk).conversation("test:c1", ANN)
    assert [row.text for row in await desk.messages()] == ["keep", "ok"]
    assert await erasure(desk).conversation("test:c1", ANN)
    assert [row.text for row in await desk.messages()] == ["", ""]


async def test_files_go_unless_another_conversation_has_them(desk: Desk) -> None:
    async def put(data: bytes) -> Attachment:
        digest = await desk.store.write(lambda c: blobs.put(c, data, "text/plain", START, quota=1000))
        return Attachment(digest, "notes.txt", "text/plain", len(data))

    own, shared = await put(b"own"), await put(b"shared")
    await desk.inbox.receive(say("a", "m1", attachments=(own, shared)))
    await desk.inbox.receive(say("b", "m2", key="c2", attachments=(shared,)))
    await erasure(desk).conversation("test:c1", ANN)
    assert await desk.store.read(lambda c: list(c.execute(select(blob.c.digest)).scalars())) == [shared.id]
    files = await desk.store.read(lambda c: list(c.execute(select(message.c.attachments).order_by(message.c.id))))
    assert [len(row[0]) for row in files] == [0, 1]

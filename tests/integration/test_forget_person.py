"""Deleting all data of a person: what goes, what stays, and turns that are under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.profile import Profile
from bot.dispatch.claim import CONTEXT
from bot.erasure import Erasure
from bot.messages import DIRECT, MENTION, NO_WORKSPACE, OVERHEARD, Address, Attachment, Author, Incoming, Person, Target
from bot.places import Place
from bot.profiles import Profiles
from bot.store import blobs, feedback, messages, people, steps, usage
from bot.store.db import Store
from bot.store.tables import blob, metadata, step
from tests.support.clock import START
from tests.support.desk import Desk

#: Whatever Ann has said, is called, or was answered has this word in it.
SECRET = "swordfish"
ANN, BOB = Author("ann", f"Ann {SECRET.title()}"), Author("bob", "Bob")
THREAD = Target("test", "w", "ch", "t1", "test:w:ch:t1")
ALONE = Target("test", "w", "dm", None, "test:w:dm")
#: As on a platform whose direct conversations belong to no workspace.
DRIFTING = Target("test", NO_WORKSPACE, "dm", None, "test:@me:dm")
ABROAD = Target("test", "other", "ch", None, "test:other:ch")


class Life:
    """A workspace in which Ann has left traces."""

    def __init__(self, store: Store) -> None:
        self.desk = Desk(store)
        self.erasure = Erasure(store, self.desk.clock, self.desk.bell, self.desk.live)
        self._count = 0
        # The platform can say who somebody is, so that contexts name people.
        self.desk.claim = replace(self.desk.claim, knows=("test",))

    async def says(
        self,
        who: Author,
        text: str,
        *,
        at: Target = THREAD,
        address: Address = MENTION,
        files: Sequence[Attachment] = (),
    ) -> int | None:
        """Somebody says something; its turn."""
        self._count += 1
        self.desk.clock.advance(1)
        sent_at = START + timedelta(seconds=self._count)
        said = Incoming(at, f"m{self._count}", who, text, sent_at, address=address, attachments=tuple(files))
        return (await self.desk.inbox.receive(said)).turn_id

    async def answer(self, conversation_id: int, text: str, thought: str = "") -> None:
        """The next turn is answered, after a step."""
        claimed = await self.desk.start(conversation_id)
        if thought:
            result = {"thought": thought}
            await self.desk.store.write(
                lambda c: steps.insert_done(c, claimed.turn.id, "plan/0", None, result, 1, self.desk.clock.now())
            )
        assert await self.desk.end(claimed, answer=text) is not None

    async def forget(self, who: Author = ANN, **more: Any) -> None:
        await self.erasure.person("test", "w", who, **more)

    async def everything(self) -> str:
        """All text in all columns of all tables."""
        return await self.desk.store.read(
            lambda c: "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in c.execute(select(table)))
        )


@pytest.fixture
def life(store: Store) -> Life:
    return Life(store)


async def test_no_word_of_a_person_is_left_anywhere(life: Life) -> None:
    desk = life.desk
    await desk.store.write(lambda c: people.save(c, "test", "w", Person("ann", ANN.name), START))
    digest = await desk.store.write(lambda c: blobs.put(c, SECRET.encode(), "text/plain", START, quota=1000))
    file = Attachment(digest, f"{SECRET}.txt", "text/plain", 9)
    # A thread with others, whose title is Ann's question.
    await life.says(ANN, f"what is {SECRET}?", files=[file])
    await life.answer(1, f"{SECRET} is a fish", f"they ask about {SECRET}")
    await life.says(ANN, f"{SECRET} it is", address=Address(mentions_others=True))
    turn_id = await life.says(BOB, "and what is a cod?")
    await life.answer(1, "another fish", f"before, {SECRET} was meant")
    await desk.store.write(lambda c: feedback.rate(c, turn_id or 0, "ann", 1, START))
    # A conversation with Ann alone, with its own profile.
    await life.says(ANN, f"{SECRET}!", at=ALONE, address=DIRECT)
    await life.answer(2, f"{SECRET}?", SECRET)
    profiles = Profiles(desk.store, desk.clock, Profile(), ())
    await profiles.save(Place("channel", "test:w:dm"), {"agent_bio": SECRET}, ANN, based_on=0)
    await profiles.save(Place("channel", "test:w:ch"), {"agent_name": "Ours"}, ANN, based_on=0)
    assert (await life.everything()).lower().count(SECRET) > 10

    await life.forget()

    left = (await life.everything()).lower()
    assert SECRET not in left
    assert "another fish" in left
    assert "and what is a cod?" in left
    assert (await profiles.effective(THREAD)).profile.agent_name == "Ours"
    assert await desk.store.read(lambda c: c.execute(select(blob.c.digest)).first()) is None
    assert await desk.findings() == []


async def test_ids_stay_so_that_a_redelivery_brings_nothing_back(life: Life) -> None:
    await life.says(ANN, SECRET)
    await life.answer(1, "ok")
    await life.forget()
    again = Incoming(THREAD, "m1", ANN, SECRET, START, address=MENTION)
    accepted = await life.desk.inbox.receive(again)
    assert (accepted.turn_id, accepted.duplicate) == (1, True)
    assert SECRET not in (await life.everything()).lower()
    # And whoever has spoken still counts as having been there.
    assert await life.desk.store.read(lambda c: messages.others_spoke(c, 1, "bob"))


async def test_other_workspaces_are_left_alone(life: Life) -> None:
    await life.says(ANN, "here")
    await life.says(ANN, "there", at=ABROAD)
    await life.desk.store.write(lambda c: people.save(c, "test", "other", Person("ann", "Ann"), START))
    await life.forget()
    assert [row.text for row in await life.desk.messages()] == ["", "there"]
    assert await life.desk.store.read(lambda c: people.known(c, "test", "other", ["ann"]))


async def test_direct_conversations_that_belong_to_no_workspace_go_with_each(life: Life) -> None:
    await life.says(ANN, SECRET, at=DRIFTING, address=DIRECT)
    await life.desk.store.write(lambda c: people.save(c, "test", NO_WORKSPACE, Person("ann", "Ann"), START))
    await life.forget()
    assert [row.text for row in await life.desk.messages()] == [""]
    assert not await life.desk.store.read(lambda c: people.known(c, "test", NO_WORKSPACE, ["ann"]))


async def test_said_in_a_direct_conversation_of_no_workspace_it_is_about_that_alone(life: Life) -> None:
    await life.says(ANN, "here")
    await life.says(ANN, SECRET, at=DRIFTING, address=DIRECT)
    await life.erasure.person("test", NO_WORKSPACE, ANN)
    assert [row.text for row in await life.desk.messages()] == ["here", ""]


async def test_others_keep_what_they_said_and_were_answered(life: Life) -> None:
    await life.says(BOB, "one")
    await life.answer(1, "first", "a thought")
    await life.says(ANN, "two")
    await life.answer(1, "second")
    await life.says(BOB, "three")
    await life.answer(1, "third")
    await life.forget()
    assert [row.text for row in await life.desk.messages()] == ["one", "first", "", "", "three", "third"]
    assert [row.answer for row in await life.desk.turns()] == ["first", None, "third"]
    kept = await life.desk.store.read(lambda c: list(c.execute(select(step.c.turn_id).distinct()).scalars()))
    assert kept == [1]
    # What is asked next isn't told of a question and an answer that are gone.
    await life.says(BOB, "four")
    claimed = await life.desk.start()
    assert [(one.question, one.answer) for one in claimed.task.history] == [("one", "first"), ("three", "third")]


async def test_what_waits_is_withdrawn_and_what_runs_is_asked_to_end(life: Life) -> None:
    await life.says(ANN, "one")
    await life.says(ANN, "two")
    await life.says(BOB, "three")
    claimed = await life.desk.start()
    await life.forget()
    assert [(row.state, row.end_as) for row in await life.desk.turns()] == [
        ("running", "withdrawn"),
        ("withdrawn", None),
        ("queued", None),
    ]
    assert life.desk.bell.nudged == [1, 2]
    assert await life.desk.end(claimed, answer=SECRET) is None
    assert await life.desk.end(claimed, "withdrawn", None) is not None
    assert SECRET not in await life.everything()
    assert await life.desk.findings() == []


async def test_a_running_answer_to_several_is_made_anew_without_the_persons_words(store: Store) -> None:
    life = Life(store)
    life.desk.claim = replace(life.desk.claim, profile=Profile(overlap="merge"))
    await life.says(ANN, SECRET)
    await life.says(BOB, "mine")
    claimed = await life.desk.start()
    assert claimed.task.question == f"{SECRET}\n\nmine"
    await life.forget()
    rows = await life.desk.turns()
    assert [(row.state, row.end_as, row.merged_into) for row in rows] == [
        ("running", "superseded", 3),
        ("merged", None, 3),
        ("queued", None, None),
    ]
    assert await life.desk.end(claimed, "superseded", None) is not None
    again = (await life.desk.turns())[2]
    assert again.state == "running"
    assert await life.desk.findings() == []
    assert SECRET not in (await life.everything()).lower()


async def test_an_answer_that_others_wait_for_goes_on_without_the_persons_name(life: Life) -> None:
    await life.desk.store.write(lambda c: people.save(c, "test", "w", Person("ann", ANN.name), START))
    await life.says(BOB, "hello")
    await life.answer(1, "hello")
    await life.says(ANN, SECRET, address=OVERHEARD)
    await life.says(BOB, "what did she say?")
    claimed = await life.desk.start()
    assert [heard.author for heard in claimed.task.overheard] == [ANN.name]
    await life.forget()
    context = await life.desk.store.read(
        lambda c: c.execute(select(step.c.result).where(step.c.key == CONTEXT, step.c.turn_id == 2)).scalar_one()
    )
    assert list(context["people"]) == []
    assert SECRET not in (await life.everything()).lower()
    assert await life.desk.end(claimed, answer="nothing") is not None


async def test_the_turn_that_forgets_can_still_answer(life: Life) -> None:
    await life.says(ANN, "hello", at=ALONE, address=DIRECT)
    await life.answer(1, "hello")
    turn_id = await life.says(ANN, "forget me confirm", at=ALONE, address=DIRECT)
    claimed = await life.desk.start()
    await life.forget(spare=turn_id)
    assert await life.desk.end(claimed, answer="done") is not None
    assert await life.desk.states() == ["answered", "answered"]
    assert await life.desk.findings() == []


async def test_it_may_be_done_again(life: Life) -> None:
    await life.says(ANN, SECRET)
    await life.answer(1, SECRET)
    await life.forget()
    await life.forget()
    assert [row.state for row in await life.desk.turns()] == ["answered"]


async def test_when_it_fails_midway_each_conversation_is_whole_or_empty(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = replace(THREAD, thread="t2", conversation_key="test:w:ch:t2")
    for at in (THREAD, second):
        await life.says(ANN, SECRET, at=at)
    whole, calls = Erasure._said_in, 0

    def fails_at_the_second(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        done = whole(*args, **more)
        if calls == 2:
            raise RuntimeError("in the middle of it")
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Erasure, "_said_in", fails_at_the_second)
        with pytest.raises(RuntimeError, match="in the middle"):
            await life.forget()
    assert [row.text for row in await life.desk.messages()] == ["", SECRET]
    await life.forget()
    assert [row.text for row in await life.desk.messages()] == ["", ""]


async def test_what_was_used_goes_or_only_what_is_old(life: Life) -> None:
    for number, days in ((1, 0), (2, 3)):
        await life.says(ANN, f"{number}")
        said = Incoming(THREAD, f"m{number}", ANN, "", START)
        at = START + timedelta(days=days)
        await life.desk.store.write(lambda c, n=number, i=said, t=at: usage.admitted(c, i.target, i.author, n, t))  # type: ignore[misc]
    mine = usage.Whose("test", "w", user_id="ann")
    await life.forget(used_before=START + timedelta(days=2))
    assert (await life.desk.store.read(lambda c: usage.total(c, mine, START))).turns == 1
    await life.forget()
    assert (await life.desk.store.read(lambda c: usage.total(c, mine, START))).turns == 0

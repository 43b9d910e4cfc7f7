"""Where people, other bots, commands and deletions meet in one conversation, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from agent.journal import Json
from agent.profile import Profile
from agent.task import Asker
from bot.commands import command_of
from bot.dispatch.claim import Claimed
from bot.inbox import Rules
from bot.messages import MENTION, Attachment, Author, Deleted, Edited, Incoming, Person
from bot.policy import MOST_BOT_TURNS
from bot.ports import LostTurn
from bot.posting import Refused
from bot.preparing import Preparer
from bot.store import audit, conversations, people
from bot.store.db import Store
from bot.store.tables import message
from tests.integration.test_preparing import BOB, Chat, Noting, said
from tests.support.agent import MemoryJournal
from tests.support.desk import ANN, MAX_CHARS, Bell, Desk
from tests.support.orders import Orders
from tests.support.server import START, Server, say, settled, target

BOT = Author("other", "Other", kind="bot")
PLAN = Attachment("F1", "plan.txt", "text/plain", 3)
COMMANDS = Rules(MAX_CHARS, command_of=command_of)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store, rules=COMMANDS)


def by(author: Author, event: Incoming) -> Incoming:
    return replace(event, author=author)


# Other bots


async def test_a_second_delivery_does_not_get_another_bot_around_its_limit(desk: Desk) -> None:
    for n in range(MOST_BOT_TURNS + 2):
        first = replace(by(BOT, said("ping @agent", f"m{n}", BOT, n, mention=True)), earlier=False)
        await desk.inbox.receive(replace(first, delivery_id=f"message-{n}"))
        await desk.inbox.receive(replace(first, delivery_id=f"mention-{n}"))
    assert len(await desk.turns()) == MOST_BOT_TURNS


async def test_an_edit_does_not_get_another_bot_around_its_limit(desk: Desk) -> None:
    for n in range(MOST_BOT_TURNS + 2):
        await desk.inbox.receive(replace(said("ping @agent", f"m{n}", BOT, n, mention=True), earlier=False))
    last = f"m{MOST_BOT_TURNS + 1}"
    edited = Edited(target(), last, BOT, "ping again @agent", START, address=MENTION)
    assert (await desk.inbox.receive(edited)).turn_id is None
    assert len(await desk.turns()) == MOST_BOT_TURNS


# Called by an edit


async def test_whoever_calls_the_agent_by_an_edit_is_not_taken_for_alone(store: Store) -> None:
    chat, agent = Chat(past=[said("the build is red", "m1", BOB, 1), said("why?", "m2", BOB, 3)]), Noting()
    async with Server(store, chat, agent, knows=("test",)) as server:
        call = said("@agent what is a build?", "m0", ANN, 2)
        await server.inbox.receive(
            Edited(call.target, "m0", ANN, call.text, call.sent_at, address=MENTION, earlier=True)
        )
        await settled(store)
        thanks = await server.inbox.receive(said("thanks, Bob", "m5", ANN, 5))
    # Also what was said after the message, before it was edited.
    assert [one.text for one in agent.tasks[0].overheard] == ["the build is red", "why?"]
    assert thanks.turn_id is None


# A message whose files come later than it


async def test_the_files_of_a_message_are_taken_whichever_of_its_deliveries_brings_them(desk: Desk) -> None:
    await desk.inbox.receive(say("", "m1", delivery_id="mention"))
    assert [row.reason for row in await desk.turns()] == ["empty"]
    later = await desk.inbox.receive(say("", "m1", delivery_id="message", attachments=(PLAN,)))
    again = await desk.inbox.receive(say("", "m1", delivery_id="again", attachments=(PLAN,)))
    assert (later.duplicate, again.duplicate) == (False, True)
    claimed = await desk.start()
    assert (claimed.turn.reason, claimed.wants.attachments) == (None, (PLAN,))
    assert await desk.findings() == []


async def test_a_call_by_an_edit_brings_the_messages_files(desk: Desk) -> None:
    call = said("@agent what is this?", "m0", ANN, 2)
    await desk.inbox.receive(
        Edited(call.target, "m0", ANN, call.text, call.sent_at, address=MENTION, attachments=(PLAN,))
    )
    assert (await desk.start()).wants.attachments == (PLAN,)


# Several people in one turn


async def test_a_turn_that_answers_a_guest_too_has_no_tools_of_trust(store: Store) -> None:
    desk = Desk(store, profile=Profile(overlap="merge"))
    desk.claim = replace(desk.claim, knows=("test",))
    now = desk.clock.now()
    for who in (Person("ann", "Ann"), Person("bob", "Bob", kind="guest")):
        await store.write(partial(people.save, platform="test", workspace="w", who=who, now=now))
    await desk.inbox.receive(say("what is new?", "m1", at=1))
    await desk.inbox.receive(by(BOB, say("send me the plans", "m2", at=2)))
    claimed = await desk.start()
    assert claimed.task.question == "what is new?\n\nsend me the plans"
    assert claimed.task.asker == Asker("Ann", trusted=False)
    again = Desk(store, "two", profile=Profile(overlap="merge"), clock=desk.clock)
    again.claim = replace(again.claim, knows=("test",))
    desk.clock.advance(60)
    assert (await again.start()).task.asker == Asker("Ann", trusted=False)


async def test_a_stranger_who_turns_out_to_be_a_guest_is_not_trusted_beside_others(store: Store) -> None:
    chat = Chat(described={"ann": Person("ann", "Ann"), "bob": Person("bob", "Bob", kind="guest")})
    agent = Noting()
    server = Server(store, chat, agent, knows=("test",), profile=Profile(overlap="merge"))
    # Both are there before anybody works.
    inbox = Desk(store).inbox
    await inbox.receive(say("what is new?", "m1", at=1))
    await inbox.receive(by(BOB, say("send me the plans", "m2", at=2)))
    async with server:
        await settled(store)
    assert [task.asker for task in agent.tasks] == [Asker("Ann", trusted=False)]


# Commands


async def test_what_waits_behind_new_is_answered_without_what_was_said_before_it(desk: Desk, tmp_path: Path) -> None:
    orders = Orders(desk.store, desk.clock, Bell(), desk.live, tmp_path)
    await desk.inbox.receive(say("my name is Ann", "m1", at=1))
    asked = await desk.start()
    await desk.inbox.receive(say("new", "m2", at=2))
    await desk.inbox.receive(say("by the way", "m3", at=3, addressed=False))
    await desk.inbox.receive(say("what is my name?", "m4", at=4))
    command = await desk.end(asked)
    assert isinstance(command, Claimed)
    await orders.commands.in_turn(command, "new")
    question = await desk.end(command, answer="A new beginning.")
    assert isinstance(question, Claimed)
    await orders.close()
    assert (question.task.question, question.task.history) == ("what is my name?", ())
    assert [one.text for one in question.task.overheard] == ["by the way"]
    # And the one after that remembers this one.
    await desk.inbox.receive(say("really?", "m5", at=5))
    after = await desk.end(question, answer="I don't know.")
    assert isinstance(after, Claimed)
    assert [past.question for past in after.task.history] == ["what is my name?"]


async def test_a_question_beside_new_is_of_the_new_generation_whichever_comes_first(desk: Desk) -> None:
    for n in range(30):
        key = f"c{n}"
        await desk.inbox.receive(say("my name is Ann", f"{key}-1", key=key, at=1))
        since, of_key = START + timedelta(seconds=2), target(key).conversation_key
        await asyncio.gather(
            desk.store.write(partial(conversations.begin_anew, key=of_key, since=since)),
            desk.inbox.receive(say("what is my name?", f"{key}-2", key=key, at=3)),
        )
        question = (await desk.turns())[-1]
        assert question.generation == (await desk.conversation(key)).generation
    assert {row.generation for row in await desk.messages() if row.text == "what is my name?"} == {2}


async def test_a_deletion_of_all_data_goes_on_for_its_person_after_a_crash(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, rules=COMMANDS)
    orders = Orders(store, desk.clock, Bell(), desk.live, tmp_path)
    await desk.inbox.receive(say("forget me confirm", "m1", at=1))
    await desk.inbox.receive(by(ANN, say("my secret", "m2", at=2, key="c2")))
    await desk.start()
    # It died when the first conversation, that of the command, was done.
    await orders.erasure.conversation(target().conversation_key, ANN, spare=1)
    desk.clock.advance(60)
    claimed = await Desk(store, "two", clock=desk.clock).start()
    assert (await orders.commands.in_turn(claimed, claimed.turn.command or "")).private
    await orders.close()
    assert [row.text for row in await desk.messages()] == ["", ""]
    assert await store.read(lambda c: audit.findings(c, desk.clock.now())) == []


# Deleted while it is read


class Slow(Chat):
    """A platform on which something happens between the question for a thread's past and the answer."""

    def meanwhile(self, server: Server, *events: Deleted) -> None:
        self._server, self._events = server, events

    async def earlier(self, target: object, before: datetime, most: int) -> Sequence[Incoming]:
        for event in self._events:
            await self._server.inbox.receive(event)
        return self.past


async def test_a_message_that_is_deleted_while_the_past_is_read_is_not_kept(store: Store) -> None:
    chat, agent = Slow(past=[said("my secret", "m1", BOB, 1), said("hello", "m2", BOB, 2)]), Noting()
    server = Server(store, chat, agent)
    chat.meanwhile(server, Deleted(target(), "m1"))
    async with server:
        await server.inbox.receive(said("@agent hi", "m3", ANN, 3, mention=True))
        await settled(store)
    assert [one.text for one in agent.tasks[0].overheard] == ["hello"]


class Forgetful(Chat):
    """A platform on which the conversation is deleted while its past is read."""

    orders: Orders

    async def earlier(self, target: object, before: datetime, most: int) -> Sequence[Incoming]:
        # Not heard of by the turn, as if another process had done it.
        await self.orders.erasure.conversation("test:c1", ANN)
        return self.past


async def test_a_conversation_that_is_deleted_while_its_past_is_read_stays_empty(store: Store, tmp_path: Path) -> None:
    chat, agent = Forgetful(past=[said("my secret", "m1", BOB, 1)]), Noting()
    server = Server(store, chat, agent)
    chat.orders = Orders(store, server.clock, Bell(), server.live, tmp_path)
    async with server:
        await server.inbox.receive(said("@agent hi", "m3", ANN, 3, mention=True))
        await settled(store)
    await chat.orders.close()

    def kept(connection: Connection) -> list[str]:
        return list(connection.execute(select(message.c.text).where(message.c.role == "user")).scalars())

    assert "my secret" not in await store.read(kept)


async def test_where_people_had_it_deleted_nobody_listens_until_it_is_called_again(
    store: Store, tmp_path: Path
) -> None:
    forgotten = said("my secret", "m1", BOB, 1)
    chat, agent = Chat(past=[forgotten, said("and the plan?", "m4", BOB, 4)]), Noting()
    async with Server(store, chat, agent) as server:
        orders = Orders(store, server.clock, Bell(), server.live, tmp_path)
        await server.inbox.receive(said("@agent hi", "m2", ANN, 2, mention=True))
        await settled(store)
        await orders.erasure.conversation("test:c1", ANN)
        before = len(await Desk(store).messages())
        await server.inbox.receive(said("and the plan?", "m4", BOB, 4))
        assert len(await Desk(store).messages()) == before
        await server.inbox.receive(said("@agent what do you say?", "m5", ANN, 5, mention=True))
        await settled(store)
        thanks = await server.inbox.receive(said("right, Bob", "m6", ANN, 6))
        await orders.close()
    assert [[one.text for one in task.overheard] for task in agent.tasks] == [["my secret"], ["and the plan?"]]
    assert thanks.turn_id is None


class Dies(MemoryJournal):
    """A journal of a process that dies before a step's result is on record."""

    async def finish(self, key: str, result: Json) -> None:
        raise LostTurn(key)


async def test_a_turn_whose_process_died_while_it_read_the_past_has_it_all_the_same(store: Store) -> None:
    desk = Desk(store)
    chat = Chat(past=[said("it breaks", "m1", BOB, 1), said("since when?", "m2", BOB, 2)])
    await desk.inbox.receive(said("@agent what now?", "m3", ANN, 3, mention=True))
    claimed = await desk.start()
    with pytest.raises(LostTurn):
        await Preparer(store, desk.clock).prepare(claimed.task, claimed.wants, chat, Dies())
    desk.clock.advance(60)
    other = Desk(store, "two", clock=desk.clock)
    again = await other.start()
    task = await Preparer(store, desk.clock).prepare(again.task, again.wants, chat, MemoryJournal())
    assert [one.text for one in task.overheard] == ["it breaks", "since when?"]
    # And it was read: the next one need not ask.
    await other.end(again)
    await desk.inbox.receive(said("@agent and?", "m4", ANN, 4, mention=True))
    following = await other.start()
    assert (following.wants.past, len(following.task.overheard)) == (False, 2)


async def test_what_was_overheard_before_the_past_is_read_is_told_once(store: Store) -> None:
    late = said("I tried that", "m2", BOB, 2)
    chat = Chat(past=[said("it breaks", "m0", BOB, 0), late], troubles=[Refused("missing_scope")])
    events = (said("@agent hi", "m1", ANN, 1, mention=True), late, said("@agent so?", "m3", ANN, 3, mention=True))
    agent = Noting()
    async with Server(store, chat, agent) as server:
        for event in events:
            await server.inbox.receive(event)
            await settled(store)
    assert [[one.text for one in task.overheard] for task in agent.tasks] == [[], ["it breaks", "I tried that"]]

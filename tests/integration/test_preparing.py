"""A turn's first steps: what was said before, who asks. On a real store, with a platform that can tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal
from agent.task import Asker, Task
from bot.messages import MENTION, OVERHEARD, Author, Incoming, Person, Target
from bot.posting import Ambiguous, Refused
from bot.store import people
from bot.store.db import Store
from tests.support.server import ANN, START, Platform, Server, settled, target

BOB = Author("bob")


@dataclass
class Chat(Platform):
    """A platform that says who people are and what was said before."""

    described: dict[str, Person] = field(default_factory=dict)
    past: list[Incoming] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    #: Raised as often as there are any.
    troubles: list[Exception] = field(default_factory=list)

    async def person(self, workspace: str, user_id: str) -> Person:
        self.asked_for.append(user_id)
        if self.troubles:
            raise self.troubles.pop(0)
        if user_id not in self.described:
            raise Refused("user_not_found")
        return self.described[user_id]

    async def earlier(self, target: Target, before: datetime, most: int) -> Sequence[Incoming]:
        self.asked_for.append("past")
        if self.troubles:
            raise self.troubles.pop(0)
        return [one for one in self.past if one.sent_at < before][-most:]


class Noting:
    """An agent that keeps the tasks that it gets."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    async def __call__(self, task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        self.tasks.append(task)
        yield TextDelta("ok")
        yield Finished("ok")


def said(text: str, message_id: str, author: Author, at: float, *, mention: bool = False) -> Incoming:
    """Something that somebody says in the thread."""
    address = MENTION if mention else OVERHEARD
    sent_at = START + timedelta(seconds=at)
    return Incoming(target(), message_id, author, text, sent_at, address=address, earlier=mention)


async def ask(store: Store, chat: Chat, *events: Incoming) -> list[Task]:
    """Let a server answer these messages, one after another; the tasks that the agent got."""
    agent = Noting()
    async with Server(store, chat, agent, knows=("test",)) as server:
        for event in events:
            await server.inbox.receive(event)
            await settled(store)
    return agent.tasks


async def test_the_thread_before_the_call_is_read_once_and_shown_with_names(store: Store) -> None:
    chat = Chat(
        described={"ann": Person("ann", "Ann Lee"), "bob": Person("bob", "Bob")},
        past=[said("it breaks", "m1", BOB, 1), said("since when?", "m2", ANN, 2)],
    )
    first, second = await ask(
        store, chat, said("what now?", "m3", ANN, 3, mention=True), said("and?", "m4", ANN, 4, mention=True)
    )
    assert [(one.author, one.text) for one in first.overheard] == [("bob", "it breaks"), ("Ann", "since when?")]
    assert chat.asked_for.count("past") == 1
    assert [one.text for one in second.overheard] == ["it breaks", "since when?"]


async def test_what_others_say_meanwhile_is_shown_with_the_next_question(store: Store) -> None:
    chat = Chat(described={"ann": Person("ann", "Ann Lee")})
    events = (
        said("hello", "m1", ANN, 1, mention=True),
        said("I tried that", "m2", BOB, 2),
        said("so?", "m3", ANN, 3, mention=True),
    )
    _, second = await ask(store, chat, *events)
    assert [(one.author, one.text) for one in second.overheard] == [("bob", "I tried that")]
    assert second.asker == Asker("Ann Lee", trusted=True)


async def test_somebody_is_looked_up_once(store: Store) -> None:
    chat = Chat(described={"ann": Person("ann", "Ann Lee", zone="Asia/Shanghai")})
    first, second = await ask(store, chat, *(said("hello", f"m{n}", ANN, n, mention=True) for n in (1, 2)))
    assert first.asker == second.asker == Asker("Ann Lee", trusted=True)
    assert chat.asked_for.count("ann") == 1
    # Known in time for the second question.
    assert second.now.utcoffset() == timedelta(hours=8)


async def test_the_first_question_of_somebody_is_answered_in_their_own_zone(store: Store) -> None:
    shanghai = {"ann": Person("ann", "Ann", "member", zone="Asia/Shanghai"), "bob": Person("bob", "Bob", "member")}
    chat = Chat(described=shanghai, past=[said("earlier", "p0", BOB, -9)])
    [task] = await ask(store, chat, said("what day is it?", "m1", ANN, 1, mention=True))
    assert [str(at.tzinfo) for at in (task.now, *(one.at for one in task.overheard))] == ["Asia/Shanghai"] * 2


@pytest.mark.parametrize("kind", ["guest", "external"])
async def test_guests_and_people_of_other_workspaces_are_not_trusted(store: Store, kind: str) -> None:
    chat = Chat(described={"ann": Person("ann", "Ann", kind=kind)})  # type: ignore[arg-type]
    [task] = await ask(store, chat, said("hello", "m1", ANN, 1, mention=True))
    assert task.asker == Asker("Ann", trusted=False)


async def test_somebody_whom_the_platform_does_not_describe_is_answered_and_not_trusted(store: Store) -> None:
    [task] = await ask(store, Chat(), said("hello", "m1", ANN, 1, mention=True))
    assert task.asker == Asker("Ann", trusted=False)


async def test_a_platform_that_stumbles_is_asked_again(store: Store) -> None:
    chat = Chat(described={"ann": Person("ann", "Ann Lee")}, past=[said("before", "m0", BOB, 0)])
    chat.troubles = [Ambiguous("reset"), Ambiguous("reset")]
    [task] = await ask(store, chat, said("hello", "m1", ANN, 1, mention=True))
    assert [one.text for one in task.overheard] == ["before"]


async def test_a_past_that_can_not_be_read_now_is_read_with_the_next_question(store: Store) -> None:
    chat = Chat(described={"ann": Person("ann", "Ann Lee")}, past=[said("before", "m0", BOB, 0)])
    chat.troubles = [Refused("missing_scope")]
    first, second = await ask(store, chat, *(said("hello", f"m{n}", ANN, n, mention=True) for n in (1, 2)))
    assert first.overheard == ()
    assert [one.text for one in second.overheard] == ["before"]


async def test_while_the_past_is_unknown_nothing_unmentioned_is_answered(store: Store) -> None:
    chat = Chat(described={"ann": Person("ann", "Ann Lee")})
    chat.troubles = [Refused("missing_scope")]
    tasks = await ask(store, chat, said("hello", "m1", ANN, 1, mention=True), said("more", "m2", ANN, 2))
    assert len(tasks) == 1


class Mute(Chat):
    """A platform that doesn't answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def person(self, workspace: str, user_id: str) -> Person:
        self.asked.set()
        return await asyncio.get_running_loop().create_future()


async def test_whoever_was_looked_up_while_a_server_ended_is_no_stranger_to_the_next_one(store: Store) -> None:
    ann, mute, agent = Person("ann", "Ann Lee"), Mute(), Noting()
    async with Server(store, mute, Noting(), knows=("test",)) as server:
        await server.inbox.receive(said("hello", "m1", ANN, 1, mention=True))
        await mute.asked.wait()
    await store.write(lambda c: people.save(c, "test", "w", ann, server.clock.now()))
    async with Server(store, Chat(described={"ann": ann}), agent, knows=("test",)):
        await settled(store)
    assert [task.asker for task in agent.tasks] == [Asker("Ann Lee", trusted=True)]


async def test_people_that_were_looked_up_can_be_forgotten(store: Store) -> None:
    await ask(store, Chat(described={"ann": Person("ann", "Ann Lee")}), said("hello", "m1", ANN, 1, mention=True))
    assert await store.read(lambda c: people.known(c, "test", "w", ["ann"])) == {"ann": Person("ann", "Ann Lee")}
    await store.write(lambda c: people.forget(c, "test", "w", "ann"))
    assert await store.read(lambda c: people.known(c, "test", "w", ["ann"])) == {}

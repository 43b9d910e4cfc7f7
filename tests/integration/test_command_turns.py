"""Commands that are said as messages: turns that the worker runs through `Commands`, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from agent.events import AgentEvent, TextDelta
from agent.journal import Journal
from agent.task import Task
from bot.commands import Commands, command_of
from bot.dispatch.claim import Claimed
from bot.inbox import Rules
from bot.invocation import CommandReply
from bot.messages import MENTION, Asked, Final, Incoming, ReplyFile, Target
from bot.places import places
from bot.posting import RetryLater
from bot.store import audit, usage
from bot.store.db import Store
from bot.store.tables import conversation, message, turn
from bot.store.usage import Whose
from tests.support.desk import ANN, MAX_CHARS, Desk, edit
from tests.support.orders import MEMBER, Orders
from tests.support.server import START, Platform, Script, Server, echo, say, settled, target, until

COMMANDS = Rules(1000, command_of=command_of)


class Place:
    """A server that obeys commands."""

    def __init__(self, store: Store, folder: Path, script: Script = echo, platform: Platform | None = None) -> None:
        self.platform = platform or Platform()

        async def obey(claimed: Claimed, words: str) -> CommandReply:
            return await self.commands.in_turn(claimed, words)

        self.server = Server(store, self.platform, script, rules=COMMANDS, commands=obey)
        server = self.server
        self.orders = Orders(store, server.clock, server.dispatcher, server.live, folder)
        self.commands: Commands = self.orders.commands

    async def __aenter__(self) -> Place:
        await self.server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.__aexit__()
        await self.orders.close()

    @property
    def said(self) -> list[Final]:
        return self.platform.closes


async def endless(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
    yield TextDelta("and so on")
    await asyncio.Event().wait()


async def shown(platform: Platform) -> bool:
    """Whether people see anything."""
    return bool(platform.visible)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store, rules=Rules(MAX_CHARS, command_of=command_of))


async def test_a_command_is_answered_without_the_agent_and_privately(store: Store, tmp_path: Path) -> None:
    async with Place(store, tmp_path, endless) as place:
        await place.server.inbox.receive(say("help", "m1"))
        assert await settled(store) == {1: "answered"}
        assert await store.read(lambda c: audit.findings(c, place.server.clock.now())) == []
    [final] = place.said
    assert "`forget`" in final.text
    assert final.private


async def test_a_command_in_chinese_is_answered_in_chinese(sqlite_store: Store, tmp_path: Path) -> None:
    async with Place(sqlite_store, tmp_path, endless) as place:
        await place.server.inbox.receive(say("帮助", "m1"))
        await settled(sqlite_store)
    assert place.said[0].text.startswith("我来回答问题")


async def test_stop_overtakes_the_answer_that_is_running_and_those_that_wait(store: Store, tmp_path: Path) -> None:
    async with Place(store, tmp_path, endless) as place:
        await place.server.inbox.receive(say("tell me everything", "m1"))
        await until(lambda: shown(place.platform))
        await place.server.inbox.receive(say("and then the rest", "m2", at=1))
        await place.server.inbox.receive(say("Stop!", "m3", at=2))
        assert await settled(store) == {1: "stopped", 2: "stopped", 3: "answered"}
        assert await store.read(lambda c: audit.findings(c, place.server.clock.now())) == []
    assert place.said[-1].text == "Stopped."


async def test_stop_where_nothing_runs_says_so(sqlite_store: Store, tmp_path: Path) -> None:
    async with Place(sqlite_store, tmp_path) as place:
        await place.server.inbox.receive(say("停止", "m1"))
        await settled(sqlite_store)
    assert place.said[-1].text == "没有正在进行的回答，无需停止。"


async def test_a_change_by_command_is_seen_by_the_next_answer(store: Store, tmp_path: Path) -> None:
    async def named(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        async for event in echo(replace(task, question=task.profile.agent_name), journal, owner):
            yield event

    async with Place(store, tmp_path, named) as place:
        await place.server.inbox.receive(replace(say("profile set name Jeeves", "m1"), author=MEMBER))
        await settled(store)
        await place.server.inbox.receive(say("who are you?", "m2", at=1))
        await settled(store)
    assert place.said[-1].text == "echo: Jeeves"


async def test_a_long_command_is_obeyed_to_its_last_word(store: Store, tmp_path: Path) -> None:
    rules = "Be brief.\n" + "Count to seven. " * 40 + "The end"
    async with Place(store, tmp_path) as place:
        await place.server.inbox.receive(replace(say(f"profile set instructions {rules}", "m1"), author=MEMBER))
        await settled(store)
        profile = (await place.orders.profiles.effective(target())).profile
    assert profile.agent_instructions == rules
    kept = await store.read(lambda c: c.execute(select(turn.c.command)).scalar_one())
    assert len(kept or "") == 200


async def test_a_command_is_no_part_of_the_conversation(desk: Desk) -> None:
    await desk.inbox.receive(say("help", "m1"))
    claimed = await desk.start()
    assert claimed.turn.command == "help"
    await desk.end(claimed, answer="all that can be said")
    await desk.inbox.receive(say("hello", "m2", at=1))
    claimed = await desk.start()
    assert (claimed.task.question, claimed.task.history) == ("hello", ())
    assert (await desk.conversation()).title == "hello"


async def test_an_edit_makes_a_question_of_a_command_and_the_other_way(desk: Desk) -> None:
    await desk.inbox.receive(say("help", "m1"))
    await desk.inbox.receive(say("hello", "m2", at=1))
    await desk.inbox.receive(edit("help me with this", "m1"))
    await desk.inbox.receive(edit("status", "m2"))
    assert [row.command for row in await desk.turns()] == [None, "status"]


async def test_a_retry_of_a_command_is_the_command(desk: Desk) -> None:
    await desk.inbox.receive(say("status", "m1"))
    await desk.end(await desk.start(), "failed", None)
    await desk.control.retry(1, ANN)
    assert [row.command for row in await desk.turns()] == ["status", "status"]


async def test_a_take_over_does_not_obey_twice(store: Store, tmp_path: Path) -> None:
    """The process dies after the command was obeyed and before it was answered."""
    platform = Platform()
    crashed = asyncio.Event()

    async def hang() -> None:
        crashed.set()
        await asyncio.Event().wait()

    platform.before_post = hang
    one = Place(store, tmp_path, platform=platform)
    async with one:
        await one.server.inbox.receive(replace(say("profile set name Jeeves", "m1"), author=MEMBER))
        await crashed.wait()
        await one.server.crash()
    platform.before_post = None
    await store.write(lambda c: c.execute(conversation.update().values(owner=None, lease_until=None)))
    async with Place(store, tmp_path, platform=platform) as two:
        await settled(store)
        versions = await two.orders.profiles.versions(places(target())[-1])
    assert [version.number for version in versions] == [1]
    assert "(version 1)" in platform.closes[-1].text


# Files


class Post(Platform):
    """A platform that can hand out files."""

    def __init__(self, trouble: Exception | None = None) -> None:
        super().__init__()
        self.handed: list[tuple[str, ReplyFile]] = []
        self.trouble = trouble

    async def hand(self, target: Target, asked: Asked, file: ReplyFile) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.handed.append((asked.author.id, file))


async def exported(store: Store, folder: Path, platform: Platform) -> str:
    async with Place(store, folder, platform=platform) as place:
        await place.server.inbox.receive(say("What is 2+2?", "m1"))
        await place.server.inbox.receive(say("export", "m2", at=1))
        await settled(store)
    return place.said[-1].text


async def test_a_file_is_handed_to_whoever_asked(store: Store, tmp_path: Path) -> None:
    post = Post()
    assert (
        await exported(store, tmp_path, post)
        == "This conversation is in the file `What is 2+2.md`, which I have sent to you alone."
    )
    [(author, file)] = post.handed
    assert author == "ann"
    assert b"echo: What is 2+2?" in file.data


async def test_where_files_can_not_be_handed_out_that_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    assert "can't hand out files here" in await exported(sqlite_store, tmp_path, Platform())


async def test_a_file_that_could_not_be_sent_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    assert "could not be sent" in await exported(sqlite_store, tmp_path, Post(RetryLater(5)))


# Forgetting by command


async def test_forgetting_asks_first_then_does_it_and_says_so(store: Store, tmp_path: Path) -> None:
    async with Place(store, tmp_path) as place:
        inbox = place.server.inbox
        await inbox.receive(replace(say("the word is swordfish", "m1"), author=MEMBER))
        await settled(store)
        await inbox.receive(replace(say("forget this", "m2", at=1), author=MEMBER))
        await settled(store)
        assert "swordfish" in await texts(store)
        await inbox.receive(replace(say("forget this confirm", "m3", at=2), author=MEMBER))
        assert set((await settled(store)).values()) == {"answered"}
        assert await store.read(lambda c: audit.findings(c, place.server.clock.now())) == []
    assert "write `forget this confirm`" in place.said[1].text
    assert place.said[-1].text == "This conversation is deleted."
    assert "swordfish" not in await texts(store)


async def test_a_thread_in_which_others_have_spoken_is_forgotten_by_administrators_only(
    sqlite_store: Store, tmp_path: Path
) -> None:
    async with Place(sqlite_store, tmp_path) as place:
        await place.server.inbox.receive(say("hello", "m1"))
        await place.server.inbox.receive(replace(say("忘记这个对话 确认", "m2", at=1), author=MEMBER))
        await settled(sqlite_store)
    assert place.said[-1].text.startswith("其他人也在这里发过言")
    assert "hello" in await texts(sqlite_store)


async def test_forget_me_deletes_what_one_person_said_and_answers(store: Store, tmp_path: Path) -> None:
    async with Place(store, tmp_path) as place:
        inbox = place.server.inbox
        for key in ("c1", "c2"):
            await inbox.receive(replace(shared("swordfish", f"{key}-1", key), author=MEMBER))
        await inbox.receive(shared("hello", "c1-2", "c1"))
        await settled(store)
        await inbox.receive(replace(shared("forget me confirm", "c1-3", "c1"), author=MEMBER))
        assert set((await settled(store)).values()) == {"answered"}
        assert await store.read(lambda c: audit.findings(c, place.server.clock.now())) == []
    left = await texts(store)
    assert "swordfish" not in left
    assert "hello" in left
    assert place.said[-1].text == "What I kept of you in this workspace is deleted."


async def test_forgetting_is_no_way_around_a_limit(sqlite_store: Store, tmp_path: Path) -> None:
    desk = Desk(sqlite_store)
    limited = {"user_per_day": 5}
    orders = Orders(sqlite_store, desk.clock, desk.bell, desk.live, tmp_path, limits=limited)
    await desk.inbox.receive(replace(say("hello", "m1"), author=MEMBER))
    incoming = replace(say("hello", "m1"), author=MEMBER)
    await sqlite_store.write(lambda c: usage.admitted(c, incoming.target, incoming.author, 1, START))
    mine = Whose("test", "w", user_id=MEMBER.id)
    await orders.give("forget me confirm", at=target())
    assert (await sqlite_store.read(lambda c: usage.total(c, mine, START))).turns == 1
    desk.clock.advance(2 * 24 * 3600)
    await orders.give("forget me confirm", at=target())
    assert (await sqlite_store.read(lambda c: usage.total(c, mine, START))).turns == 0
    await orders.close()


def shared(text: str, message_id: str, key: str) -> Incoming:
    """A message that mentions the agent where others are, too."""
    return replace(say(text, message_id, key=key, at=float(message_id[-1])), address=MENTION)


async def texts(store: Store) -> str:
    """All that was said, and all that was answered."""
    said = await store.read(lambda c: list(c.execute(select(message.c.text)).scalars()))
    answered = await store.read(lambda c: list(c.execute(select(turn.c.answer)).scalars()))
    return "\n".join([*said, *(answer or "" for answer in answered)])

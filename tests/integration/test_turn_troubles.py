"""Turns whose platform refuses, answers late or says nothing, and the way in which their process shuts down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal
from agent.language import Text
from agent.task import Task
from bot.dispatch.claim import CONTEXT, Claimed
from bot.dispatch.lease import LEASE_SECONDS, Lease
from bot.messages import Asked, Edited, Target
from bot.ports import Ledger, LostTurn
from bot.posting import Ambiguous, Refused
from bot.store import audit
from bot.store.db import Store
from bot.store.tables import step
from bot.turns import Ended, Ending
from tests.support.clock import ManualClock
from tests.support.desk import Desk, Instant, edit
from tests.support.server import ANN, START, Platform, PlatformReply, Server, say, settled, states, target, until


class Paused:
    """An agent that says half of its answer and waits."""

    def __init__(self) -> None:
        self.halfway = asyncio.Event()
        self.go_on = asyncio.Event()
        self.asked: list[str] = []

    async def __call__(self, task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        self.asked.append(task.question)
        yield TextDelta("half ")
        self.halfway.set()
        await self.go_on.wait()
        yield Finished("half whole")


class Closed(Platform):
    """A platform that lets nobody in."""

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> PlatformReply:
        raise Refused("channel_is_gone")


async def findings(store: Store, server: Server) -> list[Text]:
    return await store.read(lambda c: audit.findings(c, server.clock.now()))


# Refused


async def test_a_turn_that_is_taken_back_ends_where_the_platform_refuses_everything(store: Store) -> None:
    paused = Paused()
    async with Server(store, Platform(), paused) as server:
        await server.inbox.receive(say("old", "m1"))
        await paused.halfway.wait()
        await server.crash()
    server = Server(store, Closed(), paused)
    await server.inbox.receive(Edited(target(), "m1", ANN, "new", START))
    async with server:
        assert await settled(store) == {1: "superseded", 2: "failed"}
        assert await findings(store, server) == []


async def test_a_turn_that_is_taken_back_while_it_is_given_up_ends(store: Store) -> None:
    opened = asyncio.Event()
    refuse = asyncio.Event()

    class Slow(Platform):
        async def open(self, target: Target, ledger: Ledger, asked: Asked) -> PlatformReply:
            opened.set()
            await refuse.wait()
            raise Refused("channel_is_gone")

    async with Server(store, Slow()) as server:
        await server.inbox.receive(say("old", "m1"))
        await opened.wait()
        await server.inbox.receive(Edited(target(), "m1", ANN, "new", START))
        refuse.set()
        assert await settled(store) == {1: "superseded", 2: "failed"}
        assert await findings(store, server) == []


# A lease that is lost


async def test_a_process_that_was_frozen_takes_nothing_back(store: Store) -> None:
    """It wakes up behind its lease, finds its turn edited, and must leave the platform to the new owner."""
    clock = ManualClock()
    frozen, other = Desk(store, "frozen", clock=clock), Desk(store, "other", clock=clock)
    allowed: list[bool] = []

    class Edits(Instant):
        async def run(self, claimed: Claimed, lease: Lease, ending: Ending) -> Ended:
            clock.advance(LEASE_SECONDS)
            await other.start()
            await other.inbox.receive(edit("new", "m1"))
            return Ended("answered", "too late")

        async def discard(self, claimed: Claimed, lease: Lease, end_as: Any) -> Ended:
            lease.check()
            allowed.append(True)
            return Ended(end_as)

    await frozen.inbox.receive(say("old", "m1"))
    with pytest.raises(LostTurn):
        await frozen.drain(Edits()).run()
    assert allowed == []


# Lost answers


class Tardy(Platform):
    """Its first post is answered by silence, and done when `arrive` is called."""

    text: str | None = None

    async def post(self, text: str) -> str:
        if self.text is None:
            self.text = text
            raise Ambiguous("timed out")
        return await super().post(text)

    async def arrive(self) -> None:
        assert self.text is not None
        await super().post(self.text)


async def test_a_post_that_arrives_after_its_turn_is_over_is_taken_away(store: Store) -> None:
    platform = Tardy()
    async with Server(store, platform, tidy_after=timedelta(seconds=1)) as server:
        await server.inbox.receive(say("hello", "m1"))
        assert await settled(store) == {1: "answered"}
        await platform.arrive()
        assert len(platform.visible) == 2

        async def one() -> bool:
            return len(platform.visible) == 1

        await until(one)
        assert await findings(store, server) == []


class Deaf(Platform):
    """It posts without saying so, and then the channel is gone."""

    closed: bool = False

    async def post(self, text: str) -> str:
        await super().post(text)
        self.closed = True
        raise Ambiguous("reset")

    async def list_own(self, since: Any) -> Any:
        if self.closed:
            raise Refused("channel_is_gone")
        return await super().list_own(since)


async def test_a_post_whose_outcome_nobody_can_learn_is_no_open_intent_for_ever(store: Store) -> None:
    platform = Deaf()
    async with Server(store, platform, tidy_after=timedelta(seconds=1)) as server:
        await server.inbox.receive(say("hello", "m1"))
        assert await settled(store) == {1: "failed"}
        assert await findings(store, server) == []
        platform.closed = False

        async def gone() -> bool:
            return platform.visible == {}

        await until(gone)


# Shutdown


async def test_a_server_that_stops_begins_no_further_turn(store: Store) -> None:
    paused, platform = Paused(), Platform()
    server = Server(store, platform, paused)
    await server.dispatcher.start()
    await server.inbox.receive(say("one", "m1"))
    await paused.halfway.wait()
    await server.inbox.receive(say("two", "m2", at=1))
    stopping = asyncio.create_task(server.dispatcher.stop(grace=20))
    await asyncio.sleep(0)
    paused.go_on.set()
    await stopping
    assert await states(store) == {1: "answered", 2: "queued"}
    async with Server(store, platform, paused, name="other"):
        assert await settled(store) == {1: "answered", 2: "answered"}


async def test_a_conversation_in_line_is_not_begun_by_a_server_that_stops(store: Store) -> None:
    paused, platform = Paused(), Platform()
    server = Server(store, platform, paused, most_turns=1)
    await server.dispatcher.start()
    await server.inbox.receive(say("one", "m1", key="c1"))
    await paused.halfway.wait()
    await server.inbox.receive(say("two", "m2", key="c2"))
    stopping = asyncio.create_task(server.dispatcher.stop(grace=20))
    await asyncio.sleep(0)
    paused.go_on.set()
    await stopping
    assert await states(store) == {1: "answered", 2: "queued"}


async def test_a_platform_that_says_nothing_does_not_hold_up_the_shutdown(store: Store) -> None:
    """Neither in mid-answer, nor when the end waits for the draft before it."""
    for number, halfway in enumerate((True, False)):
        silent = asyncio.Event()
        platform = Platform()

        async def say_nothing(silent: asyncio.Event = silent) -> None:
            silent.set()
            await asyncio.Event().wait()

        platform.before_post = say_nothing
        paused = Paused()
        server = Server(store, platform, paused)
        await server.dispatcher.start()
        await server.inbox.receive(say("hello", f"m{number}", key=f"c{number}"))
        await silent.wait()
        if not halfway:
            paused.go_on.set()
            await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        await server.dispatcher.stop(grace=0)
        assert not [task for task in before & asyncio.all_tasks() if "Delivery" in repr(task)]


async def test_a_claim_that_a_shutdown_cuts_off_leaves_no_lease(store: Store) -> None:
    platform = Platform()
    server = Server(store, platform)
    await server.dispatcher.start()
    receiving = [asyncio.create_task(server.inbox.receive(say("hello", f"m{n}", key=f"c{n}"))) for n in range(5)]
    await asyncio.gather(*receiving)
    await server.dispatcher.stop(grace=0)
    desk = Desk(store, "other")
    for number in range(5):
        assert (await desk.conversation(f"c{number}")).owner is None


# Another version


@pytest.mark.parametrize("frozen", [{}, {"messages": [], "history": [], "now": "", "zone": "Nowhere/Atlantis"}])
async def test_a_turn_whose_context_cant_be_read_fails_visibly_and_can_be_asked_again(
    store: Store, frozen: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    paused, platform = Paused(), Platform()
    async with Server(store, platform, paused) as server:
        await server.inbox.receive(say("hello", "m1"))
        await paused.halfway.wait()
        await server.crash()
    await store.write(lambda c: c.execute(update(step).where(step.c.key == CONTEXT).values(result=frozen)))
    paused.go_on.set()
    async with Server(store, platform, paused) as server:
        assert await settled(store) == {1: "failed"}
        assert "logged" in next(iter(platform.visible.values()))
        assert "context of turn 1" in caplog.text
        assert await server.control.retry(1, ANN) == 2
        assert await settled(store) == {1: "failed", 2: "answered"}

"""Turns on a real store with the real dispatcher: what `docs/state.md` says of running turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta
from agent.journal import Journal, OutcomeUnknown, step
from agent.llm.chat import ModelError
from agent.profile import Profile
from agent.task import Task
from bot.messages import Deleted, Edited
from bot.store import audit
from bot.store.db import Store
from tests.support.server import ANN, START, Platform, Server, say, settled, states, stored_texts, target, until


async def clean(store: Store, server: Server) -> None:
    found = await store.read(lambda c: audit.findings(c, server.clock.now()))
    assert found == []


class Gate:
    """An agent that counts its runs and waits in mid-answer until it is let through."""

    def __init__(self) -> None:
        self._reached = asyncio.Semaphore(0)
        self._tickets = asyncio.Semaphore(0)
        self.runs = 0
        self.asked: list[str] = []

    async def __call__(self, task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        self.runs += 1
        self.asked.append(task.question)
        yield TextDelta("half ")
        self._reached.release()
        await self._tickets.acquire()
        yield TextDelta("whole")
        yield Finished("half whole")

    async def reached(self) -> None:
        """Wait for the next run to be in mid-answer."""
        await self._reached.acquire()

    def let(self, runs: int) -> None:
        """Let so many runs through."""
        for _ in range(runs):
            self._tickets.release()


async def test_a_message_is_answered_once(store: Store) -> None:
    platform = Platform()
    async with Server(store, platform) as server:
        await server.inbox.receive(say("hello", "m1"))
        assert await settled(store) == {1: "answered"}
        await clean(store, server)
    assert list(platform.visible.values()) == ["echo: hello"]
    assert await stored_texts(store) == ["hello", "echo: hello"]


async def test_waiting_turns_run_by_platform_time(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate) as server:
        await server.inbox.receive(say("first", "m1", at=1))
        await gate.reached()
        await server.inbox.receive(say("late", "m3", at=3))
        await server.inbox.receive(say("early", "m2", at=2))
        gate.let(9)
        await settled(store)
    assert gate.asked == ["first", "early", "late"]


async def test_merge_answers_all_waiting_messages_in_one_turn(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate, profile=Profile(overlap="merge")) as server:
        await server.inbox.receive(say("first", "m1", at=1))
        await gate.reached()
        await server.inbox.receive(say("second", "m2", at=2))
        await server.inbox.receive(say("third", "m3", at=3))
        gate.let(9)
        assert await settled(store) == {1: "answered", 2: "answered", 3: "merged"}
        await clean(store, server)
    assert gate.asked == ["first", "second\n\nthird"]


async def test_stop_ends_a_running_turn_and_keeps_what_was_written(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate) as server:
        accepted = await server.inbox.receive(say("hello", "m1"))
        await gate.reached()
        assert accepted.turn_id is not None
        assert await server.control.stop(accepted.turn_id, ANN)
        assert await settled(store) == {1: "stopped"}
        assert not await server.control.stop(accepted.turn_id, ANN)
    assert list(platform.visible.values()) == ["half \nStopped."]


async def test_the_end_of_a_reply_shows_no_step_as_running(store: Store) -> None:
    started = asyncio.Event()

    async def endless(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        yield StepStarted("act/0/0", "act", "look", {})
        yield StepFinished("act/0/0", True, "seen")
        yield StepStarted("act/0/1", "act", "look", {})
        started.set()
        await asyncio.Event().wait()

    platform = Platform()
    async with Server(store, platform, endless) as server:
        accepted = await server.inbox.receive(say("hello", "m1"))
        await started.wait()
        assert accepted.turn_id is not None
        assert await server.control.stop(accepted.turn_id, ANN)
        assert await settled(store) == {1: "stopped"}
    assert [[step.state for step in final.steps] for final in platform.closes] == [["done", "failed"]]


async def test_a_queued_turn_is_stopped_without_running(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate) as server:
        await server.inbox.receive(say("first", "m1", at=1))
        await gate.reached()
        accepted = await server.inbox.receive(say("second", "m2", at=2))
        assert accepted.turn_id is not None
        assert await server.control.stop(accepted.turn_id, ANN)
        gate.let(9)
        assert await settled(store) == {1: "answered", 2: "stopped"}
    assert gate.asked == ["first"]


async def test_stop_survives_a_crash(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate) as server:
        accepted = await server.inbox.receive(say("hello", "m1"))
        await gate.reached()
        await server.crash()
    assert accepted.turn_id is not None
    other = Server(store, platform, gate, name="one")
    assert await other.control.stop(accepted.turn_id, ANN)
    async with other:
        assert await settled(store) == {1: "stopped"}
    assert gate.runs == 1


async def test_editing_a_running_message_supersedes_its_turn(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate) as server:
        await server.inbox.receive(say("old", "m1"))
        await gate.reached()

        async def posted() -> bool:
            return bool(platform.visible)

        await until(posted)
        await server.inbox.receive(Edited(target(), "m1", ANN, "new", START))
        gate.let(9)
        assert await settled(store) == {1: "superseded", 2: "answered"}
        await clean(store, server)
    assert gate.asked == ["old", "new"]
    assert list(platform.visible.values()) == ["half whole"]


async def test_deleting_a_running_message_takes_the_reply_back(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate) as server:
        await server.inbox.receive(say("secret", "m1"))
        await gate.reached()
        await server.inbox.receive(Deleted(target(), "m1"))
        assert await settled(store) == {1: "withdrawn"}
        await clean(store, server)
    assert platform.visible == {}
    assert await stored_texts(store) == [""]


async def test_deleting_one_of_two_merged_messages_answers_the_other(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate, profile=Profile(overlap="merge")) as server:
        await server.inbox.receive(say("first", "m1", at=1))
        await gate.reached()
        await server.inbox.receive(say("second", "m2", at=2))
        await server.inbox.receive(say("third", "m3", at=3))
        gate.let(1)
        await gate.reached()
        await server.inbox.receive(Deleted(target(), "m2"))
        gate.let(9)
        assert await settled(store) == {1: "answered", 2: "superseded", 3: "merged", 4: "answered"}
        await clean(store, server)
    assert gate.asked == ["first", "second\n\nthird", "third"]


async def test_a_takeover_recalls_finished_steps(store: Store) -> None:
    made: list[str] = []
    second = asyncio.Event()
    go_on = asyncio.Event()

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        async def make(name: str) -> str:
            made.append(name)
            if name == "two":
                second.set()
                await go_on.wait()
            return name

        yield StepStarted("act/0/0", "act", "t")
        one = await step(journal, "act/0/0", lambda: make("one"))
        yield StepFinished("act/0/0", True, one)
        two = await step(journal, "act/1/0", lambda: make("two"))
        yield Finished(one + two)

    platform = Platform()
    async with Server(store, platform, agent) as server:
        await server.inbox.receive(say("hello", "m1"))
        await second.wait()
        await server.crash()
    go_on.set()
    async with Server(store, platform, agent) as server:
        assert await settled(store) == {1: "answered"}
        await clean(store, server)
    assert made == ["one", "two", "two"]
    assert list(platform.visible.values()) == ["onetwo"]


async def test_a_takeover_runs_with_the_profile_that_was_frozen(store: Store) -> None:
    seen: list[str] = []
    reached = asyncio.Event()

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        seen.append(task.profile.agent_name)
        if len(seen) == 1:
            reached.set()
            await asyncio.Event().wait()
        yield Finished(task.profile.agent_name)

    platform = Platform()
    async with Server(store, platform, agent, profile=Profile(agent_name="Ada", tool_names=("notool",))) as server:
        await server.inbox.receive(say("hello", "m1"))
        await reached.wait()
        await server.crash()
    async with Server(store, platform, agent, profile=Profile(agent_name="Bob")) as server:
        await server.inbox.receive(say("hello again", "m2", at=1))
        assert await settled(store) == {1: "answered", 2: "answered"}
    assert seen == ["Ada", "Ada", "Bob"]


async def test_a_started_writing_step_never_runs_again(store: Store) -> None:
    written: list[int] = []
    started = asyncio.Event()

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        async def write() -> str:
            written.append(1)
            started.set()
            await asyncio.Event().wait()
            return "done"

        try:
            text = await step(journal, "act/0/0", write, writes=True)
        except OutcomeUnknown:
            text = "outcome unknown"
        yield Finished(text)

    platform = Platform()
    async with Server(store, platform, agent) as server:
        await server.inbox.receive(say("hello", "m1"))
        await started.wait()
        await server.crash()
    async with Server(store, platform, agent):
        assert await settled(store) == {1: "answered"}
    assert written == [1]
    assert list(platform.visible.values()) == ["outcome unknown"]


async def test_a_turn_that_kills_its_process_fails_visibly(store: Store) -> None:
    runs = 0
    reached = asyncio.Event()

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        nonlocal runs
        runs += 1
        reached.set()
        await asyncio.Event().wait()
        yield Finished("never")

    platform = Platform()
    for attempt in range(4):
        async with Server(store, platform, agent) as server:
            if attempt == 0:
                await server.inbox.receive(say("hello", "m1"))
            await reached.wait()
            reached.clear()
            await server.crash()
    async with Server(store, platform, agent):
        assert await settled(store) == {1: "failed"}
    assert runs == 4
    [text] = platform.visible.values()
    assert "4 times" in text


async def test_an_orderly_shutdown_is_no_attempt(store: Store) -> None:
    reached = asyncio.Event()
    runs = 0

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        nonlocal runs
        runs += 1
        reached.set()
        if runs < 8:
            await asyncio.Event().wait()
        yield Finished("at last")

    platform = Platform()
    for attempt in range(7):
        async with Server(store, platform, agent) as server:
            if attempt == 0:
                await server.inbox.receive(say("hello", "m1"))
            await reached.wait()
            reached.clear()
    async with Server(store, platform, agent):
        assert await settled(store) == {1: "answered"}


async def test_posted_but_not_journaled_is_adopted(store: Store) -> None:
    platform = Platform()
    posted = asyncio.Event()

    class Dies(Platform):
        async def post(self, text: str) -> str:
            external_id = await platform.post(text)
            posted.set()
            await asyncio.Event().wait()
            return external_id

    dying = Dies(visible=platform.visible, created_at=platform.created_at)
    async with Server(store, dying) as server:
        await server.inbox.receive(say("hello", "m1"))
        await posted.wait()
        await server.crash()
    assert len(platform.visible) == 1
    async with Server(store, platform) as server:
        assert await settled(store) == {1: "answered"}
        await clean(store, server)
    assert list(platform.visible.values()) == ["echo: hello"]
    assert [call for call in platform.calls if call.startswith("post")] == ["post p1"]


async def test_a_refusal_is_told_once(store: Store) -> None:
    gate, platform = Gate(), Platform()
    async with Server(store, platform, gate) as server:
        await server.inbox.receive(say("   ", "m1"))
        await server.inbox.receive(say("x" * 2000, "m2", at=1))
        assert await settled(store) == {1: "refused", 2: "refused"}
    assert gate.runs == 0
    empty, too_long = platform.visible.values()
    assert "empty" in empty
    assert "1,000" in too_long


async def test_a_model_that_fails_gives_one_sentence_and_a_retry(store: Store) -> None:
    runs = 0

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ModelError("unreachable", "connection refused")
        yield Finished(f"second try: {task.question}")

    platform = Platform()
    async with Server(store, platform, agent) as server:
        await server.inbox.receive(say("hello", "m1"))
        assert await settled(store) == {1: "failed"}
        assert platform.closes[0].can_retry
        assert await server.control.retry(1, ANN) == 2
        assert await server.control.retry(1, ANN) is None
        assert await settled(store) == {1: "failed", 2: "answered"}
        await clean(store, server)
    assert list(platform.visible.values())[-1] == "second try: hello"


async def test_a_bug_in_the_agent_fails_visibly(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        yield TextDelta("so far")
        raise KeyError("bug")

    platform = Platform()
    async with Server(store, platform, agent) as server:
        await server.inbox.receive(say("hello", "m1"))
        assert await settled(store) == {1: "failed"}
    assert "logged" in next(iter(platform.visible.values()))
    assert "turn 1 failed" in caplog.text


async def consenting(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
    """An agent with one writing tool."""
    allowed = await journal.consent("consent/0/0", "send_mail", {"to": "bob"})
    yield Finished("sent" if allowed else "not sent")


@pytest.mark.parametrize(("allow", "said"), [(True, "sent"), (False, "not sent")])
async def test_consent_decides_whether_a_writing_step_runs(store: Store, allow: bool, said: str) -> None:
    platform = Platform()
    async with Server(store, platform, consenting) as server:
        await server.inbox.receive(say("hello", "m1"))

        async def waiting() -> bool:
            return (await states(store)) == {1: "waiting"}

        await until(waiting)
        assert "send_mail" in next(iter(platform.visible.values()))
        assert await server.control.consent(1, "consent/0/0", ANN, allow)
        assert not await server.control.consent(1, "consent/0/0", ANN, not allow)
        assert await settled(store) == {1: "answered"}
        await clean(store, server)
    assert list(platform.visible.values()) == [said]


async def test_a_parked_turn_lets_others_run_and_can_be_stopped(store: Store) -> None:
    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        if task.question == "mail":
            await journal.consent("consent/0/0", "send_mail", {})
        yield Finished(f"did {task.question}")

    platform = Platform()
    async with Server(store, platform, agent) as server:
        await server.inbox.receive(say("mail", "m1", at=1))
        await server.inbox.receive(say("chat", "m2", at=2))

        async def both() -> bool:
            return (await states(store)) == {1: "waiting", 2: "answered"}

        await until(both)
        assert await server.control.stop(1, ANN)
        await until(lambda: _is(store, {1: "stopped", 2: "answered"}))
        await clean(store, server)


async def _is(store: Store, wanted: dict[int, str]) -> bool:
    return (await states(store)) == wanted


async def test_history_is_what_was_said_before_in_this_generation(store: Store) -> None:
    seen: list[list[tuple[str, str]]] = []

    async def agent(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        seen.append([(e.question, e.answer) for e in task.history])
        yield Finished(f"re {task.question}")

    platform = Platform()
    async with Server(store, platform, agent) as server:
        for number in (1, 2, 3):
            await server.inbox.receive(say(f"q{number}", f"m{number}", at=number))
            await settled(store)
        await server.inbox.receive(say("elsewhere", "m9", key="c2"))
        await settled(store)
    assert seen == [[], [("q1", "re q1")], [("q1", "re q1"), ("q2", "re q2")], []]


async def test_two_servers_share_the_work_and_lose_nothing(postgres_store: Store) -> None:
    platform = Platform()
    async with Server(postgres_store, platform, name="one") as one, Server(postgres_store, platform, name="two") as two:
        for number in range(20):
            server = (one, two)[number % 2]
            await server.inbox.receive(say(f"q{number}", f"m{number}", key=f"c{number % 5}", at=number))
        found = await settled(postgres_store)
        await clean(postgres_store, one)
    assert set(found.values()) == {"answered"}
    assert sorted(platform.visible.values()) == sorted(f"echo: q{n}" for n in range(20))

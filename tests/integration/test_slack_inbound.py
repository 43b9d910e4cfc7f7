"""Slack's events, from its sockets and requests into the inbox, and what is acked when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.slack.hearing import listen as listening_rules
from agent.language import Text
from bot.messages import Accepted, Address, Author, Deleted, Edited, Event, Incoming
from bot.ports import Outbound, Receive, StoreUnavailable
from bot.store.db import Store, open_store
from tests.contracts.adapter import InboundContract
from tests.contracts.workbench import Call, Fault, Place, Seen, Workbench
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.harness import Said
from tests.fakes.slack.prepared import ALICE, BOB, BOT_USER, C1, DORA, SHARED
from tests.support.slack_inbound import Listening, listening

# One process of Slack serves all tests of this module; each test has an app of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES: list[Mode] = ["http", "socket"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def opened(sqlite_url: str) -> AsyncIterator[Store]:
    store = open_store(sqlite_url)
    yield store
    await store.close()


@pytest_asyncio.fixture(loop_scope="module", params=MODES)
async def app(
    slack: FakeSlack, opened: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Listening]:
    await slack.set(reset=True, retry_scale=0.01)
    async with listening(slack, opened, tmp_path, request.param) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def over_http(slack: FakeSlack, opened: Store, tmp_path: Path) -> AsyncIterator[Listening]:
    await slack.set(reset=True, retry_scale=0.01)
    async with listening(slack, opened, tmp_path, "http") as running:
        yield running


def messages(events: list[Event], said: Said) -> list[Incoming]:
    return [event for event in events if isinstance(event, Incoming) and event.message_id == said.ts]


# What every adapter promises.


class InboundBench(Workbench):
    """The inbound half of a workbench."""

    too_long, rate_limit = 0, 0.0

    def __init__(self, slack: FakeSlack, store: Store, folder: Path, mode: Mode) -> None:
        self._slack, self._store, self._folder, self._mode = slack, store, folder, mode
        self._stack = AsyncExitStack()
        self._said: Said | None = None

    async def close(self) -> None:
        await self._stack.aclose()

    async def listen(self, receive: Receive) -> None:
        await self._stack.enter_async_context(
            listening(self._slack, self._store, self._folder, self._mode, receive=receive)
        )

    async def deliver(self, text: str, times: int) -> str:
        # Over a socket nothing says that there will be no ack.
        await self._slack.set(reset=True, retry_scale=0.01, copies=times, ack_timeout=1.0)
        self._said = await self._slack.dm(text)
        return self._said.ts

    async def acks(self, count: int) -> None:
        said = self._said
        assert said is not None
        await self._slack.until(lambda replay: replay.deliveries(said.id, "acked") >= count)

    async def no_ack(self) -> None:
        said = self._said
        assert said is not None
        await self._slack.until(lambda replay: replay.deliveries(said.id, "unacked"))

    def outbound(self) -> Outbound:
        raise NotImplementedError

    async def place(self) -> Place:
        raise NotImplementedError

    async def visible(self, place: Place) -> list[Seen]:
        raise NotImplementedError

    async def created(self, place: Place) -> int:
        raise NotImplementedError

    async def calls(self) -> int:
        raise NotImplementedError

    async def too_early(self) -> int:
        raise NotImplementedError

    async def rang(self, place: Place) -> int:
        raise NotImplementedError

    async def fail(self, call: Call, fault: Fault, times: int = 1) -> None:
        raise NotImplementedError

    async def plant(self, place: Place, text: str) -> str:
        raise NotImplementedError

    async def moderate(self, message_id: str) -> None:
        raise NotImplementedError


@pytest_asyncio.fixture(loop_scope="module", params=MODES)
async def bench(
    slack: FakeSlack, opened: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[InboundBench]:
    bench = InboundBench(slack, opened, tmp_path, request.param)
    yield bench
    await bench.close()


class TestInbound(InboundContract):
    pass


# Messages.


async def test_a_mention_and_its_twin_are_one_turn(app: Listening) -> None:
    said = await app.slack.mention("what is it?")
    heard = messages(await app.settled(), said)
    assert [(one.text, one.address.mentions_us) for one in heard] == [("what is it?", True)] * 2
    assert len({one.delivery_id for one in heard}) == 2
    assert heard[0].target == heard[1].target
    assert len(await app.desk.turns()) == 1


async def test_a_direct_message_begins_a_thread_of_its_own(app: Listening) -> None:
    first, second = await app.slack.dm("one"), await app.slack.dm("two")
    events = await app.settled()
    [one], [two] = messages(events, first), messages(events, second)
    assert one.address.direct
    assert one.target.conversation_key == f"slack:T1:{first.channel}:{first.ts}"
    assert one.target.channel == two.target.channel
    assert one.target.thread != two.target.thread


async def test_a_mention_in_an_old_thread_knows_that_it_is_late(app: Listening) -> None:
    root = await app.slack.say("who knows?", user=BOB)
    said = await app.slack.mention("you?", thread=root.ts)
    heard = messages(await app.settled(), said)
    assert all(one.earlier and one.target.thread == root.ts for one in heard)


async def test_what_nobody_meant_for_us_is_not_kept(app: Listening) -> None:
    await app.slack.say("just between us")
    await app.settled()
    assert await app.desk.messages() == []


async def test_somebody_of_another_workspace_is_external(over_http: Listening) -> None:
    said = await over_http.slack.say(f"<@{BOT_USER}> hello", user=DORA, channel=SHARED)
    heard = messages(await over_http.settled(), said)
    assert {one.author for one in heard} == {Author(DORA, "", "external", "T2")}
    assert {one.target.workspace for one in heard} == {"T1"}


async def test_whoever_was_mentioned_once_is_known_by_name_the_next_time(over_http: Listening) -> None:
    first = await over_http.slack.mention(f"tell <@{BOB}>")
    await over_http.settled()
    second = await over_http.slack.mention(f"tell <@{BOB}>")
    events = await over_http.settled()
    assert {one.text for one in messages(events, first)} == {f"tell @{BOB}"}
    assert {one.text for one in messages(events, second)} == {"tell @bob"}


async def test_nobody_is_looked_up_for_what_is_none_of_our_business(over_http: Listening) -> None:
    before = len((await over_http.slack.replay()).called("users.info"))
    await over_http.slack.say(f"ask <@{BOB}>")
    await over_http.settled()
    assert len((await over_http.slack.replay()).called("users.info")) == before


async def test_files_arrive_as_references(over_http: Listening) -> None:
    file = await over_http.slack.upload("notes.txt", b"hello", mimetype="text/plain")
    said = await over_http.slack.dm("read this", files=[file])
    [heard] = messages(await over_http.settled(), said)
    [attachment] = heard.attachments
    assert (attachment.id, attachment.name, attachment.media_type, attachment.size) == (
        file,
        "notes.txt",
        "text/plain",
        5,
    )
    assert attachment.source.startswith(over_http.slack.url)


# Changes.


async def test_an_edit_is_heard_once_and_noise_never(over_http: Listening) -> None:
    slack = over_http.slack
    said = await slack.mention("one")
    await over_http.settled()
    await slack.control("unfurl", channel=said.channel, ts=said.ts)
    await slack.say("a reply changes its root", thread=said.ts, user=BOB)
    await slack.edit(said, f"<@{BOT_USER}> two")
    edits = [event for event in await over_http.settled() if isinstance(event, Edited)]
    assert [(event.message_id, event.text, event.address) for event in edits] == [
        (said.ts, "two", Address(mentions_us=True))
    ]


async def test_a_deleted_message_is_withdrawn(app: Listening) -> None:
    said = await app.slack.mention("never mind")
    await app.settled()
    await app.slack.delete(said)
    events = await app.settled()
    assert [event.message_id for event in events if isinstance(event, Deleted)] == [said.ts]
    assert await app.desk.states() == ["withdrawn"]


# What is acked.


async def test_events_that_nobody_wants_are_acked(app: Listening) -> None:
    await app.slack.emit({"type": "reaction_added", "user": ALICE, "event_ts": "1.2"}, subscribed=True)
    await app.slack.emit({"type": "app_context_changed", "channel": C1, "user": ALICE}, subscribed=True)
    await app.slack.emit({"type": "assistant_thread_started", "assistant_thread": {}}, subscribed=True)
    assert await app.settled() == []


async def test_a_commit_that_takes_too_long_is_not_acked_and_comes_again(
    slack: FakeSlack, opened: Store, tmp_path: Path, quick: None
) -> None:
    await slack.set(reset=True, retry_scale=0.01)
    calls: list[str] = []

    async def receive(event: Event) -> Accepted:
        calls.append(event.message_id)
        if len(calls) == 1:
            await asyncio.Event().wait()
        return Accepted(1)

    async with listening(slack, opened, tmp_path, "http", receive=receive):
        said = await slack.dm("hello")
        assert await slack.quiesce() == []
    replay = await slack.replay()
    assert calls == [said.ts] * 2
    assert (replay.deliveries(said.id, "unacked"), replay.deliveries(said.id, "acked")) == (1, 1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening_rules, "COMMIT_S", 0.05)


async def test_a_workspace_that_is_not_allowed_is_acked_and_dropped(
    slack: FakeSlack, opened: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await slack.set(reset=True, retry_scale=0.01)
    async with listening(slack, opened, tmp_path, "http", KAGENTBOT_SLACK__WORKSPACES='["T9"]') as app:
        said = await slack.mention("anybody?")
        assert await app.settled() == []
        assert (await slack.replay()).deliveries(said.id, "acked") == 2
    assert sum("slack.workspaces" in record.getMessage() for record in caplog.records) >= 1


# Slack's own Stop.


async def test_slacks_stop_ends_what_is_live_in_the_thread(app: Listening) -> None:
    slack = app.slack
    said = await slack.mention("count to a million")
    other = await slack.mention("something else")
    await app.settled()
    await slack.emit(
        {"type": "agent_session_stopped", "channel": said.channel, "thread_ts": said.ts, "user": BOB, "event_ts": "1.2"}
    )
    await app.settled()
    rows = {row.sent_at: row for row in await app.desk.turns()}
    stopped, running = (rows[at] for at in sorted(rows))
    assert (stopped.end_as, stopped.end_asked_by, running.end_as) == ("stopped", BOB, None)
    calls = (await slack.replay()).called("agents.sessions.setStatus")
    assert calls[-1]["arguments"] == {"channel_id": said.channel, "thread_ts": said.ts, "status": "active"}
    assert other.ts not in str(calls)


async def test_a_stop_that_the_database_cannot_take_is_told_again(
    slack: FakeSlack, opened: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await slack.set(reset=True, retry_scale=0.01, ack_timeout=1.0)
    async with listening(slack, opened, tmp_path, "socket") as app:
        said = await slack.mention("count to a million")
        await app.settled()
        stop_in, failures = app.desk.control.stop_in, [StoreUnavailable(Text("no disk", "没有磁盘"))]

        async def flaky(key: str, by: Author) -> int:
            if failures:
                raise failures.pop()
            return await stop_in(key, by)

        monkeypatch.setattr(app.desk.control, "stop_in", flaky)
        await slack.emit(
            {"type": "agent_session_stopped", "channel": C1, "thread_ts": said.ts, "user": BOB, "event_ts": "1.2"}
        )
        await app.settled()
        assert [row.end_as for row in await app.desk.turns()] == ["stopped"]

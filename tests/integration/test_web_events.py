"""Event streams over real sockets: what there is when one connects, what changes after it, how it ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

import pytest
from aiohttp import ClientSession
from sqlalchemy import Connection

from adapters.web import sse
from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta, TextReset
from agent.journal import Journal
from agent.language import Text
from agent.task import Task
from bot.messages import Draft
from bot.ports import StoreUnavailable
from bot.store.db import Store
from bot.web.server import STREAMS
from bot.web.streams import STREAMS_PER_CLIENT, Streams
from tests.support.server import until
from tests.support.web import LIVE, Gate, Site

T = TypeVar("T")


async def test_a_stream_begins_with_what_there_is(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        first = await site.client.send("one")
        gate.answer("1")
        await site.client.finished(first["turn_id"])
        second = await site.client.send("two", first["conversation"])
        third = await site.client.send("three", first["conversation"])
        gate.say(TextDelta("half"))
        await site.client.turn_when(second["turn_id"], lambda t: t["text"] == "half")
        async with site.client.events(first["conversation"]) as events:
            one = await events.until(lambda _: True)
            two = await events.until(lambda _: True)
    assert (one["id"], one["state"], one["text"]) == (second["turn_id"], "running", "half")
    assert (two["id"], two["state"], two["text"]) == (third["turn_id"], "queued", "")


async def test_a_stream_of_a_quiet_conversation_begins_with_its_newest_turn(store: Store) -> None:
    async with Site(store) as site:
        first = await site.client.send("one")
        await site.client.finished(first["turn_id"])
        second = await site.client.send("two", first["conversation"])
        await site.client.finished(second["turn_id"])
        async with site.client.events(first["conversation"]) as events:
            found = await events.until(lambda _: True)
    assert (found["id"], found["state"], found["text"]) == (second["turn_id"], "answered", "echo: two")


async def test_each_change_arrives_as_a_complete_picture(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        posted = await site.client.send("hello")
        async with site.client.events(posted["conversation"]) as events:
            gate.say(StepStarted("act/0/0", "act", "time_delta", {"a": 1}))
            running = await events.until(lambda t: bool(t["steps"]))
            gate.say(StepFinished("act/0/0", True, "**3** days"))
            done = await events.until(lambda t: bool(t["steps"]) and t["steps"][0]["state"] == "done")
            gate.say(TextDelta("It is "))
            begun = await events.until(lambda t: t["text"] == "It is ")
            gate.say(TextDelta("**three**"), Finished("It is **three**"))
            over = await events.until(lambda t: t["state"] == "answered")
    assert running["steps"][0]["state"] == "running"
    assert done["steps"][0]["html"] == "<p><strong>3</strong> days</p>\n"
    assert begun["html"] == "<p>It is</p>\n"
    assert over["html"] == "<p>It is <strong>three</strong></p>\n"
    assert all(t["messages"][0]["text"] == "hello" for t in (running, done, begun, over))
    assert running["version"] < done["version"] < begun["version"]


async def test_an_answer_that_begins_anew_leaves_nothing_of_the_old_one(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        posted = await site.client.send("hello")
        gate.say(TextDelta("One old paragraph.\n\nAnother old one.\n\nThe third"))
        async with site.client.events(posted["conversation"]) as events:
            await events.until(lambda t: "The third" in t["html"])
            gate.say(TextReset())
            void = await events.until(lambda t: t["text"] == "")
            gate.say(TextDelta("One new"))
            anew = await events.until(lambda t: t["text"] == "One new")
            # Who comes in the middle sees the same.
            fresh = await site.client.turn_when(posted["turn_id"], lambda t: t["text"] == "One new")
            gate.say(TextDelta(" text."), Finished("One new text."))
            done = await events.until(lambda t: t["state"] == "answered")
    assert void["html"] == ""
    assert anew["html"] == fresh["html"] == "<p>One new</p>\n"
    assert done["html"] == "<p>One new text.</p>\n"


async def test_a_new_message_appears_in_a_stream_that_is_open(store: Store) -> None:
    async with Site(store) as site:
        first = await site.client.send("one")
        await site.client.finished(first["turn_id"])
        async with site.client.events(first["conversation"]) as events:
            await events.until(lambda t: t["id"] == first["turn_id"])
            second = await site.client.send("two", first["conversation"])
            found = await events.until(lambda t: t["id"] == second["turn_id"] and t["state"] == "answered")
    assert found["text"] == "echo: two"


async def test_a_rating_an_edit_and_a_deletion_appear_in_other_tabs(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        first = await site.client.send("one")
        gate.answer("1")
        await site.client.finished(first["turn_id"])
        message_id = "5f0c5a0e-0f5b-4f51-8a57-5b0f3f6a4d11"
        running = await site.client.send("two", first["conversation"])
        second = await site.client.send("three", first["conversation"], message_id)
        path = f"/api/v1/conversations/{first['conversation']}/messages/{message_id}"
        async with site.client.events(first["conversation"]) as events:
            await events.until(lambda t: t["id"] == second["turn_id"])
            await site.client.call("POST", f"/api/v1/turns/{first['turn_id']}/feedback", {"value": 1})
            await events.until(lambda t: t["id"] == first["turn_id"] and t["feedback"] == 1)
            await site.client.call("PUT", path, {"text": "drei"})
            await events.until(lambda t: t["id"] == second["turn_id"] and t["messages"][0]["text"] == "drei")
            await site.client.call("DELETE", path)
            gone = await events.until(lambda t: t["id"] == second["turn_id"] and t["state"] == "withdrawn")
            gate.answer("2")
            await events.until(lambda t: t["id"] == running["turn_id"] and t["state"] == "answered")
    assert gone["messages"][0]["erased"] is True


async def test_an_edit_of_a_running_turn_says_who_takes_its_place(store: Store) -> None:
    gate = Gate()
    message_id = "5f0c5a0e-0f5b-4f51-8a57-5b0f3f6a4d11"
    async with Site(store, gate) as site:
        posted = await site.client.send("old", None, message_id)
        path = f"/api/v1/conversations/{posted['conversation']}/messages/{message_id}"
        async with site.client.events(posted["conversation"]) as events:
            gate.say(TextDelta("half"))
            await events.until(lambda t: t["text"] == "half")
            changed = await site.client.call("PUT", path, {"text": "new"})
            old = await events.until(lambda t: t["id"] == posted["turn_id"] and t["state"] == "superseded")
            gate.answer("whole")
            new = await events.until(lambda t: t["id"] == changed["turn_id"] and t["state"] == "answered")
    assert old["merged_into"] == new["id"]
    assert new["messages"][0]["text"] == "new"


async def test_a_stream_that_connects_again_goes_on_with_the_newest_picture(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        posted = await site.client.send("hello")
        async with site.client.events(posted["conversation"]) as events:
            gate.say(TextDelta("one "))
            before = await events.until(lambda t: t["text"] == "one ")
        gate.say(TextDelta("two "))
        await site.client.turn_when(posted["turn_id"], lambda t: t["text"] == "one two ")
        async with site.client.events(posted["conversation"]) as events:
            after = await events.until(lambda _: True)
            gate.say(TextDelta("three"), Finished("one two three"))
            over = await events.until(lambda t: t["state"] == "answered")
    assert after["text"] == "one two "
    assert after["version"] >= before["version"]
    assert over["text"] == "one two three"


async def test_two_tabs_see_the_same(store: Store) -> None:
    gate = Gate()
    async with Site(store, gate) as site:
        posted = await site.client.send("hello")
        async with (
            site.client.events(posted["conversation"]) as one,
            site.client.events(posted["conversation"]) as two,
        ):
            gate.say(TextDelta("half"))
            assert await one.until(lambda t: t["text"] == "half") == await two.until(lambda t: t["text"] == "half")


async def test_what_runs_in_another_process_is_seen_too(postgres_store: Store) -> None:
    gate = Gate()
    async with Site(postgres_store, gate) as worker, Site(postgres_store, gate, name="two") as page:
        await page.dispatcher.stop(grace=0)
        posted = await worker.client.send("hello")
        async with page.client.events(posted["conversation"]) as events:
            gate.say(TextDelta("half"))
            half = await events.until(lambda t: t["text"] == "half")
            gate.say(Finished("half"))
            over = await events.until(lambda t: t["state"] == "answered")
            # It is quiet here now, yet a new turn is noticed.
            gate.answer("more")
            again = await worker.client.send("again", posted["conversation"])
            more = await events.until(lambda t: t["id"] == again["turn_id"] and t["state"] == "answered")
    assert half["state"] == "running"
    assert (over["text"], more["text"]) == ("half", "more")


async def test_an_answer_that_streams_does_not_hide_what_other_processes_do(
    postgres_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "_IDLE_LOOK", 0.2)
    gate = Gate()
    async with Site(postgres_store, gate) as page, Site(postgres_store, gate, name="two") as other:
        posted = await page.client.send("hello")

        async def stream() -> None:
            while True:
                gate.say(TextDelta("more "))
                await asyncio.sleep(0.05)

        streaming = asyncio.create_task(stream())
        async with page.client.events(posted["conversation"]) as events:
            await events.until(lambda t: t["text"].startswith("more more"))
            second = await other.client.send("again", posted["conversation"])
            seen = await events.until(lambda t: t["id"] == second["turn_id"])
        streaming.cancel()
        gate.say(Finished("over"))
    assert seen["state"] == "queued"


async def test_a_turn_of_a_server_that_died_is_followed_to_its_end_by_the_next_one(sqlite_store: Store) -> None:
    gate = Gate()
    first = Site(sqlite_store, gate)
    async with first:
        posted = await first.client.send("hello")
        gate.say(TextDelta("half"))
        await first.client.turn_when(posted["turn_id"], lambda t: t["text"] == "half")
    async with (
        Site(sqlite_store, gate, name="two") as second,
        second.client.events(posted["conversation"]) as events,
    ):
        begun = await events.until(lambda _: True)
        gate.answer("whole")
        over = await events.until(lambda t: t["state"] not in LIVE)
    assert (begun["state"], begun["text"]) == ("running", "half")
    assert (over["state"], over["text"]) == ("answered", "whole")


async def test_a_client_that_goes_leaves_nothing_behind(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        path = f"/api/v1/conversations/{posted['conversation']}/events"
        streams = streams_of(site)
        async with ClientSession(site.url) as other, other.get(path) as response:
            await response.content.readline()
            await response.content.readuntil(b"\n\n")
            assert (len(streams), len(site.live._watchers)) == (1, 1)

        async def gone() -> bool:
            return (len(streams), len(site.live._watchers)) == (0, 0)

        await until(gone)


def streams_of(site: Site) -> Streams:
    runner = site.server._runner
    assert runner is not None
    return runner.app[STREAMS]


async def test_a_client_may_have_only_so_many_streams(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site, ClientSession(site.url) as other:
        posted = await site.client.send("hello")
        path = f"/api/v1/conversations/{posted['conversation']}/events"
        responses = [await other.get(path) for _ in range(STREAMS_PER_CLIENT)]
        refused = await site.client.ask("GET", path)
        # Somebody else behind the same proxy has places of their own; this one is known by its address.
        assert [response.status for response in responses] == [200] * STREAMS_PER_CLIENT
        assert (refused[0], refused[1]["error"]["code"]) == (429, "too_many_streams")
        for response in responses:
            response.close()


async def test_streams_end_in_order_when_the_server_stops(sqlite_store: Store) -> None:
    async with Site(sqlite_store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        async with site.client.events(posted["conversation"]) as events:
            await events.until(lambda _: True)
            stopping = asyncio.create_task(site.server.stop())
            # The end of the stream, not a broken connection: reading on finds nothing and raises nothing.
            assert [turn async for turn in events] == []
            await stopping


class Away:
    """A store whose reads can be made to fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dialect = store.dialect
        self.write = store.write
        self.close = store.close
        self.is_away = False

    async def read(self, query: Callable[[Connection], T]) -> T:
        if self.is_away:
            raise StoreUnavailable(Text("It is away.", "它不在。"))
        return await self._store.read(query)


async def test_a_stream_ends_when_the_database_goes_and_the_next_one_works(sqlite_store: Store) -> None:
    store = Away(sqlite_store)
    async with Site(store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        async with site.client.events(posted["conversation"]) as events:
            await events.until(lambda _: True)
            store.is_away = True
            site.live.changed(1, posted["turn_id"])
            assert [turn async for turn in events] == []
        refused = await site.client.ask("GET", f"/api/v1/turns/{posted['turn_id']}")
        store.is_away = False
        async with site.client.events(posted["conversation"]) as events:
            assert (await events.until(lambda _: True))["state"] == "answered"
    assert (refused[0], refused[1]["error"]) == (503, {"code": "store_unavailable", "message": "It is away."})


async def test_a_long_answer_streams_to_its_end(store: Store) -> None:
    words = [f"word {number} of a **long** answer\n\n" for number in range(300)]

    async def long(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        for word in words:
            yield TextDelta(word)
            await asyncio.sleep(0)
        yield Finished("".join(words))

    async with Site(store, long) as site:
        posted = await site.client.send("hello")
        async with site.client.events(posted["conversation"]) as events:
            over = await events.until(lambda t: t["state"] == "answered")
    assert over["text"] == "".join(words)
    assert over["html"].count("<strong>") == 300


async def test_a_quiet_stream_shows_that_it_lives(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_PING", 0.0)
    monkeypatch.setattr(sse, "_TICK", 0.01)
    async with Site(sqlite_store) as site:
        posted = await site.client.send("hello")
        await site.client.finished(posted["turn_id"])
        async with site.client.events(posted["conversation"]) as events, asyncio.timeout(20):
            while await events.response.content.readline() != b": ping\n":
                pass


async def test_a_client_that_reads_nothing_is_let_go(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_WRITE", 0.2)
    async with Site(sqlite_store, Gate()) as site:
        posted = await site.client.send("hello")
        streams = streams_of(site)
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", int(site.url.rpartition(":")[2])))
            path = f"/api/v1/conversations/{posted['conversation']}/events"
            deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            sent = 0

            async def let_go() -> bool:
                nonlocal sent
                if streams:
                    sent += 1
                    site.live.draft(1, posted["turn_id"], Draft("x" * 90_000 + str(sent)), sent)
                return sent > 0 and not streams

            await until(let_go)
    assert sent > 1

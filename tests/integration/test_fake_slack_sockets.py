"""Socket Mode as the fake Slack plays it: who gets an envelope, whose ack counts, how sockets come and go."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack
from tests.support.bolt_app import bolt_app


async def test_each_envelope_goes_to_one_of_the_sockets_and_all_of_them_get_some() -> None:
    async with FakeSlack(mode="socket") as slack, bolt_app(slack, "socket", sockets=2):
        for number in range(8):
            await slack.dm(f"message {number}")
        await slack.quiesce()
        acked = [entry for entry in (await slack.replay()).entries if entry["kind"] == "acked"]
        assert Counter(entry["delivery"] for entry in acked).most_common(1)[0][1] == 1
        assert {entry["socket"] for entry in acked} == {"s1", "s2"}


async def test_a_socket_that_is_told_to_go_is_replaced_and_nothing_is_lost() -> None:
    async with FakeSlack(mode="socket", socket_closing=0.1) as slack, bolt_app(slack, "socket"):
        assert await slack.disconnect("refresh_requested") == ["s1"]
        said = await slack.dm("still there?")
        assert (await slack.reply(said)).text == "Privately: still there?"
        assert [socket["id"] for socket in await slack.sockets()] == ["s2"]


async def test_an_envelope_on_a_socket_that_breaks_comes_again_on_another() -> None:
    async with FakeSlack(mode="socket", delayed_every=0.1) as slack, bolt_app(slack, "socket", sockets=2) as app:
        app.deaf = 1
        said = await slack.dm("hello")
        held = await slack.until(lambda replay: [e["socket"] for e in replay.entries if e["kind"] == "enveloped"])
        assert await slack.abort(held[0]) == held
        assert (await slack.reply(said)).text == "Privately: hello"
        first = next(entry for entry in (await slack.replay()).entries if entry["kind"] == "unacked")
        assert (first["why"], first["socket"]) == ("connection_failed", held[0])


async def test_an_eleventh_socket_is_refused() -> None:
    async with FakeSlack(mode="socket") as slack, bolt_app(slack, "socket", sockets=10) as app:
        handler = app.handlers[0].client
        url = await handler.issue_new_wss_url()
        async with handler.aiohttp_client_session.ws_connect(url) as extra:
            frame = await extra.receive_json()
        assert (frame["type"], frame["reason"]) == ("disconnect", "too_many_websockets")


async def test_a_socket_is_greeted_and_its_envelopes_say_what_they_are() -> None:
    async with FakeSlack(mode="socket", ack_timeout=0.2) as slack, _raw_socket(slack) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": "A1"}
        await slack.dm("hello")
        first, again = await socket.receive_json(), await socket.receive_json()
        assert (first["type"], first["accepts_response_payload"]) == ("events_api", False)
        assert (first["retry_attempt"], again["retry_attempt"], again["retry_reason"]) == (0, 1, "timeout")
        assert first["payload"] == again["payload"]
        assert first["envelope_id"] != again["envelope_id"]


async def test_an_ack_on_another_socket_does_not_count() -> None:
    async with FakeSlack(mode="socket") as slack, _raw_socket(slack) as one, _raw_socket(slack) as two:
        sockets = [one, two]
        for socket in sockets:
            assert (await socket.receive_json())["type"] == "hello"
        await slack.dm("hello")
        reading = {asyncio.create_task(socket.receive_json()): socket for socket in sockets}
        done, idle = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        for task in idle:
            task.cancel()
        got = done.pop()
        ack = {"envelope_id": got.result()["envelope_id"]}
        other = two if reading[got] is one else one
        await other.send_json(ack)
        await slack.until(lambda replay: [e for e in replay.entries if e["kind"] == "socket_late_ack"])
        assert not [e for e in (await slack.replay()).entries if e["kind"] == "acked"]
        await reading[got].send_json(ack)
        assert await slack.quiesce() == []
        assert [e for e in (await slack.replay()).entries if e["kind"] == "acked"]


async def test_a_ticket_is_good_for_one_socket() -> None:
    async with FakeSlack(mode="socket") as slack, bolt_app(slack, "socket") as app:
        client = app.handlers[0].client
        async with client.aiohttp_client_session.get(str(client.wss_uri).replace("ws://", "http://")) as answer:
            assert answer.status == 404


@asynccontextmanager
async def _raw_socket(slack: FakeSlack) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A socket without an SDK."""
    client = AsyncWebClient(base_url=slack.api_url)
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield socket

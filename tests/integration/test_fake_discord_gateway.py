"""The fake's gateway, word for word over a plain WebSocket, and with real discord.py."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.discord import FakeDiscord, Place
from tests.fakes.discord.harness import Ending
from tests.fakes.discord.permissions import VIEW_CHANNEL
from tests.fakes.discord.prepared import (
    APP,
    BOB,
    BOT_ROLE,
    CAROL,
    GENERAL,
    HARBOUR,
    LIGHTHOUSE,
    LONELY,
    PLANS,
    QUAY,
)
from tests.support.discord_bot import INTENTS, Bot, NearDiscord, echo, running

#: Guilds, messages, private messages, content.
_ALL = INTENTS.value
_CONTENT = 1 << 15


class Wire:
    """A client that says exactly what a test wants."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._inflate = zlib.decompressobj()
        self.kinds: set[aiohttp.WSMsgType] = set()

    async def get(self) -> dict[str, Any]:
        """The next frame; `closed` with the code when there is none."""
        message = await self.socket.receive(timeout=10)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
            return {"closed": self.socket.close_code}
        self.kinds.add(message.type)
        raw = message.data if isinstance(message.data, str) else self._inflate.decompress(message.data).decode()
        frame: dict[str, Any] = json.loads(raw)
        return frame

    async def until(self, event: str) -> dict[str, Any]:
        """The next frame with this event."""
        while (frame := await self.get()).get("t") != event:
            assert "closed" not in frame, frame
        return frame

    async def say(self, op: int, data: Any) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def identify(self, fake: FakeDiscord, intents: int = _ALL, **more: Any) -> dict[str, Any]:
        """READY, once the servers have come, too."""
        await self.get()
        await self.say(2, {"token": fake.token, "intents": intents, "properties": {}, **more})
        ready = await self.until("READY")
        for _ in ready["d"]["guilds"]:
            await self.until("GUILD_CREATE")
        return ready

    async def resume(self, fake: FakeDiscord, session: str, seq: int) -> dict[str, Any]:
        """What comes first."""
        await self.get()
        await self.say(6, {"token": fake.token, "session_id": session, "seq": seq})
        return await self.get()


@contextlib.asynccontextmanager
async def wire(fake: FakeDiscord, query: str = "v=10&encoding=json") -> AsyncIterator[Wire]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{fake.gateway_url}?{query}", autoclose=True) as socket,
    ):
        yield Wire(socket)
        # 1000 would end the session.
        await socket.close(code=4000)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with NearDiscord() as discord_itself:
        yield discord_itself


# --- Over a plain WebSocket


async def test_the_first_frame_is_hello_and_heartbeats_are_acked(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        hello = await client.get()
        assert (hello["op"], hello["d"]["heartbeat_interval"]) == (10, 41_250)
        await client.say(1, None)
        assert (await client.get())["op"] == 11


@pytest.mark.parametrize(
    ("code", "op", "data"),
    [
        (4001, 99, {}),
        (4003, 3, {}),
        (4003, 8, {"guild_id": LIGHTHOUSE}),
        (4004, 2, {"token": "wrong", "intents": 1}),
        (4004, 6, {"token": "wrong", "session_id": "x", "seq": 1}),
        (4010, 2, {"intents": 1, "shard": [2, 2]}),
        (4010, 2, {"intents": 1, "shard": "0"}),
        (4013, 2, {"intents": 1 << 30}),
        (4013, 2, {}),
        (4014, 2, {"intents": 1 | 1 << 8}),
    ],
)
async def test_what_cannot_be_is_closed_with_a_code_of_its_own(
    fake: FakeDiscord, code: int, op: int, data: Any
) -> None:
    async with wire(fake) as client:
        await client.get()
        await client.say(op, {"token": fake.token} | data)
        assert await client.get() == {"closed": code}


async def test_what_is_no_json_or_too_long_is_closed(fake: FakeDiscord) -> None:
    for text in ("{", json.dumps({"op": 1, "d": "x" * 5000})):
        async with wire(fake) as client:
            await client.get()
            await client.socket.send_str(text)
            assert await client.get() == {"closed": 4002}


async def test_another_version_of_the_api_is_closed(fake: FakeDiscord) -> None:
    async with wire(fake, "v=3") as client:
        await client.get()
        assert await client.get() == {"closed": 4012}


async def test_who_identifies_twice_is_closed(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.identify(fake)
        await client.say(2, {"token": fake.token, "intents": 1})
        assert await client.get() == {"closed": 4005}


async def test_a_client_that_sends_too_much_is_closed(fake: FakeDiscord) -> None:
    await fake.set(gateway_sends=5)
    async with wire(fake) as client:
        await client.identify(fake)
        for _ in range(5):
            await client.say(3, {"status": "online"})
        assert await client.get() == {"closed": 4008}


async def test_a_client_without_a_heart_is_closed(fake: FakeDiscord) -> None:
    await fake.set(heartbeat_interval=0.1)
    async with wire(fake) as client:
        await client.identify(fake)
        assert await client.get() == {"closed": 4009}


async def test_ready_is_followed_by_the_servers_of_the_shard(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.get()
        await client.say(2, {"token": fake.token, "intents": _ALL, "properties": {}})
        ready = (await client.get())["d"]
        assert ready["user"]["id"] == ready["application"]["id"] == APP
        assert ready["shard"] == [0, 1]
        assert ready["guilds"] == [{"id": LIGHTHOUSE, "unavailable": True}]
        server = await client.get()
        assert (server["t"], server["d"]["id"], server["s"]) == ("GUILD_CREATE", LIGHTHOUSE, 2)
        assert {"roles", "channels", "threads", "members"} <= server["d"].keys()
        assert [member["user"]["id"] for member in server["d"]["members"]] == [APP]


async def test_compression_is_one_stream_and_only_where_it_was_asked_for(fake: FakeDiscord) -> None:
    async with wire(fake, "v=10&encoding=json&compress=zlib-stream") as client:
        await client.identify(fake)
        await fake.say("hello")
        assert (await client.until("MESSAGE_CREATE"))["d"]["content"] == "hello"
        assert client.kinds == {aiohttp.WSMsgType.BINARY}
    async with wire(fake) as client:
        await client.identify(fake)
        assert client.kinds == {aiohttp.WSMsgType.TEXT}


async def test_identifying_again_too_soon_is_an_invalid_session(fake: FakeDiscord) -> None:
    await fake.set(identify_every=60.0, max_concurrency=2)
    async with wire(fake) as first, wire(fake) as other, wire(fake) as second:
        await first.identify(fake, shard=[0, 4])
        await other.identify(fake, shard=[1, 4])
        await second.get()
        await second.say(2, {"token": fake.token, "intents": _ALL, "shard": [2, 4]})
        assert await second.get() == {"op": 9, "d": False, "s": None, "t": None}


async def test_resume_gives_what_was_missed_and_then_says_so(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        ready = await client.identify(fake)
        await fake.say("one")
        seen = await client.until("MESSAGE_CREATE")
    await fake.say("two")
    await fake.say("three")
    async with wire(fake) as client:
        first = await client.resume(fake, ready["d"]["session_id"], seen["s"])
        assert (first["d"]["content"], first["s"]) == ("two", seen["s"] + 1)
        assert (await client.get())["d"]["content"] == "three"
        assert (await client.get())["t"] == "RESUMED"


@pytest.mark.parametrize(("session", "seq"), [(False, 1), (True, 99)])
async def test_what_cannot_be_resumed_is_an_invalid_session(fake: FakeDiscord, session: bool, seq: int) -> None:
    async with wire(fake) as client:
        known = (await client.identify(fake))["d"]["session_id"]
    async with wire(fake) as client:
        answer = await client.resume(fake, known if session else "another", seq)
        assert (answer["op"], answer["d"]) == (9, False)


async def test_a_session_cannot_be_resumed_for_ever(fake: FakeDiscord) -> None:
    await fake.set(resume_ttl=0.0)
    async with wire(fake) as client:
        ready = await client.identify(fake)
    async with wire(fake) as client:
        assert (await client.resume(fake, ready["d"]["session_id"], 2))["op"] == 9


async def test_a_client_that_says_goodbye_has_no_session_any_more(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        ready = await client.identify(fake)
        await client.socket.close(code=1000)
    async with wire(fake) as client:
        assert (await client.resume(fake, ready["d"]["session_id"], 2))["op"] == 9


async def test_servers_have_their_shard_and_private_messages_have_shard_0(fake: FakeDiscord) -> None:
    home = (int(LIGHTHOUSE) >> 22) % 2
    async with wire(fake) as zero, wire(fake) as one:
        readies = [await zero.identify(fake, shard=[0, 2]), await one.identify(fake, shard=[1, 2])]
        assert [len(ready["d"]["guilds"]) for ready in readies] == [int(home == 0), int(home == 1)]
        await fake.dm("in private")
        assert (await zero.until("MESSAGE_CREATE"))["d"]["content"] == "in private"
        await fake.say("in a server")
        where = (zero, one)[home]
        assert (await where.until("MESSAGE_CREATE"))["d"]["content"] == "in a server"
        # Nothing went to the other one: the next thing that comes there is the answer to its heartbeat.
        await (zero, one)[1 - home].say(1, None)
        assert (await (zero, one)[1 - home].get())["op"] == 11


async def test_only_what_the_intents_ask_for_comes(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.identify(fake, 1 | 1 << 12)
        await fake.say("in a server")
        await fake.dm("in private")
        assert (await client.get())["d"]["content"] == "in private"


async def test_without_the_content_intent_a_message_is_empty_unless_it_is_for_the_bot(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.identify(fake, _ALL & ~_CONTENT)
        for said in (fake.say("secret"), fake.mention("open"), fake.dm("private")):
            await said
        texts = [(await client.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(3)]
        assert texts == ["", f"<@{APP}> open", "private"]


async def test_events_come_twice_when_they_are_to(fake: FakeDiscord) -> None:
    await fake.set(copies=2)
    async with wire(fake) as client:
        await client.identify(fake)
        said = await fake.say("hello")
        ids = [(await client.until("MESSAGE_CREATE"))["d"]["id"] for _ in range(2)]
        assert ids == [said.message] * 2


async def test_events_of_channels_overtake_each_other_those_of_one_do_not(fake: FakeDiscord) -> None:
    await fake.set(jitter=0.02)
    async with wire(fake) as client:
        await client.identify(fake)
        for number in range(10):
            await fake.say(f"general {number}")
            await fake.say(f"plans {number}", channel=PLANS)
        texts = [(await client.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(20)]
    for name in ("general", "plans"):
        assert [text for text in texts if name in text] == [f"{name} {number}" for number in range(10)]
    assert texts != [f"{name} {number}" for number in range(10) for name in ("general", "plans")]


async def test_members_come_when_they_are_asked_for(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.identify(fake)
        await client.say(8, {"guild_id": LIGHTHOUSE, "user_ids": [CAROL, "5"], "limit": 0, "nonce": "n"})
        chunk = (await client.until("GUILD_MEMBERS_CHUNK"))["d"]
        assert [member["user"]["username"] for member in chunk["members"]] == ["carol"]
        assert (chunk["not_found"], chunk["nonce"]) == (["5"], "n")


async def test_a_heartbeat_tells_what_has_come(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.identify(fake)
        said = await fake.say("hello")
        seen = await client.until("MESSAGE_CREATE")
        await client.say(1, seen["s"])
        heard = await fake.until(lambda replay: [one for one in replay.entries if one["kind"] == "heard"])
        assert heard[-1]["subjects"] == [["MESSAGE_CREATE", said.id]]


async def test_a_frozen_connection_is_open_and_dead(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.identify(fake)
        await fake.disconnect("freeze")
        await client.say(1, None)
        assert [one["frozen"] for one in await fake.connections()] == [True]
        with pytest.raises(TimeoutError):
            await client.socket.receive(timeout=0.1)


async def test_a_channel_that_the_bot_does_not_see_is_silent(fake: FakeDiscord) -> None:
    async with wire(fake) as client:
        await client.identify(fake)
        await fake.say("unseen", channel=LONELY)
        await fake.control("say", user=BOB, channel=GENERAL, text="seen")
        assert (await client.until("MESSAGE_CREATE"))["d"]["content"] == "seen"


async def test_a_bot_that_comes_to_see_a_channel_is_told_of_its_threads(fake: FakeDiscord) -> None:
    thread = await fake.open_thread("hidden", channel=LONELY)
    async with wire(fake) as client:
        await client.identify(fake)
        await fake.control("overwrite", channel=LONELY, id=BOT_ROLE, allow=VIEW_CHANNEL)
        assert (await client.get())["t"] == "CHANNEL_UPDATE"
        synced = (await client.until("THREAD_LIST_SYNC"))["d"]
        assert [one["id"] for one in synced["threads"]] == [thread]


# --- With discord.py


async def test_discord_py_hears_mentions_and_private_messages_and_replies(fake: FakeDiscord) -> None:
    async with running(fake, Bot({"message": echo})):
        mentioned, private = await fake.ask("hello"), await fake.ask("psst", direct=True, user=BOB)
        assert "hello" in (await fake.reply(mentioned)).text
        assert "psst" in (await fake.reply(private)).text
        assert await fake.texts(Place(GENERAL, "")) == [f"echo <@{APP}> hello {mentioned.marker}"]
    assert fake.judge().ok


@pytest.mark.parametrize("how", ["close", "reconnect", "resumable", "abort"])
async def test_discord_py_resumes_and_hears_what_it_missed_once(fake: FakeDiscord, how: Ending) -> None:
    async with running(fake, Bot()) as bot:
        await fake.disconnect(how)
        said = await fake.say("meanwhile")
        await bot.until("shard_resumed")
        messages = await bot.until("message")
        assert [str(message.id) for message in messages] == [said.message]
        assert len(bot.events("shard_ready")) == 1
        paths = [one["path"] for one in (await fake.replay()).entries if one["kind"] == "gateway_opened"]
        assert paths == ["/gateway", "/gateway/resume"]


async def test_an_invalid_session_is_begun_anew_and_what_was_missed_is_lost(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        await fake.disconnect("invalid")
        await fake.say("lost")
        await bot.until("shard_ready", 2)
        await bot.knows_its_servers(2)
        await fake.say("heard")
        assert [message.content for message in await bot.until("message")] == ["heard"]


async def test_discord_py_leaves_a_link_that_is_dead(fake: FakeDiscord) -> None:
    await fake.set(heartbeat_interval=0.1)
    async with running(fake, Bot(heartbeat_timeout=0.3)) as bot:
        await fake.disconnect("freeze")
        await fake.say("into the void")
        assert [message.content for message in await bot.until("message")] == ["into the void"]


async def test_discord_py_comes_back_after_an_outage(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        async with fake.outage():
            await fake.say("while it was down")
        assert [message.content for message in await bot.until("message")] == ["while it was down"]


async def test_a_malformed_event_ends_discord_py(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        await fake.malformed()
        with pytest.raises(KeyError):
            await bot.until("message")


async def test_a_switched_off_content_intent_is_an_error_with_a_name(fake: FakeDiscord) -> None:
    await fake.control("app", content=False)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(fake, Bot()):
            pass


async def test_a_token_that_is_reset_ends_the_connection(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        await fake.control("app", token="another")
        with pytest.raises(discord.ConnectionClosed) as closed:
            await bot.until("message")
        assert closed.value.code == 4004


async def test_shards_of_one_process_hear_everything_once(fake: FakeDiscord) -> None:
    async with running(fake, Bot(shard_count=2)) as bot:
        await fake.until_connected(2)
        await fake.say("in a server")
        await fake.dm("in private")
        assert {message.content for message in await bot.until("message", 2)} == {"in a server", "in private"}


async def test_a_server_that_invites_the_bot_is_there_and_gone_when_it_kicks_it(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        await fake.control("invite", guild=HARBOUR, permissions=VIEW_CHANNEL)
        await bot.until("guild_available")
        assert bot.get_channel(int(QUAY)) is not None
        await fake.control("kick", guild=HARBOUR)
        assert [str(guild.id) for guild in await bot.until("guild_remove")] == [HARBOUR]

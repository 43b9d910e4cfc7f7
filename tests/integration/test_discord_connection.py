"""How Discord's events reach us: what ends a connection, what begins it again, and what an operator is told."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route

from adapters.discord.connection import connection as module
from adapters.discord.connection.connection import open_connection
from adapters.discord.connection.endpoints import point_at
from agent.clock import SystemClock
from bot.settings import load
from bot.settings.discord import DiscordSettings
from bot.store.db import Store
from tests.fakes.discord.prepared import HARBOUR, LIGHTHOUSE
from tests.support.discord_bot import NearDiscord
from tests.support.discord_connection import Heard, connected, settings_for, until_health, until_state
from tests.support.discord_web import answer, discord_web

WRONG = "MTEwMDAwMDAwMDAwMDAwMDAwMA.fake.another-token"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about how long the pauses are."""
    monkeypatch.setattr(module, "_LOOK_AGAIN_S", 0.05)
    monkeypatch.setattr(module, "_FIRST_S", 0.01)
    monkeypatch.setattr(module, "_LONGEST_S", 0.05)
    monkeypatch.setattr(module, "_WATCH_S", 0.05)
    monkeypatch.setattr(module, "_SETTLED_S", 0.0)
    monkeypatch.setattr("adapters.discord.connection.rest._REFUSED_FOR_S", 0.0)


@pytest.fixture
async def fake() -> AsyncIterator[NearDiscord]:
    fake = NearDiscord()
    async with fake:
        yield fake


def told(caplog: pytest.LogCaptureFixture, *parts: str) -> list[str]:
    """The lines of our log that have all of these in them."""
    lines = [each.getMessage() for each in caplog.records if each.name.startswith("adapters.discord")]
    return [line for line in lines if all(part in line for part in parts)]


async def test_events_come_over_the_gateway(fake: NearDiscord, sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        assert connection.health().state == "starting"
        health = await until_state(connection, "ok")
        await fake.mention("hello")
        await heard.until("hello")

        assert health.detail == "connected as kagent"
        assert connection.reads_content
        identified = next((await fake.replay()).sessions())
        # guilds, messages, private messages, content; nothing else.
        assert identified["intents"] == (1 << 0) | (1 << 9) | (1 << 12) | (1 << 15)


async def test_a_lost_connection_is_taken_up_again_and_nothing_is_missed(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    heard = Heard()
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        await until_state(connection, "ok")
        await fake.disconnect("abort")
        await fake.mention("in the gap")
        await heard.until("in the gap")
        await until_state(connection, "ok")

        assert heard.clients == 1


async def test_a_session_that_discord_has_forgotten_is_followed_by_another(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    heard = Heard()
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        await until_state(connection, "ok")
        async with fake.outage(forget=True):
            pass
        await fake.until(lambda replay: len(list(replay.sessions())) == 2)
        await fake.mention("afterwards")
        await heard.until("afterwards")


async def test_an_event_that_can_not_be_parsed_begins_another_client_and_ends_nothing_else(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        await until_state(connection, "ok")
        await fake.malformed()
        await fake.until(lambda replay: len(list(replay.sessions())) == 2)
        await until_state(connection, "ok")
        await fake.mention("still here")
        await heard.until("still here")

        assert heard.clients == 2
        assert connection.client is not None
        assert len(told(caplog, "could not be read")) == 1


async def test_pauses_grow_while_it_keeps_failing(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    rest = asyncio.sleep

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await rest(0)

    def refuse(client: discord.AutoShardedClient) -> None:
        raise KeyError("author")

    monkeypatch.setattr(module, "_FIRST_S", 1.0)
    monkeypatch.setattr(module, "_LONGEST_S", 120.0)
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", note)
        heard = Heard()
        vars(heard).update(register=refuse)
        async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard), asyncio.timeout(10):
            while len(waits) < 9:
                await rest(0.01)

    assert [wait for wait in waits if wait][:9] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0]


# --- Token and intent


async def test_a_wrong_token_is_one_line_and_is_looked_at_again(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(fake, tmp_path, DISCORD_TOKEN=WRONG)
    async with connected(fake, settings, sqlite_store) as connection:
        health = await until_state(connection, "down")
        assert "DISCORD_TOKEN" in health.detail
        await fake.until(lambda replay: len(replay.entries) > 4)

        await fake.control("app", token=WRONG)
        await until_state(connection, "ok")

    assert len(told(caplog, "doesn't take the bot token")) == 1
    assert WRONG not in caplog.text


async def test_a_token_that_is_reset_while_it_runs_is_told(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store) as connection:
        await until_state(connection, "ok")
        await fake.control("app", token=WRONG)

        health = await until_health(connection, lambda health: "Reset Token" in health.detail)
        assert health.state == "down"
    assert len(told(caplog, "Reset Token")) == 1


async def test_without_the_message_content_intent_it_hears_mentions_and_says_what_is_lost(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    await fake.control("app", content=False)
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        health = await until_state(connection, "degraded")
        assert "Message Content Intent" in health.detail
        assert not connection.reads_content
        await fake.mention("for you")
        await heard.until("for you")
        assert len(told(caplog, "Message Content Intent")) == 1

        await fake.control("app", content=True)
        await until_state(connection, "ok")
        await fake.say("for nobody")
        await heard.until("for nobody")


async def test_an_intent_that_is_taken_away_while_it_runs_is_done_without(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store) as connection:
        await until_state(connection, "ok")
        await fake.control("app", content=False)

        health = await until_state(connection, "degraded")
        assert "Message Content Intent" in health.detail


async def test_content_that_is_not_wanted_is_not_asked_for_and_nothing_is_amiss(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    settings = settings_for(fake, tmp_path, KAGENTBOT_DISCORD__MESSAGE_CONTENT="off")
    async with connected(fake, settings, sqlite_store) as connection:
        await until_state(connection, "ok")
        identified = next((await fake.replay()).sessions())

        assert not identified["intents"] & (1 << 15)
        assert not connection.reads_content


async def test_a_bot_that_has_no_sessions_left_begins_none(
    monkeypatch: pytest.MonkeyPatch, sqlite_store: Store, tmp_path: Path
) -> None:
    async with discord_web(monkeypatch) as server:
        limit = {"total": 1000, "remaining": 3, "reset_after": 600_000, "max_concurrency": 1}
        server.say(
            "GET", "/gateway/bot", answer({"url": "ws://127.0.0.1:1", "shards": 1, "session_start_limit": limit})
        )
        environ = {"HOME": str(tmp_path), "DISCORD_TOKEN": WRONG}
        connection = open_connection(load(environ=environ), sqlite_store, SystemClock())
        heard = Heard()
        await connection.start(heard.register)
        health = await until_state(connection, "down")
        await connection.stop()
        await connection.rest.close()

    assert "no further session for 10 minutes" in health.detail
    assert heard.clients == 0


# --- A Discord that can't be reached


async def test_a_gateway_that_is_down_holds_nothing_up(fake: NearDiscord, sqlite_store: Store, tmp_path: Path) -> None:
    heard = Heard()
    async with fake.outage():
        started = connected(fake, settings_for(fake, tmp_path), sqlite_store, heard)
        connection = await started.__aenter__()
        assert connection.health().state == "starting"
    try:
        await until_state(connection, "ok")
    finally:
        await started.__aexit__(None, None, None)


async def test_a_gateway_that_stays_away_is_told(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SOON_S", 0.1)
    monkeypatch.setattr(module, "_DEAF_S", 0.5)
    heard = Heard()
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        await until_state(connection, "ok")
        async with fake.outage():
            health = await until_health(connection, lambda health: "HTTPS_PROXY" in health.detail)
            assert health.state == "down"
        await until_state(connection, "ok")


async def test_a_discord_that_can_not_be_reached_is_told_and_tried_again(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    monkeypatch.setattr(discord.Asset, "BASE", discord.Asset.BASE)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        environ = {
            "HOME": str(tmp_path),
            "DISCORD_TOKEN": WRONG,
            "KAGENTBOT_DISCORD__API_URL": f"http://127.0.0.1:{port}/api/v10",
            "KAGENTBOT_DISCORD__GATEWAY_URL": f"ws://127.0.0.1:{port}",
        }
        connection = open_connection(load(environ=environ), sqlite_store, SystemClock())
        await connection.start(Heard().register)
        health = await until_state(connection, "down")
        await connection.stop()
        await connection.rest.close()

    assert "can't be reached" in health.detail
    assert len(told(caplog, "can't be reached")) == 1


# --- Settings


def test_the_real_addresses_change_nothing_in_the_library() -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE

    point_at(DiscordSettings())

    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE)
    assert DiscordSettings().api_url == Route.BASE
    assert DiscordSettings().gateway_url == str(DiscordWebSocket.DEFAULT_GATEWAY).rstrip("/")


async def test_one_address_for_tests_alone_connects_to_nothing(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    settings = settings_for(fake, tmp_path, KAGENTBOT_DISCORD__GATEWAY_URL="wss://gateway.discord.gg")
    heard = Heard()
    async with connected(fake, settings, sqlite_store, heard) as connection:
        health = connection.health()

        assert health.state == "down"
        assert "discord.gateway_url" in health.detail
        assert heard.clients == 0


async def test_with_no_server_listed_it_says_which_line_would_serve_those_that_it_is_in(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(fake, tmp_path, KAGENTBOT_DISCORD__SERVERS="[]")
    async with connected(fake, settings, sqlite_store) as connection:
        health = await until_state(connection, "degraded")
        assert f'servers = ["{LIGHTHOUSE}"]' in health.detail
        assert told(caplog, "Lighthouse", LIGHTHOUSE)


async def test_a_listed_server_that_it_is_not_in_is_told_with_the_link_that_invites_it(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    settings = settings_for(fake, tmp_path, KAGENTBOT_DISCORD__SERVERS=f"{LIGHTHOUSE},{HARBOUR}")
    async with connected(fake, settings, sqlite_store) as connection:
        health = await until_state(connection, "degraded")
        assert HARBOUR in health.detail
        assert "https://discord.com/oauth2/authorize?client_id=1100000000000000000" in health.detail

        await fake.control("invite", guild=HARBOUR)
        await until_state(connection, "ok")


async def test_a_server_that_it_is_invited_to_and_does_not_serve_is_told(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store) as connection:
        await until_state(connection, "ok")
        await fake.control("invite", guild=HARBOUR)
        async with asyncio.timeout(10):
            while not told(caplog, "Harbour", "without serving it"):  # noqa: ASYNC110 - a log tells nobody
                await asyncio.sleep(0.01)

        assert connection.health().state == "ok"


# --- Commands


def command(name: str, about: str = "Help") -> app_commands.Command[Any, ..., None]:
    async def callback(interaction: discord.Interaction) -> None:
        """Nothing."""

    return app_commands.Command(name=name, description=about, callback=callback)


async def sent(fake: NearDiscord) -> int:
    """How often all commands were replaced."""
    return len((await fake.replay()).called("PUT /applications/{application}/commands"))


async def until_known(fake: NearDiscord, about: str) -> None:
    """Wait until Discord has a command with this description."""
    async with asyncio.timeout(10):
        while about not in {each["body"]["description"] for each in (await fake.world())["commands"]}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_commands_are_sent_once_and_again_only_when_they_have_changed(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    settings = settings_for(fake, tmp_path)
    async with connected(fake, settings, sqlite_store, Heard(command("kagent", "Help"))) as connection:
        await until_known(fake, "Help")
        await until_state(connection, "ok")
        await fake.malformed()
        await fake.until(lambda replay: len(list(replay.sessions())) == 2)
    first = await sent(fake)
    async with connected(fake, settings, sqlite_store, Heard(command("kagent", "Help"))) as connection:
        await until_state(connection, "ok")
    again = await sent(fake)
    async with connected(fake, settings, sqlite_store, Heard(command("kagent", "Another help"))):
        await until_known(fake, "Another help")
    changed = await sent(fake)

    assert (first, again, changed) == (1, 1, 2)


async def test_commands_that_could_not_be_sent_are_sent_later(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.connection.sync._FIRST_S", 0.01)
    await fake.script("PUT /applications/{application}/commands", "unavailable", times=2)
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, Heard(command("kagent"))):
        await until_known(fake, "Help")

    assert await sent(fake) == 3


async def test_commands_that_discord_refuses_are_told_and_hold_nothing_up(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fake.script("PUT /applications/{application}/commands", "30034")
    heard = Heard(command("kagent"))
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        await until_state(connection, "ok")
        await fake.mention("hello")
        await heard.until("hello")
        async with asyncio.timeout(10):
            while not told(caplog, "doesn't take the commands", "tomorrow"):  # noqa: ASYNC110 - a log tells nobody
                await asyncio.sleep(0.01)


async def test_commands_beyond_those_of_a_day_are_sent_again_later(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.connection.sync._TOMORROW_S", 0.01)
    await fake.script("PUT /applications/{application}/commands", "30034")
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, Heard(command("kagent"))):
        await until_known(fake, "Help")

    assert await sent(fake) == 2


# --- The end


async def test_stopping_closes_the_connection_and_leaves_the_calls_open(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store) as connection:
        await until_state(connection, "ok")
        await connection.stop()

        assert connection.client is None
        assert await fake.connections() == []
        assert (await connection.rest.call("GET", "/users/@me"))["username"] == "kagent"


async def test_stopping_while_a_lost_connection_is_being_taken_up_again_does_not_wait_for_it(
    fake: NearDiscord, sqlite_store: Store, tmp_path: Path
) -> None:
    heard, entered = Heard(), asyncio.Event()

    def register(client: discord.AutoShardedClient) -> None:
        Heard.register(heard, client)

        async def for_ever(shard_id: int | None, *, initial: bool = False) -> None:
            """discord.py swallows a cancellation in here."""
            if not initial:
                entered.set()
                await asyncio.Event().wait()

        vars(client).update(before_identify_hook=for_ever)

    vars(heard).update(register=register)
    async with connected(fake, settings_for(fake, tmp_path), sqlite_store, heard) as connection:
        await until_state(connection, "ok")
        async with fake.outage(forget=True):
            pass
        await entered.wait()

        async with asyncio.timeout(10):
            await connection.stop()
        assert connection.client is None
        # The thread of the connection that was being made would beat on, and call a loop that is closed by then.
        beating = [one for one in threading.enumerate() if isinstance(one, KeepAliveHandler)]
        assert all(one._stop_ev.is_set() for one in beating)

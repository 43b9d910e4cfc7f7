"""What is interrupted in the middle: sessions, servers and clients that end while messages wait for the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from adapters.discord.hearing import catch_up, insisting
from bot.store import watermarks
from bot.store.db import Store
from bot.store.tables import job
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import BOB, LIGHTHOUSE
from tests.support import discord_inbound as inbound
from tests.support.discord_inbound import Later, Listening, listening

discord, app = inbound.near_discord, inbound.app

HISTORY = "GET /channels/{channel}/messages"
MEMBER = "GET /guilds/{guild}/members/{user}"


def once(texts: list[str]) -> list[str]:
    """Without what was handed on again, which the inbox knows then."""
    return list(dict.fromkeys(texts))


async def test_what_a_session_missed_while_messages_of_the_one_before_wait_is_read(app: Listening) -> None:
    await app.fake.mention("first")
    await app.settled()
    app.mail.away = True
    await app.fake.mention("waits")
    await app.fake.mention("waits too")
    await app.until_refused()
    async with app.fake.outage(forget=True):
        await app.fake.mention("missed")
    await app.began(2)
    await app.fake.mention("after")
    await app.heard()
    app.mail.away = False
    await app.settled()

    assert once(app.texts) == ["first", "waits", "waits too", "missed", "after"]


async def test_what_two_sessions_missed_is_read_in_its_place(app: Listening) -> None:
    await app.fake.mention("first")
    await app.settled()
    app.mail.away = True
    await app.fake.mention("one")
    await app.until_refused()
    for number in (2, 3):
        async with app.fake.outage(forget=True):
            await app.fake.mention(f"missed {number}")
        await app.began(number)
        await app.fake.mention(f"told {number}")
        await app.heard()
    app.mail.away = False
    await app.settled()

    assert once(app.texts) == ["first", "one", "missed 2", "told 2", "missed 3", "told 3"]


async def test_what_is_said_in_a_server_that_is_away_is_read_when_it_is_back(app: Listening) -> None:
    await app.fake.mention("before")
    await app.settled()
    await app.fake.control("guild", guild=LIGHTHOUSE, unavailable=True)
    await app.fake.mention("meanwhile")
    await app.fake.control("guild", guild=LIGHTHOUSE, unavailable=False)
    await app.fake.mention("after")
    await app.settled()

    assert once(app.texts) == ["before", "meanwhile", "after"]


async def test_a_mention_that_waits_while_there_is_no_client_is_one_all_the_same(app: Listening) -> None:
    app.mail.away = True
    await app.fake.mention("one")
    await app.until_refused()
    await app.fake.mention("two")
    await app.heard()
    # What discord.py can't parse ends its client.
    await app.fake.emit("CHANNEL_CREATE", {"guild_id": LIGHTHOUSE})
    await app.fake.until(lambda replay: not replay.connected)
    app.mail.away = False
    await app.began(2)
    await app.settled()

    assert once(app.texts) == ["one", "two"]
    assert all(one.address.mentions_us and one.opens is not None for one in app.said)


async def test_an_edit_counts_however_long_it_waits(discord: FakeDiscord, sqlite_store: Store) -> None:
    clock = Later()
    async with listening(discord, sqlite_store, clock=clock) as app:
        said = await discord.mention("first")
        await app.settled()
        app.mail.away = True
        await discord.mention("waits")
        await discord.edit(said, "edited")
        await app.until_refused()
        await app.heard()
        clock.ahead = timedelta(hours=2)
        app.mail.away = False
        await app.settled()

        assert [one.text for one in app.edited] == ["edited"]


async def test_a_bot_that_is_removed_and_invited_back_at_once_is_served_from_then_on(
    app: Listening, sqlite_store: Store
) -> None:
    await app.fake.mention("before")
    await app.settled()
    await asyncio.gather(
        app.fake.control("kick", guild=LIGHTHOUSE), app.fake.control("invite", guild=LIGHTHOUSE, permissions=8)
    )
    await app.settled()

    marks = await sqlite_store.read(lambda c: watermarks.of(c, "discord"))
    assert (LIGHTHOUSE, "*") in marks


async def test_while_discord_refuses_the_token_nothing_is_given_up(
    app: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.connection.rest._REFUSED_FOR_S", 0.0)
    monkeypatch.setattr(insisting, "_LONGEST_S", 0.1)
    await app.fake.script(MEMBER, "401", times=2)
    await app.fake.dm("hello", user=BOB)
    await app.settled()

    assert app.texts == ["hello"]


async def test_a_thread_that_was_closed_meanwhile_is_read_as_soon_as_somebody_writes_in_it(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    async with listening(discord, sqlite_store) as app:
        await discord.mention("before")
        await app.settled()
    thread = await discord.open_thread("short", user=BOB)
    await discord.mention("quick question", channel=thread)
    await discord.archive(thread)
    async with listening(discord, sqlite_store) as app:
        # Discord tells of no archived threads, and it was away for too short a time to look for some.
        assert app.texts == []
        await discord.say("anybody?", channel=thread, user=BOB)
        await app.settled()
        fresh = await discord.open_thread("new", user=BOB)
        await discord.say("hello", channel=fresh, user=BOB)
        await app.settled()

        assert once(app.texts) == ["quick question", "anybody?", "hello"]
        # Nothing can be missing in what is newer than the session.
        listed = {call["ids"]["channel"] for call in (await discord.replay()).called(HISTORY)}
        assert thread in listed
        assert fresh not in listed


async def test_what_programs_said_beyond_the_bound_is_no_reason_to_say_anything(
    discord: FakeDiscord, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "MOST", 2)
    async with listening(discord, sqlite_store) as app:
        await discord.mention("before")
        await app.settled()
    for number in range(5):
        await discord.hook(f"build {number}")
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == ["build 3", "build 4"]
    rows = await sqlite_store.read(lambda c: c.execute(job.select()).mappings().all())
    assert [row["kind"] for row in rows if row["kind"] == "notice"] == []

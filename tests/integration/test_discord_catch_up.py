"""What was said on Discord while nobody listened, read again afterwards: nothing is lost, nothing is answered twice."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

import pytest

from adapters.discord.hearing import catch_up
from bot.messages import Accepted, Event
from bot.store import watermarks
from bot.store.db import Store
from bot.store.tables import job, watermark
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.harness import Said
from tests.fakes.discord.prepared import ALICE, APP, BOB, DORA, FORUM_CHANNEL, GENERAL, LIGHTHOUSE, NEWS_CHANNEL
from tests.support import discord_inbound as inbound
from tests.support.discord_inbound import Later, Listening, listening

discord = inbound.near_discord

HISTORY = "GET /channels/{channel}/messages"


async def listings(app: Listening) -> list[str]:
    """The places whose messages were listed."""
    return [call["ids"]["channel"] for call in (await app.fake.replay()).called(HISTORY)]


async def notices(store: Store) -> list[dict[str, Any]]:
    """What is to be said of our own accord."""
    rows = await store.read(lambda c: c.execute(job.select()).mappings().all())
    return [row["payload"] for row in rows if row["kind"] == "notice"]


async def before(discord: FakeDiscord, store: Store, *, direct: bool = False) -> None:
    """A first time, in which the agent is called in #general (`direct`: by Bob in private, too), and then a stop."""
    async with listening(discord, store) as app:
        await discord.mention("before")
        if direct:
            await discord.dm("before", user=BOB)
        await app.settled()


async def many(discord: FakeDiscord, count: int, channel: str = GENERAL) -> list[Said]:
    return [await discord.say(f"m{number}", channel=channel) for number in range(count)]


# Whole, as long as Discord is heard again.


async def test_at_the_very_first_start_nothing_from_before_is_read(discord: FakeDiscord, sqlite_store: Store) -> None:
    await discord.mention("to whoever was here before")
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.mail.events == []
        assert await listings(app) == []


async def test_mentions_from_while_it_was_down_are_answered_once_and_in_order(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    said = [await discord.mention("one"), await discord.say("between", user=BOB), await discord.mention("two")]
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == ["one", "between", "two"]
        assert [accepted.turn_id is not None for accepted in app.mail.accepted] == [True, False, True]
        assert [one.address.mentions_us for one in app.said] == [True, False, True]
        assert all(one.opens is not None and one.author.id in (ALICE, BOB) for one in app.said)
        marks = await sqlite_store.read(lambda c: watermarks.of(c, "discord"))
        assert marks[LIGHTHOUSE, GENERAL] == int(said[-1].message)


async def test_a_message_of_which_the_gateway_knows_and_the_list_not_yet_is_found_all_the_same(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    await discord.set(read_lag=0.7)
    await discord.mention("just now")
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == ["just now"]


async def test_where_nothing_was_missed_nothing_is_listed(discord: FakeDiscord, sqlite_store: Store) -> None:
    await before(discord, sqlite_store)
    async with listening(discord, sqlite_store) as app:
        await discord.mention("after")
        await app.settled()

        assert app.texts == ["after"]
        assert await listings(app) == []


async def test_what_was_read_again_is_not_read_at_the_next_start(discord: FakeDiscord, sqlite_store: Store) -> None:
    await before(discord, sqlite_store)
    await discord.mention("missed")
    # The last one is of nobody who counts.
    await discord.say("", type=7)
    for expected in (["missed"], []):
        async with listening(discord, sqlite_store) as app:
            await app.settled()
            assert app.texts == expected
            assert await listings(app) == [GENERAL]


async def test_what_is_said_meanwhile_comes_after_what_was_missed_and_once(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    await many(discord, 3)
    async with listening(discord, sqlite_store, settle=False) as app:
        await discord.mention("live")
        await app.settled()

        # It may be in the list already; the inbox knows it then.
        assert list(dict.fromkeys(app.texts)) == ["m0", "m1", "m2", "live"]
        assert len([one for one in app.mail.accepted if one.turn_id is not None and not one.duplicate]) == 1


async def test_a_connection_that_is_taken_up_again_has_missed_nothing(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    async with listening(discord, sqlite_store) as app:
        await discord.disconnect("abort")
        await discord.mention("in between")
        await discord.until_connected()
        await app.settled()

        assert app.texts == ["in between"]
        assert await listings(app) == []


async def test_after_a_session_that_is_lost_what_it_missed_is_read(discord: FakeDiscord, sqlite_store: Store) -> None:
    async with listening(discord, sqlite_store) as app:
        await discord.mention("before")
        await app.settled()
        async with discord.outage(forget=True):
            await discord.mention("lost")
        await app.began(2)
        await discord.mention("after")
        await app.settled()

        assert app.texts == ["before", "lost", "after"]


async def test_after_op_9_nothing_is_lost(discord: FakeDiscord, sqlite_store: Store) -> None:
    async with listening(discord, sqlite_store) as app:
        await discord.mention("before")
        await app.settled()
        await discord.disconnect("invalid")
        await discord.mention("lost")
        await app.began(2)
        await app.settled()

        assert app.texts == ["before", "lost"]


async def test_a_thread_that_was_opened_meanwhile_is_read_from_its_beginning(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    thread = await discord.open_thread("new", user=BOB)
    await discord.say("context", channel=thread, user=BOB)
    await discord.mention("help us", channel=thread)
    post = await discord.post("Help", f"<@{APP}> how?", channel=FORUM_CHANNEL)
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        found = {one.text: one.target for one in app.said}
        assert set(found) == {"context", "help us", "how?"}
        assert (found["help us"].channel, found["help us"].thread) == (GENERAL, thread)
        assert (found["how?"].channel, found["how?"].thread) == (FORUM_CHANNEL, post.channel)


async def test_a_thread_that_was_archived_after_its_last_message_is_read(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    thread = await discord.open_thread("short", user=BOB)
    await discord.mention("quick question", channel=thread)
    await discord.archive(thread)
    clock = Later()
    # Nothing is archived by itself sooner than an hour after its last message.
    clock.ahead = timedelta(hours=2)
    async with listening(discord, sqlite_store, clock=clock) as app:
        await app.settled()

        assert app.texts == ["quick question"]
        assert app.said[0].target.thread == thread


async def test_direct_messages_are_read_where_there_were_some_before(discord: FakeDiscord, sqlite_store: Store) -> None:
    await before(discord, sqlite_store, direct=True)
    await discord.dm("are you there?", user=BOB)
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == ["are you there?"]
        assert app.mail.accepted[0].turn_id is not None


async def test_a_first_direct_message_is_read_as_soon_as_its_author_writes_again(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    await discord.dm("first", user=BOB)
    async with listening(discord, sqlite_store) as app:
        await app.settled()
        # Discord tells of no direct messages, and nobody knows that this one exists.
        assert app.texts == []

        await discord.dm("second", user=BOB)
        await app.settled()
        assert app.texts == ["first", "second"]


async def test_direct_messages_that_were_quiet_for_days_cost_one_listing_and_are_told_nothing(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store, direct=True)
    listed = len((await discord.replay()).called(HISTORY))
    clock = Later()
    clock.ahead = timedelta(days=3)
    async with listening(discord, sqlite_store, clock=clock) as app:
        await app.settled()

        assert app.mail.events == []
        assert len(await listings(app)) == listed + 1
    assert await notices(sqlite_store) == []


async def test_strangers_are_not_answered_afterwards_either(discord: FakeDiscord, sqlite_store: Store) -> None:
    await before(discord, sqlite_store)
    async with listening(discord, sqlite_store) as app:
        await discord.dm("hello?", user=DORA)
        await app.settled()

        assert app.mail.events == []
    assert all(workspace == LIGHTHOUSE or place == "*" for workspace, place in await marks_of(sqlite_store))


async def marks_of(store: Store) -> dict[tuple[str, str], int]:
    return await store.read(lambda c: watermarks.of(c, "discord"))


async def test_without_the_intent_only_what_calls_us_is_read_again(discord: FakeDiscord, sqlite_store: Store) -> None:
    async with listening(discord, sqlite_store, message_content="off") as app:
        await discord.mention("before")
        await app.settled()
    await discord.say("not for us")
    await discord.mention("for us")
    async with listening(discord, sqlite_store, message_content="off") as app:
        await app.settled()

        assert "for us" in app.texts
        assert [one.text for one in app.said if one.address.mentions_us] == ["for us"]


async def test_a_message_that_was_deleted_meanwhile_is_not_answered(discord: FakeDiscord, sqlite_store: Store) -> None:
    await before(discord, sqlite_store)
    await discord.delete(await discord.mention("never mind"))
    await discord.mention("but this")
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == ["but this"]


async def test_a_server_that_was_not_served_meanwhile_is_served_from_now_on(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    async with listening(discord, sqlite_store, servers=["1000000000000000002"]) as app:
        await discord.mention("nobody listens")
        await app.settled()
    async with listening(discord, sqlite_store) as app:
        await discord.mention("somebody does")
        await app.settled()

        assert app.texts == ["somebody does"]


# Bounds.


async def test_of_250_messages_the_last_200_are_read_and_that_is_said_once(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await discord.set(limits=False)
    await before(discord, sqlite_store)
    await many(discord, 250)
    async with listening(discord, sqlite_store) as app:
        await app.settled()
    async with listening(discord, sqlite_store) as app:
        await app.settled()
        assert app.texts == []

    (notice,) = await notices(sqlite_store)
    assert (notice["target"]["channel"], notice["target"]["thread"]) == (GENERAL, None)
    assert notice["text"].startswith("I was away")


async def test_the_200_that_are_read_are_the_newest(discord: FakeDiscord, sqlite_store: Store) -> None:
    await discord.set(limits=False)
    await before(discord, sqlite_store)
    await many(discord, 250)
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == [f"m{number}" for number in range(50, 250)]


@pytest.mark.parametrize("count", [99, 100, 101, 200])
async def test_whatever_the_pages_everything_within_the_bound_is_read(
    discord: FakeDiscord, sqlite_store: Store, count: int
) -> None:
    await discord.set(limits=False)
    await before(discord, sqlite_store)
    await many(discord, count)
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == [f"m{number}" for number in range(count)]
        assert await notices(sqlite_store) == []


async def test_where_the_agent_was_never_called_nothing_is_said(
    discord: FakeDiscord, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catch_up, "MOST", 3)
    await before(discord, sqlite_store)
    await many(discord, 5, NEWS_CHANNEL)
    with caplog.at_level(logging.WARNING):
        async with listening(discord, sqlite_store) as app:
            await app.settled()

    assert app.texts == ["m2", "m3", "m4"]
    assert await notices(sqlite_store) == []
    assert f"in {NEWS_CHANNEL} more was said meanwhile" in caplog.text


async def test_what_is_older_than_a_day_is_not_read_and_that_is_said(discord: FakeDiscord, sqlite_store: Store) -> None:
    old = time.time() - 30 * 3600
    await before(discord, sqlite_store)
    await sqlite_store.write(lambda c: c.execute(watermark.update().values(mark=1)))
    await discord.mention("old", sent_at=old)
    await discord.mention("25 hours old", sent_at=time.time() - 25 * 3600)
    await discord.mention("23 hours old", sent_at=time.time() - 23 * 3600)
    await discord.mention("new")
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert set(app.texts) == {"23 hours old", "before", "new"}
        assert len(await notices(sqlite_store)) == 1


async def test_a_channel_whose_old_messages_were_ours_alone_is_told_nothing(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    async with listening(discord, sqlite_store) as app:
        await discord.mention("before")
        await app.settled()
        await app.rest.call("POST", "/channels/{channel_id}/messages", channel_id=GENERAL, json={"content": "answer"})
    clock = Later()
    clock.ahead = timedelta(hours=30)
    async with listening(discord, sqlite_store, clock=clock) as app:
        await app.settled()

        assert app.mail.events == []
        assert await notices(sqlite_store) == []
    async with listening(discord, sqlite_store, clock=clock) as app:
        listed = await listings(app)
        await app.settled()
        assert await listings(app) == listed


async def test_the_notice_is_in_the_language_of_what_was_missed(
    discord: FakeDiscord, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "MOST", 2)
    await before(discord, sqlite_store)
    for number in range(4):
        await discord.say(f"第{number}个问题")
    async with listening(discord, sqlite_store) as app:
        await app.settled()

    (notice,) = await notices(sqlite_store)
    assert notice["text"].startswith("我刚才离线了一段时间")
    assert "2 条" in notice["text"]


# Trouble.


async def test_while_the_database_is_away_what_was_missed_waits_and_keeps_its_order(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    await many(discord, 3)
    async with listening(discord, sqlite_store, settle=False, away=True) as app:
        await discord.say("live")
        await app.until_refused()
        app.mail.away = False
        await app.settled()

        assert list(dict.fromkeys(app.texts)) == ["m0", "m1", "m2", "live"]


async def test_what_does_not_fit_into_a_queue_is_read_again_when_the_database_is_back(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    async with listening(discord, sqlite_store, most_waiting=5) as app:
        await discord.mention("first")
        await app.settled()
        app.mail.away = True
        said = await many(discord, 12)
        await discord.edit(said[0], "edited")
        await app.heard()
        app.mail.away = False
        await app.settled()

        assert list(dict.fromkeys(app.texts)) == ["first", *(f"m{number}" for number in range(12))]
        assert [one.text for one in app.edited] == ["edited"]
        assert (await marks_of(sqlite_store))[LIGHTHOUSE, GENERAL] == int(said[-1].message)
        await discord.say("whole again")
        await app.settled()
        assert app.said[-1].mark is not None


async def test_a_kill_between_two_commits_repeats_nothing_and_loses_nothing(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    for number in range(5):
        await discord.mention(f"q{number}")
    taken: list[Event] = []
    stuck = asyncio.Event()

    async with listening(discord, sqlite_store, settle=False) as app:
        receive = app.desk.inbox.receive

        async def dies(event: Event) -> Accepted:
            if len(taken) == 2:
                stuck.set()
                await asyncio.Event().wait()
            taken.append(event)
            return await receive(event)

        app.inbound.intake.begin(dies)
        await asyncio.wait_for(stuck.wait(), 10)
    async with listening(discord, sqlite_store) as app:
        await app.settled()

        assert app.texts == ["q2", "q3", "q4"]
        assert all(not accepted.duplicate for accepted in app.mail.accepted)
        assert [row.text for row in await app.desk.messages()] == ["before", "q0", "q1", "q2", "q3", "q4"]


async def test_a_channel_that_may_not_be_read_holds_nothing_up(discord: FakeDiscord, sqlite_store: Store) -> None:
    await before(discord, sqlite_store)
    await discord.mention("missed")
    await discord.script(HISTORY, "50001")
    async with listening(discord, sqlite_store) as app:
        await discord.mention("live")
        await app.settled()

        assert app.texts[-1] == "live"


async def test_while_the_rest_api_fails_a_channel_waits_and_then_misses_nothing(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    await before(discord, sqlite_store)
    await discord.mention("missed")
    await discord.script(HISTORY, "unavailable", times=2)
    async with listening(discord, sqlite_store, settle=False) as app:
        await discord.mention("live")
        await app.settled()

        assert list(dict.fromkeys(app.texts)) == ["missed", "live"]

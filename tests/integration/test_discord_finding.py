"""Where a job may post in Discord: channels, threads and direct messages by their ids, and what is said of others."""

from __future__ import annotations

import pytest

from bot.messages import Target
from bot.ports import Finds, NoPlace
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import FORUM_CHANNEL, GENERAL, LIGHTHOUSE, SILENT
from tests.support import discord_bench as bench
from tests.support.discord_bench import Start

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
running, fake, start = bench.running, bench.fake, bench.start


@pytest.mark.parametrize("form", ["{}", "<#{}>", " {} "])
async def test_a_channel_is_found_by_its_id(start: Start, form: str) -> None:
    outbound = start()
    assert isinstance(outbound, Finds)
    found = await outbound.find(form.format(GENERAL))
    assert found == Target("discord", LIGHTHOUSE, GENERAL, None, f"discord:{LIGHTHOUSE}:{GENERAL}")


async def test_a_thread_is_found_in_its_channel(fake: FakeDiscord, start: Start) -> None:
    thread = await fake.open_thread("Results")
    found = await start().find(thread)
    assert (found.channel, found.thread) == (GENERAL, thread)


async def test_a_direct_conversation_is_found(fake: FakeDiscord, start: Start) -> None:
    said = await fake.dm("Hello")
    assert (await start().find(said.channel)).workspace == "@me"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("#general", "Write the id of the channel"),
        ("123456789012345678", "This channel is gone"),
        (SILENT, "A permission is missing there"),
    ],
)
async def test_what_is_no_place_is_a_sentence(start: Start, name: str, why: str) -> None:
    with pytest.raises(NoPlace) as told:
        await start().find(name)
    assert told.value.text.en.startswith(why)
    assert told.value.text.zh != told.value.text.en


async def test_a_forum_takes_no_messages(start: Start) -> None:
    with pytest.raises(NoPlace, match="choose a text channel"):
        await start().find(FORUM_CHANNEL)


async def test_a_server_that_is_not_served_gets_no_reports(start: Start) -> None:
    with pytest.raises(NoPlace, match="I don't work in this server"):
        await start(serves=lambda server: server != LIGHTHOUSE).find(GENERAL)


async def test_a_place_that_discord_says_nothing_about_just_now_is_taken_for_good(
    fake: FakeDiscord, start: Start
) -> None:
    outbound = start()
    found = Target("discord", LIGHTHOUSE, SILENT, None, f"discord:{LIGHTHOUSE}:{SILENT}")
    with pytest.raises(NoPlace, match="A permission is missing there"):
        await outbound.reach(found)
    await fake.script("GET /channels/{channel}", "unavailable")
    await outbound.reach(found)

"""Pictures below an end in Discord: attached to its message, described, and left out where files aren't taken. And what
jobs post there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.discord import limits
from adapters.discord.errors import sentence
from bot.messages import Asked, Author, Draft, Final, StepView
from bot.ports import Reply
from bot.posting import Refused
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import BARS, RADAR, Place, answer, long_text, pictured
from tests.fakes.discord import FakeDiscord, permissions
from tests.fakes.discord.judge import judge
from tests.fakes.discord.prepared import APP, SILENT
from tests.fakes.discord.replay import BotMessage
from tests.support import discord_bench as bench
from tests.support.clock import ManualClock
from tests.support.discord_bench import PATCH, POST, TYPING, Outbound, Start, room, where

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
running, fake, start = bench.running, bench.fake, bench.start

#: Whom a job's reply answers.
NOBODY = Asked(Author(""), "", "en")
REPORT = Final("answered", "It is 42.", "en", can_rate=False)


async def opened(outbound: Outbound, asked: tuple[Place, Asked], book: Book | None = None, **how: Any) -> Reply:
    place, who = asked
    ledger = FakeLedger(book or Book(), since=place.since, **how)
    return await outbound.open(place.target, ledger, NOBODY if ledger.is_job else who)


async def only(fake: FakeDiscord, place: Place) -> BotMessage:
    """The one message of ours in a place."""
    (message,) = (await fake.replay()).visible(where(place))
    return message


async def routes(fake: FakeDiscord, place: Place) -> list[str]:
    calls = (await fake.replay()).calls
    return [call["method"] for call in calls if call["ids"].get("channel") == place.target.channel]


async def deny(fake: FakeDiscord, place: Place, denied: int) -> None:
    await fake.control("overwrite", channel=place.target.channel, id=APP, deny=denied)


# Pictures


async def test_pictures_come_with_the_text_in_one_post_and_say_what_they_show(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await (await opened(start(), (place, asked))).close(pictured("It is 42."))
    assert await routes(fake, place) == [POST]
    message = await only(fake, place)
    assert message.text == "It is 42."
    assert [(one["name"], one["about"]) for one in message.pictures] == [
        ("radar.png", RADAR.about),
        ("bars.png", BARS.about),
    ]


async def test_a_message_that_is_edited_again_keeps_its_pictures(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("It is 4"))
    for text in ("It is 42.", "It is 42, really."):
        await reply.close(pictured(text))
    message = await only(fake, place)
    assert message.text == "It is 42, really."
    assert message.files == ["radar.png", "bars.png"]


async def test_a_long_end_is_a_file_beside_its_pictures(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await (await opened(start(), (place, asked))).close(pictured(long_text(12_000)))
    assert (await only(fake, place)).files == ["answer.md", "radar.png", "bars.png"]


@pytest.mark.parametrize("drafted", [False, True])
async def test_where_files_are_not_taken_the_text_says_so(fake: FakeDiscord, start: Start, drafted: bool) -> None:
    place, asked = await room(fake)
    await deny(fake, place, permissions.ATTACH_FILES)
    reply = await opened(start(), (place, asked))
    if drafted:
        await reply.show(Draft("It is 4"))
    await reply.close(pictured("It is 42."))
    message = await only(fake, place)
    assert message.text == f"It is 42.\n\n*A picture can't be shown here. {sentence('no_files', 'en')}*"
    assert message.files == []
    assert len((await fake.replay()).created(where(place))) == 1


async def test_where_files_are_not_taken_the_thread_of_the_answer_stays(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_for_thread(fake, channel=await bench.new_channel(fake))
    await deny(fake, place, permissions.ATTACH_FILES)
    await (await opened(start(), (place, asked))).close(pictured("It is 42."))
    assert (await only(fake, place)).text.startswith("It is 42.")


async def test_pictures_that_are_too_large_are_left_out(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    huge = replace(RADAR, data=bytes(limits.FILE_BYTES + 1))
    await (await opened(start(), (place, asked))).close(replace(pictured("It is 42."), images=(huge,), lang="zh"))
    message = await only(fake, place)
    assert sentence("40005", "zh") in message.text
    assert message.files == []


async def test_where_we_may_not_write_an_end_with_pictures_is_refused_like_others(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await bench.asked_in(fake, SILENT)
    with pytest.raises(Refused, match="50013"):
        await (await opened(start(), (place, asked))).close(pictured("It is 42."))


# Jobs


async def test_a_job_s_message_is_edited_without_a_stop_or_a_sign_of_work(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    outbound = start()
    reply = await opened(outbound, (place, asked), is_job=True)
    steps = (StepView("act/0", "search", {}),)
    for draft in (Draft(status="Waiting"), Draft("0 %", steps), Draft("50 %")):
        assert await reply.show(draft)
    message = await only(fake, place)
    assert (message.text, message.buttons, message.reply_to) == ("50 %", [], "")
    await reply.close(REPORT)
    message = await only(fake, place)
    assert (message.text, message.buttons) == ("It is 42.", [])
    assert TYPING not in await routes(fake, place)


async def test_a_job_that_ends_leaves_a_turn_s_sign_of_work(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    outbound = start()
    sign = asyncio.create_task(outbound.working(place.target, asked))
    await fake.until(lambda replay: any(one["ids"]["channel"] == place.target.channel for one in replay.called(TYPING)))
    await (await opened(outbound, (place, asked), is_job=True)).close(REPORT)
    assert not sign.done()
    await (await opened(outbound, (place, asked), turn_id=2)).close(answer("42"))
    await sign


async def test_a_message_of_hours_is_edited_less_often_and_what_is_refused_is_made_up_for(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await room(fake)
    clock = ManualClock(place.since)
    reply = await opened(start(clock=clock), (place, asked), is_job=True)
    await reply.show(Draft("0 %"))
    await fake.advance(2 * 3600)
    clock.advance(2 * 3600)
    for text in ("10 %", "11 %", "12 %"):
        assert await reply.show(Draft(text))
    assert (await only(fake, place)).text == "10 %"
    clock.advance(limits.OLD_EVERY_S)
    await fake.script(PATCH, "429:30046")
    assert await reply.show(Draft("20 %"))
    assert (await only(fake, place)).text == "10 %"
    clock.advance(limits.OLD_EVERY_S)
    assert await reply.show(Draft("30 %"))
    assert (await only(fake, place)).text == "30 %"
    await reply.close(REPORT)
    assert (await only(fake, place)).text == "It is 42."


async def test_a_report_with_its_pictures_twice_is_a_problem(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    final = replace(REPORT, images=(RADAR, RADAR))
    await (await opened(start(), (place, asked), is_job=True)).close(final)
    entries = (await fake.replay()).entries
    mine = [one for one in entries if one["kind"] == "call" and one["ids"].get("channel") == place.target.channel]
    assert [problem.kind for problem in judge(mine).problems] == ["pictured"]

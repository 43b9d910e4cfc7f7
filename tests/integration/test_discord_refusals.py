"""What the Discord adapter makes of refusals and of things that are gone: threads, messages, permissions; and which
messages it takes for its own when it looks."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.asking.handing_out import send_to
from adapters.discord.replying.look import Look
from bot.messages import Asked, Draft, Final
from bot.ports import Reply
from bot.posting import Refused
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Place, answer
from tests.fakes.discord import FakeDiscord, permissions
from tests.fakes.discord.prepared import ALICE, APP, BOB, CAROL, SILENT
from tests.fakes.discord.replay import BotMessage
from tests.support import discord_bench as bench
from tests.support.discord_bench import LIST, PATCH, POST, Outbound, Start, room, where

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
running, fake, start = bench.running, bench.fake, bench.start


def ledger(asked: tuple[Place, Asked], book: Book | None = None, **how: Any) -> FakeLedger:
    return FakeLedger(book or Book(), since=asked[0].since, **how)


async def opened(outbound: Outbound, asked: tuple[Place, Asked], book: Book | None = None, **how: Any) -> Reply:
    return await outbound.open(asked[0].target, ledger(asked, book, **how), asked[1])


async def visible(fake: FakeDiscord, place: Place) -> list[BotMessage]:
    return (await fake.replay()).visible(where(place))


async def texts(fake: FakeDiscord, place: Place) -> list[str]:
    return [message.text for message in await visible(fake, place)]


async def calls(fake: FakeDiscord, route: str, channel: str) -> int:
    return sum(call["ids"]["channel"] == channel for call in (await fake.replay()).called(route))


async def told(fake: FakeDiscord, user: str) -> list[str]:
    """What somebody was told in private, in all tests of this module."""
    channel = (await bench.asked_directly(fake, user))[0].target.channel
    return [message.text for message in (await fake.replay()).visible() if message.channel == channel]


# Archived, locked and deleted threads.


async def test_a_thread_that_was_archived_meanwhile_is_woken_up_by_the_end(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in_thread(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    await fake.archive(place.target.thread or "")
    await reply.close(answer("Llamas are kind."))
    assert await texts(fake, place) == ["Llamas are kind."]


async def test_a_reply_in_an_archived_thread_can_be_taken_back(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in_thread(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    await fake.archive(place.target.thread or "")
    await reply.discard()
    assert await texts(fake, place) == []


async def test_an_answer_wakes_an_archived_thread_up(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in_thread(fake)
    await fake.archive(place.target.thread or "")
    await (await opened(start(), (place, asked))).close(answer("42"))
    assert await texts(fake, place) == ["42"]


@pytest.mark.parametrize("drafted", [False, True])
async def test_a_locked_thread_refuses_the_answer_and_says_so(fake: FakeDiscord, start: Start, drafted: bool) -> None:
    place, asked = await bench.asked_in_thread(fake)
    reply = await opened(start(), (place, asked))
    if drafted:
        await reply.show(Draft("Llamas"))
    await fake.archive(place.target.thread or "", lock=True)
    with pytest.raises(Refused, match="This thread is locked"):
        await reply.close(answer("42"))


async def test_a_deleted_thread_is_the_end_of_its_conversation(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_for_thread(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    await fake.control("remove", channel=place.target.thread)
    with pytest.raises(Refused, match="10003"):
        await reply.close(answer("Llamas are kind."))
    assert asked.message_id not in [one.reply_to for one in await visible(fake, bench.channel_of(place))]


async def test_what_is_gone_with_its_thread_can_be_taken_back(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in_thread(fake)
    book = Book()
    reply = await opened(start(), (place, asked), book)
    await reply.show(Draft("Llamas"))
    await fake.control("remove", channel=place.target.thread)
    await reply.discard()
    assert book.parts == {}


# Messages that can't be changed any more.


async def test_a_draft_that_a_moderator_deleted_is_left_alone_until_the_end(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    (message,) = await visible(fake, place)
    await fake.delete(message)
    for text in ("Llamas are", "Llamas are kind"):
        assert await reply.show(Draft(text))
    assert await texts(fake, place) == []
    await reply.close(answer("Llamas are kind."))
    assert await texts(fake, place) == ["Llamas are kind."]


async def test_a_message_that_was_deleted_before_a_crash_does_not_come_back_by_its_nonce(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await room(fake)
    book = Book()
    await (await opened(start(), (place, asked), book)).show(Draft("Llamas"))
    (message,) = await visible(fake, place)
    await fake.delete(message)
    # It was found gone, and the process died before it had posted anew.
    await ledger((place, asked), book).removed(0)
    await ledger((place, asked), book).intend(0)
    again = ledger((place, asked), book)
    assert again.resumed
    await (await start().open(place.target, again, asked)).close(answer("Llamas are kind."))
    assert await texts(fake, place) == ["Llamas are kind."]


async def test_what_an_earlier_attempt_had_said_is_corrected_when_its_nonce_brings_it_back(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await room(fake)
    book = Book()
    await (await opened(start(), (place, asked), book)).show(Draft("Something of yesterday"))
    # Its id was never written, and Discord's list doesn't have it yet.
    await ledger((place, asked), book).removed(0)
    await ledger((place, asked), book).intend(0)
    await fake.set(read_lag=60.0)
    await (await opened(start(), (place, asked), book)).close(answer("42"))
    assert await texts(fake, place) == ["42"]
    assert len((await fake.replay()).created(where(place))) == 1


async def test_servers_of_ours_that_number_their_turns_anew_answer_all_the_same(
    fake: FakeDiscord, start: Start
) -> None:
    first = await room(fake)
    second = await bench.asked_in(fake, first[0].target.channel)
    for asked, text in ((first, "42"), (second, "43")):
        await (await opened(start(), asked)).close(answer(text))
    assert await texts(fake, first[0]) == ["42", "43"]


async def test_a_message_that_is_too_old_to_be_edited_is_posted_anew_by_the_end(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await room(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    await fake.script(PATCH, "400:30046")
    await reply.close(answer("Llamas are kind."))
    assert await texts(fake, place) == ["Llamas are kind."]


# Where we may not answer.


async def test_whoever_gets_no_answer_is_told_once_and_in_their_language(fake: FakeDiscord, start: Start) -> None:
    outbound = start()
    before = await told(fake, CAROL)
    for _ in range(2):
        said = await fake.mention("它是什么？", user=CAROL, channel=SILENT)
        asked = bench.asked_by(said, user=CAROL)
        reply = await opened(outbound, (bench.place_of(said), Asked(asked.author, asked.message_id, "zh")))
        with pytest.raises(Refused, match="50013"):
            await reply.close(answer("42"))
    await outbound.idle()
    (sentence,) = (await told(fake, CAROL))[len(before) :]
    assert sentence.startswith(f"我无法在 <#{SILENT}> 回答你。缺少权限")
    assert await calls(fake, POST, SILENT) == 2


async def test_whoever_gets_no_answer_in_a_locked_thread_is_told_which_one_it_is(
    fake: FakeDiscord, start: Start
) -> None:
    outbound, before = start(), await told(fake, ALICE)
    place, asked = await bench.asked_in_thread(fake)
    reply = await opened(outbound, (place, asked))
    await fake.archive(place.target.thread or "", lock=True)
    with pytest.raises(Refused, match="160005"):
        await reply.close(answer("42"))
    await outbound.idle()
    (sentence,) = (await told(fake, ALICE))[len(before) :]
    assert sentence.startswith(f"I can't answer you in <#{place.target.thread}>. This thread is locked")


async def test_somebody_who_takes_no_direct_messages_is_no_trouble(fake: FakeDiscord, start: Start) -> None:
    outbound = start()
    await fake.script("POST /users/@me/channels", "403:50007")
    said = await fake.mention("What is it?", user=BOB, channel=SILENT)
    reply = await opened(outbound, (bench.place_of(said), bench.asked_by(said, user=BOB)))
    with pytest.raises(Refused, match="50013"):
        await reply.close(answer("42"))
    await outbound.idle()


# What is ours.


async def test_tidy_leaves_alone_what_belongs_to_no_turn_of_the_conversation(fake: FakeDiscord, start: Start) -> None:
    outbound = start()
    place, asked = await room(fake)
    await bench.posted(fake, place, "a stray")
    await bench.posted(fake, place, "a stray reply", message_reference={"message_id": asked.message_id})
    # A job's, what is in no ledger, and an answer whose thread could not be opened.
    await (await opened(outbound, (place, asked), is_job=True)).close(Final("answered", "a report", "en"))
    await send_to(outbound.rest, place.target.channel, [Look("a hint")])
    await without_threads(fake, place)
    other = await bench.asked_for_thread(fake, channel=place.target.channel)
    await (await opened(outbound, other)).close(answer("beside"))
    await fake.say("A person's", channel=place.target.channel)
    await outbound.tidy(place.target, place.since, FakeLedger(Book()).known)
    assert await texts(fake, place) == ["a report", "a hint", "beside"]


async def test_tidy_of_a_thread_finds_what_stands_beside_it(fake: FakeDiscord, start: Start) -> None:
    channel = await bench.new_channel(fake)
    place, asked = await bench.asked_for_thread(fake, channel=channel)
    await without_threads(fake, place)
    here = bench.channel_of(place)
    reference = {"message_reference": {"message_id": asked.message_id}}
    await bench.posted(fake, here, "a stray", flags=0, **reference)
    await bench.posted(fake, here, "of the channel's own conversation", **reference)
    await start().tidy(place.target, place.since, FakeLedger(Book()).known)
    assert await texts(fake, here) == ["of the channel's own conversation"]


async def test_an_answer_beside_its_thread_is_gone_on_with_after_a_crash(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_for_thread(fake, channel=await bench.new_channel(fake))
    await without_threads(fake, place)
    book, here = Book(), bench.channel_of(place)
    await (await opened(start(), (place, asked), book)).show(Draft("Forty"))
    await (await opened(start(), (place, asked), book)).close(answer("42"))
    assert await texts(fake, here) == ["42"]


async def test_an_answer_beside_its_thread_is_adopted_when_its_id_was_not_written(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await bench.asked_for_thread(fake, channel=await bench.new_channel(fake))
    await without_threads(fake, place)
    book, here = Book(), bench.channel_of(place)
    await ledger((place, asked), book).intend(0)
    await bench.posted(fake, here, "Forty", flags=0, message_reference={"message_id": asked.message_id})
    await (await opened(start(), (place, asked), book)).close(answer("42"))
    assert await texts(fake, here) == ["42"]
    assert len((await fake.replay()).created(where(here))) == 1


async def test_a_job_s_message_is_adopted_by_the_job_and_never_by_a_turn(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    jobs, turns = Book(), Book()
    await (await opened(start(), (place, asked), is_job=True)).close(Final("answered", "a report", "en"))
    await ledger((place, asked), turns, turn_id=2).intend(0)
    await (await opened(start(), (place, asked), turns, turn_id=2)).close(answer("42"))
    await ledger((place, asked), jobs).intend(0)
    reply = await opened(start(), (place, asked), jobs, is_job=True)
    await reply.close(Final("answered", "the same report", "en"))
    assert await texts(fake, place) == ["the same report", "42"]


async def test_our_messages_before_the_turn_are_left_alone(fake: FakeDiscord, start: Start) -> None:
    place, _ = await room(fake)
    await bench.posted(fake, place, "of an earlier turn")
    # Ids tell times to the millisecond.
    await fake.advance(0.01)
    later, _ = await bench.asked_in(fake, place.target.channel)
    await start().tidy(later.target, later.since, FakeLedger(Book()).known)
    assert await texts(fake, place) == ["of an earlier turn"]


async def test_a_busy_channel_is_listed_to_its_end(fake: FakeDiscord, start: Start) -> None:
    place, _ = await room(fake)
    for number in range(101):
        await fake.say(f"Person {number}", channel=place.target.channel)
    await bench.posted(fake, place, "a stray")
    await start().tidy(place.target, place.since, FakeLedger(Book()).known)
    assert await texts(fake, place) == []
    assert await calls(fake, LIST, place.target.channel) == 2


async def without_threads(fake: FakeDiscord, place: Place) -> None:
    """In this channel the bot may open no threads."""
    denied = permissions.CREATE_PUBLIC_THREADS
    await fake.control("overwrite", channel=place.target.channel, id=APP, deny=denied)

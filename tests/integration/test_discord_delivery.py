"""How the Discord adapter delivers an answer: where it goes, how it grows, and what happens when Discord says no."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.chat.actions import ALLOW, DENY, FEEDBACK, RETRY, STEPS, STOP
from adapters.discord.replying import signs
from adapters.discord.replying.layout import ANSWER_FILE
from adapters.discord.replying.look import SUPPRESS_EMBEDS
from adapters.discord.replying.opening import name_of_thread
from bot.messages import Asked, Author, Consent, Draft, Final, StepView
from bot.ports import Reply
from bot.posting import Refused
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Place, answer, long_text
from tests.fakes.discord import FakeDiscord, permissions
from tests.fakes.discord.prepared import ALICE, APP, FORUM_CHANNEL, SILENT
from tests.fakes.discord.replay import BotMessage
from tests.support import discord_bench as bench
from tests.support.discord_bench import OPEN, PATCH, POST, TYPING, Outbound, Start, room, where

# One process of the fake serves all tests of this module; each test has places of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
running, fake, start = bench.running, bench.fake, bench.start

FOUND = StepView("act/0/0", "search", {"query": "llamas"}, "done", "See https://example.org/llama for more.")
SEARCH = StepView("act/0/0", "search", {"query": "llamas"})
REFUSED = Final("refused", "You have asked too much: try again tomorrow.", "en", private=True)


async def opened(outbound: Outbound, asked: tuple[Place, Asked], book: Book | None = None) -> Reply:
    place, by = asked
    return await outbound.open(place.target, FakeLedger(book or Book(), since=place.since), by)


async def routes(fake: FakeDiscord, place: Place) -> list[str]:
    """The calls that were made about a channel and the thread in it, in order, those that ask nothing there apart."""
    here = {place.target.channel, place.target.thread} - {None}
    calls = (await fake.replay()).calls
    return [call["method"] for call in calls if call["ids"].get("channel") in here]


async def visible(fake: FakeDiscord, place: Place) -> list[BotMessage]:
    return (await fake.replay()).visible(where(place))


async def only(fake: FakeDiscord, place: Place) -> BotMessage:
    """The one message of ours in a place."""
    (message,) = await visible(fake, place)
    return message


async def may(fake: FakeDiscord, place: Place, **what: int) -> None:
    """What the bot may do in a channel: `allow`, `deny`."""
    await fake.control("overwrite", channel=place.target.channel, id=APP, **what)


def names(message: BotMessage) -> list[str]:
    """What can be pressed below a message, without values."""
    return [name.partition(":")[0] for name in message.buttons]


# A quick or short answer.


async def test_an_answer_in_a_channel_is_one_post_that_replies_to_the_question(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await (await opened(start(), (place, asked))).close(answer("42"))
    assert await routes(fake, place) == [POST]
    message = await only(fake, place)
    assert (message.text, message.reply_to, message.pings) == ("42", asked.message_id, [])
    assert (names(message), message.flags) == ([FEEDBACK, FEEDBACK], SUPPRESS_EMBEDS)


async def test_an_answer_to_a_direct_message_is_one_post(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_directly(fake)
    before = len(await routes(fake, place))
    await (await opened(start(), (place, asked))).close(answer("42"))
    assert (await routes(fake, place))[before:] == [POST]


async def test_every_message_has_a_nonce_that_names_its_turn_and_part(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await (await opened(start(), (place, asked))).close(answer(long_text(3_000)))
    found = [(message.turn, message.part) for message in await visible(fake, place)]
    assert found == [("turn-1", 0), ("turn-1", 1)]
    sent = [call["arguments"] for call in (await fake.replay()).called(POST)][-2:]
    assert all(body["enforce_nonce"] and len(body["nonce"]) <= 25 for body in sent)


async def test_only_the_first_message_of_an_answer_is_a_reply(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await (await opened(start(), (place, asked))).close(answer(long_text(3_000)))
    assert [message.reply_to for message in await visible(fake, place)] == [asked.message_id, ""]


async def test_a_question_that_is_gone_is_still_answered_in_its_channel(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await fake.control("delete", channel=place.target.channel, id=asked.message_id)
    await (await opened(start(), (place, asked))).close(answer("42"))
    assert (await only(fake, place)).text == "42"


async def test_where_the_past_can_t_be_read_an_answer_refers_to_nothing(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await may(fake, place, deny=permissions.READ_MESSAGE_HISTORY)
    outbound = start()
    await (await opened(outbound, (place, asked))).close(answer("42"))
    assert (await only(fake, place)).reply_to == ""
    other = await bench.asked_in(fake, place.target.channel)
    await (await opened(outbound, other)).close(answer("43"))
    assert await routes(fake, place) == [POST, POST, POST]


async def test_a_failure_offers_a_retry_and_the_steps(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    await (await opened(start(), (place, asked))).close(
        Final("failed", "The model is away.", "en", can_retry=True, steps=(FOUND,))
    )
    assert names(await only(fake, place)) == [RETRY, STEPS]


# Threads.


async def test_the_first_message_opens_the_thread_of_the_question(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_for_thread(fake, "What are **llamas**?\nAnd `why`?")
    outbound = start()
    reply = await opened(outbound, (place, asked))
    await reply.show(Draft("Llamas"))
    await reply.close(answer("Llamas are kind."))
    calls = [call for call in (await fake.replay()).calls if asked.message_id in call["ids"].values()]
    assert [call["method"] for call in calls] == [OPEN, POST, PATCH]
    assert calls[0]["arguments"] == {"name": "What are llamas? And why?", "auto_archive_duration": 1440}
    message = await only(fake, place)
    assert (message.text, message.reply_to) == ("Llamas are kind.", "")


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ("", "Answer"),
        ("***", "Answer"),
        ("What is [this](https://example.org/x)?", "What is this?"),
        ("# Llamas\n\n> and ~~alpacas~~", "Llamas and alpacas"),
        ("llama " * 40, "llama " * 16 + "lla…"),
    ],
)
async def test_a_thread_is_called_what_was_asked_in_a_line(about: str, name: str) -> None:
    assert name_of_thread(Asked(Author("1"), "2", "en", about=about)) == name
    assert len(name) <= 100


async def test_a_thread_without_words_has_a_name_in_the_language_of_the_turn() -> None:
    assert name_of_thread(Asked(Author("1"), "2", "zh")) == "回答"


async def test_a_thread_that_somebody_has_opened_before_is_used(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_for_thread(fake)
    await fake.control(
        "thread", name="Mine", user=ALICE, channel=place.target.channel, id=asked.message_id, private=False
    )
    await (await opened(start(), (place, asked))).close(answer("42"))
    assert (await only(fake, place)).text == "42"


@pytest.mark.parametrize("missing", [permissions.CREATE_PUBLIC_THREADS, permissions.SEND_MESSAGES_IN_THREADS])
async def test_where_no_thread_can_be_used_the_answer_is_a_reply_in_the_channel(
    fake: FakeDiscord, start: Start, missing: int
) -> None:
    channel = await bench.new_channel(fake)
    place, asked = await bench.asked_for_thread(fake, channel=channel)
    await may(fake, place, deny=missing)
    outbound = start()
    reply = await opened(outbound, (place, asked))
    await reply.show(Draft("Forty"))
    await reply.close(answer("42"))
    message = await only(fake, bench.channel_of(place))
    assert (message.text, message.reply_to) == ("42", asked.message_id)
    # It is remembered.
    tried = (await routes(fake, place)).count(OPEN)
    other = await bench.asked_for_thread(fake, channel=channel)
    await (await opened(outbound, other)).close(answer("43"))
    assert (await routes(fake, place)).count(OPEN) == tried == 1


async def test_a_server_with_too_many_threads_is_answered_in_its_channel(fake: FakeDiscord, start: Start) -> None:
    await fake.set(active_threads=0)
    place, asked = await bench.asked_for_thread(fake, channel=await bench.new_channel(fake))
    await (await opened(start(), (place, asked))).close(answer("42"))
    assert (await only(fake, bench.channel_of(place))).reply_to == asked.message_id


async def test_an_end_for_the_asker_alone_opens_no_thread(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_for_thread(fake, channel=await bench.new_channel(fake))
    await (await opened(start(), (place, asked))).close(REFUSED)
    message = await only(fake, bench.channel_of(place))
    assert (message.text, message.reply_to, message.buttons) == (REFUSED.text, asked.message_id, [])
    assert await routes(fake, place) == [POST]


async def test_an_end_for_the_asker_alone_stays_in_a_thread_that_is_there(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in_thread(fake)
    await (await opened(start(), (place, asked))).close(REFUSED)
    assert (await only(fake, place)).reply_to == asked.message_id


async def test_a_thread_whose_question_was_withdrawn_goes_when_nobody_has_said_anything(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await bench.asked_for_thread(fake)
    book = Book()
    await (await opened(start(), (place, asked), book)).show(Draft("Llamas"))
    await fake.control("delete", channel=place.target.channel, id=asked.message_id)
    await (await opened(start(), (place, asked), book)).discard()
    (thread,) = [one for one in (await fake.world())["channels"] if one["id"] == asked.message_id]
    # The bot may not delete threads here.
    assert thread["thread_metadata"]["archived"]


async def test_a_thread_in_which_people_talk_stays_when_the_question_is_withdrawn(
    fake: FakeDiscord, start: Start
) -> None:
    place, asked = await bench.asked_for_thread(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    await fake.say("I know that one", channel=asked.message_id)
    await fake.control("delete", channel=place.target.channel, id=asked.message_id)
    await reply.discard()
    (thread,) = [one for one in (await fake.world())["channels"] if one["id"] == asked.message_id]
    assert not thread["thread_metadata"]["archived"]


async def test_the_thread_of_a_question_that_is_answered_anew_stays(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_for_thread(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("Llamas"))
    await reply.discard()
    (thread,) = [one for one in (await fake.world())["channels"] if one["id"] == asked.message_id]
    assert not thread["thread_metadata"]["archived"]


# Drafts.


async def test_a_draft_has_a_stop_button_below_its_last_message(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft(steps=(SEARCH,)))
    message = await only(fake, place)
    assert (message.text, names(message)) == ("⏳ Search the web: llamas", [STOP])
    await reply.show(Draft(long_text(3_000), steps=(FOUND,)))
    assert [names(message) for message in await visible(fake, place)] == [[], [STOP]]
    await reply.close(Final("answered", "42", "en", steps=(FOUND,)))
    assert names(await only(fake, place)) == [FEEDBACK, FEEDBACK, STEPS]


async def test_a_message_that_is_full_is_not_edited_again(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    reply = await opened(start(), (place, asked))
    text = long_text(3_000)
    for length in (1_000, 2_400, 2_600, 2_800):
        assert await reply.show(Draft(text[:length]))
    await reply.close(answer(text))
    first, second = await visible(fake, place)
    edits = (await fake.replay()).called(PATCH)
    edited = [call["ids"]["message"] for call in edits if call["ids"]["channel"] == first.channel]
    assert edited == [first.message, *[second.message] * 3]


async def test_a_status_alone_is_no_message(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    assert await (await opened(start(), (place, asked))).show(Draft(status="Looking for llamas"))
    assert await visible(fake, place) == []


async def test_a_question_has_buttons_of_its_own(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft("I would write to Bob.", consent=Consent("consent/0/0", "May I?")))
    message = await only(fake, place)
    assert message.text == "I would write to Bob.\n\n> May I?"
    assert message.buttons == [f"{ALLOW}:1:consent/0/0", f"{DENY}:1:consent/0/0", f"{STOP}:1"]


async def test_an_answer_that_is_too_long_is_a_file_beside_its_beginning(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    text = long_text(20_000)
    reply = await opened(start(), (place, asked))
    await reply.show(Draft(text))
    assert len(await visible(fake, place)) == 5
    await reply.close(answer(text))
    message = await only(fake, place)
    assert message.files == [ANSWER_FILE]
    assert (await fake.download(message.file_ids[0])).decode() == text
    assert names(message) == [FEEDBACK, FEEDBACK]


async def test_a_file_is_not_doubled_by_an_end_that_is_shown_again(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    book = Book()
    for _ in range(2):
        await (await opened(start(), (place, asked), book)).close(answer(long_text(20_000)))
    assert (await only(fake, place)).files == [ANSWER_FILE]
    await (await opened(start(), (place, asked), book)).close(answer("Never mind"))
    message = await only(fake, place)
    assert (message.text, message.files) == ("Never mind", [])


# The sign of work.


async def typed(fake: FakeDiscord, place: Place, times: int) -> None:
    """Wait until it was said so often that we type."""

    def enough(replay: Any) -> bool:
        here = {place.target.channel, place.target.thread}
        return sum(call["ids"]["channel"] in here for call in replay.called(TYPING)) >= times

    await fake.until(enough)


async def test_work_that_takes_a_while_is_shown_again_and_again_until_the_first_message(
    fake: FakeDiscord, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "AGAIN_S", 0.02)
    place, asked = await bench.asked_for_thread(fake, channel=await bench.new_channel(fake))
    outbound = start()
    sign = asyncio.create_task(outbound.working(place.target, asked))
    await typed(fake, place, 3)
    await (await opened(outbound, (place, asked))).show(Draft("Llamas"))
    # It ends by itself.
    await sign
    assert (await routes(fake, place))[-2:] == [OPEN, POST]


async def test_a_sign_of_work_that_is_refused_is_not_asked_for_again(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_in(fake, SILENT)
    outbound = start()
    for _ in range(2):
        await outbound.working(place.target, asked)
    assert await routes(fake, place) == [TYPING]


async def test_an_instant_answer_is_given_without_a_sign(fake: FakeDiscord, start: Start) -> None:
    place, asked = await room(fake)
    outbound = start()
    sign = asyncio.create_task(outbound.working(place.target, asked))
    await asyncio.sleep(0)
    await (await opened(outbound, (place, asked))).close(answer("42"))
    await sign
    assert await routes(fake, place) == [POST]


async def test_in_a_forum_we_type_in_the_post(fake: FakeDiscord, start: Start) -> None:
    said = await fake.post("A riddle", "What is it?", channel=FORUM_CHANNEL)
    place = bench.place_of(said)
    sign = asyncio.create_task(start().working(place.target, bench.asked_by(said)))
    await fake.until(lambda replay: any(said.channel == call["ids"].get("channel") for call in replay.calls))
    sign.cancel()
    assert (await routes(fake, place))[-1] == TYPING


async def test_a_sign_of_work_ends_with_the_turn(fake: FakeDiscord, start: Start) -> None:
    place, asked = await bench.asked_directly(fake, ALICE)
    sign = asyncio.create_task(start().working(place.target, asked))
    await typed(fake, place, 1)
    sign.cancel()
    await asyncio.wait({sign})
    assert sign.cancelled()


async def test_a_draft_that_is_refused_is_no_end(fake: FakeDiscord, start: Start) -> None:
    reply = await opened(start(), await bench.asked_in(fake, SILENT))
    with pytest.raises(Refused, match="50013"):
        await reply.show(Draft("Llamas"))

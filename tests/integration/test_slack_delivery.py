"""How the Slack adapter delivers an answer: each rung of the ladder, and what happens when one gives way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from adapters.chat.actions import ALLOW, DENY, FEEDBACK, RATE, RETRY, STEPS, STOP
from adapters.chat.parts import PRIVATE
from adapters.slack import limits
from agent.clock import SystemClock
from agent.profile import Profile
from bot.messages import Asked, Author, Consent, Draft, Final, StepView
from bot.ports import Reply
from bot.posting import Refused
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import Place, answer
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.prepared import ALICE, BOB, DORA, LONELY, SHARED, T1, T2
from tests.fakes.slack.replay import BotMessage
from tests.support.slack_bench import ASKED, Outbound, call, place_of, where

# One process of the fake serves all tests of this module; each test has threads of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

SEARCH = StepView("act/0/0", "search", {"query": "llamas"})
FOUND = StepView("act/0/0", "search", {"query": "llamas"}, "done", "See https://example.org/llama for more.")

Start = Callable[..., Outbound]


class Later(SystemClock):
    """The machine's clock, set forward by `by` seconds."""

    by = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.by


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="module")
async def fake(running: FakeSlack) -> AsyncIterator[FakeSlack]:
    await running.set(reset=True, copies=0, limits=False)
    await running.app(agent=True)
    yield running
    await running.app(agent=True)


@pytest_asyncio.fixture(loop_scope="module")
async def start(fake: FakeSlack) -> AsyncIterator[Start]:
    """Makes the adapter as a process that has just started."""
    made: list[Outbound] = []

    def outbound(*, plenty: bool = True, **how: Any) -> Outbound:
        made.append(Outbound(fake, **how))
        if plenty:
            made[-1].clients.plenty()
        return made[-1]

    yield outbound
    for each in made:
        await each.close()


@pytest_asyncio.fixture(loop_scope="module")
async def place(fake: FakeSlack) -> Place:
    return place_of(await fake.say("What is it?"))


async def methods(fake: FakeSlack, place: Place) -> list[str]:
    """The calls that were made in a thread, in order; the signs of work apart."""
    calls = (await fake.replay()).calls
    shown = {message.ts for message in (await fake.replay()).created(where(place))}
    thread = place.target.thread
    return [
        call["method"]
        for call in calls
        if (call["arguments"].get("thread_ts") == thread or call["arguments"].get("ts") in shown)
        and not call["method"].endswith(".setStatus")
    ]


async def calls(fake: FakeSlack, method: str) -> list[dict[str, Any]]:
    """The arguments of all calls of a method."""
    return [call["arguments"] for call in (await fake.replay()).called(method)]


async def only(fake: FakeSlack, place: Place) -> BotMessage:
    """The one message of ours in a thread."""
    (message,) = (await fake.replay()).visible(where(place))
    return message


async def opened(outbound: Outbound, place: Place, book: Book | None = None, asked: Asked = ASKED) -> Reply:
    return await outbound.open(place.target, FakeLedger(book or Book(), since=place.since), asked)


# A quick or short answer.


async def test_a_short_answer_is_one_post_with_thumbs_and_a_rating(fake: FakeSlack, start: Start, place: Place) -> None:
    await (await opened(start(), place)).close(answer("42"))
    assert await methods(fake, place) == ["chat.postMessage"]
    message = await only(fake, place)
    assert message.buttons == [FEEDBACK, RATE]
    assert message.metadata == {"event_type": "kagentbot_turn", "event_payload": {"turn": "turn-1", "part": 0}}


async def test_nothing_that_is_posted_unfolds_its_links(fake: FakeSlack, start: Start, place: Place) -> None:
    await (await opened(start(), place)).close(answer("See https://example.org/llama"))
    (sent,) = [each for each in await calls(fake, "chat.postMessage") if each["thread_ts"] == place.target.thread]
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)


async def test_steps_that_were_taken_can_be_looked_at(fake: FakeSlack, start: Start, place: Place) -> None:
    await (await opened(start(), place)).close(Final("answered", "42", "en", steps=(FOUND,)))
    assert (await only(fake, place)).buttons == [FEEDBACK, RATE, STEPS]


async def test_a_failure_offers_a_retry_and_no_rating(fake: FakeSlack, start: Start, place: Place) -> None:
    await (await opened(start(), place)).close(Final("failed", "The model is away.", "en", can_retry=True))
    assert (await only(fake, place)).buttons == [RETRY]


async def test_buttons_speak_the_language_of_the_turn(fake: FakeSlack, start: Start, place: Place) -> None:
    await (await opened(start(), place)).close(Final("failed", "模型不可用。", "zh", can_retry=True, steps=(FOUND,)))
    elements = (await only(fake, place)).blocks[-1]["elements"]
    assert [element["text"]["text"] for element in elements] == ["重试", "查看步骤"]


# Streams.


async def test_a_long_answer_is_streamed_to_the_asker_and_stopped_with_its_buttons(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    reply = await opened(start(), place)
    for text in ("Llamas", "Llamas are", "Llamas are kind"):
        assert await reply.show(Draft(text))
    await reply.close(answer("Llamas are kind animals."))
    assert await methods(fake, place) == [
        "chat.startStream",
        "chat.appendStream",
        "chat.appendStream",
        "chat.stopStream",
    ]
    started = (await calls(fake, "chat.startStream"))[-1]
    assert (started["recipient_user_id"], started["recipient_team_id"]) == (ALICE, T1)
    assert (await calls(fake, "chat.stopStream"))[-1]["session_status"] == "active"
    message = await only(fake, place)
    assert (message.text, message.streaming, message.buttons) == ("Llamas are kind animals.", False, [FEEDBACK, RATE])
    assert message.turn == "turn-1"


async def test_a_stream_is_for_the_asker_s_own_workspace(fake: FakeSlack, start: Start) -> None:
    place = place_of(await fake.say("What is it?", user=DORA, channel=SHARED))
    asked = Asked(Author(DORA, "Dora", "external", T2), "1", "en")
    assert await (await opened(start(), place, asked=asked)).show(Draft("Llamas"))
    assert (await calls(fake, "chat.startStream"))[-1]["recipient_team_id"] == T2
    assert (await only(fake, place)).streaming


async def test_steps_are_rows_of_the_stream_in_the_language_of_the_turn(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    asked = Asked(Author(ALICE), "1", "zh")
    reply = await opened(start(), place, asked=asked)
    await reply.show(Draft(steps=(SEARCH,)))
    (row,) = (await only(fake, place)).tasks
    assert (row["title"], row["status"]) == ("搜索网页：llamas", "in_progress")
    await reply.show(Draft("骆马", steps=(FOUND,)))
    message = await only(fake, place)
    (row,) = message.tasks
    assert row["status"] == "complete"
    assert row["sources"] == [{"type": "url", "url": "https://example.org/llama", "text": "example.org"}]
    assert message.text == "骆马"


async def test_a_row_that_has_not_changed_is_not_sent_again(fake: FakeSlack, start: Start, place: Place) -> None:
    reply = await opened(start(), place)
    await reply.show(Draft("a", steps=(FOUND,)))
    await reply.show(Draft("ab", steps=(FOUND,)))
    assert (await calls(fake, "chat.appendStream"))[-1]["chunks"] == [{"type": "markdown_text", "text": "b"}]


async def test_a_streamed_message_stays_below_the_bytes_that_slack_takes(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await fake.set(stream_bytes=limits.STREAM_BYTES)
    reply = await opened(start(), place)
    text = "骆马是安第斯山脉的动物，也是人们的朋友。\n\n" * 300
    steps = tuple(
        StepView(f"act/{n}/0", "search", {"query": "骆马" * 9}, "done", f"https://example.org/{n}/{'x' * 90}")
        for n in range(40)
    )
    for length in (3_000, 6_000):
        assert await reply.show(Draft(text[:length], steps))
    await reply.close(answer(text))
    messages = (await fake.replay()).visible(where(place))
    assert len(messages) > 2
    assert "".join("".join(message.text for message in messages).split()) == "".join(text.split())
    assert [each["error"] for each in (await fake.replay()).calls if not each["accepted"]] == []


async def test_a_stream_that_grows_old_is_gone_on_with_by_edits_before_it_dies(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    clock = Later()
    reply = await opened(start(clock=clock), place)
    await reply.show(Draft("Llamas"))
    clock.by = limits.STREAM_SECONDS
    assert await reply.show(Draft("Llamas are"))
    assert await methods(fake, place) == ["chat.startStream", "chat.stopStream"]
    assert (await calls(fake, "chat.stopStream"))[-1]["session_status"] == "processing"
    assert await reply.show(Draft("Llamas are kind"))
    assert (await methods(fake, place))[-1] == "chat.update"
    assert (await only(fake, place)).text == "Llamas are kind"


async def test_steps_that_outlive_their_stream_go_on_in_another(fake: FakeSlack, start: Start, place: Place) -> None:
    clock = Later()
    reply = await opened(start(clock=clock), place)
    await reply.show(Draft(steps=(SEARCH,)))
    clock.by = limits.STREAM_SECONDS
    assert await reply.show(Draft("Llamas", steps=(FOUND,)))
    message = await only(fake, place)
    assert (message.text, message.streaming, message.tasks[0]["status"]) == ("Llamas", True, "complete")


async def test_a_stream_that_died_is_gone_on_with_by_edits(fake: FakeSlack, start: Start, place: Place) -> None:
    await fake.set(stream_ttl=0.0)
    reply = await opened(start(), place)
    await reply.show(Draft("Llamas"))
    await reply.show(Draft("Llamas are"))
    assert await reply.show(Draft("Llamas are kind"))
    assert (await only(fake, place)).text == "Llamas are kind"
    await reply.close(answer("Llamas are kind."))
    message = await only(fake, place)
    assert (message.text, message.streaming) == ("Llamas are kind.", False)


async def test_a_stream_that_died_during_a_long_step_still_gets_its_end(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await fake.set(stream_ttl=0.0)
    reply = await opened(start(), place)
    await reply.show(Draft(steps=(SEARCH,)))
    await reply.close(answer("Llamas are kind."))
    message = await only(fake, place)
    assert (message.text, message.streaming, message.buttons) == ("Llamas are kind.", False, [FEEDBACK, RATE])


async def test_a_stream_that_takes_less_than_expected_is_gone_on_with_by_edits(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await fake.set(stream_bytes=20)
    reply = await opened(start(), place)
    await reply.show(Draft("Llamas are kind"))
    await reply.show(Draft("Llamas are kind animals"))
    assert await reply.show(Draft("Llamas are kind animals"))
    assert (await only(fake, place)).text == "Llamas are kind animals"


async def test_a_press_on_slack_s_stop_ends_the_turn_and_nothing_is_shown_behind_it(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    outbound = start()
    reply = await opened(outbound, place)
    await reply.show(Draft("Llamas"))
    await fake.press_stop(where(place))
    assert await reply.show(Draft("Llamas are"))
    assert outbound.stopped == [1]
    assert await reply.show(Draft("Llamas are kind"))
    assert (await only(fake, place)).text == "Llamas"
    await reply.close(Final("stopped", "Llamas", "en", notes=("Stopped.",), can_retry=True))
    message = await only(fake, place)
    assert "Stopped." in message.text
    assert message.buttons == [RETRY]


async def test_a_stream_that_a_moderator_deleted_is_left_alone_until_the_end(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    reply = await opened(start(), place)
    await reply.show(Draft("Llamas"))
    await fake.delete(await only(fake, place))
    assert await reply.show(Draft("Llamas are"))
    assert (await fake.replay()).visible(where(place)) == []
    await reply.close(answer("Llamas are kind."))
    assert (await only(fake, place)).text == "Llamas are kind."


async def test_a_stream_found_open_after_a_crash_is_stopped_and_edited(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    book = Book()
    await (await opened(start(), place, book)).show(Draft("Llamas"))
    await (await opened(start(), place, book)).close(answer("Llamas are kind."))
    message = await only(fake, place)
    assert (message.text, message.streaming) == ("Llamas are kind.", False)


# Where there are no streams.


async def test_a_workspace_without_streams_is_not_asked_again(fake: FakeSlack, start: Start, place: Place) -> None:
    await fake.script("chat.startStream", "missing_scope", times=2)
    outbound = start()
    await (await opened(outbound, place)).show(Draft("Llamas"))
    other = place_of(await fake.say("And what is that?"))
    reply = await opened(outbound, other)
    await reply.show(Draft("Alpacas"))
    await reply.show(Draft("Alpacas, too"))
    assert await methods(fake, other) == ["chat.postMessage", "chat.update"]


async def test_a_draft_has_a_stop_button_where_slack_shows_none(fake: FakeSlack, start: Start, place: Place) -> None:
    await fake.app(agent=False)
    outbound = start()
    await outbound.working(place.target, ASKED)
    reply = await opened(outbound, place)
    await reply.show(Draft(steps=(SEARCH,)))
    message = await only(fake, place)
    assert (message.text, message.buttons) == ("- … Search the web: llamas", [STOP])
    await reply.close(answer("42"))
    assert (await only(fake, place)).buttons == [FEEDBACK, RATE]


async def test_a_draft_has_a_stop_button_where_nobody_would_hear_of_slack_s(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    events = (await fake.world())["app"]["events"]
    await fake.app(events=[event for event in events if event != "agent_session_stopped"])
    outbound = start()
    await outbound.working(place.target, ASKED)
    await fake.app(events=events)
    await (await opened(outbound, place)).show(Draft("Llamas"))
    assert (await only(fake, place)).buttons == [STOP]


async def test_a_draft_has_no_stop_button_where_slack_shows_its_own(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await fake.script("chat.startStream", "channel_type_not_supported")
    outbound = start()
    await outbound.working(place.target, ASKED)
    reply = await opened(outbound, place)
    await reply.show(Draft("Llamas"))
    assert (await only(fake, place)).buttons == []


# Signs of work.


async def statuses(fake: FakeSlack, place: Place) -> list[tuple[str, str]]:
    """What the signs of work in a thread said, in order."""
    return [
        (call["method"].split(".")[0], call["arguments"]["status"])
        for call in (await fake.replay()).calls
        if call["method"].endswith(".setStatus") and call["arguments"]["thread_ts"] == place.target.thread
    ]


async def test_work_is_shown_at_once_and_the_session_ends_with_the_reply(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    outbound = start()
    await outbound.working(place.target, ASKED)
    assert await statuses(fake, place) == [("assistant", "is thinking…"), ("agents", "processing")]
    await (await opened(outbound, place)).close(answer("42"))
    await outbound.close()
    assert (await statuses(fake, place))[2:] == [("agents", "active")]


async def test_a_session_that_a_killed_process_began_ends_with_the_reply_of_the_one_that_goes_on(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    book, killed = Book(), start()
    await killed.working(place.target, ASKED)
    await (await opened(killed, place, book)).show(Draft("Forty-two, and"))
    outbound = start()
    await (await opened(outbound, place, book)).close(answer("Forty-two, and no more."))
    await outbound.close()
    assert (await statuses(fake, place))[-1] == ("agents", "active")


async def test_an_app_that_is_no_agent_is_asked_for_a_session_once(fake: FakeSlack, start: Start, place: Place) -> None:
    await fake.app(agent=False)
    outbound = start()
    for _ in range(2):
        await outbound.working(place.target, ASKED)
    assert [kind for kind, _ in await statuses(fake, place)] == ["assistant", "agents", "assistant"]


async def test_a_reply_that_is_taken_back_leaves_no_sign_of_work(fake: FakeSlack, start: Start, place: Place) -> None:
    outbound = start()
    await outbound.working(place.target, ASKED)
    await (await opened(outbound, place)).discard()
    await outbound.close()
    assert sorted((await statuses(fake, place))[2:]) == [("agents", "active"), ("assistant", "")]


async def test_what_goes_on_is_said_in_the_status_line_until_there_is_something_to_post(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    reply = await opened(start(), place)
    assert await reply.show(Draft(status="Looking for llamas"))
    (said,) = [
        each for each in await calls(fake, "assistant.threads.setStatus") if each["thread_ts"] == place.target.thread
    ]
    assert said["loading_messages"] == ["Looking for llamas"]
    assert (await fake.replay()).created(where(place)) == []


# Questions.


async def test_a_question_has_buttons_and_ends_the_stream(fake: FakeSlack, start: Start, place: Place) -> None:
    reply = await opened(start(), place)
    await reply.show(Draft("I would write to Bob."))
    await reply.show(Draft("I would write to Bob.", consent=Consent("consent/0/0", "May I?")))
    message = await only(fake, place)
    assert (message.text, message.streaming) == ("I would write to Bob.\n\n> May I?", False)
    assert message.buttons == [ALLOW, DENY, STOP]
    values = [element["value"] for element in message.blocks[-1]["elements"]]
    assert values == ["1:consent/0/0", "1:consent/0/0", "1"]


# Persona.


async def granted(fake: FakeSlack, *more: str) -> None:
    scopes = (await fake.world())["app"]["scopes"]
    await fake.control("add", kind="install", team=T1, scopes=[*scopes, *more])


NAMED = Asked(Author(ALICE), "1", "en", "Librarian", ":books:")


async def test_the_profile_s_name_and_icon_are_shown_where_that_is_granted(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await granted(fake, "chat:write.customize")
    outbound = start()
    reply = await opened(outbound, place, asked=NAMED)
    await reply.show(Draft("Llamas"))
    await reply.close(answer("Llamas are kind"))
    message = await only(fake, place)
    other = place_of(await fake.say("And?"))
    await (await opened(outbound, other, asked=NAMED)).close(answer("42"))
    posted = await only(fake, other)
    await granted(fake)
    assert [(each.username, each.icon) for each in (message, posted)] == [("Librarian", ":books:")] * 2


async def test_while_nobody_has_chosen_a_name_it_is_the_app_s_own(fake: FakeSlack, start: Start, place: Place) -> None:
    await granted(fake, "chat:write.customize")
    nameless = replace(NAMED, name=Profile().agent_name, icon="")
    await (await opened(start(), place, asked=nameless)).close(answer("42"))
    message = await only(fake, place)
    await granted(fake)
    assert (message.username, message.icon) == ("kagent", "")


async def test_without_the_permission_messages_carry_the_app_s_own_name(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await (await opened(start(), place, asked=NAMED)).close(answer("42"))
    message = await only(fake, place)
    assert (message.username, message.icon) == ("kagent", "")


async def test_a_permission_that_was_taken_away_costs_the_name_and_not_the_answer(
    fake: FakeSlack, start: Start, place: Place
) -> None:
    await granted(fake, "chat:write.customize")
    outbound = start()
    await outbound.clients.api(T1)
    await granted(fake)
    await (await opened(outbound, place, asked=NAMED)).close(answer("42"))
    message = await only(fake, place)
    assert (message.text, message.username) == ("42", "kagent")


# Private ends.


REFUSED = Final("refused", "You have asked too much: try again tomorrow.", "en", private=True)


async def test_a_private_end_is_seen_by_the_asker_alone(fake: FakeSlack, start: Start) -> None:
    said = await fake.say("What is it?", user=BOB)
    book = Book()
    asked = Asked(Author(BOB), said.ts, "en")
    await (await opened(start(), place_of(said), book, asked)).close(REFUSED)
    assert (await fake.replay()).visible(where(place_of(said))) == []
    assert (await fake.ephemerals(BOB))[-1] == REFUSED.text
    (external_id,) = book.posted_ids()
    assert external_id.startswith(PRIVATE)


async def test_a_private_end_is_told_once(fake: FakeSlack, start: Start) -> None:
    said = await fake.say("What is it?", user=BOB)
    book, asked = Book(), Asked(Author(BOB), said.ts, "en")
    told = len(await fake.ephemerals(BOB))
    for _ in range(2):
        await (await opened(start(), place_of(said), book, asked)).close(REFUSED)
    assert len(await fake.ephemerals(BOB)) == told + 1


async def test_a_private_end_is_in_the_thread_only_where_the_thread_has_begun(fake: FakeSlack, start: Start) -> None:
    root = await fake.say("What is it?", user=BOB)
    inside = await fake.say("And that?", user=BOB, thread=root.ts)
    for said in (root, inside):
        asked = Asked(Author(BOB), said.ts, "en")
        await (await opened(start(), place_of(said), asked=asked)).close(REFUSED)
    sent = await calls(fake, "chat.postEphemeral")
    assert [each.get("thread_ts") for each in sent[-2:]] == [None, root.ts]


async def test_a_private_end_takes_back_what_all_have_seen(fake: FakeSlack, start: Start, place: Place) -> None:
    reply = await opened(start(), place)
    await reply.show(Draft("Llamas"))
    await reply.close(REFUSED)
    assert (await fake.replay()).visible(where(place)) == []


async def test_in_a_direct_message_a_private_end_is_a_message_like_others(fake: FakeSlack, start: Start) -> None:
    place = place_of(await fake.dm("What is it?"))
    await (await opened(start(), place)).close(REFUSED)
    message = await only(fake, place)
    assert (message.text, message.buttons) == (REFUSED.text, [])


# Refusals.


async def test_a_channel_without_us_refuses_the_reply(fake: FakeSlack, start: Start) -> None:
    place = place_of(await fake.say("What is it?", channel=LONELY))
    with pytest.raises(Refused, match="not_in_channel"):
        await (await opened(start(), place)).close(answer("42"))


async def test_a_channel_that_is_archived_meanwhile_refuses_the_end(fake: FakeSlack, start: Start) -> None:
    await fake.control("add", kind="channel", channel="C9", teams=[T1], name="old", members=[ALICE, fake.bot_user])
    place = place_of(await fake.say("What is it?", channel="C9"))
    reply = await opened(start(), place)
    await fake.control("archive", channel="C9")
    with pytest.raises(Refused, match="is_archived"):
        await reply.close(answer("42"))


async def test_a_thread_that_is_gone_refuses_the_reply(fake: FakeSlack, start: Start) -> None:
    said = await fake.say("What is it?")
    await fake.delete(said)
    with pytest.raises(Refused, match="thread_not_found"):
        await (await opened(start(), place_of(said))).close(answer("42"))


async def test_a_draft_that_is_refused_is_no_end(fake: FakeSlack, start: Start) -> None:
    place = place_of(await fake.say("What is it?", channel=LONELY))
    reply = await opened(start(), place)
    with pytest.raises(Refused, match="not_in_channel"):
        await reply.show(Draft("Llamas"))


# What is ours.


async def test_tidy_leaves_alone_what_belongs_to_no_turn(fake: FakeSlack, start: Start, place: Place) -> None:
    where_ = {"channel": place.target.channel, "thread_ts": place.target.thread}
    notice = {"event_type": "kagentbot_notice", "event_payload": {}}
    kept = await call(fake, "chat.postMessage", **where_, text="a notice", metadata=notice)
    await call(fake, "chat.postMessage", **where_, text="a stray")
    await fake.say("A person's", thread=place.target.thread or "")
    await start().tidy(place.target, place.since, FakeLedger(Book()).known)
    assert [message.ts for message in (await fake.replay()).visible(where(place))] == [kept["ts"]]


async def test_our_messages_before_the_turn_are_left_alone(fake: FakeSlack, start: Start, place: Place) -> None:
    where_ = {"channel": place.target.channel, "thread_ts": place.target.thread}
    await call(fake, "chat.postMessage", **where_, text="of an earlier turn")
    later = place_of(await fake.say("And?", thread=place.target.thread or ""))
    await start().tidy(later.target, later.since, FakeLedger(Book()).known)
    assert len((await fake.replay()).visible(where(place))) == 1


async def test_a_long_thread_is_listed_whole(fake: FakeSlack, start: Start, place: Place) -> None:
    await fake.set(unlisted=True)
    for number in range(20):
        await call(
            fake,
            "chat.postMessage",
            channel=place.target.channel,
            thread_ts=place.target.thread,
            text=f"stray {number}",
        )
    await start().tidy(place.target, place.since, FakeLedger(Book()).known)
    assert (await fake.replay()).visible(where(place)) == []

"""What every adapter promises, whatever its platform: `Inbound` and `Outbound` of `bot.ports`.

The workbench connects the adapter under test to its fake platform. Replies are compared by what people read, joined
over all messages of the reply; how an adapter decorates them (buttons, markup of its platform) is its own business and
the workbench leaves it out.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal, NamedTuple

import pytest

from agent.language import Text
from bot.messages import Accepted, Draft, Event, Final, Incoming, Part, Target
from bot.ports import LostTurn, Outbound, Receive, Reply, StoreUnavailable
from bot.posting import Ambiguous
from tests.contracts.ledger import Book, FakeLedger

#: What the adapter does to the platform: create a message, let a draft grow, give it its last form, delete, list. Which
#: calls of the platform these are, the workbench knows.
Call = Literal["create", "grow", "finish", "delete", "list"]
#: How a call fails: refused for a while; done nothing; done, but the connection breaks or the answer is an error or too
#: late.
Fault = Literal["rate_limited", "reset", "unavailable", "done_reset", "done_unavailable", "done_late"]
FAULTS: tuple[Fault, ...] = ("rate_limited", "reset", "unavailable", "done_reset", "done_unavailable", "done_late")


class Seen(NamedTuple):
    """One message of ours as people see it."""

    id: str
    text: str


@dataclass(frozen=True)
class Place:
    """A conversation in which a person has just written."""

    target: Target
    #: The platform's time of that message.
    since: datetime


class Workbench(ABC):
    """The adapter under test and its platform. Every test gets conversations of its own."""

    #: Characters that certainly don't fit into one message.
    too_long: int
    #: Seconds that the platform asks for in a rate limit of `fail`.
    rate_limit: float

    @abstractmethod
    def outbound(self) -> Outbound:
        """The adapter as a process that has just started makes it."""

    @abstractmethod
    async def place(self) -> Place:
        """A new conversation."""

    @abstractmethod
    async def visible(self, place: Place) -> list[Seen]:
        """Our messages that people see now, oldest first."""

    @abstractmethod
    async def created(self, place: Place) -> int:
        """How many messages we ever created there, deleted ones included."""

    @abstractmethod
    async def calls(self) -> int:
        """Calls of the adapter so far, everywhere and of every kind."""

    @abstractmethod
    async def too_early(self) -> int:
        """Calls that came before the time that an earlier answer had asked for was over."""

    @abstractmethod
    async def rang(self, place: Place) -> int:
        """How many mentions in our messages rang somebody's phone."""

    @abstractmethod
    async def fail(self, call: Call, fault: Fault, times: int = 1) -> None:
        """Let the next calls of this kind fail."""

    @abstractmethod
    async def plant(self, place: Place, text: str) -> str:
        """Create a message of ours behind the adapter's back, as a process that died after the call has; its id."""

    @abstractmethod
    async def moderate(self, message_id: str) -> None:
        """Delete a message of ours behind the adapter's back."""

    @abstractmethod
    async def listen(self, receive: Receive) -> None:
        """Start the inbound side with this inbox."""

    @abstractmethod
    async def deliver(self, text: str, times: int) -> str:
        """A person writes, and the platform delivers that so many times; returns at once with the message's id."""

    @abstractmethod
    async def acks(self, count: int) -> None:
        """Wait until that many deliveries are acked."""

    @abstractmethod
    async def no_ack(self) -> None:
        """Wait until a delivery has ended without an ack; fails when there was an ack instead."""

    async def text(self, place: Place) -> str:
        """The whole reply as people read it."""
        return "".join(seen.text for seen in await self.visible(place))

    async def reply(self, place: Place, book: Book, ledger: FakeLedger | None = None) -> Reply:
        """A reply as a process that has just started opens it."""
        return await self.outbound().open(place.target, ledger or FakeLedger(book, since=place.since))


def answer(text: str) -> Final:
    """The end of an answered turn."""
    return Final("answered", text, "en")


def long_text(characters: int) -> str:
    """Markdown of at least that many characters in which no two lines are equal."""
    lines: list[str] = []
    while sum(map(len, lines)) < characters:
        number = len(lines)
        lines.append(f"- line {number} **of** a long `answer`" + ("\n\n" if number % 7 == 0 else "\n"))
    return "".join(lines) + "end"


class OutboundContract:
    """`bot.ports.Outbound`. Subclass it in a test module that has a fixture `bench`."""

    async def test_the_first_draft_is_one_post(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("Hello"))
        assert [seen.text for seen in await bench.visible(place)] == ["Hello"]

    async def test_a_draft_with_nothing_to_show_posts_nothing(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft())
        assert await bench.created(place) == 0

    async def test_later_drafts_change_the_same_message(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        for text in ("Hello", "Hello, wor", "Hello, world"):
            await reply.show(Draft(text))
        assert await bench.text(place) == "Hello, world"
        assert await bench.created(place) == 1

    async def test_a_draft_that_begins_anew_replaces_the_text(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("A first attempt"))
        await reply.show(Draft("Another one"))
        assert await bench.text(place) == "Another one"
        assert await bench.created(place) == 1

    async def test_the_same_draft_again_costs_no_call(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("Hello"))
        before = await bench.calls()
        await reply.show(Draft("Hello"))
        assert await bench.calls() == before

    async def test_the_end_makes_the_text_exactly_final(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("Hello, wor"))
        await reply.close(answer("Something *else*"))
        assert await bench.text(place) == "Something *else*"
        assert await bench.created(place) == 1

    async def test_an_answer_without_drafts_is_one_post(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        before = await bench.calls()
        await reply.close(answer("42"))
        assert await bench.text(place) == "42"
        assert await bench.calls() == before + 1

    async def test_the_end_again_after_a_crash_edits_and_does_not_post(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await (await bench.reply(place, book)).close(answer("42"))
        await (await bench.reply(place, book)).close(answer("42, again"))
        assert await bench.text(place) == "42, again"
        assert await bench.created(place) == 1

    async def test_a_reply_in_the_middle_is_gone_on_with_after_a_crash(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await (await bench.reply(place, book)).show(Draft("Hello, wor"))
        reply = await bench.reply(place, book)
        await reply.show(Draft("Hel"))
        await reply.show(Draft("Hello, world"))
        await reply.close(answer("Hello, world!"))
        assert await bench.text(place) == "Hello, world!"
        assert await bench.created(place) == 1

    async def test_every_post_was_intended_first(self, bench: Workbench) -> None:
        place = await bench.place()
        ledger = FakeLedger(Book(), since=place.since)
        reply = await bench.reply(place, Book(), ledger)
        await reply.close(answer("42"))
        assert ledger.calls == ["intend 0", "posted 0"]

    async def test_the_ledger_has_the_id_that_people_see(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await (await bench.reply(place, book)).close(answer("42"))
        assert book.posted_ids() == {seen.id for seen in await bench.visible(place)}

    # Recovery of an open part.

    async def test_posted_but_not_journaled_is_adopted(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await FakeLedger(book).intend(0)
        planted = await bench.plant(place, "Hello, wor")
        reply = await bench.reply(place, book)
        await reply.close(answer("Hello, world"))
        assert await bench.visible(place) == [Seen(planted, "Hello, world")]
        assert book.posted_ids() == {planted}

    async def test_an_intent_that_never_arrived_is_posted_again(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await FakeLedger(book).intend(0)
        reply = await bench.reply(place, book)
        await reply.close(answer("Hello, world"))
        assert await bench.text(place) == "Hello, world"
        assert await bench.created(place) == 1

    async def test_of_several_strays_one_is_adopted_and_the_rest_deleted(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await FakeLedger(book).intend(0)
        planted = {await bench.plant(place, f"Hello {number}") for number in range(3)}
        await (await bench.reply(place, book)).close(answer("Hello, world"))
        (left,) = await bench.visible(place)
        assert left.id in planted
        assert left.text == "Hello, world"

    async def test_messages_of_other_turns_are_left_alone(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await (await bench.reply(place, book, FakeLedger(book, since=place.since, turn_id=7))).close(answer("before"))
        await FakeLedger(book, turn_id=8).intend(0)
        await (await bench.reply(place, book, FakeLedger(book, since=place.since, turn_id=8))).close(answer("after"))
        assert [seen.text for seen in await bench.visible(place)] == ["before", "after"]

    async def test_a_reply_that_a_moderator_deleted_is_posted_again_at_the_end(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        await reply.show(Draft("Hello, wor"))
        (seen,) = await bench.visible(place)
        await bench.moderate(seen.id)
        await reply.close(answer("Hello, world"))
        assert await bench.text(place) == "Hello, world"
        assert book.posted_ids() == {seen.id for seen in await bench.visible(place)}

    async def test_tidy_deletes_what_no_ledger_knows(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await (await bench.reply(place, book)).close(answer("42"))
        await bench.plant(place, "a stray")
        outbound = bench.outbound()
        # As the core does it: not before the stray must be seen.
        await asyncio.sleep(outbound.read_lag)
        await outbound.tidy(place.target, place.since, FakeLedger(book).known)
        assert await bench.text(place) == "42"

    # A platform that fails.

    @pytest.mark.parametrize("fault", FAULTS)
    async def test_a_post_that_fails_ends_as_one_message(self, bench: Workbench, fault: Fault) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        await bench.fail("create", fault)
        await reply.close(answer("Hello, world"))
        assert await bench.text(place) == "Hello, world"
        assert await bench.created(place) == 1
        assert book.posted_ids() == {seen.id for seen in await bench.visible(place)}

    @pytest.mark.parametrize("fault", FAULTS)
    async def test_a_first_draft_that_fails_ends_as_one_message(self, bench: Workbench, fault: Fault) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await bench.fail("create", fault)
        await reply.show(Draft("Hello"))
        await reply.close(answer("Hello, world"))
        assert await bench.text(place) == "Hello, world"
        assert await bench.created(place) == 1

    @pytest.mark.parametrize("fault", FAULTS)
    async def test_the_end_is_shown_though_its_edit_fails(self, bench: Workbench, fault: Fault) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("Hello"))
        await bench.fail("finish", fault, times=2)
        await reply.close(answer("Hello, world"))
        assert await bench.text(place) == "Hello, world"
        assert await bench.created(place) == 1

    @pytest.mark.parametrize("fault", FAULTS)
    async def test_an_open_part_is_settled_though_the_listing_fails(self, bench: Workbench, fault: Fault) -> None:
        place, book = await bench.place(), Book()
        await FakeLedger(book).intend(0)
        planted = await bench.plant(place, "Hello")
        await bench.fail("list", fault)
        reply = await bench.reply(place, book)
        await reply.close(answer("Hello, world"))
        assert await bench.visible(place) == [Seen(planted, "Hello, world")]

    @pytest.mark.parametrize("fault", FAULTS)
    async def test_a_reply_is_taken_back_though_the_deletion_fails(self, bench: Workbench, fault: Fault) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        await reply.show(Draft("Hello"))
        await bench.fail("delete", fault)
        await reply.discard()
        assert await bench.visible(place) == []
        assert book.parts == {}

    async def test_a_rate_limited_post_waits_as_long_as_it_was_asked_to(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await bench.fail("create", "rate_limited")
        early = await bench.too_early()
        await reply.close(answer("42"))
        assert await bench.text(place) == "42"
        assert await bench.too_early() == early

    async def test_drafts_keep_quiet_while_rate_limited_and_the_end_waits(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("He"))
        await bench.fail("grow", "rate_limited")
        early = await bench.too_early()
        await reply.show(Draft("Hello"))
        before = await bench.calls()
        await reply.show(Draft("Hello, wor"))
        assert await bench.calls() == before
        await reply.close(answer("Hello, world"))
        assert await bench.text(place) == "Hello, world"
        assert await bench.too_early() == early

    async def test_what_a_dead_process_had_said_is_corrected_when_it_is_found_late(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        planted = await bench.plant(place, "Something of yesterday")
        await bench.fail("create", "reset")
        await reply.close(answer("Hello, world"))
        assert await bench.visible(place) == [Seen(planted, "Hello, world")]

    @pytest.mark.parametrize("fault", FAULTS)
    async def test_a_draft_that_went_astray_is_made_up_for_by_the_next(self, bench: Workbench, fault: Fault) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("Hello"))
        await bench.fail("grow", fault)
        # Delivery swallows it.
        with suppress(Ambiguous):
            await reply.show(Draft("Hello, wor"))
        # What people see now may be either text. The rate limit must be over for the next one.
        await asyncio.sleep(bench.rate_limit if fault == "rate_limited" else 0)
        await reply.show(Draft("Hello"))
        assert await bench.text(place) == "Hello"

    # Long texts.

    async def test_a_long_text_rolls_over_and_loses_no_character(self, bench: Workbench) -> None:
        place = await bench.place()
        text = long_text(3 * bench.too_long)
        reply = await bench.reply(place, Book())
        await reply.close(answer(text))
        assert await bench.text(place) == text
        assert len(await bench.visible(place)) > 1

    async def test_a_text_without_any_boundary_loses_no_character(self, bench: Workbench) -> None:
        place = await bench.place()
        text = "啊" * (2 * bench.too_long)
        await (await bench.reply(place, Book())).close(answer(text))
        assert await bench.text(place) == text

    async def test_a_growing_text_rolls_over_without_removing_what_was_posted(self, bench: Workbench) -> None:
        place = await bench.place()
        text = long_text(2 * bench.too_long)
        reply = await bench.reply(place, Book())
        steps = [*range(500, len(text), bench.too_long // 3), len(text)]
        for length in steps:
            await reply.show(Draft(text[:length]))
            assert await bench.text(place) == text[:length]
        await reply.close(answer(text))
        messages = await bench.visible(place)
        assert "".join(message.text for message in messages) == text
        assert await bench.created(place) == len(messages)

    async def test_a_long_reply_goes_on_where_it_was_after_a_crash(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        text = long_text(2 * bench.too_long)
        await (await bench.reply(place, book)).show(Draft(text))
        first = await bench.visible(place)
        await (await bench.reply(place, book)).close(answer(text + ", really"))
        assert [seen.id for seen in await bench.visible(place)] == [seen.id for seen in first]
        assert await bench.text(place) == text + ", really"

    async def test_an_open_part_in_the_middle_of_a_long_reply_is_adopted(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        text = long_text(2 * bench.too_long)
        await (await bench.reply(place, book)).show(Draft(text[: bench.too_long // 2]))
        await FakeLedger(book).intend(1)
        planted = await bench.plant(place, "the second part")
        await (await bench.reply(place, book)).close(answer(text))
        messages = await bench.visible(place)
        assert messages[1].id == planted
        assert "".join(message.text for message in messages) == text
        assert all(one.id < other.id for one, other in pairwise(messages))

    async def test_a_shorter_end_removes_the_surplus_parts(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        await reply.show(Draft(long_text(2 * bench.too_long)))
        await reply.close(answer("Never mind"))
        assert [seen.text for seen in await bench.visible(place)] == ["Never mind"]
        assert book.posted_ids() == {seen.id for seen in await bench.visible(place)}

    async def test_an_open_surplus_part_is_removed_by_a_shorter_end(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await (await bench.reply(place, book)).show(Draft("Hello"))
        await FakeLedger(book).intend(1)
        await bench.plant(place, "the second part")
        await (await bench.reply(place, book)).close(answer("Hello, world"))
        assert [seen.text for seen in await bench.visible(place)] == ["Hello, world"]
        assert len(book.parts) == 1

    # The end of a turn that isn't an answer.

    async def test_discard_takes_everything_back(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        await reply.show(Draft(long_text(2 * bench.too_long)))
        await reply.discard()
        assert await bench.visible(place) == []
        assert book.parts == {}

    async def test_discard_after_a_crash_takes_back_what_was_posted_and_not_journaled(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await FakeLedger(book).intend(0)
        await bench.plant(place, "Hello")
        await (await bench.reply(place, book)).discard()
        assert await bench.visible(place) == []
        assert book.parts == {}

    async def test_discard_of_a_reply_that_never_appeared_is_no_error(self, bench: Workbench) -> None:
        place = await bench.place()
        await (await bench.reply(place, Book())).discard()
        assert await bench.created(place) == 0

    @pytest.mark.parametrize("outcome", ["stopped", "refused", "failed"])
    async def test_an_end_that_is_no_answer_is_visible(
        self, bench: Workbench, outcome: Literal["stopped", "refused", "failed"]
    ) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("Half an ans"))
        await reply.close(Final(outcome, "This is how it ended.", "en"))
        assert "This is how it ended." in await bench.text(place)
        assert len(await bench.visible(place)) == 1

    async def test_a_stop_before_any_text_still_shows_a_message(self, bench: Workbench) -> None:
        place = await bench.place()
        await (await bench.reply(place, Book())).close(Final("stopped", "", "en", notes=("Stopped.",)))
        assert "Stopped." in await bench.text(place)

    async def test_notes_and_sources_are_part_of_the_end(self, bench: Workbench) -> None:
        place = await bench.place()
        final = Final(
            "answered", "42", "en", notes=("A note.",), sources=("https://example.org/a", "https://example.org/b")
        )
        await (await bench.reply(place, Book())).close(final)
        text = await bench.text(place)
        assert text.startswith("42")
        assert text.index("A note.") < text.index("example.org/a") < text.index("example.org/b")

    # Whose turn it is.

    @pytest.mark.parametrize("call", ["show", "close", "discard"])
    async def test_a_lost_turn_makes_no_call(self, bench: Workbench, call: str) -> None:
        place, book = await bench.place(), Book()
        ledger = FakeLedger(book, since=place.since)
        reply = await bench.reply(place, book, ledger)
        await reply.show(Draft("Hello"))
        ledger.lost = True
        before = await bench.calls()
        doing = {
            "show": lambda: reply.show(Draft("Hello, world")),
            "close": lambda: reply.close(answer("Hello, world")),
            "discard": reply.discard,
        }
        with pytest.raises(LostTurn):
            await doing[call]()
        assert await bench.calls() == before

    async def test_a_lost_turn_posts_nothing(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        ledger = FakeLedger(book, since=place.since)
        reply = await bench.reply(place, book, ledger)
        ledger.lost = True
        with pytest.raises(LostTurn):
            await reply.close(answer("Hello, world"))
        assert await bench.created(place) == 0

    @pytest.mark.parametrize("checks", range(5))
    @pytest.mark.parametrize("shorter", [True, False])
    async def test_every_call_has_a_check_of_its_own(self, bench: Workbench, checks: int, shorter: bool) -> None:
        text = long_text(2 * bench.too_long)
        place = await bench.place()
        ledger = _LostAfter(Book(), since=place.since)
        reply = await bench.reply(place, Book(), ledger)
        await reply.show(Draft(text))
        before = await bench.calls()
        ledger.checks = checks
        with suppress(LostTurn):
            await reply.close(answer("Never mind" if shorter else f"{text}, at last"))
        assert await bench.calls() - before <= checks

    async def test_a_turn_that_is_lost_while_a_call_fails_is_not_gone_on_with(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        ledger = FakeLedger(book, since=place.since)
        reply = await bench.reply(place, book, ledger)
        await bench.fail("create", "unavailable", times=1000)
        closing = asyncio.create_task(reply.close(answer("Hello, world")))
        before = await bench.calls()
        while await bench.calls() == before:
            await asyncio.wait({closing}, timeout=0.01)
        ledger.lost = True
        with pytest.raises(LostTurn):
            await closing
        assert await bench.created(place) == 0

    # What a model may not do.

    @pytest.mark.parametrize("mention", ["@all", "@everyone", "@here", "<!channel>", "<@U1>"])
    async def test_a_mention_in_a_text_rings_nobody(self, bench: Workbench, mention: str) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft(f"Hello {mention}"))
        await reply.show(Draft(f"Hello {mention}, and {mention}"))
        await reply.close(answer(f"{mention} hello"))
        assert await bench.rang(place) == 0

    async def test_a_sign_of_work_never_raises(self, bench: Workbench) -> None:
        place = await bench.place()
        outbound = bench.outbound()
        await outbound.working(place.target)
        assert await bench.created(place) == 0


class InboundContract:
    """`bot.ports.Inbound`. Subclass it in a test module that has a fixture `bench`."""

    async def test_five_deliveries_are_handed_on_with_equal_ids(self, bench: Workbench) -> None:
        received: list[Event] = []

        async def receive(event: Event) -> Accepted:
            received.append(event)
            return Accepted(1, duplicate=len(received) > 1)

        await bench.listen(receive)
        message_id = await bench.deliver("Hello", times=5)
        await bench.acks(5)
        assert len(received) == 5
        assert {event.message_id for event in received} == {message_id}
        assert len({event.delivery_id for event in received}) == 1

    async def test_a_message_is_parsed(self, bench: Workbench) -> None:
        received: list[Event] = []

        async def receive(event: Event) -> Accepted:
            received.append(event)
            return Accepted(1)

        await bench.listen(receive)
        await bench.deliver("Hello 你好", times=1)
        await bench.acks(1)
        (event,) = received
        assert isinstance(event, Incoming)
        assert event.text == "Hello 你好"
        assert event.addressed
        assert event.sent_at.utcoffset() is not None
        assert event.target.conversation_key.startswith(f"{event.target.platform}:")

    async def test_nothing_is_acked_while_the_store_is_away_and_it_is_delivered_again(self, bench: Workbench) -> None:
        failures = [StoreUnavailable(Text("no disk", "没有磁盘"))]
        received: list[Event] = []

        async def receive(event: Event) -> Accepted:
            if failures:
                raise failures.pop()
            received.append(event)
            return Accepted(1)

        await bench.listen(receive)
        message_id = await bench.deliver("Hello", times=1)
        await bench.no_ack()
        await bench.acks(1)
        assert [event.message_id for event in received] == [message_id]

    async def test_nothing_is_acked_when_the_inbox_breaks(self, bench: Workbench) -> None:
        failures = [RuntimeError("a defect")]

        async def receive(event: Event) -> Accepted:
            if failures:
                raise failures.pop()
            return Accepted(1)

        await bench.listen(receive)
        await bench.deliver("Hello", times=1)
        await bench.no_ack()
        await bench.acks(1)


class _LostAfter(FakeLedger):
    """Is ours for so many checks, then somebody else's. Writes are not counted."""

    #: None: ours for ever.
    checks: int | None = None

    def check(self) -> None:
        if self.checks is not None:
            self.checks -= 1
            self.lost = self.checks < 0
        super().check()

    def _write(self, call: str, position: int, part: Part | None) -> None:
        left, self.checks = self.checks, None
        super()._write(call, position, part)
        self.checks = left

"""What every adapter promises, whatever its platform: `Inbound` and `Outbound` of `bot.ports`.

Subclass the classes in a test module that has a fixture `bench` (`tests.contracts.workbench`). What an adapter has to
do when calls fail or processes die is in `tests.contracts.recovery`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise
from typing import Literal

import pytest

from agent.language import Text
from bot.messages import Accepted, Consent, Draft, Event, Final, Incoming, Part
from bot.ports import LostTurn, StoreUnavailable
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import ASKED, Workbench, answer, long_text, pictured


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

    @pytest.mark.parametrize("before", ["", "I would write to Bob."])
    async def test_a_question_is_asked_and_gone_when_it_is_answered(self, bench: Workbench, before: str) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        await reply.show(Draft(before))
        assert await reply.show(Draft(before, consent=Consent("consent/0/0", "May I?")))
        asked = await bench.text(place)
        assert asked.startswith(before)
        assert "May I?" in asked
        # The turn goes on in another process.
        reply = await bench.reply(place, book)
        await reply.show(Draft("I have"))
        await reply.close(answer("I have written to Bob."))
        assert await bench.text(place) == "I have written to Bob."
        assert await bench.created(place) == 1

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

    # Pictures. Where an adapter has none, its text stands alone.

    async def test_pictures_stand_below_the_end_in_its_message(self, bench: Workbench) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("It is 4"))
        await reply.close(pictured("It is 42."))
        (seen,) = await bench.visible(place)
        assert seen.text.startswith("It is 42.")
        await bench.has_pictures(place, seen.id)
        if bench.shows_pictures:
            assert seen.text == "It is 42."

    async def test_pictures_of_the_end_again_after_a_crash_are_seen_once(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        for _ in range(2):
            await (await bench.reply(place, book)).close(pictured("It is 42."))
        (seen,) = await bench.visible(place)
        await bench.has_pictures(place, seen.id)
        assert await bench.created(place) == 1

    async def test_pictures_that_the_end_has_no_more_are_gone(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await (await bench.reply(place, book)).close(pictured("It is 42."))
        await (await bench.reply(place, book)).close(answer("It is 42."))
        (seen,) = await bench.visible(place)
        assert (seen.text, await bench.pictures(place)) == ("It is 42.", [])

    async def test_pictures_of_a_long_end_are_below_its_last_message(self, bench: Workbench) -> None:
        place = await bench.place()
        await (await bench.reply(place, Book())).close(pictured(long_text(2 * bench.too_long)))
        *_, last = await bench.visible(place)
        await bench.has_pictures(place, last.id)

    # Long texts.

    async def test_a_long_text_rolls_over_and_loses_no_character(self, bench: Workbench) -> None:
        place = await bench.place()
        text = long_text(3 * bench.too_long)
        reply = await bench.reply(place, Book())
        await reply.close(answer(text))
        assert bench.letters(await bench.text(place)) == bench.letters(text)
        assert len(await bench.visible(place)) > 1

    async def test_a_text_without_any_boundary_loses_no_character(self, bench: Workbench) -> None:
        place = await bench.place()
        text = "啊" * (2 * bench.too_long)
        await (await bench.reply(place, Book())).close(answer(text))
        assert bench.letters(await bench.text(place)) == bench.letters(text)

    async def test_a_growing_text_rolls_over_without_removing_what_was_posted(self, bench: Workbench) -> None:
        place = await bench.place()
        text = long_text(2 * bench.too_long)
        reply = await bench.reply(place, Book())
        steps = [*range(500, len(text), bench.too_long // 3), len(text)]
        for length in steps:
            await reply.show(Draft(text[:length]))
            assert bench.letters(await bench.text(place)) == bench.letters(text[:length])
        await reply.close(answer(text))
        messages = await bench.visible(place)
        assert bench.letters("".join(message.text for message in messages)) == bench.letters(text)
        assert await bench.created(place) == len(messages)

    async def test_a_long_reply_goes_on_where_it_was_after_a_crash(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        text = long_text(2 * bench.too_long)
        await (await bench.reply(place, book)).show(Draft(text))
        first = await bench.visible(place)
        await (await bench.reply(place, book)).close(answer(text + ", really"))
        assert [seen.id for seen in await bench.visible(place)] == [seen.id for seen in first]
        assert bench.letters(await bench.text(place)) == bench.letters(text + ", really")

    async def test_an_open_part_in_the_middle_of_a_long_reply_is_adopted(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        text = long_text(2 * bench.too_long)
        await (await bench.reply(place, book)).show(Draft(text[: bench.too_long // 2]))
        await FakeLedger(book).intend(1)
        planted = await bench.plant(place, "the second part")
        await (await bench.reply(place, book)).close(answer(text))
        messages = await bench.visible(place)
        assert messages[1].id == planted
        assert bench.letters("".join(message.text for message in messages)) == bench.letters(text)
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
        # A sign that has to be repeated goes on until the reply, or until the turn is over.
        sign = asyncio.create_task(outbound.working(place.target, ASKED))
        await asyncio.wait({sign}, timeout=0.3)
        sign.cancel()
        await asyncio.wait({sign})
        assert sign.cancelled() or sign.exception() is None
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
        assert event.address.direct or event.address.mentions_us
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

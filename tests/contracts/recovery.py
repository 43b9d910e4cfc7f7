"""What every adapter promises when calls fail and processes die: each part of a reply exists once and says the right
thing.

Subclass the class in a test module that has a fixture `bench` (`tests.contracts.workbench`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from bot.messages import Draft
from bot.posting import Ambiguous, RetryLater
from tests.contracts.ledger import Book, FakeLedger
from tests.contracts.workbench import FAULTS, Fault, Seen, Workbench, answer, pictured


class RecoveryContract:
    """`bot.ports.Outbound` on a platform that fails, after processes that died."""

    # Recovery of an open part.

    async def test_posted_but_not_journaled_is_adopted(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await FakeLedger(book).intend(0)
        planted = await bench.plant(place, "Hello, wor")
        reply = await bench.reply(place, book)
        await reply.close(answer("Hello, world"))
        assert await bench.visible(place) == [Seen(planted, "Hello, world")]
        assert book.posted_ids() == {planted}

    async def test_what_is_adopted_gets_the_pictures_of_the_end(self, bench: Workbench) -> None:
        place, book = await bench.place(), Book()
        await FakeLedger(book).intend(0)
        planted = await bench.plant(place, "Hello, wor")
        await (await bench.reply(place, book)).close(pictured("Hello, world"))
        await bench.has_pictures(place, planted)
        assert await bench.created(place) == 1

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

    @pytest.mark.parametrize("fault", ["reset", "done_reset"])
    async def test_an_end_with_pictures_that_fails_ends_as_one_message(self, bench: Workbench, fault: Fault) -> None:
        place, book = await bench.place(), Book()
        reply = await bench.reply(place, book)
        await bench.fail("create", fault)
        await reply.close(pictured("Hello, world"))
        (seen,) = await bench.visible(place)
        assert seen.text.startswith("Hello, world")
        await bench.has_pictures(place, seen.id)
        assert await bench.created(place) == 1

    @pytest.mark.parametrize("fault", ["unavailable", "done_reset"])
    async def test_pictures_are_seen_once_though_the_edit_that_brings_them_fails(
        self, bench: Workbench, fault: Fault
    ) -> None:
        place = await bench.place()
        reply = await bench.reply(place, Book())
        await reply.show(Draft("Hello"))
        await bench.fail("finish", fault)
        await reply.close(pictured("Hello, world"))
        (seen,) = await bench.visible(place)
        await bench.has_pictures(place, seen.id)

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
        with suppress(RetryLater):
            await reply.show(Draft("Hello"))
        assert await bench.text(place) == "Hello"

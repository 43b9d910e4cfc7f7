"""The messages of one reply that are posted and edited, in a channel in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from adapters.chat.pacing import Bucket, Shares, Turns
from adapters.chat.parts import PRIVATE, Messages
from bot.posting import Ambiguous, Own, Patience, Poster, Refused, RetryLater
from tests.contracts.ledger import Book, FakeLedger

START = datetime(2026, 11, 1, tzinfo=UTC)


class Passing:
    """A clock that goes on by itself when somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds
        await asyncio.sleep(0)


class Room:
    """A channel. `trouble` is raised by the next calls, before or after they have done their work."""

    def __init__(self, clock: Passing) -> None:
        self.clock = clock
        self.messages: dict[str, str] = {}
        self.calls: list[str] = []
        #: Those that do nothing, and those that do what was asked.
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.made = 0

    async def post(self, look: str, position: int, *, urgent: bool) -> str:
        self.calls.append(f"post {look}{' urgently' if urgent else ''}")
        self._trouble(self.before)
        self.made += 1
        self.messages[f"m{self.made}"] = look
        self._trouble(self.after)
        return f"m{self.made}"

    async def edit(self, external_id: str, look: str, position: int, *, urgent: bool) -> None:
        self.calls.append(f"edit {look}{' urgently' if urgent else ''}")
        self._trouble(self.before)
        if external_id not in self.messages:
            raise Refused("gone")
        self.messages[external_id] = look
        self._trouble(self.after)

    async def whisper(self) -> str:
        self.calls.append("whisper")
        return f"{PRIVATE}1"

    async def delete(self, external_id: str) -> None:
        self.calls.append(f"delete {external_id}")
        self.messages.pop(external_id, None)

    async def list_own(self, since: datetime) -> list[Own]:
        return [Own(external_id, START) for external_id in self.messages]

    @property
    def shown(self) -> list[str]:
        return list(self.messages.values())

    @staticmethod
    def _trouble(planned: list[Exception]) -> None:
        if planned:
            raise planned.pop(0)


class Reply:
    """An attempt at a reply. With the book of another one it is the next attempt."""

    def __init__(self, room: Room | None = None, book: Book | None = None) -> None:
        clock = room.clock if room is not None else Passing()
        self.room, self.book = room or Room(clock), book or Book()
        ledger = FakeLedger(self.book, clock=clock)
        patience = Patience(tries=3, first=0.1)
        poster = Poster(ledger, self.room.list_own, self.room.delete, read_lag=1.0, clock=clock, patience=patience)
        self.messages: Messages[str] = Messages(self.room, ledger, poster, lost=("gone", "too_old"))
        #: Calls that may be made without waiting.
        self.posts = self.edits = 9.0
        shares = Shares(clock.monotonic)
        self.turns = Turns(shares, self, lambda: self.posts, lambda: Bucket("edits", self.edits, 1.0))

    async def show(self, look: str, position: int = 0) -> bool:
        return await self.messages.show(self.turns, position, look)


async def test_a_draft_is_posted_and_then_edited() -> None:
    reply = Reply()
    assert [await reply.show(look) for look in ("a", "ab")] == [True, True]
    assert reply.room.calls == ["post a", "edit ab"]


async def test_what_is_shown_already_costs_no_call() -> None:
    reply = Reply()
    await reply.show("a")
    assert await reply.show("a")
    await reply.messages.settle_all(["a"])
    assert reply.room.calls == ["post a"]


async def test_a_draft_is_not_begun_where_nothing_is_left_for_it() -> None:
    reply = Reply()
    reply.posts = 0.0
    assert not reply.messages.may_change(reply.turns)
    assert not await reply.show("a")
    reply.posts, reply.edits = 1.0, 0.0
    assert not await reply.show("a")
    assert reply.room.calls == []


async def test_a_draft_waits_for_its_turn_but_the_end_does_not() -> None:
    reply = Reply()
    await reply.show("a")
    reply.edits = 0.0
    assert not reply.messages.may_change(reply.turns)
    assert not await reply.show("ab")
    await reply.messages.settle_all(["abc"])
    assert reply.room.calls == ["post a", "edit abc urgently"]


async def test_the_end_takes_back_what_is_too_much() -> None:
    reply = Reply()
    await reply.show("a")
    await reply.show("b", 1)
    await reply.messages.settle_all(["a"])
    assert reply.room.shown == ["a"]


async def test_a_draft_that_comes_too_often_is_left_to_the_next_one() -> None:
    reply = Reply()
    await reply.show("a")
    reply.room.before = [RetryLater(5.0)]
    assert not await reply.show("ab")
    assert reply.room.shown == ["a"]
    # Nothing was changed by it, so there is nothing to do for the old look.
    assert await reply.show("a")
    reply.room.clock.passed += 5.0
    assert await reply.show("abc")
    assert reply.room.shown == ["abc"]


async def test_the_end_is_repeated_until_it_is_known_to_be_shown() -> None:
    reply = Reply()
    await reply.show("a")
    reply.room.before, reply.room.after = [RetryLater(5.0)], [Ambiguous()]
    await reply.messages.settle_all(["ab"])
    assert reply.room.calls == ["post a", *["edit ab urgently"] * 3]


async def test_after_an_unknown_outcome_the_old_look_is_not_taken_for_shown() -> None:
    reply = Reply()
    await reply.show("a")
    reply.room.after = [Ambiguous()]
    with pytest.raises(Ambiguous):
        await reply.show("ab")
    await reply.messages.settle_all(["a"])
    assert reply.room.shown == ["a"]


@pytest.mark.parametrize("code", ["gone", "too_old"])
async def test_drafts_leave_a_lost_message_and_the_end_replaces_it_and_all_behind_it(code: str) -> None:
    reply = Reply()
    await reply.show("a")
    await reply.show("b", 1)
    reply.room.before = [Refused(code)]
    assert await reply.show("aa")
    assert await reply.show("aaa")
    assert reply.room.calls == ["post a", "post b", "edit aa"]
    reply.room.before = [Refused(code)]
    await reply.messages.settle_all(["A", "b"])
    # In the same order as before, by their ids.
    assert reply.room.messages == {"m3": "A", "m4": "b"}


async def test_another_refusal_is_passed_on() -> None:
    reply = Reply()
    await reply.show("a")
    reply.room.before = [Refused("no_permission")]
    with pytest.raises(Refused):
        await reply.show("ab")
    reply.room.before = [Refused("no_permission")]
    with pytest.raises(Refused):
        await reply.messages.settle_all(["ab"])


async def test_a_message_of_an_earlier_attempt_is_edited_whatever_it_shows() -> None:
    first = Reply()
    await first.show("a")
    again = Reply(first.room, first.book)
    await again.messages.settle_all(["a"])
    assert again.room.calls == ["post a", "edit a urgently"]


async def test_a_message_whose_id_is_unknown_is_found_and_made_to_look_right() -> None:
    reply = Reply()
    reply.room.after = [Ambiguous()]
    await reply.messages.settle_all(["a"])
    assert reply.room.calls == ["post a urgently", "edit a urgently"]
    assert reply.room.shown == ["a"]


async def test_a_whisper_is_told_once_and_replaces_what_all_have_seen() -> None:
    reply = Reply()
    await reply.show("a")
    await reply.messages.whisper_all([reply.room.whisper])
    assert reply.room.shown == []
    again = Reply(reply.room, reply.book)
    await again.messages.whisper_all([reply.room.whisper])
    assert reply.room.calls == ["post a", "delete m1", "whisper"]


async def test_who_has_left_takes_no_share_of_the_edits() -> None:
    reply, clock = Reply(), Passing()
    shares = Shares(clock.monotonic)
    left = 1.0
    turns = [Turns(shares, one, lambda: 1.0, lambda: Bucket("edits", left, 2.0)) for one in (reply, Reply())]
    for one in turns:
        one.begins()
    clock.passed = 3.0
    # Two share what fills in two seconds.
    assert not turns[0].is_due()
    turns[1].leaves()
    assert turns[0].takes_turn()

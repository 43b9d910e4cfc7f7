"""The reply on the page: pictures at once, rows now and then."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.web.outbound import SAVE_EVERY, WebOutbound, WebReply
from agent.language import Text
from bot.live import Live, Picture, Watch
from bot.messages import Asked, Author, Consent, Draft, Final, ReplyFile, StepView, Target
from bot.ports import LostTurn, StoreUnavailable

START = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = Target("web", "", "c", None, "web:c")
ASKED = Asked(Author("web"), "m1", "en")
FINAL = Final("answered", "done", "en", images=(ReplyFile("chart.png", "image/png", b"png"),))


class Time:
    """A clock that stands still until it is moved; sleepers wake when it passes them."""

    def __init__(self) -> None:
        self.at = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.at + seconds, woken))
        await woken.wait()

    async def pass_(self, seconds: float) -> None:
        # Whoever is about to sleep does so first.
        await turn_the_loop()
        self.at += seconds
        for until, woken in self._sleepers:
            if until <= self.at:
                woken.set()
        await turn_the_loop()


async def turn_the_loop() -> None:
    """Let every task run as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Book:
    """A ledger that keeps the drafts that were saved."""

    turn_id = 7
    conversation_id = 3
    since = START
    nonce = "t7"
    parts = ()

    def __init__(self) -> None:
        self.saved: list[tuple[str, int]] = []
        self.bodies: list[Any] = []
        self.lost = False
        self.away = False
        #: Set to let saving go on.
        self.open = asyncio.Event()
        self.open.set()

    def check(self) -> None:
        if self.lost:
            raise LostTurn("lost")

    async def save_draft(self, body: Any, version: int) -> None:
        await self.open.wait()
        if self.lost:
            raise LostTurn("lost")
        if self.away:
            raise StoreUnavailable(Text("Away.", "不在。"))
        self.bodies.append(body)
        self.saved.append((body["text"], version))


async def begin(book: Book, time: Time, live: Live | None = None) -> WebReply:
    return await WebOutbound(live or Live(), time).open(TARGET, book, ASKED)  # type: ignore[arg-type]


async def pictures(watch: Watch) -> list[Picture]:
    return await watch.get(5.0)


async def test_a_draft_is_shown_to_watchers_at_once() -> None:
    live, book, time = Live(), Book(), Time()
    reply = await begin(book, time, live)
    book.open.clear()
    with live.watch(3) as watch:
        showing = asyncio.create_task(reply.show(Draft("half")))
        assert [p.draft for p in await pictures(watch)] == [Draft("half")]
        book.open.set()
        await showing


async def test_the_first_draft_is_saved_at_once_and_the_next_ones_at_intervals() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    for text in ("a", "ab", "abc"):
        await reply.show(Draft(text))
    assert [text for text, _ in book.saved] == ["a"]
    await time.pass_(SAVE_EVERY)
    assert [text for text, _ in book.saved] == ["a", "abc"]


async def test_the_last_words_before_a_pause_are_saved_without_another_draft() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    await time.pass_(SAVE_EVERY / 2)
    await reply.show(Draft("ab"))
    await time.pass_(SAVE_EVERY / 2)
    assert [text for text, _ in book.saved] == ["a", "ab"]


async def test_a_change_of_steps_is_saved_at_once() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft())
    await reply.show(Draft(steps=(StepView("act/0/0", "time_delta", {"a": 1}),)))
    await reply.show(Draft(steps=(StepView("act/0/0", "time_delta", {"a": 1}, "done", "**3**"),)))
    assert [[step["state"] for step in body["steps"]] for body in book.bodies] == [[], ["running"], ["done"]]


async def test_a_question_is_saved_at_once() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    await reply.show(Draft("a", consent=Consent("consent/0/0", "May I?")))
    assert book.bodies[-1]["consent"] == {"key": "consent/0/0", "question": "May I?"}


async def test_a_draft_that_cant_be_saved_does_not_end_the_turn() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    book.away = True
    assert not await reply.show(Draft("a", status="working"))
    book.away = False
    await time.pass_(SAVE_EVERY)
    assert await reply.show(Draft("ab", status="working"))
    assert [text for text, _ in book.saved] == ["ab"]


async def test_a_question_that_cant_be_saved_counts_as_not_shown() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    book.away = True
    question = Draft("a", consent=Consent("consent/0/0", "May I?"))
    assert not await reply.show(question)
    book.away = False
    assert await reply.show(question)
    assert book.bodies[-1]["consent"] is not None


async def test_versions_grow_within_a_moment() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    await reply.show(Draft("b", consent=Consent("x", "x")))
    assert book.saved[0][1] < book.saved[1][1]


async def test_versions_grow_over_a_restart() -> None:
    book, time = Book(), Time()
    first = await begin(book, time)
    for number in range(50):
        await first.show(Draft(f"{number}", consent=Consent(f"{number}", "May I?")))
    await time.pass_(1.0)
    second = await begin(book, time)
    await second.show(Draft("again"))
    versions = [version for _, version in book.saved]
    assert versions == sorted(set(versions))


async def test_a_question_of_long_ago_does_not_overflow_the_version() -> None:
    book, time = Book(), Time()
    time.at = 20 * 365 * 86_400.0
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    assert book.saved[0][1] < 2**31 - 1_000_000


async def test_a_lost_turn_ends_the_reply_before_anything_is_shown() -> None:
    live, book, time = Live(), Book(), Time()
    reply = await begin(book, time, live)
    book.lost = True
    with live.watch(3) as watch:
        with pytest.raises(LostTurn):
            await reply.show(Draft("a"))
        assert await watch.get(0.0) == []


async def test_a_turn_that_is_found_lost_in_the_background_ends_the_next_draft() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    await reply.show(Draft("ab"))
    book.lost = True
    await time.pass_(SAVE_EVERY)
    book.lost = False
    with pytest.raises(LostTurn):
        await reply.show(Draft("abc"))


async def test_nothing_is_saved_after_the_end() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    await reply.show(Draft("ab"))
    await reply.close(FINAL)
    await time.pass_(SAVE_EVERY)
    assert [text for text, _ in book.saved] == ["a"]


async def test_the_end_waits_for_a_draft_that_is_being_saved() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    await reply.show(Draft("ab"))
    book.open.clear()
    await time.pass_(SAVE_EVERY)
    closing = asyncio.create_task(reply.close(FINAL))
    await turn_the_loop()
    assert not closing.done()
    book.open.set()
    await closing


async def test_taking_back_saves_nothing_more() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a"))
    await reply.show(Draft("ab"))
    await reply.discard()
    await time.pass_(SAVE_EVERY)
    assert [text for text, _ in book.saved] == ["a"]


async def test_half_a_character_is_replaced_and_two_halves_are_joined() -> None:
    book, time = Book(), Time()
    reply = await begin(book, time)
    await reply.show(Draft("a\ud83d"))
    await reply.show(Draft("a\ud83d\ude00", consent=Consent("x", "x")))
    assert [text for text, _ in book.saved] == ["a\ufffd", "a\U0001f600"]

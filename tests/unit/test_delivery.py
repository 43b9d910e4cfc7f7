"""When a reply changes: drafts are paced and coalesced, what failed is tried again, the end overtakes everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from agent.clock import SystemClock
from bot.delivery import Delivery, Undeliverable, insist
from bot.messages import Draft, Final
from bot.ports import LostTurn, Pace
from bot.posting import Ambiguous, Refused, RetryLater


class Napping:
    """A clock that moves in sleeps only, and at once."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds
        await asyncio.sleep(0)


class Screen:
    """A reply that notes what it is told; `answers` says what becomes of each draft (an exception is raised)."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.shown: list[str] = []
        self.closed: list[Final] = []
        self.refuses_end: Exception | None = None
        self.seen = asyncio.Semaphore(0)

    async def show(self, draft: Draft) -> bool:
        self.shown.append(draft.text)
        self.seen.release()
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self, final: Final) -> None:
        if self.refuses_end is not None:
            raise self.refuses_end
        self.closed.append(final)

    async def discard(self) -> None:
        self.shown.clear()


def delivery(screen: Screen, *, first: float = 0.0, lost: Callable[[BaseException], None] | None = None) -> Delivery:
    return Delivery(screen, Pace(first, 0.001), SystemClock(), lost or (lambda error: None))


END = Final("answered", "end", "en")


@pytest.mark.parametrize("trouble", [False, ConnectionError("reset")])
async def test_a_draft_that_was_not_shown_is_shown_later_without_a_newer_one(trouble: bool | Exception) -> None:
    screen = Screen(trouble, trouble)
    deliver = delivery(screen)
    deliver.show(lambda: Draft("half"))
    async with asyncio.timeout(10):
        for _ in range(3):
            await screen.seen.acquire()
    await deliver.close(END)
    assert screen.shown == ["half", "half", "half"]


async def test_a_draft_that_has_to_wait_is_shown_when_its_time_has_come_however_often_it_had_to() -> None:
    clock = Napping()
    screen = Screen(*[RetryLater(0.5)] * 6)
    deliver = Delivery(screen, Pace(0, 2.5), clock, lambda error: None)
    deliver.show(lambda: Draft("half"))
    for _ in range(7):
        await screen.seen.acquire()
    # Six times half a second, and what it sleeps after the one that was shown.
    assert clock.passed in (3.0, 5.5)
    await deliver.close(END)


async def test_drafts_that_come_faster_than_the_pace_are_coalesced() -> None:
    screen = Screen()
    deliver = delivery(screen)
    for number in range(50):
        deliver.show(lambda number=number: Draft(str(number)))  # type: ignore[misc]
    await screen.seen.acquire()
    await deliver.close(END)
    assert screen.shown == ["49"]


async def test_an_end_before_the_first_draft_is_the_only_call() -> None:
    screen = Screen()
    deliver = delivery(screen, first=3600.0)
    deliver.show(lambda: Draft("half"))
    await deliver.close(END)
    assert screen.shown == []
    assert screen.closed == [END]


async def test_a_lost_turn_ends_the_drafts_and_is_told() -> None:
    told: list[BaseException] = []
    screen = Screen(LostTurn("taken over"))
    deliver = delivery(screen, lost=told.append)
    deliver.show(lambda: Draft("half"))
    await screen.seen.acquire()
    await deliver.abandon()
    assert [type(error) for error in told] == [LostTurn]
    assert screen.shown == ["half"]


async def test_an_end_that_the_platform_refuses_for_good_is_undeliverable() -> None:
    screen = Screen()
    screen.refuses_end = Refused("channel_is_archived")
    with pytest.raises(Undeliverable, match="archived"):
        await delivery(screen).close(END)


async def test_a_question_for_consent_is_shown_even_when_the_platform_wants_quiet_at_first() -> None:
    screen = Screen(False)
    await delivery(screen).pause(Draft("may I?"))
    assert screen.shown == ["may I?", "may I?"]


async def test_a_call_is_not_repeated_before_the_time_that_the_platform_asked_for() -> None:
    clock = Napping()
    made: list[float] = []

    async def call() -> str:
        made.append(clock.passed)
        if len(made) < 3:
            raise RetryLater(60.0)
        return "done"

    assert await insist(call, clock) == "done"
    assert made == [0.0, 60.0, 120.0]


async def test_a_platform_that_is_away_is_given_up_after_ten_minutes() -> None:
    clock = Napping()

    async def call() -> None:
        raise Ambiguous("timed out")

    with pytest.raises(Undeliverable, match="timed out"):
        await insist(call, clock)
    assert 600 <= clock.passed < 660


@pytest.mark.parametrize(("trouble", "traced"), [(KeyError("bug"), True), (Ambiguous("reset"), False)])
async def test_a_defect_of_an_adapter_is_logged_with_its_place(
    trouble: Exception, traced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    screen = Screen(trouble)
    deliver = delivery(screen)
    deliver.show(lambda: Draft("half"))
    await screen.seen.acquire()
    screen.refuses_end = trouble
    with pytest.raises(Undeliverable):
        await Delivery(screen, Pace(0.0, 0.0), Napping(), lambda error: None).close(END)
    screen.refuses_end = None
    await deliver.close(END)
    assert {bool(record.exc_info) for record in caplog.records} == {traced}


async def test_a_call_that_hangs_is_left_when_the_turn_leaves_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery._PARTING", 0.05)
    started, left = asyncio.Event(), asyncio.Event()

    class Hangs(Screen):
        async def show(self, draft: Draft) -> bool:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                left.set()
            return True

    deliver = delivery(Hangs())
    deliver.show(lambda: Draft("half"))
    await started.wait()
    ending = asyncio.create_task(deliver.close(END))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    assert not left.is_set()
    await deliver.abandon()
    assert left.is_set()

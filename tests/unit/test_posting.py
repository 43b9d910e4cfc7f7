"""`bot.posting` against a wire in memory whose clock moves only when somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language import Text
from bot.messages import Part
from bot.ports import LostTurn, StoreUnavailable
from bot.posting import Ambiguous, Own, Patience, Poster, Refused, RetryLater, open_part, tidy
from tests.contracts.ledger import Book, FakeLedger

LAG = 2.0
START = datetime(2026, 11, 1, tzinfo=UTC)


class FakeClock:
    """Time that passes in sleeps only."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.passed += seconds
        await asyncio.sleep(0)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Wire:
    """A platform whose reads, of creations and of deletions, lag by exactly `LAG`."""

    clock: FakeClock
    #: Id → (when created, when deleted).
    messages: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    #: What the next sends do; `done` when it is used up.
    plan: list[str] = field(default_factory=list)
    #: Everything that was called.
    calls: list[str] = field(default_factory=list)
    #: So many listings get no answer.
    deaf: int = 0

    async def send(self) -> str:
        how = self.plan.pop(0) if self.plan else "done"
        self.calls.append(f"send {how}")
        if how == "rate_limited":
            raise RetryLater(5.0)
        if how == "refused":
            raise Refused("no_permission")
        if how == "reset":
            raise Ambiguous
        if how == "killed_before":
            raise Killed
        if how == "slow":
            self.clock.passed += 10.0
        created = self.create({"late": 3.0, "a_bit_late": 1.0}.get(how, 0.0))
        if how in ("lost_answer", "slow", "late", "a_bit_late"):
            raise Ambiguous
        if how == "killed_after":
            raise Killed
        return created

    def create(self, after: float = 0.0) -> str:
        """A message of ours that appears `after` so many seconds."""
        message_id = f"m{len(self.messages)}"
        self.messages[message_id] = (self.clock.passed + after, None)
        return message_id

    async def list_own(self, since: datetime) -> Sequence[Own]:
        self.calls.append("list")
        if self.deaf > 0:
            self.deaf -= 1
            raise Ambiguous
        then = self.clock.passed - LAG
        return [
            Own(message_id, START + timedelta(seconds=created))
            for message_id, (created, deleted) in self.messages.items()
            if created <= then and (deleted is None or deleted > then) and START + timedelta(seconds=created) >= since
        ]

    async def delete(self, message_id: str) -> None:
        self.calls.append(f"delete {message_id}")
        created, deleted = self.messages[message_id]
        self.messages[message_id] = (created, self.clock.passed if deleted is None else deleted)

    def visible(self) -> list[str]:
        return [message_id for message_id, (_, deleted) in self.messages.items() if deleted is None]


@dataclass
class Setup:
    clock: FakeClock
    wire: Wire
    book: Book
    ledger: FakeLedger

    def poster(self, patience: Patience | None = None) -> Poster:
        return Poster(
            self.ledger, self.wire.list_own, self.wire.delete, read_lag=LAG, clock=self.clock, patience=patience
        )

    def restarted(self) -> Setup:
        """The next process's view of the same turn."""
        return Setup(self.clock, self.wire, self.book, FakeLedger(self.book, since=START, clock=self.clock))


@pytest.fixture
def setup() -> Setup:
    clock = FakeClock()
    book = Book()
    return Setup(clock, Wire(clock), book, FakeLedger(book, since=START, clock=clock))


async def test_a_post_is_intended_then_sent_then_noted(setup: Setup) -> None:
    assert await setup.poster().create(0, setup.wire.send) == "m0"
    assert setup.ledger.calls == ["intend 0", "posted 0"]
    assert setup.wire.calls == ["send done"]


async def test_a_call_without_an_answer_is_looked_for_and_adopted(setup: Setup) -> None:
    setup.wire.plan = ["lost_answer"]
    assert await setup.poster().create(0, setup.wire.send) == "m0"
    assert setup.wire.calls == ["send lost_answer", "list"]
    assert setup.book.posted_ids() == {"m0"}


async def test_the_look_waits_from_the_end_of_a_slow_call_on(setup: Setup) -> None:
    setup.wire.plan = ["slow"]
    assert await setup.poster().create(0, setup.wire.send) == "m0"
    assert setup.clock.passed == 10.0 + LAG


async def test_the_message_of_another_open_part_is_not_taken_for_this_one(setup: Setup) -> None:
    await setup.ledger.intend(1)
    setup.wire.create()
    assert await setup.restarted().poster().create(0, setup.wire.send) == "m1"
    assert [part.external_id for part in setup.ledger.parts] == ["m1", "m0"]


async def test_a_call_that_did_nothing_is_made_again(setup: Setup) -> None:
    setup.wire.plan = ["reset"]
    assert await setup.poster().create(0, setup.wire.send) == "m0"
    assert setup.wire.calls == ["send reset", "list", "send done"]


async def test_each_call_is_intended_anew_so_that_recovery_counts_from_the_last_one(setup: Setup) -> None:
    setup.wire.plan = ["reset", "rate_limited", "killed_after"]
    with pytest.raises(Killed):
        await setup.poster().create(0, setup.wire.send)
    assert setup.ledger.calls == ["intend 0"] * 3
    assert setup.book.parts[1, 0].intended_at == setup.clock.now()


async def test_a_rate_limit_is_waited_out_without_looking(setup: Setup) -> None:
    setup.wire.plan = ["rate_limited"]
    await setup.poster().create(0, setup.wire.send)
    assert setup.wire.calls == ["send rate_limited", "send done"]
    assert setup.clock.passed == 5.0


async def test_a_refusal_leaves_no_part(setup: Setup) -> None:
    setup.wire.plan = ["refused"]
    with pytest.raises(Refused) as refused:
        await setup.poster().create(0, setup.wire.send)
    assert refused.value.code == "no_permission"
    assert setup.book.parts == {}


async def test_a_rate_limit_without_end_is_passed_on_and_leaves_no_part(setup: Setup) -> None:
    setup.wire.plan = ["rate_limited"] * 100
    with pytest.raises(RetryLater):
        await setup.poster(Patience(rate_limited=12.0)).create(0, setup.wire.send)
    assert setup.wire.calls == ["send rate_limited"] * 3
    assert setup.book.parts == {}


async def test_a_platform_that_never_answers_is_given_up_with_the_part_open(setup: Setup) -> None:
    setup.wire.plan = ["reset"] * 100
    with pytest.raises(Ambiguous):
        await setup.poster(Patience(tries=3)).create(0, setup.wire.send)
    assert setup.wire.calls.count("send reset") == 3
    assert open_part(setup.ledger) is not None


async def test_recovery_waits_for_the_rest_of_the_read_lag(setup: Setup) -> None:
    await setup.ledger.intend(0)
    setup.wire.create()
    setup.clock.passed = 0.5
    assert await setup.restarted().poster().resolve_open() == "m0"
    assert setup.clock.passed == LAG


async def test_recovery_of_an_old_intent_does_not_wait(setup: Setup) -> None:
    await setup.ledger.intend(0)
    setup.clock.passed = 100.0
    assert await setup.restarted().poster().resolve_open() is None
    assert setup.clock.passed == 100.0


async def test_recovery_waits_for_the_read_lag_at_most_whatever_another_clock_said(setup: Setup) -> None:
    setup.book.parts[1, 0] = Part(0, None, START + timedelta(hours=1))
    await setup.poster().resolve_open()
    assert setup.clock.passed == LAG


async def test_an_unfounded_doubt_is_settled_once(setup: Setup) -> None:
    await setup.ledger.intend(0)
    poster = setup.restarted().poster()
    await poster.resolve_open()
    await poster.resolve_open()
    assert setup.wire.calls == ["list"]


async def test_the_newest_stray_is_adopted_and_the_others_deleted(setup: Setup) -> None:
    await setup.ledger.intend(0)
    for second in range(3):
        setup.clock.passed = float(second)
        setup.wire.create()
    setup.clock.passed = 10.0
    assert await setup.restarted().poster().resolve_open() == "m2"
    assert setup.wire.visible() == ["m2"]


async def test_messages_before_the_turn_and_in_ledgers_are_not_ours_to_touch(setup: Setup) -> None:
    older = setup.wire.create(-5.0)
    setup.book.parts[2, 0] = Part(0, setup.wire.create(), START)
    await setup.ledger.intend(0)
    assert await setup.restarted().poster().resolve_open() is None
    assert setup.wire.visible() == [older, "m1"]


async def test_a_message_that_appears_after_the_look_is_deleted_at_the_end(setup: Setup) -> None:
    setup.wire.plan = ["late"]
    poster = setup.poster(Patience(first=4.0))
    assert await poster.create(0, setup.wire.send) == "m1"
    assert setup.wire.visible() == ["m0", "m1"]
    await poster.settle()
    assert setup.wire.visible() == ["m1"]


async def test_settling_waits_until_what_was_created_before_the_second_call_must_be_seen(setup: Setup) -> None:
    setup.wire.plan = ["a_bit_late"]
    poster = setup.poster()
    await poster.create(0, setup.wire.send)
    await poster.settle()
    assert setup.wire.visible() == ["m1"]


async def test_a_call_that_only_a_later_one_gives_up_is_settled_too(setup: Setup) -> None:
    """The platform couldn't even be listed at first; then nothing can be seen, and it is there after all."""
    setup.wire.plan = ["reset"]
    poster = setup.poster(Patience(tries=1))
    setup.wire.deaf = 1
    with pytest.raises(Ambiguous):
        await poster.create(0, setup.wire.send)
    assert setup.ledger.given_up == 0
    setup.wire.create(-1.0)
    assert await poster.create(0, setup.wire.send) == "m1"
    assert setup.ledger.given_up == 1
    await poster.settle()
    assert setup.wire.visible() == ["m1"]


async def test_settling_costs_nothing_when_nothing_was_given_up(setup: Setup) -> None:
    setup.wire.plan = ["lost_answer"]
    poster = setup.poster()
    await poster.create(0, setup.wire.send)
    calls = list(setup.wire.calls)
    await poster.settle()
    assert setup.wire.calls == calls


async def test_a_cancelled_post_is_found_by_the_next_one(setup: Setup) -> None:
    sent = asyncio.Event()

    async def hang() -> str:
        setup.wire.create()
        sent.set()
        await asyncio.Event().wait()
        raise AssertionError

    poster = setup.poster()
    posting = asyncio.create_task(poster.create(0, hang))
    await sent.wait()
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    assert await poster.create(0, setup.wire.send) == "m0"
    assert setup.wire.visible() == ["m0"]


async def test_a_post_cancelled_while_it_waits_for_a_rate_limit_leaves_no_doubt(setup: Setup) -> None:
    limited = asyncio.Event()

    async def send() -> str:
        limited.set()
        raise RetryLater(5.0)

    poster = setup.poster(Patience(rate_limited=float("inf")))
    posting = asyncio.create_task(poster.create(0, send))
    await limited.wait()
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    assert await poster.create(0, setup.wire.send) == "m0"
    assert "list" not in setup.wire.calls


async def test_a_post_whose_id_could_not_be_written_is_found_again(setup: Setup) -> None:
    posted = setup.ledger.posted

    async def away(position: int, external_id: str) -> None:
        setup.ledger.posted = posted  # type: ignore[method-assign]
        raise StoreUnavailable(Text("no disk", "没有磁盘"))

    setup.ledger.posted = away  # type: ignore[method-assign]
    poster = setup.poster()
    with pytest.raises(StoreUnavailable):
        await poster.create(0, setup.wire.send)
    assert await poster.create(0, setup.wire.send) == "m0"
    assert setup.wire.visible() == ["m0"]


async def test_a_message_just_deleted_is_not_adopted_although_it_is_still_listed(setup: Setup) -> None:
    poster = setup.poster()
    await poster.create(0, setup.wire.send)
    setup.clock.passed += 10.0
    await poster.delete("m0")
    await setup.ledger.removed(0)
    setup.wire.plan = ["reset"]
    # Cut the wait short, as a deletion that takes longer to spread than a message does.
    setup.wire.messages["m0"] = (0.0, setup.clock.passed + LAG)
    assert await poster.create(0, setup.wire.send) == "m1"


@pytest.mark.parametrize("how", ["rate_limited", "reset", "lost_answer"])
async def test_a_lost_turn_sends_and_looks_no_more(setup: Setup, how: str) -> None:
    setup.wire.plan = [how]

    async def send() -> str:
        setup.ledger.lost = True
        return await setup.wire.send()

    with pytest.raises(LostTurn):
        await setup.poster().create(0, send)
    assert setup.wire.calls == [f"send {how}"]


async def test_a_lease_that_ran_out_during_the_commit_sends_nothing(setup: Setup) -> None:
    intend = setup.ledger.intend

    async def slow(position: int) -> None:
        await intend(position)
        setup.ledger.lost = True

    setup.ledger.intend = slow  # type: ignore[method-assign]
    with pytest.raises(LostTurn):
        await setup.poster().create(0, setup.wire.send)
    assert setup.wire.calls == []


def failing(*errors: Exception) -> tuple[Callable[[], object], list[str]]:
    """A call that raises these, then succeeds; and the list that counts its calls."""
    left, made = list(errors), list[str]()

    async def call() -> str:
        made.append("call")
        if left:
            raise left.pop(0)
        return "done"

    return call, made


async def test_insisting_repeats_what_may_not_have_happened(setup: Setup) -> None:
    call, made = failing(Ambiguous(), RetryLater(7.0), Ambiguous())
    assert await setup.poster().insist(call) == "done"  # type: ignore[arg-type]
    assert len(made) == 4
    assert setup.clock.passed > 7.0


async def test_insisting_on_what_must_not_happen_twice_passes_the_doubt_on(setup: Setup) -> None:
    call, made = failing(RetryLater(1.0), Ambiguous())
    with pytest.raises(Ambiguous):
        await setup.poster().insist(call, tries=1)  # type: ignore[arg-type]
    assert len(made) == 2


async def test_insisting_does_not_argue_with_a_refusal(setup: Setup) -> None:
    call, made = failing(Refused("gone"))
    with pytest.raises(Refused):
        await setup.poster().insist(call)  # type: ignore[arg-type]
    assert len(made) == 1


async def test_an_offer_is_not_made_while_the_platform_wants_quiet(setup: Setup) -> None:
    poster = setup.poster()
    call, made = failing(RetryLater(3.0))
    assert await poster.offer(call) is False  # type: ignore[arg-type]
    assert await poster.offer(call) is False  # type: ignore[arg-type]
    assert len(made) == 1
    setup.clock.passed += 3.0
    assert await poster.offer(call) is True  # type: ignore[arg-type]


async def test_what_must_succeed_waits_for_the_quiet_to_end(setup: Setup) -> None:
    poster = setup.poster()
    limited, _ = failing(RetryLater(3.0))
    await poster.offer(limited)  # type: ignore[arg-type]
    call, _ = failing()
    await poster.insist(call)  # type: ignore[arg-type]
    assert setup.clock.passed == 3.0


async def test_tidy_deletes_what_no_ledger_knows_and_counts_it(setup: Setup) -> None:
    known, stray = setup.wire.create(), setup.wire.create()
    setup.clock.passed = 10.0
    setup.book.parts[1, 0] = Part(0, known, START)
    assert await tidy(setup.wire.list_own, setup.wire.delete, setup.ledger.known, START) == 1
    assert setup.wire.messages[stray][1] is not None
    assert setup.wire.visible() == [known]


OUTCOMES = st.sampled_from(["done", "reset", "lost_answer", "rate_limited", "killed_before", "killed_after"])
#: Which committed write of the ledger kills the process right after it, or (negative) right before it.
KILLS = st.lists(st.integers(-4, 4).filter(bool), max_size=4)


@given(plan=st.lists(OUTCOMES, max_size=12), kills=KILLS, pauses=st.lists(st.floats(0, 5), max_size=8))
async def test_whatever_fails_and_dies_each_position_has_exactly_one_message(
    plan: list[str], kills: list[int], pauses: list[float]
) -> None:
    clock = FakeClock()
    book = Book()
    wire = Wire(clock, plan=plan)
    attempts = [Setup(clock, wire, book, _Mortal(book, dies_at, clock)) for dies_at in (*kills, *[0] * (len(plan) + 1))]
    for setup in attempts:
        clock.passed += pauses.pop(0) if pauses else 0.0
        try:
            poster = setup.poster(Patience(tries=100))
            await poster.resolve_open()
            for position in range(2):
                if (1, position) not in book.parts or book.parts[1, position].external_id is None:
                    await poster.create(position, wire.send)
            break
        except Killed:
            continue
    clock.passed += LAG
    assert [part.position for part in FakeLedger(book).parts] == [0, 1]
    assert sorted(book.posted_ids()) == sorted(wire.visible())
    first, second = (book.parts[1, position].external_id or "" for position in range(2))
    assert wire.messages[first][0] <= wire.messages[second][0]


class _Mortal(FakeLedger):
    """Dies at its n-th write: after it, or before it if n is negative; never if n is 0."""

    def __init__(self, book: Book, dies_at: int, clock: FakeClock) -> None:
        super().__init__(book, since=START, clock=clock)
        self._dies_at = dies_at
        self._writes = 0

    def _write(self, call: str, position: int, part: Part | None) -> None:
        self._writes += 1
        if -self._dies_at == self._writes:
            raise Killed
        super()._write(call, position, part)
        if self._dies_at == self._writes:
            raise Killed

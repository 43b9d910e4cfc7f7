"""Who is served, and how much, decided in the inbox on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot import texts
from bot.commands import command_of, spares
from bot.control import Control, NotServed
from bot.inbox import Rules
from bot.limits import Limits, day
from bot.messages import DIRECT, MENTION, Author, Incoming, Person, Target
from bot.settings.access import AccessSettings, LimitSettings
from bot.store import people, usage
from bot.store.db import Store
from bot.store.tables import usage as rows
from bot.store.usage import Whose
from tests.support.clock import ManualClock
from tests.support.desk import Desk, edit

ANN, BOB = Author("ann"), Author("bob")
#: A Friday, a quarter of an hour before midnight in Shanghai; eight hours and a quarter before midnight in UTC.
NOW = datetime(2026, 1, 2, 15, 45, tzinfo=UTC)
MIDNIGHT_THERE = datetime(2026, 1, 2, 16, 0, tzinfo=UTC)
MIDNIGHT_HERE = datetime(2026, 1, 3, 0, 0, tzinfo=UTC)


class Room:
    """A server with limits, and people who write to it."""

    def __init__(self, store: Store, *, access: dict[str, Any] | None = None, **limits: int) -> None:
        self.limits = Limits(
            AccessSettings(**(access or {})), LimitSettings.model_validate(limits), ZoneInfo("UTC"), spares=spares
        )
        rules = Rules(1000, gate=self.limits, command_of=command_of)
        self.desk = Desk(store, clock=ManualClock(NOW), rules=rules)
        self._count = 0

    async def ask(
        self, who: Author = ANN, text: str = "hello", *, channel: str = "ch", key: str = "c1", direct: bool = False
    ) -> str | None:
        """Somebody asks; why that is refused, or None."""
        self._count += 1
        target = Target("test", "w", channel, None, f"test:{key}")
        address = DIRECT if direct else MENTION
        said = Incoming(target, f"m{self._count}", who, text, self.desk.clock.now(), address=address)
        accepted = await self.desk.inbox.receive(said)
        assert accepted.turn_id is not None
        return next(row.reason for row in await self.desk.turns() if row.id == accepted.turn_id)

    async def spent(self, tokens: int) -> None:
        """The last turn took so many tokens."""
        last = (await self.desk.turns())[-1].id
        await self.desk.store.write(lambda c: usage.spent(c, last, tokens - 1, 1))

    async def lives_in(self, who: Author, zone: str) -> None:
        await self.desk.store.write(lambda c: people.save(c, "test", "w", Person(who.id, who.id, zone=zone), NOW))


def until(code: str | None) -> tuple[str, datetime]:
    """A refusal, and when it is over."""
    assert code is not None
    name, _, at = code.partition("@")
    return name, datetime.fromtimestamp(int(at), UTC)


# Retries


async def test_a_retry_counts_like_a_question_and_has_the_same_limit(store: Store) -> None:
    room = Room(store, user_per_minute=2)
    assert await room.ask() is None
    claimed = await room.desk.start()
    await room.desk.end(claimed, "stopped", "half")
    control = Control(store, room.desk.clock, room.desk.bell, room.desk.live, room.limits)
    again = await control.retry(claimed.turn.id, BOB)
    assert again is not None
    assert (await store.read(lambda c: usage.total(c, Whose("test", "w", user_id="ann"), NOW))).turns == 1
    assert (await store.read(lambda c: usage.total(c, Whose("test", "w", user_id="bob"), NOW))).turns == 1
    await room.desk.end(await room.desk.start(), "stopped", "half")
    assert await control.retry(again, BOB) is not None
    before = await room.desk.states()
    await room.desk.end(await room.desk.start(), "stopped", "half")
    with pytest.raises(NotServed, match="limit_user_minute@"):
        await control.retry((await room.desk.turns())[-1].id, BOB)
    assert len(await room.desk.states()) == len(before)


async def test_somebody_on_the_list_of_those_denied_has_nothing_tried_again(store: Store) -> None:
    room = Room(store, access={"deny_users": ["test:bob"]})
    assert await room.ask() is None
    claimed = await room.desk.start()
    await room.desk.end(claimed, "failed", "no")
    control = Control(store, room.desk.clock, room.desk.bell, room.desk.live, room.limits)
    with pytest.raises(NotServed, match="denied_user"):
        await control.retry(claimed.turn.id, BOB)
    assert await control.retry(claimed.turn.id, ANN) is not None


# Lists


async def test_without_settings_everybody_is_answered(store: Store) -> None:
    room = Room(store)
    assert [await room.ask() for _ in range(20)] == [None] * 20


@pytest.mark.parametrize("entry", ["test:ann", "test:w:ann"])
async def test_somebody_who_is_denied_is_told_so(store: Store, entry: str) -> None:
    room = Room(store, access={"deny_users": (entry,), "allow_users": ("test:ann", "test:bob")})
    assert [await room.ask(ANN), await room.ask(BOB)] == ["denied_user", None]


async def test_an_entry_of_another_workspace_or_platform_means_somebody_else(sqlite_store: Store) -> None:
    room = Room(sqlite_store, access={"deny_users": ("test:other:ann", "else:ann")})
    assert await room.ask(ANN) is None


async def test_only_those_who_are_allowed_are_answered_and_operators(sqlite_store: Store) -> None:
    room = Room(sqlite_store, access={"allow_users": ("test:ann",), "operators": ("test:bob",)})
    asked = [await room.ask(ANN), await room.ask(BOB), await room.ask(Author("cem"))]
    assert asked == [None, None, "denied_user"]


async def test_only_in_allowed_channels_and_directly(sqlite_store: Store) -> None:
    room = Room(sqlite_store, access={"allow_channels": ("test:w:ch",), "deny_channels": ("test:no",)})
    asked = [
        await room.ask(),
        await room.ask(channel="other"),
        await room.ask(channel="d1", direct=True),
        await room.ask(channel="no", direct=True),
    ]
    assert asked == [None, "denied_channel", None, "denied_channel"]


async def test_nobody_is_denied_the_deletion_of_their_data(sqlite_store: Store) -> None:
    room = Room(sqlite_store, access={"deny_users": ("test:ann",)})
    assert [await room.ask(ANN, "forget me"), await room.ask(ANN, "help")] == [None, "denied_user"]


# Limits


async def test_a_person_has_so_many_messages_a_minute(store: Store) -> None:
    room = Room(store, user_per_minute=2)
    clock = room.desk.clock
    assert await room.ask() is None
    clock.advance(20)
    assert await room.ask(channel="other", key="c2") is None
    clock.advance(10)
    # The first one is a minute old in thirty seconds, at a whole minute.
    assert until(await room.ask()) == ("limit_user_minute", NOW + timedelta(seconds=60))
    assert await room.ask(BOB) is None
    clock.advance(30)
    assert await room.ask() is None
    assert until(await room.ask()) == ("limit_user_minute", NOW + timedelta(seconds=120))


async def test_a_channel_has_so_many_messages_a_minute(store: Store) -> None:
    room = Room(store, channel_per_minute=1)
    assert await room.ask(ANN) is None
    assert until(await room.ask(BOB, key="c2"))[0] == "limit_channel_minute"
    assert await room.ask(BOB, channel="other", key="c3") is None


async def test_a_persons_day_begins_at_midnight_where_they_are(store: Store) -> None:
    room = Room(store, user_per_day=1)
    await room.lives_in(ANN, "Asia/Shanghai")
    assert [await room.ask(ANN), await room.ask(BOB)] == [None, None]
    assert until(await room.ask(ANN)) == ("limit_user_day", MIDNIGHT_THERE)
    assert until(await room.ask(BOB)) == ("limit_user_day", MIDNIGHT_HERE)
    room.desk.clock.advance(15 * 60)
    assert await room.ask(ANN) is None
    assert until(await room.ask(BOB)) == ("limit_user_day", MIDNIGHT_HERE)


async def test_a_channels_day_begins_at_the_servers_midnight(store: Store) -> None:
    room = Room(store, channel_per_day=1)
    await room.lives_in(ANN, "Asia/Shanghai")
    assert await room.ask() is None
    assert until(await room.ask()) == ("limit_channel_day", MIDNIGHT_HERE)
    room.desk.clock.advance(9 * 3600)
    assert await room.ask() is None


async def test_tokens_of_a_day_are_counted_when_they_are_known(store: Store) -> None:
    room = Room(store, user_tokens_per_day=1000)
    assert await room.ask() is None
    await room.spent(999)
    assert await room.ask() is None
    await room.spent(1)
    assert until(await room.ask()) == ("limit_user_tokens_day", MIDNIGHT_HERE)
    assert await room.ask(BOB) is None


async def test_tokens_of_a_minute_are_counted(store: Store) -> None:
    room = Room(store, channel_tokens_per_minute=1000)
    assert await room.ask(ANN) is None
    await room.spent(1500)
    assert until(await room.ask(BOB)) == ("limit_channel_tokens_minute", NOW + timedelta(seconds=60))
    room.desk.clock.advance(60)
    assert await room.ask(BOB) is None


async def test_commands_count_against_no_limit(store: Store) -> None:
    room = Room(store, user_per_minute=1)
    assert [await room.ask(text=text) for text in ("help", "usage", "hello", "stop")] == [None] * 4
    assert (await room.ask()) is not None
    assert await room.ask(text="帮助") is None


async def test_what_was_refused_counts_against_no_limit(sqlite_store: Store) -> None:
    room = Room(sqlite_store, user_per_minute=1)
    assert await room.ask() is None
    for _ in range(3):
        assert await room.ask() is not None
    room.desk.clock.advance(60)
    assert await room.ask() is None


async def test_an_edit_is_no_way_around_a_limit(store: Store) -> None:
    room = Room(store, user_per_minute=1)
    await room.ask()
    await room.ask(text="help")
    await room.ask(text="and this?")
    target = Target("test", "w", "ch", None, "test:c1")
    for message_id in ("m2", "m3"):
        changed = replace(edit("tell me all", message_id), target=target, author=ANN)
        await room.desk.inbox.receive(changed)
    reasons = [row.reason for row in await room.desk.turns()]
    assert [reason is None for reason in reasons] == [True, False, False]


async def test_messages_that_arrive_together_do_not_overrun_a_limit(store: Store) -> None:
    room = Room(store, user_per_minute=3, channel_per_day=100)
    reasons = await asyncio.gather(*(room.ask(key=f"c{n % 5}") for n in range(15)))
    assert sum(reason is None for reason in reasons) == 3
    assert await room.desk.findings() == []


async def test_people_who_write_in_the_same_threads_do_not_wait_for_each_other(store: Store) -> None:
    """Locks are taken in one order: none of these ends in a deadlock, and none is lost."""
    room = Room(store, user_per_minute=1000, channel_per_minute=1000)
    people_ = [Author(f"u{n}") for n in range(4)]
    await asyncio.gather(*(room.ask(people_[n % 4], key=f"c{n % 3}") for n in range(24)))
    assert len(await room.desk.turns()) == 24


async def test_what_a_new_turn_answers_instead_is_counted_there(store: Store) -> None:
    room = Room(store)
    await room.ask()
    claimed = await room.desk.start()
    target = Target("test", "w", "ch", None, "test:c1")
    await room.desk.inbox.receive(replace(edit("other words", "m1"), target=target, author=ANN))
    counted = await room.desk.store.read(lambda c: list(c.execute(select(rows.c.turn_id)).scalars()))
    assert counted == [claimed.turn.id + 1]
    total = await room.desk.store.read(lambda c: usage.total(c, Whose("test", "w", user_id="ann"), NOW))
    assert total.turns == 1


# Words


def test_a_day_has_the_length_that_it_has_there() -> None:
    zone = ZoneInfo("Europe/Berlin")
    begun, ends = (at.astimezone(UTC) for at in day(datetime(2026, 3, 29, 12, tzinfo=UTC), zone))
    assert (begun, ends) == (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))


@pytest.mark.parametrize("code", [code for code in texts.REASONS if code.startswith("limit_")])
def test_a_limit_says_in_the_persons_zone_when_it_is_over(code: str) -> None:
    told = f"{code}@{int(MIDNIGHT_THERE.timestamp())}"
    zone = ZoneInfo("Asia/Shanghai")
    assert "2026-01-03 00:00 (UTC+08:00)" in texts.reason_text(told, "en", zone=zone)
    assert "2026-01-03 00:00 (UTC+08:00)" in texts.reason_text(told, "zh", zone=zone)


def test_every_limit_that_can_be_set_has_its_sentence() -> None:
    set_ = [name for name in LimitSettings.model_fields if name.startswith(("user_", "channel_"))]
    assert {f"limit_{name.replace('_per_', '_')}" for name in set_} == {
        code for code in texts.REASONS if code.startswith("limit_")
    }

"""Which messages are answered: the whole table of decisions, and who may do what."""

from __future__ import annotations

from itertools import product
from typing import Literal, get_args

import pytest

from bot.messages import Address, Author, Kind
from bot.policy import GRANTING, MAY, MOST_BOT_TURNS, TUNABLE, Action, Role, Thread, is_addressed, may

Follow = Literal["addressed", "always", "mention"]

ANN, BOT = Author("ann"), Author("b", kind="bot")
HERE = Thread(joined=True)
BOOLS = (False, True)
ADDRESSES = [Address(a, b, c, d) for a, b, c, d in product(BOOLS, repeat=4)]
THREADS = [Thread(a, b, c, d, turns) for a, b, c, d, turns in product(BOOLS, BOOLS, BOOLS, BOOLS, (0, MOST_BOT_TURNS))]
AUTHORS = [Author("x", kind=kind) for kind in get_args(Kind)]
FOLLOWS: tuple[Follow, ...] = get_args(Follow)
EVERY = list(product(ADDRESSES, AUTHORS, FOLLOWS, THREADS))


@pytest.mark.parametrize(
    ("address", "follow", "thread", "answered"),
    [
        # Whoever speaks to it is answered, wherever that is and whatever it is told to follow.
        (Address(direct=True), "mention", Thread(), True),
        (Address(mentions_us=True), "mention", Thread(), True),
        (Address(mentions_us=True), "addressed", Thread(joined=True, muted=True), True),
        (Address(mentions_us=True, mentions_others=True), "addressed", Thread(joined=True, others=True), True),
        # In its thread: only while one person is there, or when a message replies to it.
        (Address(), "addressed", HERE, True),
        (Address(), "addressed", Thread(joined=True, others=True), False),
        (Address(replies_to_us=True), "addressed", Thread(joined=True, others=True), True),
        (Address(), "addressed", Thread(joined=True, past_unknown=True), False),
        (Address(), "addressed", Thread(), False),
        (Address(), "always", Thread(joined=True, others=True, past_unknown=True), True),
        (Address(), "always", Thread(), False),
        (Address(), "mention", HERE, False),
        (Address(replies_to_us=True), "mention", HERE, False),
        # What is meant for somebody else is none of its business.
        (Address(mentions_others=True), "always", HERE, False),
        (Address(mentions_others=True, replies_to_us=True), "always", HERE, False),
        # Told to be silent, it is.
        (Address(), "always", Thread(joined=True, muted=True), False),
        (Address(replies_to_us=True), "always", Thread(joined=True, muted=True), False),
    ],
)
def test_a_person_is_answered_when_the_message_is_for_the_agent(
    address: Address, follow: Follow, thread: Thread, answered: bool
) -> None:
    assert is_addressed(address, ANN, follow, thread) is answered


def test_other_bots_are_answered_when_they_name_it_and_not_for_ever() -> None:
    named = Address(mentions_us=True)
    assert [is_addressed(named, BOT, "always", Thread(True, bot_turns=turns)) for turns in range(5)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert not is_addressed(Address(), BOT, "always", HERE)
    assert not is_addressed(Address(replies_to_us=True), BOT, "always", HERE)


def test_a_message_that_mentions_somebody_else_and_not_it_is_never_answered() -> None:
    for address, author, follow, thread in EVERY:
        if address.mentions_others and not address.mentions_us and not address.direct:
            assert not is_addressed(address, author, follow, thread)


def test_outside_of_its_threads_only_what_names_it_or_replies_to_it_is_answered() -> None:
    for address, author, follow, thread in EVERY:
        if not (thread.joined or address.direct or address.mentions_us or address.replies_to_us):
            assert not is_addressed(address, author, follow, thread)


def test_a_person_who_mentions_it_is_always_answered() -> None:
    for address, author, follow, thread in EVERY:
        if (address.mentions_us or address.direct) and author.kind != "bot":
            assert is_addressed(address, author, follow, thread)


def test_more_following_answers_more() -> None:
    for address, author, thread in product(ADDRESSES, AUTHORS, THREADS):
        answered = [is_addressed(address, author, follow, thread) for follow in ("mention", "addressed", "always")]
        assert answered == sorted(answered)


# Roles


def test_who_may_do_what() -> None:
    table = {action: [role for role in get_args(Role) if may(role, action)] for action in get_args(Action)}
    assert table == {
        "benchmark": ["operator"],
        "profile": ["operator", "admin"],
        "tune": ["operator", "admin", "member"],
        "count": ["operator", "admin"],
        "erase": ["operator", "admin"],
    }
    assert set(MAY) == set(get_args(Action))


def test_no_value_is_for_everybody_that_grants_something() -> None:
    assert not TUNABLE & GRANTING

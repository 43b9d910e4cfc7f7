"""Shares of a budget with a bucket for each channel, and what a place was found not to offer."""

from __future__ import annotations

from typing import Literal

from adapters.chat.abilities import MEMORY_S, Abilities
from adapters.chat.pacing import Bucket, Shares

Ability = Literal["persona", "thread"]


class Someone:
    """An answer in the making, or a client."""


def bucket(key: object, left: float = 5.0, seconds: float = 1.0) -> Bucket:
    return Bucket(str(key), left, seconds)


def test_answers_in_other_channels_take_nothing_away() -> None:
    shares, answers = Shares(lambda: 0.0), [Someone() for _ in range(50)]
    for number, answer in enumerate(answers):
        assert shares.has_room(bucket(number))
        shares.joins(bucket(number), answer)
    for answer in answers[:10]:
        shares.joins(bucket("busy"), answer)
    assert not shares.has_room(bucket("busy"))
    assert shares.has_room(bucket(0))


def test_channels_in_which_nothing_grows_any_more_are_forgotten() -> None:
    shares = Shares(lambda: 0.0)
    lasting = Someone()
    shares.joins(bucket("lasting", left=1.0), lasting)
    for number in range(5_000):
        shares.joins(bucket(number), Someone())
    assert len(shares._members) < 2_000
    # The one that grows is still counted.
    assert not shares.is_due(bucket("lasting", left=1.0), lasting)


def test_a_slow_bucket_has_room_for_few() -> None:
    shares, answers = Shares(lambda: 0.0), [Someone(), Someone()]
    assert shares.has_room(bucket("a", seconds=6.0))
    shares.joins(bucket("a"), answers[0])
    assert not shares.has_room(bucket("a", seconds=6.0))


def test_an_answer_knows_when_its_turn_comes() -> None:
    now = 0.0
    shares, answers = Shares(lambda: now), [Someone(), Someone()]
    scarce = bucket("a", left=1.0, seconds=3.0)
    for answer in answers:
        shares.joins(scarce, answer)
    assert shares.due_in(scarce, answers[0]) == 6.0
    now = 6.0
    assert shares.due_in(scarce, answers[0]) == 0.0
    assert shares.is_due(scarce, answers[0])
    # Where nothing is left, it knows when there will be.
    assert shares.due_in(scarce._replace(left=0.0, wait=2.0), answers[0]) == 2.0


def test_an_ability_is_lacking_where_any_of_its_places_lacks_it() -> None:
    now = 0.0
    abilities: Abilities[Ability] = Abilities(lambda: now)
    client = Someone()
    abilities.lacks(client, "persona", "server")
    assert not abilities.has(client, "persona", "channel", "server")
    assert abilities.has(client, "persona", "channel")
    assert abilities.has(client, "thread", "channel", "server")
    abilities.lacks(client, "thread")
    assert not abilities.has(client, "thread", "channel")


def test_of_many_places_those_whose_time_is_over_are_forgotten() -> None:
    now = 0.0
    abilities: Abilities[Ability] = Abilities(lambda: now)
    client = Someone()
    for number in range(3_000):
        abilities.lacks(client, "persona", str(number))
    now = MEMORY_S
    abilities.lacks(client, "persona", "new")
    assert not abilities.has(client, "persona", "new")
    assert len(abilities._lacking[client]) == 1

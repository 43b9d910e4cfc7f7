"""Who may change how often, with Slack's own limits."""

from __future__ import annotations

from typing import cast

from slack_sdk.web.async_client import AsyncWebClient

from adapters.chat.abilities import MEMORY_S
from adapters.chat.pacing import Turns
from adapters.slack import limits
from adapters.slack.connection.api import Identity, SlackApi
from adapters.slack.replying.abilities import Abilities
from adapters.slack.replying.pacing import Pacing, Way
from bot.budget import RateBudget

APPEND: Way = "chat.appendStream"


class Someone:
    """An answer in the making."""


class World:
    """A workspace with its budget, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.budget = RateBudget(limits.rate_of, lambda: self.now)
        self.api = self.installed()
        self.pacing = Pacing(lambda: self.now)

    def installed(self) -> SlackApi:
        identity = Identity("T1", "", "UBOT", "BBOT", frozenset())
        return SlackApi(identity, cast("AsyncWebClient", None), self.budget)

    def turns(self, way: Way, answer: object) -> Turns:
        return self.pacing.turns(self.api, way, "C1", answer)

    def take(self, method: str, times: int = 1) -> None:
        for _ in range(times):
            assert self.budget.take(f"T1/{method}") == 0

    def empty(self, method: str) -> None:
        while self.api.left(method) >= 1:
            self.take(method)


def test_one_alone_changes_as_often_as_it_likes() -> None:
    world, someone = World(), Someone()
    for _ in range(5):
        assert world.turns(APPEND, someone).takes_turn()
        world.take(APPEND)


def test_when_it_gets_scarce_nobody_is_left_behind() -> None:
    world, many = World(), [Someone() for _ in range(5)]
    changes = dict.fromkeys(many, 0)
    for _ in range(600):
        world.now += 0.2
        for someone in many:
            if world.turns(APPEND, someone).takes_turn():
                world.take(APPEND)
                changes[someone] += 1
    assert max(changes.values()) <= 1.5 * min(changes.values())
    # Two minutes of what Slack allows, less what is kept for those who can't wait.
    assert sum(changes.values()) >= 2 * limits.TIER_4.per_minute


def test_who_has_left_takes_no_share() -> None:
    world, one, other = World(), Someone(), Someone()
    for someone in (one, other):
        world.turns(APPEND, someone).begins()
    world.take(APPEND, 22)
    world.now += 60 / limits.TIER_4.per_minute
    assert not world.turns(APPEND, one).is_due()
    world.pacing.leaves(other)
    assert world.turns(APPEND, one).is_due()


def test_streams_are_begun_only_while_they_can_be_stopped() -> None:
    world = World()
    assert world.pacing.may_stream(world.api)
    world.empty("chat.stopStream")
    assert not world.pacing.may_stream(world.api)


def test_streams_that_are_being_started_count() -> None:
    world = World()
    begun = []
    while world.pacing.may_stream(world.api):
        begun.append(world.pacing.starts(world.api))
    assert len(begun) == int(world.api.left("chat.startStream"))
    begun[0]()
    assert world.pacing.may_stream(world.api)


def test_no_more_answers_grow_than_can_grow_visibly() -> None:
    world = World()
    many = [Someone()]
    while world.turns("chat.update", many[-1]).may_begin():
        world.turns("chat.update", many[-1]).begins()
        many.append(Someone())
    assert 3 <= len(many) - 1 <= 10


def test_somebody_who_asks_no_more_is_not_waited_for() -> None:
    world = World()
    many = [Someone() for _ in range(20)]
    for someone in many:
        world.turns(APPEND, someone).begins()
    assert not world.pacing.may_stream(world.api)
    world.now += 60
    assert world.pacing.may_stream(world.api)


def test_an_answer_that_is_forgotten_is_forgotten_here() -> None:
    world = World()
    many = [Someone() for _ in range(20)]
    for someone in many:
        world.turns(APPEND, someone).begins()
    del many, someone
    assert world.pacing.may_stream(world.api)


# What a workspace was found not to offer.


def test_what_a_workspace_lacks_is_tried_again_after_a_while() -> None:
    world = World()
    abilities = Abilities(lambda: world.now)
    abilities.lacks(world.api, "stream")
    assert not abilities.has(world.api, "stream", "C1")
    assert abilities.has(world.api, "session")
    world.now += MEMORY_S
    assert abilities.has(world.api, "stream", "C1")


def test_what_one_channel_lacks_others_have() -> None:
    world = World()
    abilities = Abilities(lambda: world.now)
    abilities.lacks(world.api, "stream", "C1")
    assert not abilities.has(world.api, "stream", "C1")
    assert abilities.has(world.api, "stream", "C2")


def test_a_new_installation_is_asked_anew() -> None:
    world = World()
    abilities = Abilities(lambda: world.now)
    abilities.lacks(world.api, "persona")
    assert abilities.has(world.installed(), "persona")

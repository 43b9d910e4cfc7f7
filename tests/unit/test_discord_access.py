"""Whom the bot serves on Discord."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from adapters.discord.connection.access import Access
from bot.posting import Refused, RetryLater


class Api:
    """Knows who is in which server, and counts how often it is asked."""

    def __init__(self, **members: list[str]) -> None:
        self.members = members
        self.asked: list[tuple[str, str]] = []
        self.problem: Exception | None = None

    async def call(self, method: str, path: str, **more: Any) -> Any:
        assert (method, path) == ("GET", "/guilds/{guild_id}/members/{user_id}")
        self.asked.append((more["guild_id"], more["user_id"]))
        if self.problem is not None:
            raise self.problem
        if more["user_id"] not in self.members.get(more["guild_id"], ()):
            raise Refused("10007")
        return {"user": {"id": more["user_id"]}}


class Ticks:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_only_the_servers_of_the_settings_are_served() -> None:
    access = Access(Api(), ["1", "2"])
    assert [access.serves(server) for server in ("1", "2", "3", "@me")] == [True, True, False, False]


async def test_a_member_of_any_served_server_is_served_and_nobody_else() -> None:
    api = Api(**{"1": ["10"], "2": ["11"], "3": ["12"]})
    access = Access(api, ["1", "2"])
    assert [await access.serves_person(user) for user in ("10", "11", "12")] == [True, True, False]


async def test_without_servers_nobody_is_served_and_nobody_is_asked() -> None:
    api = Api(**{"1": ["10"]})
    assert not await Access(api, []).serves_person("10")
    assert api.asked == []


async def test_it_is_remembered_for_an_hour() -> None:
    api, clock = Api(**{"1": ["10"]}), Ticks()
    access = Access(api, ["1"], clock)
    for now, asked in ((0.0, 1), (3_599.0, 1), (3_600.0, 2)):
        clock.now = now
        assert await access.serves_person("10")
        assert len(api.asked) == asked


async def test_whoever_has_joined_is_served_after_some_minutes() -> None:
    api, clock = Api(**{"1": []}), Ticks()
    access = Access(api, ["1"], clock)
    assert not await access.serves_person("10")
    api.members["1"].append("10")
    clock.now = 299.0
    assert not await access.serves_person("10")
    clock.now = 300.0
    assert await access.serves_person("10")


async def test_whoever_left_is_not_served_after_that() -> None:
    api, clock = Api(**{"1": ["10"]}), Ticks()
    access = Access(api, ["1"], clock)
    assert await access.serves_person("10")
    api.members["1"].clear()
    clock.now = 3_600.0
    assert not await access.serves_person("10")


@pytest.mark.parametrize("problem", [RetryLater(1.0), Refused("401")])
async def test_what_discord_does_not_say_is_not_taken_for_a_no(problem: Exception) -> None:
    api = Api(**{"1": ["10"]})
    api.problem = problem
    access = Access(api, ["1"])
    with pytest.raises(type(problem)):
        await access.serves_person("10")
    api.problem = None
    assert await access.serves_person("10")


async def test_strangers_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = Ticks()
    access = Access(Api(), ["1"], clock)
    with caplog.at_level(logging.INFO):
        for user in range(50):
            await access.serves_person(str(user))
        clock.now = 600.0
        await access.serves_person("50")
    assert [record.args for record in caplog.records] == [(1,), (50,)]

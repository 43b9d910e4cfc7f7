"""Who is who in Discord."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.asking.persons import ADMINISTRATOR, MANAGE_GUILD, Persons, member_of, user_of
from bot.messages import Person
from bot.posting import Ambiguous, Refused, RetryLater

GUILD: dict[str, Any] = {
    "id": "1",
    "owner_id": "10",
    "roles": [
        {"id": "1", "name": "@everyone", "permissions": str(1 << 11)},
        {"id": "2", "name": "Admin", "permissions": str(ADMINISTRATOR)},
        {"id": "3", "name": "Manager", "permissions": str(MANAGE_GUILD | 1 << 11)},
        {"id": "4", "name": "Moderator", "permissions": str(1 << 13)},
    ],
}


def user(id_: str = "11", **more: Any) -> dict[str, Any]:
    return {"id": id_, "username": "ann", "discriminator": "0", "global_name": "Ann", **more}


def member(*roles: str, nick: str | None = None, **more: Any) -> dict[str, Any]:
    return {"user": user(**more), "nick": nick, "roles": list(roles)}


class Api:
    """Answers by method and path, and counts."""

    def __init__(self, *troubles: Exception, **members: Any) -> None:
        self.troubles = list(troubles)
        self.members = members
        self.asked: list[str] = []

    async def call(self, method: str, path: str, **more: Any) -> Any:
        self.asked.append(path)
        if self.troubles:
            raise self.troubles.pop(0)
        if path == "/guilds/{guild_id}":
            return GUILD
        if path == "/users/{user_id}":
            return user(more["user_id"])
        if more["user_id"] not in self.members:
            raise Refused("10007")
        return self.members[more["user_id"]]


@pytest.mark.parametrize(
    ("roles", "owner", "admin"),
    [((), False, False), (("2",), False, True), (("4", "3"), False, True), (("4",), False, False), ((), True, True)],
)
def test_owner_administrator_and_manage_server_make_an_admin(
    roles: tuple[str, ...], *, owner: bool, admin: bool
) -> None:
    found = member_of(member(*roles, id_="10" if owner else "11"), GUILD)
    assert found.is_admin is admin


def test_where_everybody_manages_the_server_everybody_is_an_admin() -> None:
    everybody = {"id": "1", "name": "@everyone", "permissions": str(MANAGE_GUILD)}
    assert member_of(member(), {**GUILD, "roles": [everybody]}).is_admin


def test_a_bot_is_no_admin() -> None:
    found = member_of(member("2", bot=True), GUILD)
    assert (found.kind, found.is_admin) == ("bot", False)


def test_people_are_called_by_their_nick_here_and_by_their_own_name_elsewhere() -> None:
    assert member_of(member(nick="Boss"), GUILD).name == "Boss"
    assert member_of(member(), GUILD).name == "Ann"
    assert user_of(user(global_name=None)).name == "ann"


async def test_in_a_direct_message_nobody_is_an_admin() -> None:
    api = Api()
    assert await Persons(api).person("@me", "10") == Person("10", "Ann")
    assert api.asked == ["/users/{user_id}"]


async def test_a_server_s_roles_are_asked_for_once_for_the_people_of_a_conversation() -> None:
    api = Api(**{"10": member(id_="10"), "11": member("2")})
    persons = Persons(api)
    assert [(await persons.person("1", id_)).is_admin for id_ in ("10", "11")] == [True, True]
    assert api.asked.count("/guilds/{guild_id}") == 1


async def test_whoever_is_not_in_the_server_is_refused() -> None:
    with pytest.raises(Refused, match="10007"):
        await Persons(Api()).person("1", "12")


async def test_who_somebody_is_is_asked_again_after_what_goes_by() -> None:
    api = Api(RetryLater(0.0), Ambiguous("status 502"), **{"11": member()})
    assert (await Persons(api).person("1", "11")).kind == "member"


async def test_nobody_waits_long_for_who_somebody_is() -> None:
    with pytest.raises(RetryLater):
        await Persons(Api(RetryLater(60.0))).person("1", "11")

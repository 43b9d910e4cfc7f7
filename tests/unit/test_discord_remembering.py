"""What was said in a thread of Discord before we were called into it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from adapters.discord.asking.remembering import earlier
from adapters.discord.hearing.parse import Us, snowflake_at, time_of
from bot.messages import OVERHEARD, Target

THREAD = Target("discord", "1", "2", "1000", "discord:1:1000")
US = Us("9", "9")


def message(id_: int, content: str = "", author: str = "7", **more: Any) -> dict[str, Any]:
    text = content or f"m{id_}"
    return {
        "id": str(id_ << 22),
        "type": 0,
        "content": text,
        "author": {"id": author, "username": f"u{author}"},
        **more,
    }


class Api:
    """Lists messages as Discord does: those before an id, newest first."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = sorted(messages, key=lambda one: int(one["id"]), reverse=True)
        self.calls = 0

    async def call(self, method: str, path: str, **more: Any) -> Any:
        assert (method, path, more["channel_id"]) == ("GET", "/channels/{channel_id}/messages", "1000")
        self.calls += 1
        before, limit = more["params"]["before"], more["params"]["limit"]
        return [one for one in self.messages if int(one["id"]) < before][:limit]


async def texts(api: Api, before: int, most: int = 50) -> list[str]:
    return [one.text for one in await earlier(api, US, THREAD, time_of(str(before << 22)), most)]


async def test_messages_come_oldest_first_without_ours_those_of_bots_and_the_question() -> None:
    bot = {"id": "8", "username": "b", "bot": True}
    api = Api(message(1), message(2, author="9"), message(3, author_id="x"), {**message(4), "author": bot}, message(5))
    assert await texts(api, 5) == ["m1", "m3"]


async def test_a_thread_that_was_opened_from_a_message_begins_with_it() -> None:
    opener = message(1, "the opener")
    api = Api({**message(2), "type": 21, "content": "", "referenced_message": opener}, message(3))
    found = await earlier(api, US, THREAD, time_of(str(9 << 22)), 50)
    assert [one.text for one in found] == ["the opener", "m3"]
    assert found[0].message_id == opener["id"]
    assert found[0].target == THREAD


async def test_an_opener_that_is_gone_is_left_out() -> None:
    api = Api({**message(2), "type": 21, "content": "", "referenced_message": None}, message(3))
    assert await texts(api, 9) == ["m3"]


async def test_they_are_overheard_and_have_no_past_of_their_own() -> None:
    (found,) = await earlier(Api(message(1)), US, THREAD, time_of(str(9 << 22)), 50)
    assert (found.address, found.earlier, found.opens, found.threaded) == (OVERHEARD, False, None, True)


async def test_the_last_ones_are_taken_over_several_pages() -> None:
    noise = [{**message(id_), "type": 7} for id_ in range(150, 270)]
    api = Api(*(message(id_) for id_ in range(100, 150)), *noise)
    assert await texts(api, 300, most=3) == ["m147", "m148", "m149"]
    assert api.calls == 2


async def test_a_thread_of_nothing_but_noise_is_given_up() -> None:
    api = Api(*({**message(id_), "type": 7} for id_ in range(100, 1100)))
    assert await texts(api, 2000) == []
    assert api.calls == 3


async def test_outside_of_a_thread_nothing_is_asked() -> None:
    api = Api(message(1))
    place = Target("discord", "1", "2", None, "discord:1:2")
    assert await earlier(api, US, place, time_of("0") + timedelta(days=1), 50) == []
    assert api.calls == 0


def test_the_bound_is_exclusive() -> None:
    assert snowflake_at(time_of(str(5 << 22))) == 5 << 22

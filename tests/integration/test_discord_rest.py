"""Discord's REST calls: each made once, within the limits, and its failures told in the words of the core."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from aiohttp import web

from adapters.discord import limits
from adapters.discord.connection import rest as rest_module
from adapters.discord.connection.rest import DiscordRefused, RateLimited, Rest
from bot.posting import Ambiguous, Refused, RetryLater
from tests.support.discord_web import DiscordWeb, Ticks, answer, bucket, discord_web, rest_at

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = "/channels/{channel_id}/messages/{message_id}"
HOOK = "/webhooks/{webhook_id}/{webhook_token}"


@pytest.fixture
async def web_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordWeb]:
    async with discord_web(monkeypatch) as server:
        server.say("POST", "/channels/1/messages", answer({"id": "9"}))
        yield server


@pytest.fixture
def clock() -> Ticks:
    return Ticks()


@pytest.fixture
async def rest(web_server: DiscordWeb, clock: Ticks) -> AsyncIterator[Rest]:
    async with rest_at(clock) as rest:
        yield rest


async def post(rest: Rest, channel: int = 1, *, urgent: bool = False) -> object:
    return await rest.call("POST", MESSAGES, channel_id=channel, urgent=urgent, json={"content": "Hello"})


# --- One call


async def test_the_first_call_logs_in_and_says_who_we_are(rest: Rest, web_server: DiscordWeb) -> None:
    assert await post(rest) == {"id": "9"}

    assert (rest.user_id, rest.user_name, rest.application_id) == (700, "kagent", 600)
    assert [each.path for each in web_server.asked] == ["/users/@me", "/applications/@me", "/channels/1/messages"]
    assert web_server.asked[2].headers["Authorization"] == "Bot MTIz.abc.secret"


async def test_calls_at_the_same_time_log_in_once(rest: Rest, web_server: DiscordWeb) -> None:
    await asyncio.gather(*(post(rest) for _ in range(3)))

    assert web_server.count("GET", "/users/@me") == 1


async def test_an_empty_list_is_a_list_and_an_empty_answer_is_nothing(rest: Rest, web_server: DiscordWeb) -> None:
    web_server.say("GET", "/channels/1/messages", answer([]))
    web_server.say("DELETE", "/channels/1/messages/2", answer())

    assert await rest.call("GET", MESSAGES, channel_id=1) == []
    assert await rest.call("DELETE", MESSAGE, channel_id=1, message_id=2) is None


async def test_parameters_and_the_reason_travel(rest: Rest, web_server: DiscordWeb) -> None:
    seen: list[str] = []

    async def look(request: web.Request) -> web.StreamResponse:
        seen.append(request.query_string)
        return answer([])

    web_server.do("GET", "/channels/1/messages", look)

    await rest.call("GET", MESSAGES, channel_id=1, params={"after": 5, "limit": 100}, reason="looks back")

    assert seen == ["after=5&limit=100"]
    assert web_server.asked[-1].headers["X-Audit-Log-Reason"] == "looks back"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", MESSAGES),
        ("PATCH", MESSAGE),
        ("POST", HOOK),
        ("PATCH", HOOK + "/messages/{message_id}"),
    ],
)
async def test_no_message_pings_anyone_whatever_is_asked_for(
    rest: Rest, web_server: DiscordWeb, method: str, path: str
) -> None:
    ids: dict[str, Any] = {"channel_id": 1, "message_id": 2, "webhook_id": 3, "webhook_token": "t"}
    used = {name: value for name, value in ids.items() if "{" + name + "}" in path}
    web_server.say(method, path.format(**ids), answer({"id": "2"}))

    await rest.call(method, path, json={"content": "@everyone", "allowed_mentions": {"parse": ["everyone"]}}, **used)

    assert web_server.asked[-1].json["allowed_mentions"] == {"parse": []}


async def test_the_first_message_of_a_post_in_a_forum_pings_no_one(rest: Rest, web_server: DiscordWeb) -> None:
    web_server.say("POST", "/channels/1/threads", answer({"id": "5"}))

    await rest.call("POST", "/channels/{channel_id}/threads", channel_id=1, json={"message": {"content": "@here"}})

    assert web_server.asked[-1].json["message"] == {"content": "@here", "allowed_mentions": {"parse": []}}


async def test_a_nonce_is_enforced(rest: Rest, web_server: DiscordWeb) -> None:
    await rest.call("POST", MESSAGES, channel_id=1, json={"content": "Hello", "nonce": "n1"})

    assert web_server.asked[-1].json["enforce_nonce"] is True


async def test_files_travel_beside_the_message_and_can_be_sent_again(rest: Rest, web_server: DiscordWeb) -> None:
    web_server.say("POST", "/channels/1/messages", answer({"message": "?"}, 503), answer({"id": "9"}))
    file = discord.File(io.BytesIO(b"a;b\n"), "table.csv", description="A table")

    with pytest.raises(Ambiguous):
        await rest.call("POST", MESSAGES, channel_id=1, json={"content": "Here"}, files=[file])
    await rest.call("POST", MESSAGES, channel_id=1, json={"content": "Here"}, files=[file])

    for sent in (each.body for each in web_server.asked[-2:]):
        assert b'name="files[0]"; filename="table.csv"' in sent
        assert b"a;b\n" in sent
        assert b'"description": "A table"' in sent
        assert b'"allowed_mentions": {"parse": []}' in sent


# --- What failures mean


async def test_a_refusal_carries_discords_code(rest: Rest, web_server: DiscordWeb) -> None:
    web_server.say("POST", "/channels/1/messages", answer({"message": "Missing Permissions", "code": 50013}, 403))

    with pytest.raises(Refused) as caught:
        await post(rest)

    assert caught.value.code == "50013"
    assert isinstance(caught.value, DiscordRefused)
    assert caught.value.channel == "1"


async def test_a_refusal_without_a_code_carries_its_status(rest: Rest) -> None:
    with pytest.raises(Refused) as caught:
        await rest.call("GET", "/channels/{channel_id}", channel_id=404)

    assert caught.value.code == "404"


async def test_a_missing_permission_is_told_once_for_each_channel(
    rest: Rest, web_server: DiscordWeb, caplog: pytest.LogCaptureFixture
) -> None:
    for channel in (1, 2):
        web_server.say("POST", f"/channels/{channel}/messages", answer({"message": "No", "code": 50013}, 403))

    for channel in (1, 1, 2):
        with pytest.raises(Refused):
            await post(rest, channel)

    told = [each.getMessage() for each in caplog.records if each.name == rest_module.__name__]
    assert [line.partition(": ")[0] for line in told] == ["Discord, channel 1", "Discord, channel 2"]
    assert "Send Messages in Threads" in told[0]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 524])
async def test_a_failure_of_discords_own_is_ambiguous_and_not_repeated(
    rest: Rest, web_server: DiscordWeb, status: int
) -> None:
    web_server.say("POST", "/webhooks/3/t", answer({"message": "?"}, status))

    with pytest.raises(Ambiguous):
        await rest.call("POST", HOOK, webhook_id=3, webhook_token="t", json={"content": "Hello"})

    assert web_server.count("POST", "/webhooks/3/t") == 1


async def test_a_connection_lost_after_the_request_is_ambiguous_and_the_call_is_not_repeated(
    rest: Rest, web_server: DiscordWeb
) -> None:
    web_server.reset("POST", "/channels/1/messages")

    with pytest.raises(Ambiguous):
        await post(rest)

    assert web_server.count("POST", "/channels/1/messages") == 1


async def test_an_answer_that_breaks_off_is_ambiguous(rest: Rest, web_server: DiscordWeb) -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"id":')
        assert request.transport is not None
        request.transport.abort()
        return response

    web_server.do("POST", "/channels/1/messages", break_off)

    with pytest.raises(Ambiguous):
        await post(rest)


async def test_an_answer_that_never_comes_is_ambiguous(
    rest: Rest, web_server: DiscordWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest.ready()
    arrived = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    web_server.do("POST", "/channels/1/messages", hang)
    monkeypatch.setattr(rest_module, "CALL_TIMEOUT_S", 0.2)

    with pytest.raises(Ambiguous):
        await post(rest)
    assert arrived.is_set()


async def test_without_a_connection_it_may_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr("discord.http.Route.BASE", f"http://127.0.0.1:{taken.getsockname()[1]}/api/v10")
        async with rest_at() as rest:
            with pytest.raises(RetryLater):
                await post(rest)


async def test_a_login_that_fails_leaves_the_call_unmade(rest: Rest, web_server: DiscordWeb, clock: Ticks) -> None:
    web_server.say("GET", "/users/@me", answer({"message": "?"}, 500))
    with pytest.raises(RetryLater):
        await post(rest)
    with pytest.raises(RetryLater):
        await post(rest)
    assert web_server.count("GET", "/users/@me") == 1

    web_server.say("GET", "/users/@me", answer({"id": "700", "username": "kagent", "discriminator": "0"}))
    clock.now += 1.0
    assert await post(rest) == {"id": "9"}


# --- A token that is refused


async def test_a_refused_token_is_told_once_and_asked_about_again_after_a_minute(
    rest: Rest, web_server: DiscordWeb, clock: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await post(rest)
    web_server.say("POST", "/channels/1/messages", answer({"message": "401: Unauthorized", "code": 0}, 401))
    raised = set()
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            await post(rest)
        assert caught.value.code == "401"
        raised.add(caught.value)
    assert web_server.count("POST", "/channels/1/messages") == 2
    # Or it would hold on to every call that met it.
    assert len(raised) == 3
    assert "DISCORD_TOKEN" in rest.trouble

    clock.now += 61.0
    web_server.say("POST", "/channels/1/messages", answer({"id": "9"}))
    await post(rest)

    assert rest.trouble == ""
    told = [each.levelname for each in caplog.records if each.name == rest_module.__name__]
    assert told == ["ERROR", "INFO"]


async def test_a_wrong_token_is_refused_at_the_login(rest: Rest, web_server: DiscordWeb) -> None:
    web_server.say("GET", "/users/@me", answer({"message": "401: Unauthorized", "code": 0}, 401))

    for _ in range(2):
        with pytest.raises(Refused) as caught:
            await rest.ready()
        assert caught.value.code == "401"

    assert web_server.count("GET", "/users/@me") == 1


async def test_the_token_is_in_no_error_and_no_log(
    rest: Rest, web_server: DiscordWeb, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web_server.say("POST", "/webhooks/3/hook-secret", answer({"message": "No", "code": 50027}, 401))

    with pytest.raises(Refused) as caught:
        await rest.call("POST", HOOK, webhook_id=3, webhook_token="hook-secret", json={"content": "x"})

    logged = [each.getMessage() for each in caplog.records if each.name != "aiohttp.access"]
    said = f"{caught.value!s}{caught.value!r}{logged}"
    assert "hook-secret" not in said
    assert "abc.secret" not in said
    assert rest.trouble == ""


# --- Too many


async def test_a_429_is_not_waited_for_and_the_bucket_rests(rest: Rest, web_server: DiscordWeb, clock: Ticks) -> None:
    web_server.say("POST", "/channels/1/messages", answer({"message": "!", "retry_after": 3.5, "global": False}, 429))
    with pytest.raises(RateLimited) as caught:
        await post(rest)
    assert caught.value.seconds == 3.5

    web_server.say("POST", "/channels/1/messages", answer({"id": "9"}))
    web_server.say("POST", "/channels/2/messages", answer({"id": "8"}))
    with pytest.raises(RetryLater):
        await post(rest, urgent=True)
    assert await post(rest, 2) == {"id": "8"}
    clock.now += 4.0
    assert await post(rest) == {"id": "9"}


async def test_a_global_429_stops_everything(rest: Rest, web_server: DiscordWeb, clock: Ticks) -> None:
    web_server.say("POST", "/channels/1/messages", answer({"message": "!", "retry_after": 2, "global": True}, 429))
    with pytest.raises(RateLimited):
        await post(rest)

    with pytest.raises(RetryLater) as caught:
        await rest.call("GET", "/channels/{channel_id}", channel_id=7)

    assert 1.9 < caught.value.seconds < 2.2
    assert rest.left("POST", MESSAGES, channel_id=3) == 0


async def test_a_429_without_via_is_a_ban_and_stops_everything_for_as_long_as_it_says(
    rest: Rest, web_server: DiscordWeb
) -> None:
    await rest.ready()

    async def ban(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, text="<html>You are being blocked", headers={"Retry-After": "120"})

    web_server.do("POST", "/channels/1/messages", ban)
    with pytest.raises(RateLimited) as caught:
        await post(rest)
    assert caught.value.seconds == 120

    with pytest.raises(RetryLater):
        await post(rest, 2)
    assert web_server.count("POST", "/channels/2/messages") == 0


async def test_too_many_edits_of_an_old_message_is_a_refusal_although_it_comes_as_429(
    rest: Rest, web_server: DiscordWeb
) -> None:
    web_server.say("PATCH", "/channels/1/messages/2", answer({"message": "Maximum number", "code": 30046}, 429))

    with pytest.raises(Refused) as caught:
        await rest.call("PATCH", MESSAGE, channel_id=1, message_id=2, json={"content": "x"})

    assert caught.value.code == "30046"


async def test_after_very_many_refusals_nothing_is_called_until_some_are_forgotten(
    rest: Rest, web_server: DiscordWeb, clock: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INVALID_REQUESTS_USED", 3)
    web_server.say("GET", "/channels/1", answer({"message": "No", "code": 50001}, 403))
    for _ in range(3):
        with pytest.raises(Refused):
            await rest.call("GET", "/channels/{channel_id}", channel_id=1)
        clock.now += 10.0

    with pytest.raises(RetryLater) as caught:
        await rest.call("GET", "/channels/{channel_id}", channel_id=1)
    assert caught.value.seconds == pytest.approx(570.0)
    assert "kagentbot discord check" in rest.trouble
    clock.now += 571.0
    assert rest.trouble == ""


async def test_a_patient_call_waits_for_the_bucket(web_server: DiscordWeb) -> None:
    web_server.say(
        "POST",
        "/channels/1/messages",
        answer({"id": "8"}, headers=bucket(0, limit=1, reset=0.1)),
        answer({"id": "9"}, headers=bucket(0, limit=1, reset=0.1)),
    )
    async with rest_at() as rest:
        await post(rest)
        with pytest.raises(RetryLater):
            await post(rest)

        answered = await rest.call_patiently("POST", MESSAGES, channel_id=1, json={"content": "Hello"})

    assert answered == {"id": "9"}


# --- Buckets: the server's own count, by a window that begins with its first call


class Counting:
    """Counts as Discord does, by the test's clock, and refuses what is too much."""

    def __init__(self, clock: Ticks, *, limit: int = 5, seconds: float = 5.0, name: str = "b1") -> None:
        self.clock, self.limit, self.seconds, self.name = clock, limit, seconds, name
        self.refused = self.taken = 0
        self._ends_at = float("-inf")
        self._used = 0

    async def __call__(self, _: web.Request) -> web.StreamResponse:
        if self.clock.now >= self._ends_at:
            self._ends_at, self._used = self.clock.now + self.seconds, 0
        left = self._ends_at - self.clock.now
        if self._used >= self.limit:
            self.refused += 1
            return answer({"message": "!", "retry_after": left, "global": False}, 429)
        self._used += 1
        self.taken += 1
        headers = bucket(self.limit - self._used, name=self.name, limit=self.limit, reset=left)
        return answer({"id": str(self.taken)}, headers=headers)


async def hammer(rest: Rest, clock: Ticks, seconds: float, *, urgent: bool = False) -> None:
    """Call as often as is let through, several at a time."""
    end = clock.now + seconds
    while clock.now < end:
        made = await asyncio.gather(*(post(rest, urgent=urgent) for _ in range(8)), return_exceptions=True)
        assert not [each for each in made if isinstance(each, Exception) and not isinstance(each, RetryLater)]
        clock.now += 0.13


@pytest.mark.parametrize(("limit", "seconds"), [(5, 5.0), (1, 0.25), (2, 5.0), (10, 2.0)])
async def test_whatever_size_a_bucket_has_discord_never_has_to_refuse(
    rest: Rest, web_server: DiscordWeb, clock: Ticks, limit: int, seconds: float
) -> None:
    await rest.ready()
    # What is taken for granted at first is of another size; one call tells.
    counting = Counting(clock, limit=limit, seconds=seconds)
    web_server.do("POST", "/channels/1/messages", counting)
    await post(rest)

    await hammer(rest, clock, 30.0, urgent=True)

    assert counting.refused == 0
    # And it is used: the shortest window is not much longer than the steps of this test's clock.
    assert counting.taken >= 30.0 / seconds * limit * 0.6


async def test_a_call_that_can_wait_leaves_the_last_of_a_window_to_one_that_can_not(
    rest: Rest, web_server: DiscordWeb, clock: Ticks
) -> None:
    counting = Counting(clock)
    web_server.do("POST", "/channels/1/messages", counting)
    for _ in range(4):
        await post(rest)
    with pytest.raises(RetryLater) as caught:
        await post(rest)
    assert 5.0 <= caught.value.seconds < 5.2

    await post(rest, urgent=True)

    assert (counting.taken, counting.refused) == (5, 0)


async def test_an_empty_bucket_is_told_at_once_and_discord_is_not_asked(
    rest: Rest, web_server: DiscordWeb, clock: Ticks
) -> None:
    web_server.say("POST", "/channels/1/messages", answer({"id": "9"}, headers=bucket(0, reset=4.0)))
    await post(rest)

    with pytest.raises(RetryLater) as caught:
        await post(rest, urgent=True)

    assert caught.value.seconds == pytest.approx(4.05)
    assert web_server.count("POST", "/channels/1/messages") == 1


async def test_two_routes_with_one_bucket_share_it(rest: Rest, web_server: DiscordWeb) -> None:
    one, other = "/channels/{channel_id}/a", "/channels/{channel_id}/b"
    web_server.say("POST", "/channels/1/a", answer({}, headers=bucket(3)))
    web_server.say("POST", "/channels/1/b", answer({}, headers=bucket(2)))
    await rest.call("POST", one, channel_id=1)
    await rest.call("POST", other, channel_id=1)

    assert rest.left("POST", one, channel_id=1) == rest.left("POST", other, channel_id=1) == 1
    assert rest.left("POST", one, channel_id=2) == 4


async def test_what_was_learned_in_one_channel_holds_in_the_others(rest: Rest, web_server: DiscordWeb) -> None:
    assert rest.seconds_per_call("POST", MESSAGES, channel_id=2) == pytest.approx(5.05 / 4)
    web_server.say("POST", "/channels/1/messages", answer({"id": "9"}, headers=bucket(9, limit=10, reset=9.0)))
    await post(rest)

    assert rest.left("POST", MESSAGES, channel_id=1) == 8
    assert rest.left("POST", MESSAGES, channel_id=2) == 9
    assert rest.seconds_per_call("POST", MESSAGES, channel_id=2) == pytest.approx(9.05 / 9)


async def test_a_route_that_nobody_knows_is_called_once_at_a_time_until_discord_has_told(
    rest: Rest, web_server: DiscordWeb
) -> None:
    await rest.ready()
    path, go = "/guilds/{guild_id}/threads/active", asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        await go.wait()
        return answer({}, headers=bucket(4))

    web_server.do("GET", "/guilds/1/threads/active", slow)
    first = asyncio.create_task(rest.call("GET", path, guild_id=1))
    await web_server.arrived("GET", "/guilds/1/threads/active")
    with pytest.raises(RetryLater):
        await rest.call("GET", path, guild_id=1)
    go.set()
    await first

    await asyncio.gather(*(rest.call("GET", path, guild_id=1) for _ in range(3)))


async def test_calls_under_way_count_even_when_another_channel_gives_the_bucket_its_name(
    rest: Rest, web_server: DiscordWeb
) -> None:
    await rest.ready()
    go = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        await go.wait()
        return answer({"id": "1"}, headers=bucket(1))

    web_server.do("POST", "/channels/2/messages", slow)
    waiting = [asyncio.create_task(post(rest, 2)) for _ in range(4)]
    await web_server.arrived("POST", "/channels/2/messages", 4)
    web_server.say("POST", "/channels/1/messages", answer({"id": "9"}, headers=bucket(4)))
    await post(rest, 1)

    assert rest.left("POST", MESSAGES, channel_id=2) == 0
    go.set()
    await asyncio.gather(*waiting)


async def test_all_channels_together_stay_below_the_global_limit(
    rest: Rest, web_server: DiscordWeb, clock: Ticks
) -> None:
    for channel in range(60):
        web_server.say("POST", f"/channels/{channel}/messages", answer({"id": "9"}))

    made = await asyncio.gather(*(post(rest, channel) for channel in range(60)), return_exceptions=True)

    assert sum(isinstance(each, dict) for each in made) == limits.GLOBAL_USED.calls - limits.GLOBAL_RESERVE
    assert await post(rest, 59, urgent=True) == {"id": "9"}
    clock.now += 1.1
    assert await post(rest, 59) == {"id": "9"}


async def test_a_channels_name_has_a_limit_of_its_own(rest: Rest, web_server: DiscordWeb, clock: Ticks) -> None:
    path = "/channels/{channel_id}"
    web_server.say("PATCH", "/channels/1", answer({"id": "1"}, headers=bucket(4)))
    for name in ("a", "b"):
        await rest.call("PATCH", path, channel_id=1, json={"name": name})

    with pytest.raises(RetryLater) as caught:
        await rest.call("PATCH", path, channel_id=1, json={"name": "c"})
    assert caught.value.seconds > 590
    assert await rest.call("PATCH", path, channel_id=1, json={"archived": False}) == {"id": "1"}

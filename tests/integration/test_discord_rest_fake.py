"""The same calls against the fake Discord, which counts as Discord does, and against simcord, which others wrote."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
import simcord
from simcord import Env, GuildHandle

from adapters.discord.connection.rest import DiscordRefused, RateLimited, Rest
from bot.posting import Ambiguous, Refused, RetryLater
from tests.fakes.discord import FakeDiscord, Place
from tests.fakes.discord.prepared import GENERAL, LONELY, NEWS_CHANNEL, PLANS, SILENT
from tests.support.discord_bot import NearDiscord, pointed_at
from tests.support.discord_web import rest_at

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = "/channels/{channel_id}/messages/{message_id}"
POSTED = "POST /channels/{channel}/messages"


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    fake = NearDiscord()
    async with fake:
        with pointed_at(fake):
            yield fake


@pytest.fixture
async def rest(fake: FakeDiscord) -> AsyncIterator[Rest]:
    async with rest_at(token=fake.token) as rest:
        await rest.ready()
        yield rest


async def post(rest: Rest, text: str = "Hello", *, channel: str = GENERAL, **more: str) -> str:
    answer = await rest.call("POST", MESSAGES, channel_id=channel, json={"content": text, **more})
    return str(answer["id"])


async def texts(fake: FakeDiscord, channel: str = GENERAL) -> list[str]:
    return await fake.texts(Place(channel, ""))


@pytest.mark.parametrize("fault", ["done_reset", "done_internal_error", "done_bad_gateway"])
async def test_a_message_that_exists_although_the_call_failed_is_not_made_twice_with_its_nonce(
    rest: Rest, fake: FakeDiscord, fault: str
) -> None:
    await fake.script(POSTED, fault)

    with pytest.raises(Ambiguous):
        await post(rest, nonce="turn-1")
    first = (await fake.messages(GENERAL))[-1]["id"]

    assert await post(rest, nonce="turn-1") == first
    assert await texts(fake) == ["Hello"]


@pytest.mark.parametrize("fault", ["reset", "internal_error", "bad_gateway", "unavailable", "html"])
async def test_a_call_that_failed_is_made_once_whether_it_was_done_or_not(
    rest: Rest, fake: FakeDiscord, fault: str
) -> None:
    await fake.script(POSTED, fault)

    with pytest.raises(Ambiguous):
        await post(rest)

    assert len((await fake.replay()).called(POSTED)) == 1
    assert await texts(fake) == []


async def test_a_call_of_a_webhook_that_failed_is_made_once_although_it_can_have_no_nonce(
    rest: Rest, fake: FakeDiscord
) -> None:
    hook = await rest.call("POST", "/channels/{channel_id}/webhooks", channel_id=GENERAL, json={"name": "kagent"})
    await fake.script("POST /webhooks/{webhook}/{token}", "done_internal_error")

    with pytest.raises(Ambiguous):
        await rest.call(
            "POST",
            "/webhooks/{webhook_id}/{webhook_token}",
            webhook_id=hook["id"],
            webhook_token=hook["token"],
            json={"content": "Hello"},
            params={"wait": "true"},
        )

    assert [message["content"] for message in await fake.messages(GENERAL)] == ["Hello"]


@pytest.mark.parametrize(("fault", "everything"), [("ratelimited", False), ("shared", False), ("global", True)])
async def test_a_429_is_told_at_once_with_what_it_is_about(
    rest: Rest, fake: FakeDiscord, fault: str, everything: bool
) -> None:
    await fake.set(retry_after=30.0)
    await fake.script(POSTED, fault)

    with pytest.raises(RateLimited) as caught:
        await post(rest)
    assert caught.value.seconds == 30.0

    elsewhere = post(rest, channel=NEWS_CHANNEL)
    if everything:
        with pytest.raises(RetryLater):
            await elsewhere
    else:
        assert await elsewhere
    assert len((await fake.replay()).called(POSTED)) == (1 if everything else 2)


async def test_a_ban_stops_everything(rest: Rest, fake: FakeDiscord) -> None:
    await fake.script(POSTED, "banned")

    with pytest.raises(RateLimited) as caught:
        await post(rest)
    assert caught.value.everything

    with pytest.raises(RetryLater):
        await rest.call("GET", "/users/@me")


@pytest.mark.parametrize(("channel", "code"), [(SILENT, "50013"), (LONELY, "50001"), ("123456", "10003")])
async def test_discord_says_why_nothing_may_be_said_somewhere(
    rest: Rest, fake: FakeDiscord, channel: str, code: str
) -> None:
    with pytest.raises(Refused) as caught:
        await post(rest, channel=channel)

    assert caught.value.code == code


async def test_a_text_that_is_too_long_is_refused_with_where_it_is(rest: Rest, fake: FakeDiscord) -> None:
    with pytest.raises(DiscordRefused) as caught:
        await post(rest, "x" * 2_001)

    assert caught.value.code == "50035"


async def test_nobody_is_rung_by_what_is_said(rest: Rest, fake: FakeDiscord) -> None:
    await post(rest, "@everyone @here <@1000000000000000011> <@&1000000000000000043>")

    (call,) = (await fake.replay()).called(POSTED)
    assert call["pings"] == []


async def test_bursts_in_several_channels_and_routes_never_make_discord_refuse(rest: Rest, fake: FakeDiscord) -> None:
    await fake.set(buckets={"post": (5, 0.5), "edit": (3, 0.3), "reaction": (1, 0.1), "delete": (2, 0.2)})
    channels = (GENERAL, PLANS, NEWS_CHANNEL)
    first = {
        channel: await rest.call_patiently("POST", MESSAGES, channel_id=channel, json={"content": "0"})
        for channel in channels
    }

    async def busy(channel: str, number: int) -> None:
        message = first[channel]["id"]
        where: dict[str, Any] = {"channel_id": channel, "most_s": 30.0}
        await rest.call_patiently("POST", MESSAGES, json={"content": str(number)}, **where)
        await rest.call_patiently("PATCH", MESSAGE, json={"content": f"0.{number}"}, message_id=message, **where)
        await rest.call_patiently(
            "PUT", MESSAGE + "/reactions/{emoji}/@me", emoji="👍", message_id=message, urgent=True, **where
        )

    await asyncio.gather(*(busy(channel, number) for channel in channels for number in range(9)))

    replay = await fake.replay()
    assert [call["method"] for call in replay.calls if call["status"] == 429] == []
    assert len(replay.called(POSTED, accepted=True)) == 30


async def test_two_processes_that_share_a_bucket_hear_of_each_other_by_its_headers(
    rest: Rest, fake: FakeDiscord
) -> None:
    async with rest_at(token=fake.token) as other:
        for _ in range(3):
            await post(other)
        await post(rest)

        # Four of five are used; the last one is for what can't wait.
        with pytest.raises(RetryLater):
            await post(rest)
        assert rest.left("POST", MESSAGES, channel_id=GENERAL) == 0
        await rest.call("POST", MESSAGES, channel_id=GENERAL, json={"content": "urgent"}, urgent=True)

    assert [call["status"] for call in (await fake.replay()).called(POSTED)] == [200] * 5


# --- simcord


@contextlib.asynccontextmanager
async def simulated() -> AsyncIterator[tuple[Env, GuildHandle, Rest]]:
    """simcord with a server, and a `Rest` that uses its calls."""
    bot = discord.Client(intents=discord.Intents.default())
    async with simcord.run(bot) as env:
        yield env, env.create_guild(), Rest("", client=bot)


async def test_simcord_understands_the_calls_as_the_fake_does() -> None:
    async with simulated() as (_, guild, rest):
        channel = guild.create_text_channel("general")

        made = await rest.call("POST", MESSAGES, channel_id=channel.id, json={"content": "@everyone", "nonce": "1"})
        await rest.call("PATCH", MESSAGE, channel_id=channel.id, message_id=made["id"], json={"content": "edited"})

        assert rest.user_id == int(made["author"]["id"])
        message = channel.last_message
        assert message is not None
        assert message.content == "edited"
        with pytest.raises(Refused) as caught:
            await rest.call("POST", MESSAGES, channel_id=channel.id, json={"content": "x" * 2_001})
        assert caught.value.code == "50035"


@pytest.mark.parametrize(("status", "kind"), [(429, RetryLater), (500, Ambiguous), (403, Refused)])
async def test_what_simcord_injects_is_told_in_the_same_words(status: int, kind: type[Exception]) -> None:
    async with simulated() as (env, guild, rest):
        channel = guild.create_text_channel("general")
        env.inject_error("POST", "/channels/*/messages", status=status)
        with pytest.raises(kind):
            await rest.call("POST", MESSAGES, channel_id=channel.id, json={"content": "x"})

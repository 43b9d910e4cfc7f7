"""The fake Discord's rate limits, faults and log, one rule a test, over plain HTTP and with real discord.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
import pytest_asyncio

from tests.fakes.discord.config import Config
from tests.fakes.discord.faults import FAULTS, FaultPlan
from tests.fakes.discord.log import Log, load
from tests.fakes.discord.prepared import APP, BOT_TOKEN, GENERAL, LIGHTHOUSE, LONELY, NEWS_CHANNEL, PLANS
from tests.support.discord_desk import Desk, Reply, discord_desk, real_client

POST = "POST /channels/{channel}/messages"
EDIT = "PATCH /channels/{channel}/messages/{message}"


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as desk:
        desk.set(limits=True)
        yield desk


def bucket(reply: Reply) -> tuple[int, int]:
    """How many calls a window has, and how many are left."""
    return int(reply.headers["X-RateLimit-Limit"]), int(reply.headers["X-RateLimit-Remaining"])


async def use_up(desk: Desk, channel: str = GENERAL) -> None:
    """All posts of a window."""
    for _ in range(5):
        await desk.posted(channel=channel)


@pytest.fixture
def still(desk: Desk) -> None:
    """Time passes only when a test says so, however slow the machine is."""
    desk.discord.clock.stop()


# Windows.


@pytest.mark.usefixtures("still")
async def test_headers_tell_what_is_left_of_a_window(desk: Desk) -> None:
    first, second = await desk.post(), await desk.post()
    assert (bucket(first), bucket(second)) == ((5, 4), (5, 3))
    assert 0 < float(second.headers["X-RateLimit-Reset-After"]) <= 5
    now = desk.discord.clock.now()
    # To the millisecond, rounded up.
    assert now < float(second.headers["X-RateLimit-Reset"]) <= now + 5.001
    assert first.headers["X-RateLimit-Bucket"] == second.headers["X-RateLimit-Bucket"]
    assert first.headers["Via"]


@pytest.mark.usefixtures("still")
async def test_the_sixth_post_within_five_seconds_is_one_too_many(desk: Desk) -> None:
    await use_up(desk)
    refused = await desk.post()
    assert refused.status == 429
    assert refused.body["message"] == "You are being rate limited."
    assert (refused.body["global"], 0 < refused.body["retry_after"] <= 5) == (False, True)
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert int(refused.headers["Retry-After"]) >= refused.body["retry_after"]
    assert refused.headers["Via"]
    assert len(desk.events("MESSAGE_CREATE")) == 5


@pytest.mark.usefixtures("still")
async def test_a_window_begins_with_its_first_call_and_ends_as_a_whole(desk: Desk) -> None:
    await desk.post()
    desk.later(4.9)
    for _ in range(4):
        await desk.posted()
    assert (await desk.post()).status == 429
    desk.later(0.2)
    assert bucket(await desk.post()) == (5, 4)


@pytest.mark.usefixtures("still")
async def test_each_channel_and_each_route_is_counted_apart(desk: Desk) -> None:
    await use_up(desk)
    other = await desk.post(channel=PLANS)
    assert bucket(other) == (5, 4)
    message = other.body | {"channel_id": PLANS}
    edited = await desk.edit(message, content="x")
    assert bucket(edited) == (5, 4)
    assert edited.headers["X-RateLimit-Bucket"] != other.headers["X-RateLimit-Bucket"]
    thread = desk.thread()
    assert bucket(await desk.post(channel=thread.id)) == (5, 4)


@pytest.mark.usefixtures("still")
async def test_a_refused_call_counts_too(desk: Desk) -> None:
    for _ in range(5):
        assert (await desk.post("x" * 2001)).status == 400
    assert (await desk.post()).status == 429


@pytest.mark.usefixtures("still")
async def test_coming_back_too_early_is_told_apart_in_the_log(desk: Desk) -> None:
    await use_up(desk)
    for early in (False, True):
        await desk.post()
        assert (desk.last["status"], desk.last["scope"], desk.last["early"]) == (429, "user", early)
    desk.later(5)
    assert (await desk.post()).status == 200


@pytest.mark.usefixtures("still")
async def test_fifty_calls_a_second_are_all(desk: Desk) -> None:
    desk.set(global_rate=3)
    for _ in range(3):
        assert (await desk.ask("GET", "/users/@me")).status == 200
    refused = await desk.post()
    assert (refused.status, refused.body["global"]) == (429, True)
    assert (refused.headers["X-RateLimit-Global"], refused.headers["X-RateLimit-Scope"]) == ("true", "global")
    assert "X-RateLimit-Bucket" not in refused.headers
    desk.later(1.1)
    assert (await desk.post()).status == 200


@pytest.mark.usefixtures("still")
async def test_interactions_are_not_counted_with_the_fifty(desk: Desk) -> None:
    interaction = desk.command()
    desk.set(global_rate=0)
    assert (await desk.ask("GET", "/users/@me")).status == 429
    assert (await desk.callback(interaction, 5)).status == 204
    assert (await desk.hook("PATCH", interaction, "@original", {"content": "x"})).status == 200


@pytest.mark.usefixtures("still")
async def test_each_webhook_has_five_calls_in_two_seconds(desk: Desk) -> None:
    hooks = [desk.discord.add_webhook(GENERAL, name, APP, application=APP) for name in ("one", "two")]
    paths = [f"/webhooks/{one.id}/{one.token}" for one in hooks]
    for _ in range(5):
        assert (await desk.ask("POST", paths[0], {"content": "x"}, token=None)).status == 204
    assert (await desk.ask("POST", paths[0], {"content": "x"}, token=None)).status == 429
    assert (await desk.ask("POST", paths[1], {"content": "x"}, token=None)).status == 204
    desk.later(2.1)
    assert (await desk.ask("POST", paths[0], {"content": "x"}, token=None)).status == 204


@pytest.mark.usefixtures("still")
async def test_a_thread_is_renamed_twice_in_ten_minutes(desk: Desk) -> None:
    thread = (await desk.open_thread(desk.said().id)).body
    path = f"/channels/{thread['id']}"
    for name in ("one", "two"):
        assert (await desk.ask("PATCH", path, {"name": name})).status == 200
    refused = await desk.ask("PATCH", path, {"name": "three"})
    assert (refused.status, refused.body["retry_after"] > 500) == (429, True)
    assert int(refused.headers["X-RateLimit-Remaining"]) > 0
    assert (await desk.ask("PATCH", path, {"archived": True})).status == 200


@pytest.mark.usefixtures("still")
async def test_old_messages_are_edited_so_many_times_an_hour(desk: Desk) -> None:
    desk.set(buckets={"old-edit": (2, 3600.0)})
    message = await desk.posted()
    desk.later(3601)
    for _ in range(2):
        assert (await desk.edit(message, content="x")).status == 200
    refused = await desk.edit(message, content="x")
    assert (refused.refusal, refused.body["retry_after"] > 3000) == ((429, 30046), True)
    assert (await desk.edit(await desk.posted(), content="x")).status == 200


@pytest.mark.usefixtures("still")
async def test_limits_can_be_other_ones_or_none(desk: Desk) -> None:
    desk.set(buckets={"post": (1, 60.0)})
    assert bucket(await desk.post()) == (1, 0)
    assert (await desk.post()).status == 429
    desk.set(limits=False)
    assert (await desk.post()).status == 200
    with pytest.raises(ValueError, match="no such setting: typo"):
        Config().changed({"buckets": {"typo": (1, 1.0)}})


# Bans.


@pytest.mark.usefixtures("still")
async def test_too_many_invalid_requests_ban_the_address(desk: Desk) -> None:
    desk.set(invalid_requests=3)
    await desk.ask("GET", "/users/@me", token="wrong")
    await desk.post(channel=LONELY)
    assert (await desk.post()).status == 200
    await use_up_but_one(desk)
    banned = await desk.ask("GET", "/users/@me")
    assert (banned.status, "Via" in banned.headers, banned.headers["Content-Type"]) == (
        429,
        False,
        "text/html; charset=utf-8",
    )
    assert (desk.last["fault"], desk.last["accepted"]) == ("banned", False)
    desk.later(601)
    assert (await desk.ask("GET", "/users/@me")).status == 200


async def use_up_but_one(desk: Desk) -> None:
    """Posts until one is refused."""
    while (await desk.post()).status == 200:
        pass


async def test_what_others_used_up_and_what_is_wrong_or_missing_bans_nobody(desk: Desk) -> None:
    desk.set(invalid_requests=1)
    desk.script(POST, "shared")
    shared = await desk.post()
    assert (shared.status, shared.headers["X-RateLimit-Scope"]) == (429, "shared")
    assert (await desk.post("")).status == 400
    assert (await desk.ask("GET", "/users/12345")).status == 404
    assert (await desk.ask("GET", "/users/@me")).status == 200


async def test_discord_py_takes_a_ban_for_an_error_at_once(desk: Desk) -> None:
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        desk.script(POST, "banned")
        with pytest.raises(discord.HTTPException) as raised:
            await channel.send("x")
        assert raised.value.status == 429


async def test_discord_py_waits_as_a_429_says_and_tries_again(desk: Desk) -> None:
    desk.set(retry_after=0.05, buckets={"post": (50, 5.0)})
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        for fault in ("ratelimited", "shared", "global"):
            desk.script(POST, fault)
            assert (await channel.send(fault)).content == fault
        assert [call["status"] for call in desk.calls() if call["method"] == POST] == [429, 200] * 3


async def test_discord_py_reads_the_windows_and_stays_within_them(desk: Desk) -> None:
    desk.set(buckets={"post": (3, 0.2)})
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        for number in range(5):
            await channel.send(str(number))
    posts = [call for call in desk.calls() if call["method"] == POST]
    assert posts[3]["at"] - posts[0]["at"] >= 0.2


# Faults.


def _messages(desk: Desk) -> list[str]:
    return [message.content for message in desk.discord.history(desk.discord.channels[GENERAL])]


@pytest.mark.parametrize(("fault", "done"), [("reset", 0), ("done_reset", 1)])
async def test_the_connection_can_be_cut_before_and_after_a_call_is_done(desk: Desk, fault: str, done: int) -> None:
    desk.script(POST, fault)
    with pytest.raises(aiohttp.ClientConnectionError):
        await desk.post("x")
    assert (len(_messages(desk)), len(desk.events("MESSAGE_CREATE"))) == (done, done)
    assert (desk.last["told"], desk.last["accepted"]) == ("reset", bool(done))


@pytest.mark.parametrize(
    ("fault", "status", "done", "is_json"),
    [
        ("internal_error", 500, 0, True),
        ("bad_gateway", 502, 0, False),
        ("unavailable", 503, 0, True),
        ("html", 503, 0, False),
        ("done_internal_error", 500, 1, True),
        ("done_bad_gateway", 502, 1, False),
    ],
)
async def test_a_server_error_says_nothing_about_what_was_done(
    desk: Desk, fault: str, status: int, done: int, is_json: bool
) -> None:
    desk.script(POST, fault)
    reply = await desk.post("x")
    assert (reply.status, len(_messages(desk)), isinstance(reply.body, dict)) == (status, done, is_json)
    assert (desk.last["fault"], desk.last["told"]) == (fault, str(status))


@pytest.mark.parametrize(
    ("fault", "told"), [("late", "nothing in time"), ("done_late", "nothing in time"), ("slow", "ok")]
)
async def test_an_answer_can_be_late(desk: Desk, fault: str, told: str) -> None:
    desk.set(late=0.1, slow=0.1)
    desk.script(POST, fault)
    asked = desk.discord.clock.now()
    assert (await desk.post("x")).status == 200
    assert desk.discord.clock.now() - asked >= 0.1
    done = desk.last["at"] - asked
    assert (desk.last["told"], done >= 0.1) == (told, fault == "late")


async def test_a_late_call_is_done_though_the_app_has_given_up(desk: Desk) -> None:
    desk.set(late=0.2)
    desk.script(POST, "late")
    url = f"{desk.discord.origin}/api/v10/channels/{GENERAL}/messages"
    headers = {"Authorization": f"Bot {BOT_TOKEN}"}
    timeout = aiohttp.ClientTimeout(total=0.05)
    with pytest.raises(TimeoutError):
        await desk.session.post(url, json={"content": "x"}, headers=headers, timeout=timeout)
    assert _messages(desk) == []
    await desk.discord.log.read(0, timeout=5.0)
    assert _messages(desk) == ["x"]


async def test_a_nonce_makes_a_cut_post_safe_to_repeat(desk: Desk) -> None:
    desk.script(POST, "done_reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await desk.post("once", nonce="turn.0", enforce_nonce=True)
    await desk.posted("once", nonce="turn.0", enforce_nonce=True)
    assert _messages(desk) == ["once"]


async def test_discord_py_repeats_a_cut_post_with_the_same_nonce(desk: Desk) -> None:
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        desk.script(POST, "done_internal_error")
        await channel.send("once")
    assert _messages(desk) == ["once"]


async def test_a_script_waits_chooses_its_channel_and_knows_any_code(desk: Desk) -> None:
    desk.script(POST, "403:50013", skip=1, times=2, major=GENERAL)
    assert (await desk.post()).status == 200
    assert (await desk.post(channel=PLANS)).status == 200
    assert [(await desk.post()).refusal for _ in range(2)] == [(403, 50013)] * 2
    assert (await desk.post()).status == 200
    desk.script(POST, "50001")
    assert (await desk.post(channel=NEWS_CHANNEL)).refusal == (400, 50001)


async def test_downloads_fail_as_scripted(desk: Desk) -> None:
    sent = (await desk.ask("POST", f"/channels/{GENERAL}/messages", files={"a": b"x"})).body
    url = sent["attachments"][0]["url"]
    desk.script("GET /attachments", "internal_error")
    # aiohttp asks once more by itself where a connection that it kept breaks.
    desk.script("GET /attachments", "reset", times=2)
    async with desk.session.get(url) as response:
        assert response.status == 500
    with pytest.raises(aiohttp.ClientConnectionError):
        await desk.session.get(url)
    async with desk.session.get(url) as response:
        assert await response.read() == b"x"


def test_faults_come_by_chance_and_repeatably_and_edits_are_never_late() -> None:
    chances = {"late": 0.5, "reset": 0.25}
    drawn = [[FaultPlan(7).choose(POST, "", chances) for _ in range(1)] for _ in range(3)]
    assert drawn[0] == drawn[1] == drawn[2]
    plan = FaultPlan(7)
    posts = {plan.choose(POST, "", chances) for _ in range(200)}
    edits = {plan.choose(EDIT, "", chances) for _ in range(200)}
    assert (posts, edits) == ({"late", "reset", None}, {"reset", None})
    assert posts - {None} <= FAULTS.keys()


# The log.


async def test_the_log_has_everything_but_secrets(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "discord.jsonl"
    desk.discord.log = Log(file, desk.discord.clock.now)
    interaction = desk.command()
    await desk.callback(interaction, 4, {"content": "hi"})
    await desk.posted("hello")
    hook = desk.discord.add_webhook(GENERAL, "Guide", APP, application=APP)
    await desk.ask("POST", f"/webhooks/{hook.id}/{hook.token}", {"content": "x"}, token=None)
    entries = load(file)
    assert [entry["kind"] for entry in entries] == ["interaction", "call", "call", "call"]
    assert entries[1]["interaction"] == interaction.id
    assert entries[2]["shown"][0]["content"] == "hello"
    assert entries[3]["ids"] == {"webhook": hook.id}
    for secret in (interaction.token, hook.token, BOT_TOKEN):
        assert secret not in file.read_text()


async def test_a_call_is_logged_before_it_is_told(desk: Desk) -> None:
    logged: list[Any] = []
    desk.discord.events.subscribe(lambda event: logged.append((event.data["id"], desk.last["result"])))
    message = await desk.posted()
    assert logged == [(message["id"], message["id"])]

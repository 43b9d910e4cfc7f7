"""The fake Discord's direct messages, threads, files and webhooks, one rule a test."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest_asyncio

from tests.fakes.discord import permissions
from tests.fakes.discord.prepared import (
    ALICE,
    APP,
    BOB,
    DORA,
    FORUM_CHANNEL,
    GENERAL,
    LIGHTHOUSE,
    NEWS_CHANNEL,
    QUESTION,
    ROBOT,
    VOICE_CHANNEL,
)
from tests.fakes.discord.world import (
    HAS_THREAD,
    PRIVATE_THREAD,
)
from tests.support.discord_desk import ROW, Desk, discord_desk, real_client


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as desk:
        yield desk


# Direct messages.


async def test_a_dm_is_opened_once_and_written_in(desk: Desk) -> None:
    async with real_client(desk) as client:
        user = await client.fetch_user(int(ALICE))
        sent = await user.send("hello")
        assert sent.channel.id == (await user.create_dm()).id
    event = desk.told[-1]
    assert (event.guild, event.user, "guild_id" in event.data) == ("", APP, False)


async def test_a_closed_dm_shows_only_when_it_is_written_in(desk: Desk) -> None:
    desk.discord.users[BOB].takes_dms = False
    for user in (BOB, DORA, ROBOT):
        opened = await desk.ask("POST", "/users/@me/channels", {"recipient_id": user})
        assert opened.status == 200
        assert (await desk.post(channel=opened.body["id"])).refusal == (403, 50007)
    assert (await desk.ask("POST", "/users/@me/channels", {"recipient_id": APP})).refusal == (400, 50033)


# Threads.


async def test_a_thread_from_a_message_has_its_id(desk: Desk) -> None:
    question = desk.said()
    thread = (await desk.open_thread(question.id, name="t", auto_archive_duration=60)).body
    assert (thread["id"], thread["type"], thread["parent_id"]) == (question.id, 11, GENERAL)
    assert thread["thread_metadata"]["auto_archive_duration"] == 60
    assert desk.events("THREAD_CREATE")[-1]["newly_created"]
    starter = desk.events("MESSAGE_CREATE")[-1]
    assert (starter["type"], starter["channel_id"], starter["referenced_message"]["id"]) == (
        21,
        thread["id"],
        question.id,
    )
    shown = (await desk.ask("GET", f"/channels/{GENERAL}/messages/{question.id}")).body
    assert (shown["thread"]["id"], shown["flags"]) == (question.id, HAS_THREAD)
    assert (await desk.open_thread(desk.said(channel=NEWS_CHANNEL).id, channel=NEWS_CHANNEL)).body["type"] == 10


async def test_a_message_has_one_thread(desk: Desk) -> None:
    question = desk.said()
    await desk.open_thread(question.id)
    assert (await desk.open_thread(question.id)).refusal == (400, 160004)


async def test_where_no_thread_can_be_opened(desk: Desk) -> None:
    thread, private = desk.thread(), desk.discord.dm(ALICE).id
    for channel in (thread.id, private, VOICE_CHANNEL):
        message = desk.said(channel=channel)
        assert (await desk.open_thread(message.id, channel=channel)).refusal == (400, 50024)
    assert (await desk.open_thread(desk.said().id, name="")).refusal == (400, 50035)
    assert (await desk.open_thread(desk.said().id, name="x" * 101)).refusal == (400, 50035)
    assert (await desk.open_thread(desk.said().id, auto_archive_duration=7)).refusal == (400, 50035)
    assert (await desk.open_thread("12345")).refusal == (404, 10008)
    system = desk.discord.announce_thread(thread)
    assert (await desk.open_thread(system.id)).refusal == (403, 50021)


async def test_active_threads_are_limited(desk: Desk) -> None:
    desk.set(active_threads=1)
    assert (await desk.open_thread(desk.said().id)).status == 200
    assert (await desk.open_thread(desk.said().id)).refusal == (400, 160006)


async def test_a_thread_without_a_message_is_announced_in_its_channel(desk: Desk) -> None:
    made = await desk.ask("POST", f"/channels/{GENERAL}/threads", {"name": "apart", "type": 11})
    assert made.body["id"] != (system := desk.events("MESSAGE_CREATE")[-1])["id"]
    assert (system["type"], system["content"], system["channel_id"]) == (18, "apart", GENERAL)
    refused = await desk.ask("POST", f"/channels/{GENERAL}/threads", {"name": "apart", "type": PRIVATE_THREAD})
    assert refused.refusal == (403, 50013)


async def test_a_forum_post_is_a_thread_with_its_first_message(desk: Desk) -> None:
    path = f"/channels/{FORUM_CHANNEL}/threads"
    post = (await desk.ask("POST", path, {"name": "post", "message": {"content": "first"}})).body
    assert (post["message"]["id"], post["message"]["content"], post["parent_id"]) == (
        post["id"],
        "first",
        FORUM_CHANNEL,
    )
    assert (await desk.ask("POST", path, {"name": "post", "message": {"content": ""}})).refusal == (400, 50006)
    desk.discord.channels[FORUM_CHANNEL].flags = 1 << 4
    body: dict[str, Any] = {"name": "post", "message": {"content": "first"}}
    assert (await desk.ask("POST", path, body)).refusal == (400, 40067)
    assert (await desk.ask("POST", path, body | {"applied_tags": ["1"]})).refusal == (400, 50035)
    assert (await desk.ask("POST", path, body | {"applied_tags": [QUESTION]})).body["applied_tags"] == [QUESTION]


async def test_writing_brings_a_thread_back_and_editing_does_not(desk: Desk) -> None:
    thread = desk.thread()
    message = await desk.posted(channel=thread.id)
    desk.discord.archive(thread, archived=True)
    assert (await desk.edit(message, content="x")).refusal == (400, 50083)
    path = f"/channels/{thread.id}/messages/{message['id']}"
    assert (await desk.ask("PUT", f"{path}/reactions/%F0%9F%91%8D/@me")).refusal == (400, 50083)
    assert (await desk.post(channel=thread.id)).status == 200
    assert [event.type for event in desk.told[-2:]] == ["THREAD_UPDATE", "MESSAGE_CREATE"]
    assert not desk.events("THREAD_UPDATE")[-1]["thread_metadata"]["archived"]
    desk.discord.archive(thread, archived=True)
    assert (await desk.ask("DELETE", path)).status == 204


async def test_a_locked_thread_is_for_moderators(desk: Desk) -> None:
    thread = desk.thread()
    thread.locked = True
    desk.discord.archive(thread, archived=True)
    assert (await desk.post(channel=thread.id)).refusal == (403, 50083)
    assert (await desk.ask("PATCH", f"/channels/{thread.id}", {"archived": False})).refusal == (403, 50013)
    desk.allow(permissions.MANAGE_THREADS)
    assert (await desk.post(channel=thread.id)).status == 200


async def test_a_thread_is_changed_by_its_owner_and_brought_back_by_all(desk: Desk) -> None:
    theirs, ours = desk.thread(), (await desk.open_thread(desk.said().id)).body
    assert (await desk.ask("PATCH", f"/channels/{theirs.id}", {"name": "x"})).refusal == (403, 50013)
    assert (await desk.ask("PATCH", f"/channels/{ours['id']}", {"name": "x"})).body["name"] == "x"
    assert (await desk.ask("PATCH", f"/channels/{ours['id']}", {"locked": True})).refusal == (403, 50013)
    desk.discord.archive(theirs, archived=True)
    assert not (await desk.ask("PATCH", f"/channels/{theirs.id}", {"archived": False})).body["thread_metadata"][
        "archived"
    ]
    assert (await desk.ask("PATCH", f"/channels/{ours['id']}", {"archived": True})).status == 200
    assert (await desk.ask("PATCH", f"/channels/{ours['id']}", {"name": "y"})).refusal == (400, 50083)


async def test_members_of_threads_and_threads_of_servers_are_listed(desk: Desk) -> None:
    thread = desk.thread()
    assert (await desk.ask("GET", f"/channels/{thread.id}/thread-members/@me")).refusal == (404, 10007)
    assert (await desk.ask("PUT", f"/channels/{thread.id}/thread-members/@me")).status == 204
    members = (await desk.ask("GET", f"/channels/{thread.id}/thread-members")).body
    assert [one["user_id"] for one in members] == [ALICE, APP]
    active = (await desk.ask("GET", f"/guilds/{LIGHTHOUSE}/threads/active")).body
    assert ([one["id"] for one in active["threads"]], len(active["members"])) == ([thread.id], 1)
    assert (await desk.ask("DELETE", f"/channels/{thread.id}/thread-members/@me")).status == 204
    desk.discord.archive(thread, archived=True)
    assert (await desk.ask("GET", f"/guilds/{LIGHTHOUSE}/threads/active")).body["threads"] == []
    archived = (await desk.ask("GET", f"/channels/{GENERAL}/threads/archived/public")).body
    assert [one["id"] for one in archived["threads"]] == [thread.id]


async def test_a_private_thread_is_for_who_is_in_it(desk: Desk) -> None:
    thread = desk.discord.open_thread(desk.discord.channels[GENERAL], ALICE, "private", kind=PRIVATE_THREAD)
    assert (await desk.post(channel=thread.id)).refusal == (403, 50001)
    desk.discord.join(thread, APP)
    assert (await desk.post(channel=thread.id)).status == 200


async def test_a_deleted_thread_is_unknown(desk: Desk) -> None:
    thread = desk.thread()
    path = f"/channels/{thread.id}"
    assert (await desk.ask("DELETE", path)).refusal == (403, 50013)
    desk.allow(permissions.MANAGE_THREADS)
    assert (await desk.ask("DELETE", path)).status == 200
    assert desk.events("THREAD_DELETE")[-1]["id"] == thread.id
    assert (await desk.post(channel=thread.id)).refusal == (404, 10003)


# Files.


async def test_files_come_with_a_form_and_go_by_a_signed_address(desk: Desk) -> None:
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        file = discord.File(io.BytesIO(b"data"), "a b.txt", description="a text")
        sent = await channel.send("see", file=file)
        found = sent.attachments[0]
        assert (found.filename, found.size, found.description) == ("a_b.txt", 4, "a text")
        assert found.title == "a b"
        assert await found.read() == b"data"
    assert desk.discord.log.entries[-1]["kind"] == "download"
    url = desk.events("MESSAGE_CREATE")[-1]["attachments"][0]["url"]
    for address, age in ((url.replace("hm=", "hm=0"), 0), (url.partition("?")[0], 0), (url, 86_401)):
        desk.later(age)
        async with desk.session.get(address) as response:
            assert response.status == 404


async def test_an_expired_address_can_be_made_anew(desk: Desk) -> None:
    sent = (await desk.ask("POST", f"/channels/{GENERAL}/messages", files={"a.txt": b"x"})).body
    old = sent["attachments"][0]["url"]
    desk.later(86_401)
    answer = await desk.ask("POST", "/attachments/refresh-urls", {"attachment_urls": [old]})
    assert answer.body["refreshed_urls"][0]["original"] == old
    async with desk.session.get(answer.body["refreshed_urls"][0]["refreshed"]) as response:
        assert await response.read() == b"x"


async def test_a_file_has_ten_mebibytes_and_a_message_ten_files(desk: Desk) -> None:
    path = f"/channels/{GENERAL}/messages"
    large = b"x" * (10 * 1024 * 1024)
    assert (await desk.ask("POST", path, files={"a": large})).status == 200
    assert (await desk.ask("POST", path, files={"a": large + b"x"})).refusal == (413, 40005)
    desk.discord.guilds[LIGHTHOUSE].premium_tier = 2
    assert (await desk.ask("POST", path, files={"a": large + b"x"})).status == 200
    assert (await desk.ask("POST", path, files={f"{n}": b"x" for n in range(11)})).refusal == (400, 50035)


async def test_an_edit_keeps_the_files_that_it_names(desk: Desk) -> None:
    path = f"/channels/{GENERAL}/messages"
    sent = (await desk.ask("POST", path, {"content": "x"}, files={"a": b"1", "b": b"2"})).body
    kept = sent["attachments"][1]["id"]
    body = {"attachments": [{"id": kept}, {"id": 0, "filename": "c", "description": "new"}]}
    edited = (await desk.ask("PATCH", f"{path}/{sent['id']}", body, files={"c": b"3"})).body
    assert [one["filename"] for one in edited["attachments"]] == ["b", "c"]
    assert edited["attachments"][1]["description"] == "new"
    assert len((await desk.edit(sent, content="y")).body["attachments"]) == 2


async def test_an_edit_that_brings_files_needs_a_permission(desk: Desk) -> None:
    path = f"/channels/{GENERAL}/messages"
    sent = (await desk.ask("POST", path, {"content": "x"})).body
    desk.deny(permissions.ATTACH_FILES)
    body = {"attachments": [{"id": 0, "filename": "c"}]}
    assert (await desk.ask("PATCH", f"{path}/{sent['id']}", body, files={"c": b"3"})).refusal == (403, 50013)
    assert (await desk.edit(sent, content="y")).body["attachments"] == []


# Webhooks.


async def _webhook(desk: Desk, channel: str = GENERAL, **body: Any) -> dict[str, Any]:
    reply = await desk.ask("POST", f"/channels/{channel}/webhooks", {"name": "Guide", **body})
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.body
    return found


def _hook(webhook: dict[str, Any], rest: str = "") -> str:
    return f"/webhooks/{webhook['id']}/{webhook['token']}{rest}"


async def test_webhooks_are_made_and_listed_with_a_permission(desk: Desk) -> None:
    webhook = await _webhook(desk)
    listed = (await desk.ask("GET", f"/channels/{GENERAL}/webhooks")).body
    assert [(one["id"], one["token"]) for one in listed] == [(webhook["id"], webhook["token"])]
    assert desk.events("WEBHOOKS_UPDATE")[-1]["channel_id"] == GENERAL
    desk.deny(permissions.MANAGE_WEBHOOKS)
    assert (await desk.ask("GET", f"/channels/{GENERAL}/webhooks")).refusal == (403, 50013)
    assert (await desk.ask("POST", f"/channels/{GENERAL}/webhooks", {"name": "Guide"})).refusal == (403, 50013)


async def test_what_a_webhook_may_not_be(desk: Desk) -> None:
    for name in ("", "x" * 81, "Clyde", "my discord bot"):
        assert (await desk.ask("POST", f"/channels/{GENERAL}/webhooks", {"name": name})).refusal == (400, 50035)
    assert (await desk.ask("POST", f"/channels/{desk.thread().id}/webhooks", {"name": "x"})).refusal == (400, 50024)
    for _ in range(15):
        await _webhook(desk)
    assert (await desk.ask("POST", f"/channels/{GENERAL}/webhooks", {"name": "x"})).refusal == (400, 30007)


async def test_a_webhook_writes_under_any_name_with_nothing_but_its_token(desk: Desk) -> None:
    webhook = await _webhook(desk)
    assert (await desk.ask("POST", _hook(webhook), {"content": "one"}, token=None)).status == 204
    body = {"content": "two", "username": "Sage", "components": [ROW]}
    sent = await desk.ask("POST", _hook(webhook), body, token=None, wait="true")
    assert (sent.body["author"]["username"], sent.body["webhook_id"]) == ("Sage", webhook["id"])
    assert (sent.body["application_id"], desk.last["shown"][0]["name"]) == (APP, "Sage")
    await desk.ask("POST", _hook(webhook), {"content": "one"}, token=None)
    assert len(await desk.listed()) == 3
    assert (await desk.ask("POST", _hook(webhook)[:-1], {"content": "x"}, token=None)).refusal == (401, 50027)
    assert (await desk.ask("POST", "/webhooks/12345/x", {"content": "x"}, token=None)).refusal == (404, 10015)


async def test_a_webhook_s_message_is_changed_through_it_alone(desk: Desk) -> None:
    webhook = await _webhook(desk)
    sent = (await desk.ask("POST", _hook(webhook), {"content": "one"}, token=None, wait="true")).body
    path = _hook(webhook, f"/messages/{sent['id']}")
    assert (await desk.edit(sent, content="x")).refusal == (403, 50005)
    assert (await desk.ask("PATCH", path, {"content": "two"}, token=None)).body["content"] == "two"
    assert (await desk.ask("GET", path, token=None)).body["content"] == "two"
    assert (await desk.ask("DELETE", path, token=None)).status == 204
    assert (await desk.ask("PATCH", path, {"content": "x"}, token=None)).refusal == (404, 10008)


async def test_a_webhook_writes_in_the_threads_of_its_channel(desk: Desk) -> None:
    webhook, thread = await _webhook(desk), desk.thread()
    sent = await desk.ask("POST", _hook(webhook), {"content": "x"}, token=None, wait="true", thread_id=thread.id)
    assert sent.body["channel_id"] == thread.id
    path = _hook(webhook, f"/messages/{sent.body['id']}")
    assert (await desk.ask("PATCH", path, {"content": "y"}, token=None)).refusal == (404, 10008)
    assert (await desk.ask("PATCH", path, {"content": "y"}, token=None, thread_id=thread.id)).status == 200
    desk.discord.archive(thread, archived=True)
    again = await desk.ask("PATCH", path, {"content": "z"}, token=None, thread_id=thread.id)
    assert again.refusal == (400, 50083)
    elsewhere = desk.thread(channel=NEWS_CHANNEL)
    other = await desk.ask("POST", _hook(webhook), {"content": "x"}, token=None, thread_id=elsewhere.id)
    assert other.refusal == (404, 10003)
    forum = await _webhook(desk, FORUM_CHANNEL)
    assert (await desk.ask("POST", _hook(forum), {"content": "x"}, token=None)).refusal == (400, 220001)


async def test_a_webhook_of_nobody_s_app_has_no_buttons(desk: Desk) -> None:
    theirs = desk.discord.add_webhook(GENERAL, "News", ALICE)
    path = f"/webhooks/{theirs.id}/{theirs.token}"
    refused = await desk.ask("POST", path, {"content": "x", "components": [ROW]}, token=None)
    assert refused.refusal == (400, 50035)


async def test_a_webhook_can_be_changed_and_deleted(desk: Desk) -> None:
    webhook = await _webhook(desk, avatar="data:image/png;base64,AAAA")
    assert webhook["avatar"]
    assert "AAAA" not in str(desk.last)
    changed = await desk.ask("PATCH", f"/webhooks/{webhook['id']}", {"name": "Sage"})
    assert (changed.body["name"], (await desk.ask("GET", _hook(webhook), token=None)).body["name"]) == ("Sage", "Sage")
    assert (await desk.ask("DELETE", f"/webhooks/{webhook['id']}")).status == 204
    assert (await desk.ask("POST", _hook(webhook), {"content": "x"}, token=None)).refusal == (404, 10015)

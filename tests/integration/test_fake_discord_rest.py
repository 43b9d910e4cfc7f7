"""The fake Discord's REST API, one rule a test, over plain HTTP and with real discord.py."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import discord
import pytest
import pytest_asyncio

from tests.fakes.discord import permissions
from tests.fakes.discord.prepared import (
    ALICE,
    APP,
    BOB,
    BOT_TOKEN,
    CAROL,
    DORA,
    FORUM_CHANNEL,
    GENERAL,
    HARBOUR,
    LIGHTHOUSE,
    LONELY,
    MODERATORS,
    QUAY,
    READERS,
    SILENT,
    VOICE_CHANNEL,
)
from tests.fakes.discord.world import (
    EPHEMERAL,
    HAS_THREAD,
    IS_COMPONENTS_V2,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
)
from tests.support.discord_desk import BUTTON, ROW, Desk, discord_desk, real_client


def buttons(count: int) -> dict[str, Any]:
    return {"type": 1, "components": [BUTTON | {"custom_id": f"b{next(_NUMBERS)}"} for _ in range(count)]}


_NUMBERS = itertools.count()


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as desk:
        yield desk


# Asking.


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_a_call_needs_the_bots_token(desk: Desk, token: str | None) -> None:
    reply = await desk.ask("GET", "/users/@me", token=token)
    assert (reply.status, reply.body) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_json_answers_name_their_type_without_a_charset(desk: Desk) -> None:
    for path in ("/users/@me", "/users/1", "/nowhere"):
        assert (await desk.ask("GET", path)).headers["Content-Type"] == "application/json"


async def test_a_route_that_discord_does_not_have_is_not_found(desk: Desk) -> None:
    assert (await desk.ask("GET", "/channels/everything")).status == 400
    assert (await desk.ask("POST", "/messages")).refusal == (404, 0)


async def test_what_is_not_json_is_refused(desk: Desk) -> None:
    url = f"{desk.discord.origin}/api/v10/channels/{GENERAL}/messages"
    headers = {"Authorization": f"Bot {BOT_TOKEN}", "Content-Type": "application/json"}
    async with desk.session.post(url, data=b"{", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (400, 50109)


async def test_the_app_learns_who_it_is_and_which_intents_it_has(desk: Desk) -> None:
    async with real_client(desk) as client:
        assert client.user is not None
        assert (str(client.user.id), client.user.name) == (APP, "kagent")
        info = await client.application_info()
        assert (info.flags.gateway_message_content_limited, info.flags.gateway_guild_members) == (True, False)
        assert (await desk.ask("GET", "/applications/@me")).body["owner"]["id"] == ALICE


async def test_a_wrong_token_is_discord_pys_login_failure(desk: Desk) -> None:
    desk.discord.app.token = "reset"
    with pytest.raises(discord.LoginFailure):
        async with real_client(desk):
            pass


async def test_the_gateways_address_comes_with_shards_and_sessions_left(desk: Desk) -> None:
    desk.set(shards=3)
    found = (await desk.ask("GET", "/gateway/bot")).body
    assert found["url"] == desk.discord.origin.replace("http", "ws") + "/gateway"
    assert (found["shards"], found["session_start_limit"]["max_concurrency"]) == (3, 1)
    assert (await desk.ask("GET", "/gateway", token=None)).body == {"url": found["url"]}


async def test_ids_are_made_from_the_fakes_clock(desk: Desk) -> None:
    first = await desk.posted()
    desk.later(3600)
    second = await desk.posted()
    times = [discord.utils.snowflake_time(int(one["id"])).timestamp() for one in (first, second)]
    assert 3599 < times[1] - times[0] < 3660
    assert datetime.fromisoformat(second["timestamp"]).timestamp() == pytest.approx(times[1], abs=0.01)


# Servers and people.


async def test_servers_members_and_roles_can_be_looked_up(desk: Desk) -> None:
    async with real_client(desk) as client:
        guild = await client.fetch_guild(int(LIGHTHOUSE))
        assert (guild.name, guild.owner_id) == ("Lighthouse", int(ALICE))
        bot = await guild.fetch_member(int(APP))
        assert [role.tags.bot_id for role in bot.roles if role.tags] == [int(APP)]
        assert {role.name for role in await guild.fetch_roles()} >= {"@everyone", "kagent", "moderators"}
        assert {channel.name for channel in await guild.fetch_channels()} >= {"general", "help", "talk", "news"}
        assert (await client.fetch_user(int(DORA))).global_name == "Dora Berg"
        assert [one.name async for one in client.fetch_guilds()] == ["Lighthouse"]
    assert (await desk.ask("GET", f"/guilds/{LIGHTHOUSE}/members/@me")).body["user"]["id"] == APP


async def test_who_or_what_is_not_there_has_a_code_of_its_own(desk: Desk) -> None:
    codes = [
        (await desk.ask("GET", f"/guilds/{HARBOUR}")).refusal,
        (await desk.ask("GET", f"/guilds/{HARBOUR}/members/{DORA}")).refusal,
        (await desk.ask("GET", f"/guilds/{LIGHTHOUSE}/members/{DORA}")).refusal,
        (await desk.ask("GET", "/users/12345")).refusal,
        (await desk.ask("GET", "/channels/12345")).refusal,
        (await desk.ask("GET", f"/channels/{GENERAL}/messages/12345")).refusal,
    ]
    assert codes == [(404, 10004), (403, 50001), (404, 10007), (404, 10013), (404, 10003), (404, 10008)]


# Writing.


async def test_a_message_is_posted_and_told(desk: Desk) -> None:
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        sent = await channel.send("hello", nonce="n1")
    told = desk.events("MESSAGE_CREATE")[-1]
    assert (told["id"], told["content"], told["nonce"], told["author"]["id"]) == (str(sent.id), "hello", "n1", APP)
    assert (told["guild_id"], told["member"]["roles"], told["channel_type"]) == (LIGHTHOUSE, [*_bot_roles(desk)], 0)
    assert desk.discord.channels[GENERAL].last_message_id == told["id"]


def _bot_roles(desk: Desk) -> list[str]:
    return desk.discord.guilds[LIGHTHOUSE].members[APP].roles


async def test_content_has_two_thousand_characters(desk: Desk) -> None:
    assert (await desk.post("x" * 2000)).status == 200
    refused = await desk.post("x" * 2001)
    assert refused.refusal == (400, 50035)
    assert refused.body["message"] == "Invalid Form Body"
    error = {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}
    assert refused.body["errors"] == {"content": {"_errors": [error]}}


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_an_empty_message_is_refused(desk: Desk, text: str) -> None:
    assert (await desk.post(text)).refusal == (400, 50006)
    message = await desk.posted()
    assert (await desk.edit(message, content=text)).refusal == (400, 50006)


async def test_white_space_at_both_ends_is_taken_off(desk: Desk) -> None:
    assert (await desk.posted(" \n hello\n world \n"))["content"] == "hello\n world"


async def test_embeds_have_limits_one_by_one_and_in_all(desk: Desk) -> None:
    for embeds in (
        [{"title": "x" * 257}],
        [{"description": "x" * 4097}],
        [{"fields": [{"name": "n", "value": "v"}] * 26}],
        [{"fields": [{"name": "n", "value": "x" * 1025}]}],
        [{"description": "x" * 3001}] * 2,
        [{"title": "x"}] * 11,
    ):
        assert (await desk.post(embeds=embeds)).refusal == (400, 50035)
    assert (await desk.post("", embeds=[{"description": "x" * 4096, "footer": {"text": "y" * 1904}}])).status == 200


async def test_components_have_limits(desk: Desk) -> None:
    option = {"label": "one", "value": "1"}
    select = {"type": 3, "custom_id": "s", "options": [option | {"value": str(n)} for n in range(25)]}
    for rows in ([buttons(5)] * 1 + [buttons(5) for _ in range(4)], [{"type": 1, "components": [select]}]):
        assert (await desk.post(components=rows)).status == 200
    too_many = {**select, "options": [option | {"value": str(n)} for n in range(26)]}
    for rows in (
        [buttons(1) for _ in range(6)],
        [buttons(6)],
        [{"type": 1, "components": []}],
        [{"type": 1, "components": [too_many]}],
        [{"type": 1, "components": [{**select, "options": [option, option]}]}],
        [{"type": 1, "components": [select, BUTTON]}],
        [{"type": 1, "components": [BUTTON | {"custom_id": "x" * 101}]}],
        [{"type": 1, "components": [BUTTON | {"label": "x" * 81}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "nothing-to-see"}]}],
        [{"type": 1, "components": [BUTTON, BUTTON]}],
        [BUTTON],
    ):
        assert (await desk.post(components=rows)).refusal == (400, 50035), rows


async def test_components_stay_with_the_message_until_they_are_taken_off(desk: Desk) -> None:
    message = await desk.posted(components=[ROW])
    assert message["components"][0]["components"][0]["custom_id"] == "stop"
    assert desk.last["shown"][0]["components"][0]["components"][0]["label"] == "Stop"
    kept = (await desk.edit(message, content="still")).body
    assert kept["components"] == message["components"]
    assert (await desk.edit(message, components=[])).body["components"] == []


async def test_components_v2_have_their_own_limits_and_cannot_be_taken_back(desk: Desk) -> None:
    text = {"type": 10, "content": "x" * 4000}
    message = await desk.posted("", components=[text], flags=IS_COMPONENTS_V2)
    for body in (
        {"components": [text, {"type": 10, "content": "x"}], "flags": IS_COMPONENTS_V2},
        {"components": [{"type": 10, "content": "x"}] * 41, "flags": IS_COMPONENTS_V2},
        {"content": "both", "components": [text], "flags": IS_COMPONENTS_V2},
        {"components": [text]},
    ):
        assert (await desk.ask("POST", f"/channels/{GENERAL}/messages", body)).refusal == (400, 50035)
    assert (await desk.edit(message, content="text", flags=0)).refusal == (400, 50035)


async def test_a_reply_names_what_it_replies_to(desk: Desk) -> None:
    question = desk.said()
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        sent = await channel.get_partial_message(int(question.id)).reply("answer")
        assert sent.type is discord.MessageType.reply
        assert sent.reference is not None
        assert sent.reference.message_id == int(question.id)
    told = desk.events("MESSAGE_CREATE")[-1]
    assert told["referenced_message"]["content"] == "question"
    assert desk.last["shown"][0]["reply_to"] == question.id


async def test_a_reply_to_what_is_gone_fails_unless_the_app_does_not_mind(desk: Desk) -> None:
    question = desk.said()
    desk.discord.remove(question)
    reference = {"message_id": int(question.id)}
    refused = await desk.post(message_reference=reference)
    assert refused.refusal == (400, 50035)
    assert refused.body["errors"]["message_reference"]["_errors"][0]["code"] == "REPLIES_UNKNOWN_MESSAGE"
    plain = await desk.posted(message_reference=reference | {"fail_if_not_exists": False})
    assert (plain["type"], "message_reference" in plain) == (0, False)


async def test_a_system_message_cannot_be_replied_to(desk: Desk) -> None:
    thread = desk.discord.open_thread(desk.discord.channels[GENERAL], ALICE, "thread")
    system = desk.discord.announce_thread(thread)
    assert (await desk.post(message_reference={"message_id": system.id})).refusal == (400, 50035)


async def test_a_repeated_nonce_gives_back_the_message_for_some_minutes(desk: Desk) -> None:
    first = await desk.posted("one", nonce="turn.0", enforce_nonce=True)
    assert (await desk.posted("two", nonce="turn.0", enforce_nonce=True))["id"] == first["id"]
    assert (desk.last["result"], desk.last["shown"]) == (first["id"], [])
    assert (await desk.posted("three", nonce="turn.0"))["id"] != first["id"]
    desk.later(desk.discord.config.nonce_life + 1)
    assert (await desk.posted("four", nonce="turn.0", enforce_nonce=True))["id"] != first["id"]
    assert (await desk.post(nonce="x" * 26)).refusal == (400, 50035)


async def test_flags_that_an_app_may_set_are_kept(desk: Desk) -> None:
    message = await desk.posted(flags=SUPPRESS_NOTIFICATIONS | SUPPRESS_EMBEDS | EPHEMERAL | HAS_THREAD)
    assert message["flags"] == SUPPRESS_NOTIFICATIONS | SUPPRESS_EMBEDS
    assert (await desk.edit(message, flags=0)).body["flags"] == SUPPRESS_NOTIFICATIONS


async def test_links_get_a_preview_which_is_told_as_an_update_that_edits_nothing(desk: Desk) -> None:
    desk.said("see https://example.org/a")
    update = desk.events("MESSAGE_UPDATE")[-1]
    assert (update["embeds"][0]["url"], update["edited_timestamp"]) == ("https://example.org/a", None)
    before = len(desk.told)
    await desk.posted("see <https://example.org/b>")
    await desk.posted("see https://example.org/c", flags=SUPPRESS_EMBEDS)
    assert [event.type for event in desk.told[before:]] == ["MESSAGE_CREATE"] * 2


# Whom it rings.


async def test_without_allowed_mentions_everything_rings(desk: Desk) -> None:
    desk.allow(permissions.MENTION_EVERYONE)
    message = await desk.posted(f"<@{ALICE}> <@!{BOB}> <@&{READERS}> @everyone")
    assert desk.pings == [ALICE, BOB, f"&{READERS}", "everyone"]
    assert (message["mention_everyone"], message["mention_roles"]) == (True, [READERS])
    assert {one["id"] for one in message["mentions"]} == {ALICE, BOB}


async def test_allowed_mentions_choose_who_is_rung(desk: Desk) -> None:
    desk.allow(permissions.MENTION_EVERYONE)
    text = f"<@{ALICE}> <@{BOB}> <@&{READERS}> @here"
    for allowed, pings in (
        ({"parse": []}, []),
        ({"parse": ["users"]}, [ALICE, BOB]),
        ({"parse": [], "users": [BOB]}, [BOB]),
        ({"parse": ["roles"]}, [f"&{READERS}"]),
        ({"parse": ["everyone"]}, ["everyone"]),
    ):
        await desk.posted(text, allowed_mentions=allowed)
        assert desk.pings == pings, allowed
    assert (await desk.post(allowed_mentions={"parse": ["users"], "users": [BOB]})).refusal == (400, 50035)
    assert (await desk.post(allowed_mentions={"parse": ["anybody"]})).refusal == (400, 50035)


async def test_everyone_and_roles_need_a_permission_or_consent(desk: Desk) -> None:
    await desk.posted(f"@everyone <@&{READERS}> <@&{MODERATORS}>")
    assert desk.pings == [f"&{READERS}"]


async def test_a_reply_rings_whom_it_answers_unless_it_is_told_not_to(desk: Desk) -> None:
    reference = {"message_id": desk.said(user=BOB).id}
    for allowed, pings in (
        ({}, [BOB]),
        ({"allowed_mentions": {"parse": []}}, []),
        ({"allowed_mentions": {"parse": [], "replied_user": True}}, [BOB]),
    ):
        await desk.posted(message_reference=reference, **allowed)
        assert desk.pings == pings


async def test_code_and_edits_ring_nobody(desk: Desk) -> None:
    message = await desk.posted(f"`<@{ALICE}>` ```\n@everyone <@{BOB}>\n```")
    assert desk.pings == []
    edited = (await desk.edit(message, content=f"<@{CAROL}>")).body
    assert (desk.pings, edited["mentions"][0]["id"]) == ([], CAROL)


# Permissions.


async def test_what_the_bot_cannot_see_is_missing_access(desk: Desk) -> None:
    for channel in (LONELY, QUAY):
        assert (await desk.post(channel=channel)).refusal == (403, 50001)
        assert (await desk.ask("GET", f"/channels/{channel}")).refusal == (403, 50001)
    before = len(desk.told)
    desk.said(channel=LONELY)
    assert len(desk.told) == before


async def test_overwrites_count_against_roles(desk: Desk) -> None:
    assert (await desk.post(channel=SILENT)).refusal == (403, 50013)
    assert (await desk.ask("POST", f"/channels/{SILENT}/typing")).refusal == (403, 50013)
    assert (await desk.ask("GET", f"/channels/{SILENT}/messages")).status == 200


@pytest.mark.parametrize(
    ("bit", "more", "code"),
    [
        (permissions.SEND_MESSAGES, {}, 50013),
        (permissions.EMBED_LINKS, {"embeds": [{"title": "x"}]}, 50013),
        (permissions.READ_MESSAGE_HISTORY, {"message_reference": {"message_id": "1"}}, 160002),
    ],
)
async def test_writing_embedding_and_replying_need_permissions(
    desk: Desk, bit: int, more: dict[str, Any], code: int
) -> None:
    desk.deny(bit)
    assert (await desk.post(**more)).refusal == (403, code)


async def test_files_need_a_permission(desk: Desk) -> None:
    desk.deny(permissions.ATTACH_FILES)
    assert (await desk.ask("POST", f"/channels/{GENERAL}/messages", files={"a": b"x"})).refusal == (403, 50013)


async def test_threads_have_permissions_of_their_own(desk: Desk) -> None:
    thread = desk.thread()
    desk.deny(permissions.SEND_MESSAGES_IN_THREADS | permissions.CREATE_PUBLIC_THREADS)
    assert (await desk.post(channel=thread.id)).refusal == (403, 50013)
    assert (await desk.post()).status == 200
    assert (await desk.open_thread(desk.said().id)).refusal == (403, 50013)


async def test_without_message_history_nothing_is_read(desk: Desk) -> None:
    message = desk.said()
    desk.deny(permissions.READ_MESSAGE_HISTORY)
    assert (await desk.ask("GET", f"/channels/{GENERAL}/messages")).body == []
    assert (await desk.ask("GET", f"/channels/{GENERAL}/messages/{message.id}")).refusal == (403, 50001)


async def test_a_forum_is_not_written_in_and_a_voice_channel_is(desk: Desk) -> None:
    assert (await desk.post(channel=FORUM_CHANNEL)).refusal == (400, 50008)
    assert (await desk.post(channel=VOICE_CHANNEL)).status == 200


# Changing and deleting.


async def test_an_edit_is_told_with_its_time(desk: Desk) -> None:
    message = await desk.posted()
    edited = (await desk.edit(message, content="new")).body
    update = desk.events("MESSAGE_UPDATE")[-1]
    assert (update["content"], update["edited_timestamp"]) == ("new", edited["edited_timestamp"])
    assert edited["edited_timestamp"] is not None


async def test_only_the_author_edits_and_moderators_delete(desk: Desk) -> None:
    theirs = desk.said()
    path = f"/channels/{GENERAL}/messages/{theirs.id}"
    assert (await desk.ask("PATCH", path, {"content": "x"})).refusal == (403, 50005)
    assert (await desk.ask("DELETE", path)).refusal == (403, 50013)
    desk.allow(permissions.MANAGE_MESSAGES)
    assert (await desk.ask("DELETE", path)).status == 204
    assert desk.events("MESSAGE_DELETE")[-1]["id"] == theirs.id


async def test_a_deleted_message_is_unknown(desk: Desk) -> None:
    message = await desk.posted()
    path = f"/channels/{GENERAL}/messages/{message['id']}"
    assert (await desk.ask("DELETE", path)).status == 204
    assert desk.last["shown"][0]["gone"]
    for method in ("GET", "PATCH", "DELETE"):
        assert (await desk.ask(method, path, {"content": "x"})).refusal == (404, 10008)
    assert await desk.listed() == []


async def test_a_message_of_the_app_that_somebody_deletes_is_logged(desk: Desk) -> None:
    message = await desk.posted()
    desk.discord.remove(desk.shown(message))
    assert [(one["kind"], one["subject"]) for one in desk.discord.log.entries[-1:]] == [
        ("moderated", f"{GENERAL}/{message['id']}")
    ]


# Reading.


async def test_lists_are_cut_by_before_after_around_and_limit(desk: Desk) -> None:
    ids = [desk.said(str(number)).id for number in range(60)]
    newest = ids[::-1]
    assert await desk.listed() == newest[:50]
    assert await desk.listed(limit=100) == newest
    assert await desk.listed(limit=2, before=ids[10]) == [ids[9], ids[8]]
    assert await desk.listed(limit=2, after=ids[10]) == [ids[12], ids[11]]
    assert await desk.listed(limit=3, around=ids[10]) == [ids[11], ids[10], ids[9]]
    assert (await desk.ask("GET", f"/channels/{GENERAL}/messages", limit=101)).refusal == (400, 50035)
    async with real_client(desk) as client:
        channel = client.get_partial_messageable(int(GENERAL), guild_id=int(LIGHTHOUSE))
        after = [str(one.id) async for one in channel.history(after=discord.Object(int(ids[10])), limit=None)]
        assert after == ids[11:]


async def test_what_was_said_earlier_stands_where_its_time_says(desk: Desk) -> None:
    now = desk.said("now")
    earlier = desk.said("then", at=desk.discord.clock.now() - 3600)
    assert await desk.listed() == [now.id, earlier.id]
    assert desk.discord.channels[GENERAL].last_message_id == now.id


async def test_lists_can_lag_behind(desk: Desk) -> None:
    old, young = desk.said("old"), None
    desk.later(10)
    desk.set(read_lag=5.0)
    young = desk.said("young")
    desk.discord.remove(old)
    assert await desk.listed() == [old.id]
    desk.later(6)
    assert await desk.listed() == [young.id]


async def test_without_the_intent_content_is_hidden_but_where_it_concerns_the_bot(desk: Desk) -> None:
    desk.discord.app.flags = 0
    hidden = desk.said("secret", components=[ROW], embeds=[{"title": "x"}])
    mention = desk.said(f"hi <@{APP}>", mentions=[APP])
    own = await desk.posted("mine", message_reference={"message_id": hidden.id})
    private = desk.said("private", channel=desk.discord.dm(ALICE).id)
    shown = {one["id"]: one for one in (await desk.ask("GET", f"/channels/{GENERAL}/messages")).body}
    found = shown[hidden.id]
    assert (found["content"], found["embeds"], found["components"], found["attachments"]) == ("", [], [], [])
    assert (shown[mention.id]["content"], shown[own["id"]]["content"]) == (f"hi <@{APP}>", "mine")
    assert shown[own["id"]]["referenced_message"]["content"] == ""
    direct = await desk.ask("GET", f"/channels/{private.channel_id}/messages/{private.id}")
    assert direct.body["content"] == "private"


# Reacting and typing.


async def test_reactions_are_told_and_need_a_permission(desk: Desk) -> None:
    message = desk.said()
    path = f"/channels/{GENERAL}/messages/{message.id}/reactions/%F0%9F%91%8D/@me"
    assert (await desk.ask("PUT", path)).status == 204
    assert desk.events("MESSAGE_REACTION_ADD")[-1]["emoji"]["name"] == "👍"
    assert (await desk.ask("DELETE", path)).status == 204
    desk.deny(permissions.ADD_REACTIONS)
    assert (await desk.ask("PUT", path)).refusal == (403, 50013)


async def test_typing_is_told(desk: Desk) -> None:
    assert (await desk.ask("POST", f"/channels/{GENERAL}/typing")).status == 204
    assert desk.events("TYPING_START")[-1]["user_id"] == APP

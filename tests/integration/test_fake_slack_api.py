"""The fake Slack's Web API, one rule a test, through the real slack_sdk."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.prepared import (
    ALICE,
    APP_TOKEN,
    BOB,
    BOT_TOKEN,
    BOT_USER,
    C1,
    C2,
    CAROL,
    DORA,
    GUS,
    LONELY,
    SHARED,
    T1,
    T2,
)
from tests.support.slack_web import Desk, error_of, refused, slack_web

pytestmark = pytest.mark.filterwarnings("ignore:The top-level `text`", "ignore:BasicAuth is deprecated")

BLOCK = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}
METADATA = {"event_type": "kagentbot_turn", "event_payload": {"turn": "t1", "part": 0}}


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with slack_web() as desk:
        yield desk


@pytest.fixture
def app(desk: Desk) -> AsyncWebClient:
    return desk.app


# Tokens, scopes, ways of asking.


async def test_arguments_come_as_json_form_or_query_by_get_or_post(desk: Desk) -> None:
    url, header = f"{desk.slack.origin}/api/", {"Authorization": f"Bearer {BOT_TOKEN}"}
    asked = {"channel": C1}
    answers = []
    for ask in (
        desk.session.get(url + "conversations.info", params=asked, headers=header),
        desk.session.post(url + "conversations.info", params=asked, headers=header),
        desk.session.post(url + "conversations.info", json=asked, headers=header),
        desk.session.post(url + "conversations.info", data=asked, headers=header),
        desk.session.post(url + "conversations.info", data=asked | {"token": BOT_TOKEN}),
        desk.session.get(url + "conversations.info", params=asked | {"token": BOT_TOKEN}),
    ):
        async with ask as response:
            answers.append((await response.json())["channel"]["id"])
    assert answers == [C1] * 6


async def test_a_method_that_slack_does_not_have_is_unknown(app: AsyncWebClient) -> None:
    assert await error_of(app.api_call("chat.shout")) == "unknown_method"


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_call_needs_a_token_that_exists(desk: Desk, token: str, error: str) -> None:
    assert await error_of(desk.client(token).auth_test()) == error


async def test_a_revoked_token_and_a_removed_app_have_errors_of_their_own(desk: Desk, app: AsyncWebClient) -> None:
    desk.slack.revoke(T1)
    assert await error_of(app.auth_test()) == "token_revoked"
    fresh = desk.slack.install(T1)
    desk.slack.uninstall(T1)
    assert await error_of(desk.client(fresh.token).auth_test()) == "account_inactive"


async def test_each_kind_of_token_is_good_for_its_own_methods(desk: Desk, app: AsyncWebClient) -> None:
    assert await error_of(app.apps_connections_open(app_token=BOT_TOKEN)) == "not_allowed_token_type"
    assert await error_of(desk.client(APP_TOKEN).chat_postMessage(channel=C1, text="x")) == "not_allowed_token_type"


async def test_a_missing_scope_is_named_with_those_that_are_there(desk: Desk, app: AsyncWebClient) -> None:
    desk.slack.install(T1, scopes=["chat:write"])
    answer = await refused(app.users_info(user=ALICE))
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "users:read", "chat:write")


async def test_auth_test_tells_who_it_is_and_the_scopes_in_a_header(app: AsyncWebClient) -> None:
    answer = await app.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["is_enterprise_install"]) == (T1, BOT_USER, False)
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_auth_revoke_ends_the_token_and_tells_the_app(desk: Desk, app: AsyncWebClient) -> None:
    assert (await app.auth_revoke(test=True))["revoked"] is False
    assert (await app.auth_revoke())["revoked"] is True
    assert await error_of(app.auth_test()) == "token_revoked"
    assert desk.events("tokens_revoked")[0]["tokens"] == {"oauth": [], "bot": [BOT_USER]}


async def test_an_org_install_has_no_team_and_reaches_every_workspace_of_it(desk: Desk) -> None:
    for team in ("T7", "T8"):
        desk.slack.add_workspace(team, enterprise_id="E1")
    install = desk.slack.install("T7", org=True)
    desk.slack.add_channel("C8", "T8", members=[install.bot_user])
    client = desk.client(install.token)
    assert (await client.auth_test())["is_enterprise_install"] is True
    assert (await client.chat_postMessage(channel="C8", text="hello"))["ok"]
    assert await error_of(client.chat_postMessage(channel=C1, text="hello")) == "channel_not_found"


async def test_a_socket_address_is_given_for_the_app_token(desk: Desk) -> None:
    url = (await desk.app.apps_connections_open(app_token=APP_TOKEN))["url"]
    assert url.startswith(desk.slack.origin.replace("http", "ws") + "/link/?ticket=")
    assert len(desk.slack.tickets) == 1


# OAuth.


async def _exchange(desk: Desk, code: str, secret: str = "fake-client-secret", **more: Any) -> Any:
    client = AsyncWebClient(base_url=f"{desk.slack.origin}/api/", session=desk.session, retry_handlers=[])
    return await client.oauth_v2_access(client_id="1.1", client_secret=secret, code=code, **more)


def _code(desk: Desk, redirect_uri: str = "") -> str:
    query = desk.slack.consent(T2, DORA, "chat:write,users:read", "s1", redirect_uri)
    assert query.endswith("state=s1")
    return query.removeprefix("code=").partition("&")[0]


async def test_a_code_becomes_a_token_once(desk: Desk) -> None:
    code = _code(desk)
    answer = await _exchange(desk, code)
    assert (answer["team"]["id"], answer["scope"]) == (T2, "chat:write,users:read")
    assert (await desk.client(answer["access_token"]).auth_test())["team_id"] == T2
    assert await error_of(_exchange(desk, code)) == "code_already_used"


async def test_a_code_dies_and_is_bound_to_its_app_and_redirect(desk: Desk) -> None:
    code = _code(desk, "https://bot.test/back")
    assert await error_of(_exchange(desk, "nonsense")) == "invalid_code"
    assert await error_of(_exchange(desk, code, secret="wrong")) == "bad_client_secret"
    assert await error_of(_exchange(desk, code)) == "bad_redirect_uri"
    desk.later = 601
    assert await error_of(_exchange(desk, code, redirect_uri="https://bot.test/back")) == "invalid_code"


async def test_a_token_is_not_refreshed_while_rotation_is_off(desk: Desk) -> None:
    call = _exchange(desk, "", grant_type="refresh_token", refresh_token="xoxe-1")
    assert await error_of(call) == "token_rotation_not_enabled"


async def test_an_org_install_comes_without_a_team(desk: Desk) -> None:
    desk.slack.add_workspace("T7", enterprise_id="E1")
    desk.slack.add_user("U7", "T7", "seven")
    query = desk.slack.consent("T7", "U7", "chat:write", "s1", org=True)
    answer = await _exchange(desk, query.removeprefix("code=").partition("&")[0])
    assert (answer["team"], answer["enterprise"]["id"], answer["is_enterprise_install"]) == (None, "E1", True)


# Posting.


async def test_a_post_is_not_idempotent_and_its_ts_increase(app: AsyncWebClient) -> None:
    first, second = [(await app.chat_postMessage(channel=C1, text="same"))["ts"] for _ in range(2)]
    assert first < second


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "no_text"),
        ({"text": "  "}, "no_text"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"blocks": [BLOCK], "markdown_text": "b"}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"blocks": [{"type": "markdown", "text": "x" * 7_000}] * 2}, "msg_blocks_too_long"),
        ({"blocks": [{**BLOCK, "text": {"type": "mrkdwn", "text": "x" * 3_000}}] * 5}, "msg_blocks_too_long"),
        ({"text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"text": "a", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"text": "a", "username": "Ada"}, "missing_scope"),
        ({"text": "a", "attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
    ],
)
async def test_what_a_message_may_not_be(app: AsyncWebClient, arguments: dict[str, Any], error: str) -> None:
    assert await error_of(app.chat_postMessage(channel=C1, **arguments)) == error


async def test_markdown_of_twelve_thousand_characters_fits(app: AsyncWebClient) -> None:
    answer = await app.chat_postMessage(channel=C1, markdown_text="x" * 12_000)
    assert len(answer["message"]["text"]) == 12_000


async def test_a_long_text_is_cut_at_forty_thousand(app: AsyncWebClient) -> None:
    answer = await app.chat_postMessage(channel=C1, text="x" * 40_001)
    assert len(answer["message"]["text"]) == 40_000


def _element(**more: Any) -> dict[str, Any]:
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "b"}}
    return {"type": "actions", "elements": [button | more]}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "nonsense"},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11},
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
        {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11},
        {"type": "actions", "elements": [_element()["elements"][0] | {"action_id": f"a{n}"} for n in range(26)]},
        {"type": "actions", "elements": _element()["elements"] * 2},
        {"type": "actions", "elements": []},
        _element(text={"type": "plain_text", "text": "x" * 76}),
        _element(value="x" * 2_001),
        _element(action_id="x" * 256),
        {**BLOCK, "block_id": "x" * 256},
        {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "f"}]},
        {"type": "image", "alt_text": "chart", "slack_file": {"id": "F404"}},
        {"type": "image", "alt_text": "x" * 2_001, "image_url": "https://example.org/a.png"},
        {"type": "data_visualization", "title": "x" * 51, "chart": {"type": "pie", "segments": [{"label": "a"}]}},
    ],
)
async def test_what_a_block_may_not_be(app: AsyncWebClient, block: dict[str, Any]) -> None:
    assert await error_of(app.chat_postMessage(channel=C1, text="a", blocks=[block])) == "invalid_blocks"


async def test_fifty_blocks_fit_and_one_more_does_not(app: AsyncWebClient) -> None:
    assert (await app.chat_postMessage(channel=C1, blocks=[{"type": "divider"}] * 50))["ok"]
    assert await error_of(app.chat_postMessage(channel=C1, blocks=[{"type": "divider"}] * 51)) == "invalid_blocks"


async def test_where_the_bot_may_not_write(desk: Desk, app: AsyncWebClient) -> None:
    desk.slack.add_channel("C9", T1, members=[BOT_USER])
    desk.slack.archive("C9")
    desk.slack.kick(C2, BOT_USER)
    errors = [await error_of(app.chat_postMessage(channel=name, text="a")) for name in ("C404", LONELY, "C9", C2)]
    assert errors == ["channel_not_found", "not_in_channel", "is_archived", "channel_not_found"]


async def test_a_direct_message_needs_the_messages_tab(desk: Desk, app: AsyncWebClient) -> None:
    assert (await app.chat_postMessage(channel=ALICE, text="hello"))["channel"] == desk.slack.dm(T1, ALICE).id
    desk.slack.app.messages_tab = False
    assert await error_of(app.chat_postMessage(channel=ALICE, text="hello")) == "messages_tab_disabled"


async def test_a_name_of_its_own_makes_it_a_bot_message_without_a_user(desk: Desk, app: AsyncWebClient) -> None:
    desk.slack.install(T1, scopes=[*desk.slack.app.scopes, "chat:write.customize"])
    await app.chat_postMessage(channel=C1, text="hello", username="Ada", icon_emoji=":owl:")
    event = desk.events("message", "bot_message")[0]
    assert (event["username"], event["bot_id"], "user" in event) == ("Ada", "BBOTT1", False)


async def test_an_update_replaces_text_and_keeps_blocks_that_are_not_named(desk: Desk, app: AsyncWebClient) -> None:
    ts = (await app.chat_postMessage(channel=C1, text="one", blocks=[BLOCK], metadata=METADATA))["ts"]
    answer = await app.chat_update(channel=C1, ts=ts, text="two")
    assert (answer["text"], len(answer["message"]["blocks"]), answer["message"]["metadata"]) == ("two", 1, METADATA)
    cleared = await app.chat_update(channel=C1, ts=ts, text="two", blocks=[])
    assert "blocks" not in cleared["message"]
    assert len(desk.events("message", "message_changed")) == 2


async def test_an_update_takes_less_text_than_a_post(app: AsyncWebClient) -> None:
    ts = (await app.chat_postMessage(channel=C1, text="one"))["ts"]
    assert await error_of(app.chat_update(channel=C1, ts=ts, text="x" * 4_001)) == "msg_too_long"
    assert (await app.chat_update(channel=C1, ts=ts, markdown_text="x" * 12_000))["ok"]


async def test_only_own_messages_can_be_changed_or_deleted(desk: Desk, app: AsyncWebClient) -> None:
    ts = desk.said()
    assert await error_of(app.chat_update(channel=C1, ts=ts, text="x")) == "cant_update_message"
    assert await error_of(app.chat_delete(channel=C1, ts=ts)) == "cant_delete_message"
    assert await error_of(app.chat_update(channel=C1, ts="1.000001", text="x")) == "message_not_found"


async def test_a_deleted_message_is_gone_and_told(desk: Desk, app: AsyncWebClient) -> None:
    ts = (await app.chat_postMessage(channel=C1, text="one"))["ts"]
    await app.chat_delete(channel=C1, ts=ts)
    assert await error_of(app.chat_update(channel=C1, ts=ts, text="x")) == "message_not_found"
    assert desk.events("message", "message_deleted")[0]["deleted_ts"] == ts


async def test_an_ephemeral_message_is_for_one_person_and_cannot_be_changed(desk: Desk, app: AsyncWebClient) -> None:
    before = len(desk.sent)
    ts = (await app.chat_postEphemeral(channel=C1, user=BOB, text="psst"))["message_ts"]
    assert await error_of(app.chat_update(channel=C1, ts=ts, text="x")) == "message_not_found"
    assert (await app.conversations_history(channel=C1))["messages"] == []
    assert len(desk.sent) == before
    assert desk.calls()[0]["shown"][0]["ephemeral_to"] == BOB
    desk.slack.kick(C1, BOB)
    assert await error_of(app.chat_postEphemeral(channel=C1, user=BOB, text="psst")) == "user_not_in_channel"


@pytest.mark.parametrize(
    ("arguments", "rang"),
    [
        ({"text": "<!channel> hi"}, ["<!channel>"]),
        ({"markdown_text": f"hi <@{BOB}>"}, [f"<@{BOB}>"]),
        ({"text": "a", "blocks": [{**BLOCK, "text": {"type": "mrkdwn", "text": "<!subteam^S1>"}}]}, ["<!subteam^S1>"]),
        ({"text": "@here"}, []),
        ({"text": "@here", "link_names": True}, ["@here"]),
        ({"text": "&lt;!channel&gt; <https://a.test|x>"}, []),
    ],
)
async def test_the_log_says_whose_phone_rang(
    desk: Desk, app: AsyncWebClient, arguments: dict[str, Any], rang: list[str]
) -> None:
    await app.chat_postMessage(channel=C1, **arguments)
    assert desk.calls()[0]["shown"][0]["pings"] == rang


# Reading.


async def test_a_thread_has_its_root_on_every_page(desk: Desk, app: AsyncWebClient) -> None:
    root = desk.said("root")
    for number in range(3):
        desk.said(f"reply {number}", thread_ts=root)
    first = await app.conversations_replies(channel=C1, ts=root, limit=2)
    assert [message["text"] for message in first["messages"]] == ["root", "reply 0", "reply 1"]
    cursor = first["response_metadata"]["next_cursor"]
    second = await app.conversations_replies(channel=C1, ts=root, limit=2, cursor=cursor)
    assert [message["text"] for message in second["messages"]] == ["root", "reply 2"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert await error_of(app.conversations_replies(channel=C1, ts=root, cursor="nonsense")) == "invalid_cursor"
    assert await error_of(app.conversations_replies(channel=C1, ts="1.000001")) == "thread_not_found"


async def test_history_is_newest_first_without_threads(desk: Desk, app: AsyncWebClient) -> None:
    root = desk.said("one")
    desk.said("inside", thread_ts=root)
    desk.said("told all", thread_ts=root, broadcast=True)
    desk.said("two")
    messages = (await app.conversations_history(channel=C1))["messages"]
    assert [message["text"] for message in messages] == ["two", "told all", "one"]
    page = await app.conversations_history(channel=C1, oldest=root, limit=1)
    assert ([message["text"] for message in page["messages"]], page["has_more"]) == (["two"], True)


async def test_reads_lag_behind_writes(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(read_lag=5.0)
    ts = (await app.chat_postMessage(channel=C1, text="one"))["ts"]
    assert (await app.conversations_history(channel=C1))["messages"] == []
    desk.later = 6
    assert len((await app.conversations_history(channel=C1))["messages"]) == 1
    await app.chat_delete(channel=C1, ts=ts)
    assert len((await app.conversations_history(channel=C1))["messages"]) == 1
    desk.later = 12
    assert (await app.conversations_history(channel=C1))["messages"] == []


async def test_metadata_is_listed_when_asked_for(app: AsyncWebClient) -> None:
    ts = (await app.chat_postMessage(channel=C1, text="one", metadata=METADATA))["ts"]
    assert "metadata" not in (await app.conversations_replies(channel=C1, ts=ts))["messages"][0]
    asked = await app.conversations_replies(channel=C1, ts=ts, include_all_metadata=True)
    assert asked["messages"][0]["metadata"] == METADATA


async def test_an_unlisted_app_reads_fifteen_messages_once_a_minute(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(unlisted=True)
    for _ in range(20):
        desk.said()
    assert len((await app.conversations_history(channel=C1))["messages"]) == 15
    assert await error_of(app.conversations_history(channel=C1)) == "ratelimited"


async def test_reading_needs_the_scope_of_the_kind_of_channel(desk: Desk, app: AsyncWebClient) -> None:
    desk.slack.install(T1, scopes=["channels:history"])
    assert (await refused(app.conversations_history(channel=C2)))["needed"] == "groups:history"
    assert await error_of(app.conversations_history(channel=LONELY)) == "not_in_channel"


async def test_channels_and_their_members_can_be_looked_up(app: AsyncWebClient) -> None:
    assert (await app.conversations_info(channel=C2))["channel"]["is_private"] is True
    assert (await app.conversations_info(channel=SHARED))["channel"]["is_ext_shared"] is True
    page = await app.conversations_members(channel=C2, limit=2)
    rest = await app.conversations_members(channel=C2, limit=2, cursor=page["response_metadata"]["next_cursor"])
    assert {*page["members"], *rest["members"]} == {ALICE, BOB, BOT_USER}


async def test_the_channels_of_the_bot_are_listed_with_the_scope_of_their_kind(desk: Desk, app: AsyncWebClient) -> None:
    listed = await app.users_conversations(types="public_channel")
    names = [one["id"] for one in listed["channels"]]
    assert C1 in names
    assert LONELY not in names
    few = desk.slack.install(T1, scopes=["chat:write", "channels:read"]).token
    asked = app.users_conversations(types="public_channel,private_channel", token=few)
    assert await error_of(asked) == "missing_scope"


async def test_a_conversation_is_opened_with_one_person_or_several(desk: Desk, app: AsyncWebClient) -> None:
    assert (await app.conversations_open(users=[BOB]))["channel"]["id"] == desk.slack.dm(T1, BOB).id
    group = (await app.conversations_open(users=[ALICE, BOB], token=_with_mpim(desk)))["channel"]["id"]
    assert desk.slack.channels[group].kind == "mpim"
    assert await error_of(app.conversations_open(users=["U404"])) == "user_not_found"


def _with_mpim(desk: Desk) -> str:
    return desk.slack.install(T1, scopes=[*desk.slack.app.scopes, "mpim:write"]).token


async def test_people_are_members_guests_admins_and_strangers(app: AsyncWebClient) -> None:
    people = {
        name: (await app.users_info(user=name, include_locale=True))["user"] for name in (ALICE, CAROL, GUS, DORA)
    }
    assert people[ALICE]["is_admin"] is True
    assert (people[CAROL]["tz"], people[CAROL]["locale"]) == ("Asia/Shanghai", "zh-CN")
    assert people[GUS]["is_restricted"] is True
    assert (people[DORA]["is_stranger"], people[DORA]["team_id"], "is_admin" in people[DORA]) == (True, T2, False)
    assert (await app.team_info())["team"]["name"] == "Lighthouse"


# Limits and faults.


async def test_posts_are_about_one_a_second_and_channel_after_a_burst(desk: Desk, app: AsyncWebClient) -> None:
    for _ in range(5):
        await app.chat_postMessage(channel=C1, text="x")
    answer = await _raw(desk, "chat.postMessage", channel=C1, text="x")
    assert answer == (429, {"ok": False, "error": "ratelimited"}, "1")
    await app.chat_postMessage(channel=C2, text="another channel")
    desk.later = 1.1
    await app.chat_postMessage(channel=C1, text="x")


async def test_the_posts_of_a_whole_workspace_are_limited_too(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(workspace_posts=2)
    for name in (C1, C2):
        await app.chat_postMessage(channel=name, text="x")
    assert await error_of(app.chat_postMessage(channel=SHARED, text="x")) == "ratelimited"


async def _raw(desk: Desk, method: str, **arguments: Any) -> tuple[int, Any, str | None]:
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    async with desk.session.post(f"{desk.slack.origin}/api/{method}", json=arguments, headers=headers) as response:
        return response.status, await _body(response), response.headers.get("Retry-After")


async def _body(response: aiohttp.ClientResponse) -> Any:
    return await response.json() if response.content_type == "application/json" else await response.text()


async def test_a_tier_is_shared_by_all_channels_of_a_workspace(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(tier_factor=0.04)
    for name in (C1, C2):
        await app.conversations_info(channel=name)
    status, _, wait = await _raw(desk, "conversations.info", channel=SHARED)
    assert (status, wait) == (429, "30")
    await _raw(desk, "conversations.info", channel=SHARED)
    assert [entry["early"] for entry in desk.calls()] == [False, False, False, True]
    other = desk.slack.install(T2)
    assert (await desk.client(other.token).conversations_info(channel=SHARED))["ok"]


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("unavailable", 500, None),
        ("html", 503, None),
        ("internal_error", 200, "internal_error"),
        ("fatal_error", 200, "fatal_error"),
        ("ratelimited", 429, "ratelimited"),
        ("is_inactive", 200, "is_inactive"),
    ],
)
async def test_a_call_that_fails_with_nothing_done(desk: Desk, fault: str, status: int, error: str | None) -> None:
    desk.script("chat.postMessage", fault)
    answered, body, _ = await _raw(desk, "chat.postMessage", channel=C1, text="x")
    assert answered == status
    assert error is None or body["error"] == error
    assert (desk.calls()[0]["accepted"], desk.slack.messages) == (False, {})


@pytest.mark.parametrize(("fault", "posted"), [("reset", 0), ("done_reset", 1)])
async def test_a_connection_breaks_before_or_after_the_call(
    desk: Desk, app: AsyncWebClient, fault: str, posted: int
) -> None:
    desk.script("chat.postMessage", fault)
    with pytest.raises(aiohttp.ClientError):
        await app.chat_postMessage(channel=C1, text="x")
    assert len(desk.slack.messages) == posted


@pytest.mark.parametrize(("fault", "told"), [("done_unavailable", "500"), ("done_internal_error", "internal_error")])
async def test_a_call_can_be_done_and_answered_with_an_error(desk: Desk, fault: str, told: str) -> None:
    desk.script("chat.postMessage", fault)
    status, _, _ = await _raw(desk, "chat.postMessage", channel=C1, text="x")
    assert status == (500 if told == "500" else 200)
    assert (len(desk.slack.messages), desk.calls()[0]["told"]) == (1, told)


@pytest.mark.parametrize("fault", ["late", "done_late"])
async def test_a_late_call_is_done_before_or_after_the_wait(desk: Desk, app: AsyncWebClient, fault: str) -> None:
    desk.set(late=0.2)
    desk.script("chat.postMessage", fault)
    called = time.time()
    ts = (await app.chat_postMessage(channel=C1, text="x"))["ts"]
    done = desk.slack.message(C1, ts).created_at
    assert (done - called if fault == "late" else time.time() - done) >= 0.2
    assert desk.calls()[0]["told"] == "nothing in time"


async def test_a_script_can_wait_and_choose_its_channel(desk: Desk, app: AsyncWebClient) -> None:
    desk.script("chat.postMessage", "internal_error", skip=1, channel=C2)
    await app.chat_postMessage(channel=C1, text="x")
    await app.chat_postMessage(channel=C2, text="x")
    assert await error_of(app.chat_postMessage(channel=C2, text="x")) == "internal_error"
    await app.chat_postMessage(channel=C2, text="x")

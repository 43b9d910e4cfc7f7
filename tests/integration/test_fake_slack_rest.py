"""The fake Slack's modals, files, response_urls and events, one rule a test, through the real slack_sdk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import rules
from tests.fakes.slack.prepared import (
    ALICE,
    BOB,
    BOT_TOKEN,
    BOT_USER,
    C1,
    C2,
    DORA,
    LONELY,
    ROBOT,
    SHARED,
    T1,
    T2,
    USER_TOKEN,
)
from tests.fakes.slack.world import SlackError
from tests.support.slack_web import Desk, error_of, slack_web

BLOCK = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with slack_web() as desk:
        yield desk


@pytest.fixture
def app(desk: Desk) -> AsyncWebClient:
    return desk.app


# Views.


def _modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": "Profile"}, "blocks": [BLOCK]} | more


async def test_a_trigger_opens_one_view(desk: Desk, app: AsyncWebClient) -> None:
    trigger = desk.slack.trigger(T1, ALICE)
    view = (await app.views_open(trigger_id=trigger, view=_modal()))["view"]
    assert desk.slack.views[view["id"]].user == ALICE
    assert view["blocks"][0]["block_id"]
    assert await error_of(app.views_open(trigger_id=trigger, view=_modal())) == "exchanged_trigger_id"


async def test_a_trigger_lives_three_seconds(desk: Desk, app: AsyncWebClient) -> None:
    trigger = desk.slack.trigger(T1, ALICE)
    desk.later = 3.1
    assert await error_of(app.views_open(trigger_id=trigger, view=_modal())) == "expired_trigger_id"
    assert await error_of(app.views_open(trigger_id="made up", view=_modal())) == "invalid_trigger_id"


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"blocks": [{"type": "divider"}] * 101},
        {"private_metadata": "x" * 3_001},
        {"callback_id": "x" * 256},
        {"type": "home"},
        {"blocks": [{"type": "markdown", "text": "x"}]},
        {
            "blocks": [
                {"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "datepicker"}}
            ]
        },
    ],
)
async def test_what_a_modal_may_not_be(desk: Desk, app: AsyncWebClient, change: dict[str, Any]) -> None:
    call = app.views_open(trigger_id=desk.slack.trigger(T1, ALICE), view=_modal() | change)
    assert await error_of(call) == "invalid_arguments"


async def test_three_modals_can_be_stacked(desk: Desk, app: AsyncWebClient) -> None:
    await app.views_open(trigger_id=desk.slack.trigger(T1, ALICE), view=_modal())
    for _ in range(2):
        await app.views_push(trigger_id=desk.slack.trigger(T1, ALICE), view=_modal())
    push = app.views_push(trigger_id=desk.slack.trigger(T1, ALICE), view=_modal())
    assert await error_of(push) == "push_limit_reached"


async def test_a_view_is_updated_unless_it_changed_meanwhile(desk: Desk, app: AsyncWebClient) -> None:
    view = (await app.views_open(trigger_id=desk.slack.trigger(T1, ALICE), view=_modal()))["view"]
    updated = await app.views_update(view_id=view["id"], hash=view["hash"], view=_modal(callback_id="second"))
    assert updated["view"]["callback_id"] == "second"
    again = app.views_update(view_id=view["id"], hash=view["hash"], view=_modal())
    assert await error_of(again) == "hash_conflict"
    assert await error_of(app.views_update(view_id="V404", view=_modal())) == "not_found"


async def test_a_home_is_published_for_one_person(desk: Desk, app: AsyncWebClient) -> None:
    await app.views_publish(user_id=BOB, view={"type": "home", "blocks": [BLOCK]})
    assert list(desk.slack.homes) == [(T1, BOB)]
    assert await error_of(app.views_publish(user_id=DORA, view={"type": "home", "blocks": []})) == "user_not_found"


# Files.


async def test_a_file_is_announced_sent_and_completed(desk: Desk, app: AsyncWebClient) -> None:
    root = desk.said()
    answer = await app.files_upload_v2(
        content="a,b\n1,2\n", filename="scores.csv", title="Scores", channel=C1, thread_ts=root, initial_comment="here"
    )
    file = answer["files"][0]
    assert desk.slack.files[file["id"]].content == b"a,b\n1,2\n"
    posted = desk.events("message", "file_share")[0]
    assert (posted["text"], posted["thread_ts"], posted["files"][0]["name"]) == ("here", root, "scores.csv")
    assert (await app.files_info(file=file["id"]))["file"]["size"] == 8


async def test_a_file_without_its_bytes_cannot_be_completed(desk: Desk, app: AsyncWebClient) -> None:
    slot = await app.files_getUploadURLExternal(filename="x.txt", length=5)
    complete = app.files_completeUploadExternal(files=[{"id": slot["file_id"]}], channel_id=C1)
    assert await error_of(complete) == "file_not_found"
    async with desk.session.post(slot["upload_url"], data=b"too many bytes") as response:
        assert response.status == 400


async def _uploaded(desk: Desk, app: AsyncWebClient, name: str = "chart.png") -> str:
    """A file that was completed without a channel."""
    slot = await app.files_getUploadURLExternal(filename=name, length=3)
    async with desk.session.post(slot["upload_url"], data=b"png") as response:
        assert response.status == 200
    await app.files_completeUploadExternal(files=[{"id": slot["file_id"], "title": name}])
    return str(slot["file_id"])


async def test_a_file_that_is_completed_without_a_channel_is_in_none(desk: Desk, app: AsyncWebClient) -> None:
    file = await _uploaded(desk, app)
    assert (await app.files_info(file=file))["file"]["channels"] == []
    assert desk.events("message", "file_share") == []


async def test_a_file_is_processed_for_a_while_after_its_completion(desk: Desk, app: AsyncWebClient) -> None:
    desk.set(file_processing=60.0)
    file = await _uploaded(desk, app)
    assert (await app.files_info(file=file))["file"]["mimetype"] == ""
    desk.later = 61.0
    assert (await app.files_info(file=file))["file"]["mimetype"] == "image/png"


async def test_an_image_block_takes_no_file_that_is_unknown_unprocessed_or_no_picture(
    desk: Desk, app: AsyncWebClient
) -> None:
    text = await _uploaded(desk, app, "notes.txt")
    desk.set(file_processing=60.0)
    for file in ("F404", text, await _uploaded(desk, app)):
        image = {"type": "image", "alt_text": "chart", "slack_file": {"id": file}}
        assert await error_of(app.chat_postMessage(channel=C1, text="chart", blocks=[image])) == "invalid_blocks"


async def test_an_uploaded_picture_can_be_part_of_a_message(desk: Desk, app: AsyncWebClient) -> None:
    file = desk.slack.add_file(T1, BOT_USER, "chart.png", b"png", "image/png")
    image = {"type": "image", "alt_text": "chart", "slack_file": {"id": file.id}}
    assert (await app.chat_postMessage(channel=C1, text="chart", blocks=[image]))["ok"]


async def _download(desk: Desk, token: str, *, follow: bool = False) -> tuple[int, bytes, str]:
    file = desk.slack.add_file(T1, ALICE, "notes.txt", b"notes", "text/plain")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{desk.slack.origin}/files/download/T1-{file.id}/notes.txt"
    async with desk.session.get(url, headers=headers, allow_redirects=follow) as response:
        return response.status, await response.read(), response.headers.get("Location", "")


async def test_a_download_needs_the_bots_token(desk: Desk) -> None:
    assert await _download(desk, BOT_TOKEN) == (200, b"notes", "")
    status, _, location = await _download(desk, "")
    assert (status, location) == (302, f"{desk.slack.origin}/files/signin")
    status, page, _ = await _download(desk, "xoxb-wrong", follow=True)
    assert (status, b"Sign in" in page) == (200, True)


async def test_a_download_needs_its_scope(desk: Desk) -> None:
    desk.slack.install(T1, scopes=["chat:write"])
    assert (await _download(desk, BOT_TOKEN))[0] == 302


async def test_a_download_can_lead_to_another_host_which_notes_a_leaked_token(desk: Desk) -> None:
    desk.script("files.download", "redirect")
    status, _, location = await _download(desk, BOT_TOKEN)
    assert (status, location.startswith("http://localhost:")) == (302, True)
    path = desk.slack.origin + location[location.index("/files/") :]
    async with desk.session.get(path, headers={"Authorization": f"Bearer {BOT_TOKEN}"}) as response:
        assert await response.read() == b"notes"
    assert desk.slack.log.entries[-1]["leaked"] is True


async def test_a_file_of_another_workspace_is_seen_where_it_is_shared(desk: Desk, app: AsyncWebClient) -> None:
    file = desk.slack.add_file(T2, DORA, "plan.pdf", b"pdf")
    assert await error_of(app.files_info(file=file.id)) == "file_not_found"
    desk.said(channel=SHARED, user=DORA, team=T2, files=[file.id])
    assert (await app.files_info(file=file.id))["file"]["user_team"] == T2


# response_url.


async def _respond(desk: Desk, url: str, **body: Any) -> tuple[int, str]:
    async with desk.session.post(url, json=body) as response:
        return response.status, await response.text()


async def test_a_response_url_takes_five_posts(desk: Desk) -> None:
    url = desk.slack.response_url(T1, LONELY, BOB)
    for _ in range(5):
        assert await _respond(desk, url, text="for your eyes") == (200, "ok")
    status, text = await _respond(desk, url, text="one too many")
    assert (status, "used_url" in text) == (404, True)
    shown = [entry["shown"][0]["ephemeral_to"] for entry in desk.slack.log.entries if entry.get("accepted")]
    assert shown == [BOB] * 5


async def test_a_response_url_lives_half_an_hour(desk: Desk) -> None:
    url = desk.slack.response_url(T1, C1, BOB)
    desk.later = 1_801
    status, text = await _respond(desk, url, text="late")
    assert (status, "expired_url" in text) == (404, True)


async def test_a_response_url_can_speak_to_all_replace_and_delete(desk: Desk, app: AsyncWebClient) -> None:
    ts = (await app.chat_postMessage(channel=C1, text="press me", blocks=[BLOCK]))["ts"]
    url = desk.slack.response_url(T1, C1, BOB, ts)
    await _respond(desk, url, text="all", response_type="in_channel")
    assert (await app.conversations_history(channel=C1))["messages"][0]["text"] == "all"
    await _respond(desk, url, text="pressed", replace_original=True)
    assert desk.slack.seen(desk.slack.message(C1, ts))["visible"] == "pressed"
    await _respond(desk, url, delete_original=True)
    with pytest.raises(SlackError, match="message_not_found"):
        desk.slack.message(C1, ts)


# Events that follow from what people and the app do.


async def test_a_mention_comes_twice_with_one_ts_and_two_event_ids(desk: Desk) -> None:
    ts = desk.said(f"<@{BOT_USER}> hi")
    twins = [envelope.payload for envelope in desk.sent]
    assert [body["event"]["type"] for body in twins] == ["message", "app_mention"]
    assert {body["event"]["ts"] for body in twins} == {ts}
    assert len({body["event"]["client_msg_id"] for body in twins}) == 1
    assert len({body["event_id"] for body in twins}) == 2


async def test_a_mention_in_a_direct_message_comes_once(desk: Desk) -> None:
    desk.said(f"<@{BOT_USER}> hi", channel=desk.slack.dm(T1, ALICE).id)
    assert [(event["type"], event["channel_type"]) for event in desk.events()] == [("message", "im")]


async def test_the_root_of_a_direct_message_has_no_thread(desk: Desk) -> None:
    dm = desk.slack.dm(T1, ALICE).id
    root = desk.said(channel=dm, context={"entities": []})
    desk.said("more", channel=dm, thread_ts=root)
    first, second = desk.events("message", "")
    assert ("thread_ts" in first, first["app_context"], second["thread_ts"]) == (False, {"entities": []}, root)
    assert second["parent_user_id"] == ALICE


@pytest.mark.parametrize(("channel", "kind"), [(C1, "channel"), (C2, "group")])
async def test_an_event_needs_membership_subscription_and_scope(desk: Desk, channel: str, kind: str) -> None:
    name = {"channel": "message.channels", "group": "message.groups"}[kind]
    desk.said(channel=channel)
    assert [event["channel_type"] for event in desk.events()] == [kind]
    desk.slack.app.events -= {name}
    desk.said(channel=channel)
    desk.slack.app.events |= {name}
    desk.slack.install(T1, scopes=["chat:write"])
    desk.said(channel=channel)
    desk.slack.install(T1)
    desk.slack.kick(channel, BOT_USER)
    desk.said(channel=channel)
    assert len(desk.sent) == 1


async def test_a_reply_changes_its_thread_s_root(desk: Desk) -> None:
    root = desk.said("root")
    desk.said("reply", thread_ts=root)
    changed = desk.events("message", "message_changed")[0]
    assert (changed["message"]["text"], changed["message"]["reply_count"]) == ("root", 1)
    assert changed["previous_message"]["text"] == "root"


async def test_an_edit_changes_the_text_and_mentions_nobody_again(desk: Desk) -> None:
    ts = desk.said(f"<@{BOT_USER}> one")
    desk.slack.edit(C1, ts, f"<@{BOT_USER}> two")
    changed = desk.events("message", "message_changed")[0]
    assert (changed["previous_message"]["text"][-3:], changed["message"]["text"][-3:]) == ("one", "two")
    assert "edited" in changed["message"]
    assert len(desk.events("app_mention")) == 1


async def test_a_link_is_unfurled_unless_the_app_forbids_it(desk: Desk, app: AsyncWebClient) -> None:
    desk.said("see https://a.test/x")
    changed = desk.events("message", "message_changed")
    assert (changed[0]["message"]["text"], "edited" in changed[0]["message"]) == ("see https://a.test/x", False)
    await app.chat_postMessage(channel=C1, text="https://a.test", unfurl_links=False, unfurl_media=False)
    assert len(desk.events("message", "message_changed")) == 1
    await app.chat_postMessage(channel=C1, text="https://a.test")
    assert len(desk.events("message", "message_changed")) == 2


async def test_a_deletion_is_told_and_the_thread_is_gone(desk: Desk, app: AsyncWebClient) -> None:
    root = desk.said("root")
    desk.slack.delete(C1, root)
    assert desk.events("message", "message_deleted")[0]["deleted_ts"] == root
    assert await error_of(app.chat_postMessage(channel=C1, thread_ts=root, text="x")) == "thread_not_found"
    assert await error_of(app.conversations_replies(channel=C1, ts=root)) == "thread_not_found"


async def test_a_deleted_root_with_replies_becomes_a_tombstone(desk: Desk, app: AsyncWebClient) -> None:
    root = desk.said("root")
    desk.said("reply", thread_ts=root)
    desk.slack.delete(C1, root)
    assert desk.events("message", "message_deleted") == []
    changed = desk.events("message", "message_changed")[-1]
    assert (changed["message"]["subtype"], changed["previous_message"]["text"]) == ("tombstone", "root")
    assert (await app.chat_postMessage(channel=C1, thread_ts=root, text="still here"))["ok"]
    messages = (await app.conversations_replies(channel=C1, ts=root))["messages"]
    assert [message["text"] for message in messages] == ["This message was deleted.", "reply", "still here"]


async def test_bots_are_told_apart(desk: Desk, app: AsyncWebClient) -> None:
    await app.chat_postMessage(channel=C1, text="ours")
    desk.said("theirs", user=ROBOT)
    ours, theirs = desk.events("message")
    assert (ours["bot_id"], ours["app_id"], theirs["bot_id"]) == ("BBOTT1", "A1", "BROBOT")
    assert ours["user"] == BOT_USER


async def test_a_stranger_s_message_names_their_workspace_and_ours(desk: Desk) -> None:
    desk.said("hello", channel=SHARED, user=DORA, team=T2)
    body = desk.sent[0].payload
    assert (body["team_id"], body["authorizations"][0]["team_id"]) == (T2, T1)
    assert (body["event"]["user_team"], body["is_ext_shared_channel"]) == (T2, True)


async def test_an_org_install_is_told_without_a_team(desk: Desk) -> None:
    desk.slack.add_workspace("T7", enterprise_id="E1")
    desk.slack.add_user("U7", "T7", "seven")
    install = desk.slack.install("T7", org=True)
    desk.slack.add_channel("C7", "T7", members=["U7", install.bot_user])
    desk.said(channel="C7", user="U7", team="T7")
    authorization = desk.sent[0].payload["authorizations"][0]
    assert (authorization["team_id"], authorization["enterprise_id"]) == (None, "E1")
    assert authorization["is_enterprise_install"] is True


async def test_the_home_tells_which_tab_was_opened(desk: Desk) -> None:
    desk.slack.open_home(T1, ALICE, "messages", {"entities": []})
    event = desk.events("app_home_opened")[0]
    assert (event["tab"], event["context"], event["user"]) == ("messages", {"entities": []}, ALICE)


async def test_an_app_that_is_removed_is_told_twice_and_leaves(desk: Desk) -> None:
    desk.slack.uninstall(T1)
    assert [event["type"] for event in desk.events()] == ["tokens_revoked", "app_uninstalled"]
    desk.said()
    assert len(desk.sent) == 2
    assert BOT_USER not in desk.slack.channels[C1].members


async def test_a_persons_token_writes_changes_and_deletes_in_their_name(desk: Desk, app: AsyncWebClient) -> None:
    person = desk.client(USER_TOKEN)
    assert "bot_id" not in (await person.auth_test()).data
    said = await person.chat_postMessage(channel=C1, text=f"<@{BOT_USER}> hello")
    assert (said["message"]["user"], said["message"].get("bot_id")) == (ALICE, None)
    assert {event["type"] for event in desk.events()} == {"message", "app_mention"}
    await person.chat_update(channel=C1, ts=said["ts"], text="hello")
    await person.chat_delete(channel=C1, ts=said["ts"])
    assert [event["subtype"] for event in desk.events("message") if "subtype" in event] == [
        "message_changed",
        "message_deleted",
    ]
    theirs = (await app.chat_postMessage(channel=C1, text="the app's"))["ts"]
    assert await error_of(person.chat_delete(channel=C1, ts=theirs)) == "cant_delete_message"
    assert await error_of(person.users_info(user=ALICE)) == "not_allowed_token_type"
    desk.set(personal_bot_id=True)
    named = await person.chat_postMessage(channel=C1, text="again")
    assert named["message"]["bot_id"] == (await app.auth_test())["bot_id"]


async def test_every_test_that_a_rule_names_exists() -> None:
    from tests.integration import test_fake_slack_api, test_fake_slack_rest, test_fake_slack_streams

    here = {
        name for module in (test_fake_slack_api, test_fake_slack_rest, test_fake_slack_streams) for name in vars(module)
    }
    named = [rule.test for rule in rules.RULES if rule.test is not None]
    assert [name for name in named if name not in here] == []
    assert len({rule.id for rule in rules.RULES}) == len(rules.RULES)
    tests = {name for name in here if name.startswith("test_") and not name.startswith("test_fake_slack")}
    assert tests - set(named) == {"test_every_test_that_a_rule_names_exists"}

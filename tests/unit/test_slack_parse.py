"""Slack's event JSON, as the core understands it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.slack.hearing.parse import EXTERNAL, Us, parse, time_of, workspace_of
from bot.messages import Address, Attachment, Author, Deleted, Edited, Incoming

NAMES = {"U2": "Bob", "U3": "Chén & Co"}
US = Us("T1", "UBOT", "BBOT", "kagent", frozenset({"T1"}), name_of=lambda user: NAMES.get(user, ""))


def body(event: dict[str, Any], **outer: Any) -> dict[str, Any]:
    return {"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": event, **outer}


def message(text: str = "hello", **more: Any) -> dict[str, Any]:
    said = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "team": "T1"}
    return {**said, "ts": "1700000000.000100", "text": text, **more}


def said(event: dict[str, Any], us: Us = US, **outer: Any) -> Incoming:
    found = parse(body(event, **outer), us)
    assert isinstance(found, Incoming)
    return found


def text_of(text: str) -> str:
    return said(message(text)).text


def changed(before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    event = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": "C1", "ts": "1700000009.0001"}
    event |= {"channel_type": "channel", "message": after}
    return event if before is None else {**event, "previous_message": before}


EDITED: dict[str, Any] = {"edited": {"user": "U1", "ts": "1700000005.000000"}}


# Where and when.


def test_a_message_in_a_channel_is_a_thread_root() -> None:
    found = said(message())
    assert found.target.conversation_key == "slack:T1:C1:1700000000.000100"
    assert (found.target.workspace, found.target.channel, found.target.thread) == ("T1", "C1", "1700000000.000100")
    assert (found.message_id, found.delivery_id, found.threaded, found.earlier) == (
        "1700000000.000100",
        "Ev1",
        True,
        False,
    )


def test_a_reply_belongs_to_its_thread_which_may_have_begun_without_us() -> None:
    found = said(message(thread_ts="1690000000.000001"))
    assert found.target.thread == "1690000000.000001"
    assert found.message_id == "1700000000.000100"
    assert found.earlier


def test_a_thread_in_a_direct_message_never_began_without_us() -> None:
    found = said(message(channel="D1", channel_type="im", thread_ts="1690000000.000001"))
    assert found.target.thread == "1690000000.000001"
    assert not found.earlier


def test_a_message_and_its_mention_event_are_one_message() -> None:
    one = said(message("<@UBOT> hi"))
    twin = said(message("<@UBOT> hi", type="app_mention") | {"channel_type": None})
    assert (one.target, one.message_id, one.text, one.address) == (
        twin.target,
        twin.message_id,
        twin.text,
        twin.address,
    )


def test_a_time_is_exact_and_in_utc() -> None:
    assert time_of("1700000000.000001") == datetime(2023, 11, 14, 22, 13, 20, 1, tzinfo=UTC)
    assert time_of("1700000000.999999") - time_of("1700000000.000000") == timedelta(microseconds=999999)


@pytest.mark.parametrize(
    ("team", "enterprise", "org_wide", "key"),
    [("T1", None, False, "T1"), ("T1", "E1", False, "T1"), (None, "E1", True, "E1"), ("T1", "E1", True, "E1")],
)
def test_an_organisation_wide_installation_has_one_key(
    team: str | None, enterprise: str | None, org_wide: bool, key: str
) -> None:
    assert workspace_of(team_id=team, enterprise_id=enterprise, org_wide=org_wide) == key


# Whom it is meant for.


@pytest.mark.parametrize(
    ("event", "address"),
    [
        (message(), Address()),
        (message("<@UBOT> hi"), Address(mentions_us=True)),
        (message("hi <@UBOT|kagent>"), Address(mentions_us=True)),
        (message("<@U2> hi"), Address(mentions_others=True)),
        (message("<@W2> hi"), Address(mentions_others=True)),
        (message("<@U2> and <@UBOT>"), Address(mentions_us=True)),
        (message("<!subteam^S1|@ops> hi"), Address(mentions_others=True)),
        (message("<!here> lunch"), Address(mentions_others=True)),
        (message("see <#C2|general>"), Address()),
        (message("&lt;@UBOT&gt; is how to write it"), Address()),
        (message("hi", type="app_mention"), Address(mentions_us=True)),
        (message(channel="D1", channel_type="im"), Address(direct=True)),
        (message("<@U2> knows", channel="D1", channel_type="im"), Address(direct=True, mentions_others=True)),
        (message("<@UBOT> hi", type="app_mention", channel="D1", channel_type=None), Address(True, True)),
        (message(channel="G1", channel_type="mpim"), Address()),
    ],
)
def test_whom_a_message_is_for(event: dict[str, Any], address: Address) -> None:
    assert said(event).address == address


# Who wrote it.


@pytest.mark.parametrize(
    ("event", "outer", "author"),
    [
        (message(), {}, Author("U1")),
        (message(user="U2"), {}, Author("U2", "Bob")),
        (message(user_profile={"display_name": "Al", "real_name": "Alice"}), {}, Author("U1", "Al")),
        (message(user_profile={"display_name": "", "real_name": "Alice"}), {}, Author("U1", "Alice")),
        (message(bot_id="B2", bot_profile={"name": "robot"}), {}, Author("U1", "robot", "bot")),
        (
            message(subtype="bot_message", bot_id="B2", username="deploys", user=None),
            {},
            Author("B2", "deploys", "bot"),
        ),
        (message(user_team="T2", team="T2"), {"is_ext_shared_channel": True}, Author("U1", "", "external", "T2")),
        (message(user_team="T1", team="T1"), {"is_ext_shared_channel": True}, Author("U1")),
        (message(user_team="E9", team=None), {"is_ext_shared_channel": True}, Author("U1", "", "external", "E9")),
        (message(team=None), {"is_ext_shared_channel": True}, Author("U1", "", "external")),
        (message(team=None), {}, Author("U1")),
        (message(user_team="T2"), {}, Author("U1", "", "external", "T2")),
    ],
)
def test_who_wrote_a_message(event: dict[str, Any], outer: dict[str, Any], author: Author) -> None:
    assert said(event, **outer).author == author


def test_the_teams_of_an_organisation_are_ours_where_the_app_is_installed_in_all_of_it() -> None:
    us = Us("E1", "UBOT", "BBOT", teams=frozenset({"E1"}), org_wide=True)
    assert said(message(team="T7"), us).author.kind == "member"
    assert said(message(user_team="T9", team="T9"), us, is_ext_shared_channel=True).author.kind == "external"


# What it says.


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<@UBOT> what is it?", "what is it?"),
        ("<@UBOT>: what is it?", "what is it?"),
        ("<@UBOT>，你好", "你好"),
        ("  <@UBOT|kagent> <@UBOT>, hi", "hi"),
        ("<@UBOT>", ""),
        ("is <@UBOT> awake?", "is kagent awake?"),
        ("<@U2> ask <@UBOT>", "@Bob ask kagent"),
        ("<@U3>", "@Chén & Co"),
        ("<@U9> and <@U8|zoe>", "@U9 and @zoe"),
        ("<!subteam^S1|@ops>, <!subteam^S2>", "@ops, @S2"),
        ("<!channel> <!here>", "@channel @here"),
        ("<!date^1700000000^{date}|yesterday>", "yesterday"),
        ("<#C2|general> and <#C3>", "#general and #C3"),
        ("<https://example.org/a?b=1&amp;c=2>", "https://example.org/a?b=1&c=2"),
        ("<https://example.org|example.org>", "https://example.org"),
        ("<https://example.org/|the site>", "the site (https://example.org/)"),
        ("<mailto:a@example.org|a@example.org>", "a@example.org"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("*bold* and `code`\n  indented", "*bold* and `code`\n  indented"),
        ("你好，世界", "你好，世界"),
    ],
)
def test_text_is_what_people_read(raw: str, shown: str) -> None:
    assert text_of(raw) == shown


def test_rich_text_speaks_where_there_is_no_text() -> None:
    section = [
        {"type": "user", "user_id": "UBOT"},
        {"type": "text", "text": " is a < b in "},
        {"type": "link", "url": "https://example.org/x", "text": "this"},
        {"type": "text", "text": ", "},
        {"type": "user", "user_id": "U2"},
        {"type": "emoji", "name": "smile", "unicode": "1f604"},
        {"type": "emoji", "name": "partyparrot"},
        {"type": "broadcast", "range": "here"},
    ]
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": word}]} for word in ("one", "two")]
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": section},
                {"type": "rich_text_list", "style": "ordered", "elements": items},
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "a\nb"}]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
            ],
        },
        {"type": "divider"},
    ]
    found = said(message("", blocks=blocks))
    lines = ["is a < b in this (https://example.org/x), @Bob😄:partyparrot:@here", "1. one", "2. two", "> a", "> b"]
    assert found.text == "\n".join([*lines, "```", "x = 1", "```"])
    assert found.address == Address(mentions_us=True)


def test_files_are_kept_as_references() -> None:
    files = [
        {"id": "F1", "name": "a.pdf", "mimetype": "application/pdf", "size": 7, "url_private_download": "https://f/1"},
        {"id": "F2", "title": "Notes", "mimetype": "text/plain", "size": 3, "url_private": "https://f/2"},
        {"id": "F3", "name": "doc", "mode": "external", "is_external": True, "url_private": "https://elsewhere/3"},
        {"id": "F4", "mode": "tombstone"},
        {"id": "F5", "file_access": "check_file_info"},
    ]
    found = said(message("look", subtype="file_share", files=files))
    assert found.attachments == (
        Attachment("F1", "a.pdf", "application/pdf", 7, "https://f/1"),
        Attachment("F2", "Notes", "text/plain", 3, "https://f/2"),
        Attachment("F3", "doc", "", 0, EXTERNAL),
        Attachment("F5", "F5", "", 0, ""),
    )


def test_a_reply_that_is_also_sent_to_the_channel_is_a_reply() -> None:
    found = said(message("hi", subtype="thread_broadcast", thread_ts="1690000000.000001"))
    assert found.target.thread == "1690000000.000001"


# What is none of our business.


@pytest.mark.parametrize(
    "event",
    [
        message(user="UBOT"),
        message(bot_id="BBOT"),
        message(subtype="bot_message", bot_id="BBOT", user=None),
        message(user="USLACKBOT"),
        message(user=None),
        message(subtype="channel_join"),
        message(subtype="channel_topic"),
        message(subtype="pinned_item"),
        message(subtype="message_replied"),
        message(subtype="assistant_app_thread"),
        message(subtype="tombstone"),
        message(is_ephemeral=True),
        message(hidden=True),
        {"type": "reaction_added", "user": "U1"},
        {"type": "message", "text": "no channel"},
        {"type": "assistant_thread_started"},
    ],
)
def test_noise_is_nothing(event: dict[str, Any]) -> None:
    assert parse(body(event), US) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # An unfurl.
        (message(), message(attachments=[{"title": "a link"}])),
        # A reply counts up the root.
        (message(), message(reply_count=1, latest_reply="1700000003.000100")),
        # An edited message that unfurls later.
        (message(**EDITED), message(attachments=[{"title": "a link"}], **EDITED)),
        # Text that was changed by nobody.
        (message("a"), message("b")),
        # Somebody else's hand.
        (message("a"), message("b", edited={"user": "U2", "ts": "1700000005.000000"})),
        # Our own answer.
        (message("a", user="UBOT"), message("b", user="UBOT", **EDITED)),
        (message("a", bot_id="BBOT"), message("b", bot_id="BBOT", **EDITED)),
        (message("a", user="USLACKBOT"), message("b", user="USLACKBOT", **EDITED)),
    ],
)
def test_a_change_that_is_no_edit_is_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert parse(body(changed(before, after)), US) is None


# Edits and deletions.


def test_an_edit_by_its_author_is_an_edit() -> None:
    event = changed(message("<@UBOT> a"), message("<@UBOT> b", thread_ts="1690000000.000001", **EDITED))
    found = parse(body(event), US)
    assert isinstance(found, Edited)
    assert (found.text, found.message_id, found.author) == ("b", "1700000000.000100", Author("U1"))
    assert found.target.thread == "1690000000.000001"
    assert found.address == Address(mentions_us=True)
    assert found.sent_at == time_of("1700000000.000100")
    assert (found.earlier, found.attachments) == (True, ())


def test_an_edit_of_a_message_without_a_thread_brings_its_files_and_no_past() -> None:
    after = message("<@UBOT> b", **EDITED, files=[{"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 3}])
    found = parse(body(changed(message("a"), after)), US)
    assert isinstance(found, Edited)
    assert ([file.id for file in found.attachments], found.earlier) == (["F1"], False)


def test_an_edit_without_the_text_before_is_left_to_the_inbox() -> None:
    assert isinstance(parse(body(changed(None, message("b", **EDITED))), US), Edited)


def test_an_edit_in_a_direct_message_is_direct() -> None:
    event = changed(message("a"), message("b", **EDITED)) | {"channel": "D1", "channel_type": "im"}
    found = parse(body(event), US)
    assert isinstance(found, Edited)
    assert found.address == Address(direct=True)


def test_a_deletion_names_the_message() -> None:
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": "C1",
        "ts": "1700000009.000100",
    }
    event |= {"deleted_ts": "1700000000.000100", "previous_message": message(thread_ts="1690000000.000001")}
    found = parse(body(event), US)
    assert found == Deleted(said(message(thread_ts="1690000000.000001")).target, "1700000000.000100", "Ev1")


def test_a_root_that_is_deleted_under_its_replies_is_deleted() -> None:
    gone = {
        "type": "message",
        "subtype": "tombstone",
        "user": "USLACKBOT",
        "ts": "1700000000.000100",
        "text": "deleted",
    }
    found = parse(body(changed(message(), gone)), US)
    assert isinstance(found, Deleted)
    assert found.message_id == "1700000000.000100"


def test_a_deletion_of_our_own_message_is_nothing() -> None:
    event = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1700000000.000100"}
    assert parse(body(event | {"previous_message": message(bot_id="BBOT", user="UBOT")}), US) is None

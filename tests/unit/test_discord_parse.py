"""Discord's message objects, as the core understands them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.hearing.parse import Room, Us, deleted, edited, is_edit, is_ours, said, snowflake_at, time_of
from bot.messages import Address, Author, Deleted, Edited, Incoming

SAMPLES = Path(__file__).parent / "discord_samples"
GUILD, CHANNEL, THREAD, BOT = "100000000000000001", "500000000000000001", "1440000000000000001", "900000000000000001"
ANN, BOB, OUR_ROLE = "200000000000000001", "200000000000000002", "800000000000000009"
US = Us(
    BOT,
    "900000000000000000",
    "kagent",
    frozenset({OUR_ROLE}),
    role_name=lambda role: {"800000000000000005": "Ops"}.get(role, ""),
    channel_name=lambda channel: {"500000000000000007": "general"}.get(channel, ""),
)
ROOM = Room(GUILD, CHANNEL, opens=True)
IN_THREAD = Room(GUILD, CHANNEL, THREAD)
IN_OURS = Room(GUILD, CHANNEL, THREAD, ours=True)
DM = Room("@me", "400000000000000001")


def sample(name: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return {**found, **changes}


def message(content: str = "hello", **changes: Any) -> dict[str, Any]:
    return sample("mention", content=content, **{"mentions": [], "attachments": [], **changes})


def user(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "username": f"u{id_[-1]}", "discriminator": "0", "global_name": None, **more}


US_MENTIONED = [user(BOT, bot=True)]


def heard(raw: dict[str, Any], room: Room = ROOM, us: Us = US) -> Incoming:
    found = said(raw, room, us)
    assert found is not None
    return found


def text_of(content: str, **changes: Any) -> str:
    return heard(message(content, **changes)).text


# Where, when and who.


def test_a_message_of_a_channel_stands_there_and_could_open_a_thread_with_its_own_id() -> None:
    found = heard(sample("mention"))
    assert found.target.conversation_key == f"discord:{GUILD}:{CHANNEL}"
    assert (found.target.channel, found.target.thread, found.threaded, found.earlier) == (CHANNEL, None, False, False)
    assert found.opens is not None
    assert (found.opens.channel, found.opens.thread) == (CHANNEL, "1440998765491200001")
    assert found.opens.conversation_key == f"discord:{GUILD}:1440998765491200001"


def test_no_thread_is_opened_where_none_can_be() -> None:
    assert heard(message(), Room(GUILD, CHANNEL)).opens is None


def test_a_message_in_a_thread_belongs_to_it_and_the_thread_may_have_begun_without_us() -> None:
    found = heard(message(), IN_THREAD)
    assert found.target.conversation_key == f"discord:{GUILD}:{THREAD}"
    assert (found.target.channel, found.target.thread, found.threaded) == (CHANNEL, THREAD, True)
    assert found.earlier
    assert found.opens is None


def test_before_an_answer_of_ours_opened_a_thread_nothing_was_said_in_it() -> None:
    assert not heard(message(), IN_OURS).earlier


def test_a_direct_message_needs_no_mention() -> None:
    found = heard(message(guild_id=None), DM)
    assert found.target.conversation_key == "discord:@me:400000000000000001"
    assert (found.target.workspace, found.target.thread, found.threaded, found.opens) == ("@me", None, False, None)
    assert found.address == Address(direct=True)


def test_a_message_s_id_says_when_it_was_written() -> None:
    # The example of Discord's own documentation.
    assert time_of("175928847299117063") == datetime(2016, 4, 30, 11, 18, 25, 796000, tzinfo=UTC)
    assert heard(sample("mention")).sent_at == time_of("1440998765491200001")


def test_a_time_gives_the_lowest_id_of_what_comes_after_it() -> None:
    at = datetime(2026, 11, 20, 10, 0, 0, 5000, tzinfo=UTC)
    assert time_of(str(snowflake_at(at))) == at
    assert time_of(str(snowflake_at(at) - 1)) == at - timedelta(milliseconds=1)
    assert snowflake_at(datetime(2010, 1, 1, tzinfo=UTC)) == 0


def test_people_are_called_as_in_their_server() -> None:
    assert heard(sample("mention")).author == Author(ANN, "Ann of Ops")


def test_a_listed_message_has_its_author_s_own_name() -> None:
    assert heard(message(member=None)).author == Author(ANN, "Ann")
    assert heard(message(member=None, author=user(ANN))).author.name == "u1"


def test_discord_redelivers_nothing_so_there_is_no_delivery() -> None:
    assert heard(sample("mention")).delivery_id is None


def test_the_mark_is_handed_on() -> None:
    found = said(message(), ROOM, US, mark=7)
    assert found is not None
    assert found.mark == 7


# What is nobody's business.


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 18, 20, 21, 23, 24, 46])
def test_what_discord_says_itself_is_no_message(kind: int) -> None:
    assert said(message(type=kind), ROOM, US) is None


def test_our_own_messages_are_none() -> None:
    assert said(message(author=user(BOT, bot=True)), ROOM, US) is None


def test_what_our_webhook_posts_is_ours_and_another_s_is_a_bot_s() -> None:
    hook: dict[str, Any] = {"webhook_id": "990000000000000002", "author": user("990000000000000002", bot=True)}
    assert said(message(**hook, application_id=US.application_id), ROOM, US) is None
    assert heard(message(**hook, application_id=None)).author.kind == "bot"
    assert is_ours(message(**hook, application_id=US.application_id), US)
    assert not is_ours(message(**hook, application_id=""), Us(BOT))


def test_another_bot_is_a_bot() -> None:
    assert heard(message(author=user("910000000000000001", bot=True))).author.kind == "bot"


def test_discord_s_own_account_and_what_one_person_alone_sees_are_none() -> None:
    assert said(message(author=user("643945264868098049", system=True)), DM, US) is None
    assert said(message(flags=64), ROOM, US) is None


def test_a_message_without_content_is_not_handed_on_unless_it_is_for_us() -> None:
    assert said(message(""), ROOM, US) is None
    assert heard(message("", mentions=US_MENTIONED)).address.mentions_us
    assert heard(message(""), DM).address.direct


def test_a_message_without_its_author_or_id_is_none() -> None:
    assert said(message(author=None), ROOM, US) is None
    assert said(message(id=None), ROOM, US) is None


# For whom.


def test_a_mention_is_for_us_whoever_else_is_named() -> None:
    assert heard(sample("mention")).address == Address(mentions_us=True)


def test_a_mention_of_somebody_else_is_for_them() -> None:
    assert heard(message(mentions=[user(BOB)])).address == Address(mentions_others=True)
    assert heard(message(mention_roles=["800000000000000005"])).address == Address(mentions_others=True)


def test_whoever_mentions_themselves_calls_nobody_else() -> None:
    assert heard(message(mentions=[user(ANN)])).address == Address()


def test_a_mention_of_our_own_role_is_for_us() -> None:
    found = heard(message(f"<@&{OUR_ROLE}> hello", mention_roles=[OUR_ROLE]))
    assert found.address == Address(mentions_us=True)
    assert found.text == "hello"


def test_everybody_at_once_is_nobody() -> None:
    assert heard(message("@everyone hello", mention_everyone=True)).address == Address()


def test_a_mention_in_code_is_none() -> None:
    found = heard(message(f"`<@{BOT}>` calls me"))
    assert found.address == Address()
    assert found.text == f"`<@{BOT}>` calls me"


def test_a_reply_to_us_is_for_us_also_with_the_ping_turned_off() -> None:
    assert heard(sample("reply")).address == Address(replies_to_us=True)


def test_a_reply_that_pings_us_mentions_us() -> None:
    assert heard(sample("reply", mentions=US_MENTIONED)).address == Address(mentions_us=True, replies_to_us=True)
    assert heard(sample("reply", mentions=US_MENTIONED, referenced_message=None)).address.mentions_us


def test_a_reply_to_what_our_webhook_posted_is_one_to_us() -> None:
    answered = message(
        author=user("990000000000000002"), webhook_id="990000000000000002", application_id="900000000000000000"
    )
    assert heard(sample("reply", referenced_message=answered)).address == Address(replies_to_us=True)


def test_a_reply_to_somebody_else_is_for_them_also_with_the_ping_turned_off() -> None:
    answered = message(author=user(BOB))
    assert heard(sample("reply", referenced_message=answered)).address == Address(mentions_others=True)


def test_a_reply_to_one_s_own_message_is_for_nobody_else() -> None:
    assert heard(sample("reply", referenced_message=message())).address == Address()


def test_a_reply_to_a_message_that_is_gone_says_nothing_of_whom_it_is_for() -> None:
    assert heard(sample("reply", referenced_message=None)).address == Address()


# What.


def test_a_mention_of_us_at_the_beginning_is_left_out_and_others_have_their_names() -> None:
    assert heard(sample("mention")).text == "what did @Bobby say in #general?"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (f"<@!{BOT}>, hi", "hi"),
        (f"<@{BOT}> <@{BOT}>：你好", "你好"),
        (f"hi <@{BOT}>!", "hi kagent!"),
        ("ask <@&800000000000000005>", "ask @Ops"),
        ("ask <@&800000000000000006>", "ask @800000000000000006"),
        ("ask <@200000000000000003>", "ask @200000000000000003"),
        ("see <#500000000000000008>", "see #500000000000000008"),
        ("nice <:party:600000000000000001> <a:dance:600000000000000002>", "nice :party: :dance:"),
        ("at <t:1763632800:R>", "at 2025-11-20 10:00 UTC"),
        ("at <t:1763632800>", "at 2025-11-20 10:00 UTC"),
        ("at <t:99999999999999>", "at <t:99999999999999>"),
        ("try </kagent help:123456789012345678>", "try /kagent help"),
        ("see <id:customize>", "see customize"),
        ("see <https://example.com/a?b=c>", "see https://example.com/a?b=c"),
        ("[text](<https://example.com>)", "[text](https://example.com)"),
        ("```py\nprint('<#500000000000000007>')\n```", "```py\nprint('<#500000000000000007>')\n```"),
        ("``a ` <#500000000000000007>`` <#500000000000000007>", "``a ` <#500000000000000007>`` #general"),
        ("`open <#500000000000000007>", "`open #general"),
        (r"\<#500000000000000007>", r"\<#500000000000000007>"),
        ("a < b > c & d", "a < b > c & d"),
        (f"<#{'9' * 5000}>", f"<#{'9' * 5000}>"),
        (f"<t:{'9' * 5000}>", f"<t:{'9' * 5000}>"),
        ("`` ` <#500000000000000007> `", "`` ` <#500000000000000007> `"),
    ],
)
def test_markup_becomes_text(raw: str, shown: str) -> None:
    assert text_of(raw) == shown


def test_a_poll_is_quoted() -> None:
    found = heard(sample("poll"))
    assert found.text == "> Where do we meet?\n> - 🏠 Here\n> - :far: There\n> - Nowhere"


def test_what_is_forwarded_is_quoted_with_its_names_and_its_files() -> None:
    found = heard(sample("forward"))
    assert found.text == "> The server is **down**.\n> Ask @Bob."
    assert [file.name for file in found.attachments] == ["log.txt"]
    assert found.address == Address()


def test_stickers_have_names() -> None:
    items = [{"id": "1", "name": "Wave", "format_type": 1}]
    assert text_of("", sticker_items=items) == ":Wave:"
    assert text_of("hi", sticker_items=items) == "hi\n\n:Wave:"


def test_a_card_that_a_program_wrote_has_words_and_a_preview_of_a_link_has_none() -> None:
    found = heard(sample("webhook"))
    assert found.text == "Build 12 failed\n2 tests\nBranch: main"
    assert found.author == Author("990000000000000001", "CI", "bot")


def test_a_message_of_components_alone_has_their_words() -> None:
    inner = [
        {"type": 17, "components": [{"type": 10, "content": "# Report"}, {"type": 9, "components": [{"content": "1"}]}]}
    ]
    assert text_of("", components=inner) == "# Report\n1"


def test_buttons_below_a_text_are_no_text() -> None:
    row = [{"type": 1, "components": [{"type": 2, "label": "Press", "custom_id": "x"}]}]
    assert text_of("Look", components=row) == "Look"


def test_files_are_references_that_say_which_message_has_them() -> None:
    (file,) = heard(sample("mention")).attachments
    assert (file.id, file.name, file.media_type, file.size) == ("700000000000000001", "notes.txt", "text/plain", 1234)
    assert file.source.startswith(f"{CHANNEL}/1440998765491200001 https://cdn.discordapp.com/attachments/")


def test_a_file_without_a_type_or_in_a_thread_is_one_too() -> None:
    raw = sample("mention")
    raw["attachments"][0]["content_type"] = None
    (file,) = heard(raw, IN_THREAD).attachments
    assert file.media_type == ""
    assert file.source.startswith(f"{THREAD}/")


# Edits and deletions.

NOW = datetime(2026, 11, 20, 10, 3, tzinfo=UTC)
EDITED: dict[str, Any] = {"edited_timestamp": "2026-11-20T10:02:59.000000+00:00"}


def test_an_edit_has_the_new_text_and_for_whom_it_is_now() -> None:
    found = edited(message(f"<@{BOT}> hello again", mentions=US_MENTIONED, **EDITED), ROOM, US)
    assert isinstance(found, Edited)
    assert (found.text, found.address) == ("hello again", Address(mentions_us=True))
    assert found.message_id == "1440998765491200001"
    assert found.opens is not None
    assert found.opens.thread == found.message_id


def test_an_edit_in_a_thread_tells_of_its_past() -> None:
    found = edited(message(**EDITED), IN_THREAD, US)
    assert found is not None
    assert found.earlier


def test_a_preview_that_arrives_later_is_no_edit() -> None:
    assert not is_edit(message(embeds=[{"type": "link"}]), NOW)


def test_a_pin_long_after_an_edit_is_no_edit() -> None:
    assert is_edit(message(**EDITED), NOW)
    assert not is_edit(message(pinned=True, **EDITED), NOW + timedelta(hours=2))


def test_edits_of_our_own_messages_are_none() -> None:
    assert edited(message(author=user(BOT, bot=True), **EDITED), ROOM, US) is None


def test_a_deletion_names_the_message_in_its_place() -> None:
    found = deleted("5", IN_THREAD)
    assert isinstance(found, Deleted)
    assert (found.message_id, found.target.channel, found.target.thread) == ("5", CHANNEL, THREAD)

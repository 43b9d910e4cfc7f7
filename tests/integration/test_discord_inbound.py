"""Discord's events, from the gateway through real discord.py into the inbox."""

from __future__ import annotations

from bot.messages import Address, Author
from bot.store import watermarks
from bot.store.db import Store
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import (
    ALICE,
    APP,
    BOB,
    BOT_ROLE,
    DORA,
    FORUM_CHANNEL,
    GENERAL,
    HARBOUR,
    LIGHTHOUSE,
    NEWS_CHANNEL,
    QUAY,
    QUESTION,
    READERS,
    VOICE_CHANNEL,
)
from tests.support import discord_inbound as inbound
from tests.support.discord_inbound import Listening, listening

discord, app = inbound.near_discord, inbound.app


# What is said, and where.


async def test_a_mention_is_handed_on_with_the_thread_that_its_answer_would_open(app: Listening) -> None:
    said = await app.fake.mention("what is new?")
    await app.settled()

    (found,) = app.said
    assert (found.text, found.author, found.address) == (
        "what is new?",
        Author(ALICE, "Alice Lind"),
        Address(mentions_us=True),
    )
    assert found.target.conversation_key == f"discord:{LIGHTHOUSE}:{GENERAL}"
    assert found.opens is not None
    assert found.opens.conversation_key == f"discord:{LIGHTHOUSE}:{said.message}"
    assert found.mark == int(said.message)
    assert app.mail.accepted[0].turn_id is not None


async def test_a_message_that_nobody_meant_for_us_is_handed_on_to_be_decided_about(app: Listening) -> None:
    await app.fake.say("just talking")
    await app.settled()

    (found,) = app.said
    assert found.address == Address()
    assert app.mail.accepted[0].turn_id is None


async def test_a_mention_of_the_bot_s_own_role_is_for_it_and_one_of_everybody_is_not(app: Listening) -> None:
    await app.fake.say(f"<@&{BOT_ROLE}> hello")
    await app.fake.say("@everyone hello", user=ALICE)
    await app.settled()

    assert [(one.text, one.address.mentions_us) for one in app.said] == [("hello", True), ("@everyone hello", False)]


async def test_names_stand_for_people_roles_and_channels(app: Listening) -> None:
    await app.fake.mention(f"ask <@{BOB}> or <@&{READERS}> in <#{NEWS_CHANNEL}>")
    await app.settled()

    assert app.texts == ["ask @Bob Stone or @readers in #news"]


async def test_a_reply_to_us_is_told_with_the_ping_and_without_it(app: Listening) -> None:
    ours = await app.rest.call(
        "POST", "/channels/{channel_id}/messages", channel_id=GENERAL, json={"content": "answer"}
    )
    on = (await app.fake.mention("first"))._replace(message=ours["id"])
    await app.fake.answer("and why?", on)
    await app.fake.answer("and how?", on, ping=False)
    await app.settled()

    assert [one.address for one in app.said[1:]] == [
        Address(mentions_us=True, replies_to_us=True),
        Address(replies_to_us=True),
    ]


async def test_a_thread_that_people_opened_has_a_past_and_its_messages_belong_to_it(app: Listening) -> None:
    thread = await app.fake.open_thread("talk", user=BOB)
    await app.fake.mention("what do you think?", channel=thread)
    await app.settled()

    (found,) = app.said
    assert found.target.conversation_key == f"discord:{LIGHTHOUSE}:{thread}"
    assert (found.target.channel, found.target.thread, found.threaded) == (GENERAL, thread, True)
    assert (found.earlier, found.opens) == (True, None)


async def test_a_thread_that_we_opened_has_no_past(app: Listening) -> None:
    said = await app.fake.mention("what is new?")
    await app.rest.call(
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
        channel_id=GENERAL,
        message_id=said.message,
        json={"name": "answer"},
    )
    await app.fake.say("and then?", channel=said.message)
    await app.settled()

    assert app.texts == ["what is new?", "and then?"]
    assert app.said[1].target == app.said[0].opens
    assert not app.said[1].earlier
    # It is a thread that the agent was called into, and nobody else is there.
    assert app.mail.accepted[1].turn_id is not None


async def test_an_archived_thread_which_the_gateway_told_nothing_of_is_asked_for_once(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    thread = await discord.open_thread("old", user=BOB)
    await discord.archive(thread)
    async with listening(discord, sqlite_store) as app:
        asked: list[str] = []
        call = app.rest.call

        async def count(method: str, path: str, **more: object) -> object:
            asked.append(path)
            return await call(method, path, **more)  # type: ignore[arg-type]

        app.inbound.intake._places._rest.call = count  # type: ignore[method-assign]
        deleted = {"guild_id": LIGHTHOUSE, "channel_id": thread}
        for message_id in ("5", "6"):
            await app.fake.emit("MESSAGE_DELETE", {"id": message_id, **deleted})
        await app.settled()

        assert [one.message_id for one in app.deleted] == ["5", "6"]
        assert all(one.target.channel == GENERAL for one in app.deleted)
        assert asked.count("/channels/{channel_id}") == 1


async def test_a_thread_that_could_not_be_seen_once_is_asked_for_again(
    discord: FakeDiscord, sqlite_store: Store
) -> None:
    thread = await discord.open_thread("old", user=BOB)
    await discord.archive(thread)
    async with listening(discord, sqlite_store) as app:
        await discord.script("GET /channels/{channel}", "50001")
        deleted = {"guild_id": LIGHTHOUSE, "channel_id": thread}
        for message_id in ("5", "6"):
            await app.fake.emit("MESSAGE_DELETE", {"id": message_id, **deleted})
            await app.settled()

        assert [one.message_id for one in app.deleted] == ["6"]


async def test_a_forum_s_post_is_a_thread_that_begins_with_its_message(app: Listening) -> None:
    post = await app.fake.post("Help", f"<@{APP}> how?", channel=FORUM_CHANNEL, tags=[QUESTION])
    await app.settled()

    (found,) = app.said
    assert (found.target.channel, found.target.thread, found.text) == (FORUM_CHANNEL, post.message, "how?")
    assert found.earlier


async def test_a_voice_channel_s_chat_is_answered_in_place(app: Listening) -> None:
    await app.fake.mention("hello", channel=VOICE_CHANNEL)
    await app.settled()

    (found,) = app.said
    assert (found.target.channel, found.target.thread, found.opens) == (VOICE_CHANNEL, None, None)


async def test_a_thread_can_be_opened_from_an_announcement(app: Listening) -> None:
    await app.fake.mention("hello", channel=NEWS_CHANNEL)
    await app.settled()

    (found,) = app.said
    assert found.opens is not None


async def test_a_file_says_where_it_is(app: Listening) -> None:
    file = await app.fake.upload("notes.txt", b"content", mimetype="text/plain")
    said = await app.fake.mention("read this", files=[file])
    await app.settled()

    (attachment,) = app.said[0].attachments
    assert (attachment.name, attachment.size) == ("notes.txt", 7)
    assert attachment.source.startswith(f"{GENERAL}/{said.message} http")


async def test_our_own_messages_are_not_heard(app: Listening) -> None:
    await app.rest.call("POST", "/channels/{channel_id}/messages", channel_id=GENERAL, json={"content": "mine"})
    await app.settled()

    assert app.mail.events == []


async def test_another_webhook_is_a_bot(app: Listening) -> None:
    await app.fake.hook("build failed")
    await app.settled()

    (found,) = app.said
    assert found.author.kind == "bot"


async def test_a_message_that_is_told_twice_gives_one_turn(app: Listening) -> None:
    await app.fake.set(copies=2)
    await app.fake.mention("once")
    await app.settled()

    assert app.texts == ["once", "once"]
    first, second = app.mail.accepted
    assert (first.turn_id, second.duplicate) == (second.turn_id, True)


async def test_a_malformed_event_disturbs_nothing(app: Listening) -> None:
    await app.fake.malformed()
    await app.fake.mention("still there?")
    await app.settled()

    assert app.texts == ["still there?"]
    assert len(await app.fake.connections()) == 1


# Whom is listened to.


async def test_a_server_that_is_not_served_is_not_heard(discord: FakeDiscord, sqlite_store: Store) -> None:
    async with listening(discord, sqlite_store, servers=[HARBOUR]) as app:
        await app.fake.mention("hello")
        await app.settled()

        assert app.mail.events == []


async def test_without_any_server_nobody_is_heard(discord: FakeDiscord, sqlite_store: Store) -> None:
    async with listening(discord, sqlite_store, servers=[]) as app:
        await app.fake.mention("hello")
        await app.fake.dm("hello")
        await app.settled()

        assert app.mail.events == []


async def test_a_direct_message_of_a_member_is_handed_on_and_a_stranger_s_is_not(app: Listening) -> None:
    await app.fake.dm("hello", user=BOB)
    await app.fake.dm("hello?", user=DORA)
    await app.settled()

    (found,) = app.said
    assert (found.author.id, found.address, found.target.workspace) == (BOB, Address(direct=True), "@me")
    assert found.target.conversation_key == f"discord:@me:{found.target.channel}"
    assert (found.threaded, found.opens, found.earlier) == (False, None, False)


async def test_a_stranger_s_server_is_not_heard_even_when_somebody_emits_for_it(app: Listening) -> None:
    message = {"id": "5", "type": 0, "content": "hi", "author": {"id": DORA, "username": "d"}, "channel_id": QUAY}
    await app.fake.emit("MESSAGE_CREATE", {**message, "guild_id": HARBOUR})
    await app.settled()

    assert app.mail.events == []


# Edits and deletions.


async def test_an_edit_is_handed_on_and_answers_anew(app: Listening) -> None:
    said = await app.fake.mention("one plus one?")
    await app.fake.edit(said, f"<@{APP}> two plus two?")
    await app.settled()

    (found,) = app.edited
    assert (found.message_id, found.text) == (said.message, "two plus two?")
    assert found.address.mentions_us
    (stored,) = await app.desk.messages()
    assert stored.text == "two plus two?"


async def test_a_mention_that_an_edit_adds_asks(app: Listening) -> None:
    said = await app.fake.say("one plus one?")
    await app.fake.edit(said, f"<@{APP}> one plus one?")
    await app.settled()

    (stored,) = await app.desk.messages()
    assert (stored.message_id, stored.text) == (said.message, "one plus one?")
    assert stored.turn_id is not None


async def test_a_preview_that_discord_adds_is_no_edit(app: Listening) -> None:
    said = await app.fake.mention("see https://example.com")
    (raw,) = [one for one in await app.fake.messages(GENERAL) if one["id"] == said.message]
    body = {**raw, "guild_id": LIGHTHOUSE, "embeds": [{"type": "link", "url": "https://example.com"}]}
    await app.fake.emit("MESSAGE_UPDATE", {**body, "edited_timestamp": None})
    await app.settled()

    assert app.edited == []


async def test_a_deletion_withdraws(app: Listening) -> None:
    said = await app.fake.mention("never mind")
    await app.fake.delete(said)
    await app.settled()

    assert [one.message_id for one in app.deleted] == [said.message]
    (stored,) = await app.desk.messages()
    assert stored.erased_at is not None


async def test_a_deletion_of_many_is_one_of_each(app: Listening) -> None:
    first, second = await app.fake.mention("one"), await app.fake.say("two")
    ids = [first.message, second.message]
    await app.fake.emit("MESSAGE_DELETE_BULK", {"ids": ids, "channel_id": GENERAL, "guild_id": LIGHTHOUSE})
    await app.settled()

    assert [one.message_id for one in app.deleted] == ids


async def test_with_a_thread_all_that_was_said_in_it_is_deleted(app: Listening) -> None:
    thread = await app.fake.open_thread("talk", user=BOB)
    said = [await app.fake.mention("one", channel=thread), await app.fake.say("two", channel=thread)]
    await app.settled()
    gone = {"id": thread, "guild_id": LIGHTHOUSE, "parent_id": GENERAL, "type": 11}
    await app.fake.emit("THREAD_DELETE", gone)
    await app.settled()

    assert {one.message_id for one in app.deleted} == {one.message for one in said}
    assert all(row.erased_at is not None for row in await app.desk.messages())


# Without the message-content intent.


async def test_without_the_intent_only_what_calls_us_is_handed_on(discord: FakeDiscord, sqlite_store: Store) -> None:
    async with listening(discord, sqlite_store, message_content="off") as app:
        await app.fake.say("nothing to see")
        await app.fake.mention("but this")
        await app.fake.dm("and this")
        await app.settled()

        assert sorted(app.texts) == ["and this", "but this"]


# Watermarks.


async def test_every_message_raises_the_mark_of_its_place(app: Listening) -> None:
    said = await app.fake.mention("one")
    thread = await app.fake.open_thread("talk")
    other = await app.fake.say("two", channel=thread)
    await app.settled()

    marks = await app.desk.store.read(lambda c: watermarks.of(c, "discord"))
    assert marks[LIGHTHOUSE, GENERAL] == int(said.message)
    assert marks[LIGHTHOUSE, thread] == int(other.message)


async def test_the_mark_of_a_deleted_channel_is_forgotten(app: Listening) -> None:
    await app.fake.mention("one", channel=NEWS_CHANNEL)
    await app.settled()
    await app.fake.emit("CHANNEL_DELETE", {"id": NEWS_CHANNEL, "guild_id": LIGHTHOUSE, "type": 5, "name": "news"})
    await app.settled()

    assert (LIGHTHOUSE, NEWS_CHANNEL) not in await app.desk.store.read(lambda c: watermarks.of(c, "discord"))


async def test_messages_of_one_channel_stay_in_order_while_the_database_is_away(app: Listening) -> None:
    app.mail.away = True
    for number in range(5):
        await app.fake.say(f"m{number}")
    await app.heard()
    app.mail.away = False
    await app.settled()

    assert app.texts == [f"m{number}" for number in range(5)]
    assert app.mail.refused > 0

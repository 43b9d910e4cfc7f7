"""`/kagent` and `/kagent-bench` in Discord: what each is in words, where it holds, and how its reply comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio

from adapters.chat import texts as chat
from adapters.discord import limits, texts
from adapters.discord.replying.layout import IN_FILE
from adapters.discord.texts import DISCORD
from agent.language import Text
from bot import command_texts
from bot.bench import texts as bench_texts
from bot.invocation import CommandReply, Invocation
from bot.messages import Author, ReplyFile, Target
from bot.places import Place
from bot.store.db import Store
from tests.fakes.discord import DiscordError, FakeDiscord
from tests.fakes.discord.prepared import ALICE, BOB, CAROL, DORA, GENERAL, HARBOUR, LIGHTHOUSE, MONA
from tests.fakes.discord.replay import BotMessage
from tests.support import discord_clicks as clicks
from tests.support.discord_clicks import Clicking, Orders, clicking

# One process of Discord serves all tests of this module; each test has a bot of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
discord, store, app = clicks.discord, clicks.store, clicks.app

CHANNEL = Place("channel", f"discord:{LIGHTHOUSE}:{GENERAL}")
TARGET = Target("discord", LIGHTHOUSE, GENERAL, None, f"discord:{LIGHTHOUSE}:{GENERAL}")


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest_asyncio.fixture(loop_scope="module")
async def taken(discord: FakeDiscord, store: Store, tmp_path: Path, orders: Orders) -> AsyncIterator[Clicking]:
    """With commands that the test answers."""
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path, commands=orders) as running:
        yield running


async def shown(app: Clicking) -> list[BotMessage]:
    """What everybody sees of us, oldest first."""
    return [one for one in (await app.fake.replay()).created() if not one.private_to and not one.gone]


async def registered(app: Clicking) -> list[dict[str, Any]]:
    """Our commands as Discord has them."""
    return [one["body"] for one in (await app.fake.world())["commands"]]


# Where a command holds


async def test_in_a_channel_a_command_is_about_the_channel_and_not_about_a_conversation(
    taken: Clicking, orders: Orders
) -> None:
    await taken.command("status")
    [given] = orders.given
    assert (given.words, given.lead, given.lang) == ("status", "/kagent ", "en")
    assert (given.target.channel, given.target.thread, given.in_conversation) == (GENERAL, None, False)
    assert (given.author.id, given.author.name, given.author.kind) == (ALICE, "Alice Lind", "member")


async def test_in_a_channel_where_answers_stand_in_place_it_is_about_its_conversation(
    taken: Clicking, orders: Orders
) -> None:
    await taken.profiles.save(CHANNEL, {"answer_in": "channel"}, Author(ALICE), based_on=0)
    await taken.command("export")
    assert orders.given[0].in_conversation
    assert orders.given[0].target.conversation_key == f"discord:{LIGHTHOUSE}:{GENERAL}"


async def test_in_a_thread_it_is_about_the_thread(taken: Clicking, orders: Orders) -> None:
    thread = await taken.fake.open_thread("Tides")
    await taken.command("stop", channel=thread)
    [given] = orders.given
    assert (given.target.channel, given.target.thread, given.in_conversation) == (GENERAL, thread, True)
    assert given.target.conversation_key == f"discord:{LIGHTHOUSE}:{thread}"


async def test_in_direct_messages_nobody_else_is_there(taken: Clicking, orders: Orders) -> None:
    await taken.command("status", channel="")
    [given] = orders.given
    assert (given.target.workspace, given.direct, given.in_conversation) == ("@me", True, True)


async def test_it_speaks_of_servers_and_threads_as_discord_does(app: Clicking) -> None:
    assert (await app.command("usage"))[0].startswith("Your usage in this server:")
    assert (await app.command("usage", user=CAROL))[0].startswith("你在这个服务器的用量：")
    assert "子区" in (await app.command("leave", user=CAROL))[0]
    told = "\n".join([*await app.command("help", user=CAROL), *await app.command("forget me", user=CAROL)])
    assert "工作区" not in told
    assert "话题" not in told


async def test_in_direct_messages_it_speaks_of_these_and_of_no_server(app: Clicking) -> None:
    assert (await app.command("usage", channel=""))[0].startswith("Your usage in this direct conversation:")
    assert "our direct conversation" in (await app.command("forget me", channel=""))[0]


async def test_what_helps_is_shown_as_it_is_typed_in_discord(app: Clicking) -> None:
    assert "`/kagent forget me confirm:True`" in (await app.command("forget me"))[0]
    assert "`/kagent 忘记 我 确认:True`" in (await app.command("forget me", user=CAROL))[0]
    assert await app.command("export") == ["Write `/kagent export` in the thread that you mean."]


async def test_in_direct_messages_only_operators_are_admins(app: Clicking) -> None:
    denied = await app.command("profile set", {"name": "network", "value": "off"}, channel="")
    assert denied == [command_texts.OPERATORS_OF_VALUES.say("en", names="`network`")]
    await app.command("profile set", {"name": "network", "value": "off"}, channel="", user=CAROL)
    assert "`network`" in (await shown(app))[-1].text


async def test_a_stranger_in_direct_messages_is_told_whom_we_talk_to(taken: Clicking, orders: Orders) -> None:
    assert await taken.command("status", channel="", user=DORA) == [texts.NOT_SERVED_DIRECT.en]
    assert orders.given == []


async def test_in_a_server_that_is_not_served_a_command_is_answered_with_one_sentence(
    discord: FakeDiscord, store: Store, tmp_path: Path, orders: Orders
) -> None:
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path, commands=orders, servers=(HARBOUR,)) as elsewhere:
        assert await elsewhere.command("status", user=CAROL) == [texts.NOT_SERVED.zh]
        assert await elsewhere.fake.suggest("model", "name", "b") == []
        assert orders.given == []


# Who may what


async def test_whoever_manages_the_server_may_change_its_profile_and_others_may_not(app: Clicking) -> None:
    options = {"name": "agent_name", "value": "Tide", "where": "workspace"}
    [denied] = await app.command("profile set", options, user=BOB)
    assert denied == DISCORD.named(command_texts.ADMINS_ONLY).en
    await app.command("profile set", options, user=MONA)
    assert "`Tide`" in (await shown(app))[-1].text


async def test_nobody_has_to_ask_discord_who_may_what_because_the_interaction_says_it(app: Clicking) -> None:
    asked = len((await app.fake.replay()).called("GET /guilds/{guild}/members/{user}"))
    await app.command("profile set", {"name": "agent_name", "value": "Tide"}, user=MONA)
    assert len((await app.fake.replay()).called("GET /guilds/{guild}/members/{user}")) == asked


async def test_the_language_of_a_client_is_kept_when_discord_is_asked_who_somebody_is(app: Clicking) -> None:
    await app.command("status", user=CAROL)
    app.desk.clock.advance(13 * 3600)
    await app.people.role(Author(CAROL, "Carol"), TARGET)
    person = await app.people.person("discord", LIGHTHOUSE, CAROL)
    assert person is not None
    assert (person.lang, person.name) == ("zh", "Carol Chen")


async def test_benchmarks_are_for_operators_and_everybody_is_told_so(app: Clicking) -> None:
    assert await app.command("run", name="kagent-bench") == [bench_texts.GRANTED_ONLY.en]
    # Only whoever manages a server is offered it there, unless the server decides otherwise.
    with pytest.raises(DiscordError):
        await app.command("run", name="kagent-bench", user=CAROL)
    [said] = await app.command("status", name="kagent-bench", user=CAROL, channel="")
    assert said == bench_texts.NOTHING_RUNS.say("zh", run="`/kagent-bench 运行`")


# What each command is in words


@pytest.mark.parametrize(
    ("typed", "options", "words"),
    [
        ("help", {"command": "profile"}, "help profile"),
        ("model", {}, "model"),
        ("model", {"name": "big"}, "model big for channel"),
        ("model", {"name": "big", "where": "workspace"}, "model big for workspace"),
        ("usage", {"whose": "channel"}, "usage channel"),
        ("export", {"format": "json"}, "export json"),
        ("forget me", {}, "forget me"),
        ("forget this", {"confirm": True}, "forget this confirm"),
        ("profile show", {}, "profile"),
        ("profile unset", {"name": "icon"}, "profile unset icon for channel"),
        ("profile versions", {"where": "workspace"}, "profile versions for workspace"),
        ("profile restore", {"version": 3}, "profile restore 3 for channel"),
        ("profile undo", {}, "profile undo for channel"),
    ],
)
async def test_options_are_put_where_the_words_have_them(
    taken: Clicking, orders: Orders, typed: str, options: dict[str, object], words: str
) -> None:
    await taken.command(typed, options)
    assert orders.given[0].words.strip() == words


@pytest.mark.parametrize("value", ["= one", ": two", "Answer for channel", "用于工作区", "a  b"])
async def test_a_value_is_kept_as_it_was_typed(app: Clicking, value: str) -> None:
    await app.command("profile set", {"name": "agent_instructions", "value": value})
    found = await app.profiles.newest(CHANNEL)
    assert found is not None
    assert found.values == {"agent_instructions": value}


async def test_in_a_thread_a_value_is_set_for_the_thread_unless_it_is_said_where(
    taken: Clicking, orders: Orders
) -> None:
    thread = await taken.fake.open_thread("Tides")
    await taken.command("profile set", {"name": "lang", "value": "zh"}, channel=thread)
    await taken.command("profile set", {"name": "lang", "value": "zh", "where": "channel"}, channel=thread)
    assert [given.words.rpartition(" for ")[2] for given in orders.given] == ["thread", "channel"]


# How a reply comes


async def test_a_reply_is_seen_by_whoever_typed_alone(app: Clicking) -> None:
    [said] = await app.command("help")
    assert "/kagent" in said
    assert said not in await app.fake.texts(await app.fake.say("hello"))


async def test_a_reply_that_everybody_shall_see_is_said_in_the_channel_and_rings_nobody(
    taken: Clicking, orders: Orders
) -> None:
    orders.reply = CommandReply("Begun anew, @everyone", private=False)
    assert await taken.command("new") == []
    said = (await shown(taken))[-1]
    assert "Begun" in said.text
    assert (said.aside, said.pings) == (True, [])


async def test_a_long_reply_comes_in_several_messages(taken: Clicking, orders: Orders) -> None:
    orders.reply = CommandReply("\n\n".join(f"line {number} " + "word " * 50 for number in range(20)))
    said = await taken.command("status")
    assert len(said) > 2
    assert all(len(one) <= limits.CONTENT for one in said)
    assert [f"line {number} " in "\n".join(said) for number in range(20)] == [True] * 20


async def test_a_very_long_reply_becomes_a_file(taken: Clicking, orders: Orders) -> None:
    orders.reply = CommandReply("word " * 5_000)
    [said] = await taken.command("status")
    assert IN_FILE.en in said
    assert (await taken.newest()).files == ["answer.md"]


async def test_a_file_stands_below_the_reply_where_nobody_else_sees_it(taken: Clicking, orders: Orders) -> None:
    orders.reply = CommandReply("Here it is.", file=ReplyFile("tides.md", "text/markdown", b"# Tides"))
    assert await taken.command("export") == ["Here it is."]
    told = await taken.newest()
    assert (told.files, told.private_to) == (["tides.md"], ALICE)
    assert await taken.fake.download(told.file_ids[0]) == b"# Tides"


async def test_a_file_that_discord_would_not_take_is_refused_with_a_reason(taken: Clicking, orders: Orders) -> None:
    orders.reply = CommandReply("Here.", file=ReplyFile("big.md", "text/markdown", bytes(11 * 1024 * 1024)))
    assert await taken.command("export") == [texts.TOO_LARGE.say("en", name="big.md", size=10)]


async def test_what_takes_longer_than_a_quarter_of_an_hour_comes_as_a_direct_message(
    discord: FakeDiscord, store: Store, tmp_path: Path
) -> None:
    await discord.set(reset=True)
    slow = Slow()
    async with clicking(discord, store, tmp_path, commands=slow) as app:
        before = len(await app.fake.messages())
        result = await app.fake.command("status")
        assert result["outcome"] == "thinking"
        await app.fake.advance(limits.INTERACTION_S + 60)
        slow.go.set()
        await app.settled()
        [said] = [one for one in await app.fake.messages() if one["content"].endswith("Done, slowly.")]
        assert said["content"] == f"{texts.LATE.say('en', place=GENERAL)}\nDone, slowly."
        assert said["channel_id"] not in (GENERAL, "")
        assert len(await app.fake.messages()) == before + 2
        # It is no turn's, so nothing that looks for lost messages takes it for one.
        assert said["flags"] & (1 << 12)


async def test_what_comes_as_a_direct_message_has_no_buttons_because_they_are_about_another_place(
    discord: FakeDiscord, store: Store, tmp_path: Path
) -> None:
    await discord.set(reset=True)
    slow = Slow(opens="profile")
    async with clicking(discord, store, tmp_path, commands=slow) as app:
        before = {one["id"] for one in await app.fake.messages()}
        await app.fake.command("profile show")
        await app.fake.advance(limits.INTERACTION_S + 60)
        slow.go.set()
        await app.settled()
        new = [one for one in await app.fake.messages() if one["id"] not in before]
        [said] = [one for one in new if one["content"].endswith("Done, slowly.")]
        assert not said["components"]


async def test_what_everybody_shall_see_comes_late_as_the_bots_own_message(
    discord: FakeDiscord, store: Store, tmp_path: Path
) -> None:
    await discord.set(reset=True)
    slow = Slow(private=False)
    async with clicking(discord, store, tmp_path, commands=slow) as app:
        await app.fake.command("new")
        await app.fake.advance(limits.INTERACTION_S + 60)
        slow.go.set()
        await app.settled()
        [said] = [one for one in await app.fake.messages(GENERAL) if one["content"] == "Done, slowly."]
        assert not said["flags"] & 64


async def test_whatever_goes_wrong_in_a_command_is_told_in_one_sentence(
    discord: FakeDiscord, store: Store, tmp_path: Path
) -> None:
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path, commands=Broken()) as app:
        assert await app.command("status", user=CAROL) == [chat.TROUBLE.zh]


@pytest.mark.parametrize("was", ["dance", "profile"])
async def test_a_command_of_another_version_is_answered_with_one_sentence(app: Clicking, was: str) -> None:
    client: Any = app.connection.client
    parsers, told = client._connection.parsers, client._connection.parsers["INTERACTION_CREATE"]
    parsers["INTERACTION_CREATE"] = lambda data: told(
        {**data, "data": {**data["data"], "options": [{"name": was, "type": 1, "options": []}]}}
    )
    assert await app.command("status", user=CAROL) == [texts.OUTDATED.zh]


# What Discord is told, and what it offers


async def test_discord_takes_all_commands_in_both_languages(app: Clicking) -> None:
    commands = {one["name"]: one for one in await registered(app)}
    assert set(commands) == {"kagent", "kagent-bench"}
    named = {one["name"]: one for one in commands["kagent"]["options"]}
    assert set(named) == {
        *("help", "new", "profile", "model", "tools", "stop", "forget", "export", "usage", "status", "leave", "bench")
    }
    for one in named.values():
        for locale in ("zh-CN", "zh-TW"):
            assert one["name_localizations"][locale]
            assert one["description_localizations"][locale]
    assert commands["kagent"]["default_member_permissions"] is None
    assert {one["name"] for one in commands["kagent-bench"]["options"]} == set(texts.BENCH)


async def test_models_are_offered_by_what_was_typed(app: Clicking) -> None:
    assert [one["value"] for one in await app.fake.suggest("model", "name", "")] == ["auto", "big", "small"]
    assert [one["value"] for one in await app.fake.suggest("model", "name", "SM")] == ["small"]


async def test_values_are_offered_for_the_field_that_is_being_set(app: Clicking) -> None:
    offered = await app.fake.suggest("profile set", "value", "", options={"name": "follow"}, user=CAROL)
    assert [one["value"] for one in offered] == ["addressed", "always", "mention"]
    assert offered[0]["name"] == chat.VALUES["follow"]["addressed"].zh
    assert await app.fake.suggest("profile set", "value", "x", options={"name": "agent_bio"}) == []


async def test_tools_are_offered_one_after_the_other(app: Clicking) -> None:
    offered = await app.fake.suggest("profile set", "value", "calculator, cal", options={"name": "tool_names"})
    assert [one["value"] for one in offered] == ["calculator, get_calendar_info"]


async def test_versions_are_offered_with_who_made_them(app: Clicking) -> None:
    for name in ("One", "Two"):
        await app.command("profile set", {"name": "agent_name", "value": name})
    offered = await app.fake.suggest("profile restore", "version", "")
    assert [one["value"] for one in offered] == [2, 1]
    assert "Alice Lind" in offered[0]["name"]


class Slow:
    """Commands that take their time."""

    def __init__(self, *, private: bool = True, opens: Literal["", "profile"] = "") -> None:
        self.go = asyncio.Event()
        self._reply = CommandReply("Done, slowly.", private=private, opens=opens)

    async def run(self, invocation: Invocation) -> CommandReply:
        await self.go.wait()
        return self._reply

    async def bench(self, invocation: Invocation) -> CommandReply:
        return await self.run(invocation)


class Broken:
    """Commands with a defect."""

    async def run(self, invocation: Invocation) -> CommandReply:
        raise RuntimeError(Text("a defect", "缺陷").en)

    async def bench(self, invocation: Invocation) -> CommandReply:
        return await self.run(invocation)

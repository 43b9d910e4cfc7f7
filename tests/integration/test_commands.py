"""Commands: what they do and say, in both languages, and to whom they are denied."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.language import Lang
from agent.texts import OFFERED_QUESTIONS
from agent.tools.builtin import builtin_tools
from bot import command_texts as texts
from bot.bench import texts as bench_texts
from bot.command_words import CHINESE, NAMES, command_of
from bot.inbox import Rules
from bot.invocation import Invocation
from bot.messages import DIRECT, MENTION, NO_WORKSPACE, Author, Target
from bot.places import Place
from bot.posting import RetryLater
from bot.store import conversations, people, usage
from bot.store.db import Store
from tests.support.clock import START
from tests.support.desk import ANN, MAX_CHARS, Desk, say
from tests.support.orders import ADMIN, GUEST, MEMBER, OPERATOR, PEOPLE, Orders, chinese, english_words

CHANNEL = Target("test", "w", "ch", None, "test:w:ch")
THREAD = Target("test", "w", "ch", "t1", "test:w:ch:t1")
ALONE = Target("test", "w", "dm", None, "test:w:dm")


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store, rules=Rules(MAX_CHARS, command_of=command_of))


@pytest.fixture
async def orders(desk: Desk, tmp_path: Path) -> AsyncIterator[Orders]:
    made = Orders(desk.store, desk.clock, desk.bell, desk.live, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def light(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Orders]:
    """Commands on one database, for what doesn't depend on it."""
    desk = Desk(sqlite_store)
    made = Orders(sqlite_store, desk.clock, desk.bell, desk.live, tmp_path)
    yield made
    await made.close()


async def ask(desk: Desk, text: str, message_id: str, *, at: Target = THREAD, who: Author = MEMBER) -> None:
    """Somebody asks and is answered."""
    address = DIRECT if at == ALONE else MENTION
    await desk.inbox.receive(replace(say(text, message_id), target=at, author=who, address=address))
    key = at.conversation_key
    place = await desk.store.read(lambda c: conversations.find(c, key))
    assert place is not None
    await desk.answer(place.id)


# Words


@pytest.mark.parametrize("name", NAMES)
async def test_every_command_answers_in_chinese_without_an_english_word(light: Orders, name: str) -> None:
    for words in (CHINESE[name], f"帮助 {CHINESE[name]}"):  # type: ignore[index]
        for author in (OPERATOR, MEMBER, GUEST):
            for inside in (True, False):
                said = (await light.give(words, author, at=THREAD, lang="zh", inside=inside)).text
                assert english_words(said) == [], said
                assert chinese(said) > 5, said


#: Words that are answered with a change, a question, or a refusal.
SPECIAL = [
    "配置 语言 中文",
    "配置 语言 火星文",
    "配置 名字 小助手",
    "配置 设置 nmae 小助手",
    "配置 清除 图标",
    "配置 版本",
    "配置 撤销",
    "配置 恢复 7",
    "配置 工具 计算器、榔头",
    "配置 语言 英文 用于频道",
    "配置 语言 英文 用于工作区",
    "模型 gpu",
    "模型 没有的",
    "模型 auto",
    "忘记我",
    "忘记这个对话",
    "用量 频道",
    "用量 工作区",
    "什么都不是",
]


async def test_changes_and_refusals_are_chinese_too(light: Orders) -> None:
    for author in (ADMIN, MEMBER, GUEST):
        for at in (THREAD, CHANNEL):
            for words in SPECIAL:
                said = (await light.give(words, author, at=at, lang="zh")).text
                assert english_words(said) == [], (words, said)
                assert chinese(said) >= 4, (words, said)


async def test_english_replies_have_no_chinese(light: Orders) -> None:
    for name in NAMES:
        for words in (name, f"help {name}"):
            assert chinese((await light.give(words, OPERATOR, at=THREAD)).text) == 0


async def test_without_words_help_is_given(light: Orders) -> None:
    said = (await light.give("  ", at=CHANNEL)).text
    assert all(f"`{name}`" in said for name in NAMES)


async def test_unknown_words_lead_to_help(light: Orders) -> None:
    said = await light.give("frobnicate `all`", at=CHANNEL)
    assert said.private
    assert "help" in said.text
    assert "frobnicate" in said.text


async def test_words_that_begin_like_a_command_lead_to_its_help(light: Orders) -> None:
    assert "`help profile` tells how" in (await light.give("profile set nosuch x", at=CHANNEL)).text
    assert "`帮助 用量` 会说明" in (await light.give("用量 全部", at=CHANNEL, lang="zh")).text


async def test_forgetting_somebody_says_that_a_direct_conversation_of_no_workspace_is_all_that_goes(
    light: Orders,
) -> None:
    drifting = Target("test", NO_WORKSPACE, "dm", None, "test:@me:dm")
    assert "our direct conversation" in (await light.give("forget me", at=drifting, direct=True)).text
    done = (await light.give("forget me confirm", at=drifting, direct=True)).text
    assert done == texts.FORGOT_ME_ALONE.en


async def test_help_has_questions_to_begin_with(light: Orders) -> None:
    said = (await light.give("help", at=CHANNEL)).text
    assert all(f"- {question}" in said for question in OFFERED_QUESTIONS["en"])


async def test_commands_are_shown_as_they_are_typed_there(light: Orders) -> None:
    typed = Invocation(CHANNEL, MEMBER, "", "en", in_conversation=False, lead="/kagent ")

    async def said(words: str) -> str:
        return (await light.commands.run(replace(typed, words=words))).text

    assert "behind `/kagent`" in await said("")
    assert "`/kagent forget me confirm`" in await said("forget me")
    assert "`/kagent help` lists all" in await said("frobnicate")
    # In a thread there is no such command.
    assert "mention me there with `export`" in await said("export")


async def test_help_for_a_command_says_how_it_is_used(light: Orders) -> None:
    assert "profile restore 3" in (await light.give("help profile", at=CHANNEL)).text


# Profiles


async def test_a_profile_is_shown_with_where_each_value_comes_from(orders: Orders) -> None:
    await orders.give("profile set name Ada", ADMIN, at=CHANNEL)
    said = await orders.give("profile", at=THREAD)
    assert "- `agent_name`: `Ada` (the channel, version 1)" in said.text
    assert "- `follow`: `addressed` (settings)" in said.text
    assert (said.opens, said.private) == ("profile", True)


async def test_a_change_is_said_with_how_to_take_it_back(orders: Orders) -> None:
    said = await orders.give("profile set lang zh", ADMIN, at=CHANNEL)
    assert "`lang` is `zh` for the channel (version 1)" in said.text
    assert "`profile undo for channel`" in said.text
    assert not said.private
    assert (await orders.profiles.effective(CHANNEL)).profile.lang == "zh"
    await orders.give("profile undo", ADMIN, at=CHANNEL)
    assert (await orders.profiles.effective(CHANNEL)).profile.lang == "auto"


async def test_other_values_of_a_place_stay(orders: Orders) -> None:
    await orders.give("profile set lang zh", ADMIN, at=CHANNEL)
    await orders.give("profile set tools calculator, time_delta", ADMIN, at=CHANNEL)
    profile = (await orders.profiles.effective(CHANNEL)).profile
    assert (profile.lang, profile.tool_names) == ("zh", ("calculator", "time_delta"))
    await orders.give("profile unset lang", ADMIN, at=CHANNEL)
    profile = (await orders.profiles.effective(CHANNEL)).profile
    assert (profile.lang, profile.tool_names) == ("auto", ("calculator", "time_delta"))


async def test_a_change_is_for_the_thread_unless_another_place_is_named(orders: Orders) -> None:
    await orders.give("profile set lang zh", ADMIN, at=THREAD)
    await orders.give("profile set style noagent for channel", ADMIN, at=THREAD)
    await orders.give("profile set network off for workspace", ADMIN, at=THREAD)
    origins = (await orders.profiles.effective(THREAD)).origins
    assert [origins[name].place.scope for name in ("lang", "style", "network")] == ["thread", "channel", "workspace"]


async def test_versions_can_be_listed_and_brought_back(orders: Orders) -> None:
    for name in ("Ada", "Bea", "Cleo"):
        await orders.give(f"profile set name {name}", ADMIN, at=CHANNEL)
    listed = (await orders.give("profile versions", at=CHANNEL)).text
    assert [line.split(" ")[1] for line in listed.splitlines()[2:]] == ["3", "2", "1"]
    said = await orders.give("profile restore 1", ADMIN, at=CHANNEL)
    assert "version 1 is back, as version 4" in said.text
    assert (await orders.profiles.effective(CHANNEL)).profile.agent_name == "Ada"
    assert "no version 9" in (await orders.give("profile restore 9", ADMIN, at=CHANNEL)).text


async def test_a_value_that_can_not_be_is_said(light: Orders) -> None:
    said = await light.give("profile set max_iter_num many", ADMIN, at=CHANNEL)
    assert said.text == "`max_iter_num` must be a whole number from 0 to 50."
    said = await light.give("profile set nmae Ada", ADMIN, at=CHANNEL)
    assert said.text.startswith("A profile has no `nmae`")
    assert await light.profiles.newest(Place("channel", "test:w:ch")) is None


@pytest.mark.parametrize(
    ("author", "at", "words", "changed"),
    [
        (OPERATOR, CHANNEL, "profile set network off for workspace", True),
        (ADMIN, CHANNEL, "profile set tools calculator", True),
        (MEMBER, CHANNEL, "profile set lang zh", False),
        (MEMBER, THREAD, "profile set lang zh for channel", False),
        (MEMBER, THREAD, "profile set lang zh for workspace", False),
        (MEMBER, THREAD, "profile set lang zh", True),
        (MEMBER, THREAD, "model gpu", True),
        (MEMBER, THREAD, "profile set network on", False),
        (MEMBER, THREAD, "profile set name Boss", False),
        (GUEST, THREAD, "profile set lang zh", False),
        (Author("ext", kind="external"), THREAD, "profile set lang zh", False),
        (Author("op", kind="bot"), THREAD, "profile set lang zh", False),
        (Author("stranger"), THREAD, "profile set lang zh", False),
    ],
)
async def test_who_may_change_what(light: Orders, author: Author, at: Target, words: str, changed: bool) -> None:
    said = await light.give(words, author, at=at)
    effective = await light.profiles.effective(at)
    assert any(origin.version for origin in effective.origins.values()) is changed, said.text
    assert said.private is not changed


async def test_in_a_direct_conversation_it_is_the_persons_own_agent(orders: Orders) -> None:
    said = await orders.give("profile set name Jeeves", MEMBER, at=replace(ALONE, thread="t9"), direct=True)
    assert "for this direct conversation" in said.text
    assert (await orders.profiles.effective(ALONE)).profile.agent_name == "Jeeves"
    # But not a way around what administrators have set.
    await orders.give("profile set network off for workspace", ADMIN, at=CHANNEL)
    said = await orders.give("profile set network on", MEMBER, at=ALONE, direct=True)
    assert "Only administrators" in said.text
    assert (await orders.profiles.effective(ALONE)).profile.network == "off"


async def test_what_others_have_set_is_not_undone_by_who_may_not_set_it(orders: Orders) -> None:
    await orders.give("profile set network off for thread", ADMIN, at=THREAD)
    assert "Only administrators" in (await orders.give("profile undo", MEMBER, at=THREAD)).text
    assert (await orders.profiles.effective(THREAD)).profile.network == "off"


async def test_a_conversation_knows_by_itself_that_it_is_direct(desk: Desk, orders: Orders) -> None:
    await ask(desk, "hello", "m1", at=ALONE)
    said = await orders.give("profile set name Jeeves", MEMBER, at=ALONE)
    assert not said.private


# Models, tools, status


async def test_models_are_listed_and_chosen(orders: Orders) -> None:
    listed = (await orders.give("model", at=CHANNEL)).text
    assert "- `gpu`: `Large-72B`, works" in listed
    assert "the usual order" in listed
    await orders.give("model CPU", ADMIN, at=CHANNEL)
    assert (await orders.profiles.effective(CHANNEL)).profile.model == "cpu"
    assert "`cpu` is asked first" in (await orders.give("model", at=CHANNEL)).text
    await orders.give("model auto", ADMIN, at=CHANNEL)
    assert (await orders.profiles.effective(CHANNEL)).profile.model == ""


async def test_a_model_that_is_not_there_is_not_chosen(light: Orders) -> None:
    said = await light.give("model railway", ADMIN, at=CHANNEL)
    assert said.text.startswith("No endpoint or model is called `railway`: there are `gpu`, `cpu`")
    assert (await light.profiles.effective(CHANNEL)).profile.model == ""


async def test_tools_are_those_of_the_profile(orders: Orders) -> None:
    assert "`time_delta`" in (await orders.give("tools", at=CHANNEL)).text
    await orders.give("profile set tools calculator", ADMIN, at=CHANNEL)
    said = (await orders.give("tools", at=CHANNEL)).text
    assert "`calculator`" in said
    assert "`time_delta`" not in said


async def test_guests_are_shown_no_tools_that_they_do_not_get(sqlite_store: Store, tmp_path: Path) -> None:
    desk = Desk(sqlite_store)
    writing = replace(builtin_tools()[0], name="write_note", writes=True)
    orders = Orders(sqlite_store, desk.clock, desk.bell, desk.live, tmp_path, tools=(writing,))
    shown = [(await orders.give("tools", author, at=CHANNEL)).text for author in (MEMBER, GUEST)]
    await orders.close()
    assert ["`write_note`" in text for text in shown] == [True, False]
    assert all("`calculator`" in text for text in shown)


async def test_the_status_tells_what_runs_and_what_is_followed(desk: Desk, orders: Orders) -> None:
    await desk.inbox.receive(replace(say("hello", "m1"), target=THREAD, address=MENTION))
    said = (await orders.give("status", at=THREAD)).text
    assert "`9.9`" in said
    assert "`Large-72B`: works" in said
    assert "Being answered here: 1" in said
    assert "while only one person writes there" in said
    assert "Nothing is being answered" in (await orders.give("status", at=CHANNEL)).text


# The conversation


async def test_leaving_mutes_the_thread(desk: Desk, orders: Orders) -> None:
    await ask(desk, "hello", "m1")
    said = await orders.give("leave", at=THREAD)
    assert not said.private
    place = await desk.store.read(lambda c: conversations.find(c, THREAD.conversation_key))
    assert place is not None
    assert place.muted
    assert "silent here" in (await orders.give("status", at=THREAD)).text


async def test_alone_there_is_nothing_to_leave(light: Orders) -> None:
    said = await light.give("leave", at=ALONE, direct=True)
    assert "Nobody else is here" in said.text


async def test_new_looks_back_at_nothing(desk: Desk, orders: Orders) -> None:
    await ask(desk, "my name is Ann", "m1")
    await orders.give("new", at=THREAD)
    await desk.inbox.receive(replace(say("who am I?", "m2", at=1), target=THREAD))
    claimed = await desk.start()
    assert claimed.task.history == ()


async def test_outside_of_threads_new_says_where_conversations_begin(light: Orders) -> None:
    assert "Every thread" in (await light.give("new", at=CHANNEL, inside=False)).text


async def test_stop_in_a_thread_stops_what_runs_there(desk: Desk, orders: Orders) -> None:
    await desk.inbox.receive(replace(say("one", "m1"), target=THREAD))
    claimed = await desk.start()
    assert (await orders.give("stop", at=THREAD)).text == "Stopped."
    assert desk.bell.nudged == [claimed.turn.id]
    assert "nothing to stop" in (await orders.give("stop", at=CHANNEL)).text


async def test_stop_outside_of_threads_stops_what_one_has_asked_for(desk: Desk, orders: Orders) -> None:
    for number, who in enumerate((MEMBER, ANN)):
        at = Target("test", "w", "ch", f"t{number}", f"test:w:ch:t{number}")
        await desk.inbox.receive(replace(say("go", f"m{number}"), target=at, author=who))
    assert (await orders.give("stop", MEMBER, at=CHANNEL, inside=False)).text == "Stopped."
    assert [row.end_as for row in await desk.turns()] == ["stopped", None]


async def test_an_export_has_all_that_was_said_but_commands(desk: Desk, orders: Orders) -> None:
    await ask(desk, "What is 2+2?", "m1")
    await desk.inbox.receive(replace(say("usage", "m2", at=1), target=THREAD))
    claimed = await desk.start()
    assert claimed.turn.command == "usage"
    assert await desk.end(claimed, answer="nobody else's business") is not None
    said = await orders.give("export", at=THREAD)
    assert said.private
    assert said.file is not None
    assert (said.file.name, said.file.media_type) == ("What is 2+2.md", "text/markdown")
    assert "> What is 2+2?" in said.file.data.decode()
    as_json = (await orders.give("export json", at=THREAD, lang="zh")).file
    assert as_json is not None
    turns: list[dict[str, Any]] = json.loads(as_json.data)["turns"]
    assert [turn["answer"] for turn in turns] == ["ok"]


async def test_what_needs_a_conversation_says_so_outside_of_one(light: Orders) -> None:
    for words in ("export", "leave", "forget this confirm"):
        said = await light.give(words, ADMIN, at=CHANNEL, inside=False)
        assert "in the thread that you mean" in said.text


# Usage and benchmarks


async def test_usage_is_ones_own_and_others_for_administrators(desk: Desk, orders: Orders) -> None:
    for number, (who, tokens) in enumerate(((MEMBER, 1200), (ADMIN, 300))):
        at = Target("test", "w", "ch", f"t{number}", f"test:w:ch:t{number}")
        await ask(desk, "hello", f"m{number}", at=at, who=who)
        incoming = replace(say("hello", f"m{number}"), target=at, author=who)
        await desk.store.write(lambda c, n=number, i=incoming: usage.admitted(c, i.target, i.author, n + 1, START))  # type: ignore[misc]
        await desk.store.write(lambda c, n=number, t=tokens: usage.spent(c, n + 1, t, 0))  # type: ignore[misc]
    assert "Today: 1 asked, 1,200 tokens" in (await orders.give("usage", at=CHANNEL)).text
    assert "Only administrators" in (await orders.give("usage channel", at=CHANNEL)).text
    for words in ("usage channel", "usage workspace"):
        assert "Today: 2 asked, 1,500 tokens" in (await orders.give(words, ADMIN, at=CHANNEL)).text


async def test_usage_tells_what_is_left(sqlite_store: Store, tmp_path: Path) -> None:
    desk = Desk(sqlite_store)
    limits = {"user_per_day": 10, "user_tokens_per_day": 5000}
    orders = Orders(sqlite_store, desk.clock, desk.bell, desk.live, tmp_path, limits=limits)
    said = (await orders.give("usage", at=CHANNEL)).text
    await orders.close()
    assert "Messages left today: 10" in said
    assert "Tokens left today: 5,000" in said


@pytest.mark.parametrize(
    ("author", "lang", "said"),
    [
        (OPERATOR, "en", bench_texts.NOTHING_RUNS.say("en", run="`bench run`")),
        (OPERATOR, "zh", bench_texts.NOTHING_RUNS.say("zh", run="`基准测试 运行`")),
        (ADMIN, "en", bench_texts.GRANTED_ONLY.en),
        (MEMBER, "zh", bench_texts.GRANTED_ONLY.zh),
    ],
)
async def test_benchmarks_are_the_operators(light: Orders, author: Author, lang: Lang, said: str) -> None:
    assert (await light.give("bench", author, at=CHANNEL, lang=lang)).text == said


async def test_who_is_denied_may_do_nothing_but_be_forgotten(sqlite_store: Store, tmp_path: Path) -> None:
    desk = Desk(sqlite_store)
    orders = Orders(sqlite_store, desk.clock, desk.bell, desk.live, tmp_path, access={"deny_users": ("test:mem",)})
    denied, forgets = (await orders.give("status", at=CHANNEL)).text, (await orders.give("forget me", at=CHANNEL)).text
    await orders.close()
    assert "I may not answer you" in denied
    assert "forget me confirm" in forgets


# People


async def test_people_are_looked_up_once(orders: Orders) -> None:
    for _ in range(3):
        assert await orders.people.person("test", "w", "mem") == PEOPLE["mem"]
    assert orders.directory.asked == ["mem"]


async def test_who_is_no_administrator_any_more_is_found_out_within_minutes(desk: Desk, orders: Orders) -> None:
    assert await orders.people.role(ADMIN, CHANNEL) == "admin"
    orders.directory.people["adm"] = replace(PEOPLE["adm"], is_admin=False)
    assert await orders.people.role(ADMIN, CHANNEL) == "admin"
    desk.clock.advance(301)
    assert await orders.people.role(ADMIN, CHANNEL) == "member"


async def test_when_the_platform_is_away_what_it_said_today_holds(desk: Desk, orders: Orders) -> None:
    assert await orders.people.role(ADMIN, CHANNEL) == "admin"
    orders.directory.trouble = RetryLater(1)
    desk.clock.advance(3600)
    assert await orders.people.role(ADMIN, CHANNEL) == "admin"
    desk.clock.advance(24 * 3600)
    assert await orders.people.role(ADMIN, CHANNEL) == "member"
    assert await orders.people.role(Author("stranger"), CHANNEL) == "guest"


async def test_old_knowledge_is_given_at_once_and_renewed_behind_it(desk: Desk, orders: Orders) -> None:
    await orders.people.person("test", "w", "mem")
    orders.directory.people["mem"] = replace(PEOPLE["mem"], name="Moe")
    desk.clock.advance(people.FRESH.total_seconds() + 1)
    known = await orders.people.person("test", "w", "mem")
    assert known is not None
    assert known.name == "Mo"
    for task in list(orders.people._refreshing.values()):
        await task
    renewed = await orders.people.person("test", "w", "mem")
    assert renewed is not None
    assert renewed.name == "Moe"

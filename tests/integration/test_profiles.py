"""Profiles: what is set where, what holds in a conversation, versions, and what a turn runs with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, update

from agent.profile import FIELDS, Profile, to_values
from agent.tools.builtin import builtin_tools
from bot.dispatch.claim import CONTEXT
from bot.messages import Author, Incoming
from bot.places import DEFAULT, Place, places
from bot.profiles import Difference, NoVersion, Origin, ProfileConflict, ProfileError, Profiles
from bot.store import steps
from bot.store.db import SqliteStore, Store
from bot.store.tables import profile, step
from tests.support.clock import START, ManualClock
from tests.support.desk import ANN, Desk, say, target

EVE = Author("U2", "Eve")
WORKSPACE, CHANNEL = Place("workspace", "test:w"), Place("channel", "test:w:ch")
THREAD = Place("thread", "test:c1")
IN_THREAD = replace(target(), thread="t1")


def profiles(store: Store, default: Profile | None = None) -> Profiles:
    return Profiles(store, ManualClock(), default or Profile(), builtin_tools())


# Places


def test_a_conversation_is_in_a_workspace_and_a_channel() -> None:
    assert places(target()) == (DEFAULT, WORKSPACE, CHANNEL)


def test_a_thread_is_a_place_of_its_own() -> None:
    assert places(IN_THREAD) == (DEFAULT, WORKSPACE, CHANNEL, THREAD)


# What holds


async def test_where_nothing_is_set_the_settings_hold(store: Store) -> None:
    effective = await profiles(store, Profile(agent_name="Ada")).effective(target())
    assert effective.profile == Profile(agent_name="Ada")
    assert effective.origins == dict.fromkeys(FIELDS, Origin(DEFAULT, 0))
    assert effective.rows == ()


async def test_the_particular_beats_the_general(store: Store) -> None:
    some = profiles(store, Profile(agent_bio="of the settings"))
    await some.save(WORKSPACE, {"agent_name": "W", "lang": "zh", "overlap": "merge"}, ANN, based_on=0)
    await some.save(CHANNEL, {"agent_name": "C", "lang": "en"}, ANN, based_on=0)
    await some.save(THREAD, {"agent_name": "T", "tool_names": ["calculator"]}, ANN, based_on=0)
    effective = await some.effective(IN_THREAD)
    assert effective.profile == Profile(
        agent_name="T", lang="en", overlap="merge", agent_bio="of the settings", tool_names=("calculator",)
    )
    assert {name: effective.origins[name].place for name in ("agent_name", "lang", "overlap", "agent_bio")} == {
        "agent_name": THREAD,
        "lang": CHANNEL,
        "overlap": WORKSPACE,
        "agent_bio": DEFAULT,
    }


async def test_a_thread_keeps_its_values_from_its_channel(store: Store) -> None:
    some = profiles(store)
    await some.save(THREAD, {"agent_name": "T"}, ANN, based_on=0)
    assert (await some.effective(target())).profile.agent_name == "kagentbot"
    elsewhere = replace(IN_THREAD, conversation_key="test:other")
    assert (await some.effective(elsewhere)).profile.agent_name == "kagentbot"


async def test_the_newest_version_holds(store: Store) -> None:
    some = profiles(store)
    await some.save(CHANNEL, {"lang": "zh", "icon": "🦉"}, ANN, based_on=0)
    await some.save(CHANNEL, {"icon": "🦉"}, ANN, based_on=1)
    effective = await some.effective(target())
    assert effective.profile.lang == "auto"
    assert effective.origins["icon"] == Origin(CHANNEL, 2)


async def test_settings_that_a_turn_ran_with_have_a_version(store: Store) -> None:
    desk = Desk(store)
    await desk.inbox.receive(say("hello", "m1"))
    await desk.start()
    effective = await profiles(store).effective(target())
    assert (effective.origins["lang"], effective.rows) == (Origin(DEFAULT, 1), (1,))
    # Those of another server are not ours.
    other = await profiles(store, Profile(lang="zh")).effective(target())
    assert (other.origins["lang"], other.rows) == (Origin(DEFAULT, 0), ())


# Saving


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"agent_name": " Ada\n\x1b[1m  L\u202e "}, {"agent_name": "Ada [1m L"}),
        ({"agent_instructions": "one\r\ntwo\x00\ttabs "}, {"agent_instructions": "one\ntwo\ttabs"}),
        ({"lang": None, "overlap": "merge"}, {"overlap": "merge"}),
        ({"max_iter_num": "7"}, {"max_iter_num": 7}),
        ({"tool_names": ["时间差工具", " calculator "]}, {"tool_names": ["时间差工具", "calculator"]}),
        ({"icon": "https://example.org/owl.png"}, {"icon": "https://example.org/owl.png"}),
        ({"icon": "", "agent_bio": ""}, {"icon": "", "agent_bio": ""}),
        ({"agent_bio": "\ud83d half"}, {"agent_bio": "half"}),
    ],
)
async def test_values_are_cleaned(sqlite_store: SqliteStore, given: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    assert (await profiles(sqlite_store).save(CHANNEL, given, ANN, based_on=0)).values == kept


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"lang": "fr"}, "lang"),
        ({"agent_name": " "}, "agent_name"),
        ({"agent_name": "x" * 81}, "agent_name"),
        ({"agent_bio": 5}, "agent_bio"),
        ({"max_iter_num": 51}, "max_iter_num"),
        ({"max_iter_num": True}, "max_iter_num"),
        ({"style": "nosuch"}, "style"),
        ({"tool_names": "calculator"}, "tool_names"),
        ({"tool_names": ["calculator", "nosuch"]}, "tool_names"),
        ({"icon": "robot"}, "icon"),
        ({"icon": "http://example.org/owl.png"}, "icon"),
        ({"icon": "https://user:secret@example.org/owl.png"}, "icon"),
        ({"network": False}, "network"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_value_that_is_wrong_is_named_and_nothing_is_saved(
    sqlite_store: SqliteStore, values: Mapping[str, Any], field: str
) -> None:
    some = profiles(sqlite_store)
    with pytest.raises(ProfileError) as refused:
        await some.save(CHANNEL, values, ANN, based_on=0)
    assert refused.value.field == field
    assert field in refused.value.text.en
    assert field in refused.value.text.zh
    assert await some.newest(CHANNEL) is None


async def test_each_wrong_value_has_a_sentence(sqlite_store: SqliteStore) -> None:
    with pytest.raises(ProfileError) as refused:
        await profiles(sqlite_store).save(CHANNEL, {"lang": "fr", "tool_names": ["nosuch"], "x": 1}, ANN, based_on=0)
    assert {field for field, _ in refused.value.problems} == {"lang", "tool_names", "x"}


async def test_the_settings_can_not_be_saved_over(sqlite_store: SqliteStore) -> None:
    some = profiles(sqlite_store)
    with pytest.raises(ProfileError):
        await some.save(DEFAULT, {"lang": "zh"}, ANN, based_on=0)
    with pytest.raises(ProfileError):
        await some.restore(DEFAULT, 0, ANN)


async def test_saving_over_what_one_has_not_seen_is_a_conflict(store: Store) -> None:
    some = profiles(store)
    await some.save(CHANNEL, {"lang": "zh"}, ANN, based_on=0)
    for seen in (0, 2):
        with pytest.raises(ProfileConflict):
            await some.save(CHANNEL, {"lang": "en"}, EVE, based_on=seen)
    newest = await some.newest(CHANNEL)
    assert newest is not None
    assert (newest.number, newest.values, newest.author) == (1, {"lang": "zh"}, ANN)


async def test_of_many_that_save_at_once_one_is_let_through(store: Store) -> None:
    some = profiles(store)
    saves = (some.save(CHANNEL, {"agent_name": f"A{n}"}, ANN, based_on=0) for n in range(10))
    results = await asyncio.gather(*saves, return_exceptions=True)
    assert sum(isinstance(result, ProfileConflict) for result in results) == 9
    assert [version.number for version in await some.versions(CHANNEL)] == [1]


async def test_saving_twice_what_is_so_already_makes_no_version(store: Store) -> None:
    some = profiles(store)
    first = await some.save(CHANNEL, {"lang": "zh"}, ANN, based_on=0)
    assert await some.save(CHANNEL, {"lang": "zh"}, ANN, based_on=0) == first
    assert len(await some.versions(CHANNEL)) == 1


async def test_a_model_that_nobody_offers_is_named(sqlite_store: SqliteStore) -> None:
    some = Profiles(sqlite_store, ManualClock(), Profile(), (), models=lambda: ["big", "small"])
    assert some.warnings({"model": "big"}) == []
    assert some.warnings({"lang": "zh"}) == []
    ((field, text),) = some.warnings({"model": "huge"})
    assert (field, "huge" in text.en, "huge" in text.zh) == ("model", True, True)
    # Where nobody knows the models, nothing is said of them.
    assert profiles(sqlite_store).warnings({"model": "huge"}) == []


# Versions


async def test_versions_say_who_changed_what_and_when(store: Store) -> None:
    clock = ManualClock()
    some = Profiles(store, clock, Profile(), ())
    await some.save(CHANNEL, {"lang": "zh", "icon": "🦉"}, ANN, based_on=0)
    clock.advance(60)
    await some.save(CHANNEL, {"lang": "zh", "follow": "always"}, EVE, based_on=1)
    newest, oldest = await some.versions(CHANNEL)
    assert (newest.number, newest.author, newest.changed) == (2, EVE, ("icon", "follow"))
    assert (oldest.number, oldest.at, oldest.changed) == (1, START, ("icon", "lang"))
    assert newest.at > oldest.at
    assert [version.number for version in await some.versions(CHANNEL, limit=1)] == [2]
    assert await some.versions(CHANNEL, before=2) == [oldest]


async def test_versions_are_compared(store: Store) -> None:
    some = profiles(store)
    await some.save(CHANNEL, {"lang": "zh", "icon": "🦉"}, ANN, based_on=0)
    await some.save(CHANNEL, {"lang": "en", "tool_names": ["notool"]}, ANN, based_on=1)
    assert await some.compare(CHANNEL, 1, 2) == [
        Difference("icon", "🦉", None),
        Difference("lang", "zh", "en"),
        Difference("tool_names", None, ["notool"]),
    ]
    assert await some.compare(CHANNEL, 0, 1) == [Difference("icon", None, "🦉"), Difference("lang", None, "zh")]
    assert await some.compare(CHANNEL, 2, 2) == []
    with pytest.raises(NoVersion):
        await some.compare(CHANNEL, 1, 3)


async def test_rolling_back_makes_a_new_version_with_the_old_values(store: Store) -> None:
    some = profiles(store)
    await some.save(CHANNEL, {"lang": "zh"}, ANN, based_on=0)
    await some.save(CHANNEL, {"icon": "🦉"}, ANN, based_on=1)
    back = await some.restore(CHANNEL, 1, EVE)
    assert (back.number, back.values, back.author, back.restores) == (3, {"lang": "zh"}, EVE, 1)
    assert back.changed == ("icon", "lang")
    assert (await some.restore(CHANNEL, 0, EVE)).values == {}
    with pytest.raises(NoVersion):
        await some.restore(CHANNEL, 9, EVE)


async def test_rolling_back_to_a_tool_that_is_gone_is_refused(store: Store) -> None:
    await profiles(store).save(CHANNEL, {"tool_names": ["calculator"]}, ANN, based_on=0)
    await profiles(store).save(CHANNEL, {}, ANN, based_on=1)
    with pytest.raises(ProfileError):
        await Profiles(store, ManualClock(), Profile(), ()).restore(CHANNEL, 1, ANN)


# What a turn runs with


async def frozen(desk: Desk, turn_id: int) -> Any:
    return (await desk.store.read(lambda c: steps.of_turn(c, turn_id)))[CONTEXT].result


async def test_a_turn_runs_with_what_holds_in_its_conversation(store: Store) -> None:
    desk, some = Desk(store), profiles(store)
    await some.save(WORKSPACE, {"agent_name": "Ada"}, ANN, based_on=0)
    await some.save(THREAD, {"agent_bio": "of this thread"}, ANN, based_on=0)
    await desk.inbox.receive(Incoming(IN_THREAD, "m1", ANN, "hello", START))
    claimed = await desk.start()
    assert claimed.task.profile == Profile(agent_name="Ada", agent_bio="of this thread")
    effective = await some.effective(IN_THREAD)
    assert (await frozen(desk, 1))["profiles"] == list(effective.rows)
    # The most particular one.
    assert (await desk.turns())[0].profile_id == effective.rows[-1] == 2


async def test_an_edit_of_the_profile_meets_the_next_turn_only(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    some = profiles(store)
    await some.save(CHANNEL, {"agent_name": "Ada"}, ANN, based_on=0)
    await one.inbox.receive(say("hello", "m1"))
    await one.start()
    await some.save(CHANNEL, {"agent_name": "Eve", "lang": "zh"}, ANN, based_on=1)
    clock.advance(3600)
    taken = await two.start()
    assert (taken.task.profile, taken.task.lang) == (Profile(agent_name="Ada"), "en")
    await two.end(taken)
    await two.inbox.receive(say("again", "m2", at=1))
    after = await two.start()
    assert (after.task.profile.agent_name, after.task.lang) == ("Eve", "zh")


@pytest.mark.parametrize(
    ("settings", "here", "question", "lang"),
    [
        ("auto", "auto", "你好吗", "zh"),
        ("auto", "zh", "how are you", "zh"),
        ("zh", "en", "你好吗", "en"),
        ("zh", "auto", "how are you", "en"),
    ],
)
async def test_the_language_is_that_of_the_profile_or_of_the_question(
    sqlite_store: SqliteStore, settings: Any, here: str, question: str, lang: str
) -> None:
    desk = Desk(sqlite_store, profile=Profile(lang=settings))
    await profiles(sqlite_store).save(CHANNEL, {"lang": here}, ANN, based_on=0)
    await desk.inbox.receive(say(question, "m1"))
    claimed = await desk.start()
    assert (claimed.task.lang, claimed.turn.lang, (await desk.turns())[0].lang) == (lang, lang, lang)


async def test_overlap_is_that_of_the_place(store: Store) -> None:
    desk = Desk(store)
    await profiles(store).save(CHANNEL, {"overlap": "merge"}, ANN, based_on=0)
    for number, text in enumerate(("one", "two")):
        await desk.inbox.receive(say(text, text, at=number))
    assert (await desk.start()).task.question == "one\n\ntwo"
    assert await desk.states() == ["running", "merged"]


async def test_a_context_of_before_profiles_had_places_is_still_read(store: Store) -> None:
    clock = ManualClock()
    one, two = Desk(store, "one", clock=clock), Desk(store, "two", clock=clock)
    await one.inbox.receive(say("hello", "m1"))
    claimed = await one.start()
    old = await frozen(one, 1)
    del old["profiles"]
    # And from before profiles had all their values.
    values = to_values(Profile(agent_name="Ada"))
    del values["icon"], values["follow"]
    await store.write(lambda c: c.execute(update(profile).values(data=values)))
    await store.write(lambda c: c.execute(update(step).values(result={**old, "profile": 1})))
    clock.advance(3600)
    taken = await two.start()
    assert taken.task == replace(claimed.task, profile=Profile(agent_name="Ada"))


async def test_values_of_a_newer_program_are_left_alone(store: Store) -> None:
    desk, some = Desk(store), profiles(store)
    await some.save(CHANNEL, {"lang": "zh"}, ANN, based_on=0)
    await store.write(lambda c: c.execute(update(profile).values(data={"lang": "zh", "mood": "sunny"})))
    assert (await some.effective(target())).profile == Profile(lang="zh")
    await desk.inbox.receive(say("hello", "m1"))
    assert (await desk.start()).task.profile == Profile(lang="zh")


async def test_looking_a_profile_up_takes_one_statement_of_a_claim(sqlite_store: SqliteStore) -> None:
    """Claims are on the way to the first token."""
    desk = Desk(sqlite_store)
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM profile" in statement:
            asked.append(statement)

    # A process has to see its settings' version in a turn of before; it never changes.
    for number in range(3):
        await desk.inbox.receive(Incoming(IN_THREAD, f"m{number}", ANN, "hello", START))
    await desk.answer()
    await desk.answer()
    event.listen(sqlite_store._write_engine, "before_cursor_execute", note)
    await desk.start()
    event.remove(sqlite_store._write_engine, "before_cursor_execute", note)
    assert len(asked) == 1

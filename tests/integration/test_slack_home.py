"""The App Home and the modals in which a profile is changed, in both languages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from adapters.chat import texts
from adapters.slack import texts as ours
from adapters.slack.controls import home, modals
from agent.texts import OFFERED_QUESTIONS
from bot.invocation import CommandReply
from bot.messages import Author
from bot.places import Place
from bot.profiles import Version
from bot.store.db import open_store
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.prepared import ALICE, BOB, C1, CAROL
from tests.support.slack_inbound import Listening, Orders, listening

# One process of Slack serves all tests of this module; each test has an app of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACE = Place("workspace", "slack:T1")
CHANNEL = Place("channel", f"slack:T1:{C1}")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def app(slack: FakeSlack, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Listening]:
    await slack.set(reset=True, retry_scale=0.01)
    store = open_store(sqlite_url)
    # Carol speaks Chinese.
    async with listening(slack, store, tmp_path, "http") as running:
        running.operators.add(CAROL)
        yield running
        for user in (ALICE, BOB, CAROL):
            if await slack.view(user) is not None:
                await slack.close(user=user, everything=True)
    await store.close()


def readable(view: dict[str, Any] | None) -> str:
    assert view is not None
    return json.dumps(view["blocks"], ensure_ascii=False)


async def opened(app: Listening, user: str = ALICE) -> str:
    """What is in somebody's App Home after they have opened it."""
    await app.slack.open_home(user)
    await app.settled()
    return readable(await app.slack.home(user))


async def modal(app: Listening, user: str = ALICE) -> str:
    await app.settled()
    return readable(await app.slack.view(user))


async def edit(app: Listening, user: str = ALICE) -> str:
    """Open the profile of the workspace from the Home."""
    await opened(app, user)
    await app.slack.press(home.EDIT, home=True, user=user)
    return await modal(app, user)


async def edit_channel(app: Listening, user: str = ALICE) -> str:
    """Open the profile of a channel by its command."""
    assert isinstance(app.orders, Orders)
    app.orders.reply = CommandReply("", opens="profile")
    await app.slack.command("profile", user=user)
    return await modal(app, user)


def field(name: str, number: int = 0, scope: str = "workspace") -> str:
    return modals.block_id(scope, name, number)


async def newest(app: Listening, place: Place = WORKSPACE) -> Version:
    found = await app.profiles.newest(place)
    assert found is not None
    return found


# The Home.


async def test_the_home_tells_every_value_and_where_it_comes_from(app: Listening) -> None:
    await app.profiles.save(WORKSPACE, {"agent_bio": "I know <everything> & more"}, Author(ALICE, "Alice"), based_on=0)
    seen = await opened(app)
    for name in modals.NAMES:
        assert f"*{texts.FIELDS[name].en}*" in seen
    assert "I know &lt;everything&gt; &amp; more  _workspace, version 1_" in seen
    assert "_settings_" in seen
    assert "*Version 1* _in force_" in seen
    assert "Alice" in seen


async def test_what_means_nothing_in_slack_is_not_offered_and_stays_as_it_is(app: Listening) -> None:
    await app.profiles.save(WORKSPACE, {"answer_in": "channel"}, Author(ALICE, "Alice"), based_on=0)
    assert f"*{texts.FIELDS['answer_in'].en}*" not in await opened(app)
    shown = await edit(app)
    assert field("agent_name") in shown
    assert field("answer_in") not in shown
    await app.slack.submit({field("agent_name"): "Ada"}, user=ALICE)
    await app.settled()
    assert (await newest(app)).values == {"agent_name": "Ada", "answer_in": "channel"}


async def test_the_home_speaks_chinese_to_whoever_does(app: Listening) -> None:
    await app.profiles.save(WORKSPACE, {"follow": "always"}, Author(ALICE, "Alice"), based_on=0)
    assert isinstance(app.orders, Orders)
    app.orders.reply = CommandReply("今天：3 条消息")
    seen = await opened(app, CAROL)
    for name in modals.NAMES:
        assert f"*{texts.FIELDS[name].zh}*" in seen
    assert "全部回答  _工作区，版本 1_" in seen
    assert "今天：3 条消息" in seen
    assert ours.HOME_EDIT.zh in seen
    for english in (ours.HOME_HELLO.en, ours.HOME_PROFILE.en, "settings", "Version", "changed"):
        assert english not in seen
    assert app.orders.given[-1].words == "usage"


async def test_only_admins_are_offered_changes(app: Listening) -> None:
    assert home.EDIT in await opened(app, ALICE)
    assert home.EDIT not in await opened(app, BOB)


async def test_the_messages_tab_offers_questions(app: Listening) -> None:
    await app.slack.open_home(CAROL, tab="messages")
    await app.settled()
    prompts = await app.slack.prompts(CAROL)
    assert [prompt["message"] for prompt in prompts] == [ours.WHAT_CAN_YOU_DO.zh, *OFFERED_QUESTIONS["zh"]]


# Changing the profile.


async def test_a_change_is_saved_and_shown(app: Listening) -> None:
    form = await edit(app)
    assert "kagent (settings)" in form
    values = {field("agent_name"): "Ada", field("lang"): "zh", field("max_iter_num"): "3", field("tool_names"): []}
    outcome = await app.slack.submit(values)
    assert outcome["outcome"] == "updated"
    saved = await newest(app)
    assert saved.values == {"agent_name": "Ada", "lang": "zh", "max_iter_num": 3}
    assert saved.author.id == ALICE
    assert texts.SAVED.en.format(version=1) in await modal(app)
    assert "Ada" in readable(await app.slack.home())


async def test_a_change_holds_in_the_next_conversation(app: Listening) -> None:
    await edit_channel(app)
    await app.slack.submit({field("agent_name", scope="channel"): "Ada"})
    await app.slack.mention("who are you?")
    await app.settled()
    claimed = await app.desk.start()
    assert claimed.asked.name == "Ada"


async def test_what_is_wrong_is_said_at_its_field(app: Listening) -> None:
    await edit(app)
    outcome = await app.slack.submit({field("icon"): "not an icon", field("agent_name"): "Ada"})
    assert outcome["outcome"] == "errors"
    assert list(outcome["errors"]) == [field("icon")]
    assert "must be" in outcome["errors"][field("icon")]
    assert await app.profiles.newest(WORKSPACE) is None


async def test_what_is_wrong_is_said_in_chinese(app: Listening) -> None:
    form = await edit(app, CAROL)
    assert "沿用上一级" in form
    outcome = await app.slack.submit({field("icon"): "x"}, user=CAROL)
    assert "应为" in outcome["errors"][field("icon")]


async def test_somebody_elses_change_meanwhile_is_a_conflict(app: Listening) -> None:
    await edit(app)
    await app.profiles.save(WORKSPACE, {"agent_name": "Bea"}, Author(CAROL), based_on=0)
    outcome = await app.slack.submit({field("agent_name"): "Ada"})
    assert "Somebody else has changed this profile" in outcome["errors"][field("agent_name")]
    assert (await newest(app)).values == {"agent_name": "Bea"}


async def test_whoever_is_no_admin_reads_instead(app: Listening) -> None:
    assert isinstance(app.orders, Orders)
    app.orders.reply = CommandReply("This is how I am set up", opens="profile")
    await app.slack.command("profile", user=BOB)
    await app.settled()
    assert (await app.slack.ephemerals(BOB))[-1] == "This is how I am set up"
    assert await app.slack.view(BOB) is None


async def test_whoever_is_no_admin_any_more_can_not_save(app: Listening) -> None:
    await edit(app, CAROL)
    app.operators.clear()
    outcome = await app.slack.submit({field("agent_name"): "Ada"}, user=CAROL)
    assert outcome["errors"] == {field("agent_name"): ours.SLACK.named(texts.ADMINS_ONLY).zh}
    assert await app.profiles.newest(WORKSPACE) is None


async def test_values_are_taken_back_by_emptying_them(app: Listening) -> None:
    before = {"agent_name": "Ada", "lang": "zh", "tool_names": ["calculator"], "max_iter_num": 3, "model": "big"}
    await app.profiles.save(WORKSPACE, before, Author(ALICE), based_on=0)
    await edit(app)
    inherit = "=inherit="
    emptied: dict[str, Any] = {
        field("lang"): inherit,
        field("model"): inherit,
        field("max_iter_num"): None,
        field("tool_names"): [],
    }
    await app.slack.submit(emptied)
    assert (await newest(app)).values == {"agent_name": "Ada"}


async def test_a_form_that_is_submitted_as_it_is_changes_nothing(app: Listening) -> None:
    values = {
        "agent_name": "Ada",
        "icon": "🦉",
        "agent_bio": "I am Ada.\nI know numbers.",
        "agent_instructions": "Be brief.",
        "lang": "zh",
        "tool_names": ["calculator", "time_delta"],
        "max_iter_num": 0,
        "style": "kuaiagent",
        "model": "gone",
        "follow": "mention",
        "overlap": "merge",
        "network": "off",
    }
    await app.profiles.save(WORKSPACE, values, Author(ALICE), based_on=0)
    await edit(app)
    await app.slack.submit()
    saved = await newest(app)
    assert (saved.number, saved.values) == (1, values)


@pytest.mark.parametrize(
    "text", ["short", "x" * 3000, "x" * 8000, "\n".join(f"Rule {number}: be kind." for number in range(390))]
)
async def test_long_instructions_go_through_the_form_unharmed(app: Listening, text: str) -> None:
    await app.profiles.save(WORKSPACE, {"agent_instructions": text}, Author(ALICE), based_on=0)
    await edit(app)
    await app.slack.submit({field("agent_name"): "Ada"})
    assert (await newest(app)).values == {"agent_name": "Ada", "agent_instructions": text}


async def test_instructions_can_be_continued_in_the_next_field(app: Listening) -> None:
    await app.profiles.save(WORKSPACE, {"agent_instructions": "x" * 2500}, Author(ALICE), based_on=0)
    await edit(app)
    await app.slack.submit({field("agent_instructions", 1): "and more"})
    assert (await newest(app)).values["agent_instructions"] == "x" * 2500 + "\nand more"


async def test_the_place_can_be_switched(app: Listening) -> None:
    await app.profiles.save(WORKSPACE, {"agent_name": "Everywhere"}, Author(ALICE), based_on=0)
    form = await edit_channel(app)
    assert "Everywhere (workspace, version 1)" in form
    assert f"<#{C1}>" in form
    await app.slack.press(modals.SWITCH, "workspace")
    assert field("agent_name") in await modal(app)
    await app.slack.submit({field("agent_name"): "Anywhere"})
    assert (await newest(app)).values == {"agent_name": "Anywhere"}
    assert await app.profiles.newest(CHANNEL) is None


async def test_a_model_that_is_not_there_is_warned_of(app: Listening) -> None:
    await app.profiles.save(WORKSPACE, {"model": "gone"}, Author(ALICE), based_on=0)
    await edit(app)
    await app.slack.submit({field("agent_name"): "Ada"})
    assert "No endpoint or model is called gone" in await modal(app)


# Versions.


async def test_an_old_version_is_brought_back(app: Listening) -> None:
    for number, name in enumerate(["Ada", "Bea"]):
        await app.profiles.save(WORKSPACE, {"agent_name": name}, Author(ALICE, "Alice"), based_on=number)
    await opened(app)
    await app.slack.press(home.VERSIONS, home=True)
    seen = await modal(app)
    assert "*Version 2* _in force_" in seen
    await app.slack.press(modals.RESTORE, "1")
    assert texts.BROUGHT_BACK.en.format(number=1, version=3) in await modal(app)
    saved = await newest(app)
    assert (saved.values, saved.restores, saved.author.id) == ({"agent_name": "Ada"}, 1, ALICE)
    assert "*Version 3*" in readable(await app.slack.home())


async def test_the_versions_of_a_channel_are_behind_its_form(app: Listening) -> None:
    await app.profiles.save(CHANNEL, {"agent_name": "Ada"}, Author("settings"), based_on=0)
    await edit_channel(app, CAROL)
    await app.slack.press(modals.SHOW_VERSIONS, user=CAROL)
    seen = await modal(app, CAROL)
    assert "*版本 1* _当前_" in seen
    assert "改动：名字" in seen

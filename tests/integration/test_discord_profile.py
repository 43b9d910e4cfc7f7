"""Changing the profile in Discord: the panel, its forms, versions, and bringing one back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.chat import texts as chat
from adapters.discord import limits, texts
from adapters.discord.controls import modals
from adapters.discord.texts import DISCORD
from agent.profile import FIELDS
from bot.messages import Author
from bot.places import Place
from bot.profiles import Version
from bot.store.db import Store
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import ALICE, BOB, CAROL, GENERAL, LIGHTHOUSE, MONA
from tests.fakes.discord.replay import BotMessage
from tests.support import discord_clicks as clicks
from tests.support.discord_clicks import Clicking, clicking

# One process of Discord serves all tests of this module; each test has a bot of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")
discord, store, app = clicks.discord, clicks.store, clicks.app

SERVER = Place("workspace", f"discord:{LIGHTHOUSE}")
CHANNEL = Place("channel", f"discord:{LIGHTHOUSE}:{GENERAL}")


async def panel(app: Clicking, **how: Any) -> BotMessage:
    """What `/kagent profile edit` brings."""
    await app.command("profile edit", **how)
    return await app.newest(how.get("user", ALICE))


async def opened(app: Clicking, on: BotMessage, page: str, *, scope: str = "channel", user: str = ALICE) -> Any:
    """A form of the panel."""
    pressed = await app.press(f"{modals.OPEN}:{scope}:{page}", on=on, user=user)
    assert pressed["outcome"] == "form", pressed
    return pressed["form"]


async def filled(app: Clicking, values: dict[str, Any], user: str = ALICE) -> BotMessage:
    """What somebody is told who submits the form in front of them."""
    await app.fake.submit(values, user=user)
    return await app.newest(user)


async def newest(app: Clicking, place: Place = CHANNEL) -> Version:
    found = await app.profiles.newest(place)
    assert found is not None
    return found


def inputs(form: Any) -> dict[str, Any]:
    return {one["component"]["custom_id"]: one["component"] for one in form["components"]}


# The panel


async def test_whoever_manages_the_server_sees_what_holds_and_may_change_it_from_there(app: Clicking) -> None:
    [said] = await app.command("profile show", user=MONA)
    shown = await app.newest(MONA)
    assert "`agent_name`: `kagent`" in said
    assert f"{modals.OPEN}:channel:who" in shown.buttons
    await app.command("profile show", user=BOB)
    assert (await app.newest(BOB)).buttons == []


async def test_whoever_may_change_nothing_is_told_who_may(app: Clicking) -> None:
    assert await app.command("profile edit", user=BOB) == [texts.FORMS_ARE_FOR_ADMINS.en]


async def test_all_values_are_in_forms_of_at_most_five_fields(app: Clicking) -> None:
    assert sorted(name for names in modals.PAGES.values() for name in names) == sorted(FIELDS)
    shown = await panel(app)
    for page in modals.PAGES:
        form = await opened(app, shown, page)
        assert 1 <= len(form["components"]) <= limits.MODAL_FIELDS
        assert len(form["custom_id"]) <= limits.CUSTOM_ID


async def test_in_a_thread_the_panel_is_about_the_thread_first(app: Clicking) -> None:
    thread = await app.fake.open_thread("Tides")
    shown = await panel(app, channel=thread)
    await opened(app, shown, "who", scope="thread")
    assert "Saved as version 1" in (await filled(app, {"agent_name.0": "Tide"})).text
    place = Place("thread", f"discord:{LIGHTHOUSE}:{thread}")
    assert (await newest(app, place)).values == {"agent_name": "Tide"}


async def test_the_place_is_switched_in_the_same_message(app: Clicking) -> None:
    shown = await panel(app)
    await app.press(f"{modals.PLACE}:workspace", on=shown)
    switched = await app.newest()
    assert (switched.id, DISCORD.named(chat.IN_WORKSPACE).en in switched.text) == (shown.id, True)
    await opened(app, switched, "who", scope="workspace")
    await filled(app, {"agent_name.0": "Tide"})
    assert (await newest(app, SERVER)).values == {"agent_name": "Tide"}


async def test_in_direct_messages_there_is_one_place_and_only_operators_change_it(app: Clicking) -> None:
    assert await app.command("profile edit", channel="") == [texts.FORMS_ARE_FOR_ADMINS.en]
    shown = await panel(app, channel="", user=CAROL)
    assert not [name for name in shown.buttons if name.startswith(modals.PLACE)]
    await opened(app, shown, "who", user=CAROL)
    assert (await filled(app, {"agent_name.0": "Tide"}, CAROL)).text == chat.SAVED.say("zh", version=1)


# Forms


async def test_a_form_shows_what_is_set_and_what_would_hold_without_it(app: Clicking) -> None:
    await app.command("profile set", {"name": "agent_name", "value": "Tide"})
    await app.command("profile set", {"name": "lang", "value": "zh"})
    await app.command("profile set", {"name": "icon", "value": "🌊", "where": "workspace"})
    shown = inputs(await opened(app, await panel(app), "who"))
    assert shown["agent_name.0"]["value"] == "Tide"
    assert shown["icon.0"].get("value") is None
    assert shown["icon.0"]["placeholder"] == "🌊 (server, version 1)"
    assert [one["value"] for one in shown["lang.0"]["options"] if one["default"]] == ["zh"]


async def test_a_form_changes_its_own_values_and_leaves_the_others(app: Clicking) -> None:
    shown = await panel(app)
    await opened(app, shown, "who")
    await filled(app, {"agent_name.0": "Tide", "lang.0": ["zh"]})
    await opened(app, shown, "how")
    await filled(app, {"tool_names.0": ["calculator", "time_delta"], "max_iter_num.0": "3", "style.0": ["router"]})
    assert (await newest(app)).values == {
        "agent_name": "Tide",
        "lang": "zh",
        "tool_names": ["calculator", "time_delta"],
        "max_iter_num": 3,
        "style": "router",
    }
    await opened(app, shown, "who")
    await filled(app, {"agent_name.0": "", "lang.0": ["=inherit="]})
    assert set((await newest(app)).values) == {"tool_names", "max_iter_num", "style"}


async def test_long_instructions_are_spread_over_inputs_and_come_back_whole(app: Clicking) -> None:
    long = "\n".join(f"Heed rule {number}: " + "be kind " * 20 for number in range(40))[:7_500]
    await app.profiles.save(CHANNEL, {"agent_instructions": long}, Author(ALICE), based_on=0)
    shown = await panel(app)
    form = inputs(await opened(app, shown, "instructions"))
    # The last one is room for more.
    assert [len(one.get("value", "")) > 0 for one in form.values()] == [True, True, False]
    assert all(len(one.get("value", "")) <= limits.TEXT_INPUT for one in form.values())
    saved = await filled(app, {})
    assert saved.text == chat.SAVED.say("en", version=1)
    assert (await newest(app)).values == {"agent_instructions": long.strip()}


async def test_what_is_wrong_is_told_by_field_and_what_was_typed_is_there_again(app: Clicking) -> None:
    await opened(app, await panel(app), "how")
    told = await filled(app, {"max_iter_num.0": "a few"})
    assert "Most tool runs" in told.text
    assert await app.profiles.newest(CHANNEL) is None
    again = inputs(await opened(app, told, "how"))
    assert again["max_iter_num.0"]["value"] == "a few"
    await filled(app, {"max_iter_num.0": "7"})
    assert (await newest(app)).values == {"max_iter_num": 7}


async def test_of_two_who_change_a_profile_at_once_the_second_is_told_and_loses_nothing(app: Clicking) -> None:
    await opened(app, await panel(app), "who")
    await opened(app, await panel(app, user=MONA), "who", user=MONA)
    await filled(app, {"agent_name.0": "Ebb"}, MONA)
    told = await filled(app, {"agent_name.0": "Flood"})
    assert "meanwhile" in told.text
    assert (await newest(app)).values == {"agent_name": "Ebb"}
    again = inputs(await opened(app, told, "who"))
    assert again["agent_name.0"]["value"] == "Flood"
    await filled(app, {})
    assert (await newest(app)).values == {"agent_name": "Flood"}


async def test_a_form_that_was_opened_before_a_restart_is_saved_after_it(
    discord: FakeDiscord, store: Store, tmp_path: Path
) -> None:
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path) as app:
        await opened(app, await panel(app), "who")
    async with clicking(discord, store, tmp_path) as again:
        assert (await filled(again, {"agent_name.0": "Tide"})).text == chat.SAVED.say("en", version=1)
        assert (await newest(again)).values == {"agent_name": "Tide"}


async def test_who_may_not_any_more_when_a_form_is_submitted_saves_nothing(app: Clicking) -> None:
    await opened(app, await panel(app, user=MONA), "who", user=MONA)
    await app.fake.control("roles", guild=LIGHTHOUSE, user=MONA, roles=[])
    try:
        assert DISCORD.named(chat.ADMINS_ONLY).en in (await filled(app, {"agent_name.0": "Tide"}, MONA)).text
        assert await app.profiles.newest(CHANNEL) is None
    finally:
        await app.fake.control("roles", guild=LIGHTHOUSE, user=MONA, roles=["1000000000000000042"])


async def test_a_form_that_is_not_ours_is_answered_with_one_sentence(app: Clicking) -> None:
    await opened(app, await panel(app), "who")
    client: Any = app.connection.client
    parsers, told = client._connection.parsers, client._connection.parsers["INTERACTION_CREATE"]
    parsers["INTERACTION_CREATE"] = lambda data: told(
        {**data, "data": {**data["data"], "custom_id": "kagent.profile:everywhere:who:0:"}}
    )
    assert (await filled(app, {"agent_name.0": "Tide"})).text == texts.OUTDATED.en
    assert await app.profiles.newest(CHANNEL) is None


async def test_somebody_on_the_deny_list_changes_nothing(discord: FakeDiscord, store: Store, tmp_path: Path) -> None:
    await discord.set(reset=True)
    async with clicking(discord, store, tmp_path) as app:
        shown = await panel(app, user=MONA)
    async with clicking(discord, store, tmp_path, access={"deny_users": (f"discord:{MONA}",)}) as app:
        pressed = await app.press(f"{modals.OPEN}:channel:who", on=shown, user=MONA)
        assert pressed["outcome"] == "taken"
        denied = (await app.newest(MONA)).text
        assert await app.command("profile edit", user=MONA) == [denied]
        assert await app.fake.suggest("model", "name", "", user=MONA) == []


# Versions


async def test_a_version_is_brought_back_after_a_question(app: Clicking) -> None:
    shown = await panel(app)
    for name in ("One", "Two"):
        await opened(app, shown, "who")
        await filled(app, {"agent_name.0": name})
    # The list stands where the panel stood.
    await app.press(f"{modals.VERSIONS}:channel", on=shown)
    listed = next(one for one in await app.told() if one.id == shown.id)
    assert "**Version 2** *in force* · Alice Lind" in listed.text
    assert listed.text.index("Version 2") < listed.text.index("Version 1")
    await app.press(modals.PICK, on=listed, values=["1"])
    asked = next(one for one in await app.told() if one.id == shown.id)
    assert chat.SURE.en in asked.text
    assert (await newest(app)).values == {"agent_name": "Two"}
    await app.press(f"{modals.RESTORE}:channel:1", on=asked)
    done = next(one for one in await app.told() if one.id == shown.id)
    assert chat.BROUGHT_BACK.say("en", number=1, version=3) in done.text
    assert (await newest(app)).values == {"agent_name": "One"}


async def test_many_versions_fit_into_one_message(app: Clicking) -> None:
    author = Author(ALICE, "*Alice* _the_ ~~first~~ `of` her || name [x](y)")
    for number in range(25):
        values = {"agent_name": f"N{number}", "agent_bio": str(number), "lang": "zh" if number % 2 else "en"}
        await app.profiles.save(CHANNEL, values, author, based_on=number)
    shown = await panel(app)
    await app.press(f"{modals.VERSIONS}:channel", on=shown)
    listed = next(one for one in await app.told() if one.id == shown.id)
    assert len(listed.text) <= limits.CONTENT
    assert "Version 25" in listed.text
    assert "\\*Alice\\*" in listed.text

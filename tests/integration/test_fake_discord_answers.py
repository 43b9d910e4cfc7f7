"""The fake Discord's interactions and commands, one rule a test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest_asyncio

from tests.fakes.discord import permissions
from tests.fakes.discord.prepared import (
    ALICE,
    APP,
    BOB,
    GENERAL,
    LIGHTHOUSE,
)
from tests.fakes.discord.world import (
    AUTOCOMPLETE,
    COMPONENT,
    EPHEMERAL,
    LOADING,
    MODAL_SUBMIT,
    Interaction,
)
from tests.support.discord_desk import BUTTON, ROW, Desk, discord_desk, real_client

_NUMBERS = itertools.count()


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as desk:
        yield desk


# Interactions.


async def test_an_interaction_is_told_with_all_that_an_answer_needs(desk: Desk) -> None:
    interaction = desk.command()
    told = desk.events("INTERACTION_CREATE")[-1]
    assert (told["id"], told["token"], told["application_id"]) == (interaction.id, interaction.token, APP)
    assert (told["member"]["user"]["id"], told["guild_id"], told["locale"]) == (ALICE, LIGHTHOUSE, "en-US")
    assert int(told["member"]["permissions"]) & permissions.ADMINISTRATOR
    private = desk.command(channel=desk.discord.dm(ALICE).id)
    told = desk.events("INTERACTION_CREATE")[-1]
    assert (told["id"], told["user"]["id"], "member" in told) == (private.id, ALICE, False)


async def test_an_interaction_is_answered_once(desk: Desk) -> None:
    interaction = desk.command()
    reply = await desk.callback(interaction, 4, {"content": "hi"}, with_response="1")
    assert reply.body["resource"]["message"]["content"] == "hi"
    assert reply.body["interaction"]["response_message_id"] == interaction.original_id
    assert desk.discord.messages[interaction.original_id].type == 20
    assert (await desk.callback(interaction, 4, {"content": "hi"})).refusal == (400, 40060)
    assert (await desk.callback(desk.command(), 5)).status == 204


async def test_an_interaction_waits_three_seconds(desk: Desk) -> None:
    interaction = desk.command()
    desk.later(3.5)
    assert (await desk.callback(interaction, 5)).refusal == (404, 10062)
    interaction.token = "unknown"
    assert (await desk.callback(interaction, 5)).refusal == (404, 10062)


async def test_a_token_is_good_for_fifteen_minutes(desk: Desk) -> None:
    interaction = desk.command()
    assert (await desk.hook("POST", interaction, body={"content": "early"})).refusal == (404, 10015)
    await desk.callback(interaction, 5)
    desk.later(890)
    assert (await desk.hook("PATCH", interaction, "@original", {"content": "x"})).status == 200
    desk.later(11)
    assert (await desk.hook("PATCH", interaction, "@original", {"content": "y"})).refusal == (401, 50027)
    path = f"/channels/{GENERAL}/messages/{interaction.original_id}"
    assert (await desk.ask("PATCH", path, {"content": "by the bot's token"})).status == 200


async def test_a_deferred_answer_is_thinking_until_it_is_edited(desk: Desk) -> None:
    interaction = desk.command()
    await desk.callback(interaction, 5)
    promised = desk.events("MESSAGE_CREATE")[-1]
    assert (promised["flags"], promised["content"]) == (LOADING, "")
    answered = await desk.hook("PATCH", interaction, "@original", {"content": f"done <@{BOB}>"})
    assert (answered.body["id"], answered.body["flags"], answered.body["edited_timestamp"]) == (promised["id"], 0, None)
    assert desk.pings == [BOB]


async def test_the_first_followup_takes_the_place_of_a_deferred_answer(desk: Desk) -> None:
    interaction = desk.command()
    await desk.callback(interaction, 5, {"flags": EPHEMERAL})
    first = (await desk.hook("POST", interaction, body={"content": "one"})).body
    assert (first["id"], first["flags"]) == (interaction.original_id, EPHEMERAL)
    second = (await desk.hook("POST", interaction, body={"content": "two"})).body
    assert (second["id"] != first["id"], second["flags"]) == (True, 0)


async def test_a_private_answer_is_seen_by_one_and_reached_by_its_token_alone(desk: Desk) -> None:
    interaction = desk.command()
    before = len(desk.told)
    await desk.callback(interaction, 4, {"content": f"psst <@{BOB}>", "flags": EPHEMERAL})
    message = desk.discord.messages[interaction.original_id]
    assert (message.ephemeral_to, desk.last["pings"], len(desk.told)) == (ALICE, [], before)
    assert await desk.listed() == []
    path = f"/channels/{GENERAL}/messages/{message.id}"
    assert (await desk.ask("PATCH", path, {"content": "x"})).refusal == (404, 10008)
    assert (await desk.hook("PATCH", interaction, "@original", {"content": "new"})).body["content"] == "new"
    assert (await desk.hook("GET", interaction, "@original")).body["content"] == "new"
    assert (await desk.hook("DELETE", interaction, "@original")).status == 204
    assert (await desk.hook("GET", interaction, "@original")).refusal == (404, 10008)


async def _pressed(desk: Desk, **more: Any) -> Interaction:
    message = await desk.posted(components=[ROW])
    data = {"custom_id": "stop", "component_type": 2}
    return desk.discord.interact(COMPONENT, ALICE, GENERAL, data, message=desk.shown(message), **more)


async def test_a_press_can_update_its_message_or_be_acknowledged_silently(desk: Desk) -> None:
    press = await _pressed(desk)
    assert (await desk.callback(press, 7, {"content": "stopped", "components": []})).status == 204
    message = desk.discord.messages[press.message_id]
    assert (message.content, message.components) == ("stopped", [])
    press = await _pressed(desk)
    await desk.callback(press, 6)
    assert (await desk.hook("PATCH", press, "@original", {"content": "later"})).body["id"] == press.message_id
    reply = await _pressed(desk)
    await desk.callback(reply, 4, {"content": "thanks", "flags": EPHEMERAL})
    assert desk.discord.messages[reply.original_id].reference is not None


async def test_what_is_deleted_meanwhile_is_not_updated(desk: Desk) -> None:
    press = await _pressed(desk)
    desk.discord.remove(desk.discord.messages[press.message_id])
    assert (await desk.callback(press, 7, {"content": "stopped"})).refusal == (404, 10008)
    asked = desk.command()
    await desk.callback(asked, 5)
    desk.discord.remove(desk.discord.messages[asked.original_id])
    assert (await desk.hook("PATCH", asked, "@original", {"content": "x"})).refusal == (404, 10008)
    assert (await desk.hook("POST", asked, body={"content": "x"})).body["id"] != asked.original_id


async def test_each_kind_of_interaction_has_its_answers(desk: Desk) -> None:
    for kind in (6, 7, 8):
        assert (await desk.callback(desk.command(), kind)).refusal == (400, 50035)
    assert (await desk.callback(desk.command(kind=AUTOCOMPLETE), 4, {"content": "x"})).refusal == (400, 50035)
    submitted = desk.discord.interact(MODAL_SUBMIT, ALICE, GENERAL, {"custom_id": "m", "components": []})
    for kind in (6, 9):
        assert (await desk.callback(submitted, kind)).refusal == (400, 50035)
    assert (await desk.callback(submitted, 4, {"content": "saved"})).status == 204


async def test_autocomplete_has_twenty_five_choices(desk: Desk) -> None:
    asked = desk.command(kind=AUTOCOMPLETE)
    choices = [{"name": str(number), "value": str(number)} for number in range(26)]
    assert (await desk.callback(asked, 8, {"choices": choices})).refusal == (400, 50035)
    assert (await desk.callback(asked, 8, {"choices": [{"name": "x" * 101, "value": "x"}]})).refusal == (400, 50035)
    assert (await desk.callback(asked, 8, {"choices": choices[:25]})).status == 204
    assert asked.choices == choices[:25]


def _label(**component: Any) -> dict[str, Any]:
    number = next(_NUMBERS)
    return {"type": 18, "label": "Name", "component": {"type": 4, "style": 1, "custom_id": f"f{number}", **component}}


async def test_a_form_has_a_title_and_one_to_five_labelled_fields(desk: Desk) -> None:
    form = {"title": "Profile", "custom_id": "profile", "components": [_label()]}
    select = {"type": 3, "custom_id": "s", "options": [{"label": "one", "value": "1"}]}
    broken: list[dict[str, Any]] = [
        {"title": "x" * 46},
        {"title": ""},
        {"custom_id": "x" * 101},
        {"components": []},
        {"components": [_label() for _ in range(6)]},
        {"components": [_label() | {"label": "x" * 46}]},
        {"components": [_label() | {"description": "x" * 101}]},
        {"components": [_label(value="x" * 4001)]},
        {"components": [_label(max_length=4001)]},
        {"components": [_label(max_length=3, value="long")]},
        {"components": [{"type": 18, "label": "no field"}]},
        {"components": [{"type": 1, "components": [BUTTON]}]},
    ]
    for more in broken:
        assert (await desk.callback(desk.command(), 9, form | more)).refusal == (400, 50035), more
    opened = desk.command()
    fields = [_label(), _label(style=2, value="x" * 4000), {"type": 18, "label": "Model", "component": select}]
    assert (await desk.callback(opened, 9, form | {"components": fields})).status == 204
    assert opened.modal is not None
    assert [one["label"] for one in opened.modal["components"]] == ["Name", "Name", "Model"]


async def test_an_answer_to_an_interaction_has_the_limits_of_a_message(desk: Desk) -> None:
    interaction = desk.command()
    assert (await desk.callback(interaction, 4, {"content": "x" * 2001})).refusal == (400, 50035)
    assert (await desk.callback(interaction, 4, {})).refusal == (400, 50006)
    assert (await desk.callback(interaction, 4, {"content": "x"})).status == 204
    assert (await desk.hook("POST", interaction, body={"content": "x" * 2001})).refusal == (400, 50035)


# Commands.


def _command(name: str = "kagent", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "Ask", "type": 1, **more}


_COMMANDS = f"/applications/{APP}/commands"


async def test_a_bulk_overwrite_is_the_whole_set_and_fills_in_defaults(desk: Desk) -> None:
    first = (await desk.ask("PUT", _COMMANDS, [_command(), _command("kagent-bench")])).body
    assert (first[0]["integration_types"], first[0]["contexts"], first[0]["nsfw"]) == ([0], None, False)
    again = (await desk.ask("PUT", _COMMANDS, [_command(description="Ask me")])).body
    assert [(one["id"], one["description"]) for one in again] == [(first[0]["id"], "Ask me")]
    assert again[0]["version"] != first[0]["version"]
    assert [one["name"] for one in (await desk.ask("GET", _COMMANDS)).body] == ["kagent"]
    local = f"/applications/{APP}/guilds/{LIGHTHOUSE}/commands"
    assert (await desk.ask("PUT", local, [_command("dev")])).body[0]["guild_id"] == LIGHTHOUSE
    assert len((await desk.ask("GET", _COMMANDS)).body) == 1


async def test_discord_py_syncs_its_tree(desk: Desk) -> None:
    async with real_client(desk) as client:
        tree = discord.app_commands.CommandTree(client)

        @tree.command(name="kagent-bench", description="Benchmarks")
        @discord.app_commands.describe(name="Which")
        async def bench(_: discord.Interaction, name: str | None = None) -> None: ...

        assert [one.name for one in await tree.sync()] == ["kagent-bench"]
        assert [one.name for one in await tree.fetch_commands()] == ["kagent-bench"]


async def test_two_hundred_commands_are_created_a_day(desk: Desk) -> None:
    desk.set(command_creates=3)
    for name in ("a", "b", "c"):
        await desk.ask("PUT", _COMMANDS, [_command(name)])
    assert (await desk.ask("PUT", _COMMANDS, [_command("c", description="updated")])).status == 200
    assert (await desk.ask("PUT", _COMMANDS, [_command("d")])).refusal == (400, 30034)
    assert [one["name"] for one in (await desk.ask("GET", _COMMANDS)).body] == ["c"]
    desk.later(86_401)
    assert (await desk.ask("PUT", _COMMANDS, [_command("d")])).status == 200


async def test_what_a_command_may_not_be(desk: Desk) -> None:
    option = {"type": 3, "name": "model", "description": "Which"}
    for command in (
        _command("Big"),
        _command("x" * 33),
        _command("two words"),
        _command(description=""),
        _command(description="x" * 101),
        _command(name_localizations={"zh": "提问"}),
        _command(options=[option | {"name": f"o{number}"} for number in range(26)]),
        _command(options=[option, option]),
        _command(options=[option, option | {"name": "other", "required": True}]),
        _command(options=[option | {"choices": [{"name": "x", "value": "x"}] * 26}]),
        _command(options=[option | {"choices": [{"name": "x", "value": "x"}], "autocomplete": True}]),
        _command(options=[option | {"name": f"o{number}", "description": "x" * 100} for number in range(25)] * 1)
        | {"options": [_group(number) for number in range(4)]},
    ):
        assert (await desk.ask("PUT", _COMMANDS, [command])).refusal == (400, 50035), command
    assert (await desk.ask("PUT", _COMMANDS, [_command(), _command()])).refusal == (400, 50035)
    assert (await desk.ask("PUT", _COMMANDS, [_command(name_localizations={"zh-CN": "提问"})])).status == 200


def _group(number: int) -> dict[str, Any]:
    """A subcommand with more than 2,000 characters in it."""
    options = [{"type": 3, "name": f"o{index}", "description": "x" * 100} for index in range(25)]
    return {"type": 1, "name": f"sub{number}", "description": "x", "options": options}


async def test_single_commands_are_made_changed_and_deleted(desk: Desk) -> None:
    made = await desk.ask("POST", _COMMANDS, _command())
    assert made.status == 201
    assert (await desk.ask("POST", _COMMANDS, _command(description="Again"))).body["id"] == made.body["id"]
    path = f"{_COMMANDS}/{made.body['id']}"
    assert (await desk.ask("PATCH", path, {"description": "More"})).body["description"] == "More"
    assert (await desk.ask("DELETE", path)).status == 204
    assert (await desk.ask("GET", path)).refusal == (404, 10063)

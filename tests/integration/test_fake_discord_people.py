"""What people do in the fake Discord, as real discord.py hears of it and answers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from tests.fakes.discord import DiscordError, FakeDiscord, Place
from tests.fakes.discord.permissions import MANAGE_GUILD, SEND_MESSAGES, VIEW_CHANNEL
from tests.fakes.discord.prepared import (
    ALICE,
    APP,
    BOB,
    BOT_ROLE,
    CAROL,
    DORA,
    FORUM_CHANNEL,
    GENERAL,
    LIGHTHOUSE,
    LONELY,
    MODERATORS,
    MONA,
    PLANS,
    QUESTION,
    ROBOT,
)
from tests.fakes.discord.replay import BotMessage
from tests.support.discord_bot import Bot, NearDiscord, running


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with NearDiscord() as discord_itself:
        yield discord_itself


# --- Messages


async def test_a_mention_names_the_bot_or_its_role(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        await fake.mention("you")
        await fake.say(f"<@&{BOT_ROLE}> you")
        await fake.say("nobody")
        by_name, by_role, nobody = await bot.until("message", 3)
        assert bot.user in by_name.mentions
        assert [str(role.id) for role in by_role.role_mentions] == [BOT_ROLE]
        assert not nobody.mentions
        humans = (await fake.replay()).humans.values()
        assert [human.addressed for human in humans] == [True, True, False]


async def test_what_happened_is_read_once_by_whoever_reads_at_the_same_time(fake: FakeDiscord) -> None:
    said = [await fake.say(f"word {n}") for n in range(5)]
    replays = await asyncio.gather(*(fake.replay() for _ in range(4)))
    said += [await fake.say("one more")]
    assert list((await fake.replay()).humans) == [one.id for one in said]
    assert len({id(one) for one in replays}) == 1
    assert sum(entry["kind"] == "said" for entry in replays[0].entries) == 6


async def test_only_who_may_can_mention_everyone(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        await fake.say("@everyone up", user=ALICE)
        await fake.say("@everyone up", user=BOB)
        assert [message.mention_everyone for message in await bot.until("message", 2)] == [True, False]


async def test_a_reply_points_to_its_message_and_rings_unless_that_is_switched_off(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        said = await fake.say("first")
        message = bot.get_partial_messageable(int(GENERAL))
        await message.send("ours")
        ours = (await fake.until(lambda replay: replay.visible()))[0]
        await fake.answer("to Alice", said, user=BOB)
        await fake.answer("to the bot", ours)
        await fake.answer("quietly", ours, ping=False)
        heard = [one for one in await bot.until("message", 5) if one.type is discord.MessageType.reply]
        assert [str(one.reference.message_id) for one in heard] == [said.message, ours.message, ours.message]
        assert [bot.user in one.mentions for one in heard] == [False, True, False]
        addressed = [human.addressed for human in (await fake.replay()).humans.values()]
        assert addressed == [False, False, True, True]


async def test_an_edit_and_a_deletion_are_told(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        said = await fake.say("first")
        await fake.edit(said, "second")
        edited = (await bot.until("raw_message_edit"))[0]
        assert (edited.data["content"], str(edited.message_id)) == ("second", said.message)
        await fake.delete(said)
        assert str((await bot.until("raw_message_delete"))[0].message_id) == said.message


async def test_a_file_can_be_downloaded_at_its_address(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        file = await fake.upload("notes.txt", b"tides", mimetype="text/plain")
        await fake.say("look", files=[file])
        attachment = (await bot.until("message"))[0].attachments[0]
        assert (attachment.filename, attachment.size, await attachment.read()) == ("notes.txt", 5, b"tides")


async def test_other_bots_and_webhooks_write_as_what_they_are(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        await fake.mention("I am a robot", user=ROBOT)
        await fake.hook("I am a hook", name="weather")
        robot, hook = await bot.until("message", 2)
        assert robot.author.bot
        assert (hook.webhook_id is not None, hook.author.name) == (True, "weather")
    assert (await fake.replay()).humans == {}


async def test_a_forward_carries_what_it_forwards(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        said = await fake.say("the original")
        await fake.say("", channel=PLANS, forward=[said.channel, said.message])
        forwarded = (await bot.until("message", 2))[1]
        assert [snapshot.content for snapshot in forwarded.message_snapshots] == ["the original"]


async def test_nobody_writes_where_they_may_not(fake: FakeDiscord) -> None:
    for user, channel in ((DORA, GENERAL), (BOB, PLANS)):
        with pytest.raises(DiscordError) as refused:
            await fake.say("hello", user=user, channel=channel)
        assert refused.value.code == 50001


async def test_a_reaction_is_told_to_who_asked_for_it(fake: FakeDiscord) -> None:
    intents = discord.Intents(guilds=True, guild_reactions=True)
    async with running(fake, Bot(intents=intents)) as bot:
        said = await fake.say("hello")
        await fake.react(said, "👍", user=BOB)
        added = (await bot.until("raw_reaction_add"))[0]
        assert (str(added.emoji), str(added.user_id), str(added.message_id)) == ("👍", BOB, said.message)
        await fake.react(said, "👍", user=BOB, remove=True)
        await bot.until("raw_reaction_remove")


# --- Threads


async def test_a_thread_from_a_message_has_its_id(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        said = await fake.say("let us talk")
        thread = await fake.open_thread("talk", on=said)
        inside = await fake.say("in here", channel=thread)
        assert thread == said.message == str((await bot.until("thread_create"))[0].id)
        assert inside.place == Place(GENERAL, thread)
        message = (await bot.until("message", 2))[1]
        assert (str(message.channel.id), str(message.channel.parent_id)) == (thread, GENERAL)


async def test_a_post_in_a_forum_is_a_thread_with_a_first_message_of_its_id(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        said = await fake.post("how?", "tell me", channel=FORUM_CHANNEL, tags=[QUESTION])
        message = (await bot.until("message"))[0]
        assert (message.content, str(message.id)) == ("tell me", said.channel)
        assert [tag.name for tag in message.channel.applied_tags] == ["question"]


async def test_writing_in_an_archived_thread_brings_it_back_and_a_locked_one_is_for_moderators(
    fake: FakeDiscord,
) -> None:
    async with running(fake, Bot()) as bot:
        thread = await fake.open_thread("talk")
        await fake.archive(thread)
        await bot.until("raw_thread_update")
        await fake.say("back", channel=thread)
        updates = await bot.until("raw_thread_update", 2)
        assert [one.data["thread_metadata"]["archived"] for one in updates] == [True, False]
        await fake.archive(thread, lock=True)
        with pytest.raises(DiscordError):
            await fake.say("no", channel=thread, user=BOB)
        await fake.say("yes", channel=thread, user=MONA)


async def test_a_thread_that_is_deleted_is_gone(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        thread = await fake.open_thread("talk")
        await fake.control("remove", channel=thread)
        assert str((await bot.until("raw_thread_delete"))[0].thread_id) == thread
        with pytest.raises(DiscordError):
            await fake.say("hello?", channel=thread)


# --- Slash commands


def _commands(bot: Bot) -> None:
    """/kagent help, /kagent profile show [name], /kagent slow; /guarded."""
    group = app_commands.Group(name="kagent", description="The agent")
    profile = app_commands.Group(name="profile", description="Profiles", parent=group)

    @group.command(name="help", description="What there is")
    async def helped(interaction: discord.Interaction) -> None:
        private = str(interaction.locale) == "zh-CN"
        await interaction.response.send_message(f"help in {interaction.locale}", ephemeral=private)

    @profile.command(name="show", description="One profile")
    async def show(interaction: discord.Interaction, name: str, times: app_commands.Range[int, 1, 3] = 1) -> None:
        await interaction.response.send_message(" ".join([name] * times))

    @show.autocomplete("name")
    async def names(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current}{one}", value=f"{current}{one}") for one in "ab"]

    @group.command(name="slow", description="Takes its time")
    async def slow(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)
        await interaction.followup.send("at last", ephemeral=True)
        await interaction.followup.send("and more", ephemeral=True)

    @group.command(name="dead", description="Never answers")
    async def dead(interaction: discord.Interaction) -> None:
        pass

    @app_commands.command(name="guarded", description="For managers")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def guarded(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"{interaction.permissions.manage_guild}")

    bot.tree.add_command(group)
    bot.tree.add_command(guarded)


class Commanding(Bot):
    async def setup_hook(self) -> None:
        _commands(self)
        await self.tree.sync()


async def test_a_command_is_answered_for_everybody_or_for_one_person(fake: FakeDiscord) -> None:
    async with running(fake, Commanding()):
        told = await fake.command("help")
        assert (told["outcome"], told["message"]["text"], told["message"]["private"]) == (
            "answered",
            "help in en-US",
            False,
        )
        await fake.command("help", user=CAROL)
        assert await fake.ephemerals(CAROL) == ["help in zh-CN"]
        assert await fake.ephemerals(ALICE) == []


async def test_a_command_takes_options_that_fit(fake: FakeDiscord) -> None:
    async with running(fake, Commanding()):
        told = await fake.command("profile show", {"name": "Ada", "times": 2})
        assert told["message"]["text"] == "Ada Ada"


async def test_a_command_that_does_not_exist_or_fit_reaches_no_app(fake: FakeDiscord) -> None:
    async with running(fake, Commanding()) as bot:
        wrong: tuple[tuple[str, dict[str, Any]], ...] = (
            ("nothing", {}),
            ("", {}),
            ("profile show", {}),
            ("profile show", {"name": "Ada", "times": 9}),
            ("help", {"loud": True}),
        )
        for words, options in wrong:
            with pytest.raises(DiscordError):
                await fake.command(words, options)
        assert bot.events("interaction") == []


async def test_a_command_for_managers_is_offered_to_nobody_else_and_not_in_private(fake: FakeDiscord) -> None:
    async with running(fake, Commanding()):
        assert (await fake.command(name="guarded", user=MONA))["message"]["text"] == "True"
        for user, channel in ((BOB, GENERAL), (ALICE, "")):
            with pytest.raises(DiscordError):
                await fake.command(name="guarded", user=user, channel=channel)


async def test_options_are_suggested_while_they_are_typed(fake: FakeDiscord) -> None:
    async with running(fake, Commanding()):
        choices = await fake.suggest("profile show", "name", "Ad")
        assert [choice["value"] for choice in choices] == ["Ada", "Adb"]


async def test_a_deferred_answer_is_filled_in_later_and_followed_up(fake: FakeDiscord) -> None:
    async with running(fake, Commanding()):
        assert (await fake.command("slow", channel=""))["outcome"] == "thinking"
        await fake.until(lambda replay: len(replay.private(ALICE)) == 2)
        assert await fake.ephemerals() == ["at last", "and more"]


async def test_what_is_not_answered_in_time_has_failed(fake: FakeDiscord) -> None:
    await fake.set(interaction_ack=0.1)
    async with running(fake, Commanding()):
        assert (await fake.command("dead"))["outcome"] == "failed"


async def test_an_interaction_says_who_where_and_what_they_may(fake: FakeDiscord) -> None:
    async with running(fake, Commanding()) as bot:
        thread = await fake.open_thread("talk")
        await fake.command("help", user=CAROL, channel=thread)
        interaction = (await bot.until("interaction"))[0]
        assert (str(interaction.user.id), str(interaction.locale)) == (CAROL, "zh-CN")
        assert (str(interaction.guild_id), str(interaction.channel.parent_id)) == (LIGHTHOUSE, GENERAL)
        assert not interaction.permissions.manage_guild
        assert interaction.app_permissions.view_channel
        assert interaction.filesize_limit == 10 * 1024 * 1024


# --- Buttons, menus, forms


class Press(ui.DynamicItem[ui.Button[Any]], template=r"kagent\.stop:(?P<turn>\d+)"):
    """A button that is known by its name alone."""

    def __init__(self, turn: str) -> None:
        super().__init__(ui.Button(label="Stop", custom_id=f"kagent.stop:{turn}"))
        self.turn = turn

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction, item: ui.Item[Any], match: Any, /) -> Press:
        return cls(match["turn"])

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content=f"stopped {self.turn}", view=None)


class Profile(ui.Modal, title="Profile"):
    """A form with a text and a menu."""

    persona: ui.Label[Any] = ui.Label(
        text="Persona", component=ui.TextInput(custom_id="persona", default="a sailor", max_length=20)
    )
    model: ui.Label[Any] = ui.Label(
        text="Model",
        component=ui.Select(
            custom_id="model",
            options=[discord.SelectOption(label="Small", value="s"), discord.SelectOption(label="Big", value="b")],
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        persona, model = self.persona.component, self.model.component
        assert isinstance(persona, ui.TextInput)
        assert isinstance(model, ui.Select)
        await interaction.response.send_message(f"{persona.value} {model.values}", ephemeral=True)


class Menu(ui.View):
    @ui.select(custom_id="menu", options=[discord.SelectOption(label=one) for one in "xyz"], max_values=2)
    async def chosen(self, interaction: discord.Interaction, select: ui.Select[Any]) -> None:
        await interaction.response.send_message(" ".join(select.values))

    @ui.button(label="Form", custom_id="form")
    async def formed(self, interaction: discord.Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.send_modal(Profile())


class Showing(Bot):
    async def setup_hook(self) -> None:
        self.add_dynamic_items(Press)

    async def show(self, view: ui.View, fake: FakeDiscord) -> BotMessage:
        await self.get_partial_messageable(int(GENERAL)).send("shown", view=view)
        return (await fake.until(lambda replay: replay.visible()))[0]


def _stop(turn: str) -> ui.View:
    view = ui.View(timeout=None)
    view.add_item(Press(turn))
    return view


async def test_a_button_works_by_its_name_after_a_restart(fake: FakeDiscord) -> None:
    async with running(fake, Showing()) as bot:
        shown = await bot.show(_stop("12"), fake)
        assert shown.buttons == ["kagent.stop:12"]
        assert not shown.finished
    async with running(fake, Showing()):
        assert (await fake.press("kagent.stop", on=shown, user=BOB))["outcome"] == "changed"
        assert await fake.texts(Place(GENERAL, "")) == ["stopped 12"]
        stop = (await fake.replay()).stops[0]
        assert (stop.user, stop.turn, stop.place) == (BOB, "kagentbot-12", Place(GENERAL, ""))
        with pytest.raises(DiscordError):
            await fake.press("kagent.stop", on=shown)


async def test_a_press_that_nobody_takes_has_failed(fake: FakeDiscord) -> None:
    await fake.set(interaction_ack=0.1)
    async with running(fake, Showing()) as bot:
        shown = await bot.show(_stop("12"), fake)
    async with running(fake, Bot()):
        assert (await fake.press("kagent.stop", on=shown))["outcome"] == "failed"


async def test_as_many_of_a_menu_can_be_chosen_as_it_says(fake: FakeDiscord) -> None:
    async with running(fake, Showing()) as bot:
        shown = await bot.show(Menu(timeout=None), fake)
        assert (await fake.press("menu", on=shown, values=["x", "z"]))["message"]["text"] == "x z"
        for values in (["w"], [], ["x", "y", "z"]):
            with pytest.raises(DiscordError):
                await fake.press("menu", on=shown, values=values)


async def test_a_form_is_filled_in_and_submitted(fake: FakeDiscord) -> None:
    async with running(fake, Showing()) as bot:
        shown = await bot.show(Menu(timeout=None), fake)
        opened = await fake.press("form", on=shown)
        assert (opened["outcome"], opened["form"]["title"]) == ("form", "Profile")
        assert await fake.form() == opened["form"]
        for values in ({}, {"model": ["x"]}, {"model": ["s"], "persona": "much too long for that"}, {"age": "7"}):
            with pytest.raises(DiscordError):
                await fake.submit(values)
        assert (await fake.submit({"model": ["b"]}))["message"]["text"] == "a sailor ['b']"
        assert await fake.form() is None


async def test_what_one_person_alone_sees_nobody_else_can_press(fake: FakeDiscord) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("yours", view=_stop("1"), ephemeral=True)

    class Private(Showing):
        async def setup_hook(self) -> None:
            await super().setup_hook()
            self.tree.add_command(app_commands.Command(name="mine", description="For you", callback=answer))
            await self.tree.sync()

    async with running(fake, Private()):
        await fake.command(name="mine")
        mine = (await fake.until(lambda replay: replay.private(ALICE)))[0]
        with pytest.raises(DiscordError):
            await fake.press("kagent.stop", on=mine, user=BOB)
        assert (await fake.press("kagent.stop", on=mine))["outcome"] == "changed"


# --- Owners


async def test_a_new_channel_and_a_changed_overwrite_are_told(fake: FakeDiscord) -> None:
    async with running(fake, Bot()) as bot:
        made = await fake.control("add", kind="channel", guild=LIGHTHOUSE, name="fresh")
        channel = (await bot.until("guild_channel_create"))[0]
        assert (str(channel.id), channel.name) == (made["id"], "fresh")
        await fake.control("overwrite", channel=made["id"], id=APP, deny=SEND_MESSAGES)
        await bot.until("guild_channel_update")
        channel = bot.get_channel(int(made["id"]))
        assert isinstance(channel, discord.TextChannel)
        assert not channel.permissions_for(channel.guild.me).send_messages


async def test_roles_change_what_people_may(fake: FakeDiscord) -> None:
    await fake.control("roles", guild=LIGHTHOUSE, user=BOB, roles=[MODERATORS])
    said = await fake.say("among moderators", user=BOB, channel=PLANS)
    assert said.channel == PLANS
    async with running(fake, Bot()) as bot:
        await fake.control("role", guild=LIGHTHOUSE, role=MODERATORS, permissions=VIEW_CHANNEL)
        await bot.until("guild_role_update")
        server = bot.get_guild(int(LIGHTHOUSE))
        assert server is not None
        role = server.get_role(int(MODERATORS))
        assert role is not None
        assert not role.permissions.value & MANAGE_GUILD


async def test_a_mention_where_the_bot_cannot_read_is_owed_nothing(fake: FakeDiscord) -> None:
    said = await fake.mention("can you hear me?", channel=LONELY)
    human = (await fake.replay()).humans[said.id]
    assert (human.addressed, human.accepted_at) == (False, None)
    assert fake.judge().ok

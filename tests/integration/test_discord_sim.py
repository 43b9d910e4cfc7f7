"""The simulator: somebody types lines, and reads what a bot shows, with a bare bot in the server's place."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import discord
from discord import app_commands, ui

from tests.fakes.discord.sim import server_environment, talk
from tests.support.discord_bot import Bot, NearDiscord, running
from tests.support.typed import talked


class Form(ui.Modal, title="Name"):
    called: ui.Label[Any] = ui.Label(text="Who?", component=ui.TextInput(custom_id="name"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.called.component, ui.TextInput)
        await interaction.response.send_message(f"hello {self.called.component.value}", ephemeral=True)


class Buttons(ui.View):
    @ui.button(label="Open", custom_id="open")
    async def opened(self, interaction: discord.Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.send_modal(Form())


class Simple(Bot):
    """Answers in a thread, in private, with buttons when it is asked for a menu; /kagent ping."""

    async def setup_hook(self) -> None:
        group = app_commands.Group(name="kagent", description="The agent")

        @group.command(name="ping", description="Is it there?")
        async def ping(interaction: discord.Interaction, times: int = 1) -> None:
            await interaction.response.send_message("pong " * times, ephemeral=True)

        self.tree.add_command(group)
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot or (message.guild is not None and self.user not in message.mentions):
            return
        text = message.content.partition("> ")[2] or message.content
        if isinstance(message.channel, discord.TextChannel):
            thread = await message.create_thread(name="an answer")
            await thread.send(
                f"You said: {text}", view=Buttons(timeout=None) if "menu" in text else discord.utils.MISSING
            )
        else:
            await message.reply(f"You said: {text}")


async def _typed(*lines: str) -> str:
    """What is printed when these lines are piped in."""
    async with NearDiscord() as fake, running(fake, Simple()):
        return await talked(lines, partial(talk, fake, wait=True))


async def test_a_mention_and_its_answer_are_printed_one_after_the_other() -> None:
    text = await _typed("@kagent hello", "@kagent bye")
    order = ["@kagent hello", "You said: hello", "@kagent bye", "You said: bye"]
    assert [text.index(piece) for piece in order] == sorted(text.index(piece) for piece in order)
    assert "[2] kagent, #general > 1:" in text


async def test_private_messages_threads_posts_and_other_people_have_prompts_of_their_own() -> None:
    text = await _typed(
        "/dm psst", "/as bob", "/channel general", "@kagent hello", "/thread", "@kagent more", "/post How: @kagent tell"
    )
    assert "alice, #general> /dm psst" in text
    assert "You said: psst" in text
    assert "bob, #general> @kagent hello" in text
    assert "bob, #general, thread> @kagent more" in text
    assert "[5] bob, #general > 3: <@" in text
    assert "You said: tell" in text


async def test_commands_buttons_and_forms_work_and_mistakes_are_explained() -> None:
    text = await _typed(
        "/kagent ping times=2",
        "/kagent pong",
        "@kagent menu",
        "/press Open",
        "/submit",
        "/fill name=Carol",
        "/submit",
        "/press Nothing",
        "/nonsense",
    )
    assert "pong pong" in text
    assert "only alice sees it" in text
    assert "/kagent has no pong" in text
    assert "== Name ==\nWho? (name)" in text
    assert "name is required" in text
    assert "hello Carol" in text
    assert "nothing says “Nothing”" in text
    assert "There is no /nonsense" in text


async def test_messages_are_edited_deleted_and_replied_to_and_connections_are_lost() -> None:
    text = await _typed("/dm one", "/edit two", "/lose reconnect", "/reply 2 three", "/delete", "/quit")
    assert "[1] edited: two" in text
    assert "You said: three" in text
    assert "the gateway's connection has ended" in text
    assert "deleted by its author" in text


async def test_the_server_sees_this_discord_and_no_other(tmp_path: Path) -> None:
    async with NearDiscord() as fake:
        environment = server_environment(fake, tmp_path, {"DISCORD_TOKEN": "real", "discord_x": "y", "HOME": "/h"})
        assert environment["DISCORD_TOKEN"] == fake.token
        assert environment["KAGENTBOT_DISCORD__API_URL"] == fake.api_url
        assert (environment["HOME"], "discord_x" in environment) == ("/h", False)

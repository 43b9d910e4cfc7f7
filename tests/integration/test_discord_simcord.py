"""The whole server a second time, on a Discord that nobody here wrote: simcord."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
import pytest_asyncio

from adapters.chat import texts as chat
from adapters.discord.controls import modals
from adapters.discord.texts import DISCORD, FORMS_ARE_FOR_ADMINS
from bot import command_texts
from bot.invocation import CommandReply
from bot.places import Place
from tests.fakes.llm.harness import FakeLLM
from tests.support.discord_simcord import World, label_of, world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def llm() -> AsyncIterator[FakeLLM]:
    async with FakeLLM() as running:
        yield running


async def growing(here: World) -> discord.Message:
    """An answer that is being written, in the newest thread."""

    def begun() -> discord.Message | None:
        thread = here.thread()
        said = here.ours(thread) if thread is not None else []
        return said[-1] if said and "Stop" in label_of(said[-1]) else None

    found = await here.until(begun)
    assert found is not None
    return found


def edits(here: World) -> list[Any]:
    return [one for one in here.env.http_requests if one.method == "PATCH" and "/messages/" in one.path]


async def test_a_mention_opens_a_thread_in_which_the_answer_grows(
    llm: FakeLLM, tmp_path: Path, sqlite_url: str
) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send(here.channel, f"{here.us} tell me [fake:tokens=18][fake:gap=0.08]")
        await growing(here)
        [said] = await here.answered(here.thread)
        assert label_of(said) == ["👍", "👎"]
        assert edits(here)


async def test_a_follow_up_in_the_thread_needs_no_mention(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send(here.channel, f"{here.us} when is high tide? [fake:say=At noon.]")
        await here.answered(here.thread)
        thread = here.thread()
        assert thread is not None
        await here.ann.send(thread, "and low tide? [fake:say=At six.]")
        said = await here.until(lambda: [one for one in here.ours(thread) if "At six." in one.content])
        assert len(said) == 1
        assert len(here.ours(thread)) == 2


async def test_a_direct_message_is_answered_there(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send_dm("when is high tide? [fake:say=At noon.]")
        [said] = await here.answered(lambda: here.ann.user.dm_channel)
        assert "At noon." in said.content


async def test_stop_is_a_button(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send(here.channel, f"{here.us} tell me [fake:tokens=2000][fake:gap=0.05]")
        draft = await growing(here)
        result = await here.ann.click(draft, label="Stop")
        assert result.acknowledged
        [said] = await here.answered(here.thread)
        assert label_of(said) == ["Try again"]


async def test_a_button_works_after_a_restart(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send(here.channel, f"{here.us} when is high tide? [fake:say=At noon.]")
        [said] = await here.answered(here.thread)
        await here.restart()
        result = await here.ann.click(said, custom_id="kagent.feedback:1:1")
        [thanks] = result.followups
        assert (thanks.content, thanks.ephemeral) == (chat.THANKS.en, True)
        rated = await here.ann.click(thanks, label="4")
        assert rated.acknowledged
        assert result.followups[0].content == chat.RATED.say("en", rating=4)


async def test_an_answer_that_grows_is_stopped_after_a_restart(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send(here.channel, f"{here.us} tell me [fake:tokens=2000][fake:gap=0.05]")
        draft = await growing(here)
        await here.restart()
        await here.ann.click(draft, label="Stop")
        said = await here.answered(here.thread)
        assert label_of(said[-1]) == ["Try again"]


async def test_a_file_that_is_attached_is_read(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        text = "High tide is at a quarter past eleven."
        files = [("tides.txt", text.encode())]
        await here.ann.send(here.channel, f"{here.us} summarise [fake:say=Done.]", attachments=files)
        await here.answered(here.thread)
        assert any(text in str(call) for call in llm.calls())


async def test_what_is_longer_than_a_message_goes_on_in_the_next_one(
    llm: FakeLLM, tmp_path: Path, sqlite_url: str
) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send(here.channel, f"{here.us} tell me [fake:long=5000]")
        said = await here.answered(here.thread)
        assert len(said) > 2
        assert all(len(one.content) <= 2_000 for one in said)


# Commands and forms


async def test_commands_are_answered_in_private(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        for words, inside in (("help", "/kagent"), ("tools", "calculator"), ("status", "Version"), ("usage", "Today")):
            result = await here.ann.slash(here.channel, f"kagent {words}")
            assert result.response is not None, words
            assert (result.response.ephemeral, inside in result.response.content) == (True, True), words
        about = await here.ann.slash(here.channel, "kagent help", command="stop")
        assert about.response is not None
        assert DISCORD.named(command_texts.DETAILS["stop"]).en in about.response.content


async def test_a_command_that_everybody_shall_see_is_said_to_everybody(
    llm: FakeLLM, tmp_path: Path, sqlite_url: str
) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        await here.ann.send(here.channel, f"{here.us} when is high tide? [fake:say=At noon.]")
        await here.answered(here.thread)
        thread = here.thread()
        assert thread is not None
        result = await here.ann.slash(thread, "kagent leave")
        [shown] = result.followups
        assert (shown.content, shown.ephemeral) == (command_texts.LEFT.en, False)


async def test_only_whoever_manages_the_server_changes_its_profile(
    llm: FakeLLM, tmp_path: Path, sqlite_url: str
) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        how = {"name": "agent_name", "value": "Tide", "where": "workspace"}
        denied = await here.ann.slash(here.channel, "kagent profile set", **how)
        assert denied.response is not None
        assert denied.response.content == DISCORD.named(command_texts.ADMINS_ONLY).en
        panel = await here.ann.slash(here.channel, "kagent profile edit")
        assert panel.response is not None
        assert panel.response.content == FORMS_ARE_FOR_ADMINS.en
        done = await here.owner.slash(here.channel, "kagent profile set", **how)
        [shown] = done.followups
        assert "`Tide`" in shown.content


async def test_suggestions_come_while_somebody_types(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        offered = await here.ann.autocomplete(here.channel, "kagent profile set", "value", "alw", name="follow")
        assert [one["value"] for one in offered] == ["always"]


async def test_the_profile_is_changed_by_a_form_also_when_a_restart_lies_between(
    llm: FakeLLM, tmp_path: Path, sqlite_url: str
) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        panel = (await here.owner.slash(here.channel, "kagent profile edit")).response
        assert panel is not None
        shown = await here.owner.click(panel, custom_id=f"{modals.OPEN}:channel:who")
        assert shown.modal is not None
        await here.restart()
        saved = await here.owner.submit_modal(shown, {"agent_name.0": "Tide", "lang.0": ["zh"]})
        [said] = saved.followups
        assert (said.content, said.ephemeral) == (chat.SAVED.say("en", version=1), True)
        place = Place("channel", f"discord:{here.guild.id}:{here.channel.id}")
        found = await here.bot.profiles.newest(place)
        assert found is not None
        assert found.values == {"agent_name": "Tide", "lang": "zh"}


async def test_a_version_is_brought_back(llm: FakeLLM, tmp_path: Path, sqlite_url: str) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        for name in ("One", "Two"):
            await here.owner.slash(here.channel, "kagent profile set", name="agent_name", value=name)
        panel = await here.owner.slash(here.channel, "kagent profile edit")
        assert panel.response is not None
        await here.owner.click(panel.response, custom_id=f"{modals.VERSIONS}:channel")
        await here.owner.select(panel.response, ["1"], custom_id=f"{modals.PICK}:channel")
        await here.owner.click(panel.response, custom_id=f"{modals.RESTORE}:channel:1")
        assert chat.BROUGHT_BACK.say("en", number=1, version=3) in panel.response.content


async def test_what_is_ready_after_the_token_is_over_comes_as_a_direct_message(
    llm: FakeLLM, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(llm, tmp_path, sqlite_url) as here:
        here.bot.delay(monkeypatch, 16 * 60, CommandReply("Done, slowly."))
        result = await here.ann.slash(here.channel, "kagent status")
        assert result.deferred
        await here.env.advance_time(16 * 60 + 1)
        said = await here.until(lambda: here.ours(here.ann.user.dm_channel))
        assert said[-1].content.endswith("Done, slowly.")

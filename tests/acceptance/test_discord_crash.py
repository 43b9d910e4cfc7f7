"""A server that is killed between a post to Discord and the line in its ledger: the answer is there once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.discord import FakeDiscord
from tests.fakes.llm.harness import FakeLLM
from tests.support.process import Kagentbot, with_model

PERSONA = {"KAGENTBOT_DISCORD__PERSONA": "true", "KAGENTBOT_PROFILE__AGENT_NAME": "Librarian"}


@pytest.mark.parametrize(("settings", "name"), [({}, ""), (PERSONA, "Librarian")], ids=["bot", "persona"])
async def test_what_was_posted_and_not_written_down_is_found_again(
    tmp_path: Path, settings: dict[str, str], name: str
) -> None:
    async with (
        FakeDiscord() as discord,
        FakeLLM() as llm,
        Kagentbot(tmp_path, with_model(llm.base_url, **discord.environment(), **settings)) as bot,
    ):
        await bot.start(KAGENTBOT_CRASHPOINT="part.after_post")
        await discord.until_connected()
        said = await discord.ask("Who are you?")
        (planted,) = await discord.until(lambda replay: replay.visible())
        assert await bot.died() != 0
        await bot.start()
        reply = await discord.reply(said, 30)
        # Whatever else would be posted is posted by the time that the next question is answered.
        later = await discord.ask("And who am I?", channel=said.message)
        await discord.reply(later, 30)
        assert [message.id for message in reply.messages] == [planted.id]
        assert [message.username for message in reply.messages] == [name]
        assert len((await discord.replay()).created()) == 2
        report = await asyncio.to_thread(discord.judge)
        assert report.ok, str(report)

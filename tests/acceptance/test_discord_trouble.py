"""What goes wrong between the server and Discord is said in a sentence; the server starts and ends all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import ClientSession

from tests.fakes.discord import FakeDiscord
from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot, with_model

UNREACHABLE = {
    "DISCORD_TOKEN": "MTEw.nobody.nothing",
    "KAGENTBOT_DISCORD__API_URL": "http://127.0.0.1:1/api/v10",
    "KAGENTBOT_DISCORD__GATEWAY_URL": "ws://127.0.0.1:1",
    "KAGENTBOT_DISCORD__SERVERS": "112233",
}


async def health_when(bot: Kagentbot, state: str) -> str:
    """The sentence of Discord's health, once it is in this state."""
    async with ClientSession() as session, asyncio.timeout(20):
        while True:
            async with session.get(f"{bot.url}/readyz") as answer:
                found: dict[str, str] = (await answer.json())["checks"]["discord"]
            if found["state"] == state:
                return found["detail"]
            await asyncio.sleep(0.05)


async def test_what_an_operator_has_to_mend_is_said_by_a_server_that_goes_on(tmp_path: Path) -> None:
    async with (
        FakeDiscord() as discord,
        FakeLLM() as llm,
        Kagentbot(tmp_path, with_model(llm.base_url, **discord.environment())) as bot,
    ):
        await bot.start()
        assert await health_when(bot, "ok") == "connected as kagent"

        await discord.control("app", content=False)
        assert "switch on Message Content Intent" in await health_when(bot, "degraded")
        said = await discord.ask("Still there?")
        assert await discord.reply(said, 30)

        await discord.control("app", token="MTEw.some.other-token")
        assert "press Reset Token" in await health_when(bot, "down")
        assert await bot.stop() == 0
        assert bot.log.count("press Reset Token") == 1
        assert discord.token not in bot.log
        assert "Traceback" not in bot.log


async def test_a_discord_that_can_not_be_reached_keeps_no_server_from_starting_or_ending(tmp_path: Path) -> None:
    async with FakeLLM() as llm, Kagentbot(tmp_path, with_model(llm.base_url, **UNREACHABLE)) as bot:
        await bot.start()
        assert "Discord can't be reached" in await health_when(bot, "down")
        assert await bot.stop() == 0
        assert bot.log.count("Discord can't be reached") == 1
        assert "voice" not in bot.log

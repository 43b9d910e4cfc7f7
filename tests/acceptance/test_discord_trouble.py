"""What goes wrong between the server and Discord is said in a sentence; the server starts and ends all the same."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from adapters.discord.texts import NOT_SERVED
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.prepared import ALICE, HARBOUR, LIGHTHOUSE, SILENT
from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot, is_one_sentence, with_model

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


@contextlib.asynccontextmanager
async def serving(tmp_path: Path, *servers: str) -> AsyncIterator[tuple[FakeDiscord, FakeLLM, Kagentbot]]:
    """Discord, a model, and a server that isn't started yet."""
    async with (
        FakeDiscord() as discord,
        FakeLLM() as llm,
        Kagentbot(tmp_path, with_model(llm.base_url, **discord.environment(*servers))) as bot,
    ):
        yield discord, llm, bot


def about(bot: Kagentbot, words: str) -> list[str]:
    """The lines of the log with these words."""
    return [line for line in bot.log.splitlines() if words in line]


async def test_a_wrong_token_is_told_by_check_and_once_in_the_log(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, _, bot):
        bot.settings["DISCORD_TOKEN"] = "MTEw.wrong.token"
        checked = await bot.run("discord", "check")
        assert checked.status == 1
        assert "Discord doesn't take the bot token" in checked.out
        await bot.start()
        said = await health_when(bot, "down")
        assert is_one_sentence(said, "en")
        assert len(about(bot, said)) == 1
        # The page goes on.
        async with bot.client() as visitor:
            sent = await visitor.send("hello")
            assert (await visitor.turn_when(sent["turn_id"], _is_over))["state"] == "answered"


def _is_over(turn: dict[str, Any]) -> bool:
    return turn["state"] not in ("queued", "running")


async def test_where_the_bot_may_not_write_the_log_says_which_permission_and_whoever_asked_is_told(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as (discord, _, bot):
        await bot.start()
        await discord.until_connected()
        await discord.ask("Hello?", channel=SILENT)
        told = await discord.until(lambda replay: [m.text for m in replay.visible() if not m.place.thread])
        assert "I can't answer" in told[0] or "permission" in told[0]
        [line] = about(bot, f"channel {SILENT}")
        assert "A permission is missing there: give my role" in line
        # Refused once, and not tried again.
        refused = [
            c for c in (await discord.replay()).calls if c["ids"].get("channel") == SILENT and c["code"] == 50013
        ]
        assert len({call["method"] for call in refused}) == len(refused)
        checked = await bot.run("discord", "check")
        assert "#silent: the bot lacks Send Messages" in checked.out


async def test_a_server_that_is_not_on_the_list_is_named_with_the_line_to_add(tmp_path: Path) -> None:
    async with serving(tmp_path, HARBOUR) as (discord, llm, bot):
        await bot.start()
        await discord.until_connected()
        await discord.until(lambda replay: replay.called("PUT /applications/{application}/commands", accepted=True))
        assert "not in" in await health_when(bot, "degraded")
        await discord.ask("Hello?")
        answer = await discord.command("help")
        assert answer["message"] is not None
        [said] = await discord.until(lambda replay: [m.text for m in replay.private(ALICE) if m.text])
        assert said == NOT_SERVED.en
        assert len(about(bot, LIGHTHOUSE)) == 1
        assert "discord.servers" in about(bot, LIGHTHOUSE)[0]
        # Nobody else heard anything of it.
        assert (await discord.replay()).visible() == []
        assert llm.calls() == []


async def test_a_gateway_that_comes_later_brings_what_was_said_before(tmp_path: Path) -> None:
    async with serving(tmp_path) as (discord, _, bot):
        await bot.start()
        await discord.until_connected()
        first = await discord.reply(await discord.ask("Hello?"))
        await bot.stop()
        looked = len((await discord.replay()).called("GET /gateway/bot"))
        async with discord.outage(forget=True):
            await bot.start()
            said = [await discord.ask("Are you there?"), await discord.ask("And here?", channel=first.place.thread)]
            # We have looked for the gateway, and so has discord.py.
            await discord.until(lambda replay: len(replay.called("GET /gateway/bot")) >= looked + 2)
        assert [(await discord.reply(one, 30)).finished for one in said] == [True, True]
        assert await health_when(bot, "ok") == "connected as kagent"
        report = await asyncio.to_thread(discord.judge)
        assert report.ok, str(report)


async def test_a_server_that_is_told_to_end_finishes_what_it_is_saying(tmp_path: Path) -> None:
    async with serving(tmp_path) as (discord, _, bot):
        await bot.start()
        await discord.until_connected()
        said = await discord.ask("A story. [fake:tokens=30] [fake:gap=0.1]")
        await discord.until(lambda replay: [m for m in replay.visible() if m.buttons])
        assert await bot.stop() == 0
        reply = await discord.reply(said)
        assert reply.finished
        assert len(reply.text.split()) >= 30
        # Nothing is left of it: neither a connection nor a sign of work.
        assert (await discord.replay()).connected == set()
        assert (await asyncio.to_thread(discord.judge)).ok
        assert "Traceback" not in bot.log

"""`make discord-live`, the same script as against a real server, against the fake Discord."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from agent.language import Lang
from scripts.discord_live.__main__ import check
from scripts.discord_live.check import Check
from scripts.discord_live.steps import STEPS
from scripts.live.people import Favour
from scripts.live.report import Step
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import permissions as allowed
from tests.fakes.discord.harness import Said
from tests.fakes.discord.prepared import (
    ALICE,
    BOT_PERMISSIONS,
    BOT_ROLE,
    FORUM_CHANNEL,
    GENERAL,
    LIGHTHOUSE,
    SILENT,
)
from tests.fakes.judging import STOP_BUTTON

#: Seconds between two looks: quicker than in Discord, where calls are counted.
_PAUSE = 0.05
#: What takes away even what people have said.
_TIDY = BOT_PERMISSIONS | allowed.MANAGE_MESSAGES | allowed.MANAGE_THREADS


#: The type of a channel of direct messages.
_DIRECT = 1


class Run(NamedTuple):
    """How a check ended."""

    status: int
    said: list[str]

    def line(self, number: int) -> str:
        """What was said about one step."""
        return next(line for line in self.said if line.startswith(f"{number:>2}  "))

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def variables(discord: FakeDiscord, **more: str) -> dict[str, str]:
    """What somebody sets who runs the check."""
    home = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    # No file of whoever runs the tests has a say.
    settings = home | {"KAGENTBOT_CONFIG": os.devnull} | discord.environment()
    return settings | {"DISCORD_LIVE_CHANNEL": GENERAL, **more}


async def people(discord: FakeDiscord, favour: Favour) -> None:
    """Do what the check asks a person for."""
    place = favour.ts or favour.channel
    message = Said(favour.channel, favour.ts)
    match favour.kind:
        case "stop":
            running = await discord.until(
                lambda replay: [m for m in replay.visible() if any(n.startswith(STOP_BUTTON) for n in m.buttons)]
            )
            await discord.press(STOP_BUTTON, on=running[-1])
        case "edit":
            await discord.edit(message, favour.text)
        case "delete":
            await discord.delete(message)
        case _:
            content = await asyncio.to_thread(favour.file.read_bytes) if favour.file else b""
            files = [await discord.upload(favour.file.name, content, mimetype="text/plain")] if favour.file else []
            await discord.say(favour.text, user=ALICE, channel=place, files=files)


async def run(discord: FakeDiscord, *, steps: Sequence[Step[Check]] = STEPS, lang: Lang = "en", **more: str) -> Run:
    said: list[str] = []

    async def ask(favour: Favour) -> None:
        await people(discord, favour)

    status = await check(variables(discord, **more), lang, said.append, ask, pause=_PAUSE, steps=steps)
    return Run(status, said)


def named(*names: str) -> list[Step[Check]]:
    """Some of the steps."""
    return [step for step in STEPS if step.name in names]


async def test_all_steps_go_well_and_leave_nothing_behind() -> None:
    wide = dict.fromkeys(("post", "history", "delete", "message", "channel"), (100, 5.0))
    async with FakeDiscord(buckets=wide) as discord:
        await discord.control("role", guild=LIGHTHOUSE, role=BOT_ROLE, permissions=_TIDY)
        before = {one["id"] for one in (await discord.world())["channels"]}
        done = await run(discord)
        assert done.status == 0, done.text
        assert "17 of 17 steps went well." in done.said
        assert "Nothing was left behind." in done.said
        assert "the same nonce gave back the same message" in done.text
        assert "one edit in" in done.text
        # Whole threads are gone; in private, people delete their own.
        there = {one["id"]: one for one in (await discord.world())["channels"]}
        left = [one for one in await discord.messages() if one["channel_id"] in there]
        assert {(there[one["channel_id"]]["type"], one["author"]["id"]) for one in left} == {(_DIRECT, ALICE)}
        assert {id_ for id_, one in there.items() if one["type"] != _DIRECT} == before


async def test_what_the_bot_may_not_delete_is_named_in_the_reader_s_language() -> None:
    async with FakeDiscord() as discord:
        done = await run(discord, steps=named("token", "connection", "mention"), lang="zh")
        assert done.status == 1
        assert "3 步中 3 步通过。" in done.said
        assert "以下内容未能清理" in done.text


async def no_token(discord: FakeDiscord) -> dict[str, str]:
    return {"DISCORD_TOKEN": "MTEw.wrong.token"}


async def no_content(discord: FakeDiscord) -> dict[str, str]:
    await discord.control("app", content=False)
    return {}


async def a_forum(discord: FakeDiscord) -> dict[str, str]:
    return {"DISCORD_LIVE_CHANNEL": FORUM_CHANNEL}


async def mute(discord: FakeDiscord) -> dict[str, str]:
    return {"DISCORD_LIVE_CHANNEL": SILENT}


@pytest.mark.parametrize(
    ("trouble", "reason", "fix"),
    [
        (no_token, "Discord doesn't take the bot token", "kagentbot discord check"),
        (no_content, "The application may not read messages", "Switch on Message Content Intent"),
        (a_forum, "is no text channel of a server", "Copy Channel ID"),
        (mute, "the bot lacks Send Messages", "Edit Channel, Permissions"),
    ],
)
async def test_a_step_that_fails_says_what_is_wrong_and_how_to_mend_it(trouble: Any, reason: str, fix: str) -> None:
    async with FakeDiscord() as discord:
        done = await run(discord, steps=STEPS[:4], **await trouble(discord))
        assert done.status == 1
        assert done.line(1).startswith(" 1  FAILED")
        assert reason in done.line(1)
        told = done.said[done.said.index(done.line(1)) + 1]
        assert told.strip().startswith("To mend it: ")
        assert fix in told
        # What needs it is left out.
        assert all("left out" in done.line(number) for number in range(2, 5))


async def test_what_is_not_set_is_named_and_nothing_is_tried() -> None:
    async with FakeDiscord() as discord:
        done = await run(discord, DISCORD_LIVE_CHANNEL="", DISCORD_TOKEN="")
        assert done.status == 2
        assert "DISCORD_TOKEN, DISCORD_LIVE_CHANNEL" in done.text
        assert (await discord.replay()).calls == []

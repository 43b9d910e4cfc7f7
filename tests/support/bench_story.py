"""Somebody runs benchmarks in a chat: the real server as a process of its own, and a platform's fake.

What is seen, and how often something was posted, is told by the fake's log.
"""

from __future__ import annotations

import contextlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import aiohttp

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import prepared as in_discord
from tests.fakes.slack import FakeSlack
from tests.fakes.slack import prepared as in_slack
from tests.fakes.slack.deliver import Mode
from tests.support.process import Kagentbot

T = TypeVar("T")

#: The bar of a run's message while it goes on, with how far it is.
_BAR: Final = re.compile(r"[█░]{20}`? (\d+) ?%")
#: Numbers among Discord's options of `/kagent-bench run`.
_NUMBERS: Final = frozenset({"limit", "repeats"})


class Report(NamedTuple):
    """What everybody sees of the bot: a message."""

    id: str
    text: str
    #: Names of the pictures in it.
    pictures: tuple[str, ...]

    @property
    def far(self) -> int | None:
        """How far its run is, in percent; None: it is not under way."""
        found = _BAR.search(self.text)
        return int(found[1]) if found else None

    @property
    def over(self) -> bool:
        """Whether it is the end of a run: until then it names the command that stops it, and it always has a title."""
        return "KAgentBench" in self.text and not re.search(r"(?:cancel|取消)`", self.text)


@dataclass(kw_only=True)
class BenchStory(ABC):
    """An operator in a channel."""

    bot: Kagentbot

    @abstractmethod
    async def start(self) -> None:
        """Start the server and wait until the platform's events reach it."""

    @abstractmethod
    async def types(self, words: str, user: str = "") -> str:
        """Somebody, by default the operator, types `/kagent-bench WORDS` in the channel: what they alone are told."""

    @abstractmethod
    async def reports(self) -> list[Report]:
        """What everybody sees of the bot in the channel, oldest first."""

    @abstractmethod
    async def posted(self) -> int:
        """How many messages were ever created there for everybody, whatever became of them."""

    @abstractmethod
    async def log(self) -> list[dict[str, Any]]:
        """All that happened."""

    @abstractmethod
    async def download(self) -> Mapping[str, bytes]:
        """The pictures that are seen in the channel now, by name."""

    @abstractmethod
    async def until_seen(self, holds: Callable[[list[Report]], T], timeout: float) -> T:
        """What `holds` says of the reports, as soon as that is true."""

    @abstractmethod
    async def faulty(self, faults: Mapping[str, float]) -> None:
        """From now on the platform fails so often in these ways; {}: in none."""

    async def report(self, timeout: float = 60.0) -> Report:
        """The one message in the channel, once it is the end of a run, whatever that is."""

        def ended(reports: list[Report]) -> Report | None:
            return next((one for one in reports if one.over), None)

        found = await self.until_seen(ended, timeout)
        assert found is not None
        return found


@dataclass(kw_only=True)
class InSlack(BenchStory):
    """Alice, who administers the workspace, in a channel of Slack."""

    slack: FakeSlack
    mode: Mode = "socket"
    user: str = in_slack.ALICE
    stranger: str = in_slack.BOB
    channel: str = in_slack.C1

    async def start(self) -> None:
        await self.bot.start()
        if self.mode == "http":
            await self.slack.app(url=f"{self.bot.url}/slack/events")
        else:
            # The sockets of an earlier server are closed by its end; these are new ones.
            await self.slack.until_connected(2, 30.0)

    async def types(self, words: str, user: str = "") -> str:
        who = user or self.user
        before = len((await self.slack.replay()).private(who, self.channel))
        await self.slack.command(words, name="/kagent-bench", user=who, channel=self.channel)
        return await self.slack.until(
            lambda replay: "\n".join(one.text for one in replay.private(who, self.channel)[before:]), 30.0
        )

    async def reports(self) -> list[Report]:
        return _in_slack(await self.slack.replay(), self.channel)

    async def posted(self) -> int:
        replay = await self.slack.replay()
        return sum(not one.private_to and one.place.channel == self.channel for one in replay.bots.values())

    async def log(self) -> list[dict[str, Any]]:
        return (await self.slack.replay()).entries

    async def faulty(self, faults: Mapping[str, float]) -> None:
        await self.slack.set(faults=dict(faults))

    async def until_seen(self, holds: Callable[[list[Report]], T], timeout: float) -> T:
        return await self.slack.until(lambda replay: holds(_in_slack(replay, self.channel)), timeout)

    async def download(self) -> Mapping[str, bytes]:
        found = {}
        shown = [one for one in (await self.slack.replay()).visible() if one.place.channel == self.channel]
        headers = {"Authorization": f"Bearer {self.slack.bot_token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for message in shown:
                ids = [block["slack_file"]["id"] for block in message.blocks if "slack_file" in block]
                for id_, picture in zip(ids, message.pictures, strict=True):
                    url = f"{self.slack.url}/files/download/{in_slack.T1}-{id_}/{picture['name']}"
                    async with session.get(url) as response:
                        response.raise_for_status()
                        found[picture["name"]] = await response.read()
        return found


def _in_slack(replay: Any, channel: str) -> list[Report]:
    shown = [one for one in replay.visible() if one.place.channel == channel]
    return [Report(one.id, one.text, tuple(picture["name"] for picture in one.pictures)) for one in shown]


@dataclass(kw_only=True)
class InDiscord(BenchStory):
    """Alice, who owns the server, in a channel of Discord."""

    discord: FakeDiscord
    user: str = in_discord.ALICE
    stranger: str = in_discord.MONA
    channel: str = in_discord.GENERAL

    async def start(self) -> None:
        before = (await self.discord.replay()).called("PUT /applications/{application}/commands", accepted=True)
        await self.bot.start()
        await self.discord.until_connected()
        if not before:
            # Discord has to know the commands before anybody can type them.
            await self.discord.until(
                lambda replay: replay.called("PUT /applications/{application}/commands", accepted=True)
            )

    async def types(self, words: str, user: str = "") -> str:
        who = user or self.user
        verb, *options = words.split()
        before = _private(await self.discord.replay(), who)
        given: dict[str, Any] = {}
        for word in options:
            name, sign, value = word.partition("=")
            given[name if sign else "constrained"] = (int(value) if name in _NUMBERS else value) if sign else True
        await self.discord.command(verb, given, name="kagent-bench", user=who, channel=self.channel)

        def news(replay: Any) -> str:
            now = _private(replay, who)
            return "\n".join(text for id_, text in now.items() if text and before.get(id_) != text)

        return await self.discord.until(news, 30.0)

    async def reports(self) -> list[Report]:
        return _in_discord(await self.discord.replay(), self.channel)

    async def posted(self) -> int:
        replay = await self.discord.replay()
        return sum(not one.private_to and one.channel == self.channel for one in replay.bots.values())

    async def log(self) -> list[dict[str, Any]]:
        return (await self.discord.replay()).entries

    async def faulty(self, faults: Mapping[str, float]) -> None:
        await self.discord.set(faults=dict(faults))

    async def until_seen(self, holds: Callable[[list[Report]], T], timeout: float) -> T:
        return await self.discord.until(lambda replay: holds(_in_discord(replay, self.channel)), timeout)

    async def download(self) -> Mapping[str, bytes]:
        shown = [one for one in (await self.discord.replay()).visible() if one.channel == self.channel]
        ids = {name: id_ for one in shown for name, id_ in zip(one.files, one.file_ids, strict=True)}
        return {name: await self.discord.download(id_) for name, id_ in ids.items() if name.endswith(".png")}


def _in_discord(replay: Any, channel: str) -> list[Report]:
    shown = [one for one in replay.visible() if one.channel == channel]
    return [Report(one.id, one.text, tuple(n for n in one.files if n.endswith(".png"))) for one in shown]


def _private(replay: Any, user: str) -> dict[str, str]:
    return {one.id: one.text for one in replay.private(user)}


@contextlib.asynccontextmanager
async def in_slack_story(folder: Path, settings: Mapping[str, str], *, mode: Mode = "socket") -> AsyncIterator[InSlack]:
    """A fake Slack, and a server that is not started yet."""
    async with FakeSlack(folder / "slack.jsonl", mode=mode) as slack:
        variables = {
            "PORT": "0",
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "KAGENTBOT_SLACK__API_URL": slack.api_url,
            "KAGENTBOT_SLACK__MODE": mode,
            "KAGENTBOT_ACCESS__OPERATORS": json.dumps([f"slack:{in_slack.ALICE}"]),
        }
        async with Kagentbot(folder, variables | dict(settings)) as bot:
            yield InSlack(bot=bot, slack=slack, mode=mode)


@contextlib.asynccontextmanager
async def in_discord_story(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[InDiscord]:
    """A fake Discord, and a server that is not started yet."""
    async with FakeDiscord(folder / "discord.jsonl") as discord:
        operators = {"KAGENTBOT_ACCESS__OPERATORS": json.dumps([f"discord:{in_discord.ALICE}"])}
        variables = {"PORT": "0"} | discord.environment() | operators
        async with Kagentbot(folder, variables | dict(settings)) as bot:
            yield InDiscord(bot=bot, discord=discord)

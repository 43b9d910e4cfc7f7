"""The story of people with the bot in Slack, for tests and a transcript: the real server and the fake Slack."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.language import Lang, Text
from tests.fakes.llm import FakeLLM
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.harness import Said
from tests.fakes.slack.judge import Reply
from tests.fakes.slack.log import Entry
from tests.fakes.slack.prepared import ALICE, BOB, CAROL, GUS, T1
from tests.fakes.slack.replay import BotMessage, Place, Replay
from tests.fakes.slack.world import SCOPES, SlackError
from tests.support import story as stories
from tests.support.process import Kagentbot
from tests.support.slack_words import seen

Asked = stories.Asked[Said, BotMessage]


@dataclass(kw_only=True)
class SlackStory(stories.Story[Said, BotMessage]):
    """Somebody and their Slack."""

    mode: Mode
    slack: FakeSlack
    _channels: int = 0

    @property
    def user(self) -> str:
        """Alice, or Carol with Slack in Chinese; both administer the workspace."""
        return CAROL if self.lang == "zh" else ALICE

    @property
    def others(self) -> tuple[str, str]:
        return (BOB, CAROL) if self.user == ALICE else (BOB, ALICE)

    async def log(self) -> list[Entry]:
        return (await self.slack.replay()).entries

    async def seen(self) -> list[str]:
        return seen(await self.entries(), self.user)

    async def channel(self, *members: str) -> str:
        self._channels += 1
        name = f"C{self._channels:03d}"
        people = members or (ALICE, BOB, CAROL, GUS)
        where = {"channel": name, "teams": [T1], "name": f"scene-{self._channels}"}
        await self.slack.control("add", kind="channel", members=[*people, self.slack.bot_user], **where)
        return name

    async def speak(self, text: str, user: str, channel: str, thread: str = "") -> Said:
        return await self.slack.say(text, user=user, channel=channel, thread=thread)

    async def talk(self, text: str, user: str, channel: str) -> Said:
        return await self.speak(text, user, channel)

    async def mention(self, text: str, channel: str, thread: str = "", files: tuple[str, ...] = ()) -> Said:
        return await self.slack.ask(text, user=self.user, channel=channel, thread=thread, files=list(files))

    async def bid(self, words: Text, channel: str, thread: str) -> Said:
        return await self.slack.mention(self.say(words), user=self.user, channel=channel, thread=thread)

    async def upload(self, name: str, content: bytes) -> str:
        return await self.slack.upload(name, content, user=self.user, mimetype="text/plain")

    async def reply(self, said: Said, timeout: float) -> Reply:
        return await self.slack.reply(said, timeout)

    async def private(self, channel: str, more_than: int = -1) -> list[str]:
        def told(replay: Replay) -> list[str] | None:
            texts = [message.text for message in replay.private(self.user, channel)]
            return texts if len(texts) > more_than else None

        found: list[str] | None = told(await self.slack.replay()) if more_than < 0 else await self.slack.until(told)
        return found or []

    async def press(self, action: str, value: str, message: BotMessage) -> object:
        return await self.slack.press(action, value, on=message, user=self.user)

    async def shown(self, said: Said) -> None:
        await self.slack.until(lambda replay: [m for m in replay.visible(said.place) if m.text.strip()])

    async def button(self, said: Said, action: str) -> None:
        await self.slack.until(lambda replay: any(action in m.buttons for m in replay.visible(said.place)), 60.0)

    async def start(self) -> None:
        await start(self.bot, self.slack, self.mode)

    async def window(self, act: Callable[[], Any]) -> dict[str, Any]:
        """The modal that opens, or changes, when our person does this, once it is filled."""
        before = len((await self.slack.replay()).called("views.update", accepted=True))
        await act()
        await self.slack.until(lambda replay: len(replay.called("views.update", accepted=True)) > before)
        view = await self.slack.view(self.user)
        assert view is not None
        return view

    async def home(self) -> dict[str, Any]:
        """The App Home of our person, opened now."""
        before = len((await self.slack.replay()).called("views.publish", accepted=True))
        await self.slack.open_home(self.user)
        await self.slack.until(lambda replay: len(replay.called("views.publish", accepted=True)) > before)
        view = await self.slack.home(self.user)
        assert view is not None
        return view

    async def press_stop(self, place: Place) -> None:
        """Slack's own Stop, as soon as it is there."""
        await press_stop(self.slack, place, self.user)


async def press_stop(slack: FakeSlack, place: Place, user: str = ALICE) -> None:
    """Press Slack's own Stop as soon as there is one."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await slack.press_stop(place, user)
            except SlackError as error:
                if error.code != "no_stop_button":
                    raise
                await more(slack)


async def more(slack: FakeSlack) -> None:
    """Wait until anything has happened."""
    known = len((await slack.replay()).entries)

    def grown(replay: Replay) -> bool:
        return len(replay.entries) > known

    await slack.until(grown)


@contextlib.asynccontextmanager
async def story(
    folder: Path,
    lang: Lang,
    mode: Mode,
    tell: Callable[[Text], None] = lambda _: None,
    note: Callable[[Text], None] = lambda _: None,
    **settings: str,
) -> AsyncIterator[SlackStory]:
    """Everything started and connected."""
    async with FakeSlack(folder / "slack.jsonl", mode=mode) as slack, FakeLLM(log_requests=True) as model:
        await slack.control("add", kind="install", team=T1, scopes=sorted(SCOPES | {"chat:write.customize"}))
        carol = {"name": "carol", "real_name": "Carol Chen", "tz": "Asia/Shanghai", "locale": "zh-CN"}
        await slack.control("add", kind="user", user=CAROL, team=T1, is_admin=True, **carol)
        async with stories.a_server(folder, model, slack_settings(slack, mode), settings) as bot:
            begun = SlackStory(lang=lang, model=model, bot=bot, tell=tell, note=note, mode=mode, slack=slack)
            await begun.start()
            yield begun


def slack_settings(slack: FakeSlack, mode: Mode) -> dict[str, str]:
    """What makes a server use this fake."""
    return {
        "PORT": "0",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "KAGENTBOT_SLACK__API_URL": slack.api_url,
        "KAGENTBOT_SLACK__MODE": mode,
    }


async def start(bot: Kagentbot, slack: FakeSlack, mode: Mode) -> None:
    """Start the server and wait until Slack's events reach it."""
    await bot.start()
    if mode == "http":
        await slack.app(url=f"{bot.url}/slack/events")
    else:
        await slack.until_connected(2)

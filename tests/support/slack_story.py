"""The story of people with the bot in Slack: the real server, the fake Slack, scenes that tests and a transcript share.

Each scene plays in a channel of its own, so none depends on another; it returns what there is to see.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

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
from tests.support.process import Kagentbot
from tests.support.slack_words import seen

#: Messages of one channel that are answered in a minute; a scene asks fewer.
CHANNEL_LIMIT = 3
#: A tool with a source, so that an answer has one.
_TOOL = '''
from agent.tools.custom import options
from agent.tools.registry import ToolResult


@options(name_zh="潮汐表")
def tide_table(place: str) -> ToolResult:
    """Looks up the next high tide at a place.

    Args:
        place: Where.
    """
    return ToolResult(f"{place}: 14:30", f"**{place}**: 14:30", ("https://tides.example/today",))
'''

TIDE = Text("When is high tide in Rostock?", "Rostock 什么时候涨潮？")
HIGH_TIDE = Text(
    "High tide in **Rostock** is at *14:30* today, so the boats leave at three.",
    "**Rostock** 今天的涨潮时间是 *14:30*，所以船在三点出发。",
)
THOUGHT = Text("I look at the tide table.", "我来查一下潮汐表。")
LONG = Text("Tell me all about tides. ", "请详细讲讲潮汐。 ")
SHORT = Text("And now?", "那现在呢？")
SHORT_ANSWER = Text("It is calm.", "风平浪静。")
HELP = Text("help", "帮助")
INSTRUCTIONS = Text("Answer like an old sailor.", "像老水手一样回答。")
OTHER_INSTRUCTIONS = Text("Answer in one word.", "只用一个词回答。")
NAME = "Ada"
LEAVE = Text("leave", "离开")
FORGET = Text("forget this", "忘记这个对话")
FORGET_FOR_GOOD = Text("forget this confirm", "忘记这个对话 确认")
FILE = Text("The harbour opens at half past five.", "港口五点半开放。")
ABOUT_FILE = Text("What do my notes say?", "我的笔记里写了什么？")
SECRET = Text("My boat is called Periwinkle.", "我的船叫长春花号。")


class Asked(NamedTuple):
    """A question and its reply."""

    said: Said
    reply: Reply

    @property
    def turn_id(self) -> int:
        return int(self.reply.turn.removeprefix("kagentbot-"))

    @property
    def last(self) -> BotMessage:
        """The message that has the buttons."""
        return self.reply.messages[-1]


@dataclass
class Story:
    """Somebody, their Slack, the server and its model. `tell` hears what the next scene is about, `note` of what no log
    has: what people fill in, what the model is told.
    """

    lang: Lang
    mode: Mode
    slack: FakeSlack
    model: FakeLLM
    bot: Kagentbot
    tell: Callable[[Text], None]
    note: Callable[[Text], None]
    _channels: int = 0
    _told: int = 0

    @property
    def user(self) -> str:
        """Alice, or Carol with Slack in Chinese; both administer the workspace."""
        return CAROL if self.lang == "zh" else ALICE

    def say(self, text: Text) -> str:
        return text.say(self.lang)

    async def channel(self, *members: str) -> str:
        """A new channel with these people (everybody if nobody is named) and the bot."""
        self._channels += 1
        name = f"C{self._channels:03d}"
        people = members or (ALICE, BOB, CAROL, GUS)
        where = {"channel": name, "teams": [T1], "name": f"scene-{self._channels}"}
        await self.slack.control("add", kind="channel", members=[*people, self.slack.bot_user], **where)
        return name

    async def begin(self, heading: Text) -> None:
        """A new scene: what was seen before is no business of `seen`."""
        self.tell(heading)
        self._told = len((await self.slack.replay()).entries)

    async def entries(self) -> list[Entry]:
        """What happened in this scene."""
        return (await self.slack.replay()).entries[self._told :]

    async def seen(self) -> list[str]:
        """All texts of the bot's that our person saw in this scene."""
        return seen(await self.entries(), self.user)

    # --- Asking

    async def ask(
        self, text: str, channel: str, *, thread: str = "", plan: str = "", say: str = "", **more: Any
    ) -> Said:
        """Our person mentions the bot, with what the model shall do in it; `more` are directives of its."""
        fake = f" [fake:plan={plan}] [fake:thought={self.say(THOUGHT)}]" if plan else ""
        fake += f" [fake:say={say}]" if say else ""
        fake += "".join(f" [fake:{name}={value}]" for name, value in more.items())
        return await self.slack.ask(text + fake, user=self.user, channel=channel, thread=thread)

    async def answer(self, said: Said, timeout: float = 30.0) -> Asked:
        """The finished reply to it: that which carries its marker."""
        reply = await self.slack.reply(said, timeout)
        return Asked(said, reply)

    async def asked(self, channel: str, *, thread: str = "", text: Text = SHORT, say: Text = SHORT_ANSWER) -> Asked:
        """A short question and its reply."""
        said = await self.ask(self.say(text), channel, thread=thread, say=self.say(say))
        return await self.answer(said)

    async def bid(self, words: Text, channel: str, thread: str) -> Said:
        """Our person gives a command as a mention."""
        return await self.slack.mention(self.say(words), user=self.user, channel=channel, thread=thread)

    async def told(self, channel: str, act: Callable[[], Any]) -> str:
        """What our person alone is told after doing this."""
        before = len(await self.slack.ephemerals(self.user, channel))
        await act()
        texts = await self.slack.until(
            lambda replay: [m.text for m in replay.private(self.user, channel)][before:], timeout=15
        )
        return "\n".join(texts)

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

    # --- Looking behind

    def row(self, sql: str, *values: object) -> dict[str, Any] | None:
        """A row of the server's database; None: there is none."""
        with contextlib.closing(sqlite3.connect(f"file:{self.bot.data}/kagentbot.db?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            found = database.execute(sql, values).fetchone()
        return dict(found) if found else None

    async def over(self, asked: Asked) -> None:
        """Wait until the server has written down the end of a turn: people see its reply a moment before."""
        async with asyncio.timeout(15):
            while self.row("SELECT state FROM turn WHERE id = ?", asked.turn_id) == {"state": "running"}:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)

    def prompts(self, said: Said) -> list[str]:
        """What the model was asked for this message, each call as one text."""
        return [
            json.dumps(call.body.get("messages"), ensure_ascii=False)
            for call in self.model.calls()
            if said.marker in call.user
        ]


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
) -> AsyncIterator[Story]:
    """Everything started and connected."""
    tool = folder / "tides.py"
    await asyncio.to_thread(tool.write_text, _TOOL, "utf-8")
    async with FakeSlack(folder / "slack.jsonl", mode=mode) as slack, FakeLLM(log_requests=True) as model:
        await slack.control("add", kind="install", team=T1, scopes=sorted(SCOPES | {"chat:write.customize"}))
        carol = {"name": "carol", "real_name": "Carol Chen", "tz": "Asia/Shanghai", "locale": "zh-CN"}
        await slack.control("add", kind="user", user=CAROL, team=T1, is_admin=True, **carol)
        variables = {
            **slack_settings(slack, mode),
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_MODEL": "fake-model",
            "KAGENTBOT_PROFILE__STYLE": "kuaiagent",
            "KAGENTBOT_TOOLS__FILES": json.dumps([str(tool)]),
            "KAGENTBOT_LIMITS__CHANNEL_PER_MINUTE": str(CHANNEL_LIMIT),
            **settings,
        }
        async with Kagentbot(folder, variables) as bot:
            await start(bot, slack, mode)
            yield Story(lang, mode, slack, model, bot, tell, note)


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

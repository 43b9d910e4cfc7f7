"""A story of people with the bot: what its scenes need on any chat platform, and what is said in them.

Each platform's story is the real server, the platform's fake and the model of the tests. Each scene plays in a channel
of its own, so none depends on another; it returns what there is to see.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from agent.language import Lang, Text
from tests.fakes.judging import Reply
from tests.fakes.llm import FakeLLM
from tests.support.process import Kagentbot

#: Messages of one channel that are answered in a minute; a scene asks fewer.
CHANNEL_LIMIT: Final = 3
#: A tool with a source, so that an answer has one.
_TOOL: Final = '''
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
SAIL = Text("Shall we sail tomorrow?", "明天出海吗？")
#: What people say among themselves: before the bot is asked, and after it. The first and the second of them, and ours.
BEFORE: Final = (
    ("second", Text("If the weather holds.", "要看天气。")),
    ("ours", Text("I could ask somebody.", "我可以问问。")),
)
AFTER: Final = (
    ("first", Text("Good to know.", "知道了。")),
    ("second", Text("What do you think, Alice?", "大家觉得呢？")),
    ("ours", Text("Let us go then.", "那就走吧。")),
    ("ours", Text("<@{first}> and you?", "<@{first}> 你呢？")),
)
ALONE = Text("Alone at last.", "清静了。")


class Said(Protocol):
    """A person's message."""

    @property
    def channel(self) -> str: ...

    @property
    def marker(self) -> str: ...

    @property
    def thread(self) -> str:
        """The thread that it is in, or begins."""


S = TypeVar("S", bound=Said)
M = TypeVar("M", bound=Any)


class Asked(NamedTuple, Generic[S, M]):
    """A question and its reply."""

    said: S
    reply: Reply[M]

    @property
    def turn_id(self) -> int:
        return int(self.reply.turn.removeprefix("kagentbot-"))

    @property
    def last(self) -> M:
        """The message that has the buttons."""
        return self.reply.messages[-1]


@dataclass(kw_only=True)
class Story(ABC, Generic[S, M]):
    """Somebody, the server and its model. `tell` hears what the next scene is about, `note` of what no log has: what
    people fill in, what the model is told.
    """

    lang: Lang
    model: FakeLLM
    bot: Kagentbot
    tell: Callable[[Text], None]
    note: Callable[[Text], None]
    _told: int = 0

    def say(self, text: Text, **fields: object) -> str:
        return text.say(self.lang, **fields) if fields else text.say(self.lang)

    async def begin(self, heading: Text) -> None:
        """A new scene: what was seen before is no business of `seen`."""
        self.tell(heading)
        self._told = len(await self.log())

    async def entries(self) -> list[dict[str, Any]]:
        """What happened in this scene."""
        return (await self.log())[self._told :]

    # --- Whom and what the platform has

    @property
    @abstractmethod
    def user(self) -> str:
        """Our person, an administrator."""

    @property
    @abstractmethod
    def others(self) -> tuple[str, str]:
        """Two other people."""

    @abstractmethod
    async def log(self) -> list[dict[str, Any]]:
        """What happened so far."""

    @abstractmethod
    async def seen(self) -> list[str]:
        """All texts of the bot's that our person saw in this scene."""

    @abstractmethod
    async def channel(self, *members: str) -> str:
        """A new channel with the bot, and with these people (everybody if nobody is named) where a platform says so."""

    @abstractmethod
    async def speak(self, text: str, user: str, channel: str, thread: str = "") -> S:
        """Somebody says something in a channel, or in a thread of it."""

    @abstractmethod
    async def talk(self, text: str, user: str, channel: str) -> S:
        """Somebody says something that people go on about in a thread."""

    @abstractmethod
    async def mention(self, text: str, channel: str, thread: str = "", files: tuple[str, ...] = ()) -> S:
        """Our person mentions the bot, with a marker."""

    @abstractmethod
    async def bid(self, words: Text, channel: str, thread: str) -> S:
        """Our person gives a command as a mention."""

    @abstractmethod
    async def upload(self, name: str, content: bytes) -> str:
        """Our person has a file to share."""

    @abstractmethod
    async def reply(self, said: S, timeout: float) -> Reply[M]:
        """The finished reply to a message."""

    @abstractmethod
    async def private(self, channel: str, more_than: int = -1) -> list[str]:
        """What our person alone was told in a channel, as soon as it is more than this many texts."""

    @abstractmethod
    async def press(self, action: str, value: str, message: M) -> object:
        """Our person presses something below a message."""

    @abstractmethod
    async def shown(self, said: S) -> None:
        """Wait until there is some of an answer to see."""

    @abstractmethod
    async def button(self, said: S, action: str) -> None:
        """Wait until the reply has this button, which only its end has."""

    @abstractmethod
    async def start(self) -> None:
        """Start the server and wait until the platform's events reach it."""

    # --- Asking

    async def ask(self, text: str, channel: str, *, thread: str = "", plan: str = "", say: str = "", **more: Any) -> S:
        """Our person asks the bot, with what the model shall do in it; `more` are directives of its."""
        return await self.mention(text + self.directed(plan=plan, say=say, **more), channel, thread)

    def directed(self, *, plan: str = "", say: str = "", **more: Any) -> str:
        """What makes the model of the tests do this."""
        fake = f" [fake:plan={plan}] [fake:thought={self.say(THOUGHT)}]" if plan else ""
        fake += f" [fake:say={say}]" if say else ""
        return fake + "".join(f" [fake:{name}={value}]" for name, value in more.items())

    async def answer(self, said: S, timeout: float = 30.0) -> Asked[S, M]:
        """The finished reply to it: that which carries its marker."""
        return Asked(said, await self.reply(said, timeout))

    async def asked(
        self, channel: str, *, thread: str = "", text: Text = SHORT, say: Text = SHORT_ANSWER
    ) -> Asked[S, M]:
        """A short question and its reply."""
        said = await self.ask(self.say(text), channel, thread=thread, say=self.say(say))
        return await self.answer(said)

    async def told(self, channel: str, act: Callable[[], Awaitable[object]]) -> str:
        """What our person alone is told after doing this."""
        before = len(await self.private(channel))
        await act()
        return "\n".join((await self.private(channel, before))[before:])

    # --- Looking behind

    def row(self, sql: str, *values: object) -> dict[str, Any] | None:
        """A row of the server's database; None: there is none."""
        with contextlib.closing(sqlite3.connect(f"file:{self.bot.data}/kagentbot.db?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            found = database.execute(sql, values).fetchone()
        return dict(found) if found else None

    async def over(self, asked: Asked[S, M]) -> None:
        """Wait until the server has written down the end of a turn: people see its reply a moment before."""
        async with asyncio.timeout(15):
            while self.row("SELECT state FROM turn WHERE id = ?", asked.turn_id) == {"state": "running"}:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)

    async def end(self, message_id: str) -> str:
        """The state of a message's turn, once it is over; "": the message has none any more."""
        sql = "SELECT turn.state FROM turn JOIN message ON turn_id = turn.id WHERE message_id = ?"
        async with asyncio.timeout(15):
            while (row := self.row(sql, message_id) or {"state": ""})["state"] in ("queued", "running"):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
        return str(row["state"])

    def prompts(self, said: S) -> list[str]:
        """What the model was asked for this message, each call as one text."""
        return [
            json.dumps(call.body.get("messages"), ensure_ascii=False)
            for call in self.model.calls()
            if said.marker in call.user
        ]


@contextlib.asynccontextmanager
async def a_server(
    folder: Path, model: FakeLLM, platform: Mapping[str, str], settings: Mapping[str, str]
) -> AsyncIterator[Kagentbot]:
    """The server of a story, not started yet. `platform`: the settings that make it use the fake."""
    tool = folder / "tides.py"
    await asyncio.to_thread(tool.write_text, _TOOL, "utf-8")
    variables = {
        "PORT": "0",
        **platform,
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_MODEL": "fake-model",
        "KAGENTBOT_PROFILE__STYLE": "kuaiagent",
        "KAGENTBOT_TOOLS__FILES": json.dumps([str(tool)]),
        "KAGENTBOT_LIMITS__CHANNEL_PER_MINUTE": str(CHANNEL_LIMIT),
        **settings,
    }
    async with Kagentbot(folder, variables) as bot:
        yield bot

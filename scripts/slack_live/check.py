"""What all steps share: who is who, the server that is tried, and what has to be tidied away."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.connection.api import SlackRefused
from scripts.live import texts as common
from scripts.live.check import BaseCheck
from scripts.slack_live import texts
from scripts.slack_live.calls import Caller
from scripts.slack_live.people import Hands, Said

Json = dict[str, Any]


@dataclass(kw_only=True)
class Check(BaseCheck):
    """One run."""

    bot: Caller
    #: Without a token of its own: for calls that carry the app's.
    app: Caller
    person: Caller
    app_token: str
    channel: str
    #: What can only be known once the tokens were tried.
    team: str = ""
    bot_user: str = ""
    bot_id: str = ""
    user: str = ""
    name: str = ""
    hands: Hands | None = None
    #: The message that the mention got its answer under.
    thread: str = ""
    #: Threads to be emptied, and files to be deleted.
    threads: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    since: float = field(default_factory=time.time)

    @property
    def at_hand(self) -> Hands:
        """Who does what people do. Known after the first step."""
        assert self.hands is not None  # noqa: S101 - every other step needs the first one
        return self.hands

    async def root(self) -> str:
        """A message of the app's to begin a thread with; its ts."""
        posted = await self.bot("chat.postMessage", channel=self.channel, text=texts.ROOT.say(self.lang))
        self.threads.append((self.channel, str(posted["ts"])))
        return str(posted["ts"])

    async def asked(self, text: str, *, channel: str = "", thread: str = "", mention: bool = True) -> Said:
        """A person asks the agent; the message."""
        channel = channel or self.channel
        words = f"<@{self.bot_user}> {text}" if mention else text
        said = await self.at_hand.say(words, channel, thread)
        if not thread:
            self.threads.append((channel, said.ts))
        return said

    async def in_thread(self, channel: str, thread: str) -> list[Json]:
        """A thread as it stands, oldest first; empty where there is none any more."""
        try:
            answer = await self.bot.refusable(
                "conversations.replies", channel=channel, ts=thread, limit=200, include_all_metadata=True
            )
        except SlackRefused as refused:
            if refused.code == "thread_not_found":
                return []
            return list((await self.bot("conversations.replies", channel=channel, ts=thread))["messages"])
        return list(answer["messages"])

    async def replies(self, channel: str, thread: str, mark: str) -> list[Json]:
        """The app's messages in a thread that carry this word."""
        return [message for message in await self.in_thread(channel, thread) if self.is_ours(message, mark)]

    def is_ours(self, message: Json, mark: str = "") -> bool:
        """Whether the app wrote it, with this word in whatever is shown."""
        shown = {name: value for name, value in message.items() if name != "metadata"}
        return message.get("bot_id") == self.bot_id and mark in json.dumps(shown, ensure_ascii=False)

    async def answered(self, said: Said, mark: str, *, thread: str = "") -> list[Json]:
        """The app's replies to a question, as soon as there is one. Raises `Failed`."""
        seconds = self.patience
        found = await self.until(lambda: self.replies(said.channel, thread or said.ts, mark), seconds)
        if found is None:
            raise self.fail(common.NO_REPLY, texts.FIX_NO_REPLY, seconds=round(seconds), log=self.trouble())
        return found

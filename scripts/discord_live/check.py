"""What all steps share: who is who, what was said, and what has to be tidied away."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from bot.posting import Refused
from scripts.discord_live import texts
from scripts.discord_live.calls import Caller
from scripts.live import texts as common
from scripts.live.check import BaseCheck
from scripts.live.people import PERSON_S, Favour

Json = dict[str, Any]

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = "/channels/{channel_id}/messages/{message_id}"


class Said(NamedTuple):
    """A person's message."""

    channel: str
    id: str


@dataclass(kw_only=True)
class Check(BaseCheck):
    """One run."""

    bot: Caller
    channel: str
    #: What can only be known once the token was tried: the server, the bot, whether it may use webhooks, and whether
    #: it may read what doesn't mention it.
    guild: str = ""
    user: str = ""
    webhooks: bool = False
    reads: bool = False
    #: The person, their direct messages, and the thread of the first answer, known with the first mention.
    person: str = ""
    direct: str = ""
    thread: str = ""
    #: Channels and threads in which something was said.
    places: list[str] = field(default_factory=list)
    since: float = field(default_factory=time.time)

    def mention(self, text: str) -> str:
        """What somebody writes to the bot in a channel."""
        return f"<@{self.user}> {text}"

    async def said(self, text: str, *, where: str, thread: str = "", file: Path | None = None) -> Said:
        """Ask the person to write this; the message, once it is there. `where`: a channel, "" the direct messages.

        Raises `Failed`.
        """
        asked = texts.SAY_IN_THREAD if thread else texts.SAY if where else texts.SAY_DIRECT
        if file is not None:
            asked = texts.SHARE
        place = thread or where or await self._direct()
        sentence = asked.say(self.lang, text=text, file=file)
        await self.ask(Favour("share" if file else "say", sentence, where or place, text, thread, file))
        word = text.split()[-1]

        async def look() -> Json | None:
            found = [one for one in await self.messages(place) if word in one["content"] and not self.is_ours(one)]
            return found[0] if found else None

        message = await self.until(look, PERSON_S)
        if message is None:
            raise self.fail(common.NOT_DONE, common.FIX_NOT_DONE, seconds=round(PERSON_S))
        self.person = str(message["author"]["id"])
        self.note(place)
        return Said(place, str(message["id"]))

    async def _direct(self) -> str:
        opened = await self.bot("POST", "/users/@me/channels", json={"recipient_id": self.person})
        self.direct = str(opened["id"])
        return self.direct

    def note(self, place: str) -> None:
        """Something was said there."""
        if place not in self.places:
            self.places.append(place)

    async def messages(self, place: str) -> list[Json]:
        """The last messages of a place, the newest first; none where there is no such place."""
        try:
            return list(await self.bot.refusable("GET", MESSAGES, channel_id=place, params={"limit": 50}))
        except Refused as refused:
            if refused.code != "10003":
                raise
            return []

    def is_ours(self, message: Json) -> bool:
        """Whether the bot wrote it."""
        return str(message["author"]["id"]) == self.user

    async def replies(self, place: str, mark: str) -> list[Json]:
        """The bot's messages in a place that carry this word."""
        return [one for one in await self.messages(place) if self.is_ours(one) and mark in one["content"]]

    async def answered(self, place: str, mark: str) -> list[Json]:
        """The bot's replies with this word, as soon as there is one. Raises `Failed`."""
        self.note(place)
        found = await self.until(lambda: self.replies(place, mark), self.patience)
        if found is None:
            raise self.fail(common.NO_REPLY, texts.FIX_NO_REPLY, seconds=round(self.patience), log=self.trouble())
        return found

    async def reached(self, mark: str) -> None:
        """Wait until the model was asked. Raises `Failed`."""
        if not await self.model_asked(mark):
            raise self.fail(common.NO_REPLY, texts.FIX_NO_REPLY, seconds=round(self.patience), log=self.trouble())

    async def post(self, content: str, **more: Any) -> Json:
        """A message of the bot's in the channel. Raises `Refused`, `Failed`."""
        self.note(self.channel)
        body = {"content": content, **more}
        posted: Json = await self.bot.refusable("POST", MESSAGES, channel_id=self.channel, json=body)
        return posted

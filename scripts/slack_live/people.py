"""What only a person does: by their token where Slack takes that for them, else by asking them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import NamedTuple, Protocol

from agent.language import Lang
from scripts.live import texts as common
from scripts.live.failing import Failed
from scripts.live.people import PERSON_S, Ask, Favour
from scripts.slack_live import texts
from scripts.slack_live.calls import Caller


class Said(NamedTuple):
    """A person's message."""

    channel: str
    ts: str


class Hands(Protocol):
    """Does what people do. Everything may raise `Failed`."""

    #: Seconds that the model should wait before it answers a question that is changed meanwhile.
    slowness: float

    async def say(self, text: str, channel: str, thread: str = "") -> Said: ...

    async def edit(self, said: Said, text: str) -> None: ...

    async def delete(self, said: Said) -> None: ...

    async def share(self, file: Path, text: str, channel: str) -> Said: ...


class ByToken:
    """The person's token does it."""

    slowness = 60.0

    def __init__(self, person: Caller) -> None:
        self._person = person

    async def say(self, text: str, channel: str, thread: str = "") -> Said:
        """chat.postMessage."""
        where = {"thread_ts": thread} if thread else {}
        posted = await self._person("chat.postMessage", channel=channel, text=text, **where)
        return Said(channel, str(posted["ts"]))

    async def edit(self, said: Said, text: str) -> None:
        """chat.update."""
        await self._person("chat.update", channel=said.channel, ts=said.ts, text=text)

    async def delete(self, said: Said) -> None:
        """chat.delete."""
        await self._person("chat.delete", channel=said.channel, ts=said.ts)

    async def share(self, file: Path, text: str, channel: str) -> Said:
        """files.getUploadURLExternal, the bytes, files.completeUploadExternal. Its ts is not told: "" stands for it."""
        content = await asyncio.to_thread(file.read_bytes)
        place = await self._person("files.getUploadURLExternal", filename=file.name, length=len(content))
        session = self._person.client.session
        assert session is not None  # noqa: S101 - callers are made with one
        async with session.post(str(place["upload_url"]), data=content, proxy=self._person.client.proxy) as answer:
            answer.raise_for_status()
        files = [{"id": place["file_id"], "title": file.name}]
        await self._person("files.completeUploadExternal", files=files, channel_id=channel, initial_comment=text)
        return Said(channel, "")


class ByHand:
    """The person is asked, and what they did is looked for with the bot's token."""

    #: People look for the menu first.
    slowness = 240.0

    def __init__(self, bot: Caller, ask: Ask, lang: Lang, user: str, pause: float) -> None:
        self._bot = bot
        self._ask = ask
        self._lang: Lang = lang
        self._user = user
        self._pause = pause

    async def say(self, text: str, channel: str, thread: str = "") -> Said:
        """Wait until it was typed."""
        sentence = (texts.SAY_IN_THREAD if thread else texts.SAY).say(self._lang, text=text)
        await self._ask(Favour("say", sentence, channel, text, thread))
        return await self._found(channel, thread, text)

    async def edit(self, said: Said, text: str) -> None:
        """What comes of it tells whether it was done."""
        await self._ask(Favour("edit", common.EDIT.say(self._lang, text=text), said.channel, text, said.ts))

    async def delete(self, said: Said) -> None:
        """What comes of it tells whether it was done."""
        await self._ask(Favour("delete", common.DELETE.say(self._lang), said.channel, "", said.ts))

    async def share(self, file: Path, text: str, channel: str) -> Said:
        """Wait until it is there."""
        sentence = texts.SHARE.say(self._lang, file=file, text=text)
        await self._ask(Favour("share", sentence, channel, text, file=file))
        return await self._found(channel, "", text)

    async def _found(self, channel: str, thread: str, text: str) -> Said:
        """The person's message with the last word of this text."""
        word = text.split()[-1]
        deadline = time.monotonic() + PERSON_S
        while time.monotonic() < deadline:
            if thread:
                answer = await self._bot("conversations.replies", channel=channel, ts=thread, limit=200)
            else:
                answer = await self._bot("conversations.history", channel=channel, limit=20)
            for message in answer["messages"]:
                if message.get("user") == self._user and word in message.get("text", ""):
                    return Said(channel, str(message["ts"]))
            await asyncio.sleep(self._pause)
        seconds = round(PERSON_S)
        raise Failed(common.NOT_DONE.say(self._lang, seconds=seconds), common.FIX_NOT_DONE.say(self._lang))

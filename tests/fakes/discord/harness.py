"""Start and stop the fake in a test, play the people in it, and read what happened."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tests.fakes.discord.judge import Reply, judge, replies
from tests.fakes.discord.log import load
from tests.fakes.discord.prepared import ALICE, APP, BOT_TOKEN, GENERAL, LIGHTHOUSE
from tests.fakes.discord.replay import BotMessage, Place, Replay
from tests.fakes.discord.saying import Said, newest
from tests.fakes.discord.world import DiscordError
from tests.fakes.hosting import Hosted
from tests.fakes.judging import Complete, Notice, Report, badge

__all__ = ["Ending", "FakeDiscord", "Said"]

#: How a connection of the gateway can end; see `Gateway.disconnect`.
Ending = Literal["close", "reconnect", "invalid", "resumable", "abort", "freeze"]

#: Seconds without anything new after which a reply without buttons is taken to be finished.
_QUIET = 0.5


class FakeDiscord(Hosted[Replay]):
    """Discord in its own process, with the world of `prepared`. Use as an async context manager.

    `settings` and `faults` are those of `config.Config` and `faults.FAULTS`, and hold until `set` changes them.
    """

    def __init__(
        self, log: Path | None = None, *, seed: int = 1, faults: dict[str, float] | None = None, **settings: Any
    ) -> None:
        super().__init__(
            "discord", log, Replay(), [f"--seed={seed}"], settings | ({"faults": faults} if faults else {})
        )
        self._seed = seed
        self._asked = 0
        self.token = BOT_TOKEN
        #: Of the app, and of its bot user.
        self.application_id = APP

    @property
    def api_url(self) -> str:
        """Where its REST API is (`discord.http.Route.BASE`)."""
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        """Where its gateway is (`DiscordWebSocket.DEFAULT_GATEWAY`)."""
        return f"ws://127.0.0.1:{self.port}/gateway"

    def environment(self, *servers: str) -> dict[str, str]:
        """What makes a kagentbot server use this fake and serve these servers; Lighthouse, if none is named."""
        return {
            "DISCORD_TOKEN": self.token,
            "KAGENTBOT_DISCORD__API_URL": self.api_url,
            "KAGENTBOT_DISCORD__GATEWAY_URL": self.gateway_url,
            "KAGENTBOT_DISCORD__SERVERS": json.dumps(list(servers or (LIGHTHOUSE,))),
        }

    # What people say.

    async def say(self, text: str, *, user: str = ALICE, channel: str = GENERAL, **more: Any) -> Said:
        """Somebody writes exactly this in a channel, thread or DM; `more` as in `People`: reply_to, ping, files,
        forward, sent_at, poll, stickers, type."""
        return _said(await self.control("say", user=user, channel=channel, text=text, **more))

    async def mention(self, text: str, **how: Any) -> Said:
        """Somebody writes to the app: `@kagent text`."""
        return await self.say(f"<@{self.application_id}> {text}", **how)

    async def dm(self, text: str, *, user: str = ALICE, **more: Any) -> Said:
        """Somebody writes to the app in private."""
        return _said(await self.control("say", user=user, text=text, **more))

    async def ask(self, text: str, *, direct: bool = False, mention: bool = True, post: str = "", **how: Any) -> Said:
        """Somebody asks the app something, with a marker of its own at the end: mentions it (not where it is a reply to
        it), writes to it in private (`direct`), or begins a post of this name in a forum (`post`)."""
        self._asked += 1
        marker = f"[m:{self._asked}]"
        words = f"<@{self.application_id}> {text} {marker}" if mention and not direct else f"{text} {marker}"
        if post:
            return (await self.post(post, words, **how))._replace(marker=marker)
        return (await (self.dm if direct else self.say)(words, **how))._replace(marker=marker)

    async def answer(self, text: str, on: Said | BotMessage, **how: Any) -> Said:
        """Somebody replies to a message; `ping=False`: without ringing its author."""
        return await self.say(text, channel=on.channel, reply_to=on.message, **how)

    async def hook(self, text: str, *, name: str = "news", user: str = ALICE, channel: str = GENERAL) -> Said:
        """A webhook that isn't the app's writes."""
        return _said(await self.control("hook", text=text, name=name, user=user, channel=channel))

    async def edit(self, said: Said, text: str) -> None:
        """The author changes a message."""
        await self.control("edit", channel=said.channel, id=said.message, text=text)

    async def delete(self, said: Said | BotMessage) -> None:
        """The author deletes a message; a message of the app is deleted by a moderator."""
        await self.control("delete", channel=said.channel, id=said.message)

    async def upload(self, name: str, content: bytes, *, mimetype: str | None = None) -> str:
        """Somebody uploads a file; say something with `files=[id]`."""
        encoded = base64.b64encode(content).decode()
        return str((await self.control("upload", name=name, content=encoded, mimetype=mimetype))["file"])

    async def react(self, on: Said | BotMessage, emoji: str, *, user: str = ALICE, remove: bool = False) -> None:
        """Somebody reacts to a message."""
        await self.control("react", channel=on.channel, id=on.message, user=user, emoji=emoji, remove=remove)

    # Threads.

    async def open_thread(
        self, name: str, *, on: Said | None = None, user: str = ALICE, channel: str = GENERAL, private: bool = False
    ) -> str:
        """Somebody opens a thread, from a message or without one: its id."""
        where = {"channel": on.channel, "id": on.message} if on else {"channel": channel}
        return str((await self.control("thread", name=name, user=user, private=private, **where))["thread"])

    async def post(self, name: str, text: str, *, channel: str, user: str = ALICE, **more: Any) -> Said:
        """Somebody begins a post in a forum."""
        return _said(await self.control("post", name=name, text=text, channel=channel, user=user, **more))

    async def archive(self, thread: str, *, archived: bool = True, lock: bool = False) -> None:
        """A thread is archived (and locked), or comes back."""
        await self.control("archive", thread=thread, archived=archived, lock=lock)

    # What people press.

    async def press(
        self,
        custom_id: str,
        *,
        on: BotMessage,
        values: Sequence[str] | None = None,
        user: str = ALICE,
    ) -> dict[str, Any]:
        """Somebody presses the button (or chooses `values` in the menu) with this custom_id; the first part of it will
        do ("kagent.stop" for "kagent.stop:12").

        `outcome`: failed (nothing within three seconds), answered, thinking, taken, changed, form; with the `message`
        or the `form` that came. Raises `DiscordError` where there is no such thing (any more, or for this person).
        """
        where = {"channel": on.channel, "id": on.message}
        return await self.control("press", user=user, custom_id=custom_id, values=values, **where)

    async def command(
        self,
        words: str = "",
        options: Mapping[str, Any] | None = None,
        *,
        name: str = "kagent",
        user: str = ALICE,
        channel: str = GENERAL,
    ) -> dict[str, Any]:
        """Somebody types `/name words` with these options (`channel`: "" for the DM with the app); as `press`."""
        how = {"name": name, "path": words.split(), "options": dict(options or {})}
        return await self.control("command", user=user, channel=channel, **how)

    async def suggest(
        self,
        words: str,
        focused: str,
        typed: str,
        *,
        options: Mapping[str, Any] | None = None,
        name: str = "kagent",
        user: str = ALICE,
        channel: str = GENERAL,
    ) -> list[dict[str, Any]]:
        """What is suggested while somebody types this into the option `focused` of `/name words`."""
        given = dict(options or {}) | {focused: typed}
        how = {"name": name, "path": words.split(), "options": given, "focused": focused}
        return list((await self.control("suggest", user=user, channel=channel, **how)).get("choices") or ())

    async def form(self, user: str = ALICE) -> dict[str, Any] | None:
        """The form in front of somebody."""
        found: dict[str, Any] | None = (await self.control("form", user=user))["form"]
        return found

    async def submit(self, values: Mapping[str, Any] | None = None, *, user: str = ALICE) -> dict[str, Any]:
        """Somebody fills in the form in front, by custom_id, and submits it; as `press`."""
        return await self.control("submit", user=user, values=dict(values or {}))

    # What the world does.

    async def script(self, route: str, fault: str, **how: Any) -> None:
        """Let calls of this route ("POST /channels/{channel}/messages") fail in this way; see `faults.Scripted`."""
        await self.control("script", route=route, fault=fault, **how)

    async def advance(self, seconds: float) -> None:
        """Let time pass for Discord."""
        await self.control("advance", seconds=seconds)

    async def disconnect(self, how: Ending = "close", *, code: int = 1001, connection: str | None = None) -> list[str]:
        """Let one connection of the gateway, or all, come to an end."""
        return list((await self.control("disconnect", how=how, code=code, connection=connection))["connections"])

    @contextlib.asynccontextmanager
    async def outage(self, *, forget: bool = False) -> AsyncIterator[None]:
        """The gateway is down; with `forget` no session survives it."""
        await self.control("outage", down=True, forget=forget)
        try:
            yield
        finally:
            await self.control("outage", down=False)

    async def emit(self, event: str, data: Mapping[str, Any], *, guild: str = LIGHTHOUSE) -> None:
        """Any event at all, malformed ones too."""
        await self.control("emit", event=event, data=dict(data), guild=guild)

    async def malformed(self) -> None:
        """A MESSAGE_CREATE of which half is missing: discord.py's parser raises (facts 0.9)."""
        await self.emit("MESSAGE_CREATE", {"id": "1", "content": "half of it"})

    async def connections(self) -> list[dict[str, Any]]:
        """The open connections of the gateway."""
        return list((await self.control("connections"))["connections"])

    async def until_connected(self, count: int = 1, timeout: float = 15.0) -> None:
        """Wait until so many connections have a session."""
        await self.until(lambda replay: len(replay.connected) >= count, timeout)

    # What happened.

    async def world(self) -> dict[str, Any]:
        """Users, servers, channels, commands, webhooks and the app's settings."""
        return await self.control("world")

    async def messages(self, channel: str | None = None) -> list[dict[str, Any]]:
        """All messages that exist now, people's and the app's, oldest first."""
        return list((await self.control("state", channel=channel))["messages"])

    async def download(self, file: str) -> bytes:
        """A file of a message that exists, by its id, as a person sees it."""
        found = [one for message in await self.messages() for one in message["attachments"] if one["id"] == file]
        assert self._session is not None, "the fake is not started"
        async with self._session.get(found[0]["url"]) as response:
            response.raise_for_status()
            return await response.read()

    async def reply(self, said: Said, timeout: float = 15.0) -> Reply:
        """The finished reply to this message: in its thread, or in place. A reply of several messages is finished when
        there is something to press below it, or when nothing more comes."""

        def finished(replay: Replay) -> Reply | None:
            found = newest(replay, said)
            return found if found is not None and found.finished else None

        async with asyncio.timeout(timeout):
            while True:
                reply = await self.until(finished, timeout)
                assert reply is not None
                if not reply.turn or reply.messages[-1].buttons or await self._rests(said, reply):
                    return reply

    async def _rests(self, said: Said, reply: Reply) -> bool:
        """Whether nothing of this reply changes for a while."""
        clock = asyncio.get_running_loop().time
        end = clock() + _QUIET
        state = [(message.id, message.changed_at) for message in reply.messages]
        while (left := end - clock()) > 0:
            await self._catch_up(left)
            now = newest(self._replay, said)
            if now is None or [(message.id, message.changed_at) for message in now.messages] != state:
                return False
        return True

    async def texts(self, place: Place | Said) -> list[str]:
        """What everybody sees of the app in a thread, or in a channel itself, oldest first."""
        replay = await self.replay()
        where = replay.humans[place.id].place if isinstance(place, Said) else place
        return [message.text for message in replay.visible(where)]

    async def ephemerals(self, user: str = ALICE, channel: str | None = None) -> list[str]:
        """What only this person sees of the app, oldest first."""
        return [message.text for message in (await self.replay()).private(user, channel)]

    async def outcomes(self) -> dict[str, list[Reply]]:
        """For each person's message that carries a marker, the app's visible replies that answer it."""
        replay = await self.replay()
        shown = replies(replay)
        return {
            human.id: [reply for reply in shown if reply.place == human.place and reply.markers & human.markers]
            for human in replay.humans.values()
            if human.markers
        }

    def judge(self, complete: Complete | None = None, *, notice: Notice = badge, butting_in: bool = False) -> Report:
        """The judge's verdict over the log file as it is now."""
        return judge(load(self.log), complete=complete, notice=notice, butting_in=butting_in)

    def _error(self, answer: dict[str, Any]) -> Exception:
        return DiscordError(answer["status"], answer["code"], answer["message"], answer["errors"])


def _said(answer: Mapping[str, Any]) -> Said:
    return Said(answer["channel"], answer["id"], answer["parent"], answer["guild"])

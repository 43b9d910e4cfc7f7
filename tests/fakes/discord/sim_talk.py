"""What a person can type into the simulator."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from tests.fakes.discord.harness import FakeDiscord
from tests.fakes.discord.prepared import ALICE, FORUM_CHANNEL, GENERAL
from tests.fakes.discord.replay import BotMessage
from tests.fakes.discord.replay import Said as Human
from tests.fakes.discord.saying import Said, newest
from tests.fakes.discord.sim_screen import Screen, find_label
from tests.fakes.discord.world import LOADING, DiscordError
from tests.fakes.judging import STOP_BUTTON
from tests.fakes.simulating import PATIENCE, Quit, Watch

HELP = """\
Type as you would in Discord; everything that the bot shows is printed as it happens, with numbers to refer to.
  hello                   say it where you are: in the channel, in the thread, in the DM
  @kagent what is 2 + 3?  mention the bot
  /kagent help            a slash command, as are all of /kagent-…; options as NAME=VALUE
  ... &                   in a script: don't wait until the bot has answered

  /dm [TEXT]              go to the direct messages with the bot (and say it there)
  /channel NAME           go to a channel: general, plans (moderators), news, silent (the bot can't write there), …
  /thread [N]             go to the thread of message N, or of the last message; /out leaves it
  /post TITLE: TEXT       begin a post in the forum #help, and go there
  /as NAME                be alice (owner), bob, carol (Chinese), mona (moderator)
  /reply N TEXT           reply to message N

  /press LABEL [N]        press a button or choose an option of message N, or of the last one that has it
  /stop [soon]            press the last Stop button (soon: once there is one)
  /edit TEXT, /delete     your last message
  /upload FILE [TEXT]     share a file
  /suggest NAME TEXT /... what is suggested while you type TEXT into the option NAME of a command
  /fill NAME=VALUE ...    fill in the form in front; /submit sends it, /close closes it
  /lose HOW               the gateway's connection: close, reconnect, resumable, invalid, abort, freeze
  /wait                   until the bot is done
  /help, /quit
"""

Handler = Callable[[str], Awaitable[None]]


class Talk:
    """One person at a terminal. `say` prints."""

    def __init__(
        self, discord: FakeDiscord, screen: Screen, watch: Watch, world: Mapping[str, Any], say: Callable[[str], None]
    ) -> None:
        self._discord = discord
        self._screen = screen
        self._watch = watch
        self._say = say
        self._people = {user["username"]: user["id"] for user in world["users"] if not user["bot"]}
        self._channels = {one["name"]: one["id"] for one in world["channels"] if one.get("name")}
        self._user = ALICE
        #: "": the DM.
        self._channel = GENERAL
        #: The thread that one is in, of `_channel`; "": none.
        self._thread = ""
        self._filled: dict[str, str] = {}
        self._handlers: dict[str, Handler] = {
            "dm": self._dm,
            "channel": self._go,
            "thread": self._enter,
            "out": self._out,
            "post": self._post,
            "as": self._become,
            "reply": self._reply,
            "press": self._press,
            "stop": self._stop,
            "edit": self._edit,
            "delete": self._delete,
            "upload": self._upload,
            "suggest": self._suggest,
            "fill": self._fill,
            "submit": self._submit,
            "close": self._close,
            "lose": self._lose,
            "wait": self._wait,
            "help": self._help,
            "quit": self._quit,
        }

    @property
    def prompt(self) -> str:
        """Who and where one is."""
        person = next(name for name, user in self._people.items() if user == self._user)
        place = next((name for name, channel in self._channels.items() if channel == self._channel), "")
        return f"{person}, {'#' + place if place else 'DM'}{', thread' if self._thread else ''}> "

    async def take(self, line: str) -> None:
        """One line. Raises `Quit`."""
        word, _, rest = line.strip().partition(" ")
        if not word:
            return
        try:
            if word.startswith("/kagent"):
                await self._command(word[1:], rest)
            elif word.startswith("/") and word[1:] in self._handlers:
                await self._handlers[word[1:]](rest.strip())
            elif word.startswith("/"):
                self._say(f"There is no {word}; /help lists what there is.")
            else:
                await self._write(line.strip())
        except DiscordError as error:
            self._say(f"Discord doesn't let you do that: {error.message}")
        except (KeyError, IndexError, ValueError, OSError) as error:
            self._say(f"That makes no sense here: {error}")

    async def settle(self) -> None:
        """Wait until every message that needs an answer has one, at most `PATIENCE`."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._watch.catch_up(0.0)
                while self._open() or self._thinking():
                    await self._watch.catch_up(PATIENCE)
        except TimeoutError:
            self._say("! no answer yet; going on")

    def _open(self) -> list[Human]:
        """Addressed messages without a finished answer, as far as one can see."""
        replay = self._screen.replay
        waiting = []
        for human in replay.humans.values():
            if not human.addressed or human.erased_at is not None:
                continue
            reply = newest(replay, Said(human.channel, human.message))
            # What comes aside (a notice, a file in private) is an answer, too.
            aside = [m for m in replay.created() if m.aside and m.created_at > human.said_at]
            if (reply is None and not aside) or (reply is not None and not reply.finished):
                waiting.append(human)
        return waiting

    def _thinking(self) -> list[BotMessage]:
        """Answers to commands and presses that are being thought about."""
        return [message for message in self._screen.replay.visible(to=self._user) if message.flags & LOADING]

    # Saying things.

    @property
    def _where(self) -> dict[str, Any]:
        place = self._thread or self._channel
        return {"user": self._user} | ({"channel": place} if place else {})

    async def _write(self, text: str, **more: Any) -> None:
        text = text.replace("@kagent", f"<@{self._discord.application_id}>")
        await self._discord.control("say", text=text, **self._where, **more)

    async def _command(self, name: str, rest: str) -> None:
        words, options = self._options(rest)
        await self._watch.catch_up(0.0)
        where = self._thread or self._channel
        told = await self._discord.command(words, options, name=name, user=self._user, channel=where)
        await self._answered(told)

    def _options(self, rest: str) -> tuple[str, dict[str, Any]]:
        """The words of a command, and its options: numbers and yes/no are what they look like."""
        words, options = [], {}
        for part in shlex.split(rest):
            name, equals, value = part.partition("=")
            if not equals:
                words.append(part)
            else:
                options[name] = {"true": True, "false": False}.get(value, int(value) if value.isdigit() else value)
        return " ".join(words), options

    async def _answered(self, told: Mapping[str, Any]) -> None:
        await self._watch.catch_up(0.0)
        if told.get("form"):
            self._filled = {}
            self._screen.form(told["form"])

    async def _suggest(self, rest: str) -> None:
        focused, typed, command = rest.split(" ", 2)
        name, _, rest = command.lstrip("/").partition(" ")
        words, options = self._options(rest)
        where = self._thread or self._channel
        choices = await self._discord.suggest(
            words, focused, typed, options=options, name=name, user=self._user, channel=where
        )
        self._say("\n".join(f"  {choice['name']}" for choice in choices) or "(nothing)")

    async def _reply(self, rest: str) -> None:
        number, _, text = rest.partition(" ")
        channel, _, message = self._screen.numbered[int(number) - 1].partition("/")
        text = text.replace("@kagent", f"<@{self._discord.application_id}>")
        await self._discord.control("say", text=text, user=self._user, channel=channel, reply_to=message)

    async def _upload(self, rest: str) -> None:
        name, _, text = rest.partition(" ")
        content = await asyncio.to_thread(lambda: Path(name).expanduser().read_bytes())
        file = await self._discord.upload(Path(name).name, content)
        await self._write(text, files=[file])

    async def _post(self, rest: str) -> None:
        title, _, text = rest.partition(": ")
        text = text.replace("@kagent", f"<@{self._discord.application_id}>")
        said = await self._discord.post(title, text or title, channel=FORUM_CHANNEL, user=self._user)
        self._channel, self._thread = FORUM_CHANNEL, said.channel

    async def _edit(self, rest: str) -> None:
        text = rest.replace("@kagent", f"<@{self._discord.application_id}>")
        await self._discord.edit(self._last_mine(), text)

    async def _delete(self, _: str) -> None:
        await self._discord.delete(self._last_mine())

    def _last_mine(self) -> Said:
        mine = [human for human in self._screen.replay.humans.values() if human.user == self._user]
        return Said(mine[-1].channel, mine[-1].message)

    # Going places.

    async def _dm(self, rest: str) -> None:
        self._channel, self._thread = "", ""
        if rest:
            await self._write(rest)

    async def _go(self, rest: str) -> None:
        name = rest.lstrip("#")
        if name not in self._channels:
            raise ValueError(f"the channels are {', '.join(self._channels)}")
        self._channel, self._thread = self._channels[name], ""

    async def _enter(self, rest: str) -> None:
        number = int(rest) if rest else len(self._screen.numbered)
        channel, _, message = self._screen.numbered[number - 1].partition("/")
        threads = self._screen.replay.threads
        thread = channel if channel in threads else message
        if thread not in threads:
            raise ValueError(f"no thread begins at {number}")
        self._channel, self._thread = threads[thread], thread

    async def _out(self, _: str) -> None:
        self._thread = ""

    async def _become(self, rest: str) -> None:
        if rest not in self._people:
            raise ValueError(f"there are {', '.join(self._people)}")
        self._user = self._people[rest]

    # Pressing things.

    async def _press(self, rest: str) -> None:
        label, _, number = rest.rpartition(" ")
        if not number.isdigit() or not label:
            label, number = rest, ""
        messages = self._screen.replay.visible(to=self._user)
        wanted = [m for m in messages if not number or m.id == self._screen.numbered[int(number) - 1]]
        for message in reversed(wanted):
            found = find_label(message, label)
            if found is not None:
                await self._pressed(message, *found)
                return
        raise ValueError(f"nothing says “{label}”")

    async def _pressed(self, message: BotMessage, custom_id: str, values: list[str] | None = None) -> None:
        await self._answered(await self._discord.press(custom_id, on=message, values=values, user=self._user))

    async def _stop(self, rest: str) -> None:
        """The last one there is."""
        async with asyncio.timeout(PATIENCE):
            while rest and not self._stoppable():
                await self._watch.catch_up(PATIENCE)
        found = self._stoppable()
        if not found:
            raise ValueError("nothing can be stopped")
        await self._pressed(found[-1], STOP_BUTTON)

    def _stoppable(self) -> list[BotMessage]:
        return [message for message in self._screen.replay.visible(to=self._user) if not message.finished]

    async def _fill(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self._filled[name] = value

    async def _submit(self, _: str) -> None:
        told = await self._discord.submit(self._filled, user=self._user)
        self._filled = {}
        await self._answered(told)

    async def _close(self, _: str) -> None:
        self._filled = {}
        await self._discord.control("close", user=self._user)

    # The simulator itself.

    async def _lose(self, rest: str) -> None:
        await self._discord.control("disconnect", how=rest or "close", code=1001)

    async def _wait(self, _: str) -> None:
        await self.settle()

    async def _help(self, _: str) -> None:
        self._say(HELP)

    async def _quit(self, _: str) -> None:
        raise Quit

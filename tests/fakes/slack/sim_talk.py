"""What a person can type into the simulator."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.fakes.simulating import PATIENCE, Quit, Watch
from tests.fakes.slack.harness import FakeSlack
from tests.fakes.slack.prepared import ALICE, C1
from tests.fakes.slack.replay import Human, Place
from tests.fakes.slack.sim_screen import Screen, find_label, view_text
from tests.fakes.slack.world import SlackError

HELP = """\
Type as you would in Slack; everything that the bot shows is printed as it happens, with numbers to refer to.
  hello                   say it where you are: in the channel, in the thread, in the DM
  @kagent what is 2 + 3?  mention the bot
  /kagent help            a slash command, as are all of /kagent-…
  ... &                   in a script: don't wait until the bot has answered

  /dm [TEXT]              go to the direct messages with the bot (and say it there)
  /channel NAME           go to a channel: general, plans (private), with-harbour (shared), lonely (without the bot)
  /thread [N]             go to the thread of message N, or of the last message; /out leaves it
  /as NAME                be alice (admin), bob, carol (Chinese), gus (guest), dora (of another workspace, with-harbour)

  /press LABEL [N]        press a button or choose an option of message N, or of the last one that has it
  /stop [soon]            Slack's own Stop, in this thread or the last one (soon: once there is one to press)
  /edit TEXT, /delete     your last message
  /upload FILE [TEXT]     share a file
  /home, /messages        open the bot's Home tab, its Messages tab
  /fill NAME=VALUE ...    fill in the modal in front; /submit sends it, /close closes it
  /wait                   until the bot is done
  /help, /quit
"""

_CHANNELS = ("general", "plans", "with-harbour", "lonely")

#: How long for a modal or the App Home: a trigger_id lives no longer.
_VIEW = 3.0

Handler = Callable[[str], Awaitable[None]]


class Talk:
    """One person at a terminal. `say` prints."""

    def __init__(
        self, slack: FakeSlack, screen: Screen, watch: Watch, world: dict[str, Any], say: Callable[[str], None]
    ) -> None:
        self._slack = slack
        self._screen = screen
        self._watch = watch
        self._say = say
        self._people = {user["name"]: user["id"] for user in world["users"]}
        self._channels = {channel["name"]: channel["id"] for channel in world["channels"] if channel["name"]}
        self._user = ALICE
        #: None: the DM.
        self._channel: str | None = C1
        self._thread = ""
        self._filled: dict[str, str] = {}
        #: How much had been shown when the last command was typed whose ack said nothing.
        self._asked: int | None = None
        self._handlers: dict[str, Handler] = {
            "dm": self._dm,
            "channel": self._go,
            "thread": self._enter,
            "out": self._out,
            "as": self._become,
            "press": self._press,
            "stop": self._stop,
            "edit": self._edit,
            "delete": self._delete,
            "upload": self._upload,
            "home": self._home,
            "messages": self._messages,
            "fill": self._fill,
            "submit": self._submit,
            "close": self._close,
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
                await self._command(word, rest)
            elif word.startswith("/") and word[1:] in self._handlers:
                await self._handlers[word[1:]](rest.strip())
            elif word.startswith("/"):
                self._say(f"There is no {word}; /help lists what there is.")
            else:
                await self._write(line.strip())
        except SlackError as error:
            self._say(f"Slack doesn't let you do that: {error.code}")
        except (KeyError, IndexError, ValueError, OSError) as error:
            self._say(f"That makes no sense here: {error}")

    async def settle(self) -> None:
        """Wait until every message that needs an answer has one, at most `PATIENCE`."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._slack.quiesce(PATIENCE)
                await self._watch.catch_up(0.0)
                while self._open() or self._asked == self._so_far():
                    await self._watch.catch_up(PATIENCE)
        except TimeoutError:
            self._say("! no answer yet; going on")
        self._asked = None

    def _open(self) -> list[Human]:
        """Addressed messages without a finished answer, as far as one can see: an answer is newer and in the thread."""
        replay = self._screen.replay
        waiting = []
        for human in replay.humans.values():
            if not human.addressed or human.erased_at is not None or human.accepted_at is None:
                continue
            here = [m for m in replay.created(human.place) if m.created_at > human.sent_at]
            told = [m for m in replay.private(human.user, human.place.channel) if m.created_at > human.sent_at]
            at_it = replay.sessions.get(human.place) == "processing"
            if at_it or not all(message.finished for message in here) or not (here or told):
                waiting.append(human)
        return waiting

    def _so_far(self) -> int:
        """How much the app has shown so far: messages, to everybody or to one, and modals."""
        return len(self._screen.replay.bots) + self._screen.views

    # Saying things.

    async def _write(self, text: str, files: tuple[str, ...] = ()) -> None:
        text = text.replace("@kagent", f"<@{self._slack.bot_user}>")
        more: dict[str, Any] = {"user": self._user, "thread": self._thread, "files": list(files)}
        if self._channel is None:
            await self._slack.dm(text, **more)
        else:
            await self._slack.say(text, channel=self._channel, **more)

    async def _command(self, name: str, text: str) -> None:
        if self._thread:
            self._say("Slack has no slash commands in threads: mention the bot instead, or /out first.")
            return
        where = self._channel or ""
        await self._watch.catch_up(0.0)
        shown = self._so_far()
        answer = await self._slack.command(text, name=name, user=self._user, channel=where)
        if answer == "operation_timeout":
            self._say(f"{name} failed with the error “operation_timeout”.")
        elif not answer:
            # The answer comes by itself, after the ack.
            self._asked = shown

    async def _upload(self, rest: str) -> None:
        name, _, text = rest.partition(" ")
        content = await asyncio.to_thread(lambda: Path(name).expanduser().read_bytes())
        file = await self._slack.upload(Path(name).name, content, user=self._user)
        await self._write(text, (file,))

    async def _edit(self, rest: str) -> None:
        channel, ts = self._last_mine()
        text = rest.replace("@kagent", f"<@{self._slack.bot_user}>")
        await self._slack.control("edit", channel=channel, ts=ts, text=text)

    async def _delete(self, _: str) -> None:
        channel, ts = self._last_mine()
        await self._slack.control("delete", channel=channel, ts=ts)

    # Going places.

    async def _dm(self, rest: str) -> None:
        self._channel, self._thread = None, ""
        if rest:
            await self._write(rest)

    async def _go(self, rest: str) -> None:
        name = rest.lstrip("#")
        if name not in self._channels:
            raise ValueError(f"the channels are {', '.join(_CHANNELS)}")
        self._channel, self._thread = self._channels[name], ""

    async def _enter(self, rest: str) -> None:
        number = int(rest) if rest else len(self._screen.numbered)
        place = self._place(number)
        self._channel, self._thread = (None if place.channel.startswith("D") else place.channel), place.thread

    async def _out(self, _: str) -> None:
        self._thread = ""

    async def _become(self, rest: str) -> None:
        if rest not in self._people:
            raise ValueError(f"there are {', '.join(self._people)}")
        self._user = self._people[rest]
        self._thread = ""

    # Pressing things.

    async def _press(self, rest: str) -> None:
        label, _, number = rest.rpartition(" ")
        if not number.isdigit() or not label:
            label, number = rest, ""
        messages = self._screen.replay.visible(to=self._user)
        wanted = [m for m in messages if not number or m.id == self._screen.numbered[int(number) - 1]]
        for message in reversed(wanted):
            found = find_label(message.blocks, label)
            if found is not None:
                await self._slack.press(*found, on=message, user=self._user)
                return
        for home, view in ((False, await self._slack.view(self._user)), (True, await self._slack.home(self._user))):
            found = find_label(view["blocks"], label) if view else None
            if found is not None:
                await self._slack.press(*found, home=home, user=self._user)
                return
        raise ValueError(f"nothing says “{label}”")

    async def _stop(self, rest: str) -> None:
        """In this thread, or in the latest one in which something runs."""
        async with asyncio.timeout(PATIENCE):
            while rest and not self._stoppable():
                await self._watch.catch_up(PATIENCE)
        for place in self._stoppable():
            if self._thread in ("", place.thread):
                await self._slack.press_stop(place, self._user)
                return
        raise SlackError("no_stop_button")

    def _stoppable(self) -> list[Place]:
        """Where Slack shows its Stop, the latest thread first."""
        sessions = self._screen.replay.sessions.items()
        running = [place for place, status in sessions if status == "processing"]
        return sorted(running, key=lambda place: place.thread, reverse=True)

    # The Home, the Messages tab, modals.

    async def _home(self, _: str) -> None:
        await self._slack.open_home(self._user)
        view = await self._shown(lambda: self._slack.home(self._user))
        self._say(view_text(view) if view else "(nothing there yet; /home again)")

    async def _messages(self, _: str) -> None:
        await self._slack.open_home(self._user, "messages")
        await self._slack.quiesce(10.0)
        prompts = await self._slack.prompts(self._user)
        self._say("\n".join(f"  {prompt['title']}: {prompt['message']}" for prompt in prompts) or "(no prompts)")
        self._channel, self._thread = None, ""

    async def _fill(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self._filled[name] = value

    async def _submit(self, _: str) -> None:
        await self._shown(lambda: self._slack.view(self._user))
        result = await self._slack.submit(self._filled, user=self._user)
        outcome = result["outcome"]
        if outcome == "errors":
            self._say("\n".join(f"  {block}: {text}" for block, text in result["errors"].items()))
            return
        self._filled = {}
        view = await self._slack.view(self._user)
        self._say(f"({outcome})" + (f"\n{view_text(view)}" if view else ""))

    async def _close(self, _: str) -> None:
        self._filled = {}
        await self._slack.close(user=self._user)

    async def _shown(self, look: Callable[[], Awaitable[dict[str, Any] | None]]) -> dict[str, Any] | None:
        """A view, once the app has put it there; None when it doesn't in time."""
        try:
            async with asyncio.timeout(_VIEW):
                while (view := await look()) is None:
                    await self._watch.catch_up(_VIEW)
                return view
        except TimeoutError:
            return None

    # The simulator itself.

    async def _wait(self, _: str) -> None:
        await self.settle()

    async def _help(self, _: str) -> None:
        self._say(HELP)

    async def _quit(self, _: str) -> None:
        raise Quit

    def _place(self, number: int) -> Place:
        name = self._screen.numbered[number - 1]
        human = self._screen.replay.humans.get(name)
        return human.place if human is not None else self._screen.replay.bots[name].place

    def _last_mine(self) -> tuple[str, str]:
        mine = [human for human in self._screen.replay.humans.values() if human.user == self._user]
        channel, _, ts = mine[-1].id.partition("/")
        return channel, ts

"""Start and stop the fake in a test, play the people in it, and read what happened."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes.hosting import Hosted
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.http import Forgery
from tests.fakes.slack.judge import Notice, Reply, Report, badge, judge, replies
from tests.fakes.slack.log import load
from tests.fakes.slack.prepared import ALICE, APP_TOKEN, BOT_TOKEN, BOT_USER, C1, SIGNING_SECRET, T1
from tests.fakes.slack.replay import BotMessage, Place, Replay
from tests.fakes.slack.socket import Goodbye
from tests.fakes.slack.world import SlackError


class Said(NamedTuple):
    """A person's message."""

    channel: str
    ts: str
    #: The thread that it is in or would start.
    thread: str
    #: The marker at its end; "": it has none.
    marker: str = ""

    @property
    def id(self) -> str:
        """Its name in the log."""
        return f"{self.channel}/{self.ts}"

    @property
    def place(self) -> Place:
        """Where the app answers it."""
        return Place(self.channel, self.thread)


class FakeSlack(Hosted[Replay]):
    """Slack in its own process, with the world of `prepared`. Use as an async context manager.

    `mode` is how the app is reached; `settings` and `faults` are those of `config.Config` and `faults.FAULTS`, and hold
    until `set` changes them. Redeliveries come a thousand times as fast as Slack's unless `retry_scale` says otherwise.
    """

    def __init__(
        self,
        log: Path | None = None,
        *,
        mode: Mode = "http",
        seed: int = 1,
        faults: dict[str, float] | None = None,
        **settings: Any,
    ) -> None:
        words = [f"--seed={seed}", f"--mode={mode}"]
        super().__init__(
            "slack", log, Replay(), words, {"retry_scale": 0.001} | settings | ({"faults": faults} if faults else {})
        )
        self._asked = 0
        self.bot_token = BOT_TOKEN
        self.app_token = APP_TOKEN
        self.signing_secret = SIGNING_SECRET
        self.bot_user = BOT_USER

    @property
    def api_url(self) -> str:
        """The app's `base_url`."""
        return f"{self.url}/api/"

    # What people say.

    async def say(self, text: str, *, user: str = ALICE, channel: str = C1, thread: str = "", **more: Any) -> Said:
        """Somebody writes exactly this in a channel or in a thread of it; `more` as in `Slack.say`."""
        said = await self.control("say", user=user, channel=channel, text=text, thread_ts=thread or None, **more)
        return Said(said["channel"], said["ts"], said["thread_ts"] or said["ts"])

    async def mention(self, text: str, **how: Any) -> Said:
        """Somebody writes to the app: `@kagent text`."""
        return await self.say(f"<@{self.bot_user}> {text}", **how)

    async def dm(self, text: str, *, user: str = ALICE, thread: str = "", **more: Any) -> Said:
        """Somebody writes to the app in private."""
        said = await self.control("say", user=user, text=text, thread_ts=thread or None, **more)
        return Said(said["channel"], said["ts"], said["thread_ts"] or said["ts"])

    async def ask(self, text: str, *, direct: bool = False, **how: Any) -> Said:
        """Somebody mentions the app (`direct`: writes to it in private) with a marker of its own at the end."""
        self._asked += 1
        marker = f"[m:{self._asked}]"
        said = await (self.dm if direct else self.mention)(f"{text} {marker}", **how)
        return said._replace(marker=marker)

    async def edit(self, said: Said, text: str) -> None:
        """The author changes a message."""
        await self.control("edit", channel=said.channel, ts=said.ts, text=text)

    async def delete(self, said: Said | BotMessage) -> None:
        """The author deletes a message; a message of the app is deleted by a moderator."""
        channel, _, ts = said.id.partition("/")
        await self.control("delete", channel=channel, ts=ts)

    async def upload(self, name: str, content: bytes, *, user: str = ALICE, mimetype: str = "") -> str:
        """Somebody uploads a file; say something with `files=[id]`."""
        encoded = base64.b64encode(content).decode()
        return str((await self.control("upload", user=user, name=name, content=encoded, mimetype=mimetype))["file"])

    # What people press.

    async def press(
        self,
        action_id: str,
        value: str | None = None,
        *,
        on: BotMessage | None = None,
        home: bool = False,
        user: str = ALICE,
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        """Somebody presses (or chooses) something in a message, in the App Home, or else in the modal in front, which
        holds `values` by then.

        Whether the app acked it. Raises `SlackError` where there is no such thing (any more, or for this person).
        """
        where: dict[str, Any] = {"channel": on.place.channel, "ts": on.ts} if on else {"home": True} if home else {}
        more = where | ({"values": dict(values)} if values else {})
        return bool((await self.control("press", user=user, action_id=action_id, value=value, **more))["acked"])

    async def press_stop(self, place: Place, user: str = ALICE) -> None:
        """Somebody presses Slack's own Stop in a thread. Raises `SlackError` when nothing runs there."""
        await self.control("stop", user=user, channel=place.channel, thread_ts=place.thread)

    async def command(self, text: str, *, name: str = "/kagent", user: str = ALICE, channel: str = C1) -> str:
        """Somebody types a command (`channel`: "" for the DM with the app); the answer that came with the ack."""
        where = {"channel": channel} if channel else {}
        return str((await self.control("command", user=user, command=name, text=text, **where))["shown"])

    async def open_home(self, user: str = ALICE, tab: str = "home", **more: Any) -> None:
        """Somebody opens the app's Home, or its Messages tab."""
        await self.control("open_home", user=user, tab=tab, **more)

    async def submit(self, values: Mapping[str, Any] | None = None, *, user: str = ALICE) -> dict[str, Any]:
        """Somebody fills in the modal in front and submits it: its `outcome` (closed, errors, updated, pushed, cleared,
        trouble), and `errors` by block. Raises `SlackError` for what Slack doesn't let through."""
        return await self.control("submit", user=user, values=dict(values or {}))

    async def close(self, *, user: str = ALICE, everything: bool = False) -> None:
        """Somebody closes the modal in front, or all of them."""
        await self.control("close", user=user, all=everything)

    async def install(self, url: str, *, team: str = T1, user: str = ALICE, **how: Any) -> dict[str, Any]:
        """Somebody installs the app from its install page `url`; `cancel` and `foreign` as in `installing`."""
        return await self.control("install", url=url, team=team, user=user, **how)

    # What the world does.

    async def app(self, **what: Any) -> None:
        """Where the app is (`url`) and how it is reached (`mode`), and what its settings page says."""
        await self.control("app", **what)

    async def script(self, method: str, fault: str, **how: Any) -> None:
        """Let calls of this method fail in this way; `how` as in `faults.Scripted`."""
        await self.control("script", method=method, fault=fault, **how)

    async def disconnect(self, reason: Goodbye = "warning", socket: str | None = None) -> list[str]:
        """Tell one socket, or all, to go."""
        return list((await self.control("disconnect", reason=reason, socket=socket))["sockets"])

    async def abort(self, socket: str | None = None) -> list[str]:
        """Break the connection of one socket, or all."""
        return list((await self.control("abort", socket=socket))["sockets"])

    async def sockets(self) -> list[dict[str, Any]]:
        """The open sockets."""
        return list((await self.control("sockets"))["sockets"])

    async def until_connected(self, count: int = 1, timeout: float = 10.0) -> None:
        """Wait for the app's sockets."""
        await self.until(lambda replay: _open(replay) >= count, timeout)

    async def verify(self) -> bool:
        """Slack's check of the request URL."""
        return bool((await self.control("verify"))["verified"])

    async def forge(self, forgery: Forgery, *, text: str = "hello", user: str = ALICE, channel: str = C1) -> int:
        """A mention that isn't Slack's; the status that the app answers."""
        event = {"type": "app_mention", "user": user, "channel": channel, "text": text, "ts": "1700000000.000100"}
        return int((await self.control("forge", team=T1, event=event, forgery=forgery))["status"])

    async def emit(self, event: dict[str, Any], *, team: str = T1, **more: Any) -> None:
        """Any event at all, from Slack; `subscribed=True` subscribes to it first."""
        await self.control("emit", team=team, event=event, **more)

    # What happened.

    async def quiesce(self, timeout: float = 30.0) -> list[str]:
        """Wait until every event is acked or given up; the event ids that are not by then."""
        return list((await self.control("quiesce", timeout=timeout))["pending"])

    async def world(self) -> dict[str, Any]:
        """Users, channels, installs and the app's settings."""
        return await self.control("world")

    async def messages(self) -> list[dict[str, Any]]:
        """All messages that exist now, people's and the app's, oldest first."""
        return list((await self.control("state"))["messages"])

    async def reply(self, said: Said, timeout: float = 15.0) -> Reply:
        """The finished reply in the thread of this message: the latest one that is newer than the message. It is not
        finished while the agent's session says that it is still at it."""

        def newest(replay: Replay) -> Reply | None:
            if replay.sessions.get(said.place) == "processing":
                return None
            found = [r for r in replies(replay) if r.place == said.place and r.messages[0].ts > said.ts]
            return found[-1] if found and found[-1].finished else None

        reply = await self.until(newest, timeout)
        assert reply is not None
        return reply

    async def texts(self, place: Place | Said) -> list[str]:
        """What everybody sees of the app in a thread, oldest first."""
        where = place.place if isinstance(place, Said) else place
        return [message.text for message in (await self.replay()).visible(where)]

    async def ephemerals(self, user: str = ALICE, channel: str | None = None) -> list[str]:
        """What only this person sees of the app, oldest first."""
        return [message.text for message in (await self.replay()).private(user, channel)]

    async def home(self, user: str = ALICE) -> dict[str, Any] | None:
        """What is in somebody's App Home."""
        view: dict[str, Any] | None = (await self.control("view", user=user, home=True))["view"]
        return view

    async def view(self, user: str = ALICE) -> dict[str, Any] | None:
        """The modal in front of somebody."""
        view: dict[str, Any] | None = (await self.control("view", user=user))["view"]
        return view

    async def prompts(self, user: str = ALICE, thread: str = "") -> Sequence[dict[str, Any]]:
        """The suggested prompts in the app's Messages tab."""
        return list((await self.control("prompts", user=user, thread_ts=thread))["prompts"])

    async def outcomes(self) -> dict[str, list[Reply]]:
        """For each person's message that carries a marker, the app's visible replies that answer it."""
        replay = await self.replay()
        shown = replies(replay)
        return {
            human.id: [reply for reply in shown if reply.place == human.place and reply.markers & human.markers]
            for human in replay.humans.values()
            if human.markers
        }

    def judge(
        self,
        complete: Callable[[str, str], bool] | None = None,
        *,
        notice: Notice = badge,
        butting_in: bool = False,
    ) -> Report:
        """The judge's verdict over the log file as it is now."""
        return judge(load(self.log), complete=complete, notice=notice, butting_in=butting_in)

    def _error(self, answer: dict[str, Any]) -> Exception:
        return SlackError(answer["error"], **answer["more"])


def _open(replay: Replay) -> int:
    """How many sockets are open."""
    changes = [entry for entry in replay.entries if entry["kind"] in ("socket_opened", "socket_closed")]
    return int(changes[-1]["open"]) if changes else 0

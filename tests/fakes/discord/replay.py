"""What the log says happened: the state of every message, rebuilt from the entries alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.discord.forms import inside, pressable
from tests.fakes.discord.log import Entry
from tests.fakes.discord.world import SUPPRESS_NOTIFICATIONS
from tests.fakes.judging import MARKER, STOP_BUTTON, Act, Human, Place, Stop

__all__ = ["MARKER", "STOP_BUTTON", "Act", "BotMessage", "Human", "Place", "Replay", "Said", "Stop"]

#: The nonce of a reply's message: its turn and its part ("kagentbot-12.0"; a part that is made once more has another
#: number at the end, "kagentbot-12.0.1").
_NONCE = re.compile(r"(?P<turn>[\w-]*\w)[.:/](?P<part>\d+)(?:[.:/]\w+)?")
#: What is pressed below a turn's reply names the turn ("kagent.stop:12", "kagent.rate:12:5").
_PRESSED = re.compile(r"(?P<name>kagent\.\w+):(?P<turn>\d+)(?::.*)?")
#: The nonce of a turn whose id is known.
_TURN = "kagentbot-{}"

#: The call that opens a thread from a message, whose id it gets.
_OPENS = "POST /channels/{channel}/messages/{message}/threads"

#: Message types that are no messages: "started a thread", a thread's first line.
_SYSTEM = frozenset({18, 21})


@dataclass(slots=True)
class Said(Human):
    """A person's message; what Discord has besides."""

    #: Channel or thread that it is in.
    channel: str = ""
    direct: bool = False
    mentions_us: bool = False
    replies_to: str | None = None

    @property
    def message(self) -> str:
        """Its id alone."""
        return self.id.partition("/")[2]


@dataclass(slots=True)
class BotMessage:
    """A message of the app, as people see it."""

    #: channel/id; of a thread, its own id.
    id: str
    #: A thread and its channel; where it is in no thread, "" for the thread.
    place: Place
    created_at: float
    text: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    #: Names of files.
    files: list[str] = field(default_factory=list)
    #: Their ids, for downloading them.
    file_ids: list[str] = field(default_factory=list)
    #: The pictures among them, as the log has them.
    pictures: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    nonce: str = ""
    #: The id of the message that it replies to.
    reply_to: str = ""
    pings: list[str] = field(default_factory=list)
    #: The one person who sees it; "": everybody.
    private_to: str = ""
    #: Of a private message: to whom.
    recipient: str = ""
    #: Of a webhook's: the webhook, and the name that it shows.
    webhook: str = ""
    username: str = ""
    #: The interaction that it answers.
    interaction: str = ""
    #: It is a turn's: that of its nonce, or of what could ever be pressed below it.
    turn: str = ""
    part: int = 0
    type: int = 0
    changed_at: float = 0.0
    gone: bool = False

    @property
    def channel(self) -> str:
        """The channel or thread that it is in."""
        return self.id.partition("/")[0]

    @property
    def message(self) -> str:
        """Its id alone."""
        return self.id.partition("/")[2]

    @property
    def order(self) -> str:
        """Its place among the messages of its channel."""
        return self.message.zfill(20)

    @property
    def buttons(self) -> list[str]:
        """The custom_ids of what can be pressed."""
        return [one["custom_id"] for one in pressable(self.components)]

    @property
    def finished(self) -> bool:
        """Whether it looks final: nothing left to stop."""
        return not any(name.partition(":")[0] == STOP_BUTTON for name in self.buttons)

    @property
    def pictured(self) -> list[str]:
        """The pictures that are seen in it; two that look alike are equal."""
        return [picture["digest"] for picture in self.pictures]

    @property
    def hooked(self) -> bool:
        """Whether it answers an interaction."""
        return bool(self.interaction)

    @property
    def aside(self) -> bool:
        """Whether it is a notice or a report rather than an answer, which rings nobody: a job's."""
        return bool(self.flags & SUPPRESS_NOTIFICATIONS)


class Replay:
    """Feed it the log's entries in order; it may be read at any time."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.humans: dict[str, Said] = {}
        #: Messages of other bots and of webhooks that are not the app's.
        self.machines: dict[str, Said] = {}
        self.bots: dict[str, BotMessage] = {}
        self.stops: list[Stop] = []
        self.acts: list[Act] = []
        #: Thread → the channel that it is in.
        self.threads: dict[str, str] = {}
        #: Every call of the app.
        self.calls: list[Entry] = []
        #: Everything, as it was logged.
        self.entries: list[Entry] = []
        #: Connections that are open and have a session.
        self.connected: set[str] = set()
        #: Interaction → which of the stops it is.
        self._stopping: dict[str, int] = {}
        for entry in entries:
            self.feed(entry)

    def feed(self, entry: Entry) -> None:
        """One more entry; kinds that change no message are only kept."""
        self.entries.append(entry)
        for shown in entry.get("shown") or ():
            self._look(shown, entry["at"])
        take = getattr(self, f"_{entry['kind']}", None)
        if take is not None:
            take(entry)

    def visible(self, place: Place | None = None, *, to: str = "") -> list[BotMessage]:
        """The app's messages that everybody sees (`to`: or that this person alone sees), oldest first."""
        return [message for message in self.created(place) if not message.gone and message.private_to in ("", to)]

    def private(self, user: str, channel: str | None = None) -> list[BotMessage]:
        """What only this person sees, oldest first."""
        found = [m for m in self.created() if m.private_to == user and not m.gone]
        return [message for message in found if channel in (None, message.channel)]

    def created(self, place: Place | None = None) -> list[BotMessage]:
        """All messages that the app ever created, oldest first."""
        found = [m for m in self.bots.values() if m.type not in _SYSTEM and place in (None, m.place)]
        return sorted(found, key=lambda message: message.order)

    def called(self, route: str, *, accepted: bool | None = None) -> list[Entry]:
        """The calls of one route ("POST /channels/{channel}/messages"), all of them or those that Discord did (not)."""
        return [call for call in self.calls if call["method"] == route and accepted in (None, call["accepted"])]

    def sessions(self) -> Iterator[Entry]:
        """Each IDENTIFY that was taken."""
        return (entry for entry in self.entries if entry["kind"] == "identified")

    def _said(self, entry: Entry) -> None:
        parent, channel = entry["parent"], entry["channel"]
        said = Said(
            id=entry["subject"],
            place=Place(parent, channel) if parent else Place(channel, ""),
            user=entry["user"],
            team=entry["guild"],
            texts=[entry["text"]],
            addressed=entry["readable"] and (entry["direct"] or entry["mentions_us"] or entry["replies_to_us"]),
            said_at=entry["at"],
            sent_at=entry["sent_at"],
            channel=channel,
            direct=entry["direct"],
            mentions_us=entry["mentions_us"],
            replies_to=entry["replies_to"],
        )
        # Discord needs no ack: what the app may read is its own to find, connected or not.
        said.accepted_at = entry["at"] if entry["readable"] else None
        (self.machines if entry["bot"] else self.humans)[said.id] = said

    def _reworded(self, entry: Entry) -> None:
        human = self.humans.get(entry["subject"])
        if human is not None:
            human.texts.append(entry["text"])

    def _erased(self, entry: Entry) -> None:
        human = self.humans.get(entry["subject"])
        if human is not None:
            human.erased_at = entry["at"]

    def _heard(self, entry: Entry) -> None:
        """The app's heartbeat has told what has come."""
        for event, subject in entry["subjects"]:
            human = self.humans.get(subject)
            if event == "MESSAGE_DELETE" and human is not None and human.erasure_acked_at is None:
                human.erasure_acked_at = entry["at"]

    def _threaded(self, entry: Entry) -> None:
        self._thread(entry["thread"], entry["channel"])

    def _thread(self, thread: str, channel: str) -> None:
        """A thread that is opened from a message is the place of its answers."""
        self.threads[thread] = channel
        human = self.humans.get(f"{channel}/{thread}")
        if human is not None:
            human.place = Place(channel, thread)

    def _commanded(self, entry: Entry) -> None:
        self.acts.append(Act(entry["user"], entry["at"]))

    def _submitted(self, entry: Entry) -> None:
        self.acts.append(Act(entry["user"], entry["at"]))

    def _pressed(self, entry: Entry) -> None:
        self.acts.append(Act(entry["user"], entry["at"]))
        message, found = self.bots.get(entry["subject"]), _PRESSED.fullmatch(entry["custom_id"])
        if message is not None and found is not None and found["name"] == STOP_BUTTON:
            self.stops.append(Stop(message.place, entry["user"], entry["at"], _TURN.format(found["turn"])))

    def _interaction(self, entry: Entry) -> None:
        if self.stops and entry["name"].partition(":")[0] == STOP_BUTTON:
            # Said right after the press that it is.
            self._stopping[entry["id"]] = len(self.stops) - 1

    def _interaction_failed(self, entry: Entry) -> None:
        if (number := self._stopping.get(entry["id"])) is not None:
            self.stops[number] = replace(self.stops[number], failed=True)

    def _identified(self, entry: Entry) -> None:
        self.connected.add(entry["connection"])

    def _resumed(self, entry: Entry) -> None:
        self.connected.add(entry["connection"])

    def _gateway_closed(self, entry: Entry) -> None:
        self.connected.discard(entry["connection"])

    def _call(self, entry: Entry) -> None:
        self.calls.append(entry)
        if entry["accepted"] and entry["method"] == _OPENS:
            self._thread(entry["ids"]["message"], entry["ids"]["channel"])

    def _look(self, shown: dict[str, Any], at: float) -> None:
        name, parent = shown["subject"], shown["parent"]
        place = Place(parent, shown["channel"]) if parent else Place(shown["channel"], "")
        if parent:
            self._thread(shown["channel"], parent)
        message = self.bots.setdefault(name, BotMessage(name, place, at))
        message.text = _readable(shown)
        message.embeds, message.components = shown["embeds"], shown["components"]
        message.files = [one["name"] for one in shown["attachments"]]
        message.file_ids = [one["id"] for one in shown["attachments"]]
        message.pictures = [one for one in shown["attachments"] if "digest" in one]
        message.flags, message.type = shown["flags"], shown["type"]
        message.nonce = shown["nonce"] or ""
        message.reply_to = shown["reply_to"] or ""
        message.pings = shown["pings"]
        message.private_to = shown["ephemeral_to"]
        message.recipient = shown["recipient"]
        message.webhook, message.username = shown["webhook"], shown["name"]
        message.interaction = shown["interaction"]
        message.gone = shown["gone"]
        message.changed_at = at
        self._belongs(message)

    def _belongs(self, message: BotMessage) -> None:
        """Its turn, as far as anything has told it yet."""
        found = _NONCE.fullmatch(message.nonce)
        if found is not None:
            message.turn, message.part = found["turn"], int(found["part"])
            return
        for name in message.buttons:
            pressed = _PRESSED.fullmatch(name)
            if pressed is not None and not message.hooked:
                message.turn = _TURN.format(pressed["turn"])


def _readable(shown: dict[str, Any]) -> str:
    """All text that is seen: content, embeds, and what components say."""
    parts = [shown["content"]]
    for embed in shown["embeds"]:
        parts += [embed.get("title") or "", embed.get("description") or ""]
        for one in embed.get("fields") or ():
            parts += [one.get("name") or "", one.get("value") or ""]
    parts += [one["content"] for one in inside(shown["components"]) if one["type"] == 10]
    return "\n".join(part for part in parts if part)

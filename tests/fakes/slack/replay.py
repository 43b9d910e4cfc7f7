"""What the log says happened: the state of every message, rebuilt from the entries alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.judging import MARKER, STOP_BUTTON, Act, Human, Place, Stop
from tests.fakes.slack.log import Entry

__all__ = [
    "JOB_METADATA",
    "MARKER",
    "STOP_BUTTON",
    "TURN_METADATA",
    "Act",
    "BotMessage",
    "Human",
    "Place",
    "Replay",
    "Stop",
]

#: `event_type` of the metadata of a turn's messages.
TURN_METADATA = "kagentbot_turn"
#: The same of a job's: what it reports is no answer.
JOB_METADATA = "kagentbot_job"

#: Fields of a message that are as the log has them.
_LOOK = ("blocks", "buttons", "metadata", "pings", "streaming", "tasks", "username", "icon", "files", "pictures")


@dataclass(slots=True)
class BotMessage:
    """A message of the app, as people see it."""

    #: channel/ts.
    id: str
    place: Place
    created_at: float
    #: All text that is seen: that of its blocks where it has some.
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    #: Action ids.
    buttons: list[str] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    pings: list[str] = field(default_factory=list)
    streaming: bool = False
    #: Rows of a stream's steps.
    tasks: list[dict[str, Any]] = field(default_factory=list)
    #: The one person who sees it; "": everybody.
    private_to: str = ""
    username: str = ""
    icon: str = ""
    files: list[str] = field(default_factory=list)
    #: Uploaded pictures in its blocks, as the log has them.
    pictures: list[dict[str, str]] = field(default_factory=list)
    changed_at: float = 0.0
    gone: bool = False
    #: It came through a response_url, or with the ack of a command.
    hooked: bool = False

    @property
    def ts(self) -> str:
        return self.id.partition("/")[2]

    @property
    def order(self) -> str:
        """Its place among the messages of its thread."""
        return self.ts

    @property
    def finished(self) -> bool:
        """Whether it looks final: nothing left to stop."""
        return not self.streaming and STOP_BUTTON not in self.buttons

    @property
    def pictured(self) -> list[str]:
        """The uploaded pictures that are seen in it; two that look alike are equal."""
        return [picture["digest"] for picture in self.pictures]

    @property
    def turn(self) -> str:
        """The turn that its metadata names; "": none. A stream has none before it is stopped."""
        return self._named(TURN_METADATA, "turn")

    @property
    def job(self) -> str:
        """The job that its metadata names; "": none."""
        return self._named(JOB_METADATA, "job")

    def _named(self, kind: str, name: str) -> str:
        metadata = self.metadata or {}
        return str(metadata["event_payload"].get(name, "")) if metadata.get("event_type") == kind else ""

    @property
    def part(self) -> int:
        """Which part of its turn's or job's reply it is."""
        return int((self.metadata or {}).get("event_payload", {}).get("part", 0)) if self.turn or self.job else 0


class Replay:
    """Feed it the log's entries in order; it may be read at any time."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.humans: dict[str, Human] = {}
        self.bots: dict[str, BotMessage] = {}
        self.stops: list[Stop] = []
        self.acts: list[Act] = []
        #: Thread → the status of the agent's session in it; while `processing`, people see a Stop button.
        self.sessions: dict[Place, str] = {}
        self._deliveries: Counter[tuple[str, str]] = Counter()
        #: Every call of the app.
        self.calls: list[Entry] = []
        #: Everything, as it was logged.
        self.entries: list[Entry] = []
        for entry in entries:
            self.feed(entry)

    def feed(self, entry: Entry) -> None:
        """One more entry; kinds that change no message are only kept."""
        self.entries.append(entry)
        for shown in entry.get("shown") or ():
            new = shown["subject"] not in self.bots
            self._look(shown, entry["at"])
            self.bots[shown["subject"]].hooked |= new and entry["kind"] == "answered"
        take = getattr(self, f"_{entry['kind']}", None)
        if take is not None:
            take(entry)

    def visible(self, place: Place | None = None, *, to: str = "") -> list[BotMessage]:
        """The app's messages that everybody sees (`to`: or that this person alone sees), oldest first."""
        return [message for message in self.created(place) if not message.gone and message.private_to in ("", to)]

    def private(self, user: str, channel: str | None = None) -> list[BotMessage]:
        """What only this person sees, oldest first."""
        found = [m for m in self.created() if m.private_to == user and not m.gone]
        return [message for message in found if channel in (None, message.place.channel)]

    def created(self, place: Place | None = None) -> list[BotMessage]:
        """All messages that the app ever created, oldest first."""
        found = [message for message in self.bots.values() if place is None or message.place == place]
        return sorted(found, key=lambda message: (message.created_at, message.id))

    def deliveries(self, message: str, how: Literal["sent", "acked", "unacked", "given_up"]) -> int:
        """How many attempts to deliver events about this message were made, or ended so."""
        return self._deliveries[message, how]

    def called(self, method: str, *, accepted: bool | None = None) -> list[Entry]:
        """The calls of one method, all of them or those that Slack did (not)."""
        return [call for call in self.calls if call["method"] == method and accepted in (None, call["accepted"])]

    def _said(self, entry: Entry) -> None:
        self.humans[entry["subject"]] = Human(
            id=entry["subject"],
            place=Place(entry["channel"], entry["thread_ts"] or entry["ts"]),
            user=entry["user"],
            team=entry["author_team"],
            texts=[entry["text"]],
            addressed=entry["direct"] or entry["mentions_us"],
            said_at=entry["at"],
            sent_at=float(entry["ts"]),
        )

    def _reworded(self, entry: Entry) -> None:
        self.humans[entry["subject"]].texts.append(entry["text"])

    def _erased(self, entry: Entry) -> None:
        self.humans[entry["subject"]].erased_at = entry["at"]

    def _stopped(self, entry: Entry) -> None:
        self.stops.append(Stop(Place(entry["channel"], entry["thread_ts"]), entry["user"], entry["at"]))

    def _commanded(self, entry: Entry) -> None:
        self.acts.append(Act(entry["user"], entry["at"]))

    def _pressed(self, entry: Entry) -> None:
        self.acts.append(Act(entry["user"], entry["at"]))
        message = self.bots.get(entry["subject"])
        if message is not None and entry["action_id"] == STOP_BUTTON:
            self.stops.append(Stop(message.place, entry["user"], entry["at"], message.turn))

    def _sent(self, entry: Entry) -> None:
        self._deliveries[entry["subject"], "sent"] += 1

    def _unacked(self, entry: Entry) -> None:
        self._deliveries[entry["subject"], "unacked"] += 1

    def _given_up(self, entry: Entry) -> None:
        self._deliveries[entry["subject"], "given_up"] += 1

    def _acked(self, entry: Entry) -> None:
        subject, at = entry["subject"], entry["at"]
        self._deliveries[subject, "acked"] += 1
        human = self.humans.get(subject)
        if human is None:
            return
        if entry["subtype"] == "message_deleted":
            human.erasure_acked_at = human.erasure_acked_at or at
        elif entry["event"] in ("message", "app_mention") and entry["subtype"] != "message_changed":
            human.accepted_at = human.accepted_at or at

    def _call(self, entry: Entry) -> None:
        self.calls.append(entry)
        if not entry["accepted"]:
            return
        method, arguments = entry["method"], entry.get("arguments") or {}
        if method == "agents.sessions.setStatus":
            place = Place(arguments["channel_id"], arguments.get("thread_ts") or "")
            self.sessions[place] = arguments["status"]
        elif method in ("chat.startStream", "chat.stopStream"):
            # Streams make sessions, and end their work unless they say otherwise.
            ended = arguments.get("session_status") or "active"
            place = self.bots[entry["shown"][0]["subject"]].place
            self.sessions[place] = "processing" if method == "chat.startStream" else ended

    def _look(self, shown: dict[str, Any], at: float) -> None:
        name = shown["subject"]
        place = Place(shown["channel"], shown["thread_ts"] or shown["ts"])
        message = self.bots.setdefault(name, BotMessage(name, place, shown["created_at"]))
        message.text = shown["visible"]
        message.private_to = shown["ephemeral_to"]
        for field_name in _LOOK:
            setattr(message, field_name, shown[field_name])
        message.gone = shown["gone"]
        message.changed_at = at

"""What the log says happened: the state of every message, rebuilt from the entries alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.platform.log import Entry
from tests.fakes.platform.rules import Place

#: What the fake model echoes from the question, so that an answer shows which message it answers.
MARKER = re.compile(r"\[m:[^\]\s]+\]")


@dataclass(slots=True)
class Human:
    """A person's message."""

    id: str
    place: Place
    author: str
    #: Oldest revision first.
    texts: list[str]
    addressed: bool
    said_at: float
    sent_at: float
    #: When the bot first acked an event that addresses it with this message: from then on it owes an outcome.
    accepted_at: float | None = None
    erased_at: float | None = None
    #: When the bot first acked the deletion.
    erasure_acked_at: float | None = None

    @property
    def markers(self) -> set[str]:
        """The markers of all revisions."""
        return {marker for text in self.texts for marker in MARKER.findall(text)}


@dataclass(slots=True)
class BotMessage:
    """A message of the bot."""

    id: str
    place: Place
    created_at: float
    text: str = ""
    buttons: list[str] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    pings: list[str] = field(default_factory=list)
    streaming: bool = False
    changed_at: float = 0.0
    gone: bool = False
    pressed_at: float | None = None
    #: When the bot first said that the turn is being stopped; an ack alone says only that it isn't to be told again.
    stop_taken_at: float | None = None

    @property
    def finished(self) -> bool:
        """Whether it looks final: nothing left to stop."""
        return not self.streaming and "stop" not in self.buttons


class Replay:
    """Feed it the log's entries in order; it may be read at any time."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.humans: dict[str, Human] = {}
        self.bots: dict[str, BotMessage] = {}
        self._deliveries: Counter[tuple[str, str]] = Counter()
        #: Every call of the bot.
        self.calls: list[Entry] = []
        for entry in entries:
            self.feed(entry)

    def feed(self, entry: Entry) -> None:
        """One more entry."""
        getattr(self, f"_{entry['kind']}")(entry)

    def visible(self, place: Place | None = None) -> list[BotMessage]:
        """The bot's messages that people see, oldest first."""
        found = [m for m in self.bots.values() if not m.gone and (place is None or m.place == place)]
        return sorted(found, key=lambda message: message.id)

    def created(self, place: Place | None = None) -> list[BotMessage]:
        """All messages that the bot ever created, oldest first."""
        found = [m for m in self.bots.values() if place is None or m.place == place]
        return sorted(found, key=lambda message: message.id)

    def deliveries(self, message: str, how: Literal["sent", "acked", "unacked"]) -> int:
        """How many attempts to deliver events about this message were made, or ended so."""
        return self._deliveries[message, how]

    def _said(self, entry: Entry) -> None:
        self.humans[entry["message"]] = Human(
            id=entry["message"],
            place=Place(*entry["place"]),
            author=entry["author"],
            texts=[entry["text"]],
            addressed=entry["addressed"],
            said_at=entry["at"],
            sent_at=entry["sent_at"],
        )

    def _reworded(self, entry: Entry) -> None:
        self.humans[entry["message"]].texts.append(entry["text"])

    def _erased(self, entry: Entry) -> None:
        self.humans[entry["message"]].erased_at = entry["at"]

    def _moderated(self, entry: Entry) -> None:
        self.bots[entry["message"]].gone = True

    def _pressed(self, entry: Entry) -> None:
        self._look(entry["shown"], entry["at"])
        self.bots[entry["message"]].pressed_at = entry["at"]

    def _sent(self, entry: Entry) -> None:
        self._deliveries[entry["subject"], "sent"] += 1

    def _unacked(self, entry: Entry) -> None:
        self._deliveries[entry["subject"], "unacked"] += 1

    def _acked(self, entry: Entry) -> None:
        self._deliveries[entry["subject"], "acked"] += 1
        subject, at = entry["subject"], entry["at"]
        if entry["event"] == "stop":
            if json.loads(entry["answer"] or "{}").get("stopped"):
                pressed = self.bots[subject]
                pressed.stop_taken_at = pressed.stop_taken_at or at
            return
        human = self.humans[subject]
        if entry["event"] == "deleted":
            human.erasure_acked_at = human.erasure_acked_at or at
        elif entry["addressed"] and entry["event"] in ("message", "mention"):
            human.accepted_at = human.accepted_at or at

    def _call(self, entry: Entry) -> None:
        self.calls.append(entry)
        if "gone" in entry:
            self.bots[entry["gone"]].gone = True
        if "shown" in entry:
            self._look(entry["shown"], entry["at"])

    def _look(self, shown: dict[str, Any], at: float) -> None:
        place = Place(*shown["place"])
        message = self.bots.setdefault(shown["id"], BotMessage(shown["id"], place, shown["created_at"]))
        message.text = shown["text"]
        message.buttons = shown["buttons"]
        message.metadata = shown["metadata"]
        message.pings = shown["pings"]
        message.streaming = shown["streaming"]
        message.changed_at = at

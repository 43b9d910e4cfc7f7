"""What the fake Discord's log tells of answers: what each of them cost, and when people saw what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

Entry = dict[str, Any]
#: The call that opens a thread from a message.
OPEN = "POST /channels/{channel}/messages/{message}/threads"
#: Where answers are: in the channel of their question, or in a thread that they open.
Where = Literal["channel", "thread"]

_CREATE = "POST /channels/{channel}/messages"
_EDIT = "PATCH /channels/{channel}/messages/{message}"
_TYPE = "POST /channels/{channel}/typing"


@dataclass(slots=True)
class Answer:
    """One answer. Times are the log's, in seconds."""

    #: The question's message and the channel that it was said in.
    question: str
    channel: str
    asked_at: float
    #: When messages of it were created, and changed.
    creates: list[float] = field(default_factory=list)
    edits: list[float] = field(default_factory=list)
    threads: int = 0
    #: When somebody pressed something below it.
    pressed_at: float | None = None

    @property
    def calls(self) -> int:
        """Creates and edits together."""
        return len(self.creates) + len(self.edits)

    @property
    def first(self) -> float:
        """Seconds until its first message."""
        return self.creates[0] - self.asked_at

    @property
    def last_at(self) -> float:
        """When it was changed for the last time."""
        return max(self.creates + self.edits)

    @property
    def longest_still(self) -> float:
        """The longest time between two changes, in seconds."""
        changes = sorted(self.creates + self.edits)
        return max((later - sooner for sooner, later in pairwise(changes)), default=0.0)


def answers(entries: Iterable[Entry]) -> dict[str, Answer]:
    """The answers to people's messages, by the question's id; those that nothing was done about, too.

    An answer is in the thread that was opened from its question, or replies to it in its channel.
    """
    found: dict[str, Answer] = {}
    #: Message of an answer → its question.
    parts: dict[str, str] = {}
    for entry in entries:
        if entry["kind"] == "said":
            question = entry["subject"].partition("/")[2]
            found[question] = Answer(question, entry["channel"], entry["at"])
        elif entry["kind"] == "pressed":
            about = found.get(parts.get(entry["subject"].partition("/")[2], ""))
            if about is not None:
                about.pressed_at = entry["at"]
        elif entry["kind"] == "call" and entry["accepted"]:
            _heard(entry, found, parts)
    return found


def in_words(where: Where) -> str:
    """For the names of figures."""
    return "in place" if where == "channel" else "in a thread"


def typed(entries: Iterable[Entry], channels: set[str]) -> int:
    """How often the bot was shown typing in these channels."""
    return sum(_is_done(entry, _TYPE) and entry["ids"]["channel"] in channels for entry in entries)


def refused(entries: Iterable[Entry]) -> int:
    """Calls that came too fast."""
    return sum(entry["kind"] == "call" and entry["status"] == 429 for entry in entries)


def _heard(entry: Entry, found: dict[str, Answer], parts: dict[str, str]) -> None:
    ids = entry["ids"]
    if entry["method"] == OPEN:
        if ids["message"] in found:
            found[ids["message"]].threads += 1
    elif entry["method"] == _CREATE:
        reference = (entry["arguments"] or {}).get("message_reference") or {}
        question = ids["channel"] if ids["channel"] in found else str(reference.get("message_id", ""))
        if question in found:
            parts[entry["result"]] = question
            found[question].creates.append(entry["at"])
    elif entry["method"] == _EDIT:
        question = parts.get(ids["message"], "")
        if question in found:
            found[question].edits.append(entry["at"])


def _is_done(entry: Entry, method: str) -> bool:
    return bool(entry["kind"] == "call" and entry["accepted"] and entry["method"] == method)

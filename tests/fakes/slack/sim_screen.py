"""What the simulator prints: the log as somebody who looks at Slack would see it, line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack import sizes
from tests.fakes.slack.interactive import inputs
from tests.fakes.slack.log import Entry
from tests.fakes.slack.replay import BotMessage, Replay

Block = dict[str, Any]

#: A stream is printed in pieces of about a line.
_PIECE = 60


@dataclass(slots=True)
class _Printed:
    """What has been printed of a message."""

    text: str = ""
    buttons: list[str] = field(default_factory=list)
    tasks: dict[str, str] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)
    finished: bool = False


class Screen:
    """Feed it the log's entries. `names` are those of people and channels by id."""

    def __init__(self, write: Callable[[str], None], names: Mapping[str, str]) -> None:
        self._write = write
        self._names = names
        self._printed: dict[str, _Printed] = {}
        self._status: dict[tuple[str, str], str] = {}
        self.replay = Replay()
        #: How many modals the app has opened or changed.
        self.views = 0
        #: Ids (channel/ts) in the order of their numbers, 1 first.
        self.numbered: list[str] = []

    def number(self, message: str) -> int:
        """The number that a message goes by; a new one gets the next."""
        if message not in self.numbered:
            self.numbered.append(message)
        return self.numbered.index(message) + 1

    def feed(self, entry: Entry) -> None:
        """Print what is new."""
        self.replay.feed(entry)
        kind = entry["kind"]
        if kind == "said":
            where = self._where(entry["channel"], entry["thread_ts"])
            self._write(f"[{self.number(entry['subject'])}] {self._name(entry['user'])}, {where}: {entry['text']}")
        elif kind == "reworded":
            self._write(f"[{self.number(entry['subject'])}] edited: {entry['text']}")
        elif kind == "erased":
            self._write(f"[{self.number(entry['subject'])}] deleted by its author")
        elif kind in ("unacked", "given_up"):
            self._write(f"! {entry['event']} about {entry['subject']}: {kind.replace('_', ' ')}, {entry['why']}")
        elif kind == "call":
            self._called(entry)
        for shown in entry.get("shown") or ():
            self._message(self.replay.bots[shown["subject"]])

    def _called(self, entry: Entry) -> None:
        method, arguments = entry["method"], entry.get("arguments") or {}
        if not entry["accepted"]:
            if method != "auth.test":
                self._write(f"! {method}: {entry['error']}")
            return
        if method in ("views.open", "views.push", "views.update"):
            self.views += 1
            self._write(view_text(_parsed(arguments.get("view"))) + "\n(/fill NAME=VALUE …, /submit, /close)")
        elif method == "views.publish":
            self._write(f"(the App Home of {self._name(str(arguments.get('user_id')))} is new; /home shows it)")
        elif method in ("assistant.threads.setStatus", "agents.sessions.setStatus"):
            self._said_status(method, arguments)

    def _said_status(self, method: str, arguments: Mapping[str, Any]) -> None:
        channel, thread = str(arguments.get("channel_id")), str(arguments.get("thread_ts"))
        status = str(arguments.get("status", ""))
        if status and self._status.get((method, thread)) != status:
            native = method.startswith("agents.")
            what = f"session is {status}" + ("; /stop stops it" if status == "processing" else "") if native else status
            self._write(f"({self._where(channel, thread)}: kagent {what})")
        self._status[method, thread] = status

    def _message(self, message: BotMessage) -> None:
        number = self.number(message.id)
        before = self._printed.get(message.id)
        if message.gone:
            self._write(f"[{number}] deleted")
            return
        if before is None:
            self._printed[message.id] = before = _Printed()
            private = f", only {self._name(message.private_to)} sees it" if message.private_to else ""
            name = message.username or "kagent"
            thread = message.place.thread if message.place.thread != message.ts else None
            self._write(f"[{number}] {name}, {self._where(message.place.channel, thread)}{private}:")
        self._tasks(number, message, before)
        self._text(number, message, before)
        pictures = [picture["name"] for picture in message.pictures]
        if pictures != before.pictures:
            before.pictures = pictures
            self._write(f"[{number}]   pictures: {', '.join(pictures) or 'none any more'}")
        buttons = labels(message.blocks)
        if buttons != before.buttons:
            before.buttons = buttons
            self._write(f"[{number}]   " + (" ".join(f"[{name}]" for name in buttons) or "(no buttons any more)"))

    def _tasks(self, number: int, message: BotMessage, before: _Printed) -> None:
        for task in message.tasks:
            row = f"{task.get('title', '')} ({task.get('status', '')})"
            if before.tasks.get(str(task.get("id"))) != row:
                before.tasks[str(task.get("id"))] = row
                self._write(f"[{number}]   · {row}")

    def _text(self, number: int, message: BotMessage, before: _Printed) -> None:
        """The whole of a new text; of one that has grown, what is new, once it makes a line."""
        if message.text == before.text:
            return
        if not message.text.startswith(before.text):
            before.text = message.text
            self._lines(f"[{number}] ~ ", message.text)
            return
        new = message.text[len(before.text) :]
        if message.streaming and len(new) < _PIECE and "\n" not in new:
            return
        before.text = message.text
        self._lines(f"[{number}]   ", new)

    def _lines(self, prefix: str, text: str) -> None:
        self._write("\n".join(prefix + line for line in text.strip("\n").split("\n")))

    def _where(self, channel: str, thread: str | None) -> str:
        place = self._names.get(channel, "DM" if channel.startswith("D") else channel)
        root = f"{channel}/{thread}"
        return f"{place} > {self.number(root)}" if thread else place

    def _name(self, user: str) -> str:
        return self._names.get(user, user)


def labels(blocks: Iterable[Block]) -> list[str]:
    """What is written on everything that can be pressed or chosen in these blocks."""
    found = []
    for element in sizes.controls(blocks):
        if element["type"] == "feedback_buttons":
            buttons = [element[name] for name in ("positive_button", "negative_button") if name in element]
            found += [button["text"]["text"] for button in buttons]
        elif "options" in element:
            found.append(element["action_id"] + ": " + "/".join(o["text"]["text"] for o in element["options"]))
        else:
            found.append((element.get("text") or {}).get("text") or element["action_id"])
    return found


def find_label(blocks: Iterable[Block], label: str) -> tuple[str, str | None] | None:
    """The action id and the value of what has this label, or is an option with it; None where nothing has."""
    wanted = label.casefold()
    for element in sizes.controls(blocks):
        parts = [element[name] for name in ("positive_button", "negative_button") if name in element]
        for part in [*parts, *element.get("options", ())]:
            if part["text"]["text"].casefold() == wanted:
                return element["action_id"], part["value"]
        if wanted in (element["action_id"].casefold(), (element.get("text") or {}).get("text", "").casefold()):
            return element["action_id"], element.get("value")
    return None


def view_text(view: Block) -> str:
    """A modal or an App Home as lines of text."""
    title = (view.get("title") or {}).get("text", "App Home")
    lines = [f"== {title} =="]
    for block in view.get("blocks", ()):
        if block["type"] == "input":
            lines += [f"{block['label']['text']} ({element['action_id']}): …" for element in inputs(block)]
            continue
        text = sizes.readable([block])
        lines += [text] if text else []
    buttons = labels([block for block in view.get("blocks", ()) if block["type"] != "input"])
    return "\n".join([*lines, " ".join(f"[{name}]" for name in buttons)]).rstrip()


def _parsed(view: Any) -> Block:
    found: Block = json.loads(view) if isinstance(view, str) else view or {}
    return found

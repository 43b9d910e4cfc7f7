"""What the simulator prints: the log as somebody who looks at Discord would see it, line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord import forms
from tests.fakes.discord.log import Entry
from tests.fakes.discord.replay import BotMessage, Replay
from tests.fakes.discord.world import LOADING

#: An answer that grows is printed in pieces of about a line.
_PIECE = 60


@dataclass(slots=True)
class _Printed:
    """What has been printed of a message."""

    text: str = ""
    buttons: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    gone: bool = False


class Screen:
    """Feed it the log's entries. `names` are those of people and channels by id, `bot` is the bot's."""

    def __init__(self, write: Callable[[str], None], names: Mapping[str, str], bot: str) -> None:
        self._write = write
        self._names = dict(names) | {bot: "kagent"}
        self._printed: dict[str, _Printed] = {}
        self._typing: dict[str, float] = {}
        self.replay = Replay()
        #: Ids (channel/id) in the order of their numbers, 1 first.
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
            where = self.where(entry["channel"])
            files = "".join(f" [{name}]" for name in entry["files"])
            self._write(
                f"[{self.number(entry['subject'])}] {self._name(entry['user'])}, {where}: {entry['text']}{files}"
            )
        elif kind == "reworded":
            self._write(f"[{self.number(entry['subject'])}] edited: {entry['text']}")
        elif kind == "erased":
            self._write(f"[{self.number(entry['subject'])}] deleted by its author")
        elif kind == "interaction_failed":
            self._write(f"! {self._name(entry['user'])}: This interaction failed")
        elif kind == "gateway_closed":
            self._write(f"! the gateway's connection has ended ({entry['code'] or 'broken'})")
        elif kind == "call":
            self._called(entry)
        for shown in entry.get("shown") or ():
            self._message(self.replay.bots[shown["subject"]])

    def where(self, channel: str) -> str:
        """A channel's name; a thread's goes by the message that it was opened from."""
        parent = self.replay.threads.get(channel)
        if parent is None:
            return self._names.get(channel, "DM")
        root = f"{parent}/{channel}"
        return f"{self._name(parent)} > {self.number(root) if root in self.numbered else 'thread'}"

    def form(self, form: Mapping[str, Any]) -> None:
        """Somebody has a form in front of them."""
        self._write(form_text(form) + "\n(/fill NAME=VALUE …, /submit, /close)")

    def _called(self, entry: Entry) -> None:
        method = entry["method"]
        if not entry["accepted"]:
            self._write(f"! {method}: {entry['status']} {entry['code'] or ''}".rstrip())
        elif method == "POST /channels/{channel}/typing":
            self._typed(entry["ids"]["channel"], entry["at"])

    def _typed(self, channel: str, at: float) -> None:
        """The sign lasts for ten seconds, and is printed once for them."""
        if at > self._typing.get(channel, 0.0) + 10.0:
            self._typing[channel] = at
            self._write(f"({self.where(channel)}: kagent is typing…)")

    def _message(self, message: BotMessage) -> None:
        number = self.number(message.id)
        before = self._printed.get(message.id)
        if message.gone:
            if before is None or not before.gone:
                self._write(f"[{number}] deleted")
            self._printed.setdefault(message.id, _Printed()).gone = True
            return
        if before is None:
            self._printed[message.id] = before = _Printed()
            private = f", only {self._name(message.private_to)} sees it" if message.private_to else ""
            self._write(f"[{number}] {message.username or 'kagent'}, {self.where(message.channel)}{private}:")
            if message.flags & LOADING:
                self._write(f"[{number}]   kagent is thinking…")
        self._text(number, message, before)
        if message.files != before.files:
            before.files = message.files
            self._write(f"[{number}]   files: {', '.join(message.files)}")
        buttons = forms.labels(message.components)
        if buttons != before.buttons:
            before.buttons = buttons
            self._write(f"[{number}]   " + (" ".join(f"[{name}]" for name in buttons) or "(no buttons any more)"))

    def _text(self, number: int, message: BotMessage, before: _Printed) -> None:
        """The whole of a new text; of one that has grown, what is new, once it makes a line."""
        if message.text == before.text:
            return
        if not message.text.startswith(before.text):
            before.text = message.text
            self._lines(f"[{number}] ~ ", message.text)
            return
        new = message.text[len(before.text) :]
        if not message.finished and len(new) < _PIECE and "\n" not in new:
            return
        before.text = message.text
        self._lines(f"[{number}]   ", new)

    def _lines(self, prefix: str, text: str) -> None:
        self._write("\n".join(prefix + line for line in text.strip("\n").split("\n")))

    def _name(self, user: str) -> str:
        return self._names.get(user, user)


def find_label(message: BotMessage, label: str) -> tuple[str, list[str] | None] | None:
    """The custom_id, and what is chosen, of what has this label or an option with it; None where nothing has."""
    wanted = label.casefold()
    for one in forms.pressable(message.components):
        called = (one.get("label"), (one.get("emoji") or {}).get("name"), one["custom_id"])
        if one["type"] == forms.BUTTON and wanted in [str(name).casefold() for name in called if name]:
            return one["custom_id"], None
        for option in one.get("options") or ():
            if wanted in (option["label"].casefold(), option["value"].casefold()):
                return one["custom_id"], [option["value"]]
    return None


def form_text(form: Mapping[str, Any]) -> str:
    """A form as lines of text: what it asks for, by the names that `/fill` takes."""
    lines = [f"== {form['title']} =="]
    for one in forms.inside(form.get("components") or ()):
        if one["type"] == forms.TEXT:
            lines.append(one["content"])
        elif one["type"] == forms.LABEL:
            lines.append(_field(one["component"], one["label"], one.get("description") or ""))
        elif one["type"] == forms.ROW:
            lines += [_field(field, field.get("label") or "", "") for field in one["components"]]
    return "\n".join(lines)


def _field(field: Mapping[str, Any], label: str, hint: str) -> str:
    options = "/".join(option["value"] for option in field.get("options") or ())
    held = forms.before(dict(field))
    shown = f" = {held}" if held else ""
    return f"{label} ({field['custom_id']}{': ' + options if options else ''}){shown}{' – ' + hint if hint else ''}"

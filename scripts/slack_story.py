"""Prints the story of people with the bot in Slack, as they see it: the real server against the fake Slack.

    python -m scripts.slack_story --lang en
    python -m scripts.slack_story --lang zh

The same scenes are tested in tests/acceptance/test_slack_story.py. The answers are those of the tests' model.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from agent.language import Lang, Text
from bot.settings import machine
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.interactive import find
from tests.fakes.slack.log import Entry
from tests.fakes.slack.prepared import BOT_USER
from tests.fakes.slack.sim_screen import Screen, view_text
from tests.fakes.slack.world import SlackError
from tests.support.slack_scenes import play
from tests.support.slack_story import story

#: What the model of the tests is told, marks that it repeats, and what only the simulator's readers can type.
_BEHIND: Final = re.compile(
    r" ?\[(?:fake|m):[^\]]*\]|\n\(/fill .*\)|; /home shows it|; /stop stops it| \(value\)(?=: …)|kagent\.[a-z.]+: "
)
#: A time that Slack shows in everybody's own zone.
_DATE: Final = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_PRESSES: Final = Text("({who} presses “{what}”)", "（{who} 点击“{what}”）")
_STOPS: Final = Text("({who} presses Slack's Stop)", "（{who} 点击 Slack 的停止按钮）")
_TYPES: Final = Text("({who} types {what})", "（{who} 输入 {what}）")


class Transcript:
    """Prints the log, and what people press, which the simulator's own reader knows."""

    def __init__(self, lang: Lang) -> None:
        self._lang: Lang = lang
        channels = {f"C{number:03d}": f"#harbour-{number}" for number in range(1, 100)}
        self._names = {"UALICE": "alice", "UBOB": "bob", "UCAROL": "carol"} | channels
        self._screen = Screen(self._write, self._names)
        #: The blocks of windows and App Homes, the newest last.
        self._views: list[list[dict[str, Any]]] = []
        self._home_is_news = True

    def head(self, heading: Text) -> None:
        """A scene begins. Its first App Home is shown as a whole."""
        self._home_is_news = True
        self._write(f"\n## {heading.say(self._lang)}\n")

    def note(self, text: Text) -> None:
        """Something that no log has."""
        who = "carol" if self._lang == "zh" else "alice"
        self._write(f"（{who} {text.zh}）" if self._lang == "zh" else f"({who} {text.en})")

    def feed(self, entry: Entry) -> None:
        """One entry of the log."""
        if entry["kind"] == "pressed":
            self._say(_PRESSES, entry["user"], self._label(entry))
        elif entry["kind"] == "stopped":
            self._say(_STOPS, entry["user"])
        elif entry["kind"] == "commanded":
            self._say(_TYPES, entry["user"], f"{entry['command']} {entry['text']}")
        elif entry["kind"] == "call" and entry["accepted"] and entry["method"].startswith("views."):
            view = entry["arguments"]["view"]
            shown = json.loads(view) if isinstance(view, str) else view
            self._views.append(shown["blocks"])
            if entry["method"] == "views.publish" and self._home_is_news:
                self._home_is_news = False
                self._write(view_text(shown))
        self._screen.feed(entry)
        if entry["kind"] == "acked" and (entry.get("answer") or {}).get("view"):
            self._write(view_text(entry["answer"]["view"]))

    def _say(self, text: Text, user: str, what: str = "") -> None:
        self._write(text.say(self._lang, who=self._names.get(user, user), what=what))

    def _label(self, entry: Entry) -> str:
        """What is written on what was pressed: in a message, or in the window or App Home that was shown last."""
        message = self._screen.replay.bots.get(entry["subject"])
        action_id, value = entry["action_id"], entry["value"]
        for blocks in (message.blocks if message else [], *reversed(self._views)):
            with contextlib.suppress(SlackError):
                element, _ = find(blocks, action_id, value)
                return _written(element, value) or self._names.get(value, str(value))
        return str(action_id)

    def _write(self, text: str) -> None:
        said = _DATE.sub(r"\1", _BEHIND.sub("", text)).replace(f"<@{BOT_USER}>", "@kagent")
        for name, shown in self._names.items():
            said = said.replace(f"<@{name}>", f"@{shown}").replace(f"<#{name}>", shown)
        print(said, flush=True)  # noqa: T201 - a command


def _written(element: dict[str, Any], value: str | None) -> str:
    """The label of an element, or of the part of it that has this value; "" for a menu of all channels."""
    halves = [element[name] for name in ("positive_button", "negative_button") if name in element]
    chosen = [one for one in (*halves, *element.get("options", ())) if one.get("value") == value]
    return str(((chosen[0] if chosen else element).get("text") or {}).get("text", ""))


async def tell(lang: Lang) -> None:
    """Play it, then print what was seen."""
    told: list[tuple[float, Callable[[], None]]] = []
    transcript = Transcript(lang)

    def at_its_time(say: Callable[[Text], None]) -> Callable[[Text], None]:
        return lambda text: told.append((time.time(), lambda: say(text)))

    with tempfile.TemporaryDirectory(prefix="slack-story-") as folder:
        mode: Mode = "http" if lang == "zh" else "socket"
        callbacks = at_its_time(transcript.head), at_its_time(transcript.note)
        async with story(Path(folder), lang, mode, *callbacks) as played:
            await play(played)
            await played.slack.quiesce()
            entries = (await played.slack.replay()).entries
    for entry in entries:
        while told and told[0][0] <= entry["at"]:
            told.pop(0)[1]()
        transcript.feed(entry)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.slack_story", description=__doc__.partition("\n")[0])
    parser.add_argument("--lang", choices=("en", "zh"), default=machine.language(os.environ), help="Alice's or Carol's")
    asyncio.run(tell(parser.parse_args().lang))


if __name__ == "__main__":
    main()

"""Prints the story of people with the bot in Slack, as they see it: the real server against the fake Slack.

    python -m scripts.slack_story --lang en
    python -m scripts.slack_story --lang zh

The same scenes are tested in tests/acceptance/test_slack_story.py. The answers are those of the tests' model.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Final

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
_BEHIND: Final = re.compile(r" ?\[(?:fake|m):[^\]]*\]|\n\(/fill .*\)|; /home shows it|; /stop stops it")
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
        self._shown: dict[str, str] = {}

    def head(self, heading: Text) -> None:
        """A scene begins."""
        self._write(f"\n## {heading.say(self._lang)}\n")

    def feed(self, entry: Entry) -> None:
        """One entry of the log."""
        if entry["kind"] == "pressed":
            self._say(_PRESSES, entry["user"], self._label(entry))
        elif entry["kind"] == "stopped":
            self._say(_STOPS, entry["user"])
        elif entry["kind"] == "commanded":
            self._say(_TYPES, entry["user"], f"{entry['command']} {entry['text']}")
        self._screen.feed(entry)
        if entry["kind"] == "acked" and (entry.get("answer") or {}).get("view"):
            self._write(view_text(entry["answer"]["view"]))

    def _say(self, text: Text, user: str, what: str = "") -> None:
        self._write(text.say(self._lang, who=self._names.get(user, user), what=what))

    def _label(self, entry: Entry) -> str:
        """What is written on a button of a message; of one in a window, its name."""
        message = self._screen.replay.bots.get(entry["subject"])
        try:
            element, _ = find(message.blocks if message else [], entry["action_id"], entry["value"])
        except SlackError:
            return str(entry["action_id"])
        halves = [element[name] for name in ("positive_button", "negative_button") if name in element]
        chosen = [one for one in (*halves, *element.get("options", ())) if one.get("value") == entry["value"]]
        label = (chosen[0] if chosen else element).get("text", {})
        return str(label.get("text") if isinstance(label, dict) else label)

    def _write(self, text: str) -> None:
        said = _BEHIND.sub("", text).replace(f"<@{BOT_USER}>", "@kagent")
        for user, name in self._names.items():
            said = said.replace(f"<@{user}>", f"@{name}")
        print(said, flush=True)  # noqa: T201 - a command


async def tell(lang: Lang) -> None:
    """Play it, then print what was seen."""
    headings: list[tuple[float, Text]] = []
    with tempfile.TemporaryDirectory(prefix="slack-story-") as folder:
        mode: Mode = "http" if lang == "zh" else "socket"
        begun = story(Path(folder), lang, mode, lambda heading: headings.append((time.time(), heading)))
        async with begun as played:
            await play(played)
            await played.slack.quiesce()
            entries = (await played.slack.replay()).entries
    transcript = Transcript(lang)
    for entry in entries:
        while headings and headings[0][0] <= entry["at"]:
            transcript.head(headings.pop(0)[1])
        transcript.feed(entry)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.slack_story", description=__doc__.partition("\n")[0])
    parser.add_argument("--lang", choices=("en", "zh"), default=machine.language(os.environ), help="Alice's or Carol's")
    asyncio.run(tell(parser.parse_args().lang))


if __name__ == "__main__":
    main()

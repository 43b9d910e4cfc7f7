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
from pathlib import Path
from typing import Any, Final

from agent.language import Lang, Text
from bot.settings import machine
from tests.fakes.slack.deliver import Mode
from tests.fakes.slack.interactive import find
from tests.fakes.slack.prepared import BOT_USER
from tests.fakes.slack.sim_screen import Screen, view_text
from tests.fakes.slack.world import SlackError
from tests.support import transcript
from tests.support.slack_scenes import play
from tests.support.slack_story import story
from tests.support.transcript import PRESSES, TYPES, Entry, playing

#: A time that Slack shows in everybody's own zone.
_DATE: Final = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_STOPS: Final = Text("({who} presses Slack's Stop)", "（{who} 点击 Slack 的停止按钮）")


class Transcript(transcript.Transcript):
    """What was seen in Slack."""

    def __init__(self, lang: Lang) -> None:
        channels = {f"C{number:03d}": f"#harbour-{number}" for number in range(1, 100)}
        names = {"UALICE": "alice", "UBOB": "bob", "UCAROL": "carol"} | channels
        super().__init__(lang, names, BOT_USER)
        self._screen = Screen(self._write, names)
        #: The blocks of windows and App Homes, the newest last.
        self._views: list[list[dict[str, Any]]] = []
        self._home_is_news = True

    def head(self, heading: Text) -> None:
        """A scene begins. Its first App Home is shown as a whole."""
        self._home_is_news = True
        super().head(heading)

    def feed(self, entry: Entry) -> None:
        """One entry of the log."""
        if entry["kind"] == "pressed":
            self._say(PRESSES, entry["user"], self._label(entry))
        elif entry["kind"] == "stopped":
            self._say(_STOPS, entry["user"])
        elif entry["kind"] == "commanded":
            self._say(TYPES, entry["user"], f"{entry['command']} {entry['text']}")
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

    def _label(self, entry: Entry) -> str:
        """What is written on what was pressed: in a message, or in the window or App Home that was shown last."""
        message = self._screen.replay.bots.get(entry["subject"])
        action_id, value = entry["action_id"], entry["value"]
        for blocks in (message.blocks if message else [], *reversed(self._views)):
            with contextlib.suppress(SlackError):
                element, _ = find(blocks, action_id, value)
                return _written(element, value) or self._names.get(value, str(value))
        return str(action_id)

    def _readable(self, text: str) -> str:
        return _DATE.sub(r"\1", text)


def _written(element: dict[str, Any], value: str | None) -> str:
    """The label of an element, or of the part of it that has this value; "" for a menu of all channels."""
    halves = [element[name] for name in ("positive_button", "negative_button") if name in element]
    chosen = [one for one in (*halves, *element.get("options", ())) if one.get("value") == value]
    return str(((chosen[0] if chosen else element).get("text") or {}).get("text", ""))


async def tell(lang: Lang) -> None:
    """Play it, then print what was seen."""
    with tempfile.TemporaryDirectory(prefix="slack-story-") as folder:
        mode: Mode = "http" if lang == "zh" else "socket"
        begun = playing(lambda tell, note: story(Path(folder), lang, mode, tell, note), play)
        async with begun as (told, played):
            await told.slack.quiesce()
            played.print(await told.log(), Transcript(lang))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.slack_story", description=__doc__.partition("\n")[0])
    parser.add_argument("--lang", choices=("en", "zh"), default=machine.language(os.environ), help="Alice's or Carol's")
    asyncio.run(tell(parser.parse_args().lang))


if __name__ == "__main__":
    main()

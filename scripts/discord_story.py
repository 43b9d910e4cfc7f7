"""Prints the story of people with the bot in Discord, as they see it: the real server against the fake Discord.

    python -m scripts.discord_story --lang en
    python -m scripts.discord_story --lang zh

The same scenes are tested in tests/acceptance/test_discord_story.py. The answers are those of the tests' model.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.language import Lang, Text
from bot.settings import machine
from tests.fakes.discord.forms import inside
from tests.fakes.discord.prepared import APP
from tests.fakes.discord.sim_screen import Screen
from tests.support import transcript
from tests.support.discord_scenes import play
from tests.support.discord_story import story
from tests.support.transcript import PRESSES, TYPES, Entry, playing

#: A time that Discord shows in everybody's own zone.
_TIME: Final = re.compile(r"<t:(\d+):f>")
#: Characters of an answer that are printed; the longest one of the story is for the file.
_MOST: Final = 1_200
_OPENS: Final = Text("({who} gets the form “{what}”)", "（{who} 看到表单“{what}”）")


class Transcript(transcript.Transcript):
    """What was seen in Discord."""

    def __init__(self, lang: Lang, world: Mapping[str, Any]) -> None:
        names = {user["id"]: user["username"] for user in world["users"]}
        names |= {channel["id"]: f"#{channel['name']}" for channel in world["channels"] if channel.get("name")}
        super().__init__(lang, names, APP)
        self._screen = Screen(self._write, names, APP)

    def feed(self, entry: Entry) -> None:
        if entry["kind"] == "pressed":
            self._say(PRESSES, entry["user"], self._label(entry))
        elif entry["kind"] == "commanded":
            self._say(TYPES, entry["user"], _typed(entry["data"]))
        elif entry["kind"] == "call" and entry["accepted"] and entry["method"].endswith("/callback"):
            form = (entry["arguments"] or {}).get("data") or {}
            if "title" in form:
                self._say(_OPENS, self._screen.replay.acts[-1].user, form["title"])
        self._screen.feed(entry)

    def _label(self, entry: Entry) -> str:
        """What is written on what was pressed or chosen."""
        message = self._screen.replay.bots.get(entry["subject"])
        for one in inside(message.components if message else ()):
            if one.get("custom_id") != entry["custom_id"]:
                continue
            chosen = [o["label"] for o in one.get("options") or () if o["value"] in (entry["values"] or ())]
            return ", ".join(chosen) or one.get("label") or (one.get("emoji") or {}).get("name") or ""
        return str(entry["custom_id"])

    def _readable(self, text: str) -> str:
        shown = _TIME.sub(lambda found: datetime.fromtimestamp(int(found[1]), UTC).strftime("%Y-%m-%d %H:%M"), text)
        return shown if len(shown) <= _MOST else shown[:_MOST] + " …"


def _typed(data: Mapping[str, Any]) -> str:
    """A command as it was typed."""
    words = [f"/{data['name']}"]
    options = list(data.get("options") or ())
    while options:
        one = options.pop(0)
        words.append(f"{one['name']}: {one['value']}" if "value" in one else str(one["name"]))
        options += one.get("options") or ()
    return " ".join(words)


async def tell(lang: Lang) -> None:
    """Play it, then print what was seen."""
    with tempfile.TemporaryDirectory(prefix="discord-story-") as folder:
        async with playing(lambda tell, note: story(Path(folder), lang, tell, note), play) as (told, played):
            played.print(await told.log(), Transcript(lang, await told.discord.world()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.discord_story", description=__doc__.partition("\n")[0])
    parser.add_argument("--lang", choices=("en", "zh"), default=machine.language(os.environ), help="Alice's or Carol's")
    asyncio.run(tell(parser.parse_args().lang))


if __name__ == "__main__":
    main()

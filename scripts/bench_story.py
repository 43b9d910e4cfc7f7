"""Runs the benchmark from inside a chat on the embedded model, and prints what people see of it.

    python -m scripts.bench_story slack --out FOLDER
    python -m scripts.bench_story discord --out FOLDER "run templates=KuaiAgent constrained"

The server is the real one, the model SmolLM2-135M on this machine's processor, the platform its fake. The charts that
the fake was given are written into FOLDER. Forty prompts take some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from scripts import discord_story, slack_story
from tests.support.bench_story import BenchStory, InDiscord, InSlack, Report, in_discord_story, in_slack_story
from tests.support.transcript import Transcript

#: What is typed where nothing else is said: every item with one prompt each, without and with a schema.
_USUAL: Final = ("run templates=KuaiAgent", "run templates=KuaiAgent constrained")
#: Seconds of the story between two edits that are printed; people see more of them.
_EVERY: Final = 60.0


class Shown:
    """Prints the log: all that is said and posted, and of a message's edits as many as somebody reads."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._edited: dict[str, float] = {}

    def entries(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            shown = entry.get("shown") or ()
            subject = str(shown[0]["subject"]) if shown else ""
            seen_at = self._edited.get(subject)
            if seen_at is not None and entry["at"] - seen_at < _EVERY and Report("", str(shown), ()).far is not None:
                continue
            if subject:
                self._edited[subject] = entry["at"]
            self._transcript.feed(entry)


async def play(story: BenchStory, words: tuple[str, ...], out: Path, bound: float) -> None:
    """Each of these words, up to the end of what it begins; then a look back."""
    await story.start()
    for number, typed in enumerate(words):
        began, known = time.monotonic(), {one.id for one in await story.reports()}
        await story.types(typed)
        await story.until_seen(_new(known, lambda one: one.over or (one.far or 0) >= 20), bound)
        await story.types("status")
        await story.until_seen(_new(known, lambda one: one.over), bound - (time.monotonic() - began))
        sys.stderr.write(f"run {number + 1} took {time.monotonic() - began:.0f} s\n")
        await asyncio.to_thread(_write, out, await story.download())
    if len(words) > 1:
        await story.types("compare")
    await story.types("leaderboard")


def _new(known: set[str], holds: Callable[[Report], bool]) -> Callable[[list[Report]], bool]:
    return lambda reports: any(one.id not in known and holds(one) for one in reports)


def _write(out: Path, pictures: Mapping[str, bytes]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name, content in pictures.items():
        (out / name).write_bytes(content)


async def tell(platform: str, words: tuple[str, ...], out: Path, bound: float) -> None:
    """Play it, then print what was seen, also where it did not come to its end."""
    with tempfile.TemporaryDirectory(prefix="kagent-bench-story-") as folder:
        opened: contextlib.AbstractAsyncContextManager[InSlack | InDiscord]
        opened = in_slack_story(Path(folder), {}) if platform == "slack" else in_discord_story(Path(folder), {})
        async with opened as story:
            try:
                await play(story, words, out, bound)
            finally:
                transcript: Transcript
                if isinstance(story, InDiscord):
                    transcript = discord_story.Transcript("en", await story.discord.world())
                else:
                    transcript = slack_story.Transcript("en")
                Shown(transcript).entries(await story.log())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench_story", description=__doc__.partition("\n")[0])
    parser.add_argument("platform", choices=("slack", "discord"))
    parser.add_argument("words", nargs="*", help=f"what is typed behind /kagent-bench; default: {', '.join(_USUAL)}")
    parser.add_argument("--out", type=Path, required=True, help="folder for the charts")
    parser.add_argument("--bound", type=float, default=3_600.0, help="seconds after which a run is given up")
    options = parser.parse_args()
    # As Ctrl-C: the server and the fake end with it, and what was seen so far is printed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asyncio.run(tell(options.platform, tuple(options.words) or _USUAL, options.out, options.bound))


if __name__ == "__main__":
    main()

"""Prints how people rate agent systems, from the questions to the table: `kagent-bench` against two fake model servers.

    python -m scripts.human_story --lang en
    python -m scripts.human_story --lang zh

The raters are a program, so the table is headed “Ratings made by a test driver”. The same is tested in
tests/acceptance/test_human.py.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.support.human_story import HumanStory


async def main(lang: str) -> None:
    """Run, rate, close, report; each command with what it prints."""
    with tempfile.TemporaryDirectory(prefix="human-story-") as folder:
        async with HumanStory(Path(folder)) as story:
            story.bench.settings["LANG"] = "zh_CN.UTF-8" if lang == "zh" else "C.UTF-8"
            await _command(story, "human", "questions", "questions.jsonl")
            await _command(story, *story.run_words)
            listed = await story.bench.run("human", "list", "--json")
            set_id = listed.out.partition('"id": "')[2][:8]
            await story.rate(set_id)
            for words in (("list",), ("report", set_id), ("close", set_id), ("report", set_id, "--markdown")):
                await _command(story, "human", *words)


async def _command(story: HumanStory, *words: str) -> None:
    done = await story.bench.run(*words)
    print(f"$ kagent-bench {' '.join(words)}\n{done.out}{done.err}")  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lang", choices=("en", "zh"), default="en")
    asyncio.run(main(parser.parse_args().lang))

"""`python -m tests.chaos.asks BASE_URL FOLDER COUNT`: a run of so many prompts, begun or gone on with, as a process of
its own that may be killed.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.llm.endpoint import Endpoint
from evals.kagentbench.items import PROFILE_PROMPT, Item
from evals.running.models import EndpointAsker
from evals.running.runner import run
from evals.runs import DataSet, Prediction, RunSpec
from evals.store import FileRuns


class Forgetful(FileRuns):
    """The control: replies are kept, but nobody looks at them again."""

    async def predictions(self, run_id: str) -> Sequence[Prediction]:
        return ()

    async def cached(self, digests: Sequence[str]) -> Mapping[str, Prediction]:
        return {}


def items(count: int) -> list[Item]:
    """So many items with one prompt each, none like another."""
    return [
        Item(
            "profile", str(number), f"query {number}", {PROFILE_PROMPT: f"prompt {number} of {count}"}, "", (), (), "en"
        )
        for number in range(count)
    ]


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.asks", description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--broken", choices=("", "journal"), default="")
    options = parser.parse_args()
    store = Forgetful(options.folder) if options.broken == "journal" else FileRuns(options.folder)
    asker = EndpointAsker(Endpoint(options.base_url, model="fake-model"))
    asked = items(options.count)
    spec = RunSpec(DataSet("chaos", "official", "0" * 64, len(asked)), "fake-model")
    [*earlier] = await store.runs()
    begun = await store.resume(earlier[0].id) if earlier else await store.begin(spec, {})
    await run(spec, asked, asker, store, begun.id)
    await store.end(begun.id, "done")
    await asker.aclose()
    store.close()


if __name__ == "__main__":
    asyncio.run(main())

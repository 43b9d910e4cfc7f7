"""Items, an asker and a store for tests of runs: in memory, and as quick or slow as a test wants."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from agent.journal import Json
from agent.language import Lang
from agent.llm.chat import ModelError, ModelFault
from agent.llm.tokens import estimate
from evals.kagentbench.items import PROFILE_PROMPT, Item, Type
from evals.running.asking import Question, Reply
from evals.runs import DataSet, Prediction, Run, RunSpec, RunState

DATA = DataSet("sample", "sample", "ab" * 32, 40)
SPEC = RunSpec(DATA, "gpu")


def item(
    number: int, type_: Type = "plantooluse", lang: Lang = "en", templates: Sequence[str] = ("ReACT",), memory: str = ""
) -> Item:
    """An item whose prompts are like no other's."""
    names = (PROFILE_PROMPT,) if type_ == "profile" else tuple(templates)
    prompts = {name: f"{type_} {number} {name}: {memory} what now?" for name in names}
    query = f"query {number}"
    raw = {"type": type_, "id": str(number), "query": query, "prompt_input": prompts}
    return Item(type_, str(number), query, prompts, memory, (), (), lang, raw=raw)


def items(count: int) -> list[Item]:
    """So many items of one prompt each."""
    return [item(number) for number in range(count)]


class MemoryRuns:
    """`RunStore` without a disk."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Prediction]] = {}
        #: Sizes of the batches that were added.
        self.batches: list[int] = []
        #: Awaited before each batch; may raise.
        self.before_add: Callable[[], Awaitable[object]] | None = None

    async def begin(self, spec: RunSpec, manifest: Mapping[str, Any]) -> Run:
        run_id = f"run{len(self.kept)}"
        self.kept[run_id] = []
        return Run(run_id, spec, "running", datetime(2026, 1, 1, tzinfo=UTC), manifest=manifest)

    async def find(self, run_id: str) -> Run | None:
        raise NotImplementedError

    async def runs(self, most: int = 50) -> Sequence[Run]:
        raise NotImplementedError

    async def add(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        if self.before_add is not None:
            await self.before_add()
        self.batches.append(len(predictions))
        self.kept.setdefault(run_id, []).extend(predictions)

    async def predictions(self, run_id: str) -> Sequence[Prediction]:
        return list(self.kept.get(run_id, ()))

    async def cached(self, digests: Sequence[str]) -> Mapping[str, Prediction]:
        kept = {one.key.digest: one for run in self.kept.values() for one in run if not one.error}
        return {digest: kept[digest] for digest in digests if digest in kept}

    async def end(self, run_id: str, state: RunState, summary: Json = None, error: str = "") -> None:
        raise NotImplementedError


class MemoryAsker:
    """`Asker` without a server. `answer` may raise `ModelError`, wait, or give the text of a reply."""

    def __init__(self, answer: Callable[[str], Awaitable[str]] | None = None) -> None:
        self.name = "fake-model"
        self.server = "here"
        self.context_tokens: int | None = None
        self.asked: list[Question] = []
        #: How often each prompt was asked.
        self.counts: Counter[str] = Counter()
        self.answer = answer
        self.under_way = 0
        self.most_under_way = 0
        #: Raised by `ready`, first to last.
        self.troubles: list[ModelError] = []

    async def ready(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        self.counts[question.prompt] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            text = await self.answer(question.prompt) if self.answer else f"reply to {question.prompt}"
        finally:
            self.under_way -= 1
        return Reply(text, prompt_tokens=10, completion_tokens=3, seconds=0.1, finish_reason="stop")

    async def tokens(self, text: str) -> list[int] | None:
        return None

    async def text_of(self, tokens: list[int]) -> str | None:
        return None

    async def count(self, text: str) -> int:
        return estimate(text)


def trouble(fault: ModelFault, retry_after: float | None = None) -> ModelError:
    """A failure of a model."""
    error = ModelError(fault, "as the test wants it", host="gpu:8000")
    error.retry_after = retry_after
    return error


def spec(**fields: Any) -> RunSpec:
    """A spec that differs from the default one in these fields."""
    return replace(SPEC, **fields)


class QuickClock:
    """A clock whose sleeps end at once, and whose time passes with them."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        # Everybody else first, as if they were quick.
        for _ in range(20):
            await asyncio.sleep(0)
        self.time = max(self.time, until)

"""A set of answers from its questions to its table, as people would have it made: `kagent-bench human run` against two
fake model servers, raters at the page's API of a real server, `close`, `report`. The raters are a program, and the
table says so.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.fakes.llm import FakeLLM
from tests.support.benching import Bench
from tests.support.process import Done, serving
from tests.support.web import Json

#: Questions of our own: what a tool finds, what only a model may know, in both languages.
QUESTIONS: Final = (
    {"id": "days", "question": "How many days are there between 2026-03-01 and 2026-12-24?"},
    {"id": "sum", "question": "What is 17.5 % of 2,480?"},
    {"id": "sea", "question": "Why is the sea salty?"},
    {"id": "tea", "question": "How long should green tea steep?", "lang": "en"},
    {"id": "lunar", "question": "2026年中秋节是星期几？"},
    {"id": "inch", "question": "27英寸是多少厘米？"},
    {"id": "rain", "question": "为什么下雨前燕子飞得低？"},
    {"id": "train", "question": "坐火车时怎样预防晕车？", "lang": "zh"},
)
#: Names, and how many tokens their answers have.
MODELS: Final = {"large": 24, "small": 9}


class HumanStory:
    """One folder, two models, one set."""

    def __init__(self, folder: Path, questions: Sequence[dict[str, str]] = QUESTIONS, **flags: float) -> None:
        """`flags` are those of the fake model servers."""
        self._folder = folder
        self._flags: dict[str, Any] = dict(flags)
        self._stack = AsyncExitStack()
        self.questions = questions
        self.servers: dict[str, FakeLLM] = {}
        self.bench = Bench(folder)

    async def __aenter__(self) -> Self:
        for name, tokens in MODELS.items():
            server = FakeLLM(model=f"{name}-1", tokens=tokens, **self._flags)
            self.servers[name] = await self._stack.enter_async_context(server)
        listed = [{"name": name, "base_url": server.base_url} for name, server in self.servers.items()]
        self.bench = Bench(self._folder, KAGENTBOT_MODELS__ENDPOINTS=json.dumps(listed))
        lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in self.questions)
        (self.bench.here / "questions.jsonl").write_text("".join(lines), "utf-8")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def run_words(self) -> tuple[str, ...]:
        """The command that answers everything."""
        return ("human", "run", "--questions", "questions.jsonl", "--models", ",".join(MODELS), "--name", "Everyday")

    async def run(self, *more: str) -> dict[str, Any]:
        """Answer everything; what the command says of it."""
        done = await self.bench.run(*self.run_words, "--json", *more)
        assert done.status == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    def asked(self) -> Counter[str]:
        """Calls that each model has had so far."""
        return Counter({name: len(server.calls()) for name, server in self.servers.items()})

    async def human(self, *words: str) -> Done:
        """Another command of the group."""
        return await self.bench.inside("human", *words)

    async def rate(self, set_id: str, raters: Sequence[str] = ("driver-1", "driver-2")) -> list[Json]:
        """Rate everything as a browser does, as programs that say that they are; the sheets that they were given."""
        seen = []
        path = f"/api/v1/human/rating/{set_id}"
        async with serving(self._folder, self.bench.settings | {"PORT": "0"}) as bot, bot.client() as browser:
            for number, name in enumerate(raters):
                seat = await browser.call("POST", f"{path}/seat", {"name": name, "driver": True})
                while (sheet := await browser.call("POST", f"{path}/sheet", seat))["number"] is not None:
                    seen.append(sheet)
                    for one in sheet["answers"]:
                        value = opinion(one["html"], number)
                        body = {**seat, "number": sheet["number"], "place": one["place"], "value": value}
                        await browser.call("PUT", f"{path}/rating", body)
            assert await bot.stop() == 0
        return seen


def opinion(text: str, rater: int) -> int:
    """What a driver gives an answer: mostly what all others do, sometimes one more or less; never by whose it is."""
    octets = hashlib.sha256(text.encode()).digest()
    return min(5, max(1, 2 + octets[0] % 4 + (octets[rater + 1] % 3 - 1 if octets[rater + 8] % 3 == 0 else 0)))

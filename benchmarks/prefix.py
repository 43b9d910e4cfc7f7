"""The embedded model's first token: cold, and where it has read most of the prompt before.

The calls are made as a turn makes them, by the styles and through the pool. How many tokens were read anew is what
llama.cpp's own counter says.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import aiohttp

from agent.asking import Call
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer
from agent.llm.embedded_chat import EmbeddedChatModel
from agent.llm.endpoint import Endpoint
from agent.llm.pool import EndpointPool, Member
from agent.profile import Profile
from agent.run import Run
from agent.styles.base import Ask, AskPlan, Style
from agent.styles.kuaiagent.style import KuaiAgent
from agent.styles.router.style import Router
from agent.task import Exchange, Task
from agent.tools.builtin import builtin_tools
from benchmarks import system
from benchmarks.figures import Figure, Result, at_most, percentile
from tests.support.agent import MemoryJournal

#: Seconds until the first token of a second turn.
LIMIT = at_most(0.3)
#: What each figure is the median of.
ROUNDS = 7
#: Seconds that the model may take to load; a bound, no measure.
_PATIENCE = 120.0
#: No rule of the router finds a tool for these.
_QUESTIONS: Final = (
    "What is the capital of France?",
    "Who wrote Hamlet?",
    "Why is the sky blue?",
    "What is a prime number?",
    "What do bees eat?",
)
_FIRST = datetime(2026, 11, 21, 20, 45, tzinfo=timezone(timedelta(hours=8)))
_COUNTER = re.compile(r"^llamacpp:prompt_tokens_total (\S+)$", re.MULTILINE)

COLD, SECOND, OTHER, BETWEEN = (
    "cold",
    "second turn",
    "first turn of another conversation",
    "second turn after another conversation",
)


@dataclass(slots=True)
class _Measured:
    """What one kind of turn took."""

    seconds: list[float] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Conversation:
    """One conversation in one style."""

    style: Style
    profile: Profile
    history: tuple[Exchange, ...] = ()


class _Bench:
    """The model, and what asks it."""

    def __init__(self, pool: EndpointPool, endpoint: Endpoint, session: aiohttp.ClientSession) -> None:
        self._pool = pool
        self._metrics = f"{endpoint.base_url.removesuffix('/v1')}/metrics"
        self._headers = {"Authorization": f"Bearer {endpoint.api_key}"}
        self._session = session
        self._minutes = itertools.count()
        self._questions: Iterator[str] = itertools.cycle(_QUESTIONS)

    async def turn(self, conversation: _Conversation, into: _Measured | None = None) -> None:
        """A whole turn without any tool run; the time is that of its first call's first token."""
        asked_at = _FIRST + timedelta(minutes=next(self._minutes))
        task = Task(next(self._questions), conversation.history, conversation.profile, asked_at, "en")
        style, tools = conversation.style, builtin_tools()
        planned = style.plan(task, tools, ())
        if isinstance(planned, AskPlan):
            await self._call(task, style, planned, into)
        asked = style.conclude(task, (), demo=True, tools=tools)
        assert isinstance(asked, Ask)
        answer = await self._call(task, style, asked, None if isinstance(planned, AskPlan) else into)
        conversation.history = (*conversation.history, Exchange(task.question, answer, asked_at))

    async def _call(self, task: Task, style: Style, asked: Ask | AskPlan, into: _Measured | None) -> str:
        run = Run(task, style, builtin_tools(), MemoryJournal(), self._pool, "benchmark")
        call, before = Call(run, asked), await self._read()
        begun, first = time.perf_counter(), 0.0
        async with aclosing(call.events()) as events:
            async for _ in events:
                first = first or time.perf_counter() - begun
        if into is not None:
            into.seconds.append(first)
            into.tokens.append(await self._read() - before)
        return call.text

    async def _read(self) -> float:
        """Tokens of prompts that the model has read so far, without those that were in its cache."""
        async with self._session.get(self._metrics, headers=self._headers, raise_for_status=True) as response:
            found = _COUNTER.search(await response.text())
        assert found is not None
        return float(found[1])


async def measure(quick: bool) -> Result:
    """Ask the embedded model as it is shipped."""
    styles: tuple[Style, ...] = (Router(),) if quick else (Router(), KuaiAgent())
    found = {(style.name, kind): _Measured() for style in styles for kind in (COLD, SECOND, OTHER, BETWEEN)}
    server, load = EmbeddedServer(EmbeddedConfig(patience=_PATIENCE)), system.load()
    await server.start()
    model = EmbeddedChatModel(server)
    try:
        await model.warm()
        pool = EndpointPool([Member(model, slots=server.config.slots)])
        async with aiohttp.ClientSession() as session:
            bench = _Bench(pool, await server.ready(_PATIENCE), session)
            for style, number in itertools.product(styles, range(1 if quick else ROUNDS)):
                await _round(bench, style, number, found)
        await pool.aclose()
    finally:
        await model.aclose()
        await server.stop()
    return Result(_figures(found), {"load": load, "rounds": _details(found)})


async def _round(bench: _Bench, style: Style, number: int, found: dict[tuple[str, str], _Measured]) -> None:
    # The name is near the beginning of a prompt: one that is new leaves nothing to be reused.
    profile = Profile(agent_name=f"{chr(65 + number)}gent {number}")
    one, two, three = (_Conversation(style, profile) for _ in range(3))
    await bench.turn(one, found[style.name, COLD])
    await bench.turn(one, found[style.name, SECOND])
    await bench.turn(two, found[style.name, OTHER])
    await bench.turn(three)
    await bench.turn(two, found[style.name, BETWEEN])


def _figures(found: dict[tuple[str, str], _Measured]) -> list[Figure]:
    figures = []
    for (style, kind), measured in found.items():
        limit = LIMIT if kind == SECOND else None
        figures.append(Figure(f"first token, {style}, {kind}", percentile(measured.seconds, 0.5), "s", limit))
        figures.append(Figure(f"tokens read, {style}, {kind}", percentile(measured.tokens, 0.5), ""))
    return figures


def _details(found: dict[tuple[str, str], _Measured]) -> dict[str, Any]:
    return {f"{style}, {kind}": {"seconds": m.seconds, "tokens": m.tokens} for (style, kind), m in found.items()}

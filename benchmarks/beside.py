"""What a run of a benchmark costs those who chat meanwhile: the time to a chat's first token, with and without it.

Chats and the run share one pool, as in a server. Rounds without and with a run alternate, so that whatever else the
machine does falls on both. Against the embedded model, and against a fake whose slots share one processor.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Final

from agent.asking import Call
from agent.llm.chat import ChatMessage, ChatModel, ChatRequest
from agent.llm.client import OpenAIChatModel
from agent.llm.embedded import EmbeddedConfig, EmbeddedServer
from agent.llm.embedded_chat import EmbeddedChatModel
from agent.llm.endpoint import Endpoint
from agent.llm.pool import LULL, EndpointPool, Member
from agent.profile import Profile
from agent.run import Run
from agent.styles.base import Ask
from agent.styles.router.style import Router
from agent.task import Exchange, Task
from agent.tools.builtin import builtin_tools
from benchmarks import system
from benchmarks.figures import Figure, Result, at_most, percentile
from benchmarks.sharing import MODEL, SharedServer
from evals.running.asking import Question
from evals.running.models import PoolAsker
from evals.runs import Sampling
from tests.support.agent import MemoryJournal

#: With a run, as a multiple of without.
LIMIT = at_most(1.5)
_PATIENCE: Final = 120.0
_FIRST: Final = datetime(2026, 11, 21, 20, 45, tzinfo=timezone(timedelta(hours=8)))
_QUESTIONS: Final = ("What is the capital of France?", "Who wrote Hamlet?", "Why is the sky blue?", "What do bees eat?")
_WORDS: Final = "the quick brown fox jumps over a lazy dog and runs home again to see what other people think of it"
_SLOTS: Final = 16


@dataclass(slots=True)
class _Measured:
    """Seconds to the first token of one kind of chat."""

    without: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    def into(self, run: bool) -> list[float]:
        return self.beside if run else self.without


@dataclass(frozen=True, slots=True)
class _Scene:
    """One server, those who chat with it, and how a run asks it."""

    pool: EndpointPool
    #: One round of chats; `run` says whether a run is beside it.
    chats: Callable[[bool], Awaitable[None]]
    asker: PoolAsker
    #: Words of a run's prompts, and tokens of its replies.
    words: tuple[int, int]
    tokens: tuple[int, int]
    #: Questions that the run has under way at once.
    at_once: int


async def measure(quick: bool) -> Result:
    """Both servers, one after the other."""
    rng = random.Random(6)
    embedded, gpu = {"first turn": _Measured(), "second turn": _Measured()}, _Measured()
    load = system.load()
    async with _embedded(embedded, rng, quick) as scene:
        await _rounds(scene, 1 if quick else 24, rng)
        gave_way = scene.pool.given_way
    async with _gpu(gpu, rng, quick) as scene:
        await _rounds(scene, 1 if quick else 12, rng)
        figures = [figure for kind, found in embedded.items() for figure in _figures(f"embedded, {kind}", found)]
        figures += _figures(f"fake GPU, {_SLOTS} slots", gpu)
        figures.append(Figure("run's calls that gave way, embedded", gave_way, ""))
        figures.append(Figure("run's calls that gave way, fake GPU", scene.pool.given_way, ""))
    details = {name: [found.without, found.beside] for name, found in {**embedded, "gpu": gpu}.items()}
    return Result(figures, {"load": load, "seconds": details})


def _figures(name: str, found: _Measured) -> list[Figure]:
    figures = []
    for label, share in (("p50", 0.5), ("p95", 0.95)):
        without, beside = percentile(found.without, share), percentile(found.beside, share)
        figures.append(Figure(f"first token {label}, {name}, alone", without, "s"))
        figures.append(Figure(f"first token {label}, {name}, beside a run", beside, "s"))
        figures.append(Figure(f"ratio of {label}, {name}", beside / without, "", LIMIT))
    return figures


async def _rounds(scene: _Scene, rounds: int, rng: random.Random) -> None:
    await scene.asker.ready()
    # What is loaded and found out with the first call is neither's.
    await scene.chats(False)
    for number in range(rounds):
        # Who goes first takes turns, too.
        for run in (False, True) if number % 2 else (True, False):
            asking = [asyncio.create_task(_ask_on(scene, rng)) for _ in range(scene.at_once if run else 0)]
            await scene.chats(run)
            for task in asking:
                task.cancel()
            ended = await asyncio.gather(*asking, return_exceptions=True)
            for error in ended:
                if not isinstance(error, asyncio.CancelledError):
                    raise error or RuntimeError("a run ended early")


async def _ask_on(scene: _Scene, rng: random.Random) -> None:
    while True:
        sampling = Sampling(max_tokens=rng.randint(*scene.tokens))
        await scene.asker.ask(Question(_text(rng.randint(*scene.words), rng), sampling=sampling))


def _text(words: int, rng: random.Random) -> str:
    return " ".join(rng.choices(_WORDS.split(), k=words))


# --- The embedded model


@asynccontextmanager
async def _embedded(found: dict[str, _Measured], rng: random.Random, quick: bool) -> AsyncIterator[_Scene]:
    """As it is shipped. A chat is two turns of a conversation, with time to read in between."""
    # Longer than the pool takes somebody for still chatting.
    pause = (0.1, 0.2) if quick else (LULL + 0.5, LULL + 4.0)
    server = EmbeddedServer(EmbeddedConfig(patience=_PATIENCE))
    await server.start()
    model = EmbeddedChatModel(server)
    await model.warm()
    pool = EndpointPool([Member(model, server.config.slots, shared=lambda: True)])
    numbers, warm = itertools.count(), itertools.count()

    async def chats(run: bool) -> None:
        number, measured = next(numbers), next(warm) > 0
        # The name is near the beginning of a prompt: one that is new leaves nothing to be reused.
        profile = Profile(agent_name=f"{chr(65 + number % 26)}gent {number}")
        history: tuple[Exchange, ...] = ()
        for kind in ("first turn", "second turn"):
            await asyncio.sleep(rng.uniform(*pause) if run else rng.uniform(0.0, 0.5))
            asked_at = _FIRST + timedelta(minutes=len(history))
            task = Task(rng.choice(_QUESTIONS), history, profile, asked_at, "en")
            seconds, answer = await _turn(pool, task, whole=not quick)
            history = (*history, Exchange(task.question, answer, asked_at))
            if measured:
                found[kind].into(run).append(seconds)

    try:
        yield _Scene(pool, chats, PoolAsker(pool), (300, 2500), (20, 200), at_once=3)
    finally:
        await pool.aclose()
        await model.aclose()
        await server.stop()


async def _turn(pool: EndpointPool, task: Task, *, whole: bool) -> tuple[float, str]:
    """An answer as a turn asks for it: seconds to its first token, and the `whole` of it or no more than that."""
    style, tools = Router(), builtin_tools()
    asked = style.conclude(task, (), demo=True, tools=tools)
    assert isinstance(asked, Ask)
    call = Call(Run(task, style, tools, MemoryJournal(), pool, "benchmark"), asked)
    begun, first = time.perf_counter(), 0.0
    async with aclosing(call.events()) as events:
        async for _ in events:
            first = first or time.perf_counter() - begun
            if not whole:
                break
    return first, call.text


# --- A fake GPU


@asynccontextmanager
async def _gpu(found: _Measured, rng: random.Random, quick: bool) -> AsyncIterator[_Scene]:
    """Two people at a time chat with prompts of all lengths; the run takes every slot that it gets."""
    server = SharedServer(_SLOTS)
    async with server.serving() as address:
        model = OpenAIChatModel(Endpoint(address, model=MODEL))
        pool = EndpointPool([Member(model, _SLOTS)])
        warm = itertools.count()

        async def one(run: bool, measured: bool) -> None:
            for _ in range(1 if quick else 5):
                # Sometimes longer than the pool takes somebody for still chatting, where that matters.
                await asyncio.sleep(rng.uniform(0.2, 2 * LULL if run and not quick else 0.8))
                request = ChatRequest((ChatMessage("user", _text(int(600 * 5 ** rng.random()), rng)),), max_tokens=20)

                async def prepare(_model: ChatModel, request: ChatRequest = request) -> ChatRequest:
                    return request

                begun, first = time.perf_counter(), 0.0
                async with aclosing(pool.stream(prepare, owner="benchmark")) as items:
                    async for _item in items:
                        first = first or time.perf_counter() - begun
                if measured:
                    found.into(run).append(first)

        async def chats(run: bool) -> None:
            measured = next(warm) > 0
            await asyncio.gather(*(one(run, measured) for _ in range(2)))

        try:
            yield _Scene(pool, chats, PoolAsker(pool), (1000, 2500), (50, 250), at_once=2 * _SLOTS)
        finally:
            await pool.aclose()
            await model.aclose()

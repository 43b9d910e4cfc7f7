"""Letting every agent system answer every question on every model, resumably."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from agent import loop
from agent.clock import Clock
from agent.events import Finished
from agent.journal import Json, Recalled
from agent.llm.chat import ChatPool, ModelError
from agent.profile import Profile
from agent.styles import registry as styles
from agent.task import Task
from agent.tools.registry import Tool, select
from evals.human.sets import Answer, AnswerKey, HumanSet, HumanStore, Question, SetSpec
from evals.running.trying import MOST_DOUBTFUL, OF_SERVER, TRIES, EndpointDown, back_off

#: Answers in a row that end because of the server, each after all of its tries, and it is not the questions.
_DOWN_AFTER: Final = 2


@dataclass(frozen=True, slots=True)
class Contestant:
    """One model, with nothing behind it that could stand in for it."""

    #: As in `SetSpec.models`.
    name: str
    pool: ChatPool
    #: Answers that are made at the same time.
    concurrency: int = 4


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all answers have in common."""

    #: Its style and its model don't matter.
    profile: Profile
    #: All that there are; the profile chooses.
    tools: tuple[Tool, ...]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Stand:
    """How far it is, in answers."""

    done: int
    total: int
    failed: int


async def answer_all(
    store: HumanStore,
    made: HumanSet,
    contestants: Sequence[Contestant],
    conditions: Conditions,
    watch: Callable[[Stand], None] = lambda _: None,
) -> Stand:
    """Answer what is not answered yet, and again what failed; returns when all is tried.

    A step that was finished before a kill is recalled. Raises `EndpointDown` when a model can't be asked, and what the
    store raises; what is done is kept.
    """
    work = _Work(store, made, conditions, watch)
    await work.load()
    try:
        async with asyncio.TaskGroup() as group:
            for one in contestants:
                left = deque(work.left_of(one.name))
                health = _Health()
                for _ in range(min(one.concurrency, len(left))):
                    group.create_task(work.through(one, left, health))
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    return work.stand()


@dataclass(slots=True)
class _Health:
    """Answers of one model that failed since the last one that came."""

    failed: int = 0


class _Work:
    def __init__(
        self, store: HumanStore, made: HumanSet, conditions: Conditions, watch: Callable[[Stand], None]
    ) -> None:
        self._store = store
        self._set = made
        self._conditions = conditions
        self._watch = watch
        self._questions: Mapping[str, Question] = {}
        self._steps: Mapping[AnswerKey, Mapping[str, Recalled]] = {}
        self._errors: dict[AnswerKey, str] = {}
        self._chance = random.Random()

    async def load(self) -> None:
        self._questions = {one.id: one for one in await self._store.questions(self._set.id)}
        self._steps = await self._store.steps(self._set.id)
        self._errors = {one.key: one.error for one in await self._store.answers(self._set.id)}

    def left_of(self, model: str) -> Iterable[AnswerKey]:
        """What one model has to answer yet: question by question, so that a part of it is about all systems alike."""
        keys = (AnswerKey(id_, system, model) for id_ in self._questions for system in self._set.spec.systems)
        return [key for key in keys if self._errors.get(key, "?")]

    def stand(self) -> Stand:
        """What is there."""
        spec = self._set.spec
        total = len(self._questions) * len(spec.systems) * len(spec.models)
        done = sum(not error for error in self._errors.values())
        return Stand(done, total, len(self._errors) - done)

    async def through(self, one: Contestant, left: deque[AnswerKey], health: _Health) -> None:
        """Answer, one after the other, until nothing is left."""
        while left:
            key = left.popleft()
            answer = await self._tried(one, key, health)
            await self._store.keep(self._set.id, answer)
            self._errors[key] = answer.error
            self._watch(self.stand())

    async def _tried(self, one: Contestant, key: AnswerKey, health: _Health) -> Answer:
        journal = _StepJournal(self._store, self._set.id, key, self._steps.get(key, {}))
        began = self._conditions.clock.monotonic()
        tries = 0
        while True:
            try:
                finished = await self._run(one, key, journal)
            except ModelError as error:
                tries += 1
                if tries < TRIES.get(error.fault, 1):
                    await self._conditions.clock.sleep(back_off(error, tries, self._chance))
                    continue
                health.failed += 1
                if _is_down(error, health.failed):
                    raise EndpointDown(error) from error
                return Answer(key, error=error.fault, seconds=self._conditions.clock.monotonic() - began)
            health.failed = 0
            return _shown(key, finished, self._conditions.clock.monotonic() - began)

    async def _run(self, one: Contestant, key: AnswerKey, journal: _StepJournal) -> Finished:
        task = task_of(self._questions[key.question], self._set.spec, self._conditions.profile, key.system)
        style = styles.get(key.system, demo=one.pool.serving().demo)
        tools = tools_for(self._conditions)
        run = loop.run(
            task, journal=journal, tools=tools, pool=one.pool, style=style, owner=f"{key.question}/{key.system}"
        )
        async with aclosing(run) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event
        raise AssertionError("a run without an end")


class _StepJournal:
    """`agent.journal.Journal` of one answer. No tool that changes anything is offered, so only results matter."""

    def __init__(self, store: HumanStore, set_id: str, key: AnswerKey, known: Mapping[str, Recalled]) -> None:
        self._store = store
        self._set_id = set_id
        self._key = key
        self._known = dict(known)

    def recall(self, key: str) -> Recalled | None:
        return self._known.get(key)

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        """Nothing that is begun here could not be begun again."""

    async def finish(self, key: str, result: Json) -> None:
        await self._store.step(self._set_id, self._key, key, result)
        self._known[key] = Recalled("done", False, result)

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        return False


def task_of(question: Question, spec: SetSpec, profile: Profile, system: str) -> Task:
    """A question as every system gets it: without history, at the set's own time, in the question's language."""
    mine = replace(profile, style=system, model="")
    return Task(question.text, (), mine, datetime.fromisoformat(spec.now), question.lang)


def tools_for(conditions: Conditions) -> tuple[Tool, ...]:
    """Those of the profile that only look: nobody is there to allow a change."""
    reading = tuple(tool for tool in conditions.tools if not tool.writes)
    return select(reading, conditions.profile.tool_names, network=conditions.profile.network)


def _shown(key: AnswerKey, finished: Finished, seconds: float) -> Answer:
    """What a rater may see: the text and its sources. Notes tell who answers, and whether it is the demo model."""
    usage = finished.usage
    tokens = usage.prompt_tokens, usage.completion_tokens
    return Answer(key, finished.text.strip(), finished.sources, "", seconds, *tokens)


def _is_down(error: ModelError, failed: int) -> bool:
    if error.fault == "unauthorized":
        return True
    return failed >= (_DOWN_AFTER if error.fault in OF_SERVER else MOST_DOUBTFUL)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """What is told of several failures: that a model is down, where one is, else the first."""
    flat = list(_leaves(errors))
    return next((one for one in flat if isinstance(one, EndpointDown)), flat[0])


def _leaves(errors: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    for one in errors.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one

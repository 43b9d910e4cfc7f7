"""Answering a set: what is asked, what is kept, what is tried again and when it is given up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.clock import SystemClock
from agent.llm.chat import ModelError
from agent.profile import Profile
from agent.styles.registry import STYLES
from agent.tools.builtin import builtin_tools
from agent.tools.registry import Tool
from bot.store.db import Store
from bot.store.human import DatabaseSets
from evals.human.answering import Conditions, Contestant, Stand, answer_all, tools_for
from evals.human.sets import HumanSet, SetSpec
from evals.running.trying import EndpointDown
from tests.support.agent import OneModelPool, Says, ScriptedModel
from tests.support.rating import QUESTIONS, SPEC

NOAGENT = replace(SPEC, systems=("noagent",))


class Hurried(SystemClock):
    """Nobody waits."""

    async def sleep(self, seconds: float) -> None:
        return


CONDITIONS = Conditions(Profile(), builtin_tools(), Hurried())


@pytest.fixture
def sets(sqlite_store: Store) -> DatabaseSets:
    return DatabaseSets(sqlite_store, SystemClock())


async def made(sets: DatabaseSets, spec: SetSpec = NOAGENT) -> HumanSet:
    return await sets.begin(spec, QUESTIONS)


def contestant(model: ScriptedModel, concurrency: int = 1) -> Contestant:
    return Contestant("gpu", OneModelPool(model), concurrency)


async def texts(sets: DatabaseSets, one: HumanSet) -> list[str]:
    return [answer.error or answer.text for answer in await sets.answers(one.id)]


async def test_every_system_of_the_registry_answers_every_question(sets: DatabaseSets) -> None:
    one = await made(sets, replace(SPEC, systems=tuple(STYLES)))
    seen: list[Stand] = []
    stand = await answer_all(sets, one, [contestant(ScriptedModel(["Paris."]), 4)], CONDITIONS, seen.append)
    total = len(STYLES) * len(QUESTIONS)
    assert (stand.done, stand.total, stand.failed) == (total, total, 0)
    assert seen[-1] == stand
    keys = {(answer.key.question, answer.key.system) for answer in await sets.answers(one.id)}
    assert len(keys) == total
    assert await sets.steps(one.id) == {}


async def test_nothing_is_asked_twice(sets: DatabaseSets) -> None:
    one = await made(sets)
    await answer_all(sets, one, [contestant(ScriptedModel(["Paris."]))], CONDITIONS)
    stand = await answer_all(sets, one, [contestant(Says())], CONDITIONS)
    assert stand.done == 2


async def test_what_the_demo_model_and_its_notes_would_betray_is_not_in_an_answer(sets: DatabaseSets) -> None:
    one = await made(sets)
    await answer_all(sets, one, [contestant(ScriptedModel([" Paris. \n"], demo=True))], CONDITIONS)
    assert await texts(sets, one) == ["Paris.", "Paris."]


async def test_a_failure_of_one_answer_is_kept_and_asked_again_later(sets: DatabaseSets) -> None:
    one = await made(sets)
    stand = await answer_all(sets, one, [contestant(Says(ModelError("rejected", "?"), "Paris."))], CONDITIONS)
    assert (stand.done, stand.failed) == (1, 1)
    assert sorted(await texts(sets, one)) == ["Paris.", "rejected"]
    stand = await answer_all(sets, one, [contestant(Says("Berlin."))], CONDITIONS)
    assert (stand.done, stand.failed) == (2, 0)


async def test_a_server_that_stumbles_is_asked_again(sets: DatabaseSets) -> None:
    one = await made(sets)
    away = ModelError("unreachable", "reset")
    stand = await answer_all(sets, one, [contestant(Says(away, away, "Paris.", away, "Berlin."))], CONDITIONS)
    assert (stand.done, stand.failed) == (2, 0)


@pytest.mark.parametrize("fault", ["unreachable", "unauthorized"])
async def test_a_server_that_is_away_ends_it_and_nothing_counts_as_an_answer(sets: DatabaseSets, fault: str) -> None:
    one = await made(sets)
    model = ScriptedModel([], fails=ModelError(fault, "away"))  # type: ignore[arg-type]
    with pytest.raises(EndpointDown):
        await answer_all(sets, one, [contestant(model)], CONDITIONS)
    assert "" not in await texts(sets, one)


async def test_steps_that_were_done_before_a_kill_are_recalled(sets: DatabaseSets) -> None:
    one = await made(sets, replace(SPEC, systems=("kuaiagent",)))
    plan = '{"task_name": "end", "command": {"name": "task_complete", "args": {}}}'
    # The first question is planned and its answer refused; then the process dies.
    with pytest.raises(AssertionError):
        await answer_all(sets, one, [contestant(Says(plan, ModelError("rejected", "?")))], CONDITIONS)
    (kept,) = (await sets.steps(one.id)).values()
    assert list(kept) == ["plan/0"]
    stand = await answer_all(sets, one, [contestant(Says("Paris.", plan, "Berlin."))], CONDITIONS)
    assert stand.done == 2
    assert await sets.steps(one.id) == {}


def test_tools_that_change_something_are_not_offered() -> None:
    reading = builtin_tools()[0]
    writing = replace(reading, name="write", writes=True)
    away = replace(reading, name="away", network=True)
    tools: tuple[Tool, ...] = (reading, writing, away)
    assert [one.name for one in tools_for(replace(CONDITIONS, tools=tools))] == [reading.name, "away"]
    offline = replace(CONDITIONS, tools=tools, profile=Profile(network="off"))
    assert [one.name for one in tools_for(offline)] == [reading.name]

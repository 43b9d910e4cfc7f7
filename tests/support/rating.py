"""A set of answers for tests, ready to be rated."""

from __future__ import annotations

from collections.abc import Mapping

from evals.human.sets import Answer, AnswerKey, HumanSet, HumanStore, Question, SetSpec

QUESTIONS = (Question("q1", "What is the capital of France?", "en", 1), Question("q2", "法国的首都是哪里？", "zh", 2))
SPEC = SetSpec(
    "Capitals", "0" * 64, ("noagent", "kuaiagent", "router"), ("gpu",), "2026-03-01T12:00:00+00:00", {"tools": []}
)


async def answered(sets: HumanStore, instead: Mapping[tuple[str, str, str], str] | None = None) -> HumanSet:
    """An open set of two questions and one model; each system says something else, but for `instead`."""
    made = await sets.begin(SPEC, QUESTIONS)
    for question in QUESTIONS:
        for number, system in enumerate(SPEC.systems):
            text = (instead or {}).get((question.id, system, "gpu"), f"Answer {number} to {question.id}")
            await sets.keep(made.id, Answer(AnswerKey(question.id, system, "gpu"), text))
    await sets.move(made.id, "open")
    found = await sets.find(made.id)
    assert found is not None
    return found

"""Questions that somebody wrote who had not seen the rules, and those that an empty page offers, asked to the end.

The style, its rules, the tools and the loop are real; a model that were asked would fail the test. What a right answer
must hold stands beside each question in `unseen_questions*.json`, written without the code under test: all of `right`,
and one of `any_of` where that isn't empty. "Today" is Saturday, 2026-11-21, in Beijing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent import texts
from agent.events import StepFinished
from agent.styles.registry import get
from agent.tools.builtin import builtin_tools
from tests.support.agent import OneModelPool, ScriptedModel, finished, run, task

_SETS: dict[str, list[dict[str, Any]]] = {
    name: json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    for name in ("unseen_questions.json", "unseen_questions_2.json")
}
_UNSEEN = [(name, asked) for name, questions in _SETS.items() for asked in questions]
_OFFERED = {
    "How many days are there between 2024-02-28 and 2024-03-01?": "2 days",
    "What is the Chinese lunar date of January 29, 2025?": "正月初一",
    "2026年的中秋节是哪一天？": "2026年9月25日",
    "2027年的二十四节气分别是哪几天？": "2027-12-22",
}
_UNASKED = "The model was asked."


def _bare(text: str) -> str:
    """Without what only makes numbers easier to read."""
    return text.translate(str.maketrans("", "", ", \u2009\u202f"))


async def _answer(question: str) -> str:
    """What the demo model's style answers, with the model never asked and every tool run a success."""
    model = ScriptedModel((_UNASKED,), demo=True)
    events = await run(task(question), get("router", demo=True), tools=builtin_tools(), pool=OneModelPool(model))
    assert [event.ok for event in events if isinstance(event, StepFinished)] == [True]
    assert model.requests == []
    assert finished(events).model is None
    return finished(events).text


@pytest.mark.parametrize(
    "asked", [asked for _, asked in _UNSEEN], ids=[f"{name}: {asked['question']}" for name, asked in _UNSEEN]
)
async def test_a_question_of_somebody_who_has_not_seen_the_rules_is_answered_right(asked: dict[str, Any]) -> None:
    answer = _bare(await _answer(asked["question"]))
    assert all(_bare(part) in answer for part in asked["right"])
    assert not asked.get("any_of") or any(_bare(part) in answer for part in asked["any_of"])


@pytest.mark.parametrize("questions", _SETS.values(), ids=_SETS)
def test_a_set_has_twenty_of_them_half_in_chinese_and_each_says_what_is_right(questions: list[dict[str, Any]]) -> None:
    assert sorted(asked["lang"] for asked in questions) == ["en"] * 10 + ["zh"] * 10
    assert all(asked["right"] or asked.get("any_of") for asked in questions)


@pytest.mark.parametrize("question", [question for group in texts.OFFERED_QUESTIONS.values() for question in group])
async def test_an_offered_question_is_answered_right(question: str) -> None:
    assert _OFFERED[question] in await _answer(question)

"""The chain of messages that `kagentsys` tells of a run, from scripted events."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.terminal.trace import LABELS, Chain, ChainMessage
from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta
from agent.journal import Recalled


def told(*events: AgentEvent, plans: dict[str, dict[str, Any]] | None = None) -> list[tuple[str, str]]:
    """(action, text) of the messages that these events make."""
    rows = plans or {}

    def recall(key: str) -> Recalled | None:
        return Recalled("done", False, rows[key]) if key in rows else None

    chain = Chain(recall, lambda _: None)
    for event in events:
        chain.fold(event)
    return [(message.action, message.text) for message in chain.messages]


def test_a_plan_is_thinking_then_its_thought() -> None:
    events = (StepStarted("plan/0", "plan"), StepFinished("plan/0", True, thought="I must look up a date."))
    assert told(*events) == [("thinking", ""), ("thought", "I must look up a date.")]


def test_a_plan_without_a_thought_tells_the_task_it_named() -> None:
    events = (StepStarted("plan/0", "plan"), StepFinished("plan/0", True))
    assert told(*events, plans={"plan/0": {"task_name": "Look up", "end": None}})[-1] == ("thought", "Look up")


@pytest.mark.parametrize(
    ("end", "action"),
    [
        ("complete", "finish"),
        ("nothing", "finish"),
        ("repeated", "reason"),
        ("unknown", "fail"),
        ("unusable", "fail"),
    ],
)
def test_the_last_plan_says_why_it_is_the_last(end: str, action: str) -> None:
    events = (StepStarted("plan/1", "plan"), StepFinished("plan/1", end not in ("unknown", "unusable"), "Why."))
    assert told(*events, plans={"plan/1": {"end": end}})[-1] == (action, "Why.")


def test_a_call_is_executed_and_its_result_observed() -> None:
    events = (StepStarted("act/0/0", "act", "calculator", {"expression": "1+1"}), StepFinished("act/0/0", True, "2"))
    assert told(*events) == [("execute", 'calculator {"expression": "1+1"}'), ("observation", "2")]


def test_a_call_that_fails_is_a_failure() -> None:
    events = (StepStarted("act/0/0", "act", "calculator", {}), StepFinished("act/0/0", False, "No expression."))
    assert told(*events)[-1] == ("fail", "No expression.")


def test_a_search_and_a_page_have_actions_of_their_own() -> None:
    search = StepStarted("act/0/0", "act", "web_search", {"text": "lunar date"})
    page = StepStarted("act/0/1", "act", "browse_website", {"url": "https://example.com/", "question": "?"})
    assert told(search, page) == [("search", "lunar date"), ("click", "https://example.com/"), ("reading", "")]


def test_the_answer_concludes_and_ends_the_chain() -> None:
    assert told(TextDelta("Two"), TextDelta(" days."), Finished("Two days.")) == [
        ("conclusion", "Two days."),
        ("chain_end", ""),
    ]


def test_a_message_has_the_names_of_kagentsys() -> None:
    message = ChainMessage(3, "observation", "  " + "x" * 150, 1_700_000_000.5)
    assert message.to_json() == {
        "index": 3,
        "action": "observation",
        "text": "  " + "x" * 150,
        "short_text": "x" * 100,
        "finish_time": 1_700_000_000.5,
    }


def test_there_are_labels_for_the_twelve_actions_in_both_languages() -> None:
    assert list(LABELS) == [
        "search", "click", "execute", "observation", "thinking", "thought", "reading", "reason", "finish",
        "conclusion", "fail", "chain_end",
    ]  # fmt: skip
    assert all(bool(label.en) is bool(label.zh) is (action != "chain_end") for action, label in LABELS.items())


def test_the_whole_chain_is_told_as_lines() -> None:
    chain = Chain(lambda _: None, lambda _: None)
    chain.fold(StepStarted("act/0/0", "act", "calculator", {}))
    chain.fold(Finished("42"))
    assert chain.text("en") == "Call: calculator {}\nResponse: 42\n"
    assert chain.text("zh") == "调用：calculator {}\n回答：42\n"

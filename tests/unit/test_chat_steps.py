"""The steps of an answer in pieces, and pages of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.chat import texts
from adapters.chat.drafts import step_lines, step_title, with_question
from adapters.chat.steps import Body, Call, Headline, Label, Listed, Remark, Rule, Shown, paged, pieces, summary
from agent.language import Text
from bot.messages import Consent, StepView
from bot.store.traces import StepTrace, Trace

AT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
TITLES = {"calculator": Text("Calculating", "计算")}
SHOWN = Shown("en", TITLES)


def step(key: str, detail: Any = None, result: Any = None, state: str = "done") -> StepTrace:
    return StepTrace(key, state, 1, detail, result, AT, AT)


def trace(*steps: StepTrace, state: str = "answered", **meta: Any) -> Trace:
    return Trace(7, state, "en", 1, AT, AT, AT + timedelta(seconds=2.5), None, meta, steps, ())


def test_each_kind_of_step_has_its_pieces_in_order() -> None:
    call = {"tool": "calculator", "args": {"expression": "6 *\n7", "n": 1}}
    found = trace(
        step("plan/0", None, {"thought": "Multiply.", "calls": [call]}),
        step("act/0/0", call, {"answer": "42", "ok": True, "urls": ["https://example.org"]}),
        step("conclude", None, {"usage": {"prompt_tokens": 1200, "completion_tokens": 34}}),
        sources=["a"],
    )
    assert pieces(found, SHOWN) == [
        Headline("Plan"),
        Label("Thought"),
        Body("Multiply."),
        Call("Calculating", "expression: 6 * 7, n: 1"),
        Rule(),
        Headline("Calculating", "expression: 6 * 7, n: 1"),
        Label("Result"),
        Body("42"),
        Listed("Sources", ("https://example.org",)),
        Rule(),
        Headline("Answer"),
        Remark("1,200 + 34 tokens"),
        Rule(),
        Listed("Sources", ("a",)),
    ]


def test_a_turn_without_steps_says_so() -> None:
    assert pieces(trace(), SHOWN) == [Body(texts.NO_STEPS.en)]


def test_what_did_not_end_well_is_marked() -> None:
    half = step("act/0/0", {"tool": "calculator"}, None, "started")
    bad = step("act/0/0", {"tool": "calculator"}, {"ok": False})
    marks = [pieces(trace(one, state=state), SHOWN)[0] for one, state in ((half, "running"), (half, "stopped"))]
    marks += pieces(trace(bad), SHOWN)[:1]
    assert [mark.state for mark in marks if isinstance(mark, Headline)] == ["running", "failed", "failed"]


def test_the_summary_says_how_it_stands() -> None:
    assert summary(trace(model="small"), "en").line == "answered · Model: small · 2.5 s"
    assert summary(trace(state="?"), "en").line == "2.5 s"


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 8))
def test_pages_hold_everything_in_order_and_no_more_than_they_may(items: list[int], most: int) -> None:
    pages = paged(items, lambda item: item, most=most, room=50)
    assert [item for page in pages for item in page] == items
    assert all(len(page) <= most and sum(page) <= 50 for page in pages)
    assert len(pages) == 1 or all(pages)


def test_what_is_too_large_has_a_page_of_its_own() -> None:
    assert paged([1, 99, 1], lambda item: item, most=9, room=50) == [[1], [99], [1]]


def test_a_running_step_is_called_after_its_tool_and_what_it_is_about() -> None:
    running = StepView("act/0/0", "calculator", {"expression": "<@1> " + "9" * 80})
    title = step_title(running, TITLES, "zh")
    assert title.startswith("计算：‹@1›")
    assert len(title) < 60
    assert step_lines([running, StepView("plan/0", "")], TITLES, "en").startswith("- … Calculating: ")


def test_a_question_stands_below_the_draft_as_it_is() -> None:
    said = with_question("Half of ```a", Consent("consent/0/0", "May I send *this*\nto @bob?"))
    assert said.startswith("Half of ```a")
    assert said.splitlines()[-2:] == ["> May I send \\*this\\*", "> to @bob?"]

"""What a turn looks like so far, folded from the agent's events."""

from __future__ import annotations

from agent.events import AgentEvent, StepFinished, StepStarted, TextDelta, TextReset
from bot.messages import Draft
from bot.turns import MAX_STATUS, Picture

PLANNED = StepFinished("plan/0", True, "", "I need\nthe word.")


def draft(*events: AgentEvent) -> Draft:
    picture = Picture("Thinking…")
    for event in events:
        picture.fold(event)
    return picture.draft()


def test_a_plan_is_no_step_to_show_but_a_status() -> None:
    assert draft(StepStarted("plan/0", "plan")) == Draft(status="Thinking…")
    assert draft(StepStarted("plan/0", "plan"), PLANNED) == Draft(status="I need the word.")


def test_a_thought_is_the_status_until_the_next_plan() -> None:
    assert draft(PLANNED, StepStarted("act/0/0", "act", "look_up")).status == "I need the word."
    assert draft(PLANNED, StepStarted("plan/1", "plan")).status == "Thinking…"


def test_a_long_thought_is_cut() -> None:
    status = draft(StepFinished("plan/0", True, "", "word " * 200)).status
    assert (len(status), status[-1]) == (MAX_STATUS, "…")


def test_text_speaks_for_itself() -> None:
    assert draft(PLANNED, TextDelta("An"), TextDelta(" answer")) == Draft("An answer")


def test_void_text_is_gone_and_the_steps_stay() -> None:
    found = draft(
        StepStarted("act/0/0", "act", "look_up"), TextDelta("Half"), TextReset(), TextDelta("Wh"), TextDelta("ole")
    )
    assert found.text == "Whole"
    assert [step.key for step in found.steps] == ["act/0/0"]
    assert draft(TextDelta("Half"), TextReset()) == Draft(status="Thinking…")

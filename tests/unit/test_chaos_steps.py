"""What the kill test says about the logs of model servers and tools."""

from __future__ import annotations

import json

from tests.chaos import steps
from tests.chaos.steps import Run
from tests.fakes.llm.directives import parse
from tests.fakes.llm.harness import Call
from tests.fakes.llm.plans import calls_of

ASKED = f"{steps.question(12, 0, planned=True)} [m:13]"


def call(purpose: str, tasks: int = 0) -> Call:
    """A call of the model with this many completed tasks in its prompt."""
    rows = [
        {"task_name": f"[p:13#{n}] note", "command": {"name": "note"}, "result": "done"} for n in range(1, tasks + 1)
    ]
    completed = f"<completed_tasks>\n{json.dumps(rows)}\n</completed_tasks>\n\n" if rows else ""
    return Call("1", "fake", f"{completed}Goal: {ASKED}", at=1.0, outcome="finished", purpose=purpose)


def ran(*names: str, question: str = "q12.0") -> list[Run]:
    """These steps, a second apart."""
    return [Run(question, name, float(at)) for at, name in enumerate(names)]


WHOLE = ("plan/0", "note", "plan/1", "look a", "look b", "plan/2", "answer")


def test_a_planned_question_scripts_a_writing_step_and_two_looks_side_by_side() -> None:
    note, look = calls_of(parse(ASKED)["plan"])
    assert (note.tool, note.args, note.more) == ("note", {"text": "q12.0"}, ())
    assert [(one.tool, one.args) for one in (look, *look.more)] == [
        ("look", {"text": "q12.0 a"}),
        ("look", {"text": "q12.0 b"}),
    ]


def test_which_plan_a_call_asks_for_is_told_by_the_completed_tasks() -> None:
    assert [steps.of_call(call("plan", tasks)) for tasks in (0, 1, 2)] == ["plan/0", "plan/1", "plan/2"]
    assert steps.of_call(call("answer", 2)) == "answer"


def test_runs_carry_the_name_of_their_question() -> None:
    entries = [{"tool": "look", "text": text, "at": 2.0} for text in ("q12.0 b", steps.question(3, 1, planned=False))]
    found = steps.tool_runs(map(json.dumps, entries))
    assert found == [Run("q12.0", "look b", 2.0), Run("q3.1", "look", 2.0)]
    assert steps.model_runs([call("plan", 1)], "first") == [Run("q12.0", "plan/1", 1.0, "first")]


def test_a_turn_that_ran_once_is_in_order() -> None:
    assert steps.gone_back(ran(*WHOLE)) == []
    assert steps.written_twice(ran(*WHOLE)) == []


def test_what_was_under_way_may_run_again() -> None:
    runs = ran("plan/0", "plan/0", "note", "plan/1", "look a", "look b", "look a", "plan/2", "answer", "answer")
    assert steps.gone_back(runs) == []
    assert steps.asked_again(runs) == 1


def test_a_plan_that_was_finished_must_not_be_asked_for_again() -> None:
    assert steps.gone_back(ran("plan/0", "note", "plan/0")) == ["plan/0 q12.0: ran again after note"]


def test_an_unknown_step_is_noticed() -> None:
    assert steps.gone_back(ran(*WHOLE, "plan/3")) == ["plan/3 q12.0: no such step was asked for"]


def test_each_version_of_a_question_has_a_turn_of_its_own() -> None:
    assert steps.gone_back([*ran("plan/0", "note"), *ran("plan/0", "note", question="q12.1")]) == []
    assert steps.written_twice([*ran("note"), *ran("note", question="q12.1")]) == []


def test_a_writing_step_that_ran_twice_is_noticed() -> None:
    assert steps.written_twice(ran("plan/0", "note", "note")) == ["note q12.0: written 2 times"]


def test_an_answer_needs_all_results() -> None:
    assert steps.answered_without([call("answer", 3), call("plan", 1)]) == []
    assert steps.answered_without([call("answer", 2)]) == ["answer q12.0: from 2 of 3 results"]
    assert steps.answered_without([call("answer")]) == ["answer q12.0: from 0 of 3 results"]


def test_a_turn_is_handed_on_when_two_servers_finished_calls_of_it() -> None:
    first, second = Run("q1.0", "plan/0", 1.0, "first"), Run("q1.0", "plan/1", 2.0, "second")
    broken_off = Run("q1.0", "plan/1", 1.5, "first", finished=False)
    assert steps.handed_on([first, broken_off, second]) == 1
    assert steps.handed_on([broken_off, second]) == 0

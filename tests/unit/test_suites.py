"""Own suites: reading their files, and what each check says of an answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.events import StepFinished, StepStarted
from agent.styles.base import ToolCall
from evals.kagentbench.data import DataError
from evals.running.predictions import prediction_lines
from evals.running.selecting import select
from evals.running.work import prompts_of
from evals.runs import DataSet, Prediction, PredictionKey, RunSpec
from evals.suites import Case, append_case, case_of, read_suite
from evals.suites import checks as checking
from evals.suites.cases import Contains, Exact, Judged, ToolCalled
from evals.suites.evaluating import answers_of, evaluate
from evals.suites.parsing import case_from
from evals.suites.report import as_markdown, as_text, compared, line, outcomes
from evals.suites.results import Answered, CaseResult, CheckResult, Outcome, SuiteEvaluation, difference
from evals.suites.summary import is_suite_summary, read, summary_of

SPEC = RunSpec(DataSet("mine", "suite", "0" * 64, 3), model="tester")
WEATHER = {"name": "get_weather_info", "parameters": {"type": "object", "properties": {"location": {"type": "string"}}}}


def a_case(**fields: Any) -> Case:
    return case_from({"id": "a", "query": "Why?", "checks": [{"type": "exact", "value": "So."}], **fields})


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "mine.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
    return path


def line_of(**fields: Any) -> Mapping[str, Any]:
    return {"id": "a", "query": "Why?", "checks": [{"type": "exact", "value": "So."}], **fields}


def failure(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_suite(path)
    return caught.value


# --- Reading


def test_a_case_is_asked_in_the_language_of_its_question(tmp_path: Path) -> None:
    english, chinese = read_suite(written(tmp_path, line_of(), line_of(id=2, query="为什么？")))
    assert (english.lang, chinese.lang) == ("en", "zh")
    assert (english.key, chinese.key) == (("suite", "a"), ("suite", "2"))
    assert english.prompts == {"prompt": "Why?"}


def test_system_text_and_tools_come_before_the_question() -> None:
    prompt = a_case(system="You are a guide.", tools=[WEATHER]).prompts["prompt"]
    assert prompt.startswith("You are a guide.\n\nYou can call these tools")
    assert json.dumps(WEATHER) in prompt
    assert prompt.endswith("\n\nWhy?")


def test_a_prompt_is_sent_as_it_is() -> None:
    case = case_from(
        {"id": "a", "prompt": " Why?\n", "checks": [{"type": "exact", "value": "So."}], "tools": [WEATHER]}
    )
    assert case.prompts == {"prompt": " Why?\n"}


def test_tools_may_be_in_the_form_that_servers_take() -> None:
    assert a_case(tools=[{"type": "function", "function": WEATHER}]).tools == (WEATHER,)


def test_empty_lines_and_a_byte_order_mark_do_not_count(tmp_path: Path) -> None:
    (case,) = read_suite(written(tmp_path, "\ufeff" + json.dumps(line_of()), "", "  "))
    assert case.line == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": None}, "“id”"),
        ({"id": True}, "“id”"),
        ({"query": " "}, "either a “query” or a “prompt”"),
        ({"prompt": "Why?"}, "either a “query” or a “prompt”"),
        ({"query": "", "prompt": "Why?", "system": "Be brief."}, "“system” goes with a “query”"),
        ({"notes": 3}, "“notes” has to be a text"),
        ({"lang": "de"}, "“lang” is “en” or “zh”"),
        ({"tools": [{"name": ""}]}, "“tools”"),
        ({"tools": [WEATHER, WEATHER]}, "“tools”"),
        ({"checks": []}, "at least one check"),
        ({"checks": [{"type": "equals"}]}, "check 1 needs a “type”"),
        ({"checks": [{"type": "exact", "value": "x", "case": True}]}, "check 1 (exact) has “case”"),
        ({"checks": [{"type": "exact"}]}, "check 1 (exact) needs “value” or “values”"),
        ({"checks": [{"type": "contains", "any": [""]}]}, "“any” has to be a text or a list of texts"),
        ({"checks": [{"type": "contains", "all": "x", "ignore_case": 1}]}, "“ignore_case” is true or false"),
        ({"checks": [{"type": "regex", "pattern": "x" * 1001}]}, "more than 1000 characters"),
        ({"checks": [{"type": "tool-called", "args": {}}]}, "check 1 (tool-called) needs “name”"),
        ({"checks": [{"type": "tool-called", "name": "x", "args": []}]}, "“args” has to be an object"),
        ({"checks": [{"type": "judge"}]}, "check 1 (judge) needs “rubric”"),
    ],
)
def test_what_is_wrong_with_a_line_is_a_sentence_with_its_number(tmp_path: Path, fields: Any, said: str) -> None:
    error = failure(written(tmp_path, line_of(id="fine"), line_of(**fields)))
    assert error.line == 2
    assert error.text.en.startswith("“mine.jsonl”, line 2: ")
    assert said in error.text.en
    assert error.text.zh.startswith("“mine.jsonl”第 2 行：")


def test_an_id_that_comes_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    error = failure(written(tmp_path, line_of(), line_of(id=2), line_of(id="2")))
    assert error.text.en == "“mine.jsonl”, line 3: the id “2” stands in line 2, too."


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "[" * 100_000, "x" * ((1 << 20) + 1)])
def test_a_line_that_is_no_object_is_told(tmp_path: Path, content: str) -> None:
    assert failure(written(tmp_path, line_of(), content)).line == 2


def test_a_file_without_cases_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    assert "has no cases" in failure(written(tmp_path, "")).text.en
    assert "can't be read" in failure(tmp_path / "none.jsonl").text.en


# --- Adding a case


def test_a_bad_answer_becomes_a_case_that_a_judge_decides(tmp_path: Path) -> None:
    made = append_case(
        tmp_path / "new.jsonl", case_of("Why is the sky blue?", "Because of the sea.", "Wrong!\nReally.")
    )
    (read_again,) = read_suite(tmp_path / "new.jsonl")
    (check,) = read_again.checks
    assert isinstance(check, Judged)
    assert (read_again.id, read_again.query, read_again.lang) == (made.id, "Why is the sky blue?", "en")
    assert "The reader said about it: Wrong! Really." in check.rubric
    assert check.bad == "Because of the sea."


def test_the_same_feedback_is_added_once(tmp_path: Path) -> None:
    path, case = tmp_path / "new.jsonl", case_of("为什么？", "不知道", "")
    append_case(path, case)
    before = path.read_bytes()
    with pytest.raises(DataError, match="stands in line 1, too"):
        append_case(path, case)
    assert path.read_bytes() == before


def test_a_case_that_is_wrong_is_not_added(tmp_path: Path) -> None:
    path = written(tmp_path, line_of())
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"can't be added to “mine.jsonl”: “lang”"):
        append_case(path, line_of(id="b", lang="de"))
    assert path.read_bytes() == before


def test_a_last_line_without_an_end_stays_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(line_of()))
    append_case(path, line_of(id="b", query="\ud83d?"))
    assert [case.id for case in read_suite(path)] == ["a", "b"]


def test_everybody_who_adds_at_the_same_time_gets_in(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    writers = [threading.Thread(target=append_case, args=(path, line_of(id=number))) for number in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {case.id for case in read_suite(path)} == {str(number) for number in range(16)}


# --- Checks


@pytest.mark.parametrize(
    ("check", "text", "outcome"),
    [
        (Exact(("42", "forty-two")), " 42\n", "passed"),
        (Exact(("a b",)), "a \n b", "passed"),
        (Exact(("a b",), ignore_space=False), "a  b", "failed"),
        (Exact(("Paris",)), "paris", "failed"),
        (Exact(("Paris",), ignore_case=True), "PARIS", "passed"),
        (Exact(("42",)), "It is 42", "failed"),
    ],
)
def test_exact(check: Exact, text: str, outcome: Outcome) -> None:
    assert checking.exact(check, Answered(text)).outcome == outcome


@pytest.mark.parametrize(
    ("check", "text", "outcome"),
    [
        (Contains(all=("Rome", "Milan")), "Milan, then Rome.", "passed"),
        (Contains(all=("Rome", "Milan")), "Rome.", "failed"),
        (Contains(any=("Rome", "Milan")), "Rome.", "passed"),
        (Contains(any=("Rome", "Milan")), "Turin.", "failed"),
        (Contains(none=("sorry",)), "Sorry!", "passed"),
        (Contains(none=("sorry",), ignore_case=True), "Sorry!", "failed"),
        (Contains(all=("New York",)), "New\nYork", "passed"),
    ],
)
def test_contains(check: Contains, text: str, outcome: Outcome) -> None:
    assert checking.contains(check, Answered(text)).outcome == outcome


CALL = '{"task_name": "x", "command": {"name": "get_weather_info", "args": {"location": "hang zhou", "days": "3"}}}'


@pytest.mark.parametrize(
    ("args", "reply", "outcome"),
    [
        ({}, CALL, "passed"),
        ({"location": "Hang  Zhou"}, CALL, "passed"),
        ({"days": 3}, CALL, "passed"),
        ({"days": 4}, CALL, "failed"),
        ({"unit": "C"}, CALL, "failed"),
        ({"location": "Oslo"}, "Thought: look\nAction: get_weather_info\nAction Input: Oslo", "passed"),
        ({}, f"<think>web_search?</think>```json\n{CALL}\n```", "passed"),
        ({}, '{"command": {"name": "web_search", "args": {"text": "weather"}}}', "failed"),
        ({}, "It is warm. You could use get_weather_info.", "failed"),
    ],
)
def test_a_call_in_a_reply_is_what_the_agent_would_read(args: Any, reply: str, outcome: Outcome) -> None:
    check = ToolCalled("get_weather_info", args)
    assert checking.tool_called(check, a_case(tools=[WEATHER]), Answered(reply)).outcome == outcome


def test_of_an_agent_system_its_steps_count_and_not_its_text() -> None:
    steps = [
        StepStarted("plan/0", "plan"),
        StepStarted("act/0/0", "act", "web_search", {"text": "x"}),
        StepFinished("", True),
    ]
    calls = checking.called(steps)
    assert calls == (ToolCall("web_search", {"text": "x"}),)
    check = ToolCalled("get_weather_info")
    assert checking.tool_called(check, a_case(), Answered(CALL, calls)).why.en == "Called: web_search."


async def test_a_model_that_failed_fails_every_check() -> None:
    case = a_case(checks=[{"type": "contains", "none": ["x"]}, {"type": "judge", "rubric": "polite"}])
    evaluation = await evaluate([case], {"a": Answered("", error="timeout")})
    assert evaluation.cases == (0, 1, 0)
    assert {check.outcome for check in evaluation.results[0].checks} == {"failed"}


# --- In all


def result(id_: str, *found: Outcome, lang: Any = "en") -> CaseResult:
    return CaseResult(id_, f"Why {id_}?", lang, Answered("So."), tuple(CheckResult("judge", one) for one in found))


EVALUATION = SuiteEvaluation(
    (
        result("a", "passed", "passed"),
        result("b", "passed", "undecided"),
        result("c", "failed", "undecided", lang="zh"),
    ),
    4,
)


def test_a_case_fails_with_one_check_and_passes_with_all() -> None:
    assert [one.outcome for one in EVALUATION.results] == ["passed", "undecided", "failed"]
    assert EVALUATION.by_check == {"judge": (3, 1, 2)}
    assert EVALUATION.by_lang == {"en": (1, 0, 1), "zh": (0, 1, 0)}


def test_what_is_undecided_is_in_no_rate_but_told() -> None:
    rate = EVALUATION.cases.rate
    assert rate is not None
    assert rate.value == 0.5
    # Wilson's interval of 1 in 2.
    assert (rate.low, rate.high) == pytest.approx((0.0945312, 0.9054688), abs=1e-6)
    assert line(EVALUATION) == "[partial] passed : 1, failed : 1, undecided : 1, rate : 50.00"


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "Undecided cases count as neither"), ("zh", "未判定的用例既不算通过")]
)
def test_the_tables_say_what_counts_and_what_failed(lang: Any, said: str) -> None:
    for shown in (as_text(EVALUATION, lang), as_markdown(EVALUATION, lang)):
        assert said in shown
        assert "Why c?" in shown
        assert "Why a?" not in shown


def test_a_reason_can_draw_no_table_and_no_line_of_its_own() -> None:
    nasty = SuiteEvaluation(
        (CaseResult("a|b\n# x", "`*_\x1b[2J", "en", Answered(""), (CheckResult("judge", "failed"),)),), 1
    )
    assert "- a\\|b # x (\\`\\*\\_ [2J): judge: " in as_markdown(nasty, "en")
    assert "\x1b" not in as_text(nasty, "en")


def test_two_runs_are_compared_on_the_cases_that_both_decide() -> None:
    first: dict[str, Outcome] = dict.fromkeys("abcdefgh", "failed") | {"i": "passed", "j": "undecided"}  # type: ignore[assignment]
    second: dict[str, Outcome] = dict.fromkeys("abcdefghij", "passed") | {"k": "failed"}  # type: ignore[assignment]
    found = difference(first, second)
    assert (found.shared, "".join(found.gained), found.lost) == (9, "abcdefgh", ())
    assert found.p == 2 / 2**8
    assert compared(found, "run 1", "en").startswith("Against run 1: 8 gained, 0 lost, of 9 cases decided in both")


def test_two_runs_alike_show_no_difference() -> None:
    assert difference(outcomes(EVALUATION), outcomes(EVALUATION)) == (2, (), (), 1.0)


def test_a_summary_comes_back_from_json() -> None:
    found = json.loads(json.dumps(summary_of([EVALUATION], SPEC, model="m", mark="[sample 3] ")))
    assert is_suite_summary(found)
    summary = read(found)
    assert summary.line == "[partial] [sample 3] passed : 1, failed : 1, undecided : 1, rate : 50.00"
    assert summary.spec == SPEC
    assert outcomes(summary.evaluations[0]) == outcomes(EVALUATION)


# --- With the runner


def test_cases_are_selected_asked_and_written_like_items() -> None:
    cases = [a_case(id=number, lang=lang) for number, lang in enumerate(("en", "zh", "en"))]
    chosen = select(cases, RunSpec(SPEC.data, "m", langs=("en",)))
    assert [prompt.place for prompt in prompts_of(chosen, SPEC)] == [("suite", one, "prompt", 0) for one in ("0", "2")]
    reply = Prediction(PredictionKey("suite", "2", "prompt", "", "m", ""), "So.")
    assert [one["model_predict"] for one in prediction_lines(chosen, [reply])] == ["So."]
    assert answers_of([reply]) == {"2": Answered("So.")}

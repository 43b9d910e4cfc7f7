"""From whatever a model wrote to a plan."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language import Lang
from agent.styles.base import Plan, UnusablePlan
from agent.styles.extract import find_json, without_thoughts
from agent.styles.kuaiagent.parse import is_answer, read
from agent.tools.builtin import builtin_tools
from agent.tools.control import control_tools
from tests.support.plans import plan, task_of

TOOLS = (*builtin_tools(), *control_tools())
DAYS: dict[str, Any] = {"start_time": "2024-02-28", "end_time": "2024-03-01"}
WRITTEN = plan("time_delta", thought="Count the days.", task_name="count", **DAYS)
CALL = json.dumps({"name": "time_delta", "arguments": DAYS})


def parsed(reply: str, *, cut: bool = False, lang: Lang = "en") -> Plan:
    return read(reply, cut, tools=TOOLS, lang=lang)


def calls(reply: str, *, cut: bool = False) -> list[tuple[str, dict[str, Any]]]:
    return [(call.tool, call.args) for call in parsed(reply, cut=cut).calls]


def correction(reply: str, *, cut: bool = False, lang: Lang = "en") -> UnusablePlan:
    with pytest.raises(UnusablePlan) as unusable:
        parsed(reply, cut=cut, lang=lang)
    return unusable.value


def test_a_plan_has_its_call_its_thought_and_its_name() -> None:
    found = parsed(WRITTEN)
    assert calls(WRITTEN) == [("time_delta", DAYS)]
    assert (found.thought, found.calls[0].task_name, found.end) == ("Count the days.", "count", None)


@pytest.mark.parametrize(
    "reply",
    [
        f"Sure! Here is my plan:\n\n{WRITTEN}\n\nLet me know if you need anything else {{:-)",
        f"```json\n{json.dumps(json.loads(WRITTEN), indent=2)}\n```",
        f"<think>\nMaybe {plan('do_nothing')}? No.\n</think>\n{WRITTEN}<think>Was that right?",
        f"Maybe {plan('do_nothing')}?</think>{WRITTEN}",
        repr(json.loads(WRITTEN))[:-1] + ", 'sure': True,}",
        WRITTEN.replace("Count the days.", "Count\nthe days."),
        WRITTEN.replace("Count the days.", 'The so-called "days" count.'),
        WRITTEN.replace(": ", "：").replace(", ", "，").replace("Count the days.", "数日子"),
        re.sub(r'"([^"]*)"', r"“\1”", WRITTEN)
        .replace(": ", "：")
        .replace(", ", "，")
        .replace("Count the days.", "数日子"),
        WRITTEN.replace('"task_name"', '// what to do\n"task_name"'),
        json.dumps({"name": "time_delta", "args": DAYS}),
        json.dumps({"thought": "", "command": "time_delta", "args": DAYS}),
        json.dumps({"action": "time_delta", "action_input": DAYS}),
        json.dumps({"tool": "时间差工具", "parameters": DAYS}),
        CALL,
        json.dumps({"name": "time_delta", "arguments": json.dumps(DAYS)}),
        json.dumps({"type": "function", "function": {"name": "functions.time_delta", "arguments": DAYS}}),
        json.dumps({"tool_calls": [{"id": "1", "function": {"name": "time_delta", "arguments": json.dumps(DAYS)}}]}),
        f"<tool_call>\n{CALL}\n</tool_call>",
        f"Thought: days.\nAction: time_delta\nAction Input: {json.dumps(DAYS)}\nObservation: two",
        f"思考：数日子\n行动：时间差工具\n行动输入：{json.dumps(DAYS)}",
        f"**Action:** `time_delta`\n**Action Input:** {json.dumps(DAYS)}",
        f"[{WRITTEN}, {plan('task_complete', reason='done')}]",
        json.dumps({"tasks": [json.loads(WRITTEN)]}),
        f'{{"thought": "why", "command": {{"name": "the tool\'s name", "args": {{}}}}}}\n{WRITTEN}',
    ],
)
def test_what_models_fall_back_to_is_read_as_the_same_call(reply: str) -> None:
    assert calls(reply) == [("time_delta", DAYS)]


@pytest.mark.parametrize("missing", [1, 2])
def test_brackets_that_are_missing_at_the_end_are_no_matter(missing: int) -> None:
    assert calls(WRITTEN[:-missing]) == calls(WRITTEN[:-missing], cut=True) == [("time_delta", DAYS)]


@pytest.mark.parametrize("length", range(1, len(WRITTEN) - 2))
def test_a_call_that_was_cut_off_is_never_made(length: int) -> None:
    assert correction(WRITTEN[:length], cut=True).plan is None


def test_a_cut_off_plan_is_told_to_be_brief() -> None:
    assert "breaks off" in correction(WRITTEN[:-20], cut=True).correction
    assert "中断" in correction(WRITTEN[:-20], cut=True, lang="zh").correction


@pytest.mark.parametrize(
    "reply", ["", "I would rather not.", "{}", "[]", "[1, 2]", '{"thought": "hm"}', '"text"', "{" * 9]
)
def test_what_names_no_command_is_unusable(reply: str) -> None:
    assert "`command`" in correction(reply).correction


def test_several_blocks_of_tool_calls_are_made_side_by_side() -> None:
    other = json.dumps({"name": "calculator", "arguments": {"expression": "1+1"}})
    reply = f"<tool_call>\n{CALL}\n</tool_call>\n<tool_call>\n{other}\n</tool_call>"
    assert calls(reply) == [("time_delta", DAYS), ("calculator", {"expression": "1+1"})]


def test_two_further_tasks_may_stand_beside_the_first() -> None:
    more = [task_of("calculator", expression=f"{n}+1") for n in range(4)]
    assert [tool for tool, _ in calls(plan("time_delta", more=more, **DAYS))] == [
        "time_delta",
        "calculator",
        "calculator",
    ]


def test_a_further_task_that_cannot_be_done_is_left_out() -> None:
    more: list[Any] = [task_of("teleport"), "what?", task_of("calculator"), task_of("task_complete", reason="done")]
    assert calls(plan("time_delta", more=more[:2], **DAYS)) == [("time_delta", DAYS)]
    assert calls(plan("time_delta", more=more[2:], **DAYS)) == [("time_delta", DAYS)]


@pytest.mark.parametrize(
    ("reply", "end", "detail"),
    [
        (plan("task_complete", reason="It is known."), "complete", "The task is complete: It is known."),
        (plan("任务完成", reason=""), "complete", "The task is complete: –"),
        (plan("do_nothing"), "nothing", "No tool is needed."),
        ('{"name": "do_nothing"}', "nothing", "No tool is needed."),
        ('{"thought": "hm", "task_name": "", "command": null}', "nothing", "No tool is needed."),
        ('{"command": {"name": "none", "args": {}}}', "nothing", "No tool is needed."),
        ("Thought: I know it.\nFinal Answer: 42", "complete", "The task is complete: –"),
        (plan("teleport", place="moon"), "unknown", "The plan wanted a tool “teleport”, which doesn't exist here."),
    ],
)
def test_a_plan_may_be_the_last_one(reply: str, end: str, detail: str) -> None:
    found = parsed(reply)
    assert (found.calls, found.end, found.detail) == ((), end, detail)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"begin": "2024-02-28", "end": "2024-03-01"}, "`time_delta` has no argument `begin`"),
        ({"start_time": "2024-02-28"}, "`time_delta` needs the argument `end_time`"),
        ({"start_time": ["2024-02-28"], "end_time": "2024-03-01"}, "`start_time` must be text."),
    ],
)
def test_wrong_arguments_are_taught_by_the_tools_own_sentence(args: dict[str, Any], sentence: str) -> None:
    unusable = correction(plan("time_delta", **args))
    assert sentence in unusable.correction
    assert unusable.plan is not None
    assert [(call.tool, call.args) for call in unusable.plan.calls] == [("time_delta", args)]


def test_a_text_is_enough_for_a_tool_with_one_argument() -> None:
    assert calls('{"action": "calculator", "action_input": "1 + 1"}') == [("calculator", {"expression": "1 + 1"})]
    assert calls("Action: calculator\nAction Input: 1 + 1") == [("calculator", {"expression": "1 + 1"})]


def test_arguments_are_kept_as_the_tool_takes_them() -> None:
    assert calls(plan("get_solar_terms_info", year="2027")) == [("get_solar_terms_info", {"year": 2027})]


def test_nothing_is_kept_that_a_database_cannot_hold() -> None:
    assert calls('{"name": "calculator", "args": {"expression": "1\\u0000+\\ud800"}}') == [
        ("calculator", {"expression": "1+?"})
    ]


@pytest.mark.parametrize(
    "reply",
    [
        "[" * 100_000,
        '{"command":' * 100_000,
        '{"a": "' * 100_000,
        "{" * 100_000 + "}" * 100_000,
        '"' * 1_000_000,
        "{}" * 500_000,
        "Action: " * 100_000,
        "prose " * 200_000,
        "<think>" * 100_000,
        "\\" * 1_000_000,
        '{"command": {"name": "calculator", "args": {"expression": ' + "1" * 1_000_000,
    ],
)
def test_hostile_replies_of_a_megabyte_are_unusable_and_nothing_worse(reply: str) -> None:
    correction(reply)


@pytest.mark.parametrize("key", ["function_call", "tool_call", "tool", "action"])
def test_a_call_may_stand_under_a_name_of_its_own(key: str) -> None:
    assert calls(f'{{"{key}": {CALL}}}') == [("time_delta", DAYS)]


@pytest.mark.parametrize(
    "reply",
    [
        WRITTEN,
        CALL,
        f"```json\n{WRITTEN}\n```",
        f"[{CALL}, {CALL}]",
        f"{CALL}\n{CALL}",
        WRITTEN[:-1],
        f"<tool_call>\n{CALL}\n</tool_call>",
        f"Let me see.\n<tool_call>\n{CALL}\n</tool_call>",
        plan("task_complete", reason="Done."),
        plan("web_search", query="x"),
        f"Thought: why\nAction: time_delta\nAction Input: {json.dumps(DAYS)}",
    ],
)
def test_a_plan_or_a_call_is_no_answer(reply: str) -> None:
    assert not is_answer(reply, tools=TOOLS)


@pytest.mark.parametrize(
    "reply",
    [
        "It is one day.",
        '{"name": "Ada", "age": 36}',
        '```json\n{"name": "Ada", "arguments": ["for", "against"]}\n```',
        '[{"command": "ls"}, {"command": "pwd"}]',
        "[The page](https://example.org/a) says so.",
        f"The tool is called like this:\n\n```json\n{CALL}\n```\n\nTry it.",
        f"I would call `{CALL}` for that.",
        f"Thought: why\nAction: time_delta\nAction Input: {json.dumps(DAYS)}\nFinal Answer: one day",
        "Action: none needed.\nResult: fine.",
        "",
    ],
)
def test_what_only_holds_json_or_speaks_of_a_tool_is_an_answer(reply: str) -> None:
    assert is_answer(reply, tools=TOOLS)


@given(st.text(alphabet='{}[]":,\\ abc\n<>/think', max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for item in (text, f"{text}{WRITTEN}", f"{WRITTEN[:-1]}{text}"):
        try:
            found = parsed(item)
        except UnusablePlan:
            continue
        assert found.calls or found.end


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 32_000 + "x",
        "-\n" * 16_000 + "x",
        '{"' + '\\"' * 16_000,
        '{"' + "{" * 16 + '\\"' * 16_000,
        "<think>" * 4_500,
    ],
    ids=["line breaks", "dashes", "escaped quotes", "brackets and escaped quotes", "thoughts"],
)
def test_what_a_model_in_a_loop_writes_is_read_in_no_time(text: str) -> None:
    began = time.process_time()
    assert correction(text).plan is None
    # Where the time grows with the square of the length, these take from ten seconds to minutes.
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a<think>b</think>c", "ac"),
        ("a</think>b", "b"),
        ("<think>a", ""),
        ("<THINKING>a</THINKING>b<think>c</think>d", "bd"),
        ("<think>a<think>b</think>c", "c"),
    ],
)
def test_reasoning_is_taken_out(text: str, left: str) -> None:
    assert without_thoughts(text) == left


def test_json_is_found_in_its_order() -> None:
    found = list(find_json('a {"b": 1} c [2] d {"e": "}"} f {"g": '))
    assert [item.value for item in found[:3]] == [{"b": 1}, [2], {"e": "}"}]
    assert [item.whole for item in found[:3]] == [True] * 3

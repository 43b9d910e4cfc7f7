"""`do_nothing` and `task_complete`: there for plans, and in no profile's list."""

from __future__ import annotations

import pytest

from agent.styles.router.style import Router
from agent.tools.builtin import builtin_tools
from agent.tools.control import MAX_REASON, control_tools, ends_planning
from agent.tools.registry import ToolContext, ToolError, find, select
from tests.support.agent import NOW, task

NOTHING, COMPLETE = control_tools()


def test_they_have_the_names_and_arguments_of_kagentsys() -> None:
    assert [(tool.name, tool.name_zh, tool.parameters["required"]) for tool in control_tools()] == [
        ("do_nothing", "不使用工具", []),
        ("task_complete", "任务完成", ["reason"]),
    ]


async def test_they_say_what_was_decided_in_both_languages() -> None:
    english, chinese = ToolContext(NOW, "en"), ToolContext(NOW, "zh")
    assert (await NOTHING.run({}, english)).answer_md == "No tool is needed."
    assert (await NOTHING.run({}, chinese)).answer_md == "不需要使用工具。"
    assert (await COMPLETE.run({"reason": "All found."}, english)).answer_md == "The task is complete: All found."
    assert (await COMPLETE.run({"reason": "都找到了"}, chinese)).answer_md == "任务完成：都找到了"


async def test_a_reason_is_demanded_and_bounded() -> None:
    with pytest.raises(ToolError, match="needs the argument `reason`"):
        await COMPLETE.run({}, ToolContext(NOW, "en"))
    with pytest.raises(ToolError, match=f"at most {MAX_REASON} characters"):
        await COMPLETE.run({"reason": "x" * (MAX_REASON + 1)}, ToolContext(NOW, "en"))


@pytest.mark.parametrize("name", ["do_nothing", "task_complete", "不使用工具", "任务完成", " Task_Complete "])
def test_either_ends_planning_by_any_of_its_names(name: str) -> None:
    assert ends_planning(name)


@pytest.mark.parametrize("name", [tool.name for tool in builtin_tools()])
def test_no_other_tool_ends_planning(name: str) -> None:
    assert not ends_planning(name)


def test_a_profile_s_tools_never_include_them() -> None:
    for names in (("auto",), ("do_nothing",), ("task_complete", "auto")):
        assert not {tool.name for tool in select(builtin_tools(), names)} & {"do_nothing", "task_complete"}


def test_the_names_of_all_tools_are_different() -> None:
    assert [tool.name for tool in control_tools() if find(builtin_tools(), tool.name)] == []


def test_the_router_plans_neither_even_where_they_are_offered() -> None:
    assert Router().plan(task("What is there left to do?"), (*builtin_tools(), *control_tools()), ()).calls == ()

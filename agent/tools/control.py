"""Tools by which a model that plans says that nothing is left to do.

They stand apart from the others: profiles don't list them, `auto` doesn't mean them, and rules don't choose them. A
style whose plans a model writes offers them next to the profile's tools, and a plan that calls one is the last one.
"""

from __future__ import annotations

from typing import Annotated

from agent import texts
from agent.tools.function import MaxLength, tool
from agent.tools.registry import Tool, ToolContext, ToolResult, find

#: Characters of a reason: a sentence or two.
MAX_REASON = 400


async def do_nothing(context: ToolContext) -> ToolResult:
    """No tool is needed: the question can be answered at once."""
    said = texts.NOTHING_NEEDED.say(context.lang)
    return ToolResult(said, said)


async def task_complete(reason: Annotated[str, MaxLength(MAX_REASON)], context: ToolContext) -> ToolResult:
    """Everything that the answer needs has been found.

    Args:
        reason: Why nothing more is needed, in one sentence.
    """
    said = texts.TASK_COMPLETE.say(context.lang, reason=reason.strip() or "–")
    return ToolResult(said, said, data={"reason": reason})


def control_tools() -> tuple[Tool, ...]:
    """Both of them, with the names that KAgentSys gives them."""
    return (tool(do_nothing, name_zh="不使用工具"), tool(task_complete, name_zh="任务完成"))


def ends_planning(name: str) -> bool:
    """Whether a plan that calls this tool, by whichever of its names, is the last one."""
    return find(control_tools(), name) is not None

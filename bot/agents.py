"""Binding the agent loop to a pool of models and the built-in tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from agent import loop
from agent.events import AgentEvent
from agent.journal import Journal
from agent.llm.chat import ChatPool
from agent.styles import registry as styles
from agent.task import Task
from agent.tools.builtin import builtin_tools
from agent.tools.registry import select
from bot.turns import Agent


def bind_agent(pool: ChatPool) -> Agent:
    """The loop with these models; style and tools are those of each task's profile."""
    every_tool = builtin_tools()

    def run(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        style = styles.get(task.profile.style, demo=pool.demo)
        tools = select(every_tool, task.profile.tool_names)
        return loop.run(task, journal=journal, tools=tools, pool=pool, style=style, owner=owner)

    return run

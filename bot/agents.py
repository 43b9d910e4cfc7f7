"""Binding the agent loop to a pool of models and to the tools of this server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agent import loop
from agent.events import AgentEvent, Finished
from agent.journal import Journal
from agent.language import Text
from agent.llm.chat import ChatPool
from agent.styles import registry as styles
from agent.task import Task
from agent.tools import custom
from agent.tools.builtin import builtin_tools
from agent.tools.registry import Tool, select
from bot.settings import Settings, SettingsError
from bot.turns import Agent


def tools_of(settings: Settings) -> tuple[Tool, ...]:
    """All tools of this server: the built-in ones, then the operator's own. Raises `SettingsError`."""
    builtin = builtin_tools()
    try:
        return (*builtin, *custom.load(settings.tools.files, builtin))
    except custom.CustomToolError as error:
        raise SettingsError([Text(error.say("en"), error.say("zh"))], settings.lang) from error


def bind_agent(pool: ChatPool, every_tool: tuple[Tool, ...]) -> Agent:
    """The loop with these models; style and tools are those of each task's profile."""

    def run(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
        style = styles.for_turn(task.profile.style, journal, demo=pool.serving(task.profile.model).demo)
        allowed = every_tool if task.asker.trusted else tuple(tool for tool in every_tool if not tool.writes)
        tools = select(allowed, task.profile.tool_names, network=task.profile.network)
        told = loop.run(task, journal=journal, tools=tools, pool=pool, style=style, owner=owner)
        return _signed(told, style.name)

    return run


async def _signed(told: AsyncGenerator[AgentEvent, None], style: str) -> AsyncGenerator[AgentEvent, None]:
    """The same events; the last one says which agent system it was."""
    async with aclosing(told) as events:
        async for event in events:
            yield replace(event, style=style) if isinstance(event, Finished) else event

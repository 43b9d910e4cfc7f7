"""The tools that come with the agent."""

from __future__ import annotations

from agent.tools.calculator import calculator_tool
from agent.tools.calendar_info import calendar_tool
from agent.tools.registry import Tool
from agent.tools.solar_terms import solar_terms_tool
from agent.tools.time_delta import time_delta_tool


def builtin_tools() -> tuple[Tool, ...]:
    """All of them, in the order in which models see them."""
    return (time_delta_tool(), calendar_tool(), solar_terms_tool(), calculator_tool())

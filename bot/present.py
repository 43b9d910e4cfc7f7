"""How the steps of an answer are called and shown, whatever the platform."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from agent.language import Lang, Text
from agent.tools.registry import Tool
from bot.store.views import StepRowView

StepState = Literal["running", "done", "failed"]

#: What a step of a bundled tool does, by the tool's name; other steps are called what their tool is called.
STEP_TITLES: Final[Mapping[str, Text]] = {
    "time_delta": Text("Computing the time between two dates", "计算两个日期之间的时间"),
    "get_calendar_info": Text("Looking at the calendar", "查看日历"),
    "get_solar_terms_info": Text("Looking up the solar terms of a year", "查询一年的节气"),
    "calculator": Text("Calculating", "计算"),
}


def tool_titles(tools: Iterable[Tool]) -> dict[str, Text]:
    """What people read for the steps of each tool."""
    return {tool.name: STEP_TITLES.get(tool.name) or Text(_words(tool.name), tool.name_zh) for tool in tools}


def title_of(titles: Mapping[str, Text], tool: str, lang: Lang) -> str:
    """What a person reads of a tool."""
    return titles[tool].say(lang) if tool in titles else _words(tool)


def journaled(step: StepRowView, live: bool) -> tuple[str, str, dict[str, Any], StepState, str]:
    """A run of a tool from its row: key, tool, arguments, state, Markdown."""
    detail = step.detail or {}
    result = step.result or {}
    # What was under way when the turn ended (Stop, a crash) has not come to its end.
    state: StepState = "running" if live and step.state == "started" else "done" if result.get("ok") else "failed"
    shown = result.get("answer_md") or result.get("answer") or ""
    return step.key, detail.get("tool") or "", detail.get("args") or {}, state, shown


def _words(name: str) -> str:
    return name.removeprefix("get_").removesuffix("_info").replace("_", " ").strip().capitalize() or name

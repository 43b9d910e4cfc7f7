"""What every agent system gives the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.llm.chat import ChatRequest
from agent.task import Task
from agent.tools.registry import Tool, ToolResult


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool run that a plan asks for."""

    tool: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next: these calls (side by side), or nothing more."""

    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """A finished tool run."""

    call: ToolCall
    #: What the tool found; where it failed, the reason as a sentence that can be shown and handed to a model.
    result: ToolResult
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A conclusion that needs no model: this Markdown, as it is."""

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A conclusion that the model writes."""

    #: All of the history; the loop leaves out what the model's window has no room for (`agent.styles.fitting`).
    request: ChatRequest
    #: Shown below the answer.
    notes: tuple[str, ...] = ()


class Style(Protocol):
    """An agent system that plans by rules or not at all. Systems whose plans a model writes extend this."""

    @property
    def name(self) -> str: ...

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan:
        """The next calls; an empty plan goes on to the conclusion."""

    def conclude(self, task: Task, done: tuple[Done, ...], *, demo: bool) -> Verbatim | Ask:
        """How the answer comes about."""

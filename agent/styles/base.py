"""What every agent system gives the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.llm.chat import ChatRequest
from agent.task import Task
from agent.tools.registry import Tool, ToolResult

#: Why a plan that a model wrote is the last one.
PlanEnd = Literal[
    "complete",  # everything has been found
    "nothing",  # no tool is needed
    "repeated",  # the same tool with the same arguments as before
    "unknown",  # a tool that isn't there
    "unusable",  # no plan could be read, also after a correction
]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool run that a plan asks for."""

    tool: str
    args: dict[str, Any] = field(default_factory=dict)
    #: What the model called this task; "" for plans that rules make.
    task_name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next: these calls (side by side), or nothing more."""

    calls: tuple[ToolCall, ...] = ()
    #: What the model thought, as a sentence or two for people.
    thought: str = ""
    #: None while planning may go on after the calls. A plan without calls ends it anyway.
    end: PlanEnd | None = None
    #: Why it ended, for people, in the turn's language.
    detail: str = ""


class UnusablePlan(Exception):
    """A reply is no plan that can be carried out.

    `correction` tells the model what would be right, `plan` is what could be done with the reply as it is, should it
    not do better.
    """

    def __init__(self, correction: str, plan: Plan | None = None) -> None:
        super().__init__(correction)
        self.correction = correction
        self.plan = plan


@dataclass(frozen=True, slots=True)
class Done:
    """A finished tool run."""

    call: ToolCall
    #: What the tool found; where it failed, the reason as a sentence that can be shown and handed to a model.
    result: ToolResult
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A file's text as it stands in the last message of a prompt, between its marks. Its middle may be left out."""

    name: str
    opening: str
    text: str
    closing: str

    @property
    def whole(self) -> str:
        return f"{self.opening}{self.text}{self.closing}"


@dataclass(frozen=True, slots=True)
class Variant:
    """The same prompt with a shorter fixed part, or for a shorter reply."""

    request: ChatRequest
    #: Smallest window, in tokens, that it is meant for.
    least_window: int = 0


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A conclusion that needs no model: this Markdown, as it is."""

    text: str
    sources: tuple[str, ...] = ()
    #: Shown below it.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A conclusion that the model writes."""

    #: All of the history; the loop leaves out what the model's window has no room for (`agent.styles.fitting`).
    request: ChatRequest
    #: Shown below the answer.
    notes: tuple[str, ...] = ()
    #: The part of the last message that may be cut in its middle; "" for none.
    memory: str = ""
    #: Files in the last message, which may be cut, too.
    files: tuple[Excerpt, ...] = ()
    #: Further ways to ask the same, for smaller windows, in falling order.
    smaller: tuple[Variant, ...] = ()
    #: Smallest window, in tokens, that `request` is meant for.
    least_window: int = 0
    #: Whether a reply is one for people, and no plan or tool call; None: every reply is.
    is_answer: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class AskPlan:
    """A plan that the model writes. Fields that `Ask` has too mean the same."""

    #: With the closed JSON Schema of a plan.
    request: ChatRequest
    #: Reads a reply (its text, and whether it broke off at its token limit). Raises `UnusablePlan`.
    read: Callable[[str, bool], Plan]
    memory: str = ""
    files: tuple[Excerpt, ...] = ()
    smaller: tuple[Variant, ...] = ()
    least_window: int = 0


class Style(Protocol):
    """An agent system: it plans by rules, lets a model plan, or plans nothing, and says how the answer comes about."""

    @property
    def name(self) -> str: ...

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan | AskPlan:
        """The next calls, or how to ask a model for them; an empty plan goes on to the conclusion."""

    def conclude(
        self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()
    ) -> Verbatim | Ask:
        """How the answer comes about. `tools` are those that it was planned with, in case the prompts of plans and
        answers shall begin alike."""

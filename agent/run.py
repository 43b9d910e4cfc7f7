"""What all parts of one run share."""

from __future__ import annotations

from dataclasses import dataclass

from agent.journal import Journal
from agent.llm.chat import ChatPool, Priority
from agent.styles.base import Style
from agent.task import Task
from agent.tools.registry import Tool


@dataclass(frozen=True, slots=True)
class Limits:
    """What a single tool run may take."""

    seconds: float = 30.0
    #: Of each of a result's two texts. 101 days of the calendar have some 9,000.
    characters: int = 16_000


@dataclass(frozen=True, slots=True)
class Run:
    """One task with everything that it takes to answer it."""

    task: Task
    style: Style
    tools: tuple[Tool, ...]
    journal: Journal
    pool: ChatPool
    #: Whom the pool's slots are counted for: the conversation.
    owner: str
    priority: Priority = Priority.CHAT
    limits: Limits = Limits()

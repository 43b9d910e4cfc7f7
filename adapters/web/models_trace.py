"""The shapes of what is asked about an answer: its trace, and a conversation as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.language import Lang
from bot.messages import TurnState


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ExportQuery(BaseModel):
    """What kind of file."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    format: Literal["markdown", "json"] = "markdown"
    lang: Lang | None = Field(None, description="of headings in Markdown; otherwise that of Accept-Language")


class Tokens(_Response):
    """Tokens as the server of the model reported them; null where it reported nothing."""

    prompt: int | None = None
    completion: int | None = None


class Call(_Response):
    """A tool that was planned."""

    tool: str
    title: str
    args: dict[str, Any]


class TraceStep(_Response):
    """One step of a turn, in the order in which they began. What doesn't belong to its kind is empty."""

    key: str
    kind: Literal["plan", "act", "consent", "conclude"]
    state: Literal["running", "done", "failed"] = Field(
        description="failed: it gave an error, or never came to its end"
    )
    title: str = Field(description="of the tool, in the turn's language; text, not HTML")
    tool: str
    args: dict[str, Any]
    task: str = Field(description="what a plan calls its task; text, not HTML")
    thought: str = Field(description="what a plan says about itself; HTML, safe to insert")
    reasoning: str = Field(description="what the model thought beforehand, in part; HTML, safe to insert")
    calls: list[Call] = Field(description="what was planned")
    end: str | None = Field(description="why planning ended with this plan, as a code; null: it did not")
    detail: str = Field(description="the same for people; text, not HTML")
    html: str = Field(description="the result of a tool, safe to insert")
    sources: list[str]
    allowed: bool | None = Field(description="of a question for consent: the decision; null while it is open")
    model: str | None
    tokens: Tokens
    attempts: int = Field(description="calls of the model that a plan took")
    style: str = Field(description="the agent system that planned")
    started_at: datetime
    finished_at: datetime | None


class ProfileVersion(_Response):
    """A version of a profile that the turn ran with."""

    scope: str
    version: int
    author: str
    at: datetime


class Trace(_Response):
    """How an answer came about."""

    turn_id: int
    state: TurnState
    lang: Lang
    steps: list[TraceStep]
    profiles: list[ProfileVersion] = Field(description="merged in this order; the last one wins")
    sources: list[str]
    notes: list[str]
    model: str | None = Field(description="null: no model wrote the text")
    tokens: Tokens = Field(description="of all calls of models together")
    attempts: int = Field(description="more than 1: the turn was taken over after a crash")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

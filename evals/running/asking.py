"""What a run asks and what comes back, whoever answers: one endpoint alone, or a server's pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from evals.runs import ReasoningMode, Sampling

#: How a prompt reaches the model: as a user's message, or written out in one of the published scripts' forms.
Preset = Literal["plain", "qwen", "baichuan2"]


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt, sent as it is."""

    prompt: str
    preset: Preset = "plain"
    sampling: Sampling = field(default_factory=Sampling)
    #: Closed JSON Schema that the reply shall follow; None leaves the model free.
    schema: Mapping[str, Any] | None = None
    reasoning: ReasoningMode = "strip"
    #: Tokens for reasoning on top of those of the reply.
    reasoning_tokens: int = 2048


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote."""

    text: str
    #: What it thought, where its thinking was separated; "" else.
    reasoning: str = ""
    finish_reason: str = ""
    #: None where the server does not tell.
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    #: From the call to its end, waits for a slot and calls that gave way not counted.
    seconds: float = 0.0
    #: The model's name as the server gave it with the reply.
    model: str = ""


class Asker(Protocol):
    """A model that a run can ask. `ready` comes first: `name` and `context_tokens` are what the server says."""

    async def ready(self) -> None:
        """Find out what the server is. Raises `agent.llm.chat.ModelError` where it can't be asked."""

    @property
    def name(self) -> str:
        """The model's own name, as its server lists it; it is part of what identifies a prediction."""

    @property
    def server(self) -> str:
        """What its replies depend on besides the model's name: which server, with which settings. Not secret."""

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and reply may have together; None while nobody knows."""

    async def ask(self, question: Question) -> Reply:
        """Ask, and wait for the whole reply.

        Raises `agent.llm.chat.ModelError`: its fault `overloaded` is a 429, with `retry_after` seconds where the server
        says so. Cancelling it ends the call on the server.
        """

    async def tokens(self, text: str) -> list[int] | None:
        """The ids of the text's tokens, without any that a prompt begins with; None where the server can't tell."""

    async def text_of(self, tokens: list[int]) -> str | None:
        """The text of these tokens; None where the server can't tell.

        A character that the tokens have only a part of (Chinese ones and emoji may be several) is U+FFFD there.
        """

    async def count(self, text: str) -> int:
        """Tokens of the text: the server's count, else an estimate that errs upwards. Never raises."""

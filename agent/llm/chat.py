"""The seam between the agent and any model: requests, streamed replies, and the ways in which models fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, Protocol

from agent.events import Usage
from agent.language import Text


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call of a chat model."""

    messages: tuple[ChatMessage, ...]
    #: Most tokens to write; None leaves it to the endpoint's setting.
    max_tokens: int | None = None
    #: None leaves it to the endpoint's setting.
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the reply, as it arrives; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The end of a reply; always the last item of a stream that did not raise."""

    finish_reason: str
    usage: Usage
    #: The model's name as the server gave it.
    model: str


class ChatModel(Protocol):
    """A model behind one endpoint."""

    @property
    def name(self) -> str:
        """The model's name for people."""

    @property
    def demo(self) -> bool:
        """Whether this is the bundled demo model, whose answers are labelled."""

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[TextChunk | ReplyEnd, None]:
        """Call the model. Raises `ModelError`.

        Closing the generator cancels the call on the server; use `contextlib.aclosing` wherever the loop over it may
        be left early.
        """


class Priority(IntEnum):
    """Who goes first when slots are short; lower goes first."""

    CHAT = 0
    BACKGROUND = 10


class ChatPool(Protocol):
    """Hands out the right to make a model call."""

    def slot(self, owner: str, priority: Priority = Priority.CHAT) -> AbstractAsyncContextManager[ChatModel]:
        """Wait for a free slot and hold it inside the `async with`. Raises `ModelError` when there is no model."""

    @property
    def demo(self) -> bool:
        """Whether calls are answered by the bundled demo model."""


ModelFault = Literal[
    "unreachable",  # no connection, connection lost, 5xx
    "unauthorized",  # 401, 403
    "overloaded",  # 429
    "timeout",  # no first token, or none for too long
    "empty",  # a reply without any text
    "garbage",  # not the protocol that we speak
    "context_overflow",  # prompt longer than the window
    "rejected",  # any other 4xx
    "not_started",  # the embedded model is not up (yet), or cannot run here
]


class ModelError(Exception):
    """A model call failed. `fault` says how; `str()` is for the log, `agent.llm.faults.say` is for people.

    `host` names the endpoint (never with credentials; "" for the embedded model), `text` is a sentence of its own
    where the fault's general one would say too little.
    """

    def __init__(self, fault: ModelFault, detail: str, *, host: str = "", text: Text | None = None) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault: ModelFault = fault
        self.detail = detail
        self.host = host
        self.text = text

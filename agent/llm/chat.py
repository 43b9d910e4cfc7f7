"""The seam between the agent and any model: requests, streamed replies, and the ways in which models fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

from agent.events import Usage
from agent.language import Text
from agent.llm.images import Image

if TYPE_CHECKING:
    from agent.llm.formats import Written

#: What becomes of a model's thinking: told apart from the reply, asked not to happen, or left in the reply as the model
#: wrote it.
Thinking = Literal["strip", "off", "keep"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str
    #: For models that see (`ChatModel.can_see`); others must not be sent any.
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What shapes a reply that is to be measured, beside the request's own limits.

    Its texts are sent as they are, and what comes back is the reply, be it empty or cut off: nothing is asked again to
    get a better one, but for a model that turns out to think and had no tokens for it.
    """

    #: Chat format that the prompt is written in, whatever the endpoint's setting says; None leaves it to the endpoint.
    form: Written | None = None
    #: None leaves these to the server. One that refuses a field goes without it.
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    thinking: Thinking = "strip"
    #: Tokens on top of those of the reply that a model may think for; fewer where the window is small.
    thought_tokens: int = 0
    #: Whether chats use the same server: the call keeps to one slot there, so that what others have cached stays.
    aside: bool = False


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call of a chat model."""

    messages: tuple[ChatMessage, ...]
    #: Most tokens to write; None leaves it to the endpoint's setting.
    max_tokens: int | None = None
    #: None leaves it to the endpoint's setting.
    temperature: float | None = None
    #: Closed JSON Schema that the reply shall follow. Endpoints that can are made to; a reply is to be checked all the
    #: same, since some servers take a schema and ignore it.
    schema: Mapping[str, Any] | None = None
    #: Ends the last message where the server can't be made to follow `schema`: what form the reply has.
    reminder: str = ""
    #: Set for a call whose reply is measured.
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the reply, as it arrives; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningChunk:
    """A piece of what the model thinks before it answers: never part of the reply, never sent back to it."""

    text: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The text so far is void and the reply begins anew, because its endpoint broke off and another one took over, or
    because the text turned out to be reasoning.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The end of a reply; always the last item of a stream that did not raise."""

    finish_reason: str
    usage: Usage
    #: The model's name as the server gave it.
    model: str
    #: Names of preferred endpoints that could not answer, in order; () when the first choice answered.
    instead_of: tuple[str, ...] = ()
    #: Name of the endpoint that answered, as the pool knows it; "" outside of one.
    endpoint: str = ""


#: What a model call yields: chunks, then the end.
ReplyItem = TextChunk | ReasoningChunk | Restarted | ReplyEnd


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

    @property
    def sees(self) -> bool | None:
        """Whether it looks at pictures; None while nobody knows."""

    async def can_see(self) -> bool:
        """Whether it looks at pictures; where nobody knows, it is tried out, which is a call. Never raises."""

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens that these messages have as a prompt: by the server's own tokenizer where it can be asked, else an
        estimate that errs upwards. Never raises.
        """

    def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        """Call the model. Raises `ModelError`.

        Closing the generator cancels the call on the server; use `contextlib.aclosing` wherever the loop over it may
        be left early.
        """


class Priority(IntEnum):
    """Who goes first when slots are short; lower goes first."""

    CHAT = 0
    BACKGROUND = 10


@dataclass(frozen=True, slots=True)
class Serving:
    """What would answer a call now."""

    #: The endpoint's or the model's name for people.
    name: str
    #: Whether it is the bundled demo model.
    demo: bool = False
    context_tokens: int = 4096
    #: Whether it looks at pictures; None while nobody knows.
    sees: bool | None = False


#: Makes the request for the model that is going to answer it, fitted to its window.
Prepare = Callable[[ChatModel], Awaitable[ChatRequest]]


class ChatPool(Protocol):
    """The endpoints of a server as one: slots, health and failover are its business."""

    def serving(self, model: str = "", *, images: bool = False) -> Serving:
        """What would answer now; `model` and `images` as in `stream`."""

    def stream(
        self,
        prepare: Prepare,
        *,
        owner: str,
        priority: Priority = Priority.CHAT,
        model: str = "",
        images: bool = False,
    ) -> AsyncGenerator[ReplyItem, None]:
        """Wait for a slot, prepare the request for the model behind it, and call it.

        `model` names the preferred endpoint or model; "" takes the pool's own order. `images`: the request has
        pictures, so models that see go first; `prepare` leaves them out for one that doesn't. When an endpoint fails in
        a way that another one may not, the next one is asked, and `ReplyEnd.instead_of` names those that could not
        answer; if text had come already, `Restarted` comes first. Raises `ModelError` when no endpoint can answer.
        Close the generator (`contextlib.aclosing`) when leaving it early: that ends the call at once and gives its slot
        back.
        """


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
    where the fault's general one would say too little, `retry_after` the seconds after which the server wants to be
    asked again, where it says so.
    """

    def __init__(
        self,
        fault: ModelFault,
        detail: str,
        *,
        host: str = "",
        text: Text | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault: ModelFault = fault
        self.detail = detail
        self.host = host
        self.text = text
        self.retry_after = retry_after

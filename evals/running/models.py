"""The askers: one endpoint asked directly, for a script alone, and the pool of a running server."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Protocol, cast

from agent.events import Usage
from agent.llm.chat import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    Measured,
    ModelError,
    Priority,
    ReasoningChunk,
    ReplyEnd,
    ReplyItem,
    Restarted,
    TextChunk,
)
from agent.llm.client import OpenAIChatModel
from agent.llm.endpoint import Endpoint
from agent.llm.pool import EndpointPool
from agent.llm.probe import Probed
from agent.llm.tokens import estimate
from evals.running.asking import Preset, Question, Reply

if TYPE_CHECKING:
    from agent.llm.formats import Written

#: Forms of the presets that are written out and sent to `/v1/completions`.
_FORMS: Final[Mapping[Preset, Written | None]] = {"plain": None, "qwen": "chatml", "baichuan2": "baichuan2"}
#: Who holds the slots of a run, for logs.
_OWNER: Final = "benchmark"


class _Told(ChatModel, Protocol):
    """A model whose server can be asked more than chats need: all that pools hold."""

    @property
    def facts(self) -> Probed: ...

    @property
    def server(self) -> str: ...

    @property
    def window(self) -> int | None: ...

    async def check(self) -> ModelError | None: ...

    async def tokens(self, text: str) -> list[int] | None: ...

    async def text_of(self, tokens: Sequence[int]) -> str | None: ...

    async def size(self, text: str) -> int: ...


def request_of(question: Question, *, aside: bool = False) -> ChatRequest:
    """The call that asks this question, with nothing left to settings. `aside`: chats use the same server."""
    sampling, user = question.sampling, ChatMessage("user", question.prompt)
    # The published script's system text for Qwen is empty, but it is there.
    messages = (ChatMessage("system", ""), user) if question.preset == "qwen" else (user,)
    return ChatRequest(
        messages,
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        schema=question.schema,
        measured=Measured(
            form=_FORMS[question.preset],
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            seed=sampling.seed,
            thinking=question.reasoning,
            thought_tokens=question.reasoning_tokens,
            aside=aside,
        ),
    )


class _ModelAsker:
    """What both have in common: what is asked of a model besides replies."""

    #: The model's own name, once it is known: it names predictions, so it does not change within a run.
    _name = ""

    @property
    def name(self) -> str:
        return self._name or self._wanted

    @property
    def server(self) -> str:
        found = self._model()
        return "" if found is None else found.server

    @property
    def context_tokens(self) -> int | None:
        found = self._model()
        return None if found is None else found.window

    async def ready(self) -> None:
        found = self._model()
        if found is None:
            raise ModelError("not_started", f"no endpoint or model is called {self._wanted}")
        if (trouble := await found.check()) is not None:
            raise trouble
        # The bundled model's name says for people that it is a demo.
        self._name = found.facts.model or found.name if found.demo else found.name

    async def tokens(self, text: str) -> list[int] | None:
        found = self._model()
        return None if found is None else await found.tokens(text)

    async def text_of(self, tokens: list[int]) -> str | None:
        found = self._model()
        return None if found is None else await found.text_of(tokens)

    async def count(self, text: str) -> int:
        found = self._model()
        return estimate(text) if found is None else await found.size(text)

    @property
    def _wanted(self) -> str:
        raise NotImplementedError

    def _model(self) -> _Told | None:
        raise NotImplementedError


class EndpointAsker(_ModelAsker):
    """One OpenAI-compatible server, asked as often at once as the run likes."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._chat = OpenAIChatModel(endpoint)

    @property
    def _wanted(self) -> str:
        return self._chat.name

    def _model(self) -> _Told:
        return self._chat

    async def aclose(self) -> None:
        """Close all connections."""
        await self._chat.aclose()

    async def ask(self, question: Question) -> Reply:
        return await _read(self._chat.stream(request_of(question)), _Clock())


class PoolAsker(_ModelAsker):
    """One model of a running server's pool, which chats use at the same time and before it.

    A call that has to give way to a chat begins anew when there is room again; whoever asks sees a longer wait and
    nothing else. No other endpoint stands in: its replies would be another model's.
    """

    def __init__(self, pool: EndpointPool, model: str = "") -> None:
        """`model` names the endpoint or the model; "" takes what chats would get now."""
        self._pool = pool
        self._called = model or pool.serving().name

    @property
    def _wanted(self) -> str:
        return self._called

    def _model(self) -> _Told | None:
        # Another one may have taken its place since the run began.
        return cast("_Told | None", self._pool.model_called(self._called))

    async def ask(self, question: Question) -> Reply:
        request, clock = request_of(question, aside=True), _Clock()

        async def prepare(_model: ChatModel) -> ChatRequest:
            # Only now there is a slot.
            clock.begin()
            return request

        stream = self._pool.stream(prepare, owner=_OWNER, priority=Priority.BACKGROUND, model=self._called, alone=True)
        return await _read(stream, clock)


class _Clock:
    """Measures a call from its last beginning."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun


async def _read(stream: AsyncGenerator[ReplyItem, None], clock: _Clock) -> Reply:
    """The whole reply. Raises `ModelError`."""
    text, reasoning, end = list[str](), list[str](), ReplyEnd("", Usage(), "")
    async with aclosing(stream) as items:
        async for item in items:
            match item:
                case TextChunk():
                    text.append(item.text)
                case ReasoningChunk():
                    reasoning.append(item.text)
                case Restarted():
                    text, reasoning = [], []
                case ReplyEnd():
                    end = item
    used = end.usage
    return Reply(
        "".join(text),
        "".join(reasoning),
        end.finish_reason,
        used.prompt_tokens,
        used.completion_tokens,
        clock.seconds,
        end.model,
    )

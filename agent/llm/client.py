"""A chat model behind one OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

from agent.llm.chat import ChatMessage, ChatRequest, ModelError, ModelFault, ReplyEnd, ReplyItem, TextChunk
from agent.llm.connection import Connection
from agent.llm.endpoint import UNKNOWN_CONTEXT_TOKENS, Endpoint, Timeouts
from agent.llm.errors import caught, explain, fault, window
from agent.llm.probe import Probed, probe
from agent.llm.reply import ProtocolError, ReplyReader
from agent.llm.tokens import estimate_messages

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncAPIResponse

#: Sent where neither the setting nor the server names a model; servers with one model ignore the name.
_ANY_MODEL = "default"
#: Seconds between two probes of a server that told nothing.
_PROBE_PAUSE = 30.0
#: Seconds that a server gets to end the response after `[DONE]`, so that the connection can be used again.
_DRAIN_SECONDS = 0.1
#: Faults that are about the server, not about one request.
_SERVER_FAULTS: Final = frozenset[ModelFault](("unreachable", "unauthorized", "overloaded", "timeout", "garbage"))
#: Largest reply that comes in one piece, in bytes.
_MAX_WHOLE_BYTES = 4 << 20


class OpenAIChatModel:
    """`ChatModel` over HTTP: streamed, cancellable, every failure a `ModelError`.

    The stream is read as bytes through the `openai` package's own streaming response. Its typed chunks cost four times
    the CPU and tell us nothing that we use.
    """

    def __init__(self, endpoint: Endpoint, *, demo: bool = False, name: str = "") -> None:
        self._endpoint = endpoint
        self._demo = demo
        self._name = name
        self._connection = Connection(endpoint)
        self._probed = Probed()
        self._probing: asyncio.Task[None] | None = None
        self._probe_after = 0.0
        self._trouble: ModelError | None = None
        #: Window that a refusal named.
        self._refused_at: int | None = None
        self._stream_options = True
        self._max_tokens_field = "max_tokens"

    @property
    def name(self) -> str:
        return self._name or self._endpoint.model or self._probed.model or self._endpoint.host

    @property
    def demo(self) -> bool:
        return self._demo

    @property
    def context_tokens(self) -> int:
        known = self._endpoint.context_tokens or self._probed.context_tokens or self._refused_at
        return known or UNKNOWN_CONTEXT_TOKENS

    @property
    def facts(self) -> Probed:
        """What is known of the model and its server so far."""
        return self._probed

    @property
    def most_slots(self) -> int | None:
        """Most calls that the server can run side by side; None for no such limit known."""
        return 1 if self._probed.server == "llama_cpp.server" else None

    @property
    def trouble(self) -> ModelError | None:
        """What was wrong with the server when it was last spoken to; None for nothing."""
        return self._trouble

    async def warm(self) -> None:
        """Load what the first call needs and ask the server about its model. Never raises; nothing waits for it."""
        self.look_again()
        if self._probing is not None:
            await asyncio.shield(self._probing)

    async def check(self) -> ModelError | None:
        """Ask the server how it is, now. What is wrong with it, None for nothing; never raises."""
        self._probe_after = 0.0
        self.look_again()
        if self._probing is not None:
            await asyncio.shield(self._probing)
        return self._trouble

    def look_again(self) -> None:
        """Ask the server how it is, in the background, unless that was done a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._probing is None and now >= self._probe_after:
            self._probe_after = now + _PROBE_PAUSE
            self._probing = asyncio.create_task(self._probe(), name="probe of a model's endpoint")

    async def aclose(self) -> None:
        """Close all connections."""
        if self._probing is not None:
            self._probing.cancel()
        await self._connection.close()

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        return estimate_messages(messages)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        endpoint, clock = self._endpoint, asyncio.get_running_loop().time
        limits = endpoint.timeouts
        try:
            # The first call loads packages for half a second, which is not the server's time.
            await self._connection.client()
        except caught() as error:
            raise self._noted(explain(error, endpoint)) from error
        end = clock() + limits.total
        deadline = min(end, clock() + limits.first_token)
        reader = ReplyReader()
        said = False
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout_at(deadline):
                    response = await self._open(request, stack)
                    whole = await _whole_body(response)
                if whole is not None:
                    text = reader.whole(whole)
                    said = bool(text.strip())
                    if text:
                        yield TextChunk(text)
                pieces = response.iter_bytes()
                while whole is None and not reader.done:
                    async with asyncio.timeout_at(deadline):
                        received = await anext(pieces, None)
                    before = reader.tokens
                    text = reader.finish() if received is None else reader.feed(received)
                    if reader.tokens > before:
                        deadline = min(end, clock() + limits.between_tokens)
                    if text:
                        said = said or not text.isspace()
                        yield TextChunk(text)
                    if received is None:
                        break
                await _drain(pieces)
        except TimeoutError:
            raise self._noted(fault("timeout", _waited(limits, reader.tokens, clock() >= end), endpoint)) from None
        except caught() as error:
            raise self._noted(self._explain(error, reader)) from error
        yield self._end(reader, said)

    def _end(self, reader: ReplyReader, said: bool) -> ReplyEnd:
        if reader.junk and not reader.tokens:
            raise self._noted(fault("garbage", "the reply is no stream of events", self._endpoint))
        if not reader.ended and said:
            raise self._noted(fault("unreachable", f"the reply broke off after {reader.tokens} tokens", self._endpoint))
        self._trouble = None
        if not said:
            thought = f", {reader.tokens} tokens of reasoning" if reader.tokens else ""
            raise fault("empty", f"no text (finish_reason {reader.finish_reason or 'none'}{thought})", self._endpoint)
        return ReplyEnd(reader.finish_reason or "stop", reader.usage, reader.model or self.name)

    def _noted(self, error: ModelError) -> ModelError:
        """The error, remembered if it is about the server."""
        if error.fault in _SERVER_FAULTS:
            self._trouble = error
        return error

    def _explain(self, error: Exception, reader: ReplyReader) -> ModelError:
        explained = explain(error, self._endpoint)
        if reader.tokens and not isinstance(error, ProtocolError):
            return fault(explained.fault, f"after {reader.tokens} tokens: {explained.detail}", self._endpoint)
        if explained.fault == "context_overflow":
            self._refused_at = window(error) or self._refused_at
        return explained

    async def _open(self, request: ChatRequest, stack: AsyncExitStack) -> AsyncAPIResponse[Any]:
        """Send the request, once more for each thing that the server turns out not to know."""
        import openai

        client = await self._connection.client()
        await self._known()
        while True:
            call = client.chat.completions.with_streaming_response.create(**self._parameters(request))
            try:
                return await stack.enter_async_context(call)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not self._adapt(error):
                    raise

    def _adapt(self, error: APIStatusError) -> bool:
        """Whether another request may do better, because it leaves out what the server has just refused."""
        reason = str(error.body)
        if self._stream_options and "stream_options" in reason:
            self._stream_options = False
            return True
        if self._max_tokens_field == "max_tokens" and "max_completion_tokens" in reason:
            self._max_tokens_field = "max_completion_tokens"
            return True
        return False

    def _parameters(self, request: ChatRequest) -> dict[str, Any]:
        endpoint = self._endpoint
        optional = {
            "stream_options": {"include_usage": True} if self._stream_options else None,
            self._max_tokens_field: endpoint.max_tokens if request.max_tokens is None else request.max_tokens,
            "temperature": endpoint.temperature if request.temperature is None else request.temperature,
            "stop": list(endpoint.stop) or None,
        }
        body = {
            "messages": [{"role": message.role, "content": _sendable(message.content)} for message in request.messages],
            **{name: value for name, value in optional.items() if value is not None},
            **endpoint.extra_body,
        }
        return {
            "model": endpoint.model or self._probed.model or _ANY_MODEL,
            "stream": True,
            # The package compares `messages` with its types one by one; in `extra_body` it takes them as they are.
            "messages": [],
            "extra_body": body,
            "extra_headers": None if endpoint.api_key else {"Authorization": _omit()},
        }

    async def _known(self) -> None:
        """Start a probe if something is still unknown; wait for it only where a call can't be made without it."""
        endpoint = self._endpoint
        named = endpoint.model or self._probed.model
        if named and (endpoint.context_tokens or self._probed.context_tokens):
            return
        self.look_again()
        if self._probing is not None and not named:
            await asyncio.shield(self._probing)

    async def _probe(self) -> None:
        try:
            found = await probe(await self._connection.client(), self._endpoint)
            self._probed = Probed(
                found.model or self._probed.model, found.context_tokens or self._probed.context_tokens
            )
            self._trouble = None
            if found.trouble is not None:
                self._noted(found.trouble)
        except caught() as error:
            self._noted(explain(error, self._endpoint))
        finally:
            self._probing = None


async def _whole_body(response: AsyncAPIResponse[Any]) -> bytes | None:
    """The body, if the server answers in one piece although a stream was asked for; None for a stream."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        raise ProtocolError("an HTML page")
    if kind != "application/json":
        return None
    body = bytearray()
    async for piece in response.iter_bytes():
        body += piece
        if len(body) > _MAX_WHOLE_BYTES:
            raise ProtocolError("a reply of more than 4 MiB")
    return bytes(body)


async def _drain(pieces: Any) -> None:
    """Read what follows `[DONE]`, so that the connection can be used again."""
    with suppress(TimeoutError, *caught()):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in pieces:
                pass


def _waited(limits: Timeouts, tokens: int, over: bool) -> str:
    if over:
        return f"the call took longer than {limits.total:g} s"
    if tokens:
        return f"nothing for {limits.between_tokens:g} s after {tokens} tokens"
    return f"no first token within {limits.first_token:g} s"


def _sendable(text: str) -> str:
    """`text` without lone surrogates, which UTF-8 can't carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _omit() -> Any:
    import openai

    return openai.Omit()

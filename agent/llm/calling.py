"""One call of a model over HTTP: opened in the words that its server understands, read within its time limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

from agent.llm.chat import ModelError, ReplyItem
from agent.llm.connection import Connection
from agent.llm.dialect import Dialect, Wish
from agent.llm.endpoint import Endpoint, Timeouts
from agent.llm.errors import caught, explain, fault, window
from agent.llm.probe import Probed
from agent.llm.reply import ProtocolError, ReplyReader

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncAPIResponse

#: Seconds that a server gets to end the response after `[DONE]`, so that the connection can be used again.
_DRAIN_SECONDS = 0.1
#: Largest reply that comes in one piece, in bytes.
_MAX_WHOLE_BYTES = 4 << 20


class Call:
    """One request and its reply.

    The stream is read as bytes through the `openai` package's own streaming response. Its typed chunks cost four times
    the CPU and tell us nothing that we use.
    """

    def __init__(
        self, endpoint: Endpoint, connection: Connection, dialect: Dialect, wish: Wish, facts: Probed, *, opened: bool
    ) -> None:
        """`opened`: the model's chat template is known to open a block of reasoning."""
        self._endpoint = endpoint
        self._connection = connection
        self._dialect = dialect
        self._wish = wish
        self._facts = facts
        # A model that answers a schema with a tool call means the same.
        calls = wish.request.schema is not None
        self.reader = ReplyReader(opened=opened, most_text=dialect.most_text(wish), calls=calls, keep=wish.keeps)
        #: Window that the refusal of a prompt named.
        self.refused_at: int | None = None
        #: Whether the model was still thinking when it had used up what it may.
        self.overran = False

    async def items(self, most_thought: int, end: float) -> AsyncGenerator[ReplyItem, None]:
        """The reply until its end, which `reader` describes. Raises `ModelError`.

        `most_thought`: tokens of reasoning after which the call is cut off. `end`: loop time by which it is over.
        """
        endpoint, reader, clock = self._endpoint, self.reader, asyncio.get_running_loop().time
        limits = endpoint.timeouts
        deadline = end if self._wish.whole else min(end, clock() + limits.first_token)
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout_at(deadline):
                    response = await self._open(stack)
                    whole = await _whole_body(response)
                if whole is not None:
                    for item in reader.whole(whole):
                        yield item
                pieces = response.iter_bytes()
                while whole is None and not reader.done:
                    async with asyncio.timeout_at(deadline):
                        received = await anext(pieces, None)
                    before = reader.tokens
                    if received is None:
                        break
                    for item in reader.feed(received):
                        yield item
                    if reader.tokens > before:
                        deadline = min(end, clock() + limits.between_tokens)
                    if reader.full:
                        # The server's limit has room for thinking, too.
                        return
                    if reader.thinking and reader.thought_tokens > most_thought:
                        self.overran = True
                        return
                if whole is None:
                    for item in reader.finish():
                        yield item
                await _drain(pieces)
        except TimeoutError:
            raise fault("timeout", _waited(limits, reader.tokens, clock() >= end), endpoint) from None
        except caught() as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> ModelError:
        explained, tokens = explain(error, self._endpoint), self.reader.tokens
        if tokens and not isinstance(error, ProtocolError):
            return fault(explained.fault, f"after {tokens} tokens: {explained.detail}", self._endpoint)
        if explained.fault == "context_overflow":
            self.refused_at = window(error)
        return explained

    async def _open(self, stack: AsyncExitStack) -> AsyncAPIResponse[Any]:
        """Send the request, once more for each thing that the server turns out not to know."""
        import openai

        client = await self._connection.client()
        served = False
        try:
            while True:
                written = self._dialect.written_for(self._wish.request)
                resource: Any = client.chat.completions if written is None else client.completions
                parameters = self._dialect.parameters(self._wish, self._facts)
                try:
                    response: AsyncAPIResponse[Any] = await stack.enter_async_context(
                        resource.with_streaming_response.create(**parameters)
                    )
                except openai.APIStatusError as error:
                    if not self._adapted(error, parameters):
                        raise
                else:
                    served = True
                    return response
        finally:
            self._dialect.settled(served=served)

    def _adapted(self, error: APIStatusError, sent: dict[str, Any]) -> bool:
        return self._dialect.adapt(error.status_code, error.body, self._wish, self._facts, sent)


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

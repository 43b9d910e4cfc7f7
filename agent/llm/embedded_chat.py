"""The `ChatModel` that answers from the embedded model's process, through its restarts."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Final

from agent.llm.chat import ChatMessage, ChatRequest, ModelError, ReplyItem
from agent.llm.client import OpenAIChatModel
from agent.llm.embedded import INTERRUPTED, EmbeddedServer
from agent.llm.endpoint import Endpoint
from agent.llm.probe import Probed
from agent.llm.tokens import estimate, estimate_messages

#: What needs no trial: llama.cpp's server follows schemas.
_KNOWN: Final = Probed(server="llama-server", structured="json_schema")


class EmbeddedChatModel:
    """`ChatModel` over an `EmbeddedServer`, whichever child is alive."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._endpoint: Endpoint | None = None
        self._client: OpenAIChatModel | None = None

    @property
    def name(self) -> str:
        return self._server.name

    @property
    def demo(self) -> bool:
        return self._server.demo

    @property
    def context_tokens(self) -> int:
        return self._server.config.context_per_slot

    @property
    def window(self) -> int:
        """The same: it is known."""
        return self.context_tokens

    @property
    def server(self) -> str:
        """As `Endpoint.server`: its port is another one each time, and says nothing."""
        return "embedded"

    @property
    def sees(self) -> bool:
        return False

    async def can_see(self) -> bool:
        return False

    @property
    def facts(self) -> Probed:
        """What is known of the model and its server so far."""
        return _KNOWN if self._client is None else self._client.facts

    async def warm(self) -> None:
        """Load what the first call needs, beside the model. Never raises; nothing waits for it."""
        await asyncio.to_thread(importlib.import_module, "openai")
        with suppress(ModelError):
            client = await self._for(await self._server.ready(self._server.config.patience))
            await client.warm()

    async def aclose(self) -> None:
        """Close all connections; the server is stopped by whoever started it."""
        client, self._client, self._endpoint = self._client, None, None
        if client is not None:
            await client.aclose()

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        try:
            endpoint = await self._server.ready(self._server.config.patience)
        except ModelError:
            return estimate_messages(messages)
        return await (await self._for(endpoint)).count(messages)

    async def tokens(self, text: str) -> list[int] | None:
        """As `OpenAIChatModel.tokens`."""
        with suppress(ModelError):
            return await (await self._ready()).tokens(text)
        return None

    async def text_of(self, tokens: Sequence[int]) -> str | None:
        """As `OpenAIChatModel.text_of`."""
        with suppress(ModelError):
            return await (await self._ready()).text_of(tokens)
        return None

    async def size(self, text: str) -> int:
        """As `OpenAIChatModel.size`."""
        with suppress(ModelError):
            return await (await self._ready()).size(text)
        return estimate(text)

    async def check(self) -> ModelError | None:
        """As `OpenAIChatModel.check`."""
        try:
            return await (await self._ready()).check()
        except ModelError as error:
            return error

    async def _ready(self) -> OpenAIChatModel:
        return await self._for(await self._server.ready(self._server.config.patience))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        patience = self._server.config.patience
        endpoint = await self._server.ready(patience)
        for last_try in (False, True):
            begun = False
            client = await self._for(endpoint)
            try:
                async with aclosing(client.stream(request)) as items:
                    async for item in items:
                        begun = True
                        yield item
                return
            except ModelError as error:
                if error.fault != "unreachable":
                    raise
                if begun or last_try:
                    raise ModelError("unreachable", error.detail, text=INTERRUPTED) from error
            # The child died before it wrote anything; nothing is lost by asking the next one.
            endpoint = await self._server.ready(patience, other_than=endpoint)

    async def _for(self, endpoint: Endpoint) -> OpenAIChatModel:
        """The client of this child; that of a former one is closed."""
        if self._client is None or self._endpoint is not endpoint:
            former, self._endpoint = self._client, endpoint
            self._client = OpenAIChatModel(endpoint, demo=self.demo, name=self.name, known=_KNOWN)
            if former is not None:
                await former.aclose()
        return self._client

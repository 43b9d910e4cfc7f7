"""Counts tokens with the server's own tokenizer, and asks it for each text once."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from agent.llm.chat import ChatMessage
from agent.llm.connection import Connection, post
from agent.llm.endpoint import Endpoint
from agent.llm.errors import caught
from agent.llm.probe import Probed
from agent.llm.tokenizers import ask, ids_question, read_count, read_ids, read_text, text_question
from agent.llm.tokens import MESSAGE_OVERHEAD, estimate, of_images, upper_bound

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Seconds that a count may take; a guess now is worth more than the truth later.
_PATIENCE = 1.0
#: The same where no guess will do.
_LONG_PATIENCE = 10.0
#: Seconds for which a server is left alone that did not count in time.
_PAUSE = 30.0
#: Texts whose count is kept; 100 bytes each.
_KEPT = 8192
#: Questions at the same time.
_AT_ONCE = 8
#: A text that can't have more tokens than this is not worth a question.
_TRIFLE = 4
#: Characters of the longest text that a server is asked about; counting a million holds it up for a second.
_LONGEST = 200_000
#: Conversations whose prompts show what the chat template adds: to the whole, and to each message.
_SHORT: Final = (ChatMessage("user", "a"),)
_LONG: Final = (*_SHORT, ChatMessage("assistant", "a"), ChatMessage("user", "a"))


class TokenCounter:
    """Counts for one endpoint. Remembers what a text counted, never the text."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        #: Tokens that the chat template adds to a prompt, and to each message.
        self._template: tuple[int, int] | None = None
        self._silent_until = 0.0

    def reset(self) -> None:
        """Forget all counts: the model is another one."""
        self._counts.clear()
        self._template = None
        self._silent_until = 0.0

    async def count(
        self, messages: Sequence[ChatMessage], facts: Probed, client: AsyncOpenAI | None, *, templated: bool
    ) -> int:
        """Tokens of these messages as a prompt; estimated where the server can't be asked. Never raises.

        `client` is None where the server must not be asked now. `templated`: the server writes the prompt.
        """
        texts = {_key(message.content): message.content for message in messages}
        unknown = [text for key, text in texts.items() if key not in self._counts and _is_worth_asking(text)]
        clock = asyncio.get_running_loop().time
        if client is not None and facts.tokenizer and clock() >= self._silent_until:
            try:
                async with asyncio.timeout(_PATIENCE):
                    if templated and self._template is None:
                        self._template = await self._asked_template(client, facts)
                    await self._ask_all(client, facts, unknown)
            except TimeoutError:
                self._silent_until = clock() + _PAUSE
            except caught():
                self._silent_until = clock() + _PAUSE
        start, each = self._template or (0, MESSAGE_OVERHEAD)
        return start + sum(each + self._known(message.content) + of_images(message) for message in messages)

    async def size(self, text: str, facts: Probed, connection: Connection) -> int:
        """Tokens of a text alone; estimated where the server can't be asked. Never raises."""
        if facts.tokenizer and _key(text) not in self._counts and _is_worth_asking(text):
            with suppress(TimeoutError, *caught()):
                async with asyncio.timeout(_LONG_PATIENCE):
                    await self._ask_all(await connection.client(), facts, [text])
        return self._known(text)

    async def ids(self, text: str, facts: Probed, connection: Connection) -> list[int] | None:
        """The ids of a text's tokens; None where the server can't tell. Never raises."""
        asked = ids_question(facts.server, self._model(facts), text)
        answer = await self._asked(asked, connection) if facts.tokenizer else None
        return read_ids(answer)

    async def text_of(self, tokens: Sequence[int], facts: Probed, connection: Connection) -> str | None:
        """The text of these tokens; None where the server can't tell. Never raises."""
        asked = text_question(facts.server, self._model(facts), tokens)
        answer = await self._asked(asked, connection) if facts.tokenizer else None
        return read_text(answer)

    async def _asked(self, asked: tuple[str, dict[str, Any]] | None, connection: Connection) -> object:
        if asked is None:
            return None
        path, body = asked
        with suppress(TimeoutError, *caught()):
            async with asyncio.timeout(_LONG_PATIENCE):
                return await post(await connection.client(), self._endpoint, f"{self._endpoint.root}{path}", body)
        return None

    def _known(self, text: str) -> int:
        key = _key(text)
        if key not in self._counts:
            return estimate(text)
        self._counts.move_to_end(key)
        return self._counts[key]

    async def _ask_all(self, client: AsyncOpenAI, facts: Probed, texts: Sequence[str]) -> None:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(text: str) -> None:
            async with room:
                counted = await self._size(client, facts, text)
            if counted is not None:
                self._counts[_key(text)] = counted
                if len(self._counts) > _KEPT:
                    self._counts.popitem(last=False)

        await asyncio.gather(*map(one, texts))

    async def _asked_template(self, client: AsyncOpenAI, facts: Probed) -> tuple[int, int]:
        """What the server's chat template adds; the usual overhead where it doesn't tell."""
        short = await self._prompt_size(client, facts, _SHORT)
        long = await self._prompt_size(client, facts, _LONG) if short else None
        if not short or not long or long <= short:
            return 0, MESSAGE_OVERHEAD
        letter = await self._size(client, facts, "a") or 1
        # Rounded up: templates add not the same to each role.
        each = max(0, -(-(long - short) // 2) - letter)
        return max(0, short - letter - each), each

    async def _prompt_size(self, client: AsyncOpenAI, facts: Probed, messages: Sequence[ChatMessage]) -> int | None:
        """Tokens of a conversation with all that the template adds; None where the server doesn't tell."""
        listed = [{"role": message.role, "content": message.content} for message in messages]
        endpoint, name = self._endpoint, self._model(facts)
        if facts.server == "vllm":
            body = {"model": name, "messages": listed}
            return read_count(await post(client, endpoint, f"{endpoint.root}{facts.tokenizer}", body))
        if facts.server == "llama-server":
            applied = await post(client, endpoint, f"{endpoint.root}/apply-template", {"messages": listed})
            prompt = applied.get("prompt") if isinstance(applied, Mapping) else None
            return await self._size(client, facts, prompt) if isinstance(prompt, str) else None
        return None

    async def _size(self, client: AsyncOpenAI, facts: Probed, text: str) -> int | None:
        return read_count(await ask(client, self._endpoint, facts.server, self._model(facts), text))

    def _model(self, facts: Probed) -> str:
        return self._endpoint.model or facts.model or ""


def _is_worth_asking(text: str) -> bool:
    return len(text) <= _LONGEST and upper_bound(text) > _TRIFLE


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest()

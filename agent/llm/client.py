"""A chat model behind one OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Final

from agent.events import Usage
from agent.llm.calling import Call
from agent.llm.chat import (
    ChatMessage,
    ChatRequest,
    ModelError,
    ModelFault,
    ReplyEnd,
    ReplyItem,
    Restarted,
    TextChunk,
)
from agent.llm.connection import Connection
from agent.llm.counting import TokenCounter
from agent.llm.dialect import Dialect, Wish
from agent.llm.endpoint import UNKNOWN_CONTEXT_TOKENS, Endpoint
from agent.llm.errors import caught, explain, fault
from agent.llm.faults import ONLY_THOUGHT
from agent.llm.probe import PROBE_SECONDS, Probed, probe
from agent.llm.sight import SIGHT_SECONDS, Sight
from agent.llm.tokens import most_tokens
from agent.llm.trial import TRIAL, TRIAL_SECONDS, TRIAL_THOUGHT, follows
from agent.llm.waiting import over

#: Seconds between two probes of a server that told nothing, and between two trials that came to nothing.
_PROBE_PAUSE = 30.0
_TRIAL_PAUSE = 300.0
#: Seconds that a call waits for a probe before it is made all the same.
_PROBE_PATIENCE = 2.0
#: Seconds that a count waits for the first probe, which tells whether there is a tokenizer to ask.
_COUNT_PATIENCE = 1.0
#: Faults that are about the server, not about one request.
_SERVER_FAULTS: Final = frozenset[ModelFault](("unreachable", "unauthorized", "overloaded", "timeout", "garbage"))
#: Faults after which another program may be behind the address.
_GONE: Final = frozenset[ModelFault](("unreachable", "garbage"))
#: Less room than this for thinking is none.
_LEAST_THOUGHT = 256


class _OnlyThought(ModelError):
    """The reply was nothing but reasoning."""


class _Again(ModelError):
    """Another try may do better: the reply was lost, or the model has another name by now."""


class OpenAIChatModel:
    """`ChatModel` over HTTP: streamed, cancellable, every failure a `ModelError`."""

    def __init__(self, endpoint: Endpoint, *, demo: bool = False, name: str = "", known: Probed | None = None) -> None:
        """`known`: what needs no probe."""
        self._endpoint: Final = endpoint
        self._demo = demo
        self._name = name
        self._connection = Connection(endpoint)
        self._dialect = Dialect(endpoint)
        self._counter = TokenCounter(endpoint)
        self._sight = Sight(endpoint.vision)
        self._probed = known or Probed()
        #: Whether the server answered a probe since it was last in trouble.
        self._fresh = False
        #: Whether the server was away since then, so that another one may be there now.
        self._gone = False
        self._probing: asyncio.Task[None] | None = None
        self._probe_after = 0.0
        self._trying: asyncio.Task[None] | None = None
        self._try_after = 0.0
        self._trouble: ModelError | None = None
        #: Window that a refusal named.
        self._refused_at: int | None = None
        #: Whether the model's chat template was seen to open a block of reasoning.
        self._opened = False
        #: Held by whatever asks a server that does one thing at a time.
        self._alone = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._name or self._endpoint.model or self._probed.model or self._endpoint.host

    @property
    def demo(self) -> bool:
        return self._demo

    @property
    def context_tokens(self) -> int:
        return self.window or UNKNOWN_CONTEXT_TOKENS

    @property
    def window(self) -> int | None:
        """`context_tokens`; None while nobody knows."""
        return self._endpoint.context_tokens or self._probed.context_tokens or self._refused_at

    @property
    def server(self) -> str:
        """What its replies depend on besides the model's name, see `Endpoint.server`."""
        return self._endpoint.server

    @property
    def facts(self) -> Probed:
        """What is known of the model and its server so far."""
        return self._probed

    @property
    def most_slots(self) -> int | None:
        """Most calls that the server can run side by side; None for no such limit known."""
        return self._probed.slots

    @property
    def sees(self) -> bool | None:
        # What we write as one prompt has no place for pictures.
        return False if self._dialect.written is not None else self._sight.known

    async def can_see(self) -> bool:
        if self.sees is None:
            if not self._fresh:
                self._start_probe()
                await over(self._probing, PROBE_SECONDS)
            await self._sight.find_out(self._told)
        return bool(self.sees)

    @property
    def trouble(self) -> ModelError | None:
        """What was wrong with the server when it was last spoken to; None for nothing."""
        return self._trouble

    async def warm(self) -> None:
        """Load what the first call needs and find out all about the model. Never raises; nothing waits for it."""
        self._start_probe()
        await over(self._probing)
        if self._fresh:
            self._start_trial()
            await over(self._trying)

    async def check(self) -> ModelError | None:
        """Ask the server how it is, now. What is wrong with it, None for nothing; never raises."""
        self._probe_after = 0.0
        self.look_again()
        # Longer only if it waits for a call that is under way; then the server is there.
        await over(self._probing, PROBE_SECONDS + 1)
        return self._trouble

    def look_again(self) -> None:
        """Ask the server how it is, in the background, unless that was done a moment ago."""
        if self._start_probe() and self._probing is not None:
            self._probing.add_done_callback(lambda done: None if done.cancelled() else self._start_trial())

    async def aclose(self) -> None:
        """Close all connections."""
        for task in (self._probing, self._trying):
            if task is not None:
                task.cancel()
        await self._connection.close()

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        try:
            client = await self._connection.client()
        except caught():
            client = None
        if not self._fresh and self._probed.tokenizer == "":
            self._start_probe()
            await over(self._probing, _COUNT_PATIENCE)
        # Any question may end a stream that such a server is busy with.
        busy = self._alone.locked()
        templated = self._dialect.written is None
        return await self._counter.count(messages, self._probed, None if busy else client, templated=templated)

    async def tokens(self, text: str) -> list[int] | None:
        """The ids of a text's tokens, no template added; None where the server can't tell. Never raises."""
        async with self._turn():
            return await self._counter.ids(text, self._probed, self._connection)

    async def text_of(self, tokens: Sequence[int]) -> str | None:
        """The text of these tokens; None where the server can't tell. Never raises."""
        async with self._turn():
            return await self._counter.text_of(tokens, self._probed, self._connection)

    async def size(self, text: str) -> int:
        """Tokens of a text, no template added; estimated where the server can't be asked. Never raises."""
        async with self._turn():
            return await self._counter.size(text, self._probed, self._connection)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        try:
            # The first call loads packages for half a second, which is not the server's time.
            await self._connection.client()
        except caught() as error:
            raise self._noted(explain(error, self._endpoint)) from error
        await self._known(request)
        request = await self._within(request)
        measured = request.measured
        most_thought = self._endpoint.reasoning_tokens if measured is None else measured.thought_tokens
        async with self._turn(), aclosing(self._tries(request, most_thought)) as items:
            async for item in items:
                yield item

    async def _tries(self, request: ChatRequest, most_thought: int) -> AsyncGenerator[ReplyItem, None]:
        """The reply, asked for once more where that may help: without thinking, or because it got lost."""
        end = asyncio.get_running_loop().time() + self._endpoint.timeouts.total
        measured = request.measured
        quiet = self._endpoint.reasoning == "off" if measured is None else measured.thinking == "off"
        quieted = again = False
        while True:
            budget = await self._budget(request, most_thought)
            quiet = quiet or budget is None
            void, why, thinks = False, "", self._probed.reasoning
            try:
                lossy = self._probed.server == "llama_cpp.server"
                wish = Wish(request, quiet, budget or 0, self.context_tokens, whole=again and lossy)
                async with aclosing(self._call(wish, most_thought, end)) as items:
                    async for item in items:
                        void = not isinstance(item, Restarted) and (void or isinstance(item, TextChunk))
                        if isinstance(item, ReplyEnd) and not thinks and self._lacked_room(wish, item):
                            raise _Again("empty", "it turned out to think", host=self._endpoint.host)
                        yield item
                return
            except _OnlyThought as error:
                if quieted:
                    raise
                quiet = quieted = True
                why = str(error)
            except _Again as error:
                if again:
                    raise
                again, why = True, str(error)
            if void:
                yield Restarted(why)

    async def _within(self, request: ChatRequest) -> ChatRequest:
        """The request with the usual limit of a reply lowered to what the window leaves for it.

        Prompts are fitted with room for a reply, not for the longest one that the setting allows; and servers refuse a
        limit that doesn't fit beside the prompt.
        """
        usual, window = self._endpoint.max_tokens, self.window
        if request.measured is not None:
            # There a guess at the prompt's tokens, which errs upwards, would shorten replies.
            usual = request.max_tokens if self._probed.tokenizer else None
        elif request.max_tokens is not None or request.schema is not None:
            return request
        if usual is None or window is None:
            return request
        if most_tokens(request.messages) + usual <= window:
            # Counting may be a call of the server.
            return request
        room = window - await self.count(request.messages)
        # Without any room the server's refusal says more than a reply of one word.
        return replace(request, max_tokens=room) if 0 < room < usual else request

    async def _budget(self, request: ChatRequest, most: int) -> int | None:
        """Tokens on top of the answer's that the model may think for; None where the window has too little room."""
        answer = request.max_tokens or self._endpoint.max_tokens
        if answer is None or not (self._probed.reasoning or self._endpoint.reasoning == "on"):
            return 0
        if request.measured is not None and request.measured.thinking == "off":
            return 0
        room = self.context_tokens - await self.count(request.messages) - answer
        if request.measured is not None:
            return max(0, min(most, room))
        return None if room < min(most, _LEAST_THOUGHT) else min(most, room)

    async def _call(self, wish: Wish, most_thought: int, end: float) -> AsyncGenerator[ReplyItem, None]:
        opened = self._opened and not wish.quiet and wish.request.schema is None
        call = Call(self._endpoint, self._connection, self._dialect, wish, self._probed, opened=opened)
        said = False
        try:
            async with aclosing(call.items(most_thought, end)) as items:
                async for item in items:
                    if isinstance(item, TextChunk):
                        said = said or not item.text.isspace()
                    elif isinstance(item, Restarted):
                        said = False
                    if call.reader.thought_tokens and not self._probed.reasoning:
                        self._probed = replace(self._probed, reasoning=True)
                    yield item
        except ModelError as error:
            self._refused_at = call.refused_at or self._refused_at
            if await self._renamed(error):
                raise _Again(error.fault, error.detail, host=error.host) from error
            raise self._noted(error) from error.__cause__
        self._opened = call.reader.opened if opened else self._opened or call.reader.opened
        yield self._end(call, said, wish)

    async def _renamed(self, refusal: ModelError) -> bool:
        """Whether the server was refusing a name that it does not list any longer; the new one is known then."""
        if refusal.fault != "rejected" or self._endpoint.model or "model" not in refusal.detail.lower():
            return False
        former = self._probed.model
        self._learn(await probe(await self._connection.client(), self._endpoint))
        return self._probed.model != former

    def _end(self, call: Call, said: bool, wish: Wish) -> ReplyEnd:
        reader, endpoint = call.reader, self._endpoint
        if reader.junk and not reader.tokens:
            raise self._noted(fault("garbage", "the reply is no stream of events", endpoint))
        cut = call.overran or reader.full
        if not cut and self._probed.server == "llama_cpp.server" and not reader.finish_reason:
            # It says `[DONE]` as if nothing were missing.
            kind: ModelFault = "unreachable" if said else "empty"
            raise _Again(kind, f"the server broke off after {reader.tokens} tokens", host=endpoint.host)
        if not cut and not reader.ended and said:
            raise self._noted(fault("unreachable", f"the reply broke off after {reader.tokens} tokens", endpoint))
        self._well()
        if wish.request.measured is not None and (cut or reader.ended):
            usage = Usage(None, reader.tokens) if cut else reader.usage
            return ReplyEnd("length" if cut else reader.finish_reason or "stop", usage, reader.model or self.name)
        if call.overran and said and wish.quiet:
            # It can't be kept from thinking: what it said before has to do.
            return ReplyEnd("length", reader.usage, reader.model or self.name)
        if call.overran or (not said and reader.thought_tokens):
            detail = f"no text (finish_reason {reader.finish_reason or 'none'}, {reader.tokens} tokens of reasoning)"
            raise _OnlyThought("empty", detail, host=endpoint.host, text=ONLY_THOUGHT)
        if not said:
            raise fault("empty", f"no text (finish_reason {reader.finish_reason or 'none'})", endpoint)
        if reader.full:
            # Cut off here, so the server did not come to telling the usage.
            return ReplyEnd("length", Usage(None, reader.tokens), reader.model or self.name)
        return ReplyEnd(reader.finish_reason or "stop", reader.usage, reader.model or self.name)

    def _lacked_room(self, wish: Wish, end: ReplyEnd) -> bool:
        """Whether a measured reply was cut off by thoughts that nobody had expected."""
        measured = wish.request.measured
        may_think = measured is not None and measured.thinking != "off" and measured.thought_tokens > 0
        return may_think and self._probed.reasoning and end.finish_reason == "length"

    def _noted(self, error: ModelError) -> ModelError:
        """The error, remembered if it is about the server."""
        if error.fault in _SERVER_FAULTS:
            self._trouble = error
        if error.fault in _GONE and self._fresh:
            self._fresh, self._gone = False, True
            self._probe_after = 0.0
        return error

    def _well(self) -> None:
        """The server has answered a call."""
        self._trouble = None
        if not self._fresh:
            self._start_probe()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait until this is the only call, where the server does one thing at a time."""
        if self._probed.server != "llama_cpp.server":
            yield
            return
        async with self._alone:
            yield

    async def _known(self, request: ChatRequest) -> None:
        """Ask what is still unknown; wait for it only where a call can't do without it, else not for long."""
        if not self._fresh:
            self._start_probe()
            named = self._endpoint.model or self._probed.model
            await over(self._probing, _PROBE_PATIENCE if named else None)
        if request.schema is not None and self._fresh:
            self._start_trial()
            await over(self._trying)

    def _start_probe(self) -> bool:
        """Whether a probe runs now."""
        now = asyncio.get_running_loop().time()
        if self._probing is None and now >= self._probe_after:
            self._probe_after = now + _PROBE_PAUSE
            self._probing = asyncio.create_task(self._probe(), name="probe of a model's endpoint")
        return self._probing is not None

    async def _probe(self) -> None:
        try:
            client = await self._connection.client()
            async with self._turn():
                self._learn(await probe(client, self._endpoint))
        except caught() as error:
            self._noted(explain(error, self._endpoint))
        finally:
            self._probing = None

    def _learn(self, found: Probed) -> None:
        former, gone = self._probed, self._gone
        if found.trouble is not None:
            self._noted(found.trouble)
            self._probed = replace(former, trouble=found.trouble)
            return
        self._trouble, self._fresh, self._gone = None, True, False
        changed = former.model not in (None, found.model)
        if changed or gone:
            # Another program may be there now: what it understands is found out anew.
            self._dialect.reset()
            self._sight.forget()
            self._try_after = 0.0
        if changed:
            self._refused_at, self._opened = None, False
            self._counter.reset()
            self._probed = found
            return
        self._probed = replace(
            found,
            context_tokens=found.context_tokens or former.context_tokens,
            structured=None if gone else former.structured,
            reasoning=former.reasoning,
        )

    def _start_trial(self) -> None:
        """Find out, in the background, in which form the server follows a schema, if that isn't known."""
        now = asyncio.get_running_loop().time()
        unknown = self._probed.structured is None and self._fresh
        if unknown and self._trying is None and now >= self._try_after:
            self._try_after = now + _TRIAL_PAUSE
            self._trying = asyncio.create_task(self._try(), name="trial of a model's structured output")

    async def _try(self) -> None:
        try:
            async with self._turn(), asyncio.timeout(TRIAL_SECONDS):
                while form := self._dialect.form(self._probed):
                    text = await self._said(TRIAL)
                    form = self._dialect.form(self._probed)
                    if follows(text):
                        break
                    self._dialect.does_not_follow(form)
                self._probed = replace(self._probed, structured=form)
        except (TimeoutError, ModelError):
            # It stays unknown: the next call with a schema is sent in the likeliest form.
            pass
        finally:
            self._trying = None

    async def _told(self, trial: ChatRequest) -> str:
        """The reply to a picture. Raises `ModelError`, `TimeoutError`."""
        async with self._turn(), asyncio.timeout(SIGHT_SECONDS):
            return await self._said(trial)

    async def _said(self, trial: ChatRequest) -> str:
        """The reply to a trial. Raises `ModelError`."""
        text = ""
        async with aclosing(self._tries(trial, TRIAL_THOUGHT)) as items:
            async for item in items:
                text = "" if isinstance(item, Restarted) else text
                text += item.text if isinstance(item, TextChunk) else ""
        return text

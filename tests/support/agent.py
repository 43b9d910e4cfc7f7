"""A task, a journal and a pool for tests of the agent room: all in memory, nothing on a network."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta, timezone
from typing import Any

from agent import loop
from agent.events import AgentEvent, Finished, TextDelta, TextReset, Usage
from agent.journal import Json, Parked, Recalled
from agent.language import Lang, detect
from agent.llm.chat import (
    ChatMessage,
    ChatPool,
    ChatRequest,
    ModelError,
    Prepare,
    Priority,
    ReplyEnd,
    ReplyItem,
    Serving,
    TextChunk,
)
from agent.llm.tokens import estimate_messages
from agent.profile import Profile
from agent.styles.base import Style
from agent.task import Exchange, Task, TaskFile
from agent.tools.registry import Tool

#: A Saturday evening in Beijing.
NOW = datetime(2026, 11, 21, 20, 45, 30, tzinfo=timezone(timedelta(hours=8)))


def task(
    question: str,
    *,
    history: Sequence[tuple[str, str] | tuple[str, str, datetime]] = (),
    profile: Profile | None = None,
    now: datetime = NOW,
    lang: Lang | None = None,
    files: tuple[TaskFile, ...] = (),
) -> Task:
    exchanges = tuple(Exchange(*pair) for pair in history)
    return Task(question, exchanges, profile or Profile(), now, lang or detect(question), files=files)


class MemoryJournal:
    """What one turn did. Handing it to a second run is what a restarted server does."""

    def __init__(self, *, consent: bool | None = None) -> None:
        self.steps: dict[str, Recalled] = {}
        #: Every call in order, for example `begin act/0/0`.
        self.calls: list[str] = []
        self._consent = consent

    def recall(self, key: str) -> Recalled | None:
        return self.steps.get(key)

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        json.dumps(detail)
        self.calls.append(f"begin {key}")
        self.steps[key] = Recalled("started", writes)

    async def finish(self, key: str, result: Json) -> None:
        self.calls.append(f"finish {key}")
        # Through JSON, as in a database: what doesn't survive it is lost here, too.
        self.steps[key] = Recalled("done", self.steps[key].writes, json.loads(json.dumps(result)))

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        if self._consent is None:
            raise Parked(key, tool, args, NOW)
        return self._consent


class ScriptedModel:
    """A model that says what it was told to say, and notes what it was asked."""

    def __init__(
        self,
        chunks: Sequence[str] = ("Hel", "lo."),
        *,
        demo: bool = False,
        window: int = 8192,
        finish_reason: str = "stop",
        fails: ModelError | None = None,
        sees: bool = False,
    ) -> None:
        self.name = "scripted"
        self.sees = sees
        self.demo = demo
        self.context_tokens = window
        self.requests: list[ChatRequest] = []
        #: Streams that were ended before their end, by whoever read them.
        self.closed_early = 0
        self._chunks = chunks
        self._finish_reason = finish_reason
        self._fails = fails

    async def can_see(self) -> bool:
        return self.sees

    async def count(self, messages: Sequence[ChatMessage]) -> int:
        return estimate_messages(messages)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        self.requests.append(request)
        ended = False
        try:
            for chunk in self._chunks:
                yield TextChunk(chunk)
            if self._fails is not None:
                ended = True
                raise self._fails
            ended = True
            yield ReplyEnd(self._finish_reason, Usage(11, 7), "scripted-1")
        finally:
            self.closed_early += not ended


class Says(ScriptedModel):
    """A model with a script of whole replies, each a text, a (text, finish_reason), the items of a stream, or an error.

    It has nothing to say after the last one: a further call fails the test.
    """

    def __init__(self, *script: str | tuple[str, str] | list[Any] | ModelError, **more: Any) -> None:
        super().__init__(**more)
        self._script = list(script)

    @property
    def asked(self) -> list[str]:
        """The last message of each call."""
        return [request.messages[-1].content for request in self.requests]

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ReplyItem, None]:
        self.requests.append(request)
        assert self._script, f"call {len(self.requests)} is one too many: {request.messages[-1].content}"
        said = self._script.pop(0)
        if isinstance(said, ModelError):
            raise said
        if isinstance(said, list):
            for item in said:
                yield item
            return
        text, finish = said if isinstance(said, tuple) else (said, "stop")
        if text:
            yield TextChunk(text)
        yield ReplyEnd(finish, Usage(11, 7), "scripted-1")


class OneModelPool:
    """Hands out one model and counts who holds it."""

    def __init__(self, model: ScriptedModel | None = None) -> None:
        self.model = model or ScriptedModel()
        self.held = 0
        self.owners: list[tuple[str, Priority]] = []

    def serving(self, model: str = "", *, images: bool = False) -> Serving:
        return Serving(self.model.name, self.model.demo, self.model.context_tokens, self.model.sees)

    async def stream(
        self,
        prepare: Prepare,
        *,
        owner: str,
        priority: Priority = Priority.CHAT,
        model: str = "",
        images: bool = False,
    ) -> AsyncGenerator[ReplyItem, None]:
        self.owners.append((owner, priority))
        self.held += 1
        try:
            async with aclosing(self.model.stream(await prepare(self.model))) as items:
                async for item in items:
                    yield item
        finally:
            self.held -= 1


async def run(
    a_task: Task,
    style: Style,
    *,
    tools: tuple[Tool, ...] = (),
    journal: MemoryJournal | None = None,
    pool: ChatPool | None = None,
    **more: Any,
) -> list[AgentEvent]:
    """All events of a run."""
    events = loop.run(
        a_task,
        journal=journal or MemoryJournal(),
        tools=tools,
        pool=pool or OneModelPool(),
        style=style,
        owner="conversation",
        **more,
    )
    async with aclosing(events):
        return [event async for event in events]


def finished(events: Sequence[AgentEvent]) -> Finished:
    """The last event, which must be `Finished` with the text of all deltas since the last reset."""
    last = events[-1]
    assert isinstance(last, Finished)
    text = ""
    for event in events:
        text = "" if isinstance(event, TextReset) else text + event.text if isinstance(event, TextDelta) else text
    assert last.text == text
    return last

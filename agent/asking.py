"""One call of a model for a run: fitted to the window of whoever answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from agent.events import TextDelta, TextReset, Usage
from agent.llm.chat import (
    ChatModel,
    ChatRequest,
    ModelError,
    ReasoningChunk,
    ReplyEnd,
    Restarted,
    TextChunk,
)
from agent.run import Run
from agent.styles.base import Ask, AskPlan
from agent.styles.files import images_of, with_images
from agent.styles.fitting import Fitted, fit

Asked = TypeVar("Asked", Ask, AskPlan)

#: The name under which a server says that a reply reached its token limit.
CUT_OFF = "length"
#: Characters of a model's reasoning that are kept.
MAX_REASONING = 4000


def with_more(asked: Asked, added: str) -> Asked:
    """The same question with more at its end. In the same message, because some chat formats want strict turns."""

    def more(request: ChatRequest) -> ChatRequest:
        *before, last = request.messages
        return replace(request, messages=(*before, replace(last, content=f"{last.content}\n\n{added}")))

    smaller = tuple(replace(variant, request=more(variant.request)) for variant in asked.smaller)
    return replace(asked, request=more(asked.request), smaller=smaller)


class Call:
    """One call and what came of it."""

    def __init__(self, run: Run, asked: Ask | AskPlan) -> None:
        self._run = run
        self._asked = asked
        self._chunks: list[str] = []
        #: What the model thought, cut to `MAX_REASONING` characters.
        self.reasoning = ""
        #: Characters of the reply so far.
        self.length = 0
        #: None until the reply has ended properly.
        self.end: ReplyEnd | None = None
        self.fitted: Fitted | None = None
        #: Names of the question's pictures that the model was not shown.
        self.unseen: tuple[str, ...] = ()
        #: Whether that is because it can't see at all.
        self.blind = False
        #: Pictures that the model was shown; how many it may be.
        self._shown = 0
        self._most_shown = len(images_of(asked))

    @property
    def text(self) -> str:
        return "".join(self._chunks)

    @property
    def cut(self) -> bool:
        """Whether the reply broke off at its token limit, or was left before its end."""
        return self.end is None or self.end.finish_reason == CUT_OFF

    @property
    def model(self) -> str | None:
        return None if self.end is None else self.end.model

    @property
    def endpoint(self) -> str:
        """Name of what answered, for people: of the endpoint, else of the model."""
        return "" if self.end is None else self.end.endpoint or self.end.model

    @property
    def instead_of(self) -> tuple[str, ...]:
        """Endpoints that could not answer."""
        return () if self.end is None else self.end.instead_of

    @property
    def usage(self) -> Usage:
        return Usage() if self.end is None else self.end.usage

    async def events(self) -> AsyncGenerator[TextDelta | TextReset, None]:
        """Make the call, once more where a refusal tells that the window is smaller than was known, or where it may be
        about the pictures.

        A reply without any text is no error here. Raises `ModelError`.
        """
        narrower = False
        while True:
            window = self._window()
            try:
                async with aclosing(self._events()) as events:
                    async for event in events:
                        yield event
                return
            except ModelError as error:
                if self._chunks:
                    raise
                if error.fault == "context_overflow" and self._window() < window and not narrower:
                    narrower = True
                elif error.fault in ("context_overflow", "rejected") and self._shown:
                    # Some take one picture, and some not this one.
                    self._most_shown = 1 if self._shown > 1 else 0
                else:
                    raise

    def _window(self) -> int:
        serving = self._run.pool.serving(self._run.task.profile.model, images=self._most_shown > 0)
        return serving.context_tokens

    async def _events(self) -> AsyncGenerator[TextDelta | TextReset, None]:
        run = self._run
        stream = run.pool.stream(
            self._prepare,
            owner=run.owner,
            priority=run.priority,
            model=run.task.profile.model,
            images=self._most_shown > 0,
        )
        try:
            async with aclosing(stream) as items:
                async for item in items:
                    match item:
                        case TextChunk():
                            self._chunks.append(item.text)
                            self.length += len(item.text)
                            yield TextDelta(item.text)
                        case ReasoningChunk():
                            if len(self.reasoning) < MAX_REASONING:
                                self.reasoning = (self.reasoning + item.text)[:MAX_REASONING]
                        case Restarted():
                            if self._chunks:
                                self._chunks.clear()
                                self.length = 0
                                yield TextReset()
                        case ReplyEnd():
                            self.end = item
        except ModelError as error:
            if error.fault != "empty":
                raise

    async def _prepare(self, model: ChatModel) -> ChatRequest:
        lang, images = self._run.task.lang, images_of(self._asked)
        self.blind = bool(images) and not await model.can_see()
        self._shown = 0 if self.blind else self._most_shown
        while True:
            try:
                self.fitted = await fit(with_images(self._asked, self._shown, lang), model, lang)
                break
            except ModelError as error:
                if error.fault != "context_overflow" or not self._shown:
                    raise
                self._shown -= 1
        self.unseen = tuple(image.name for image in images[self._shown :])
        return self.fitted.request

"""From the pieces of a completion to text and reasoning, told apart; usage and the end are noted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent.events import Usage
from agent.llm.chat import ReasoningChunk, ReplyItem, Restarted, TextChunk
from agent.llm.sse import SseReader
from agent.llm.thinking import CLOSE, OPEN, ThoughtFilter, append
from agent.llm.tokens import estimate

#: Characters of the longest piece that is taken for one token without a look.
_TOKEN_LENGTH = 8
#: Larger counts are nonsense.
_MOST_TOKENS = 2**31 - 1


class ServerError(Exception):
    """The server reported an error inside a reply that had begun."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class ProtocolError(Exception):
    """What arrived is no chat completion."""


class ReplyReader:
    """Reads one streamed (`feed`) or whole (`whole`) completion of `/chat/completions` or `/completions`."""

    def __init__(
        self, *, opened: bool = False, most_text: int | None = None, calls: bool = False, keep: bool = False
    ) -> None:
        """`opened`: see `ThoughtFilter`. `most_text`: tokens of text after which the reply is `full`. `calls`: give
        tool calls as text, in the form that Qwen's and Hermes' templates teach; else they are left out. `keep`: what
        the model thinks stays in the text, told apart for the counts only.
        """
        self._keep = keep
        #: Whether the text so far ends in a thought that came in a field of its own.
        self._open_field = False
        self._calls: dict[int, list[str]] | None = {} if calls else None
        self._most_text = most_text
        self._text_tokens = 0
        #: Whether there was more text than that. It is left out.
        self.full = False
        self._sse = SseReader()
        self._thoughts = ThoughtFilter(opened=opened)
        #: The model's name as the server gave it.
        self.model = ""
        #: "" until the server gave one.
        self.finish_reason = ""
        self.usage = Usage()
        #: Whether `[DONE]` has come.
        self.done = False
        #: Events with something that the model wrote so far, reasoning included.
        self.tokens = 0
        #: Tokens of reasoning so far, about; what turned out to be text is not taken off.
        self.thought_tokens = 0
        self._own_field = False

    @property
    def ended(self) -> bool:
        """Whether the server said that the reply is complete."""
        return self.done or bool(self.finish_reason)

    @property
    def junk(self) -> bool:
        """Whether something else than events was in the stream."""
        return self._sse.junk

    @property
    def thinking(self) -> bool:
        """Whether what came last was reasoning, and more of it may come."""
        return self._own_field or self._thoughts.inside

    @property
    def opened(self) -> bool:
        """Whether the reply showed that the model's chat template opens a block of reasoning."""
        return self._thoughts.opened

    def feed(self, received: bytes) -> list[ReplyItem]:
        """What these bytes bring. Raises `ServerError` and `ProtocolError`."""
        try:
            return self._read(self._sse.feed(received))
        except ValueError as error:
            raise ProtocolError(str(error)) from None

    def finish(self) -> list[ReplyItem]:
        """What was held back, at the end of the stream. Raises like `feed`."""
        return join(self._read(self._sse.finish()), self._rest())

    def whole(self, body: bytes) -> list[ReplyItem]:
        """What a completion holds that came in one piece. Raises like `feed`."""
        completion = self._parse(body)
        if not completion.get("choices"):
            raise ProtocolError("a JSON object without choices")
        self.done = True
        return join(self._take(completion, "message"), self._rest())

    def _rest(self) -> list[ReplyItem]:
        items = self._thoughts.finish(whole=self.ended and self.finish_reason != "length")
        calls = [f'{{"name": {json.dumps(name)}, "arguments": {args or "{}"}}}' for name, args in self._made_calls()]
        called: list[ReplyItem] = [TextChunk(f"<tool_call>\n{call}\n</tool_call>\n") for call in calls]
        if self._keep:
            ended = self._open_field and self.finish_reason != "length"
            return join([TextChunk(CLOSE)] if ended else [], self._noted(called))
        return self._noted(join(items, called))

    def _made_calls(self) -> list[tuple[str, str]]:
        return [(name, args) for name, args in (self._calls or {}).values() if name]

    def _read(self, events: list[bytes]) -> list[ReplyItem]:
        items: list[ReplyItem] = []
        for event in events:
            if event.startswith(b"[DONE]"):
                self.done = True
            elif not self.done:
                items = join(items, self._take(self._parse(event), "delta"))
        return items

    def _parse(self, data: bytes) -> dict[str, Any]:
        try:
            event = json.loads(data.decode())
        except (ValueError, RecursionError):
            raise ProtocolError("broken JSON") from None
        if not isinstance(event, dict):
            raise ProtocolError("JSON that is no object")
        if event.get("error") or event.get("error_code"):
            raise ServerError(_status(event), event.get("error") or event)
        return event

    def _take(self, event: Mapping[str, Any], key: str) -> list[ReplyItem]:
        if not self.model and isinstance(event.get("model"), str):
            self.model = event["model"]
        used = event.get("usage")
        if isinstance(used, dict):
            self.usage = Usage(_count(used, "prompt_tokens"), _count(used, "completion_tokens"))
        choices = event.get("choices")
        if not choices:
            return []
        try:
            choice = choices[0]
            reason, piece = choice.get("finish_reason"), choice.get(key) or {}
            # `/completions` has its text at the top; a refusal of OpenAI's is an answer, too.
            text = piece.get("content") or piece.get("refusal") or choice.get("text")
            thought = piece.get("reasoning_content") or piece.get("reasoning")
        except (AttributeError, KeyError, TypeError):
            raise ProtocolError("choices of an unknown shape") from None
        if reason:
            self.finish_reason = str(reason)
        called = self._calls is not None and self._note_calls(piece.get("tool_calls"))
        if text or thought or called:
            self.tokens += 1
            self._own_field = not text and not called
        thought = thought if isinstance(thought, str) else ""
        text = text if isinstance(text, str) else ""
        items: list[ReplyItem] = [ReasoningChunk(thought)] if thought else []
        if text:
            items = join(items, self._thoughts.feed(text))
        noted = self._noted(items)
        return self._as_written(thought, "" if self.full else text) if self._keep else noted

    def _as_written(self, thought: str, text: str) -> list[ReplyItem]:
        """Thought and text as the model wrote them: what the server took out is put back between its marks."""
        written = ""
        if thought:
            written = thought if self._open_field else OPEN + thought
            self._open_field = True
        if text:
            written += CLOSE + text if self._open_field else text
            self._open_field = False
        return [TextChunk(written)] if written else []

    def _note_calls(self, calls: object) -> bool:
        """Whether these are pieces of tool calls; kept until the end, since they come in any order."""
        if self._calls is None or not isinstance(calls, list):
            return False
        for at, call in enumerate(calls):
            function = call.get("function") if isinstance(call, Mapping) else None
            if isinstance(call, Mapping) and isinstance(function, Mapping):
                index = call.get("index", at)
                made = self._calls.setdefault(index if isinstance(index, int) else at, ["", ""])
                for place, name in enumerate(("name", "arguments")):
                    piece = function.get(name)
                    made[place] += piece if isinstance(piece, str) else ""
        return bool(calls)

    def _noted(self, items: list[ReplyItem]) -> list[ReplyItem]:
        kept: list[ReplyItem] = []
        for item in items:
            if isinstance(item, ReasoningChunk):
                self.thought_tokens += _tokens(item.text)
            elif isinstance(item, Restarted):
                self._text_tokens = 0
            elif isinstance(item, TextChunk):
                self._text_tokens += _tokens(item.text)
                self.full = self._most_text is not None and self._text_tokens > self._most_text
            if not (self.full and isinstance(item, TextChunk)):
                kept.append(item)
        return kept


def join(items: list[ReplyItem], more: list[ReplyItem]) -> list[ReplyItem]:
    """Both lists as one; neighbours of the same kind become one piece."""
    joined = list(items)
    for item in more:
        append(joined, item)
    return joined


def _tokens(piece: str) -> int:
    # Most pieces of a stream are one token each.
    return 1 if len(piece) <= _TOKEN_LENGTH else estimate(piece)


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    # What no model can have written is no count, and would fit into no column.
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _status(event: Mapping[str, Any]) -> int:
    """The HTTP status that an error event stands for; 500 where it names none."""
    inner = event.get("error")
    code = inner.get("code") if isinstance(inner, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500

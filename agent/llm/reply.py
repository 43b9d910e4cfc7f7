"""From the pieces of a chat completion to text for people: reasoning left out, usage and the end noted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent.events import Usage
from agent.llm.sse import SseReader

_OPEN, _CLOSE = "<think>", "</think>"


class ServerError(Exception):
    """The server reported an error inside a reply that had begun."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class ProtocolError(Exception):
    """What arrived is no chat completion."""


class ThinkFilter:
    """Leaves out one `<think>…</think>` block at the start of a text that comes in pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._state: str = "start"

    def feed(self, piece: str) -> str:
        """What of the text so far is for people and was not given out before."""
        if self._state == "open":
            return piece
        self._held += piece
        if self._state == "start":
            self._look_for_start()
        if self._state == "inside":
            self._look_for_end()
        if self._state == "after":
            self._held = self._held.lstrip()
            self._state = "open" if self._held else "after"
        if self._state != "open":
            return ""
        shown, self._held = self._held, ""
        return shown

    def finish(self) -> str:
        """What was held back in case it became a block and did not."""
        return self._held if self._state == "start" else ""

    def _look_for_start(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(_OPEN):
            self._held = begun[len(_OPEN) :]
            self._state = "inside"
        elif not _OPEN.startswith(begun):
            self._state = "open"

    def _look_for_end(self) -> None:
        at = self._held.find(_CLOSE)
        if at < 0:
            # Only a beginning of the end mark needs to be kept.
            self._held = self._held[-len(_CLOSE) + 1 :]
            return
        self._held = self._held[at + len(_CLOSE) :]
        self._state = "after"


class ReplyReader:
    """Reads one streamed (`feed`) or whole (`whole`) chat completion."""

    def __init__(self) -> None:
        self._sse = SseReader()
        self._think = ThinkFilter()
        #: The model's name as the server gave it.
        self.model = ""
        #: "" until the server gave one.
        self.finish_reason = ""
        self.usage = Usage()
        #: Whether `[DONE]` has come.
        self.done = False
        #: Events with something that the model wrote so far, reasoning included.
        self.tokens = 0

    @property
    def ended(self) -> bool:
        """Whether the server said that the reply is complete."""
        return self.done or bool(self.finish_reason)

    @property
    def junk(self) -> bool:
        """Whether something else than events was in the stream."""
        return self._sse.junk

    def feed(self, received: bytes) -> str:
        """The new text for people. Raises `ServerError` and `ProtocolError`."""
        try:
            return self._read(self._sse.feed(received))
        except ValueError as error:
            raise ProtocolError(str(error)) from None

    def finish(self) -> str:
        """The last text for people, at the end of the stream. Raises like `feed`."""
        return self._read(self._sse.finish()) + self._think.finish()

    def whole(self, body: bytes) -> str:
        """The text of a completion that came in one piece. Raises like `feed`."""
        completion = self._parse(body)
        if not completion.get("choices"):
            raise ProtocolError("a JSON object without choices")
        self.done = True
        return self._take(completion, "message") + self._think.finish()

    def _read(self, events: list[bytes]) -> str:
        text = ""
        for event in events:
            if event.startswith(b"[DONE]"):
                self.done = True
            elif not self.done:
                text += self._take(self._parse(event), "delta")
        return text

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

    def _take(self, event: Mapping[str, Any], key: str) -> str:
        if not self.model and isinstance(event.get("model"), str):
            self.model = event["model"]
        used = event.get("usage")
        if isinstance(used, dict):
            self.usage = Usage(_count(used, "prompt_tokens"), _count(used, "completion_tokens"))
        choices = event.get("choices")
        if not choices:
            return ""
        try:
            choice = choices[0]
            reason, piece = choice.get("finish_reason"), choice.get(key) or {}
            # A refusal of OpenAI's is an answer, too.
            text = piece.get("content") or piece.get("refusal")
            thought = piece.get("reasoning_content") or piece.get("reasoning")
        except (AttributeError, KeyError, TypeError):
            raise ProtocolError("choices of an unknown shape") from None
        if reason:
            self.finish_reason = str(reason)
        if text or thought:
            self.tokens += 1
        return self._think.feed(text) if isinstance(text, str) and text else ""


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) else None


def _status(event: Mapping[str, Any]) -> int:
    """The HTTP status that an error event stands for; 500 where it names none."""
    inner = event.get("error")
    code = inner.get("code") if isinstance(inner, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500

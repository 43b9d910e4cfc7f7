"""Bytes of the OpenAI HTTP API, as the servers that we know send them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"

_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def head(status: int, content_type: str, length: int | None, extra: Mapping[str, str] | None = None) -> bytes:
    """A response head; `length` None means chunked."""
    size = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}", f"content-type: {content_type}", size]
    lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole(status: int, body: bytes, content_type: str = JSON, extra: Mapping[str, str] | None = None) -> bytes:
    """A complete response."""
    return head(status, content_type, len(body), extra) + body


def whole_json(status: int, value: object, extra: Mapping[str, str] | None = None) -> bytes:
    """A complete JSON response."""
    return whole(status, json.dumps(value).encode(), JSON, extra)


def chunk(payload: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


LAST_CHUNK = b"0\r\n\r\n"
DONE = chunk(b"data: [DONE]\n\n")


class Chunks:
    """Server-sent events of one streamed reply: of a chat call, or of a plain completion."""

    def __init__(self, call_id: str, model: str, *, chat: bool, role: Mapping[str, Any] | None) -> None:
        kind = "chat.completion.chunk" if chat else "text_completion"
        frame = {"id": call_id, "object": kind, "created": int(time.time()), "model": model}
        self._open = b"data: " + json.dumps(frame)[:-1].encode()
        self._chat = chat
        self._role = role

    def role(self) -> bytes:
        """The first event; a completion has none."""
        return self.delta(self._role or {"role": "assistant"}) if self._chat else b""

    def piece(self, field: str, text: str) -> bytes:
        return self.delta({field: text}) if self._chat else self._choice({"text": text}, None)

    def end(self, finish: str, used: Mapping[str, int] | None = None) -> bytes:
        """The event with the finish_reason, and with the usage where a server tells it there."""
        return self._choice({"delta": {}} if self._chat else {"text": ""}, finish, used)

    def delta(self, delta: Mapping[str, object], finish: str | None = None) -> bytes:
        return self._choice({"delta": delta}, finish)

    def usage(self, usage: Mapping[str, int]) -> bytes:
        return self._event(b'"choices": [], "usage": ' + json.dumps(usage).encode())

    def _choice(
        self, content: Mapping[str, object], finish: str | None, used: Mapping[str, int] | None = None
    ) -> bytes:
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": finish}
        more = b"" if used is None else b', "usage": ' + json.dumps(used).encode()
        return self._event(b'"choices": [' + json.dumps(choice).encode() + b"]" + more)

    def _event(self, fields: bytes) -> bytes:
        return chunk(self._open + b", " + fields + b"}\n\n")


def usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(
    call_id: str, model: str, fields: Mapping[str, str], finish: str, used: Mapping[str, int], *, chat: bool
) -> dict[str, Any]:
    """A reply that isn't streamed; `fields` are its texts."""
    content = (
        {"message": {"role": "assistant", "content": None, **fields}} if chat else {"text": fields.get("content", "")}
    )
    return {
        "id": call_id,
        "object": "chat.completion" if chat else "text_completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, **content, "finish_reason": finish}],
        "usage": used,
    }


def tool_call(call_id: str, name: str, arguments: str) -> Sequence[Mapping[str, Any]]:
    """A tool call as OpenAI writes it."""
    function = {"name": name, "arguments": arguments}
    return [{"index": 0, "id": f"call_{call_id}", "type": "function", "function": function}]


def error(status: int, message: str, **fields: object) -> bytes:
    """An error in OpenAI's shape."""
    inner = {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}
    return whole_json(status, {"error": inner})

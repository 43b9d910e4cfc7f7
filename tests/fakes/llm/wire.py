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
    """Server-sent events of one streamed completion."""

    def __init__(self, call_id: str, model: str) -> None:
        frame = {"id": call_id, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        self._open = b"data: " + json.dumps(frame)[:-1].encode()

    def delta(self, delta: Mapping[str, object], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._event(b'"choices": [' + json.dumps(choice).encode() + b"]")

    def usage(self, usage: Mapping[str, int]) -> bytes:
        return self._event(b'"choices": [], "usage": ' + json.dumps(usage).encode())

    def _event(self, fields: bytes) -> bytes:
        return chunk(self._open + b", " + fields + b"}\n\n")


def usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(
    call_id: str, model: str, text: str, finish: str, used: Mapping[str, int], tools: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """A completion that isn't streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if tools:
        message.update(content=text or None, tool_calls=tools)
    return {
        "id": call_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": used,
    }


def error(status: int, message: str, **fields: object) -> bytes:
    """An error in OpenAI's shape."""
    inner = {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}
    return whole_json(status, {"error": inner})


def overflow(shape: str) -> bytes:
    """400 for a prompt that does not fit, as each kind of server says it."""
    match shape:
        case "llama.cpp":
            message = "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it"
            inner = {"code": 400, "message": message, "type": "exceed_context_size_error"}
            return whole_json(400, {"error": {**inner, "n_prompt_tokens": 5000, "n_ctx": 4096}})
        case "openai" | "llama_cpp.server":
            message = "This model's maximum context length is 4096 tokens. Your messages resulted in 5000 tokens."
            return error(400, message, code="context_length_exceeded", param="messages")
        case _:
            message = (
                "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
                "(4900 in the messages, 100 in the completion)."
            )
            return error(400, message, type="BadRequestError", code=400)

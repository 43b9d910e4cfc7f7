"""The fake's sockets: a small HTTP/1.1 server on bare asyncio, so that it costs next to nothing."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from tests.fakes.llm import plans, script, wire

#: Which server's side endpoints and error shapes to imitate.
Kind = Literal["vllm", "llama.cpp", "llama_cpp.server", "openai"]


@dataclass(slots=True)
class Config:
    """What one fake is like."""

    kind: Kind = "vllm"
    model: str = "fake-model"
    #: Window that it reports, and enforces when `enforce` is set; None: reports none.
    context: int | None = None
    enforce: bool = False
    #: Key that it demands; "" demands none.
    api_key: str = ""
    #: Whether the log has the requests' headers (without the key).
    log_headers: bool = False
    #: Whether the log has the requests' bodies.
    log_requests: bool = False
    pace: script.Pace = field(default_factory=script.Pace)
    #: Directives for requests that carry none, and for how many requests they hold; None: for ever.
    directives: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None


class Log:
    """One JSON line per event, written before the call goes on, so that it survives any death."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **fields: object) -> None:
        os.write(self._file, json.dumps(fields).encode() + b"\n")


class Server:
    """State that all connections share."""

    def __init__(self, config: Config, log: Log) -> None:
        self.config = config
        self.log = log
        self.prefix = f"{os.getpid():x}"
        self.calls = 0
        #: Planning calls by question.
        self._planned: Counter[str] = Counter()
        #: The last plans that can't be carried out, as text.
        self.unusable: deque[str] = deque(maxlen=200)

    def connection(self) -> Connection:
        return Connection(self)

    def next_id(self) -> str:
        self.calls += 1
        return f"chatcmpl-{self.prefix}-{self.calls}"

    def script_for(self, request: script.Request) -> script.Script:
        """The play for a request. Raises `ValueError`."""
        directives = self._directives_for(request)
        key = plans.key(request.asked)
        earlier = self._planned[key]
        self._planned[key] += request.purpose == "plan"
        play = script.write(request, self.config.pace, directives, earlier)
        if play.unusable:
            self.unusable.append("".join(play.tokens))
        return play

    def _directives_for(self, request: script.Request) -> Mapping[str, str]:
        """Those in the question; else those set by `/control`, which count down."""
        found = script.parse_directives(request.asked)
        config = self.config
        if found or not config.directives or config.times == 0:
            return script.meant_for(request, found, "answer")
        if config.times is not None:
            config.times -= 1
        return script.meant_for(request, config.directives, "all")


class Connection(asyncio.Protocol):
    """One client connection; one request at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = bytearray()
        self._answer: Answer | None = None
        self._last = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.abandon()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._answer is None:
            self._next_request()

    def _next_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(self._buffer) < end + 4 + length:
            return
        self._last = headers.get("connection") == "close"
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        self._route(method, urlsplit(target).path, headers, body)

    def _route(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        config = self._server.config
        if path == "/health":
            return self._reply(wire.whole_json(200, {"status": "ok"}))
        if path == "/control":
            return self._control(json.loads(body))
        if config.api_key and headers.get("authorization") != f"Bearer {config.api_key}":
            sent = headers.get("authorization", "").removeprefix("Bearer ")
            return self._reply(wire.error(401, f"Incorrect API key provided: {sent}", code="invalid_api_key"))
        if (method, path) == ("POST", "/v1/chat/completions"):
            return self._chat(headers, json.loads(body))
        if (method, path) == ("GET", "/v1/models"):
            return self._reply(wire.whole_json(200, models(config)))
        if (method, path) == ("POST", "/tokenize") and config.kind in ("vllm", "llama.cpp"):
            return self._reply(wire.whole_json(200, tokenize(config, json.loads(body))))
        if (method, path) == ("GET", "/props") and config.kind == "llama.cpp":
            props = {"default_generation_settings": {"n_ctx": config.context}, "total_slots": 4}
            return self._reply(wire.whole_json(200, props))
        self._reply(wire.error(404, f"no such path: {path}"))

    def _control(self, wanted: Mapping[str, Any]) -> None:
        self._server.config.directives = script.parse_directives(wanted["directives"])
        self._server.config.times = wanted.get("times")
        self._reply(wire.whole_json(200, {}))

    def _chat(self, headers: Mapping[str, str], body: dict[str, Any]) -> None:
        server = self._server
        request = script.read(body, server.unusable)
        call_id = server.next_id()
        seen = {name: value for name, value in headers.items() if name != "authorization"}
        more: dict[str, Any] = {"headers": seen} if server.config.log_headers else {}
        if server.config.log_requests:
            more["body"] = body
        user, purpose = script.last_user_text(body), request.purpose
        server.log.write(
            event="started", at=time.time(), id=call_id, model=body.get("model"), user=user, purpose=purpose, **more
        )
        try:
            play = server.script_for(request)
        except ValueError as error:
            server.log.write(event="ended", at=time.time(), id=call_id, outcome=f"bad script: {error}", tokens=0)
            return self._reply(wire.error(400, str(error)))
        self._answer = Answer(self, server, call_id, body, play)
        self._answer.begin()

    def _reply(self, data: bytes) -> None:
        self.transport.write(data)
        self.answered(streamed=False)

    def answered(self, *, streamed: bool) -> None:
        """The answer is complete; the connection may carry another request.

        llama.cpp closes after a stream without a word (seen: its response announces keep-alive).
        """
        self._answer = None
        if self._last or (streamed and self._server.config.kind == "llama.cpp"):
            self.transport.close()
        elif self._buffer:
            self._next_request()


class Answer:
    """One answer on its way."""

    def __init__(
        self, connection: Connection, server: Server, call_id: str, body: dict[str, Any], play: script.Script
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._server = server
        self._id = call_id
        self._body = body
        self._play = play
        self._model = str(body.get("model") or server.config.model)
        self._chunks = wire.Chunks(call_id, self._model)
        self._timer: asyncio.TimerHandle | None = None
        self._sent = 0
        self._begun = self._loop.time()
        self._pieces = [("reasoning_content", piece) for piece in play.reasoning]
        self._pieces += [("content", piece) for piece in play.tokens]

    def begin(self) -> None:
        play = self._play
        if play.has("hang"):
            return
        refusal = self._refusal()
        if refusal is not None:
            self._after(play.pace.first, lambda: self._whole(refusal))
        elif play.has("reset") and play.number("reset", 0) == 0:
            self._after(play.pace.first, self._reset)
        elif play.has("nostream") or not self._body.get("stream"):
            self._after(play.pace.first + play.pace.gap * len(self._pieces), self._answer_whole)
        elif play.has("ping"):
            self._open()
            self._ping()
        else:
            self._after(play.pace.first, self._first)

    def abandon(self) -> None:
        """The client went away."""
        self._log("aborted")

    def _refusal(self) -> bytes | None:
        play, body, config = self._play, self._body, self._server.config
        if play.has("status"):
            status = play.number("status", 500)
            return wire.error(status, f"status {status} was asked for", type="fake_error")
        if play.has("retry"):
            inner = {"message": "too many requests", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
            return wire.whole_json(429, {"error": inner}, {"retry-after": play.text("retry", "1")})
        if play.has("html"):
            return wire.whole(200, b"<!doctype html><title>Sign in</title><p>Please sign in.", "text/html")
        if play.has("nooptions") and "stream_options" in body:
            return wire.error(400, "Unrecognized request argument supplied: stream_options", param="stream_options")
        if play.has("nomaxtokens") and "max_tokens" in body:
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return wire.error(400, message, param="max_tokens", code="unsupported_parameter")
        if play.has("overflow") or (config.enforce and config.context and self._asked_for() > config.context):
            return wire.overflow(play.text("overflow", config.kind))
        return None

    def _asked_for(self) -> int:
        return self._play.prompt_tokens + int(self._body.get("max_tokens") or 0)

    def _whole(self, data: bytes) -> None:
        self._connection.transport.write(data)
        self._finish("refused")

    def _answer_whole(self) -> None:
        play = self._play
        used = wire.usage(play.prompt_tokens, len(play.tokens))
        text = "".join(play.tokens)
        answer = wire.completion(self._id, self._model, text, play.finish, used, _tool_calls(play.tool, self._id))
        self._sent = len(self._pieces)
        self._connection.transport.write(wire.whole_json(200, answer))
        self._finish("finished")

    def _open(self) -> None:
        self._connection.transport.write(wire.head(200, wire.SSE, None))

    def _ping(self) -> None:
        self._connection.transport.write(wire.chunk(b": ping\n\n"))
        self._after(self._play.pace.gap or 0.05, self._ping)

    def _first(self) -> None:
        play, write = self._play, self._connection.transport.write
        self._open()
        if play.has("empty"):
            return self._empty(play.text("empty", "bare"))
        if play.has("garbage"):
            write(wire.chunk(bytes(range(128, 256)) * 4) + wire.LAST_CHUNK)
            return self._finish("garbage")
        if play.has("badjson"):
            write(wire.chunk(b'data: {"choices": [{"delta": {"cont\n\n') + wire.LAST_CHUNK)
            return self._finish("garbage")
        write(self._chunks.delta({"role": "assistant", "content": ""}))
        self._more()

    def _empty(self, how: str) -> None:
        write = self._connection.transport.write
        if how == "stop":
            write(self._chunks.delta({"role": "assistant", "content": ""}) + self._chunks.delta({}, "stop"))
        if how != "bare":
            write(wire.DONE)
        write(wire.LAST_CHUNK)
        self._finish("empty")

    def _more(self) -> None:
        """Send all tokens that are due by now, on the schedule that the first token set."""
        play, pieces = self._play, self._pieces
        elapsed = self._loop.time() - self._begun - play.pace.first
        due = len(pieces) if play.pace.gap <= 0 else min(len(pieces), int(elapsed / play.pace.gap + 1e-6) + 1)
        stop = next((play.number(name, 0) for name in ("stall", "reset", "end", "error") if play.has(name)), None)
        if stop is not None:
            due = min(due, stop)
        if due > self._sent:
            deltas = [self._chunks.delta({kind: piece}) for kind, piece in pieces[self._sent : due]]
            self._sent = due
            self._connection.transport.write(b"".join(deltas))
        if stop is not None and due >= stop:
            return self._break_off()
        if due == len(pieces):
            return self._end()
        self._timer = self._loop.call_at(self._begun + play.pace.first + due * play.pace.gap, self._more)

    def _break_off(self) -> None:
        play, write = self._play, self._connection.transport.write
        if play.has("stall"):
            return
        if play.has("reset"):
            # What was written must have left before the reset, or the peer never sees it.
            return self._after(0.02, self._reset)
        if play.has("error"):
            inner = {"message": "the engine died", "type": "InternalServerError", "code": 500}
            write(wire.chunk(b"data: " + json.dumps({"error": inner}).encode() + b"\n\n") + wire.DONE)
        write(wire.LAST_CHUNK)
        self._finish("broken off")

    def _end(self) -> None:
        play = self._play
        calls = _tool_calls(play.tool, self._id)
        data = self._chunks.delta({"tool_calls": calls}) if calls else b""
        data += self._chunks.delta({}, play.finish)
        wants_usage = (self._body.get("stream_options") or {}).get("include_usage")
        if wants_usage and not play.has("nousage") and self._server.config.kind != "llama_cpp.server":
            data += self._chunks.usage(wire.usage(play.prompt_tokens, len(self._pieces)))
        self._connection.transport.write(data + wire.DONE + wire.LAST_CHUNK)
        self._finish("finished")

    def _reset(self) -> None:
        sock = self._connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._log("reset")
        self._connection.transport.abort()

    def _finish(self, outcome: str) -> None:
        self._log(outcome)
        self._connection.answered(streamed=outcome != "refused")

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        if seconds <= 0:
            what()
        else:
            self._timer = self._loop.call_at(self._loop.time() + seconds, what)

    def _log(self, outcome: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._id:
            self._server.log.write(event="ended", at=time.time(), id=self._id, outcome=outcome, tokens=self._sent)
        self._id = ""


def _tool_calls(call: plans.Call | None, call_id: str) -> list[dict[str, Any]]:
    """A tool call as OpenAI writes it; [] for none."""
    if call is None:
        return []
    function = {"name": call.tool, "arguments": json.dumps(call.args, ensure_ascii=False)}
    return [{"index": 0, "id": f"call_{call_id}", "type": "function", "function": function}]


def models(config: Config) -> dict[str, Any]:
    """GET /v1/models, with the window where the imitated server tells it."""
    model: dict[str, Any] = {"id": config.model, "object": "model", "created": 1, "owned_by": config.kind}
    if config.context is not None and config.kind == "vllm":
        model["max_model_len"] = config.context
    if config.context is not None and config.kind == "llama.cpp":
        model["meta"] = {"n_ctx": config.context, "n_ctx_train": 4 * config.context}
    return {"object": "list", "data": [model]}


def tokenize(config: Config, body: Mapping[str, Any]) -> dict[str, Any]:
    """POST /tokenize in vLLM's shape (`prompt` or `messages`) or llama.cpp's (`content`)."""
    if config.kind == "llama.cpp":
        return {"tokens": list(range(script.count_tokens(str(body["content"]))))}
    text = body.get("prompt") or "\n".join(str(message["content"]) for message in body.get("messages") or [])
    count = script.count_tokens(str(text))
    return {"count": count, "max_model_len": config.context, "tokens": list(range(count))}

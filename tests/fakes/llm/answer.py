"""One reply on its way: what is sent, when, and every way in which it goes wrong."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tests.fakes.llm import images, refusals, wire
from tests.fakes.llm.config import Config
from tests.fakes.llm.log import Log
from tests.fakes.llm.script import Script
from tests.fakes.llm.turn import Turns


class Peer(Protocol):
    """The connection that a reply goes to."""

    transport: asyncio.Transport

    def answered(self, *, streamed: bool) -> None:
        """The reply is complete."""


class Answer:
    """One answer on its way."""

    def __init__(
        self, peer: Peer, config: Config, log: Log, turns: Turns, call_id: str, body: Mapping[str, Any], play: Script
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._peer = peer
        self._config = config
        self._logged = log
        self._turns = turns
        self._id = call_id
        self._body = body
        self._play = play
        self._chat = "messages" in body
        self._model = str(body.get("model") or config.model)
        self._chunks = wire.Chunks(call_id, self._model, chat=self._chat, role=config.kind.role)
        self._timer: asyncio.TimerHandle | None = None
        self._sent = 0
        self._opened = False
        self._holds = False
        self._begun = self._loop.time()

    @property
    def _streams(self) -> bool:
        return bool(self._body.get("stream")) and not self._play.has("nostream")

    def begin(self) -> None:
        play = self._play
        if play.has("hang"):
            return
        refusal = self._refusal()
        if refusal is not None:
            self._after(0.0 if self._turns.full else play.pace.first, lambda: self._whole(refusal))
        elif play.has("reset") and play.number("reset", 0) == 0:
            self._after(play.pace.first, self._reset)
        else:
            if self._config.kind.one_context and self._streams:
                # Seen: the response begins at once, before it is the call's turn.
                self._open()
            self._turns.enter(self._run)

    def _run(self) -> None:
        """It is our turn."""
        play, kind = self._play, self._config.kind
        self._holds = True
        self._begun = self._loop.time()
        # An error in a stream comes too late for a status there: seen for a prompt that does not fit.
        too_late = refusals.refusal(kind, self._body, (), self._window()) if kind.one_context else None
        if too_late is not None and self._streams:
            self._after(play.pace.first, lambda: self._empty("bare"))
        elif too_late is not None:
            self._after(play.pace.first, lambda: self._whole(too_late))
        elif not self._streams:
            self._after(play.pace.first + play.pace.gap * len(play.pieces), self._answer_whole)
        elif play.has("ping"):
            self._open()
            self._ping()
        else:
            self._after(play.pace.first, self._first)

    def abandon(self) -> None:
        """The client went away."""
        if self._holds and not self._streams and self._config.kind.one_context:
            # Section 3, "Cancel": what does not stream goes on to its end, and the next one waits for it.
            self._logged.write(event="ended", at=time.time(), id=self._id, outcome="aborted", tokens=0)
            self._id = ""
            return
        self._log("aborted")

    def _window(self) -> int | None:
        return self._config.context if self._config.enforce else None

    def _refusal(self) -> bytes | None:
        play, body, config = self._play, self._body, self._config
        if play.has("status"):
            status = play.number("status", 500)
            return wire.error(status, f"status {status} was asked for", type="fake_error")
        if self._turns.full:
            too_much = self._config.refuses_with
            return refusals.overloaded("1") if too_much == 429 else wire.error(too_much, "too many requests wait")
        if play.has("retry"):
            return refusals.overloaded(play.text("retry", "1"))
        if play.has("quota"):
            return refusals.out_of_money()
        if play.has("html"):
            return wire.whole(200, b"<!doctype html><title>Sign in</title><p>Please sign in.", "text/html")
        if play.has("nooptions") and "stream_options" in body:
            return wire.error(400, "Unrecognized request argument supplied: stream_options", param="stream_options")
        if play.has("nomaxtokens") and "max_tokens" in body:
            return refusals.no_max_tokens()
        if play.has("overflow"):
            return refusals.overflow(play.text("overflow", config.kind.name))
        no_template = not config.template and config.kind.name in ("vllm", "reasoning")
        if self._chat and (no_template or play.has("notemplate")):
            return refusals.no_template()
        if not config.vision and images.of(body):
            blind = refusals.no_images(config.kind, config.model)
            if blind is not None:
                return blind
        window = None if config.kind.one_context else self._window()
        return refusals.refusal(config.kind, body, (config.model,), window)

    def _whole(self, data: bytes) -> None:
        self._finish("refused", data)

    def _answer_whole(self) -> None:
        play = self._play
        data = b""
        if self._id:
            used = wire.usage(play.prompt_tokens, len(play.pieces))
            names = ("content", "refusal", "reasoning_content")
            fields = {name: play.said(name) for name in names if any(kind == name for kind, _ in play.pieces)}
            fields = fields or ({} if play.tool else {"content": ""})
            answer = wire.completion(self._id, self._model, fields, play.finish, used, chat=self._chat)
            if play.tool is not None:
                answer["choices"][0]["message"]["tool_calls"] = self._tool_calls()
            self._sent = len(play.pieces)
            data = wire.whole_json(200, answer)
        self._finish("finished", data)

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._write(wire.head(200, wire.SSE, None))

    def _ping(self) -> None:
        self._write(wire.chunk(b": ping\n\n"))
        self._after(self._play.pace.gap or 0.05, self._ping)

    def _first(self) -> None:
        play = self._play
        self._open()
        if play.has("empty"):
            return self._empty(play.text("empty", "bare"))
        if play.has("garbage"):
            return self._finish("garbage", wire.chunk(bytes(range(128, 256)) * 4) + wire.LAST_CHUNK)
        if play.has("badjson"):
            return self._finish("garbage", wire.chunk(b'data: {"choices": [{"delta": {"cont\n\n') + wire.LAST_CHUNK)
        self._write(self._chunks.role())
        if not self._interrupted():
            self._more()

    def _empty(self, how: str) -> None:
        data = self._chunks.role() + self._chunks.end("stop") if how == "stop" else b""
        data += wire.DONE if how != "bare" else b""
        self._finish("empty", data + wire.LAST_CHUNK)

    def _interrupted(self) -> bool:
        """Whether somebody else waits for the only context: then the stream ends here, with [DONE] and without an end
        of the response (section 3; section 7: llama-cpp-python#867, #897).
        """
        if not (self._config.kind.one_context and self._config.interrupt and self._turns.wanted):
            return False
        self._write(wire.DONE)
        self._log("interrupted")
        self._peer.transport.close()
        return True

    def _more(self) -> None:
        """Send all tokens that are due by now, on the schedule that the first token set."""
        play, pieces = self._play, self._play.pieces
        elapsed = self._loop.time() - self._begun - play.pace.first
        due = len(pieces) if play.pace.gap <= 0 else min(len(pieces), int(elapsed / play.pace.gap + 1e-6) + 1)
        stop = next((play.number(name, 0) for name in ("stall", "reset", "end", "error") if play.has(name)), None)
        if stop is not None:
            due = min(due, stop)
        if due > self._sent:
            new = [self._chunks.piece(kind, piece) for kind, piece in pieces[self._sent : due]]
            self._sent = due
            self._write(b"".join(new))
        if stop is not None and due >= stop:
            return self._break_off()
        if due == len(pieces):
            return self._end()
        if not self._interrupted():
            self._timer = self._loop.call_at(self._begun + play.pace.first + due * play.pace.gap, self._more)

    def _break_off(self) -> None:
        play = self._play
        if play.has("stall"):
            return
        if play.has("reset"):
            # What was written must have left before the reset, or the peer never sees it.
            return self._after(0.02, self._reset)
        if play.has("error"):
            inner = {"message": "the engine died", "type": "InternalServerError", "code": 500}
            # FastChat hands on what its worker said.
            worker = {"text": "the engine died", "error_code": 50001}
            said = worker if self._config.kind.name == "fastchat" else {"error": inner}
            self._write(wire.chunk(b"data: " + json.dumps(said).encode() + b"\n\n") + wire.DONE)
        self._finish("broken off", wire.LAST_CHUNK)

    def _end(self) -> None:
        play, kind = self._play, self._config.kind
        data = self._chunks.delta({"tool_calls": self._tool_calls()}) if play.tool is not None else b""
        wants_usage = (self._body.get("stream_options") or {}).get("include_usage")
        used = wire.usage(play.prompt_tokens, len(play.pieces)) if kind.usage and not play.has("nousage") else None
        if kind.name == "llama.cpp" and not self._chat:
            # Seen: its completions tell the usage in their last event, asked for or not.
            data += self._chunks.end(play.finish, used)
        else:
            data += self._chunks.end(play.finish)
            data += self._chunks.usage(used) if used is not None and wants_usage else b""
        self._finish("finished", data + wire.DONE + wire.LAST_CHUNK)

    def _tool_calls(self) -> Any:
        call = self._play.tool
        assert call is not None
        return wire.tool_call(self._id, call.tool, json.dumps(call.args, ensure_ascii=False))

    def _reset(self) -> None:
        sock = self._peer.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._log("reset")
        self._peer.transport.abort()

    def _write(self, data: bytes) -> None:
        if self._id:
            self._peer.transport.write(data)

    def _finish(self, outcome: str, last: bytes) -> None:
        """The end of the reply, also of one that nobody waits for. What the client sees is in the log before."""
        gone = not self._id
        self._log(outcome)
        if not gone:
            self._peer.transport.write(last)
            self._peer.answered(streamed=outcome != "refused")

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        if seconds <= 0:
            what()
        else:
            self._timer = self._loop.call_at(self._loop.time() + seconds, what)

    def _log(self, outcome: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._id:
            self._logged.write(event="ended", at=time.time(), id=self._id, outcome=outcome, tokens=self._sent)
        self._id = ""
        if self._holds:
            self._holds = False
            self._turns.leave()
        else:
            self._turns.withdraw(self._run)

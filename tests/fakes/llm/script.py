"""What the fake does with one request, decided from the request alone: from the directives in its question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Literal

from tests.fakes.llm import plans, schema

#: Every name that `[fake:NAME]` or `[fake:NAME=VALUE]` may have, with what it does.
DIRECTIVES: Mapping[str, str] = {
    "first": "seconds until the first token",
    "gap": "seconds between tokens",
    "tokens": "number of tokens of the answer",
    "say": "the answer's text, word by word, in place of the usual one",
    "long": "an answer of this many characters",
    "finish": "the finish_reason",
    "hang": "take the request and never answer",
    "stall": "send this many tokens, then nothing more",
    "ping": "send response headers, then SSE comments every `gap` seconds and never a token",
    "empty": "200 without text: `bare` (no event at all), `done` (only [DONE]) or `stop` (a finish_reason, no text)",
    "garbage": "200 text/event-stream, then bytes that are no text",
    "badjson": "200 text/event-stream, then an event whose data is cut-off JSON",
    "html": "200 text/html",
    "status": "this HTTP status with an error body",
    "overflow": "400 context overflow as `vllm`, `llama.cpp`, `llama_cpp.server` or `openai` say it",
    "retry": "429 with this Retry-After",
    "reset": "reset the connection after this many tokens; 0: before the response",
    "end": "end the response properly after this many tokens, without finish_reason and [DONE]",
    "error": "an error event after this many tokens",
    "reasoning": "this many reasoning_content deltas first",
    "think": "a <think> block of this many words first, in the text itself",
    "nousage": "no usage in the stream",
    "nooptions": "reject stream_options, as old servers do",
    "nomaxtokens": "reject max_tokens in favour of max_completion_tokens, as OpenAI's newer models do",
    "nostream": "ignore `stream` and answer with one JSON object",
    "when": "which calls the other directives are for: `answer`, `plan`, `plan2` (the second plan), `all`. Without it: "
    "those in a message are for the `answer`, those set by `/control` for `all`",
    "plan": 'the plans, one after the other: `tool{"argument": "value"};tool2{…};…`; then `task_complete`, which is '
    "also what a planning call gets without this. `#n` in an argument is the plan's number",
    "thought": "the thought of every plan",
    "badplan": "spoil the plans: `KIND`, or `KIND/TIMES` for the first so many planning calls of a question. "
    + "; ".join(f"`{name}`: {what}" for name, what in plans.BAD.items()),
}
#: Those that shape plans and never anything else, so `when` doesn't concern them (but `badplan`).
_PLANNING = ("plan", "thought", "when")

_DIRECTIVE = re.compile(r"\[fake:([a-z]+)(=)?")
_MARKER = re.compile(r"\[m:[^\]\s]+\]")
_TOKEN = re.compile(r"[\u4e00-\u9fff]|\w+|[^\w\s]")
_WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "runs", "home"]


@dataclass(frozen=True, slots=True)
class Pace:
    """Timing of an answer where the request says nothing else."""

    #: Seconds from the request to the first token.
    first: float = 0.0
    #: Seconds from token to token.
    gap: float = 0.0
    #: Tokens of an answer.
    tokens: int = 12


#: What a call is for: an answer for people, a plan, or JSON by a schema that is no plan's.
Purpose = Literal["answer", "plan", "json"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a script sees it."""

    body: Mapping[str, Any]
    #: The text that directives and markers are read from.
    asked: str
    purpose: Purpose
    #: Number of the plan that is due; 0 where none is wanted.
    due: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """One request's play."""

    directives: Mapping[str, str]
    pace: Pace
    #: The text that a reader sees, token by token.
    tokens: Sequence[str]
    reasoning: Sequence[str]
    #: The finish_reason: `length` where the request's `max_tokens` cut the answer.
    finish: str
    prompt_tokens: int
    #: A tool call in place of text.
    tool: plans.Call | None = None
    #: Whether it is a plan that can't be carried out.
    unusable: bool = False

    def has(self, name: str) -> bool:
        return name in self.directives

    def text(self, name: str, default: str = "") -> str:
        return self.directives.get(name) or default

    def number(self, name: str, default: int) -> int:
        value = self.directives.get(name)
        return int(value) if value else default


def count_tokens(text: str) -> int:
    """Tokens of the fake's own tokenizer: one per Chinese character, word and punctuation mark."""
    return len(_TOKEN.findall(text))


def last_user_text(body: Mapping[str, Any]) -> str:
    """The last user message's text; "" if there is none."""
    for message in reversed(body.get("messages") or []):
        if message.get("role") == "user":
            return str(message.get("content") or "")
    return ""


def read(body: Mapping[str, Any], rejected: Sequence[str]) -> Request:
    """What this request wants. `rejected`: see `plans.number`."""
    if plans.asked_for(body):
        messages = body.get("messages") or []
        asked = plans.question(messages, _DIRECTIVE, rejected)
        return Request(body, asked, "plan", plans.number(messages, asked, rejected))
    return Request(body, last_user_text(body), "json" if schema.of(body) is not None else "answer")


def parse_directives(text: str) -> dict[str, str]:
    """All directives in `text`. Raises `ValueError` for one that does not exist: a test with a typo must fail."""
    found: dict[str, str] = {}
    for match in _DIRECTIVE.finditer(text):
        name, value = match[1], ""
        if name == "plan" and match[2]:
            value, _ = plans.read(text, match.end())
        elif "]" not in text[match.end() :]:
            continue
        elif match[2]:
            value = text[match.end() : text.index("]", match.end())]
        found[name] = value
    unknown = sorted(set(found) - set(DIRECTIVES))
    if unknown:
        raise ValueError(f"no such directive: {', '.join(unknown)}; there are {', '.join(DIRECTIVES)}")
    kind = found.get("badplan", "repeat").partition("/")[0]
    if kind not in plans.BAD:
        raise ValueError(f"no such bad plan: {kind}; there are {', '.join(plans.BAD)}")
    return found


def meant_for(request: Request, directives: Mapping[str, str], default: str) -> Mapping[str, str]:
    """Those directives that hold for this request, as `when` (else `default`) says."""
    when = directives.get("when") or default
    if when in ("all", request.purpose, f"plan{request.due}") or (when, request.purpose) == ("answer", "json"):
        return directives
    kept = (*_PLANNING, "badplan") if "when" not in directives else _PLANNING
    return {name: value for name, value in directives.items() if name in kept}


def write(request: Request, pace: Pace, directives: Mapping[str, str], earlier: int = 0) -> Script:
    """The play for this request; `earlier` planning calls were made for the same question before."""
    body = request.body
    pace = Pace(
        first=float(directives.get("first") or pace.first),
        gap=float(directives.get("gap") or pace.gap),
        tokens=int(directives.get("tokens") or pace.tokens),
    )
    cap = body.get("max_tokens") or body.get("max_completion_tokens")
    finish, tool, usable = "", None, True
    if request.purpose == "plan":
        reply = _plan(request, directives, earlier)
        tokens, finish, tool, usable = _pieces(reply.text), reply.finish, reply.tool, reply.usable
    else:
        tokens = _answer(request.asked, pace, directives)
    tokens = _think(directives) + tokens
    prompt = "\n".join(str(message.get("content") or "") for message in body.get("messages") or [])
    return Script(
        directives=directives,
        pace=pace,
        tokens=tokens[:cap],
        finish=directives.get("finish") or ("length" if cap and len(tokens) > cap else finish or "stop"),
        reasoning=_words(int(directives["reasoning"] or 5)) if "reasoning" in directives else [],
        prompt_tokens=count_tokens(prompt),
        tool=tool,
        unusable=not usable,
    )


def _plan(request: Request, directives: Mapping[str, str], earlier: int) -> plans.Reply:
    bad, _, times = directives.get("badplan", "").partition("/")
    bad = bad if not times or earlier < int(times) else ""
    calls = plans.calls_of(directives.get("plan", ""))
    thought = directives.get("thought", "")
    return plans.write(request.asked, request.due, calls, bad, thought, schema.of(request.body))


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s*\S{1,8}", text)


def _answer(asked: str, pace: Pace, directives: Mapping[str, str]) -> list[str]:
    markers = [f"{marker} " for marker in dict.fromkeys(_MARKER.findall(asked))]
    if "say" in directives:
        return markers + re.findall(r"\S+\s*", directives["say"])
    if "long" in directives:
        length = int(directives["long"])
        return markers + re.findall(r"\S+\s*", "".join(_words(length // 3))[:length])
    return markers + _words(max(1, pace.tokens - len(markers)))


def _think(directives: Mapping[str, str]) -> list[str]:
    if "think" not in directives:
        return []
    return ["<thi", "nk>\n", *_words(int(directives["think"] or 5)), "</th", "ink>\n\n"]


def _words(count: int) -> list[str]:
    return [f"{word} " for word in islice(cycle(_WORDS), count)]

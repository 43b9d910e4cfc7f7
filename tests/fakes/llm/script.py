"""What the fake does with one request, decided from the last user message alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

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
}

_DIRECTIVE = re.compile(r"\[fake:([a-z]+)(?:=([^\]]*))?\]")
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


def parse_directives(text: str) -> dict[str, str]:
    """All directives in `text`. Raises `ValueError` for a name that does not exist: a test with a typo must fail."""
    found = {name: value or "" for name, value in _DIRECTIVE.findall(text)}
    unknown = sorted(set(found) - set(DIRECTIVES))
    if unknown:
        raise ValueError(f"no such directive: {', '.join(unknown)}; there are {', '.join(DIRECTIVES)}")
    return found


def write(body: Mapping[str, Any], pace: Pace, directives: Mapping[str, str]) -> Script:
    """The play for this request."""
    asked = last_user_text(body)
    pace = Pace(
        first=float(directives.get("first") or pace.first),
        gap=float(directives.get("gap") or pace.gap),
        tokens=int(directives.get("tokens") or pace.tokens),
    )
    cap = body.get("max_tokens") or body.get("max_completion_tokens")
    tokens = _think(directives) + _answer(asked, pace, directives)
    prompt = "\n".join(str(message.get("content") or "") for message in body.get("messages") or [])
    return Script(
        directives=directives,
        pace=pace,
        tokens=tokens[:cap],
        finish=directives.get("finish") or ("length" if cap and len(tokens) > cap else "stop"),
        reasoning=_words(int(directives["reasoning"] or 5)) if "reasoning" in directives else [],
        prompt_tokens=count_tokens(prompt),
    )


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

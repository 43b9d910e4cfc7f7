"""What the fake does with one request, decided from the request alone: from the directives in its question."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any, Literal

from tests.fakes.llm import directives as known
from tests.fakes.llm import images, plans, prompt, schema
from tests.fakes.llm.kinds import Kind

_MARKER = re.compile(r"\[m:[^\]\s]+\]")
_WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "runs", "home"]
#: Words that a reasoning model thinks.
_THOUGHT = 8
#: What Qwen's template writes in place of a thought when thinking is off.
_NO_THOUGHT = "</think>"

#: What a model is asked that may not see at all.
_WHICH_COLOUR = "Which colour is this picture?"

#: What a call is for: an answer for people, a plan, JSON by a schema that is no plan's, or to see whether the server
#: follows schemas at all, or looks at pictures.
Purpose = Literal["answer", "plan", "json", "trial"]


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
class Request:
    """A request as a script sees it."""

    kind: Kind
    body: Mapping[str, Any]
    #: The text that directives and markers are read from.
    asked: str
    purpose: Purpose
    #: Number of the plan that is due; 0 where none is wanted.
    due: int = 0
    #: What the pictures show, for a model that sees.
    seen: Sequence[str] = ()

    @property
    def native(self) -> bool:
        """Whether a plan is wanted as a tool call."""
        return bool(self.body.get("tools")) and schema.of(self.body) is None


@dataclass(frozen=True, slots=True)
class Script:
    """One request's play."""

    directives: Mapping[str, str]
    pace: Pace
    #: What is sent, token by token, each with the field that it is sent in.
    pieces: Sequence[tuple[str, str]]
    #: The finish_reason: `length` where the request's limit cut the answer.
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

    def said(self, kind: str) -> str:
        """All that is sent in this field."""
        return "".join(piece for each, piece in self.pieces if each == kind)


def read(kind: Kind, body: Mapping[str, Any], rejected: Sequence[str], *, vision: bool = False) -> Request:
    """What this request wants. `rejected`: see `plans.number`. Raises `ValueError`."""
    found = images.seen(images.of(body))
    request = _read(kind, body, rejected)
    if found and request.asked.startswith(_WHICH_COLOUR):
        request = replace(request, purpose="trial")
    return replace(request, seen=found if vision else ())


def _read(kind: Kind, body: Mapping[str, Any], rejected: Sequence[str]) -> Request:
    messages = prompt.messages_of(body)
    if kind.tools and body.get("tools") and schema.of(body) is None:
        asked = prompt.last_user_text(messages)
        return Request(kind, body, asked, "plan", plans.calls_made(messages) + 1)
    if plans.asked_for(body, messages):
        asked = plans.question(messages, known.DIRECTIVE, rejected)
        calls = plans.calls_of(known.parse(asked).get("plan", ""))
        return Request(kind, body, asked, "plan", plans.number(messages, asked, calls, rejected))
    form = schema.of(body)
    purpose: Purpose = "answer" if form is None else "trial" if form.get("title") == "Trial" else "json"
    return Request(kind, body, prompt.last_user_text(messages), purpose)


def meant_for(request: Request, directives: Mapping[str, str], default: str) -> Mapping[str, str]:
    """Those directives that hold for this request, as `when` (else `default`) says."""
    when = directives.get("when") or default
    if request.purpose == "trial" and when != "trial":
        return {}
    if when in ("all", request.purpose, f"plan{request.due}") or (when, request.purpose) == ("answer", "json"):
        return directives
    kept = (*known.PLANNING, "badplan") if "when" not in directives else known.PLANNING
    return {name: value for name, value in directives.items() if name in kept}


def write(request: Request, pace: Pace, directives: Mapping[str, str], earlier: int = 0) -> Script:
    """The play for this request; `earlier` planning calls were made for the same question before."""
    kind, body = request.kind, request.body
    pace = Pace(
        first=float(directives.get("first") or pace.first),
        gap=float(directives.get("gap") or pace.gap),
        tokens=int(directives.get("tokens") or pace.tokens),
    )
    reply = _reply(request, pace, directives, earlier)
    field = "refusal" if "refuse" in directives else "content"
    split = _pieces if request.purpose == "answer" else _json_pieces
    pieces = [*_thought(request, directives), *((field, piece) for piece in split(reply.text))]
    cap = kind.limit(body)
    cut = cap is not None and len(pieces) > cap
    return Script(
        directives=directives,
        pace=pace,
        pieces=pieces[:cap],
        finish=directives.get("finish") or ("length" if cut else reply.finish),
        prompt_tokens=prompt.count_tokens(prompt.written(body)) + images.TOKENS * len(request.seen),
        tool=reply.tool,
        unusable=not reply.usable,
    )


def _reply(request: Request, pace: Pace, directives: Mapping[str, str], earlier: int) -> plans.Reply:
    calls = plans.calls_of(directives.get("plan", ""))
    if request.purpose == "plan" and not (request.native and request.due > len(calls)):
        bad, _, times = directives.get("badplan", "").partition("/")
        bad = bad if not times or earlier < int(times) else ""
        form = schema.of(request.body) if request.kind.is_made_to_follow(request.body) else None
        bad = "toolcall" if request.native and not bad else bad
        reply = plans.write(request.asked, request.due, calls, bad, directives.get("thought", ""), form)
        return _with_breaks(reply) if form is not None and request.kind.one_context and not bad else reply
    if "say" not in directives and "long" not in directives and "refuse" not in directives:
        form = schema.of(request.body)
        if request.kind.is_made_to_follow(request.body):
            value = {"answer": "alpha"} if form is None else schema.written(form)
            return plans.Reply(json.dumps(value, ensure_ascii=False))
    if request.purpose == "trial" and request.seen:
        return plans.Reply(request.seen[0].partition(" ")[0].capitalize())
    return plans.Reply(_answer(request, pace, directives))


def _with_breaks(reply: plans.Reply) -> plans.Reply:
    """The same with a raw line break in its thought: llama-cpp-python's grammar lets control characters into strings
    (facts/llm.md, section 4).
    """
    plan = json.loads(reply.text)
    if " " not in plan.get("thought", ""):
        return reply
    thought = json.dumps(plan["thought"], ensure_ascii=False)
    return plans.Reply(reply.text.replace(thought, thought.replace(" ", "\n", 1), 1))


def _answer(request: Request, pace: Pace, directives: Mapping[str, str]) -> str:
    markers = [f"{marker} " for marker in dict.fromkeys(_MARKER.findall(request.asked))]
    markers += [f"[saw:{picture}] " for picture in request.seen]
    think = _think_block(int(directives["think"] or 5)) if "think" in directives else ""
    if "refuse" in directives:
        return directives["refuse"] or "I'm sorry, I can't help with that."
    if "say" in directives:
        return think + "".join(markers) + directives["say"]
    if "long" in directives:
        length = int(directives["long"])
        return think + "".join(markers) + _words(length // 3)[:length]
    return think + "".join(markers) + _words(max(1, pace.tokens - len(markers)))


def _thought(request: Request, directives: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the model thinks first: in a field of its own where the server sorts it out, else in the text."""
    body, asked = request.body, "reasoning" in directives
    options = body.get("chat_template_kwargs") or {}
    if not asked and (not request.kind.thinks or options.get("enable_thinking") is False):
        return []
    words = int(directives.get("reasoning") or (5 if asked else _THOUGHT))
    if "messages" in body:
        return [("reasoning_content", piece) for piece in _pieces(_words(words))]
    # vLLM's reasoning parser is for chat calls only.
    if prompt.written(body).rstrip().endswith(_NO_THOUGHT):
        return []
    return [("content", piece) for piece in _pieces(_think_block(words))]


def _think_block(words: int) -> str:
    return f"<think>\n{_words(words)}</think>\n\n"


def _pieces(text: str) -> list[str]:
    """Tokens of a text, near enough: words with the blanks behind them, so that a marker is never cut in two."""
    return re.findall(r"</?th(?=ink>)|ink>\s*|\S+\s*|\s+", text)


def _json_pieces(text: str) -> list[str]:
    """Tokens of JSON, which has few blanks."""
    return re.findall(r"\S{1,8}\s*|\s+", text)


def _words(count: int) -> str:
    return "".join(f"{word} " for word in islice(cycle(_WORDS), count))

"""How an answer came about, piece by piece: plans, tools with what they gave, sources. Pure.

What models and tools wrote is Markdown that isn't to be trusted, or plain text; each platform shows both in its own
markup and cuts the whole into pages of its own sizes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from adapters.chat import texts
from agent.language import Lang, Text
from bot.messages import LIVE_STATES
from bot.present import title_of
from bot.store.traces import StepTrace, Trace

#: Characters of a call's arguments, and of the title of a step.
ARGS: Final = 400
TITLE: Final = 150

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule:
    """A new step, or another part of the whole, begins."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What a step is. Plain text; a model chose the arguments, and perhaps the title."""

    title: str
    #: Of a call of a tool, on one line; "" for none.
    args: str = ""
    #: What it is marked with; "" for a step that came to a good end.
    state: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a plan proposes. Plain text."""

    title: str
    args: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """What the text below is."""

    label: str


@dataclass(frozen=True, slots=True)
class Body:
    """Markdown of any length."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Numbered lines of plain text under a label."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A small line of ours."""

    text: str


Piece = Rule | Headline | Call | Label | Body | Listed | Remark


@dataclass(frozen=True, slots=True)
class Shown:
    """How steps are shown."""

    lang: Lang
    #: What tools are called, by their names.
    titles: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Summary:
    """One line about the turn, in plain text; "" for what isn't known."""

    state: str = ""
    model: str = ""
    seconds: str = ""

    @property
    def line(self) -> str:
        """All that is known."""
        return " · ".join(part for part in (self.state, self.model, self.seconds) if part)


def summary(trace: Trace, lang: Lang) -> Summary:
    """How the turn stands, by which model, how long it took."""
    state = texts.STATES[trace.state].say(lang) if trace.state in texts.STATES else ""
    model, seconds = _string(trace.meta.get("model")), ""
    if trace.started_at is not None and trace.finished_at is not None:
        took = (trace.finished_at - trace.started_at).total_seconds()
        seconds = texts.SECONDS.say(lang, seconds=f"{took:.1f}")
    return Summary(state, texts.MODEL.say(lang, model=_cut(model, TITLE)) if model else "", seconds)


def pieces(trace: Trace, shown: Shown) -> list[Piece]:
    """A turn's steps, and what belongs to all of them; never empty."""
    lang, live = shown.lang, trace.state in LIVE_STATES
    found: list[Piece] = []
    for step in trace.steps:
        of_step = list(_step(step, trace, shown, live))
        found += [Rule(), *of_step] if found and of_step else of_step
    if not found:
        found = [Body(texts.NO_STEPS.say(lang))]
    for label, name in ((texts.SOURCES, "sources"), (texts.NOTES, "notes")):
        if lines := _strings(trace.meta.get(name)):
            found += [Rule(), Listed(label.say(lang), lines)]
    return found


def paged(items: Sequence[T], size: Callable[[T], int], *, most: int, room: int) -> list[list[T]]:
    """Pages of at most so many items, and of so much of what `size` counts; an item that is larger has its own.

    There is always a page.
    """
    pages: list[list[T]] = [[]]
    filled = 0
    for item in items:
        length = size(item)
        if pages[-1] and (len(pages[-1]) >= most or filled + length > room):
            pages.append([])
            filled = 0
        pages[-1].append(item)
        filled += length
    return pages


def _step(step: StepTrace, trace: Trace, shown: Shown, live: bool) -> Iterator[Piece]:
    kind = step.key.partition("/")[0]
    result, detail = _mapping(step.result), _mapping(step.detail)
    if kind == "plan":
        yield from _plan(step, result, trace, shown, live)
    elif kind == "act":
        yield from _act(step, detail, result, shown, live)
    elif kind == "consent":
        yield _consent(step, detail, result, shown, live)
    elif kind == "conclude":
        yield Headline(texts.CONCLUDE.say(shown.lang), state=_state(step, live, shown.lang, failed=False))
        yield from _labelled(texts.REASONING, result.get("reasoning"), shown)
        yield from _cost(result, shown.lang)


def _plan(step: StepTrace, result: Mapping[str, Any], trace: Trace, shown: Shown, live: bool) -> Iterator[Piece]:
    lang, end = shown.lang, _string(result.get("end"))
    yield Headline(texts.PLAN.say(lang), state=_state(step, live, lang, failed=end == "unusable"))
    yield from _labelled(texts.REASONING, result.get("reasoning"), shown)
    yield from _labelled(texts.THOUGHT, result.get("thought"), shown)
    calls = result.get("calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            yield Call(_tool(call.get("tool"), shown), _args(_mapping(call.get("args"))))
    # The detail is in the language of the answer.
    detail = _string(result.get("detail")) if trace.lang == lang else ""
    why = detail or (texts.ENDS[end].say(lang) if end in texts.ENDS else "")
    if why:
        yield Body(why)
    yield from _cost(result, lang)


def _act(
    step: StepTrace, detail: Mapping[str, Any], result: Mapping[str, Any], shown: Shown, live: bool
) -> Iterator[Piece]:
    state = _state(step, live, shown.lang, failed=not result.get("ok"))
    yield Headline(_tool(detail.get("tool"), shown), _args(_mapping(detail.get("args"))), state)
    yield from _labelled(texts.RESULT, result.get("answer_md") or result.get("answer"), shown)
    if urls := _strings(result.get("urls")):
        yield Listed(texts.SOURCES.say(shown.lang), urls)


def _consent(
    step: StepTrace, detail: Mapping[str, Any], result: Mapping[str, Any], shown: Shown, live: bool
) -> Headline:
    lang, allowed = shown.lang, result.get("allow")
    said = {True: texts.ALLOWED, False: texts.DENIED}.get(allowed) if isinstance(allowed, bool) else None
    title = f"{texts.CONSENT.say(lang)} – {title_of(shown.titles, _string(detail.get('tool')), lang)}"
    return Headline(_cut(title, TITLE), state=said.say(lang) if said else _state(step, live, lang, failed=False))


def _state(step: StepTrace, live: bool, lang: Lang, *, failed: bool) -> str:
    """What a step that did not come to a good end is marked with."""
    if step.state == "started":
        # What was under way when the turn ended (Stop, a crash) has not come to its end.
        return (texts.RUNNING if live else texts.FAILED).say(lang)
    return texts.FAILED.say(lang) if failed else ""


def _tool(tool: object, shown: Shown) -> str:
    return _cut(title_of(shown.titles, _string(tool), shown.lang), TITLE)


def _args(args: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name}: {value if isinstance(value, str) else _json(value)}" for name, value in args.items())
    return _cut(" ".join(given.split()), ARGS)


def _labelled(label: Text, text: object, shown: Shown) -> Iterator[Piece]:
    said = _string(text).strip()
    if said:
        yield Label(label.say(shown.lang))
        yield Body(said)


def _cost(result: Mapping[str, Any], lang: Lang) -> Iterator[Piece]:
    usage = _mapping(result.get("usage"))
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if isinstance(prompt, int) and isinstance(completion, int):
        yield Remark(texts.TOKENS.say(lang, prompt=f"{prompt:,}", completion=f"{completion:,}"))


def _json(value: object) -> str:
    return _cut(json.dumps(value, ensure_ascii=False), ARGS)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# Rows outlive the programs that wrote them: what isn't as expected is left out.


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _string(found: object) -> str:
    return found if isinstance(found, str) else ""


def _strings(found: object) -> tuple[str, ...]:
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()

"""`/steps`: how an answer came about, in one glance."""

from __future__ import annotations

import json
from datetime import datetime

from rich.console import Console

from adapters.terminal import chat_texts as texts
from adapters.terminal.chat_html import text_of
from adapters.terminal.chat_shapes import Tokens, Trace, TraceStep
from adapters.terminal.console import lines, one_line, utf8
from agent.language import Lang

#: Lines of a result that are shown.
_RESULT_LINES = 6


def show_trace(console: Console, lang: Lang, trace: Trace) -> None:
    """Plans, calls, results, tokens and times, in the order in which they began."""
    if not trace.steps:
        console.print(lines([(texts.NO_STEPS.say(lang), "dim")]))
        return
    for step in trace.steps:
        console.print(lines([*_head(step, lang, utf8(console)), *_body(step)]))
    took = _seconds(trace.created_at, trace.finished_at, lang)
    whole = " · ".join(piece for piece in (took, _tokens(trace.tokens, lang)) if piece)
    if whole:
        console.print(lines([(texts.IN_ALL.say(lang, what=whole), "dim")]))


def _head(step: TraceStep, lang: Lang, marks: bool) -> list[tuple[str, str]]:
    good = step.state == "done"
    mark = ("✓" if good else "…" if step.state == "running" else "✗") if marks else ("ok" if good else "--")
    facts = (
        _seconds(step.started_at, step.finished_at, lang),
        one_line(step.model or ""),
        _tokens(step.tokens, lang),
    )
    return [
        (f"{mark} ", "green" if good else "red"),
        (_name(step, lang), "bold"),
        ("".join(f" · {fact}" for fact in facts if fact), "dim"),
    ]


def _name(step: TraceStep, lang: Lang) -> str:
    if step.kind == "plan":
        if step.calls:
            planned = ", ".join(_call(call.tool, call.args) for call in step.calls)
        else:
            planned = one_line(step.detail) or texts.NO_CALL.say(lang)
        task = one_line(step.task, 80)
        return f"{texts.PLAN.say(lang)}: {f'{task}: ' if task else ''}{planned}"
    if step.kind == "act":
        return f"{one_line(step.title, 80)}: {_call(step.tool, step.args)}"
    if step.kind == "consent":
        return texts.PERMISSION.say(lang) + (
            f": {(texts.ALLOWED if step.allowed else texts.DENIED).say(lang)}" if step.allowed is not None else ""
        )
    return texts.CONCLUDE.say(lang)


def _body(step: TraceStep) -> list[tuple[str, str]]:
    found = [f"“{one_line(text_of(step.thought), 300)}”"] if step.thought else []
    result = text_of(step.html).splitlines()
    found += result[:_RESULT_LINES] + (["…"] if len(result) > _RESULT_LINES else [])
    return [(f"\n    {one_line(line, 300)}", "dim") for line in found]


def _call(tool: str, args: dict[str, object]) -> str:
    """A call as people write it."""
    shown = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in args.items())
    return one_line(f"{tool}({shown})", 300)


def _seconds(start: datetime, end: datetime | None, lang: Lang) -> str:
    return texts.SECONDS.say(lang, seconds=f"{(end - start).total_seconds():.1f}") if end else ""


def _tokens(tokens: Tokens, lang: Lang) -> str:
    if tokens.prompt is None and tokens.completion is None:
        return ""
    unknown = "?"
    return texts.TOKENS.say(
        lang,
        prompt=unknown if tokens.prompt is None else tokens.prompt,
        completion=unknown if tokens.completion is None else tokens.completion,
    )

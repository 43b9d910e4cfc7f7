"""How an answer came about, for the page: rows of steps to something that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from adapters.web import models_trace as models
from adapters.web.render import Renderer
from agent.language import Lang, Text
from bot.exporting import sound
from bot.messages import LIVE_STATES, TurnState
from bot.present import StepState, title_of
from bot.store.traces import StepTrace, Trace

Kind = Literal["plan", "act", "consent", "conclude"]
_KINDS: Mapping[str, Kind] = {"plan": "plan", "act": "act", "consent": "consent", "conclude": "conclude"}


class Tracer:
    """Makes traces. What models and tools wrote goes through the same renderer as answers do."""

    def __init__(self, titles: Mapping[str, Text], renderer: Renderer) -> None:
        self._titles = titles
        self._renderer = renderer

    async def trace(self, found: Trace) -> models.Trace:
        """The trace of a turn; steps of kinds that are not known here (of a newer release) are left out."""
        lang: Lang = "zh" if found.lang == "zh" else "en"
        live = found.state in LIVE_STATES
        steps = [
            await self._step(kind, one, lang, live)
            for one in found.steps
            if (kind := _KINDS.get(one.key.partition("/")[0])) is not None
        ]
        meta = found.meta
        return models.Trace(
            turn_id=found.turn_id,
            state=cast(TurnState, found.state),
            lang=lang,
            steps=steps,
            profiles=[
                models.ProfileVersion(
                    scope=one.scope, version=one.version, author=one.author_name or one.author_id, at=one.created_at
                )
                for one in found.profiles
            ],
            sources=_strings(meta.get("sources")),
            notes=_strings(meta.get("notes")),
            model=meta.get("model"),
            tokens=_sum([step.tokens for step in steps]),
            attempts=found.attempts,
            created_at=found.created_at,
            started_at=found.started_at,
            finished_at=found.finished_at,
        )

    async def _step(self, kind: Kind, one: StepTrace, lang: Lang, live: bool) -> models.TraceStep:
        detail, result = _mapping(one.detail), _mapping(one.result)
        tool = _string(detail.get("tool")) if kind in ("act", "consent") else ""
        planned = result.get("calls") if kind == "plan" else None
        calls = [call for call in planned if isinstance(call, dict)] if isinstance(planned, list) else []
        shown = result.get("answer_md") or result.get("answer") if kind == "act" else ""
        return models.TraceStep(
            key=one.key,
            kind=kind,
            state=_state(kind, one, result, live),
            title=title_of(self._titles, tool, lang) if tool else "",
            tool=tool,
            args=_mapping(detail.get("args")),
            task=sound(_string(result.get("task_name"))),
            thought=await self._html(result.get("thought")),
            reasoning=await self._html(result.get("reasoning")),
            calls=[self._call(call, lang) for call in calls],
            end=_string(result.get("end")) or None,
            detail=sound(_string(result.get("detail"))),
            html=await self._html(shown),
            sources=_strings(result.get("urls") if kind == "act" else result.get("sources")),
            allowed=result.get("allow") if kind == "consent" else None,
            model=_string(result.get("model")) or None,
            tokens=_tokens(result.get("usage")),
            attempts=_count(result.get("attempts")) or 1,
            style=_string(result.get("style")),
            started_at=one.started_at,
            finished_at=one.finished_at,
        )

    def _call(self, call: Mapping[str, Any], lang: Lang) -> models.Call:
        tool = _string(call.get("tool"))
        return models.Call(tool=tool, title=title_of(self._titles, tool, lang), args=_mapping(call.get("args")))

    async def _html(self, text: object) -> str:
        return await self._renderer.render(sound(_string(text)))


def _state(kind: Kind, one: StepTrace, result: Mapping[str, Any], live: bool) -> StepState:
    if one.state == "started":
        # What was under way when the turn ended (Stop, a crash) has not come to its end.
        return "running" if live else "failed"
    failed = (kind == "act" and not result.get("ok")) or result.get("end") == "unusable"
    return "failed" if failed else "done"


# Rows outlive the programs that wrote them: what isn't as expected is left out instead of breaking the page.


def _mapping(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _string(found: object) -> str:
    return found if isinstance(found, str) else ""


def _strings(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _count(found: object) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _tokens(usage: object) -> models.Tokens:
    found = _mapping(usage)
    return models.Tokens(prompt=_count(found.get("prompt_tokens")), completion=_count(found.get("completion_tokens")))


def _sum(counts: list[models.Tokens]) -> models.Tokens:
    def total(found: list[int | None]) -> int | None:
        known = [one for one in found if one is not None]
        return sum(known) if known else None

    return models.Tokens(
        prompt=total([one.prompt for one in counts]), completion=total([one.completion for one in counts])
    )

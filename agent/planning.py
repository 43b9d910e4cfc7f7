"""The next plan of a run: recalled, made by rules, or written by a model, which gets one chance to correct it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from agent import texts
from agent.asking import MAX_REASONING, Call, with_more
from agent.events import Usage
from agent.journal import Json, step
from agent.language import Lang
from agent.llm.chat import ModelError
from agent.run import Run
from agent.styles.base import AskPlan, Done, Plan, ToolCall, UnusablePlan

#: Characters of a reply that are read as a plan; the longest plan that a schema admits has some 4,000.
MAX_REPLY = 32_768
#: Characters of an unusable reply that the model is shown again.
_SHOWN_AGAIN = 600


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and how it came about."""

    plan: Plan
    #: Name of the style whose model wrote it; "" for one that rules made.
    style: str = ""
    usage: Usage = Usage()
    model: str | None = None
    reasoning: str = ""
    #: Model calls that it took; 0 for rules.
    attempts: int = 0
    #: Endpoints that could not answer.
    instead_of: tuple[str, ...] = ()


@dataclass(slots=True)
class _Attempts:
    """What several calls cost and brought along."""

    count: int = 0
    usage: Usage = Usage()
    model: str | None = None
    reasoning: list[str] = field(default_factory=list)
    instead_of: tuple[str, ...] = ()

    def add(self, call: Call) -> None:
        self.count += 1
        self.usage = self.usage.plus(call.usage)
        if call.reasoning:
            self.reasoning.append(call.reasoning)
        self.model = call.model or self.model
        self.instead_of = tuple(dict.fromkeys((*self.instead_of, *call.instead_of)))


async def begin(run: Run, key: str, done: tuple[Done, ...]) -> Planned | AskPlan:
    """The plan at this place, or how to ask a model for it.

    A plan that an earlier attempt of this turn made is taken even if rules or models would plan otherwise by now: the
    results of its calls are there.
    """
    found = run.journal.recall(key)
    if found is not None and found.state == "done":
        return from_json(found.result)
    if found is None and run.journal.recall("conclude") is not None:
        # The earlier attempt was through with planning. Rules that plan nothing leave no record of it.
        return Planned(Plan())
    plan = run.style.plan(run.task, run.tools, done)
    if isinstance(plan, AskPlan):
        return plan
    planned = Planned(plan)
    # Rules plan nothing for nothing, so only one with calls is worth a record.
    return from_json(await step(run.journal, key, _always(to_json(planned)))) if plan.calls else planned


def _always(row: Json) -> Callable[[], Awaitable[Json]]:
    async def make() -> Json:
        return row

    return make


async def ask(run: Run, key: str, asked: AskPlan, done: tuple[Done, ...]) -> Planned:
    """Let the model plan. Raises `ModelError` when no model can be asked; a useless reply is an end of the planning."""

    async def make() -> Json:
        attempts = _Attempts()
        plan = await _write(run, asked, attempts)
        plan = _without_repeats(plan, done, run.task.lang)
        return to_json(
            Planned(
                plan,
                style=run.style.name,
                usage=attempts.usage,
                model=attempts.model,
                reasoning="\n\n".join(attempts.reasoning),
                attempts=attempts.count,
                instead_of=attempts.instead_of,
            )
        )

    return from_json(await step(run.journal, key, make, {"style": run.style.name}))


async def _write(run: Run, asked: AskPlan, attempts: _Attempts) -> Plan:
    lang = run.task.lang
    unusable = Plan(end="unusable", detail=texts.PLAN_UNUSABLE.say(lang))
    question = asked
    for last_try in (False, True):
        call = Call(run, question)
        try:
            async with aclosing(call.events()) as events:
                async for _ in events:
                    if call.length > MAX_REPLY:
                        break
        except ModelError as error:
            if error.fault != "context_overflow":
                raise
            # What is too long to plan with may still be short enough to be answered.
            return unusable
        finally:
            attempts.add(call)
        try:
            return asked.read(call.text[:MAX_REPLY], call.cut)
        except UnusablePlan as error:
            if last_try:
                return error.plan or unusable
            question = _corrected(asked, call.text, error.correction, lang)
    raise AssertionError("unreachable")


def _corrected(asked: AskPlan, reply: str, correction: str, lang: Lang) -> AskPlan:
    """The question again, with what was wrong."""
    shown = reply.strip()[:_SHOWN_AGAIN] or texts.PROMPT_NO_ANSWER.say(lang)
    return with_more(asked, texts.PROMPT_CORRECTION.say(lang, reply=shown, correction=correction))


def _without_repeats(plan: Plan, done: tuple[Done, ...], lang: Lang) -> Plan:
    """The plan without calls that were made before; if none is left, it is the last one."""
    seen = {_identity(item.call) for item in done}
    calls = []
    for call in plan.calls:
        if _identity(call) not in seen:
            seen.add(_identity(call))
            calls.append(call)
    if calls or not plan.calls:
        return replace(plan, calls=tuple(calls))
    detail = texts.PLAN_REPEATED.say(lang, tool=plan.calls[0].tool)
    return replace(plan, calls=(), end="repeated", detail=detail)


def _identity(call: ToolCall) -> str:
    return json.dumps([call.tool, call.args], sort_keys=True)


def to_json(planned: Planned) -> Json:
    """The journal's row. One that rules made has its calls and nothing else."""
    plan = planned.plan
    calls: list[dict[str, Any]] = [{"tool": call.tool, "args": call.args} for call in plan.calls]
    if not planned.style:
        return {"calls": calls}
    for call, row in zip(plan.calls, calls, strict=True):
        row["task_name"] = call.task_name
    return {
        "calls": calls,
        "thought": plan.thought,
        "task_name": plan.calls[0].task_name if plan.calls else "",
        "end": plan.end,
        "detail": plan.detail,
        "model": planned.model,
        "usage": {
            "prompt_tokens": planned.usage.prompt_tokens,
            "completion_tokens": planned.usage.completion_tokens,
        },
        "reasoning": planned.reasoning[:MAX_REASONING],
        "attempts": planned.attempts,
        "style": planned.style,
        "instead_of": list(planned.instead_of),
    }


def from_json(row: Json) -> Planned:
    """What `to_json` was given. Rows of earlier versions have nothing but `calls`."""
    calls = tuple(ToolCall(call["tool"], call["args"], call.get("task_name", "")) for call in row["calls"])
    return Planned(
        Plan(calls, row.get("thought", ""), row.get("end"), row.get("detail", "")),
        style=row.get("style", ""),
        usage=Usage(**row.get("usage", {})),
        model=row.get("model"),
        reasoning=row.get("reasoning", ""),
        attempts=row.get("attempts", 0),
        instead_of=tuple(row.get("instead_of", ())),
    )

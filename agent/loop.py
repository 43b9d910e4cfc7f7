"""One run of the agent: plan, act, …, conclude, as a stream of events.

Every step goes through the journal under its place (`plan/0`, `act/0/0`, `conclude`). A run that is started again
from the top recalls what is finished and gives the same events for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass

from agent import texts
from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta, Usage
from agent.journal import Journal, Json, OutcomeUnknown, step
from agent.language import Lang, Text
from agent.llm.chat import ChatModel, ChatPool, ChatRequest, ModelError, Priority, ReplyEnd, TextChunk
from agent.styles.base import Ask, Done, Plan, Style, ToolCall, Verbatim
from agent.styles.fitting import fit
from agent.styles.noagent import left_out_note
from agent.task import Task
from agent.tools.registry import Tool, ToolContext, ToolError, ToolResult, find

log = logging.getLogger(__name__)

#: The name under which a server says that a reply reached its token limit.
_CUT_OFF = "length"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a single tool run may take."""

    seconds: float = 30.0
    #: Of each of a result's two texts. 101 days of the calendar have some 9,000.
    characters: int = 16_000


async def run(
    task: Task,
    *,
    journal: Journal,
    tools: tuple[Tool, ...],
    pool: ChatPool,
    style: Style,
    owner: str,
    priority: Priority = Priority.CHAT,
    limits: Limits = Limits(),
) -> AsyncGenerator[AgentEvent, None]:
    """Answer the task; the last event is `Finished`.

    Planning ends when the style plans nothing, plans a tool that isn't there, or after the profile's `max_iter_num`
    rounds. Close the generator (`contextlib.aclosing`) when leaving it early: that ends a model call at once and
    gives its slot back.

    Raises `ModelError` when the model fails, `Parked` when a step waits for consent, and whatever the journal raises.
    """
    done: tuple[Done, ...] = ()
    planning = True
    for i in range(task.profile.max_iter_num):
        plan = await _plan(task, style, tools, done, journal, f"plan/{i}")
        for j, call in enumerate(plan.calls):
            tool = find(tools, call.tool)
            if tool is None:
                planning = False
                break
            if tool.writes and not await journal.consent(f"consent/{i}/{j}", tool.name, call.args):
                done = (*done, _failed(call, texts.NOT_ALLOWED.say(task.lang, tool=tool.name)))
                continue
            key = f"act/{i}/{j}"
            yield StepStarted(key, "act", tool.name, call.args)
            outcome = await _act(task, tool, call, journal, key, limits)
            yield StepFinished(key, outcome.ok, outcome.result.answer_md)
            done = (*done, outcome)
        if not planning or not plan.calls:
            break

    async with aclosing(_conclude(task, done, style, journal, pool, owner, priority)) as events:
        async for event in events:
            yield event


async def _plan(
    task: Task, style: Style, tools: tuple[Tool, ...], done: tuple[Done, ...], journal: Journal, key: str
) -> Plan:
    """The next calls. Rules plan for nothing, so only a plan with calls is worth a record."""
    found = journal.recall(key)
    if found is not None and found.state == "done":
        # Even if the rules have changed since and would plan nothing: the results of these calls are there.
        return Plan(tuple(ToolCall(call["tool"], call["args"]) for call in found.result["calls"]))
    plan = style.plan(task, tools, done)
    if not plan.calls:
        return plan

    async def make() -> Json:
        return {"calls": [{"tool": call.tool, "args": call.args} for call in plan.calls]}

    await step(journal, key, make)
    return plan


async def _act(task: Task, tool: Tool, call: ToolCall, journal: Journal, key: str, limits: Limits) -> Done:
    """Run a tool, or recall what it gave. Failures are results, too: the run goes on with them."""

    async def make() -> Json:
        ok, result = await _run_tool(task, tool, call, limits)
        return {"ok": ok, **asdict(_capped(result, limits.characters, task.lang))}

    try:
        found = await step(journal, key, make, {"tool": call.tool, "args": call.args}, writes=tool.writes)
    except OutcomeUnknown:
        return _failed(call, texts.OUTCOME_UNKNOWN.say(task.lang, tool=tool.name))
    result = ToolResult(found["answer"], found["answer_md"], tuple(found["urls"]), found["data"])
    return Done(call, result, found["ok"])


async def _run_tool(task: Task, tool: Tool, call: ToolCall, limits: Limits) -> tuple[bool, ToolResult]:
    def failed(text: Text, **fields: object) -> tuple[bool, ToolResult]:
        # A writing tool that broke off may have done its work before.
        said = (texts.OUTCOME_UNKNOWN if tool.writes else text).say(task.lang, tool=tool.name, **fields)
        return False, ToolResult(said, said)

    try:
        async with asyncio.timeout(limits.seconds):
            return True, await tool.run(call.args, ToolContext(task.now, task.lang))
    except ToolError as error:
        said = error.say(task.lang)
        return False, ToolResult(said, said)
    except TimeoutError:
        return failed(texts.TOOL_TIMED_OUT, seconds=limits.seconds)
    except Exception:
        # A fault of the tool's own code must not end the turn.
        log.exception("tool %s failed", tool.name)
        return failed(texts.TOOL_BROKE)


def _failed(call: ToolCall, text: str) -> Done:
    return Done(call, ToolResult(text, text), ok=False)


def _capped(result: ToolResult, most: int, lang: Lang) -> ToolResult:
    """The result with both texts cut to `most` characters."""

    def cut(text: str) -> str:
        if len(text) <= most:
            return text
        return f"{text[:most]}\n\n{texts.RESULT_CUT.say(lang, left=len(text) - most)}"

    return ToolResult(cut(result.answer), cut(result.answer_md), result.urls, result.data)


async def _conclude(
    task: Task,
    done: tuple[Done, ...],
    style: Style,
    journal: Journal,
    pool: ChatPool,
    owner: str,
    priority: Priority,
) -> AsyncGenerator[AgentEvent, None]:
    found = journal.recall("conclude")
    if found is not None and found.state == "done":
        finished = _from_json(found.result)
        yield TextDelta(finished.text)
        yield finished
        return

    conclusion = style.conclude(task, done, demo=pool.serving(task.profile.model).demo)
    await journal.begin("conclude")
    if isinstance(conclusion, Verbatim):
        finished = Finished(conclusion.text, sources=conclusion.sources)
        await journal.finish("conclude", _to_json(finished))
        yield TextDelta(finished.text)
        yield finished
        return

    chunks: list[str] = []
    end: ReplyEnd | None = None
    left_out = 0

    async def prepare(model: ChatModel) -> ChatRequest:
        nonlocal left_out
        fitted = fit(conclusion.request, model.context_tokens)
        left_out = fitted.left_out
        return fitted.request

    stream = pool.stream(prepare, owner=owner, priority=priority, model=task.profile.model)
    async with aclosing(stream) as items:
        async for item in items:
            if isinstance(item, TextChunk):
                chunks.append(item.text)
                yield TextDelta(item.text)
            elif isinstance(item, ReplyEnd):
                end = item
    text = "".join(chunks)
    if end is None or not text.strip():
        raise ModelError("empty", "the stream ended without any text")
    finished = Finished(text, _notes(conclusion, left_out, end, task.lang), model=end.model, usage=end.usage)
    await journal.finish("conclude", _to_json(finished))
    yield finished


def _notes(conclusion: Ask, left_out: int, end: ReplyEnd, lang: Lang) -> tuple[str, ...]:
    cut = (texts.NOTE_REPLY_CUT.say(lang),) if end.finish_reason == _CUT_OFF else ()
    return (*cut, *conclusion.notes, *left_out_note(left_out, lang))


def _to_json(finished: Finished) -> Json:
    return asdict(finished)


def _from_json(result: Json) -> Finished:
    return Finished(
        result["text"],
        notes=tuple(result["notes"]),
        sources=tuple(result["sources"]),
        model=result["model"],
        usage=Usage(**result["usage"]),
    )

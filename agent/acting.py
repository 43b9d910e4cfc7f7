"""Running the tools of one plan, each as a journaled step: what only reads side by side, what writes one by one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import NamedTuple

from agent import texts
from agent.events import AgentEvent, StepFinished, StepStarted
from agent.journal import Json, OutcomeUnknown, step
from agent.language import Lang, Text
from agent.run import Run
from agent.styles.base import Done, ToolCall
from agent.tools.registry import Tool, ToolContext, ToolError, ToolResult, find

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Outcomes:
    """What the calls of one plan gave so far."""

    #: In the order of the calls.
    done: tuple[Done, ...] = ()
    #: Whether a call named a tool that isn't there; the calls after it were left alone.
    unknown: bool = False


class _Step(NamedTuple):
    key: str
    call: ToolCall
    tool: Tool


async def act(run: Run, i: int, calls: Sequence[ToolCall], outcomes: Outcomes) -> AsyncGenerator[AgentEvent, None]:
    """Run the calls of plan `i`; the events of their steps. Raises `Parked` and whatever the journal raises."""
    steps: list[_Step] = []
    for j, call in enumerate(calls):
        tool = find(run.tools, call.tool)
        if tool is None:
            outcomes.unknown = True
            break
        steps.append(_Step(f"act/{i}/{j}", call, tool))
    for writes, group in groupby(steps, lambda each: each.tool.writes):
        if not writes:
            async for event in _side_by_side(run, list(group), outcomes):
                yield event
            continue
        for each in group:
            if not await run.journal.consent(each.key.replace("act", "consent", 1), each.tool.name, each.call.args):
                refused = _failed(each.call, texts.NOT_ALLOWED.say(run.task.lang, tool=each.tool.name))
                outcomes.done = (*outcomes.done, refused)
                continue
            async for event in _side_by_side(run, [each], outcomes):
                yield event


async def _side_by_side(run: Run, steps: list[_Step], outcomes: Outcomes) -> AsyncGenerator[AgentEvent, None]:
    for each in steps:
        yield StepStarted(each.key, "act", each.tool.name, each.call.args)
    tasks = {asyncio.create_task(_run_step(run, each), name=each.key): n for n, each in enumerate(steps)}
    try:
        waiting = set(tasks)
        while waiting:
            finished, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(finished, key=tasks.__getitem__):
                outcome = task.result()
                yield StepFinished(steps[tasks[task]].key, outcome.ok, outcome.result.answer_md)
    finally:
        # Also when one of them raises or the run is left: nothing goes on behind it.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    outcomes.done = (*outcomes.done, *(task.result() for task in tasks))


async def _run_step(run: Run, each: _Step) -> Done:
    """Run a tool, or recall what it gave. Failures are results, too: the run goes on with them."""
    call, tool, lang = each.call, each.tool, run.task.lang

    async def make() -> Json:
        ok, result = await _run_tool(run, tool, call)
        return {"ok": ok, **asdict(_capped(result, run.limits.characters, lang))}

    try:
        found = await step(run.journal, each.key, make, {"tool": call.tool, "args": call.args}, writes=tool.writes)
    except OutcomeUnknown:
        return _failed(call, texts.OUTCOME_UNKNOWN.say(lang, tool=tool.name))
    result = ToolResult(found["answer"], found["answer_md"], tuple(found["urls"]), found["data"])
    return Done(call, result, found["ok"])


async def _run_tool(run: Run, tool: Tool, call: ToolCall) -> tuple[bool, ToolResult]:
    task, limits = run.task, run.limits

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

    return replace(result, answer=cut(result.answer), answer_md=cut(result.answer_md))

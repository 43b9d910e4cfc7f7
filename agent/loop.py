"""One run of the agent: plan, act, reflect, …, conclude, as a stream of events.

Every step goes through the journal under its place (`plan/0`, `act/0/0`, `conclude`). A run that is started again
from the top recalls what is finished and gives the same events for it. The parts are `planning`, `acting` and
`concluding`; they call models through `asking`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count

from agent import planning
from agent.acting import Outcomes, act
from agent.concluding import Before, conclude
from agent.events import AgentEvent, StepFinished, StepStarted, Usage
from agent.journal import Journal
from agent.llm.chat import ChatPool, Priority
from agent.run import Limits, Run
from agent.styles.base import AskPlan, Done, Style
from agent.task import Task
from agent.tools.registry import Tool


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

    Planning ends when the style plans nothing, when a model's plan says or shows that it is the last one (`PlanEnd`),
    or after the profile's `max_iter_num` tool runs. Close the generator (`contextlib.aclosing`) when leaving it early:
    that ends model calls and tools at once and gives slots back.

    Raises `ModelError` when the model fails, `Parked` when a step waits for consent, and whatever the journal raises.
    """
    this = Run(task, style, tools, journal, pool, owner, priority, limits)
    done: tuple[Done, ...] = ()
    usage = Usage()
    instead_of: tuple[str, ...] = ()
    for i in count():
        left = task.profile.max_iter_num - len(done)
        if left <= 0:
            break
        key = f"plan/{i}"
        found = await planning.begin(this, key, done)
        if isinstance(found, AskPlan) or found.style:
            # Only a plan that a model writes takes its time, so that it is a step to watch.
            yield StepStarted(key, "plan")
        planned = await planning.ask(this, key, found, done) if isinstance(found, AskPlan) else found
        plan = planned.plan
        if planned.style:
            yield StepFinished(key, plan.end != "unusable", plan.detail, plan.thought)
        usage, instead_of = usage.plus(planned.usage), (*instead_of, *planned.instead_of)

        outcomes = Outcomes()
        async with aclosing(act(this, i, plan.calls[:left], outcomes)) as events:
            async for event in events:
                yield event
        done = (*done, *outcomes.done)
        if not plan.calls or plan.end is not None or outcomes.unknown:
            break

    async with aclosing(conclude(this, Before(done, usage, instead_of))) as events:
        async for event in events:
            yield event

"""The style: how the model is asked for a plan and for the answer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from agent import texts
from agent.llm.chat import ChatMessage, ChatRequest
from agent.styles import files
from agent.styles.base import Ask, AskPlan, Done, Plan, Variant
from agent.styles.kuaiagent import prompts
from agent.styles.kuaiagent.parse import is_answer, read
from agent.styles.kuaiagent.schema import Size, most_tokens, plan_schema
from agent.styles.noagent import DEMO_REPLY_TOKENS, DEMO_TEMPERATURE, ask, system_prompt
from agent.task import Task
from agent.tools.control import control_tools
from agent.tools.registry import Tool

#: Smallest window for each size of a plan, whose reply takes at most a quarter of it; whether the tools are listed
#: in a line each.
_SIZES: Final = (
    (16_384, Size(thought=300, task_name=60, args=600, more=2), False),
    (8_192, Size(thought=300, task_name=60, args=300, more=1), False),
    (4_096, Size(thought=150, task_name=40, args=300, more=0), False),
    (0, Size(thought=60, task_name=24, args=120, more=0), False),
    (4_096, Size(thought=150, task_name=40, args=300, more=0), True),
    (0, Size(thought=60, task_name=24, args=120, more=0), True),
)


class KuaiAgent:
    """Plans with the model, task by task, and lets it answer from what they gave."""

    name = "kuaiagent"

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan | AskPlan:
        if not tools:
            return Plan()
        offered = (*tools, *control_tools())
        remembered = prompts.memory(done, tools)
        rest = (*prompts.history(task), prompts.plan_message(task, remembered, done))
        reminder, variants = prompts.reminder(task.lang), []
        for least, size, short in _SIZES:
            schema = plan_schema(offered, size)
            messages = (prompts.system(task, offered, short=short), *rest)
            request = ChatRequest(messages, max_tokens=most_tokens(schema), schema=schema, reminder=reminder)
            variants.append(Variant(request, least))
        first, *smaller = variants
        reader = partial(read, tools=offered, lang=task.lang)
        excerpts = files.attached(task).excerpts
        return AskPlan(first.request, reader, remembered, excerpts, tuple(smaller), first.least_window)

    def conclude(self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()) -> Ask:
        if not tools and not done:
            return ask(task, demo=demo)
        offered = (*tools, *control_tools())
        remembered = prompts.memory(done, tools)
        rest = (*prompts.history(task), prompts.answer_message(task, remembered))

        def request(system: ChatMessage) -> ChatRequest:
            whole = ChatRequest((system, *rest))
            return replace(whole, max_tokens=DEMO_REPLY_TOKENS, temperature=DEMO_TEMPERATURE) if demo else whole

        notes = (texts.NOTE_DEMO.say(task.lang),) if demo else ()
        # An answer can do without any list of tools, should the question be that long.
        fixed = (prompts.system(task, offered, short=True), ChatMessage("system", system_prompt(task)))
        smaller = tuple(Variant(request(system)) for system in fixed)
        check = partial(is_answer, tools=offered)
        excerpts = files.attached(task).excerpts
        return Ask(request(prompts.system(task, offered)), notes, remembered, excerpts, smaller, is_answer=check)

"""The style that the router's rules make."""

from __future__ import annotations

from dataclasses import replace

from agent import texts
from agent.styles.base import Ask, Done, Plan, Verbatim
from agent.styles.files import unused_notes
from agent.styles.noagent import ask
from agent.styles.router.rules import route
from agent.task import Task
from agent.tools.registry import Tool, find


class Router:
    """At most one tool, picked by rules; its result is shown as it is. Otherwise the model chats, and that is
    labelled."""

    name = "router"

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan:
        if done:
            return Plan()
        found = route(task.question, task.now)
        if found is None or find(tools, found.call.tool) is None:
            return Plan()
        return Plan((found.call,))

    def conclude(
        self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()
    ) -> Verbatim | Ask:
        if done:
            return _shown(task, done[-1])
        asked = ask(task, demo=demo)
        # The demo model's label says the same already.
        return asked if demo else replace(asked, notes=(texts.NOTE_NO_TOOL.say(task.lang), *asked.notes))


def _shown(task: Task, last: Done) -> Verbatim:
    """The result, led by what was asked for. A sentence of failure needs no lead."""
    result = last.result
    found = route(task.question, task.now)
    lead = ""
    if last.ok and result.data is not None and found is not None and found.call == last.call and found.lead is not None:
        lead = found.lead(result.data, task.lang)
    text = f"{lead}\n\n{result.answer_md}" if lead else result.answer_md
    return Verbatim(text, result.urls, unused_notes(task))

"""The server under attack: the real one, on the fake platform, with an agent that has a writing and a reading tool.

A model plans its turns (style `kuaiagent`) where the question scripts its plans, else rules do (`TwoSteps`).

`--broken` takes one safety away, so that a harness can show that it would notice: `journal` (nothing is recalled),
`ledger` (what was posted is forgotten), `dedupe` (every delivery is a new message), `catch_up` (what was said while it
was down is not looked for: Discord).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import Connection

from agent import loop
from agent.events import AgentEvent
from agent.journal import Journal, Json, Recalled
from agent.llm.chat import ChatMessage, ChatPool, ChatRequest
from agent.styles.base import Ask, Done, Plan, ToolCall
from agent.task import Task
from agent.tools.registry import Tool, ToolContext, ToolResult
from bot import inbox, journal
from bot.agents import bind_agent
from bot.app import Adapter, AdapterFactory, App, Services
from bot.crashpoints import step_crashpoint
from bot.dispatch import claim
from bot.messages import Asked, Author, Event, Incoming, Part
from bot.ports import Pace
from bot.settings import load
from bot.store import parts
from bot.turns import Agent
from tests.chaos.steps import PLANNED
from tests.fakes.adapter import FakeInbound, FakeOutbound

#: How many times as much as in a real workspace is going on in a test.
_WIDER = 100.0
#: Seconds until a call of Slack or Discord is given up; less than a late one takes.
_TIMEOUT = 1.0
#: Schema of the tools' only argument.
_PARAMETERS = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 1000}},
    "required": ["text"],
    "additionalProperties": False,
}


class TwoSteps:
    """A style whose plans rules make: first write, then look, then let the model answer."""

    name = "two_steps"

    def plan(self, task: Task, tools: tuple[Tool, ...], done: tuple[Done, ...]) -> Plan:
        if len(done) >= len(tools):
            return Plan()
        return Plan((ToolCall(tools[len(done)].name, {"text": task.question}),))

    def conclude(self, task: Task, done: tuple[Done, ...], *, demo: bool, tools: tuple[Tool, ...] = ()) -> Ask:
        return Ask(ChatRequest((ChatMessage("user", task.question),)))


class Consenting:
    """A journal whose people allow everything, at once."""

    def __init__(self, inner: Journal) -> None:
        self._inner = inner

    def recall(self, key: str) -> Recalled | None:
        return self._inner.recall(key)

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        await self._inner.begin(key, detail, writes=writes)

    async def finish(self, key: str, result: Json) -> None:
        await self._inner.finish(key, result)

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        return True


def tools(effects: Path) -> tuple[Tool, ...]:
    """A writing and a reading tool; each run appends a line to `effects`, in one call that SIGKILL can't split."""
    file = os.open(effects, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tool(name: str, *, writes: bool) -> Tool:
        async def run(args: dict[str, Any], context: ToolContext) -> ToolResult:
            entry = {"tool": name, "text": args["text"], "pid": os.getpid(), "at": time.time()}
            os.write(file, (json.dumps(entry) + "\n").encode())
            await asyncio.sleep(0.02)
            return ToolResult("done", "done")

        return Tool(name, name, name, _PARAMETERS, run, writes=writes)

    return tool("note", writes=True), tool("look", writes=False)


def bind(effects: Path) -> Callable[[ChatPool], Agent]:
    """The real agent with the tools above."""

    def make(pool: ChatPool) -> Agent:
        both = tools(effects)
        planning = bind_agent(pool, both)

        def run(task: Task, steps: Journal, owner: str, /) -> AsyncGenerator[AgentEvent, None]:
            journal = Consenting(steps)
            if PLANNED in task.question:
                return planning(task, journal, owner)
            return loop.run(task, journal=journal, tools=both, pool=pool, style=TwoSteps(), owner=owner)

        return run

    return make


def platform_adapter(url: str, token: str, secret: str, *, streams: bool) -> AdapterFactory:
    """The fake platform, plugged in like any other."""

    def make(services: Services) -> Adapter:
        async def stop(nonce: str, by: Author) -> bool:
            return await services.control.stop(int(nonce.rpartition("-")[2]), by)

        outbound = FakeOutbound(url, token, streams=streams, pace=Pace(0.1, 0.1), read_lag=0.5)
        return Adapter("fake", FakeInbound(stop, secret=secret), outbound)

    return make


def slack_adapter() -> AdapterFactory:
    """Slack's adapter as it is, with budgets as wide as the fake's tiers are, and little patience with late answers."""
    from adapters.slack import limits
    from adapters.slack.connection import api
    from bot.app import slack_adapter as as_it_is
    from bot.budget import Rate

    rate_of = limits.rate_of

    def wider(key: str) -> Rate:
        rate = rate_of(key)
        return Rate(rate.per_minute * _WIDER, rate.burst * _WIDER, rate.reserve * _WIDER)

    limits.rate_of = wider
    api.CALL_TIMEOUT_S = _TIMEOUT
    return as_it_is


def discord_adapter() -> AdapterFactory:
    """Discord's adapter as it is, allowed more calls of all kinds together, and with little patience, too."""
    from adapters.discord import limits
    from adapters.discord.connection import rest
    from bot.app import discord_adapter as as_it_is

    mock.patch.object(limits, "GLOBAL_USED", limits.GLOBAL_USED._replace(calls=4_000)).start()
    mock.patch.object(rest, "CALL_TIMEOUT_S", _TIMEOUT).start()
    return as_it_is


def break_journal() -> None:
    """Nothing is recalled, and what is begun and finished is not kept."""

    def recall(self: journal.TurnJournal, key: str) -> None:
        return None

    async def begin(self: journal.TurnJournal, key: str, detail: Json = None, *, writes: bool = False) -> None:
        step_crashpoint("after_begin", key, writes=writes)

    async def finish(self: journal.TurnJournal, key: str, result: Json) -> None:
        step_crashpoint("after_make", key)
        step_crashpoint("after_finish", key)

    journal.TurnJournal.recall = recall  # type: ignore[method-assign]
    journal.TurnJournal.begin = begin  # type: ignore[method-assign]
    journal.TurnJournal.finish = finish  # type: ignore[method-assign]


def break_ledger() -> None:
    """A restarted turn doesn't know what it has posted, nor do strays get noticed."""
    parts.of_turn = no_parts
    parts.known = lambda connection, conversation_id, external_ids: set(external_ids)


def no_parts(connection: Connection, turn_id: int) -> list[Part]:
    """A ledger with nothing in it."""
    return []


def break_dedupe() -> None:
    """Every delivery looks like a message never seen before."""
    receive = inbox.Inbox.receive

    async def broken(self: inbox.Inbox, event: Event) -> Any:
        if isinstance(event, Incoming):
            event = replace(event, message_id=f"{event.message_id}~{uuid.uuid4().hex}", delivery_id=None)
        return await receive(self, event)

    def asked(author: Author, message_id: str, *more: Any) -> Asked:
        """The platform's own id, where a reply says what it answers."""
        return Asked(author, message_id.partition("~")[0], *more)

    inbox.Inbox.receive = broken  # type: ignore[method-assign]
    mock.patch.object(claim, "Asked", asked).start()


def break_catch_up() -> None:
    """What was said while nobody listened is left where it is."""
    from adapters.discord.hearing.catch_up import CatchUp

    async def make_whole(self: CatchUp, place: object, before: int | None) -> None:
        return

    CatchUp.make_whole = make_whole  # type: ignore[method-assign]


def end_with_harness() -> None:
    """Die at the end of standard input, so that no server outlives a harness that was killed itself."""

    def watch() -> None:
        # The descriptor, not `sys.stdin`: a thread in its buffer aborts the interpreter's orderly end.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


BROKEN = {
    "journal": break_journal,
    "ledger": break_ledger,
    "dedupe": break_dedupe,
    "catch_up": break_catch_up,
}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform")
    parser.add_argument("--token")
    parser.add_argument("--secret")
    parser.add_argument("--slack", action="store_true", help="Slack, as the settings say, with wider budgets")
    parser.add_argument("--discord", action="store_true", help="Discord, as the settings say, allowed more calls")
    parser.add_argument("--effects", type=Path, required=True)
    parser.add_argument("--streams", action="store_true")
    parser.add_argument("--broken", choices=sorted(BROKEN))
    options = parser.parse_args()
    end_with_harness()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    if options.broken:
        BROKEN[options.broken]()
    if options.slack:
        factory = slack_adapter()
    elif options.discord:
        factory = discord_adapter()
    else:
        factory = platform_adapter(options.platform, options.token, options.secret, streams=options.streams)
    app = App(load(), [factory], tidy_after=timedelta(seconds=3), bind=bind(options.effects))
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    address = await app.start()
    print(json.dumps({"port": address.port}), flush=True)
    await stopping.wait()
    await app.stop()


if __name__ == "__main__":
    asyncio.run(main())

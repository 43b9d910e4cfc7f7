"""Running a turn again offline, from its journal alone: for understanding an answer, and for proving that recovery
gives the same.
"""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from agent.events import Finished, StepFinished, StepStarted
from agent.journal import Json, Recalled
from agent.llm.chat import ChatModel, ModelError, Priority
from agent.task import Task
from bot.agents import bind_agent
from bot.dispatch.claim import CONTEXT, Claim
from bot.settings import Settings
from bot.store import steps, turns
from bot.store.db import open_store
from bot.store.turns import TurnRow


class NotRecorded(Exception):
    """The run asks for a step that the journal doesn't have: it did not get that far, or the rules have changed."""


class ReplayJournal:
    """Recalls, and never does anything."""

    def __init__(self, known: dict[str, Recalled]) -> None:
        self._known = known

    def recall(self, key: str) -> Recalled | None:
        found = self._known.get(key)
        if found is None or found.state != "done":
            raise NotRecorded(key)
        return found

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        raise NotRecorded(key)

    async def finish(self, key: str, result: Json) -> None:
        raise NotRecorded(key)

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        found = self.recall(key)
        return bool(found and found.result.get("allow"))


class NoModel:
    """A pool without models: a replay calls none."""

    def __init__(self, *, demo: bool) -> None:
        self.demo = demo

    def slot(self, owner: str, priority: Priority = Priority.CHAT) -> AbstractAsyncContextManager[ChatModel]:
        raise ModelError("not_started", "a replay calls no model")


async def run_replay(settings: Settings, turn_id: int) -> int:
    """Replay a turn and print it; 0 when the answer comes out the same, 1 when it doesn't or can't be replayed."""
    store = open_store(settings.database_url)
    claim = Claim("replay", timedelta(0), ZoneInfo(settings.timezone), settings.profile.build(), timedelta(0))

    def load(connection: Connection) -> tuple[TurnRow, dict[str, Recalled], Task | None, str] | None:
        row = turns.get(connection, turn_id)
        if row is None:
            return None
        known = steps.of_turn(connection, turn_id)
        task = claim.rebuild(connection, row, known[CONTEXT].result) if CONTEXT in known else None
        return row, known, task, turns.answers(connection, [turn_id]).get(turn_id, "")

    try:
        found = await store.read(load)
    finally:
        await store.close()
    if found is None:
        click.echo(f"There is no turn {turn_id}.", err=True)
        return 1
    row, known, task, answer = found
    if task is None:
        click.echo(f"Turn {turn_id} ({row.state}) never ran, so there is nothing to replay.", err=True)
        return 1
    demo = settings.models.endpoint.base_url is None
    return await _print(row, known, task, answer, demo=demo)


async def _print(row: TurnRow, known: dict[str, Recalled], task: Task, answer: str, *, demo: bool) -> int:
    click.echo(f"turn {row.id}: {row.state}, attempt {row.attempts}, {task.now.isoformat()}, {task.lang}")
    click.echo(f"question: {task.question}")
    click.echo(f"history: {len(task.history)} earlier exchanges")
    agent = bind_agent(NoModel(demo=demo))
    try:
        async for event in agent(task, ReplayJournal(known), "replay"):
            if isinstance(event, StepStarted):
                args = json.dumps(event.args, ensure_ascii=False)
                click.echo(f"step {event.key}: {event.tool or event.kind} {args}")
            elif isinstance(event, StepFinished):
                click.echo(f"  {'ok' if event.ok else 'failed'}: {event.result}")
            elif isinstance(event, Finished):
                click.echo(f"answer:\n{event.text}")
                same = event.text == answer
                click.echo("the same answer as was given" if same else "NOT the answer that was given")
                return 0 if same else 1
    except NotRecorded as error:
        click.echo(f"The journal ends before step {error}: the turn is {row.state}.", err=True)
    return 1

"""Running a turn again offline, from its journal alone: for understanding an answer, and for proving that recovery
gives the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from agent.clock import SystemClock
from agent.events import Finished, StepFinished, StepStarted
from agent.journal import Json, Recalled
from agent.language import Lang, Text
from agent.llm.chat import ModelError, Prepare, Priority, ReplyItem, Serving
from agent.task import Task
from bot.agents import bind_agent, tools_of
from bot.attachments import Attachments
from bot.dispatch.claim import CONTEXT, Claim, Wants
from bot.inbox import clean
from bot.messages import Target, TurnState
from bot.ports import StoreUnavailable
from bot.preparing import Preparer
from bot.settings import Settings
from bot.store import messages, migrate, steps, turns
from bot.store.db import Store, open_store
from bot.store.history import answers
from bot.store.turns import TurnRow
from bot.turns import Agent

#: What a turn's state is called.
STATES: Final[dict[TurnState, Text]] = {
    "queued": Text("queued", "排队中"),
    "running": Text("running", "进行中"),
    "waiting": Text("waiting", "等待许可"),
    "answered": Text("answered", "已回答"),
    "merged": Text("merged", "已合并"),
    "superseded": Text("superseded", "已被取代"),
    "stopped": Text("stopped", "已停止"),
    "refused": Text("refused", "已拒绝"),
    "failed": Text("failed", "已失败"),
    "withdrawn": Text("withdrawn", "已撤回"),
}
_NO_DATABASE: Final = Text(
    "There is no database of this version to read: check `database_url`, or start the server once.",
    "没有可读取的当前版本数据库：请检查 `database_url`，或先启动一次服务。",
)
_NO_TURN: Final = Text("There is no turn {turn}.", "没有第 {turn} 轮对话。")
_NEVER_RAN: Final = Text(
    "Turn {turn} ({state}) never ran, so there is nothing to replay.",
    "第 {turn} 轮（{state}）从未运行，没有可以重放的内容。",
)
_UNREADABLE: Final = Text(
    "The frozen context of turn {turn} can't be read, since another version of this program wrote it.",
    "第 {turn} 轮冻结的上下文无法读取，它由本程序的另一个版本写入。",
)
_ENDS: Final = Text(
    "The journal ends before step {step}: the turn is {state}.", "日志在步骤 {step} 之前结束：该轮的状态是“{state}”。"
)
_TURN: Final = Text(
    "turn {turn}: {state}, attempt {attempt}, {now}, {language}",
    "轮次 {turn}：{state}，第 {attempt} 次尝试，{now}，{language}",
)
_QUESTION: Final = Text("question: {words}", "问题：{words}")
_HISTORY: Final = Text("history: {count} earlier exchanges", "历史：此前 {count} 轮")
_STEP: Final = Text("step {key}: {tool} {args}", "步骤 {key}：{tool} {args}")
_PLAN: Final = Text("step {key}: plan", "步骤 {key}：规划")
_THOUGHT: Final = Text("  thought: {words}", "  想法：{words}")
_PLAN_ENDS: Final = Text("  ends: {words}", "  结束：{words}")
_STEP_OK: Final = Text("  ok: {result}", "  成功：{result}")
_STEP_FAILED: Final = Text("  failed: {result}", "  失败：{result}")
_ANSWER: Final = Text("answer:\n{words}", "回答：\n{words}")
_SAME: Final = Text("the same answer as was given", "与当时给出的回答相同")
_OTHER: Final = Text("NOT the answer that was given", "与当时给出的回答不同")


class NotRecorded(Exception):
    """The run asks for a step that the journal doesn't have: it did not get that far, or the rules have changed."""


class ReplayJournal:
    """Recalls, and never does anything."""

    def __init__(self, known: dict[str, Recalled]) -> None:
        self._known = known

    def recall(self, key: str) -> Recalled | None:
        return self._known.get(key)

    async def begin(self, key: str, detail: Json = None, *, writes: bool = False) -> None:
        raise NotRecorded(key)

    async def finish(self, key: str, result: Json) -> None:
        raise NotRecorded(key)

    async def consent(self, key: str, tool: str, args: Json) -> bool:
        found = self.recall(key)
        if found is None or found.state != "done":
            raise NotRecorded(key)
        return bool(found.result.get("allow"))


class NoModel:
    """A pool without models: a replay calls none."""

    def __init__(self, *, demo: bool) -> None:
        self._demo = demo

    def serving(self, model: str = "", *, images: bool = False) -> Serving:
        return Serving("", self._demo)

    def stream(
        self,
        prepare: Prepare,
        *,
        owner: str,
        priority: Priority = Priority.CHAT,
        model: str = "",
        images: bool = False,
    ) -> AsyncGenerator[ReplyItem, None]:
        raise ModelError("not_started", "a replay calls no model")


class Found(NamedTuple):
    """A turn, as its rows have it."""

    row: TurnRow
    steps: dict[str, Recalled]
    #: None for a turn that never ran, or whose context can't be read.
    task: Task | None
    answer: str


async def run_replay(settings: Settings, turn_id: int) -> int:
    """Replay a turn and print it; 0 when the answer comes out the same, 1 when it doesn't or can't be replayed."""
    tools = tools_of(settings)
    lang = settings.lang
    try:
        found = await _find(settings, turn_id)
    except StoreUnavailable as error:
        click.echo(error.text.say(lang), err=True)
        return 1
    if found is None:
        click.echo(_NO_TURN.say(lang, turn=turn_id), err=True)
        return 1
    if found.task is None and CONTEXT in found.steps:
        click.echo(_UNREADABLE.say(lang, turn=turn_id), err=True)
        return 1
    if found.task is None:
        click.echo(_NEVER_RAN.say(lang, turn=turn_id, state=STATES[found.row.state].say(lang)), err=True)
        return 1
    models = settings.models
    demo = not models.configured and models.embedded.gguf is None
    return await _print(found, found.task, bind_agent(NoModel(demo=demo), tools), lang)


async def _find(settings: Settings, turn_id: int) -> Found | None:
    """The turn's rows; None if there are none. Raises `StoreUnavailable`."""
    if await asyncio.to_thread(migrate.check, settings.database_url) != "current":
        raise StoreUnavailable(_NO_DATABASE)
    store = open_store(settings.database_url)
    claim = Claim("replay", timedelta(0), ZoneInfo(settings.timezone), settings.profile.build(), timedelta(0))

    def load(connection: Connection) -> Found | None:
        row = turns.get(connection, turn_id)
        if row is None:
            return None
        known = steps.of_turn(connection, turn_id)
        task = None
        if CONTEXT in known:
            # Of another version of this program; the server fails such a turn, too.
            with suppress(LookupError, TypeError, ValueError):
                task = claim.rebuild(connection, row, known[CONTEXT].result)
        return Found(row, known, task, answers(connection, [turn_id]).get(turn_id, ""))

    try:
        found = await store.read(load)
        return found if found is None or found.task is None else await _prepared(store, found, found.task)
    finally:
        await store.close()


async def _prepared(store: Store, found: Found, task: Task) -> Found:
    """With what the turn's first steps had found, as far as they got."""
    row = found.row
    asked = await store.read(lambda c: messages.of_turns(c, [row.id]))
    met = found.steps[CONTEXT].result.get("people") or {}
    # Nothing is asked for anew, so nowhere is as good a place as any.
    nowhere = Target("", "", "", None, "")
    authors = tuple(one.author for one in asked)
    wants = Wants(nowhere, row.conversation_id, row.generation, row.sent_at, authors=authors, met=met)
    with suppress(NotRecorded):
        preparer = Preparer(store, SystemClock(), Attachments(store, SystemClock()))
        task = await preparer.prepare(task, wants, None, ReplayJournal(found.steps))
    return found._replace(task=task)


async def _print(found: Found, task: Task, agent: Agent, lang: Lang) -> int:
    row = found.row
    state = STATES[row.state].say(lang)

    def say(text: Text, **fields: object) -> None:
        # Models and tools may say anything, also what a terminal would obey.
        click.echo(clean(text.say(lang, **fields)))

    say(_TURN, turn=row.id, state=state, attempt=row.attempts, now=task.now.isoformat(), language=task.lang)
    say(_QUESTION, words=task.question)
    say(_HISTORY, count=len(task.history))
    try:
        async for event in agent(task, ReplayJournal(found.steps), "replay"):
            if isinstance(event, StepStarted) and event.kind == "plan":
                say(_PLAN, key=event.key)
            elif isinstance(event, StepFinished) and event.key.startswith("plan/"):
                for line, words in ((_THOUGHT, event.thought), (_PLAN_ENDS, event.result)):
                    if words:
                        say(line, words=words)
            elif isinstance(event, StepStarted):
                args = json.dumps(event.args, ensure_ascii=False)
                say(_STEP, key=event.key, tool=event.tool or event.kind, args=args)
            elif isinstance(event, StepFinished):
                say(_STEP_OK if event.ok else _STEP_FAILED, result=event.result)
            elif isinstance(event, Finished):
                # What was given is the cleaned text, as in `bot.turns`.
                same = clean(event.text) == found.answer
                say(_ANSWER, words=event.text)
                say(_SAME if same else _OTHER)
                return 0 if same else 1
    except NotRecorded as error:
        click.echo(_ENDS.say(lang, step=error, state=state), err=True)
    return 1

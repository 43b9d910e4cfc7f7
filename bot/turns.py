"""One turn: run the agent with a journal, show what it does, and say how it ended."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from agent.clock import Clock
from agent.events import AgentEvent, Finished, StepFinished, StepStarted, TextDelta, TextReset
from agent.journal import Journal, Json, Parked, step
from agent.language import Text
from agent.llm import faults
from agent.llm.chat import ModelError
from agent.task import Task
from bot import texts
from bot.crashpoints import crashpoint
from bot.delivery import Delivery, Undeliverable, insist
from bot.dispatch.claim import Claimed
from bot.dispatch.lease import Lease
from bot.inbox import clean
from bot.journal import Fence, TurnJournal, TurnLedger
from bot.messages import Consent, Draft, EndAs, Final, ReplyFile, StepView
from bot.ports import Hands, Knows, LostTurn, Outbound, StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater
from bot.preparing import Preparer
from bot.store import parts
from bot.store.db import Store

log = logging.getLogger(__name__)

#: A turn is taken over this often; then it fails visibly, because it is likely what kills its processes.
MAX_TAKEOVERS = 3
#: Characters of a status: one line on a narrow screen, or two.
MAX_STATUS = 120


class Agent(Protocol):
    """The agent loop with its models and tools bound (`bot.app` binds them)."""

    def __call__(self, task: Task, journal: Journal, owner: str, /) -> AsyncGenerator[AgentEvent, None]: ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How a turn ended, for its row."""

    state: Literal["answered", "stopped", "refused", "failed", "superseded", "withdrawn"]
    answer: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None


class Said(Protocol):
    """What a command has to say."""

    @property
    def text(self) -> str:
        """Markdown."""

    @property
    def private(self) -> bool:
        """Whether only the asker is told."""

    @property
    def file(self) -> ReplyFile | None:
        """What is handed to the asker besides."""


#: Runs a command that was given by mentioning the agent; the words are the canonical ones of its turn.
RunCommand = Callable[[Claimed, str], Awaitable[Said]]


@dataclass(frozen=True, slots=True)
class ParkedUntil:
    """The turn waits for a person's consent."""

    until: datetime


class Ending:
    """Whether somebody asked for the end of the turn. Set from the turn's row; cancels the work, and only that."""

    def __init__(self, asked: EndAs | None) -> None:
        self.asked = asked
        self._work: asyncio.Task[Any] | None = None

    def ask(self, end_as: EndAs) -> None:
        """The row says that the turn shall end."""
        self.asked = end_as
        if self._work is not None:
            self._work.cancel()

    def watch(self, work: asyncio.Task[Any]) -> None:
        """The task that is to be cancelled; at once if the end was asked for before."""
        self._work = work
        if self.asked is not None:
            work.cancel()


class Picture:
    """What a turn looks like so far, folded from the agent's events."""

    def __init__(self, status: str) -> None:
        #: What is shown while nothing more telling is known.
        self._working = status
        self._status = status
        self._chunks: list[str] = []
        self._steps: dict[str, StepView] = {}

    def fold(self, event: AgentEvent) -> None:
        """Take one more event into the picture."""
        if isinstance(event, TextDelta):
            self._chunks.append(event.text)
        elif isinstance(event, TextReset):
            self._chunks.clear()
        elif isinstance(event, StepStarted) and event.kind == "plan":
            self._status = self._working
        elif isinstance(event, StepFinished) and event.thought:
            self._status = _one_line(event.thought)
        elif isinstance(event, StepStarted) and event.kind == "act":
            self._steps[event.key] = StepView(event.key, event.tool or "", event.args)
        elif isinstance(event, StepFinished) and event.key in self._steps:
            old = self._steps[event.key]
            state: Literal["done", "failed"] = "done" if event.ok else "failed"
            self._steps[event.key] = StepView(old.key, old.tool, old.args, state, event.result)

    @property
    def text(self) -> str:
        if len(self._chunks) > 1:
            self._chunks = ["".join(self._chunks)]
        return self._chunks[0] if self._chunks else ""

    @property
    def steps(self) -> tuple[StepView, ...]:
        return tuple(self._steps.values())

    @property
    def last_steps(self) -> tuple[StepView, ...]:
        """The steps of a turn that is over: one that was under way has not come to its end."""
        return tuple(replace(step, state="failed") if step.state == "running" else step for step in self.steps)

    def draft(self) -> Draft:
        """The complete picture now."""
        text = self.text
        return Draft(text, self.steps, "" if text else self._status)


def _one_line(thought: str) -> str:
    """A model's thought as a status: no line breaks, and not long."""
    line = " ".join(clean(thought).split())
    return line if len(line) <= MAX_STATUS else f"{line[: MAX_STATUS - 1]}…"


class TurnRunner:
    """Runs claimed turns. Holds nothing of any turn between calls."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        agent: Agent,
        outbounds: Mapping[str, Outbound],
        max_chars: int,
        preparer: Preparer | None = None,
        commands: RunCommand | None = None,
    ) -> None:
        """`preparer` completes tasks, by default with what people and their platform say; `commands` runs those that
        the inbox takes for commands.
        """
        self._preparer = preparer or Preparer(store, clock)
        self._commands = commands
        self._store = store
        self._clock = clock
        self._agent = agent
        self._outbounds = outbounds
        self._max_chars = max_chars

    def outbound(self, platform: str) -> Outbound:
        """The way out to a platform. Raises `KeyError` for one that isn't configured any more."""
        return self._outbounds[platform]

    async def run(self, claimed: Claimed, lease: Lease, ending: Ending) -> Ended | ParkedUntil:
        """Run the turn to its end and show it. Raises `LostTurn` or `StoreUnavailable`; then somebody runs it again."""
        turn = claimed.turn
        fence = Fence(self._store, self._clock, turn, lease)
        outbound = self.outbound(claimed.target.platform)
        lease.check()
        sign = asyncio.create_task(outbound.working(claimed.target, claimed.asked))
        try:
            return await self._run(claimed, fence, outbound, ending)
        except Undeliverable as error:
            log.error("turn %s can't be shown: %s", turn.id, error)
            if ending.asked in ("superseded", "withdrawn"):
                return Ended(ending.asked)
            return Ended("failed", reason="undeliverable")
        finally:
            sign.cancel()
            await asyncio.gather(sign, return_exceptions=True)

    async def _run(self, claimed: Claimed, fence: Fence, outbound: Outbound, ending: Ending) -> Ended | ParkedUntil:
        turn = claimed.turn
        ledger = TurnLedger(fence, claimed.parts, resumed=bool(claimed.steps))
        reply = await insist(lambda: outbound.open(claimed.target, ledger, claimed.asked), self._clock)
        picture = Picture(texts.WORKING.say(turn.lang))
        lost: list[BaseException] = []

        def on_lost(error: BaseException) -> None:
            lost.append(error)
            work.cancel()

        delivery = Delivery(reply, outbound.pace, self._clock, on_lost)
        journal = TurnJournal(fence, claimed.steps)
        work = asyncio.create_task(self._work(claimed, journal, picture, delivery, outbound))
        ending.watch(work)
        try:
            await asyncio.wait({work})
            if lost:
                raise lost[0]
            if work.cancelled() and ending.asked is None:
                raise asyncio.CancelledError
            if ending.asked in ("superseded", "withdrawn"):
                return await self.take_back(delivery, ending.asked)
            if work.cancelled():
                return await self._close(delivery, self._stopped(picture, claimed), None, {})
            outcome = work.result()
            if isinstance(outcome, Parked):
                return await self._park(delivery, picture, claimed, outcome)
            final, reason, meta = outcome
            return await self._close(delivery, final, reason, meta)
        finally:
            # Also when this drain is cancelled (shutdown, lost lease): no model call and no edit goes on behind it.
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await delivery.abandon()
            await journal.settle()

    async def take_back(self, delivery: Delivery, end_as: Literal["superseded", "withdrawn"]) -> Ended:
        """Remove what the turn has shown."""
        try:
            await delivery.discard()
        except Undeliverable as error:
            log.warning("a reply could not be taken back: %s", error)
        return Ended(end_as)

    async def discard(self, claimed: Claimed, lease: Lease, end_as: Literal["superseded", "withdrawn"]) -> Ended:
        """Take back a turn that had just shown its answer when its message was edited or deleted."""
        known = await self._store.read(lambda c: parts.of_turn(c, claimed.turn.id))
        fence = Fence(self._store, self._clock, claimed.turn, lease)
        outbound = self.outbound(claimed.target.platform)
        ledger = TurnLedger(fence, known)
        try:
            reply = await insist(lambda: outbound.open(claimed.target, ledger, claimed.asked), self._clock)
        except Undeliverable as error:
            log.warning("a reply could not be taken back: %s", error)
            return Ended(end_as)
        return await self.take_back(Delivery(reply, outbound.pace, self._clock, lambda _: None), end_as)

    async def _work(
        self, claimed: Claimed, journal: Journal, picture: Picture, delivery: Delivery, outbound: Outbound
    ) -> tuple[Final, str | None, dict[str, Any]] | Parked:
        """The part of a turn that Stop cancels: (last form, reason code, what the page shows below)."""
        turn = claimed.turn
        if turn.reason is not None:
            return self._refused(claimed, turn.reason), turn.reason, {}
        if claimed.unreadable:
            return self._failed(texts.reason_text("internal", turn.lang), picture, claimed), "internal", {}
        if turn.attempts > MAX_TAKEOVERS + 1:
            sentence = texts.reason_text("crashed", turn.lang, attempts=turn.attempts - 1)
            return self._failed(sentence, picture, claimed), "crashed", {}
        try:
            if turn.command is not None:
                return await self._command(claimed, turn.command, journal, outbound), None, {}
            task = await self._preparer.prepare(claimed.task, claimed.wants, outbound, journal)
            async with aclosing(self._agent(task, journal, claimed.target.conversation_key)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        return self._answered(event, picture, claimed)
                    picture.fold(event)
                    delivery.show(picture.draft)
        except Parked as parked:
            return parked
        except ModelError as error:
            log.warning("turn %s: %s", turn.id, error)
            # Where several people are, not all of them run the server.
            sentence = faults.say(error, turn.lang, with_host=not isinstance(outbound, Knows))
            return self._failed(sentence, picture, claimed), f"model.{error.fault}", {}
        except (LostTurn, StoreUnavailable):
            raise
        except Exception:
            log.exception("turn %s failed", turn.id)
            return self._failed(texts.reason_text("internal", turn.lang), picture, claimed), "internal", {}
        raise AssertionError("the agent ended without Finished")

    def _answered(self, done: Finished, picture: Picture, claimed: Claimed) -> tuple[Final, str | None, dict[str, Any]]:
        meta = {
            "notes": list(done.notes),
            "sources": list(done.sources),
            "model": done.model,
            "style": done.style or None,
            "usage": {"prompt": done.usage.prompt_tokens, "completion": done.usage.completion_tokens},
        }
        final = Final("answered", clean(done.text), claimed.turn.lang, picture.last_steps, done.notes, done.sources)
        return final, None, meta

    def _refused(self, claimed: Claimed, reason: str) -> Final:
        lang, zone = claimed.turn.lang, claimed.task.now.tzinfo
        sentence = texts.reason_text(reason, lang, zone=zone, limit=f"{self._max_chars:,}")
        return Final("refused", sentence, lang, reason=reason, private=True)

    async def _command(self, claimed: Claimed, command: str, journal: Journal, outbound: Outbound) -> Final:
        """Do what a command says, once."""

        async def make() -> Json:
            if self._commands is None:
                raise AssertionError("a command was accepted by an inbox that knows none")
            done = await self._commands(claimed, command)
            trouble = None if done.file is None else await self._hand(claimed, done.file, outbound)
            return {"text": done.text if trouble is None else trouble.say(claimed.turn.lang), "private": done.private}

        done = await step(journal, "command", make)
        return Final("answered", done["text"], claimed.turn.lang, private=done["private"], can_rate=False)

    async def _hand(self, claimed: Claimed, file: ReplyFile, outbound: Outbound) -> Text | None:
        """Give the asker a file; what to say instead if that can't be done. After a crash it may be given twice."""
        if not isinstance(outbound, Hands):
            return texts.NOT_HANDED
        try:
            await outbound.hand(claimed.target, claimed.asked, file)
        except (Refused, Ambiguous, RetryLater) as error:
            log.warning("a file was not handed out: %s", error)
            return texts.HAND_FAILED
        return None

    def _failed(self, sentence: str, picture: Picture, claimed: Claimed) -> Final:
        return Final("failed", sentence, claimed.turn.lang, picture.last_steps, can_retry=True)

    def _stopped(self, picture: Picture, claimed: Claimed) -> Final:
        note = texts.STOPPED.say(claimed.turn.lang)
        return Final("stopped", clean(picture.text), claimed.turn.lang, picture.last_steps, (note,), can_retry=True)

    async def _close(self, delivery: Delivery, final: Final, reason: str | None, meta: dict[str, Any]) -> Ended:
        crashpoint("reply.before_close")
        try:
            await delivery.close(final)
        except Undeliverable as error:
            log.error("a reply was not delivered: %s", error)
            return Ended("failed", final.text, meta, "undeliverable")
        crashpoint("reply.after_close")
        if final.outcome == "stopped":
            meta = {"notes": list(final.notes), "partial": True}
        return Ended(final.outcome, final.text, meta, reason)

    async def _park(
        self, delivery: Delivery, picture: Picture, claimed: Claimed, parked: Parked
    ) -> Ended | ParkedUntil:
        arguments = json.dumps(parked.tool_args, ensure_ascii=False)
        question = texts.CONSENT.say(claimed.turn.lang, tool=parked.tool, args=arguments)
        draft = picture.draft()
        try:
            await delivery.pause(Draft(draft.text, draft.steps, "", Consent(parked.key, question)))
        except Undeliverable as error:
            log.error("a question was not delivered: %s", error)
            return Ended("failed", None, {}, "undeliverable")
        return ParkedUntil(parked.until)

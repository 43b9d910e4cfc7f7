"""A server in the test's own process: real store, dispatcher and journal; a scripted agent and a recording platform.

The platform keeps what people would see. `Server.crash()` is what SIGKILL leaves behind: nothing more runs, nothing is
handed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from agent.clock import SystemClock
from agent.events import AgentEvent, Finished, TextDelta
from agent.journal import Journal
from agent.profile import Profile
from agent.task import Task
from bot.control import Control
from bot.dispatch.claim import Claim
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.lease import LEASE_SECONDS
from bot.inbox import Inbox, Rules
from bot.live import Live
from bot.messages import DIRECT, Address, Asked, Author, Draft, Final, Incoming, Target
from bot.ports import Ledger, Pace
from bot.posting import Own, Poster
from bot.preparing import Files, Preparer
from bot.store.db import Store
from bot.store.tables import message, turn
from bot.turns import RunCommand, TurnRunner

ANN = Author("ann", "Ann")
START = datetime(2026, 1, 1, tzinfo=UTC)

Script = Callable[[Task, Journal, str], AsyncGenerator[AgentEvent, None]]
_QUICK = Pace(0.0, 0.01)


async def echo(task: Task, journal: Journal, owner: str) -> AsyncGenerator[AgentEvent, None]:
    """An agent that answers with what it was asked."""
    text = f"echo: {task.question}"
    found = journal.recall("conclude")
    if found is None or found.state != "done":
        await journal.begin("conclude")
        await journal.finish("conclude", text)
    yield TextDelta(text)
    yield Finished(text)


@dataclass
class Platform:
    """What is visible, by message id; and what was called."""

    visible: dict[str, str] = field(default_factory=dict)
    created_at: dict[str, datetime] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    ids: Any = field(default_factory=lambda: count(1))
    pace: Pace = _QUICK
    read_lag: float = 0.0
    #: Set by a test to run before a post is recorded, or to fail it.
    before_post: Callable[[], Awaitable[None]] | None = None
    closes: list[Final] = field(default_factory=list)

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> PlatformReply:
        reply = PlatformReply(self, ledger)
        await reply.poster.resolve_open()
        return reply

    async def tidy(
        self, target: Target, since: datetime, known: Callable[[Sequence[str]], Awaitable[set[str]]]
    ) -> None:
        own = [own.id for own in await self.list_own(since)]
        posted = await known(own)
        for external_id in own:
            if external_id not in posted:
                await self.delete(external_id)

    async def working(self, target: Target, asked: Asked) -> None:
        self.calls.append("working")

    async def close(self) -> None:
        pass

    async def list_own(self, since: datetime) -> list[Own]:
        return [Own(id_, at) for id_, at in self.created_at.items() if at >= since and id_ in self.visible]

    async def delete(self, external_id: str) -> None:
        self.calls.append(f"delete {external_id}")
        self.visible.pop(external_id, None)

    async def post(self, text: str) -> str:
        if self.before_post is not None:
            await self.before_post()
        external_id = f"p{next(self.ids)}"
        self.calls.append(f"post {external_id}")
        self.visible[external_id] = text
        self.created_at[external_id] = datetime.now(UTC)
        return external_id


class PlatformReply:
    """One message per reply, edited."""

    def __init__(self, platform: Platform, ledger: Ledger) -> None:
        self.platform = platform
        self.ledger = ledger
        self.poster = Poster(ledger, platform.list_own, platform.delete, read_lag=platform.read_lag)

    async def _make(self, text: str) -> None:
        parts = [part for part in self.ledger.parts if part.external_id is not None]
        if not parts:
            await self.poster.create(0, lambda: self.platform.post(text))
            return
        self.ledger.check()
        external_id = parts[0].external_id
        assert external_id is not None
        self.platform.calls.append(f"edit {external_id}")
        self.platform.visible[external_id] = text

    async def show(self, draft: Draft) -> bool:
        if draft.text or draft.consent:
            await self._make(draft.consent.question if draft.consent else draft.text)
        return True

    async def close(self, final: Final) -> None:
        self.platform.closes.append(final)
        await self._make("\n".join([final.text, *final.notes]).strip())

    async def discard(self) -> None:
        for part in list(self.ledger.parts):
            if part.external_id is not None:
                await self.poster.delete(part.external_id)
            await self.ledger.removed(part.position)


class Server:
    """One process's worth of server on a store."""

    def __init__(
        self,
        store: Store,
        platform: Platform,
        script: Script = echo,
        *,
        name: str = "one",
        profile: Profile | None = None,
        tidy_after: timedelta = timedelta(seconds=60),
        clock: Any = None,
        most_turns: int = 8,
        knows: Collection[str] = (),
        files: Files | None = None,
        rules: Rules | None = None,
        commands: RunCommand | None = None,
    ) -> None:
        self._crashed = False
        self.store = store
        self.clock = clock or SystemClock()
        self.live = Live()
        claim = Claim(name, timedelta(seconds=LEASE_SECONDS), ZoneInfo("UTC"), profile or Profile(), tidy_after, knows)
        outbounds: Any = {"test": platform}
        preparer = Preparer(store, self.clock, files)
        runner = TurnRunner(store, self.clock, script, outbounds, 1000, preparer, commands)
        self.dispatcher = Dispatcher(
            store=store,
            clock=self.clock,
            claim=claim,
            runner=runner,
            live=self.live,
            platforms=("test",),
            most_turns=most_turns,
        )
        self.inbox = Inbox(store, self.clock, self.dispatcher, self.live, rules or Rules(1000))
        self.control = Control(store, self.clock, self.dispatcher, self.live)

    async def __aenter__(self) -> Server:
        await self.dispatcher.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._crashed:
            await self.dispatcher.stop(grace=0)

    async def crash(self) -> None:
        """End everything at once, as SIGKILL would: no hand-over, no clean-up that writes."""
        self._crashed = True
        tasks = [*self.dispatcher._drains.values(), *self.dispatcher._loops]
        self.dispatcher._stopping = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.dispatcher._loops = []


def target(key: str = "c1") -> Target:
    return Target("test", "w", "ch", None, f"test:{key}")


def address(*, addressed: bool) -> Address:
    """That of a message that is for the agent, or clearly for somebody else."""
    return DIRECT if addressed else Address(mentions_others=True)


def say(
    text: str, message_id: str, *, key: str = "c1", at: float = 0.0, addressed: bool = True, **more: Any
) -> Incoming:
    """A message of Ann's, `at` seconds after the start of the test's time."""
    sent_at = START + timedelta(seconds=at)
    return Incoming(target(key), message_id, ANN, text, sent_at, address=address(addressed=addressed), **more)


async def states(store: Store) -> dict[int, str]:
    """State of every turn."""

    def query(connection: Connection) -> dict[int, str]:
        return {row.id: row.state for row in connection.execute(select(turn.c.id, turn.c.state).order_by(turn.c.id))}

    return await store.read(query)


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until something becomes true; the bound only ends a test that fails anyway."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - rows have no event to wait for
            await asyncio.sleep(0.005)


async def settled(store: Store, seconds: float = 20.0) -> dict[int, str]:
    """Wait until no turn is live; the states."""

    async def over() -> bool:
        return not any(state in ("queued", "running") for state in (await states(store)).values())

    await until(over, seconds)
    return await states(store)


async def stored_texts(store: Store) -> list[str]:
    """The text of every message, in the order of storing."""
    return list(await store.read(lambda c: list(c.execute(select(message.c.text).order_by(message.c.id)).scalars())))

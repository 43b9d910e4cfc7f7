"""A server without a dispatcher: the test itself claims and ends turns, in the order that it wants to look at.

What the dispatcher does between a claim and an end (the agent, the platform) is left out; every statement on the
database is the server's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from agent.language import Text
from agent.profile import Profile
from bot.control import Control
from bot.dispatch.claim import Claim, Claimed, Next
from bot.dispatch.drain import Drain
from bot.dispatch.lease import LEASE_SECONDS, Lease
from bot.inbox import Inbox, Rules
from bot.journal import Fence
from bot.live import Live
from bot.messages import Deleted, Edited, TurnState
from bot.store import audit, conversations, messages, turns
from bot.store.db import Store
from bot.store.tables import conversation, message, turn
from bot.turns import Ended
from tests.support.clock import ManualClock
from tests.support.server import ANN, say, target

__all__ = ["ANN", "Desk", "delete", "edit", "say", "target"]

MAX_CHARS = 1000


class Bell:
    """A waker that notes whom it was told of."""

    def __init__(self) -> None:
        self.woken: list[int] = []
        self.nudged: list[int] = []

    def in_transaction(self, connection: Connection, conversation_id: int) -> None:
        pass

    def committed(self, conversation_id: int) -> None:
        self.woken.append(conversation_id)

    def nudge(self, turn_id: int) -> None:
        self.nudged.append(turn_id)


class Instant:
    """A `TurnRunner` whose turns end at once; `during` runs while the turn does."""

    def __init__(self, during: Callable[[Claimed], Awaitable[None]] | None = None) -> None:
        self.during = during
        self.ran: list[Claimed] = []

    async def run(self, claimed: Claimed, lease: Lease, ending: Any) -> Ended:
        self.ran.append(claimed)
        if self.during is not None:
            await self.during(claimed)
        if ending.asked is not None:
            return Ended(ending.asked)
        return Ended("answered", f"re {claimed.task.question}")

    async def discard(self, claimed: Claimed, lease: Lease, end_as: Any) -> Ended:
        return Ended(end_as)


class Desk:
    """Inbox, control and claims of one process."""

    def __init__(
        self,
        store: Store,
        owner: str = "one",
        *,
        profile: Profile | None = None,
        clock: ManualClock | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.store = store
        self.clock = clock or ManualClock()
        self.bell = Bell()
        self.live = Live()
        self.inbox = Inbox(store, self.clock, self.bell, self.live, rules or Rules(MAX_CHARS))
        self.control = Control(store, self.clock, self.bell, self.live)
        lease = timedelta(seconds=LEASE_SECONDS)
        self.claim = Claim(owner, lease, ZoneInfo("UTC"), profile or Profile(), timedelta(seconds=60))

    async def first(self, conversation_id: int = 1) -> tuple[int, Next] | None:
        """Take the lease and the first turn."""
        now = self.clock.now()
        return await self.store.write(lambda c: self.claim.first(c, conversation_id, now))

    async def start(self, conversation_id: int = 1) -> Claimed:
        """Take the lease and the first turn, which there is."""
        first = await self.first(conversation_id)
        assert first is not None
        _, claimed = first
        assert isinstance(claimed, Claimed), claimed
        return claimed

    async def end(self, claimed: Claimed, state: TurnState = "answered", answer: str | None = "ok") -> Next | None:
        """End a turn as a drain does and take what comes next; None when the turn or the lease isn't ours any more."""
        now, row = self.clock.now(), claimed.turn

        def query(connection: Connection) -> Next | None:
            conversations.lock(connection, row.conversation_id)
            if not turns.finish(connection, row.id, row.epoch, state, now, answer=answer):
                return None
            if answer and state in ("answered", "stopped"):
                messages.insert_answer(
                    connection, row.conversation_id, row.generation, row.id, claimed.target, answer, now
                )
            return self.claim.following(connection, row.conversation_id, row.epoch, now)

        return await self.store.write(query)

    async def answer(self, conversation_id: int = 1) -> Claimed:
        """Run the first turn of a conversation to its answer."""
        claimed = await self.start(conversation_id)
        assert await self.end(claimed) is not None
        return claimed

    async def park(self, claimed: Claimed, until: datetime) -> bool:
        """Let a running turn wait for consent."""
        return await self.store.write(lambda c: turns.park(c, claimed.turn.id, claimed.turn.epoch, until))

    def drain(self, runner: Instant, conversation_id: int = 1) -> Drain:
        """A drain of this process."""
        any_runner: Any = runner
        return Drain(
            conversation_id,
            store=self.store,
            clock=self.clock,
            claim=self.claim,
            runner=any_runner,
            live=self.live,
            on_turn=lambda _id, _ending: None,
        )

    def fence(self, claimed: Claimed) -> Fence:
        """The fence of a turn that was claimed just now."""
        row = claimed.turn
        return Fence(
            self.store, self.clock, row, Lease(row.conversation_id, row.epoch, self.clock, self.clock.monotonic())
        )

    async def turns(self) -> list[Any]:
        """Every turn's row."""
        return await self.store.read(lambda c: list(c.execute(select(turn).order_by(turn.c.id))))

    async def states(self) -> list[str]:
        """Every turn's state, in the order of their ids."""
        return [row.state for row in await self.turns()]

    async def messages(self) -> list[Any]:
        """Every message's row."""
        return await self.store.read(lambda c: list(c.execute(select(message).order_by(message.c.id))))

    async def conversation(self, key: str = "c1") -> Any:
        """A conversation's row, by the short key that `say` takes."""
        wanted = select(conversation).where(conversation.c.key == target(key).conversation_key)
        return await self.store.read(lambda c: c.execute(wanted).one())

    async def findings(self) -> list[Text]:
        """What the audit says."""
        return await self.store.read(lambda c: audit.findings(c, self.clock.now()))


def edit(text: str, message_id: str, *, addressed: bool = True, **more: Any) -> Edited:
    """An edit of a message of Ann's."""
    original = say(text, message_id, addressed=addressed)
    return Edited(original.target, message_id, ANN, text, original.sent_at, address=original.address, **more)


def delete(message_id: str, **more: Any) -> Deleted:
    """The deletion of a message of Ann's."""
    return Deleted(target(), message_id, **more)

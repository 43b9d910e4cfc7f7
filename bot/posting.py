"""How a message is created on a platform that has no idempotency, so that it exists exactly once. Knows no platform.

A creating call can fail in a way that leaves open whether the message exists: the connection was reset after the
platform had accepted the call, or this process was killed before it could write the id down. So every creating call is
surrounded by the ledger (`intend`, the call, `posted`), and an intent without an id is settled by looking: our own
messages in the conversation that are newer than the turn's first message and in no ledger can only be this turn's,
because a conversation's turns run one at a time. One of them is adopted, the rest is deleted; when there is none, the
call is made again. Reads of a platform lag behind its writes, so the look waits until every message of that call must
be visible. `docs/state.md`, "Part", has the states.

Adapters translate what their platform says into `Ambiguous`, `RetryLater` and `Refused`; nothing else is caught here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from agent.clock import Clock, SystemClock
from bot.crashpoints import crashpoint
from bot.messages import Part
from bot.ports import Ledger

T = TypeVar("T")


class Ambiguous(Exception):
    """Nobody knows whether the platform did what was asked: a reset or a time-out after the request was sent, a 5xx."""


class RetryLater(Exception):
    """The platform did nothing and may be asked again: a rate limit, or no connection at all."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait for {seconds:g} s")
        #: How long to wait before the next call.
        self.seconds = seconds


class Refused(Exception):
    """The platform did nothing and never will: no permission, a text that is too long, a channel that is gone."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the platform refused: {code}")
        #: The platform's own word for the reason.
        self.code = code


class Own(NamedTuple):
    """One message of ours as the platform lists it."""

    id: str
    #: By the platform's clock.
    created_at: datetime


#: Lists our own messages of one conversation that are not older than a platform time, complete, in any order.
ListOwn = Callable[[datetime], Awaitable[Sequence[Own]]]
#: Deletes one message of ours; one that is gone already is no error.
Delete = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try before a failure is passed on."""

    #: Calls with an unknown outcome, all in all.
    tries: int = 6
    #: Seconds before the second try; doubled each time.
    first: float = 0.25
    longest: float = 8.0
    #: Seconds spent in waits that the platform asked for.
    rate_limited: float = 300.0

    def pause(self, tries: int) -> float:
        """Seconds to wait after so many tries."""
        return min(self.longest, self.first * 2.0 ** (tries - 1))


class Poster:
    """Makes the calls of one reply: those that create, around the ledger, and those that may be repeated.

    Every method raises `LostTurn` before the first call that the turn may no longer make. One writer: calls never
    overlap. Any of them may be cancelled at any moment; the next one finds out what had become of the call.
    """

    def __init__(
        self,
        ledger: Ledger,
        list_own: ListOwn,
        delete: Delete,
        *,
        read_lag: float,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._ledger = ledger
        self._list_own = list_own
        self._delete = delete
        self._read_lag = read_lag
        self._clock = clock or SystemClock()
        self._patience = patience or Patience()
        # Whether the open part's message may exist. An intent of an earlier attempt always may.
        self._doubt = open_part(ledger) is not None
        # Until when the doubtful call was under way, where this object made it.
        self._doubt_since: datetime | None = None
        # When a creating call was given up as not arrived: what it created may still turn up.
        self._given_up_at: float | None = None
        # Reads lag behind deletions, too: a listing may still have these.
        self._deleted: set[str] = set()
        self._quiet_until = 0.0

    @property
    def quiet(self) -> bool:
        """Whether the platform has asked us to wait and the time is not over."""
        return self._clock.monotonic() < self._quiet_until

    async def create(self, position: int, send: Callable[[], Awaitable[str]]) -> str:
        """Create the message at `position` by `send`, which returns the platform's id; that id, or that of the adopted
        message.

        `send` is called again only when the call before it is certain to have created nothing that can be found. The
        intent is committed anew before each call, because whoever takes over counts the read lag from it. Raises
        `Refused` (then the part is removed again) and, when patience is over, `RetryLater` (the same) or `Ambiguous`
        (the part stays open).
        """
        left = open_part(self._ledger)
        adopted = await self.resolve_open()
        if adopted is not None and left is not None and left.position == position:
            return adopted
        tries, waited = 0, 0.0
        while True:
            await self._hush()
            self._ledger.check()
            await self._ledger.intend(position)
            crashpoint("part.after_intend")
            try:
                external_id = await self._send(send)
            except RetryLater as later:
                waited += later.seconds
                if waited > self._patience.rate_limited:
                    await self._ledger.removed(position)
                    raise
                self._quiet_until = self._clock.monotonic() + later.seconds
            except Refused:
                await self._ledger.removed(position)
                raise
            except Ambiguous:
                tries += 1
                if tries < self._patience.tries:
                    await self._clock.sleep(self._patience.pause(tries))
                # After the pause, so that there is as little time as possible between the look and the next call.
                adopted = await self.resolve_open()
                if adopted is not None:
                    return adopted
                if tries >= self._patience.tries:
                    raise
            else:
                crashpoint("part.after_post")
                await self._ledger.posted(position, external_id)
                self._doubt = False
                crashpoint("part.after_posted")
                return external_id

    async def resolve_open(self) -> str | None:
        """Settle the open part, if there is one: the id of its message, or None when nothing has arrived.

        With None the part stays open: `create` makes the call again, and whoever doesn't need the message any more
        removes the part. What an adopted message says is unknown; its stream, where it is one, may still be open.
        """
        part = open_part(self._ledger)
        if part is None or not self._doubt:
            return None
        await self._clock.sleep(self._until_visible(part))
        found = [own for own in await self._strays() if own.id not in self._deleted]
        if not found:
            self._doubt = False
            self._given_up_at = self._clock.monotonic()
            self._ledger.gave_up()
            return None
        # The newest one: it certainly comes after the parts before this one.
        *strays, adopted = sorted(found, key=lambda own: (own.created_at, own.id))
        for own in strays:
            await self.delete(own.id)
        self._ledger.check()
        await self._ledger.posted(part.position, adopted.id)
        self._doubt = False
        return adopted.id

    async def settle(self) -> None:
        """Delete what a call that was given up may have created after all. To be called when the reply is complete.

        A time-out says when we stopped waiting, not when the platform did; a message of the first call may appear after
        the second was made. Costs nothing unless a call was given up. What appears later still is left to
        `Outbound.tidy`, which `Ledger.gave_up` has asked for.
        """
        if self._given_up_at is None:
            return
        await self._clock.sleep(max(0.0, self._given_up_at + self._read_lag - self._clock.monotonic()))
        for own in await self._strays():
            if own.id not in self._deleted:
                await self.delete(own.id)
        self._given_up_at = None

    async def delete(self, external_id: str) -> None:
        """Delete one message of ours, insistently."""
        await self.insist(lambda: self._delete(external_id))
        self._deleted.add(external_id)

    async def insist(self, call: Callable[[], Awaitable[T]], *, tries: int | None = None) -> T:
        """Make a call that must succeed, such as the final edit: wait when asked to, repeat when its outcome is
        unknown.

        A call that must not happen twice (an append) gets `tries=1`: then the first unknown outcome is passed on.
        """
        made, waited = 0, 0.0
        while True:
            await self._hush()
            self._ledger.check()
            try:
                return await call()
            except RetryLater as later:
                waited += later.seconds
                if waited > self._patience.rate_limited:
                    raise
                self._quiet_until = self._clock.monotonic() + later.seconds
            except Ambiguous:
                made += 1
                if made >= (tries or self._patience.tries):
                    raise
                await self._clock.sleep(self._patience.pause(made))

    async def offer(self, call: Callable[[], Awaitable[object]]) -> bool:
        """Make a call that a newer draft will make superfluous: once, and not while the platform wants quiet.

        False when it was not made. The next draft has everything that this one had, so nothing is kept for later.
        """
        if self.quiet:
            return False
        self._ledger.check()
        try:
            await call()
        except RetryLater as later:
            self._quiet_until = self._clock.monotonic() + later.seconds
            return False
        return True

    async def _send(self, send: Callable[[], Awaitable[str]]) -> str:
        """One creating call. `_doubt` says afterwards whether its message may exist without our knowing its id."""
        # The commit of the intent may have taken longer than the lease.
        self._ledger.check()
        self._doubt = True
        try:
            external_id = await send()
        except (RetryLater, Refused):
            self._doubt = False
            raise
        except BaseException:
            self._doubt_since = self._clock.now()
            raise
        self._doubt_since = self._clock.now()
        return external_id

    def _until_visible(self, part: Part) -> float:
        """Seconds until the message of the open part must be visible, if it exists.

        At most the read lag, whatever the clock of the process that wrote the intent said.
        """
        started = self._doubt_since or part.intended_at
        left = (started + timedelta(seconds=self._read_lag) - self._clock.now()).total_seconds()
        return min(max(left, 0.0), self._read_lag)

    async def _strays(self) -> list[Own]:
        """Our messages since the turn's first one that are in no ledger."""
        own = await self.insist(lambda: self._list_own(self._ledger.since))
        known = await self._ledger.known([message.id for message in own])
        return [message for message in own if message.id not in known]

    async def _hush(self) -> None:
        """Wait as long as the platform has asked us to, on whichever call it was: one that comes too early may be
        punished."""
        if self.quiet:
            await self._clock.sleep(self._quiet_until - self._clock.monotonic())


def open_part(ledger: Ledger) -> Part | None:
    """The part whose creating call has an open outcome."""
    last = ledger.parts[-1] if ledger.parts else None
    return last if last is not None and last.external_id is None else None


async def tidy(
    list_own: ListOwn, delete: Delete, known: Callable[[Sequence[str]], Awaitable[set[str]]], since: datetime
) -> int:
    """Delete our own messages that are in no ledger and not older than `since`; how many there were.

    For `Outbound.tidy`: after a take-over a request may still have sat in the socket of a process that was frozen, and
    its message appeared when nobody looked any more. To be called while nothing else posts in the conversation. Makes
    no call twice: what the platform says is passed on, and the caller comes back later.
    """
    own = [message.id for message in await list_own(since)]
    posted = await known(own)
    strays = [external_id for external_id in own if external_id not in posted]
    for external_id in strays:
        await delete(external_id)
    return len(strays)

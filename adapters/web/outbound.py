"""The reply on the page: pictures for whoever watches now, a row for whoever comes later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from adapters.web.present import draft_body
from agent.clock import Clock
from agent.journal import Json
from bot.live import Live
from bot.messages import Asked, Draft, Final, Target
from bot.ports import Ledger, LostTurn, Pace, StoreUnavailable

log = logging.getLogger(__name__)

#: At most this often, in seconds, is a growing text written to its row; a change of steps is written at once.
SAVE_EVERY = 0.5
#: Hundredths of a second; a column of 32 bits holds it with room for more drafts than a turn can have.
_MAX_AGE = 1 << 30


class WebReply:
    """One reply. Its drafts are pictures; its end is the turn's own row: there is nothing to post or to take back."""

    def __init__(self, ledger: Ledger, live: Live, clock: Clock) -> None:
        self._ledger = ledger
        self._live = live
        self._clock = clock
        self._version = 0
        #: The newest draft that no row has yet, with its version.
        self._unsaved: tuple[Json, int] | None = None
        self._saved_at = float("-inf")
        self._saved_shape: object = None
        self._saving = asyncio.Lock()
        #: Sleeps until the unsaved draft is due.
        self._later: asyncio.Task[None] | None = None
        self._lost: LostTurn | None = None

    async def show(self, draft: Draft) -> bool:
        if self._lost is not None:
            raise self._lost
        self._ledger.check()
        self._version = self._next_version()
        self._live.draft(self._ledger.conversation_id, self._ledger.turn_id, draft, self._version)
        self._unsaved = draft_body(draft), self._version
        shape = (draft.consent, tuple((step.key, step.state) for step in draft.steps))
        due = self._saved_at + SAVE_EVERY - self._clock.monotonic()
        if due <= 0 or shape != self._saved_shape:
            if not await self._save():
                return False
            self._saved_shape = shape
        elif self._later is None:
            # Who comes while the model pauses shall find the last words, too.
            self._later = asyncio.create_task(self._save_later(due))
        return True

    def _next_version(self) -> int:
        # Hundredths of a second since the question: that grows over restarts and processes without a read.
        age = (self._clock.now() - self._ledger.since).total_seconds()
        return max(self._version + 1, min(int(age * 100), _MAX_AGE))

    async def _save(self) -> bool:
        """Save what isn't; False when the database can't. A draft is worth no more than that: the journal and the end
        of the turn say whether it can go on.
        """
        async with self._saving:
            if self._unsaved is None:
                return True
            draft, self._unsaved = self._unsaved, None
            self._saved_at = self._clock.monotonic()
            try:
                await self._ledger.save_draft(*draft)
            except StoreUnavailable as error:
                log.warning("a draft was not saved: %s", error)
                # Unless a newer one has come meanwhile.
                if self._unsaved is None:
                    self._unsaved = draft
                return False
            return True

    async def _save_later(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._later = None
        try:
            await self._save()
        except LostTurn as error:
            self._lost = error

    async def _forget(self) -> None:
        """Write no more drafts, and wait for the one that is being written."""
        self._unsaved = None
        if self._later is not None:
            self._later.cancel()
            self._later = None
        async with self._saving:
            pass

    async def close(self, final: Final) -> None:
        await self._forget()

    async def discard(self) -> None:
        await self._forget()


class WebOutbound:
    """`bot.ports.Outbound` for the page."""

    #: Nothing is sent anywhere, so the first words go out at once; ten pictures a second look like a stream.
    pace = Pace(first=0.0, every=0.1)
    read_lag = 0.0

    def __init__(self, live: Live, clock: Clock) -> None:
        self._live = live
        self._clock = clock

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> WebReply:
        return WebReply(ledger, self._live, self._clock)

    async def tidy(
        self, target: Target, since: datetime, known: Callable[[Sequence[str]], Awaitable[set[str]]]
    ) -> None:
        """Nothing is posted, so nothing can be left over."""

    async def working(self, target: Target, asked: Asked) -> None:
        """The page shows the queued turn itself."""

    async def close(self) -> None:
        """Nothing is open."""

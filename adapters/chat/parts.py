"""The messages of one reply: what the platform is known to show of them, and the calls that make them look otherwise.

For messages that are posted and edited. A draft's calls are made once, and a newer draft makes up for those that were
not; the end's are made until they succeed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from adapters.chat.pacing import Turns
from bot.ports import Ledger
from bot.posting import Poster, Refused, RetryLater

#: What one message shows, the platform's own; two that are equal look alike.
L = TypeVar("L")
L_contra = TypeVar("L_contra", contravariant=True)

#: Before the id of a message that only one person sees: nothing can be done with it any more.
PRIVATE: Final = "private:"


class Channel(Protocol[L_contra]):
    """Where the messages of one reply are. Each method is one call and raises what `bot.posting` names. `urgent`: for
    the end of an answer, which may use what of a budget is kept back for it."""

    async def post(self, look: L_contra, position: int, *, urgent: bool) -> str:
        """Create a message; its id."""

    async def edit(self, external_id: str, look: L_contra, position: int, *, urgent: bool) -> None:
        """Replace all that a message shows."""


@dataclass(slots=True)
class Shown(Generic[L]):
    """What we know of one message that exists."""

    #: None when it is unknown: found after a crash, or a call with an unknown outcome since.
    look: L | None = None
    #: Somebody deleted it, or it can't be changed. Drafts leave it so, the end replaces it.
    is_lost: bool = False


class Messages(Generic[L]):
    """What is shown is remembered, so that only differences are sent."""

    def __init__(
        self,
        channel: Channel[L],
        ledger: Ledger,
        poster: Poster,
        *,
        lost: Collection[str],
        skipped: Collection[str] = (),
    ) -> None:
        """`lost`: the platform's codes (`Refused.code`) that mean that a message can't be changed any more, because it
        is gone or too old; a new one has to take its place. `skipped`: those after which a later draft may be shown.
        """
        self._channel = channel
        self._ledger = ledger
        self._poster = poster
        self._lost_codes = frozenset(lost)
        self._skipped = frozenset(skipped)
        #: External id → what it shows.
        self._shown: dict[str, Shown[L]] = {}

    def exists(self, position: int) -> bool:
        """Whether the part has a message that we know of."""
        return self.id_of(position) is not None

    def id_of(self, position: int) -> str | None:
        """The id of the part's message; None when it has to be created, or may exist unknown to us."""
        return next((part.external_id for part in self._ledger.parts if part.position == position), None)

    def may_change(self, turns: Turns) -> bool:
        """Whether there is any use in showing something now."""
        return turns.may_begin() if self._begins() else turns.is_due()

    # Drafts: each call is made once, and a newer draft makes up for it.

    async def show(self, turns: Turns, position: int, look: L) -> bool:
        """Make a part a message that looks like this; whether it does now."""
        external_id = self.id_of(position)
        if external_id is None:
            if not turns.may_begin():
                return False
            turns.begins()
            external_id = await self._create(position, look, urgent=False)
        shown = self._of(external_id)
        if shown.is_lost or shown.look == look:
            return True
        return turns.takes_turn() and await self._offer(position, external_id, look)

    # The end: each call is made until it succeeds.

    async def settle(self, position: int, look: L) -> None:
        """Make a part look like this, whatever it takes."""
        external_id = self.id_of(position) or await self._create(position, look, urgent=True)
        if self._of(external_id).look == look:
            return
        try:
            await self._poster.insist(partial(self._change, position, external_id, look, urgent=True))
        except Refused as refused:
            if refused.code not in self._lost_codes:
                raise
            # It is posted again, and whatever comes after it, to keep the order.
            await self.remove_from(position)
            await self.settle(position, look)

    async def settle_all(self, looks: Sequence[L]) -> None:
        """Make the reply these messages, and no further ones."""
        for position, look in enumerate(looks):
            await self.settle(position, look)
        await self.remove_from(len(looks))

    async def whisper(self, position: int, send: Callable[[], Awaitable[str]]) -> None:
        """Make a part a message that only the asker sees. Once it is told, it is told. `send` returns an id that begins
        with `PRIVATE`."""
        if (self.id_of(position) or "").startswith(PRIVATE):
            return
        while not (await self._poster.create(position, send)).startswith(PRIVATE):
            # What an earlier attempt had posted for all to see was taken for it.
            await self.remove_from(position)

    async def whisper_all(self, sends: Sequence[Callable[[], Awaitable[str]]]) -> None:
        """Tell the asker alone, whatever was shown to all before."""
        if any(not (part.external_id or PRIVATE).startswith(PRIVATE) for part in self._ledger.parts):
            await self.remove_from(0)
        for position, send in enumerate(sends):
            await self.whisper(position, send)

    async def remove_from(self, position: int) -> None:
        """Take back all messages from this position on."""
        for part in reversed([part for part in self._ledger.parts if part.position >= position]):
            external_id = part.external_id or await self._poster.resolve_open()
            if external_id is not None:
                await self._poster.delete(external_id)
                self._forget(external_id)
            await self._ledger.removed(part.position)

    # Inside, and for platforms with further kinds of messages.

    def _begins(self) -> bool:
        """Whether what comes next is a new message."""
        parts = self._ledger.parts
        return not parts or parts[-1].external_id is None

    async def _create(self, position: int, look: L, *, urgent: bool) -> str:
        made: list[str] = []

        async def send() -> str:
            made.append(await self._channel.post(look, position, urgent=urgent))
            return made[-1]

        external_id = await self._poster.create(position, send)
        # An adopted message may be that of an earlier attempt, with another text.
        self._shown[external_id] = Shown(look) if external_id in made else Shown()
        return external_id

    async def _offer(self, position: int, external_id: str, look: L) -> bool:
        """Make a message look like this, once; whether it does now."""
        try:
            return await self._poster.offer(partial(self._change, position, external_id, look, urgent=False))
        except Refused as refused:
            return self._lost(refused, external_id)

    async def _change(self, position: int, external_id: str, look: L, *, urgent: bool) -> None:
        """Make a message look like this. It may be repeated. The caller has checked the lease."""
        await self._edit(position, external_id, look, urgent=urgent)

    async def _edit(self, position: int, external_id: str, look: L, *, urgent: bool) -> None:
        shown = self._of(external_id)
        # Until the call is known to have changed everything, nothing is known.
        before, shown.look = shown.look, None
        try:
            await self._channel.edit(external_id, look, position, urgent=urgent)
        except RetryLater:
            shown.look = before
            raise
        shown.look = look

    def _lost(self, refused: Refused, external_id: str) -> bool:
        """A message that can't be changed is left to the end. Raises every other refusal."""
        if refused.code in self._skipped:
            return True
        if refused.code not in self._lost_codes:
            raise refused
        self._shown[external_id] = Shown(is_lost=True)
        return True

    def _of(self, external_id: str) -> Shown[L]:
        return self._shown.setdefault(external_id, Shown())

    def _forget(self, external_id: str) -> None:
        self._shown.pop(external_id, None)

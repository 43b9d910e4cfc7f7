"""Replies on the fake platform: posts, edits, roll-over at the text limit, streams if wanted."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from agent.clock import Clock, SystemClock
from bot.messages import Asked, Draft, Final, Target
from bot.ports import Ledger, Pace
from bot.posting import Ambiguous, Patience, Poster, Refused, RetryLater, tidy
from tests.fakes.adapter import render
from tests.fakes.adapter.api import FakeApi, Metadata

_log = logging.getLogger(__name__)

#: Characters of one message, as the fake platform documents it.
TEXT_LIMIT = 2_000

Call = Callable[[], Awaitable[object]]


class FakeOutbound:
    """Sends to the fake platform. `streams`: the creating call opens a stream, and what comes is appended.

    Times in seconds. `read_lag` has to exceed that of the platform; `timeout` is that of one call.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        streams: bool = False,
        pace: Pace | None = None,
        read_lag: float = 0.5,
        timeout: float = 1.0,
        patience: Patience | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._api = FakeApi(base_url, token, timeout=timeout)
        self._streams = streams
        self._pace = pace or Pace(first=0.3, every=0.3)
        self._read_lag = read_lag
        self._patience = patience or Patience()
        self._clock = clock or SystemClock()

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    @property
    def pace(self) -> Pace:
        return self._pace

    @property
    def read_lag(self) -> float:
        return self._read_lag

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> FakeReply:
        # No call yet: an open part is settled by the first call that needs it, so that a turn that was taken over can
        # work meanwhile, even if the platform is away.
        poster = Poster(
            ledger,
            partial(self._api.list_own, target),
            self._api.delete,
            read_lag=self._read_lag,
            clock=self._clock,
            patience=self._patience,
        )
        return FakeReply(self._api, target, ledger, poster, streams=self._streams)

    async def tidy(
        self, target: Target, since: datetime, known: Callable[[Sequence[str]], Awaitable[set[str]]]
    ) -> None:
        await tidy(partial(self._api.list_own, target), self._api.delete, known, since)

    async def working(self, target: Target, asked: Asked) -> None:
        try:
            await self._api.status(target)
        except (Ambiguous, RetryLater, Refused) as error:
            _log.debug("no sign of work: %s", error)


@dataclass(frozen=True, slots=True)
class _Look:
    """What one message shows, or shall show."""

    text: str
    buttons: tuple[str, ...]

    def extends(self, other: _Look) -> bool:
        """Whether this is the other with more text."""
        return self.text.startswith(other.text) and self.buttons == other.buttons


@dataclass(slots=True)
class _Sent:
    """What we know of one message that exists."""

    #: None when it is unknown: found after a crash, or a call with an unknown outcome since.
    look: _Look | None = None
    #: Whether it is a stream that can be appended to, as far as we know.
    streaming: bool = False


class FakeReply:
    """One reply. What the platform shows is remembered, so that only differences are sent.

    A shorter draft leaves surplus parts as they are, until the end removes them: taking messages away and posting them
    again would ring phones.
    """

    def __init__(self, api: FakeApi, target: Target, ledger: Ledger, poster: Poster, *, streams: bool) -> None:
        self._api = api
        self._target = target
        self._ledger = ledger
        self._poster = poster
        self._streams = streams
        #: External id → what it shows.
        self._sent: dict[str, _Sent] = {}

    async def show(self, draft: Draft) -> bool:
        # A stream can only grow, so it begins with the text; until then the status has to do.
        text = draft.text if self._streams and draft.consent is None else render.draft(draft)
        if not text.strip():
            return True
        buttons = ("stop",) if draft.consent is None else ("allow", "deny", "stop")
        for position, look in enumerate(_looks(text, buttons)):
            if not await self._show_part(position, look):
                return False
        return True

    async def close(self, final: Final) -> None:
        looks = _looks(render.final(final), render.buttons(final))
        for position, look in enumerate(looks):
            await self._close_part(position, look)
        await self._remove_from(len(looks))
        await self._poster.settle()

    async def discard(self) -> None:
        await self._remove_from(0)
        await self._poster.settle()

    async def _show_part(self, position: int, look: _Look) -> bool:
        """Make a part look like this, once; whether to go on with the next one."""
        external_id = self._id(position) or await self._create(position, look)
        sent = self._sent.setdefault(external_id, _Sent())
        if sent.look == look:
            return True
        if sent.streaming and sent.look and look.extends(sent.look):
            try:
                return await self._append(external_id, sent, sent.look, look)
            except Refused as refused:
                # It ran out, or a person stopped it.
                _log.debug("stream %s is over: %s", external_id, refused)
        return await self._rewrite(position, external_id, look, self._poster.offer)

    async def _close_part(self, position: int, look: _Look) -> None:
        """Make a part look like this, whatever it takes."""
        external_id = self._id(position) or await self._create(position, look)
        sent = self._sent.setdefault(external_id, _Sent())
        if sent.look == look and not sent.streaming:
            return
        try:
            await self._rewrite(position, external_id, look, self._insist)
        except Refused as refused:
            if refused.code != "not_found":
                raise
            # Somebody deleted it under our hands. It is posted again, and whatever comes after it, to keep the order.
            await self._remove_from(position)
            await self._close_part(position, look)

    def _id(self, position: int) -> str | None:
        """The id of the part's message; None when it has to be created, or may exist unknown to us."""
        return next((part.external_id for part in self._ledger.parts if part.position == position), None)

    async def _create(self, position: int, look: _Look) -> str:
        stream = self._streams and look.buttons == ("stop",)
        method = self._api.start_stream if stream else self._api.post
        made: list[str] = []

        async def send() -> str:
            made.append(await method(self._target, look.text, look.buttons, self._metadata(position)))
            return made[-1]

        external_id = await self._poster.create(position, send)
        # An adopted message may be that of an earlier attempt, with another text.
        self._sent[external_id] = _Sent(look, stream) if external_id in made else _Sent()
        return external_id

    async def _append(self, external_id: str, sent: _Sent, before: _Look, look: _Look) -> bool:
        """Add to a stream what it lacks. When the outcome is unknown, so is the text, and the next change writes all of
        it."""
        sent.look = None
        made = await self._poster.offer(partial(self._api.append, external_id, look.text[len(before.text) :]))
        sent.look = look if made else before
        return made

    async def _rewrite(
        self, position: int, external_id: str, look: _Look, make: Callable[[Call], Awaitable[bool]]
    ) -> bool:
        """Replace all that a message shows; False when the platform wants quiet."""
        sent = self._sent.setdefault(external_id, _Sent())
        # Until the call is known to have changed nothing, or everything, nothing is known.
        before, sent.look = sent.look, None
        made = await make(partial(self._edit, position, external_id, sent, look))
        sent.look = look if made else before
        return made

    async def _edit(self, position: int, external_id: str, sent: _Sent, look: _Look) -> None:
        """One edit, after the end of the stream if the message is one. It may be repeated. The caller has checked the
        lease."""
        edit = partial(self._api.edit, external_id, look.text, look.buttons, self._metadata(position))
        if not sent.streaming:
            try:
                return await edit()
            except Refused as refused:
                # It was found after a crash.
                if refused.code != "streaming":
                    raise
            self._ledger.check()
        await self._api.stop_stream(external_id, look.buttons)
        sent.streaming = False
        self._ledger.check()
        await edit()

    async def _remove_from(self, position: int) -> None:
        """Take back all messages from this position on."""
        for part in reversed([part for part in self._ledger.parts if part.position >= position]):
            external_id = part.external_id or await self._poster.resolve_open()
            if external_id is not None:
                await self._poster.delete(external_id)
            await self._ledger.removed(part.position)

    async def _insist(self, call: Call) -> bool:
        await self._poster.insist(call)
        return True

    def _metadata(self, position: int) -> Metadata:
        return {"turn": self._ledger.nonce, "part": position}


def _looks(text: str, buttons: tuple[str, ...]) -> list[_Look]:
    """What the messages of this text show; the last one has the buttons."""
    *others, last = render.split(text, TEXT_LIMIT)
    return [*(_Look(other, ()) for other in others), _Look(last, buttons)]

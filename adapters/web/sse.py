"""`GET …/events`: complete pictures of a conversation's turns, as they change.

Level-triggered: a client that connects (again) gets what there is now, and one that is slow gets fewer pictures, never
old ones. What happens in this process comes at once through `bot.live`. When nothing is heard, the rows are asked,
because it may happen in another process: each second while a turn is live, else now and then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from aiohttp import web

from adapters.web import models, texts
from adapters.web.present import NO_TURN, PLATFORM, VIEWER, Presenter, stored_key
from bot.exporting import dumped
from bot.live import Live, Picture, Watch
from bot.messages import LIVE_STATES
from bot.ports import StoreUnavailable
from bot.store import views
from bot.store.db import Store
from bot.store.views import Pulse
from bot.web.errors import WebError
from bot.web.server import STREAMS

log = logging.getLogger(__name__)

#: Seconds between two looks at the connection, and at the rows of live turns of which nothing is heard.
_TICK = 1.0
#: Seconds between two looks at the rows while no turn is live.
_IDLE_LOOK = 5.0
#: Seconds of silence after which a comment is sent, so that proxies and clients know that the stream lives.
_PING = 15.0
#: Seconds that a client may take to read what was written.
_WRITE = 30.0
#: Seconds for the last pictures of a stream when the server closes.
_LAST = 1.0
#: A stream works at most every fifth moment: pictures that are dear to make come less often, at least every `_SLOWEST`.
_REST = 4.0
_SLOWEST = 1.0
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    # nginx would collect the events otherwise.
    "X-Accel-Buffering": "no",
}
#: Milliseconds after which a browser connects again.
_HELLO = b"retry: 1000\n\n"
_GONE = b"event: gone\ndata: {}\n\n"


class Events:
    """The handler of event streams."""

    def __init__(self, store: Store, live: Live, presenter: Presenter) -> None:
        self._store = store
        self._live = live
        self._presenter = presenter

    async def follow_conversation(self, request: web.Request) -> web.StreamResponse:
        key = stored_key(request.match_info["key"])
        place = await self._store.read(lambda c: views.conversation_by_key(c, PLATFORM, key))
        if place is None:
            raise WebError(404, "not_found", texts.NO_CONVERSATION)
        response = web.StreamResponse(headers=_HEADERS)
        with request.app[STREAMS].open(request):
            await response.prepare(request)
            # Watching begins before the rows are read, so that nothing falls between.
            with self._live.watch(place.id) as watch:
                follower = _Follower(self._store, self._presenter, place.id, request, response)
                try:
                    await follower.follow(watch)
                except asyncio.CancelledError:
                    # The server closes. It does so after its turns, and their end shall be seen.
                    await follower.end(watch)
                    raise
                except (ConnectionError, TimeoutError):
                    # The client has gone, or reads nothing.
                    _abort(request)
                except StoreUnavailable as error:
                    # The answer has begun, so nothing else can be said; the client connects again.
                    log.warning("an event stream ended: %s", error)
                except Exception:
                    log.exception("an event stream failed")
                    _abort(request)
        return response


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


class _Follower:
    """One client that follows one conversation."""

    def __init__(
        self,
        store: Store,
        presenter: Presenter,
        conversation_id: int,
        request: web.Request,
        response: web.StreamResponse,
    ) -> None:
        self._store = store
        self._presenter = presenter
        self._conversation_id = conversation_id
        self._request = request
        self._response = response
        #: The turns that have no outcome yet, as their rows gave them.
        self._bases: dict[int, models.Turn] = {}
        self._pulse: Pulse | None = None
        self._looked_at = 0.0
        self._written_at = 0.0

    async def follow(self, watch: Watch) -> None:
        """Write events until the client goes. Raises `ConnectionError` or `TimeoutError` then."""
        await self._write(_HELLO)
        await self._send(await self._store.read(lambda c: views.current(c, self._conversation_id, VIEWER)))
        while not self._gone():
            pictures = await watch.get(_TICK)
            began = time.monotonic()
            if pictures:
                await self._show(pictures)
            # An answer that streams here must not hide what happens elsewhere.
            quiet = not pictures and bool(self._bases)
            other = any(picture.turn_id == NO_TURN for picture in pictures)
            if quiet or other or began - self._looked_at >= _IDLE_LOOK:
                self._looked_at = began
                await self._look()
                if self._pulse is not None and self._pulse.gone:
                    await self._write(_GONE)
                    return
            if began - self._written_at >= _PING:
                await self._write(b": ping\n\n")
            cost = time.monotonic() - began
            if cost * _REST > 0.05:
                await asyncio.sleep(min(cost * _REST, _SLOWEST))

    async def end(self, watch: Watch) -> None:
        """Write once more what the live turns have become, if that is possible at once."""
        try:
            async with asyncio.timeout(_LAST):
                changed = {picture.turn_id for picture in await watch.get(0)}
                await self._send_rows(changed | self._bases.keys())
        except (ConnectionError, TimeoutError, StoreUnavailable) as error:
            log.info("an event stream ended early: %r", error)

    def _gone(self) -> bool:
        transport = self._request.transport
        return transport is None or transport.is_closing()

    async def _show(self, pictures: list[Picture]) -> None:
        drafts = [(p, p.draft) for p in pictures if p.draft is not None]
        changed = {p.turn_id for p in pictures if p.draft is None}
        changed.update(p.turn_id for p, _ in drafts if p.turn_id not in self._bases)
        if changed:
            await self._send_rows(changed)
        for picture, draft in drafts:
            base = self._bases.get(picture.turn_id)
            # Without one the turn is over, and the draft is older than its end.
            if base is not None:
                await self._event(await self._presenter.drawn(base, picture, draft))

    async def _look(self) -> None:
        """Ask the rows what changed while nothing was heard."""
        pulse = await self._store.read(lambda c: views.pulse(c, self._conversation_id))
        before, self._pulse = self._pulse, pulse
        if pulse == before:
            return
        known = set(before.live) if before is not None else set()
        changed = {beat.id for beat in pulse.live if beat not in known}
        # What is live no more has an end to show.
        changed |= self._bases.keys() - {beat.id for beat in pulse.live}
        if before is not None and pulse.newest is not None and pulse.newest != before.newest:
            changed.add(pulse.newest)
        if changed:
            await self._send_rows(changed)

    async def _send_rows(self, turn_ids: Iterable[int]) -> None:
        wanted = sorted(turn_ids)
        await self._send(await self._store.read(lambda c: views.by_ids(c, wanted, VIEWER)))

    async def _send(self, found: list[views.TurnView]) -> None:
        for view in found:
            turn = await self._presenter.turn(view)
            if turn.state in LIVE_STATES:
                self._bases[turn.id] = turn
            else:
                self._bases.pop(turn.id, None)
            await self._event(turn)

    async def _event(self, turn: models.Turn) -> None:
        await self._write(b"event: turn\ndata: " + dumped(turn) + b"\n\n")

    async def _write(self, data: bytes) -> None:
        async with asyncio.timeout(_WRITE):
            await self._response.write(data)
        self._written_at = time.monotonic()

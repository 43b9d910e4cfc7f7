"""The handlers about what has been: traces of answers, conversations as files, and their deletion."""

from __future__ import annotations

from functools import partial

from aiohttp import web
from sqlalchemy import Connection

from adapters.web import models_trace, texts
from adapters.web.export import disposition
from adapters.web.present import NO_TURN, PERSON, PLATFORM, VIEWER, Presenter, public_key, stored_key
from adapters.web.trace import Tracer
from adapters.web.wire import answer, query_of, turn_id_of
from agent.clock import Clock
from bot.erasure import Erasure
from bot.exporting import dumped, exported, markdown, sound
from bot.live import Live
from bot.store import traces, views
from bot.store.db import Store
from bot.store.views import ConversationView, TurnView
from bot.web.errors import WebError, asked_language

#: Turns that one query of an export reads; others may use the database in between.
_PAGE = 200


class Archive:
    """Handlers, named like their operations."""

    def __init__(self, store: Store, clock: Clock, live: Live, erasure: Erasure, presenter: Presenter) -> None:
        self._store = store
        self._clock = clock
        self._live = live
        self._erasure = erasure
        self._tracer = Tracer(presenter.titles, presenter.renderer)

    async def trace_turn(self, request: web.Request) -> web.Response:
        turn_id = turn_id_of(request)
        found = await self._store.read(lambda c: traces.trace(c, PLATFORM, turn_id))
        if found is None:
            raise WebError(404, "not_found", texts.NO_TURN)
        return answer(await self._tracer.trace(found))

    async def export_conversation(self, request: web.Request) -> web.Response:
        query = query_of(request, models_trace.ExportQuery)
        conversation, turns = await self._whole(stored_key(request.match_info["key"]))
        export = exported(public_key(conversation.key), conversation.title, turns, self._clock.now())
        if query.format == "json":
            data, kind, extension = dumped(export, indent=2), "application/json", "json"
        else:
            lang = query.lang or asked_language(request)
            # Models may have left half of a character.
            data, kind, extension = sound(markdown(export, lang)).encode(), "text/markdown", "md"
        name = disposition(conversation.title, public_key(conversation.key), extension)
        return web.Response(body=data, content_type=kind, charset="utf-8", headers={"Content-Disposition": name})

    async def delete_conversation(self, request: web.Request) -> web.Response:
        key = stored_key(request.match_info["key"])
        place = await self._store.read(lambda c: views.conversation_by_key(c, PLATFORM, key))
        # Deleted already is as good: the request may have been sent twice.
        if place is not None and await self._erasure.conversation(key, PERSON):
            self._live.changed(place.id, NO_TURN)
        return web.Response(status=204)

    async def _whole(self, key: str) -> tuple[ConversationView, list[TurnView]]:
        """The conversation with all of its turns. Raises `WebError`."""
        place = await self._store.read(lambda c: views.conversation_by_key(c, PLATFORM, key))
        if place is None:
            raise WebError(404, "not_found", texts.NO_CONVERSATION)
        found: list[TurnView] = []
        before: int | None = None
        while True:
            page = await self._store.read(partial(_page, conversation_id=place.id, before=before))
            found[:0] = page
            if len(page) < _PAGE:
                return place, found
            before = page[0].id


def _page(connection: Connection, *, conversation_id: int, before: int | None) -> list[TurnView]:
    return views.page(connection, conversation_id, VIEWER, _PAGE, before)

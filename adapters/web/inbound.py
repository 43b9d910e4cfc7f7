"""What people send: messages, changes of messages, and what they ask of turns."""

from __future__ import annotations

import hashlib
from pathlib import Path
from uuid import UUID

from aiohttp import web

from adapters.web import models, texts
from adapters.web.admin import Desk, EndpointAdmin, ProfileAdmin
from adapters.web.archive import Archive
from adapters.web.bench import BenchPages
from adapters.web.human import RatingPages
from adapters.web.openapi import OPERATIONS
from adapters.web.present import PERSON, PLATFORM, Presenter, stored_key, target_of
from adapters.web.reads import About, Reads
from adapters.web.sse import Events
from adapters.web.wire import answer, body_of, turn_id_of
from agent.clock import Clock
from bot.control import Control, NotServed
from bot.inbox import clean
from bot.live import Live
from bot.messages import Deleted, Edited, Incoming, Target
from bot.ports import Health, Receive
from bot.store import views
from bot.store.db import Store
from bot.store.views import MessagePlace
from bot.texts import reason
from bot.web.errors import WebError

_STATIC = Path(__file__).with_name("static")


class WebInbound:
    """`bot.ports.Inbound` of the page."""

    def __init__(self, store: Store, control: Control, live: Live, clock: Clock, about: About, desk: Desk) -> None:
        self._store = store
        self._control = control
        self._live = live
        self._clock = clock
        self._max_chars = about.max_message_chars
        self._receive: Receive | None = None
        self._stopped = False
        presenter = Presenter(about.titles)
        reads = Reads(store, about, presenter)
        events = Events(store, live, presenter)
        archive = Archive(store, clock, live, desk.erasure, presenter)
        self._profiles = profiles = ProfileAdmin(store, desk.profiles, about.titles)
        endpoints = EndpointAdmin(desk.endpoints)
        bench = BenchPages(desk.bench, presenter.renderer)
        rating = RatingPages(desk.human, presenter.renderer)
        handlers = (
            *(reads.info, reads.describe, reads.list_conversations, reads.show_conversation, reads.show_turn),
            *(self.post_message, self.edit_message, self.delete_message),
            *(self.stop_turn, self.retry_turn, self.rate_turn, self.decide_turn),
            *(archive.trace_turn, archive.export_conversation, archive.delete_conversation),
            *(profiles.show_profile, profiles.show_scope, profiles.save_profile),
            *(profiles.list_versions, profiles.compare_versions, profiles.restore_profile),
            *(endpoints.list_endpoints, endpoints.test_endpoint),
            *(endpoints.save_endpoint, endpoints.remove_endpoint, endpoints.restore_endpoint),
            *(bench.list_runs, bench.start_run, bench.show_run, bench.cancel_run, bench.delete_run, bench.draw_run),
            *(bench.list_items, bench.show_item, bench.download_predictions, bench.download_report),
            *(bench.compare_runs, bench.show_leaderboard, bench.list_choices),
            *(rating.list_rating_sets, rating.take_seat, rating.show_sheet, rating.rate_answer, rating.skip_question),
            *(rating.list_human_sets, rating.close_set, rating.delete_set, rating.show_set),
            *(rating.list_disliked, rating.make_case),
            *(bench.list_schedules, bench.add_schedule, bench.delete_schedule),
            events.follow_conversation,
        )
        self._handlers = {handler.__name__: handler for handler in handlers}

    async def start(self, receive: Receive) -> None:
        self._receive = receive

    async def stop(self) -> None:
        """Take no more messages. Pages that are open go on showing what happens until the server closes."""
        self._stopped = True
        self._receive = None

    def health(self) -> Health:
        if self._receive is not None:
            return Health("ok")
        return Health("down", "shutting down") if self._stopped else Health("starting")

    def routes(self) -> web.RouteTableDef:
        table = web.RouteTableDef()
        for operation in OPERATIONS:
            # A HEAD of an event stream would never end.
            more = {} if operation.changes else {"allow_head": False}
            table.route(operation.method, operation.route, **more)(self._handlers[operation.id])
        table.get("/")(_page)
        table.get("/bench")(_bench_page)
        table.get("/rate")(_rating_page)
        table.static("/static", _STATIC)
        return table

    async def post_message(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.PostMessage)
        text = self._text(body.text)
        key = body.conversation
        if key is None:
            # The same message begins the same conversation, however often it is sent.
            key = hashlib.sha256(f"conversation {body.message_id}".encode()).hexdigest()[:32]
            if body.model is not None:
                await self._profiles.begin_with(target_of(key), body.model)
        else:
            await self._conversation(key)
        message = Incoming(target_of(key), str(body.message_id), PERSON, text, self._clock.now())
        accepted = await self._open()(message)
        return answer(
            models.Posted(conversation=key, turn_id=accepted.turn_id, duplicate=accepted.duplicate), status=202
        )

    async def edit_message(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.EditMessage)
        text = self._text(body.text)
        target, message_id, place = await self._message(request)
        if place.erased:
            raise WebError(404, "not_found", texts.ERASED)
        edited = Edited(target, message_id, PERSON, text, self._clock.now())
        accepted = await self._open()(edited)
        self._changed(place.conversation_id, place.turn_id, accepted.turn_id)
        return answer(models.Edited(turn_id=accepted.turn_id, duplicate=accepted.duplicate), status=202)

    async def delete_message(self, request: web.Request) -> web.Response:
        target, message_id, place = await self._message(request)
        if not place.erased:
            accepted = await self._open()(Deleted(target, message_id))
            self._changed(place.conversation_id, place.turn_id, accepted.turn_id)
        return web.Response(status=204)

    async def stop_turn(self, request: web.Request) -> web.Response:
        turn_id, _ = await self._turn(request)
        return answer(models.Stopping(stopping=await self._control.stop(turn_id, PERSON)), status=202)

    async def retry_turn(self, request: web.Request) -> web.Response:
        turn_id, _ = await self._turn(request)
        self._open()
        try:
            new = await self._control.retry(turn_id, PERSON)
        except NotServed as refused:
            raise WebError(429, "not_served", reason(refused.code)) from refused
        if new is None:
            raise WebError(409, "not_retryable", texts.NOT_RETRYABLE)
        return answer(models.Retried(turn_id=new), status=202)

    async def rate_turn(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.Feedback)
        turn_id, conversation_id = await self._turn(request)
        await self._control.feedback(turn_id, PERSON, body.value)
        self._changed(conversation_id, turn_id)
        return web.Response(status=204)

    async def decide_turn(self, request: web.Request) -> web.Response:
        body = await body_of(request, models.Consent)
        turn_id, _ = await self._turn(request)
        accepted = await self._control.consent(turn_id, body.key, PERSON, body.allow)
        return answer(models.Decided(accepted=accepted), status=202)

    def _open(self) -> Receive:
        if self._receive is None:
            raise WebError(503, "shutting_down", texts.SHUTTING_DOWN, headers={"Retry-After": "2"})
        return self._receive

    def _text(self, raw: str) -> str:
        text = clean(raw)
        if not text.strip():
            raise WebError(400, "empty_message", texts.EMPTY)
        if len(text) > self._max_chars:
            length, limit = f"{len(text):,}", f"{self._max_chars:,}"
            raise WebError(400, "message_too_long", texts.TOO_LONG, length=length, limit=limit)
        return text

    async def _conversation(self, key: str) -> int:
        found = await self._store.read(lambda c: views.conversation_by_key(c, PLATFORM, stored_key(key)))
        if found is None:
            raise WebError(404, "not_found", texts.NO_CONVERSATION)
        return found.id

    async def _message(self, request: web.Request) -> tuple[Target, str, MessagePlace]:
        """The message that the path names: where it is, its id, and its row."""
        target = target_of(request.match_info["key"])
        message_id = str(UUID(request.match_info["message_id"]))
        place = await self._store.read(lambda c: views.message_place(c, target, message_id))
        if place is None:
            raise WebError(404, "not_found", texts.NO_MESSAGE)
        return target, message_id, place

    async def _turn(self, request: web.Request) -> tuple[int, int]:
        """The turn that the path names, and its conversation."""
        turn_id = turn_id_of(request)
        conversation_id = await self._store.read(lambda c: views.conversation_of_turn(c, PLATFORM, turn_id))
        if conversation_id is None:
            raise WebError(404, "not_found", texts.NO_TURN)
        return turn_id, conversation_id

    def _changed(self, conversation_id: int, *turn_ids: int | None) -> None:
        for turn_id in {id_ for id_ in turn_ids if id_ is not None}:
            self._live.changed(conversation_id, turn_id)


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "index.html")


async def _bench_page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "bench" / "index.html")


async def _rating_page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "bench" / "rate.html")

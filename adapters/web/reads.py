"""The operations that only look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from aiohttp import web
from sqlalchemy import Connection

from adapters.web import models, texts
from adapters.web.openapi import document
from adapters.web.present import PLATFORM, VIEWER, Presenter, conversation, public_key, stored_key
from adapters.web.wire import answer, query_of, turn_id_of
from agent.language import Lang, Text
from bot.ports import Health
from bot.store import views
from bot.store.db import Store
from bot.store.search import Found, search, words_of
from bot.store.views import ConversationView
from bot.web.errors import WebError, asked_language
from bot.web.server import ACCESS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ModelState:
    """The model that answers, for people."""

    name: str
    demo: bool
    health: Health


@dataclass(frozen=True, slots=True)
class About:
    """What the page shows of the server."""

    name: str
    version: str
    #: Told in this language.
    model: Callable[[Lang], ModelState]
    #: By tool name; see `bot.present.tool_titles`.
    titles: Mapping[str, Text]
    #: Offered on the empty page: (language, question).
    questions: Sequence[tuple[Lang, str]]
    #: Longest message that is taken, in characters.
    max_message_chars: int = 100_000


_MODEL_STATES: Mapping[str, Literal["ok", "starting", "down"]] = {
    "ok": "ok",
    # Another endpoint stands in, which the detail says.
    "degraded": "ok",
    "starting": "starting",
}


class Reads:
    """Handlers, named like their operations."""

    def __init__(self, store: Store, about: About, presenter: Presenter) -> None:
        self._store = store
        self._about = about
        self._presenter = presenter
        self._description: bytes | None = None

    async def describe(self, _request: web.Request) -> web.Response:
        if self._description is None:
            # Builds the shape of everything, which takes two megabytes; few servers are ever asked for it.
            self._description = await asyncio.to_thread(document, self._about.name, self._about.version)
        return web.Response(body=self._description, content_type="application/json")

    async def info(self, request: web.Request) -> web.Response:
        about = self._about
        model = about.model(asked_language(request))
        state = _MODEL_STATES.get(model.health.state, "down")
        return answer(
            models.Info(
                name=about.name,
                version=about.version,
                model=models.Model(name=model.name, demo=model.demo, state=state, detail=model.health.detail),
                offered_questions=[models.Question(lang=lang, text=text) for lang, text in about.questions],
                max_message_chars=about.max_message_chars,
                token_needed=request.app[ACCESS].token_needed,
            )
        )

    async def list_conversations(self, request: web.Request) -> web.Response:
        query = query_of(request, models.ConversationsQuery)
        before = None if query.before is None else _place(query.before)
        found: Sequence[ConversationView | Found]
        if words_of(query.q):
            found = await self._store.read(lambda c: search(c, PLATFORM, query.q, query.limit + 1, before))
        else:
            found = await self._store.read(lambda c: views.conversations(c, PLATFORM, query.limit + 1, before))
        shown = found[: query.limit]
        following = _cursor(shown[-1]) if len(found) > query.limit else None
        return answer(models.Conversations(conversations=[conversation(view) for view in shown], next=following))

    async def show_conversation(self, request: web.Request) -> web.Response:
        query = query_of(request, models.TurnsQuery)
        key = stored_key(request.match_info["key"])

        def read(connection: Connection) -> tuple[ConversationView, list[views.TurnView]] | None:
            place = views.conversation_by_key(connection, PLATFORM, key)
            if place is None:
                return None
            return place, views.page(connection, place.id, VIEWER, query.limit + 1, query.before)

        found = await self._store.read(read)
        if found is None:
            raise WebError(404, "not_found", texts.NO_CONVERSATION)
        place, turns = found
        shown = turns[-query.limit :]
        return answer(
            models.ConversationPage(
                key=public_key(place.key),
                title=place.title,
                turns=[await self._presenter.turn(view) for view in shown],
                next=shown[0].id if len(turns) > query.limit else None,
            )
        )

    async def show_turn(self, request: web.Request) -> web.Response:
        turn_id = turn_id_of(request)
        view = await self._store.read(lambda c: views.one(c, PLATFORM, turn_id, VIEWER))
        if view is None:
            raise WebError(404, "not_found", texts.NO_TURN)
        return answer(await self._presenter.turn(view))


def _cursor(view: ConversationView | Found) -> str:
    return f"{(view.last_message_at - _EPOCH) // _MICROSECOND}-{view.id}"


def _place(cursor: str) -> tuple[datetime, int]:
    # The pattern of the query allows 17 digits, which is the year 5138.
    micros, _, conversation_id = cursor.partition("-")
    return _EPOCH + int(micros) * _MICROSECOND, int(conversation_id)

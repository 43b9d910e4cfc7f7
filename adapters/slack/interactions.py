"""What people press below an answer: Stop, retry, consent, ratings, steps.

Every press is acked before anything is done. Its value came through other people's hands, so the turn must be of the
place where it was pressed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from sqlalchemy import Connection

from adapters.chat import actions, texts
from adapters.chat.actions import Pressed, pressed
from adapters.chat.tried import tried
from adapters.slack import steps_view
from adapters.slack.front import Click, Front, click_of
from adapters.slack.parse import PLATFORM
from adapters.slack.texts import SLACK
from agent.language import Lang, Text
from bot.control import Control, NotServed
from bot.settings.machine import is_zone
from bot.store import messages, people, traces
from bot.store.db import Store
from bot.texts import reason_text

#: Does what was pressed; what it returns is told to whoever pressed.
Deed = Callable[[Click, Pressed, Lang], Awaitable[str | Text | None]]


class Interactions:
    """Obeys presses."""

    def __init__(
        self,
        front: Front,
        control: Control,
        store: Store,
        titles: Mapping[str, Text],
    ) -> None:
        """`titles`: what the steps of each tool are called."""
        self._front = front
        self._control = control
        self._store = store
        self._titles = titles

    def register(self, app: AsyncApp) -> None:
        """Put the listeners on bolt's app."""
        deeds: dict[str, Deed] = {
            actions.STOP: self._stop,
            actions.RETRY: self._retry,
            actions.ALLOW: partial(self._decide, allow=True),
            actions.DENY: partial(self._decide, allow=False),
            actions.FEEDBACK: self._feedback,
            actions.RATE: self._rate,
        }
        for action_id, deed in deeds.items():
            app.action(action_id)(self._listener(action_id, partial(self._obey, deed)))
        app.action(actions.STEPS)(self._listener(actions.STEPS, self._open_steps))
        for turn_page in (steps_view.PREVIOUS, steps_view.NEXT):
            app.action(turn_page)(self._turn_page)

    def _listener(self, what: str, handle: Callable[[Click, Lang], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def listener(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
            await ack()
            self._front.start(what, self._handled(handle, click_of(body, context)))

        return listener

    async def _handled(self, handle: Callable[[Click, Lang], Awaitable[None]], click: Click) -> None:
        """One sentence for whoever pressed, whatever goes wrong."""
        lang = await self._front.lang(click)
        if said := await tried(click.action_id, handle(click, lang), SLACK):
            await self._front.tell(click, said, lang)

    async def _obey(self, deed: Deed, click: Click, lang: Lang) -> None:
        found = pressed(click.value)
        if found is None or not await self._belongs(found.turn_id, click):
            await self._front.tell(click, texts.NOT_HERE, lang)
            return
        said = await deed(click, found, lang)
        if said is not None:
            await self._front.tell(click, said, lang)

    async def _belongs(self, turn_id: int, click: Click) -> bool:
        return await self._control.belongs(turn_id, PLATFORM, click.workspace, click.channel)

    async def _stop(self, click: Click, found: Pressed, lang: Lang) -> Text | None:
        stopped = await self._control.stop(found.turn_id, click.user)
        # The answer itself shows that it was stopped.
        return None if stopped else texts.OVER

    async def _retry(self, click: Click, found: Pressed, lang: Lang) -> str | Text | None:
        try:
            new = await self._control.retry(found.turn_id, click.user)
        except NotServed as refused:
            return reason_text(refused.code, lang, zone=await self._zone(click))
        # That it is being answered again, Slack's own signs show.
        return texts.NOT_RETRYABLE if new is None else None

    async def _zone(self, click: Click) -> ZoneInfo | None:
        """That of whoever clicked, as far as it is known."""
        ids = [click.user.id]
        known = await self._store.read(lambda c: people.known(c, PLATFORM, click.workspace, ids))
        zone = known[ids[0]].zone if known else ""
        return ZoneInfo(zone) if is_zone(zone) else None

    async def _decide(self, click: Click, found: Pressed, lang: Lang, *, allow: bool) -> Text | None:
        asker = await self._store.read(lambda c: _asker(c, found.turn_id))
        if click.user.id != asker and await self._front.role(click) not in ("operator", "admin"):
            return texts.NOT_YOURS
        decided = await self._control.consent(found.turn_id, found.detail, click.user, allow)
        return None if decided else texts.DECIDED

    async def _feedback(self, click: Click, found: Pressed, lang: Lang) -> Text:
        value = {"1": 1, "-1": -1}.get(found.detail, 0)
        known = await self._control.feedback(found.turn_id, click.user, value)
        return texts.THANKS if known else texts.NOT_HERE

    async def _rate(self, click: Click, found: Pressed, lang: Lang) -> str | Text | None:
        if found.detail not in ("1", "2", "3", "4", "5"):
            return None
        known = await self._control.rate(found.turn_id, click.user, int(found.detail))
        return texts.RATED.say(lang, rating=found.detail) if known else texts.NOT_HERE

    # Steps

    async def _open_steps(self, click: Click, lang: Lang) -> None:
        view_id = await self._front.open(click, steps_view.loading(lang), lang)
        if view_id is None:
            return
        view = await self._page(click, lang, click.channel, page=0)
        await self._front.update(click, view_id, view)

    async def _turn_page(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        click = click_of(body, context)
        view = body.get("view") or {}
        # Written by us and kept by Slack: where the steps were opened.
        channel = str(json.loads(view.get("private_metadata") or "{}").get("channel", ""))

        async def work() -> None:
            lang = await self._front.lang(click)
            found = pressed(click.value)
            page = int(found.detail) if found is not None and found.detail.isdigit() else 0
            await self._front.update(click, str(view["id"]), await self._page(click, lang, channel, page=page))

        self._front.start("the steps' next page", work())

    async def _page(self, click: Click, lang: Lang, channel: str, *, page: int) -> dict[str, Any]:
        """A page of the steps, or why it can't be shown."""
        view = await tried("showing the steps", self._steps(click, lang, channel, page=page), SLACK)
        return steps_view.note(view.say(lang), lang) if isinstance(view, Text) else view

    async def _steps(self, click: Click, lang: Lang, channel: str, *, page: int) -> dict[str, Any]:
        found = pressed(click.value)
        gone = steps_view.note(texts.NOT_HERE.say(lang), lang)
        if found is None or not await self._control.belongs(found.turn_id, PLATFORM, click.workspace, channel):
            return gone
        trace = await self._store.read(lambda c: traces.trace(c, PLATFORM, found.turn_id))
        if trace is None:
            return gone
        shown = steps_view.Shown(lang, self._titles)
        # Many pages of Markdown take their time.
        return await asyncio.to_thread(steps_view.view, trace, shown, page=page, channel=channel)


def _asker(connection: Connection, turn_id: int) -> str | None:
    """Who wrote the first message that a turn answers."""
    asked = messages.by_ids(connection, messages.of_turn(connection, turn_id))
    return asked[0].author.id if asked else None

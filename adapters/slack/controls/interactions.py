"""What people press below an answer: Stop, retry, consent, ratings, steps.

Every press is acked before anything is done; `adapters.chat.presses` obeys it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.chat import actions
from adapters.chat.actions import pressed
from adapters.chat.presses import Presses
from adapters.chat.steps import Shown
from adapters.chat.tried import tried
from adapters.slack.controls import steps_view
from adapters.slack.controls.front import Click, Front, click_of
from adapters.slack.texts import SLACK
from agent.language import Lang, Text


class Interactions:
    """Obeys presses."""

    def __init__(self, front: Front, presses: Presses, titles: Mapping[str, Text]) -> None:
        """`titles`: what the steps of each tool are called."""
        self._front = front
        self._presses = presses
        self._titles = titles

    def register(self, app: AsyncApp) -> None:
        """Put the listeners on bolt's app."""
        for action_id in self._presses.actions:
            app.action(action_id)(self._listener(action_id, self._obey))
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

    async def _obey(self, click: Click, lang: Lang) -> None:
        said = await self._presses.obey(click.action_id, pressed(click.value), click.press(lang))
        if said is not None:
            await self._front.tell(click, said, lang)

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
        found = await self._presses.steps(pressed(click.value), replace(click, channel=channel).press(lang))
        if isinstance(found, Text | str):
            said = found.say(lang) if isinstance(found, Text) else found
            return steps_view.note(said, lang)
        shown = Shown(lang, self._titles)
        # Many pages of Markdown take their time.
        return await asyncio.to_thread(steps_view.view, found, shown, page=page, channel=channel)

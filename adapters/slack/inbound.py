"""`bot.ports.Inbound` of Slack, and how its parts are put together."""

from __future__ import annotations

import logging

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from adapters.chat.behind import Behind
from adapters.chat.names import Names
from adapters.chat.presses import Presses
from adapters.chat.profile_forms import ProfileForms
from adapters.chat.tasks import Tasks
from adapters.slack.connection.connection import SlackConnection
from adapters.slack.connection.farewell import Farewell
from adapters.slack.controls.commanding import Commanding
from adapters.slack.controls.front import Front
from adapters.slack.controls.home import Home
from adapters.slack.controls.interactions import Interactions
from adapters.slack.controls.profile_desk import ProfileDesk
from adapters.slack.hearing.listen import Listener, accept_the_rest, listen
from adapters.slack.hearing.parse import PLATFORM
from adapters.slack.texts import ICON_HINT, SLACK
from bot.ports import Health, Receive, StoreUnavailable

log = logging.getLogger(__name__)


def may_be_person(user_id: str) -> bool:
    """Whether an id has the form of a person's; bots and apps have others."""
    return user_id[:1] in ("U", "W")


class SlackInbound:
    """Receives events, clicks and commands over the connection. Its clients stay open for the outbound side."""

    def __init__(self, connection: SlackConnection, behind: Behind) -> None:
        self._connection = connection
        self.tasks = tasks = Tasks()
        clients = connection.clients
        self._names = Names(PLATFORM, behind.store, behind.people, tasks, is_person=may_be_person)
        self._listener = Listener(clients, behind.control, tasks, name=behind.name, names=self._names)
        front = Front(clients, behind.people, behind.profiles, tasks, lang=behind.lang)
        forms = ProfileForms(
            SLACK, behind.people, behind.profiles, behind.titles, behind.models, hints={"icon": ICON_HINT}
        )
        desk = ProfileDesk(front, forms)
        commanding = Commanding(front, behind.commands, behind.people, desk)
        presses = Presses(behind.control, behind.store, behind.people, serves=behind.serves)
        self._parts = (
            Interactions(front, presses, behind.titles),
            Home(front, behind.profiles, desk, behind.titles, commanding.usage),
            desk,
            commanding,
            Farewell(clients, tasks),
        )

    async def start(self, receive: Receive) -> None:
        """Begin to receive; Slack is connected to in the background."""
        try:
            await self._names.load()
        except StoreUnavailable as error:
            log.warning("names are not known yet: %s", error)
        self._listener.receive = receive
        await self._connection.start(self._register)

    async def stop(self) -> None:
        """Accept nothing more, and let what was begun for a click end."""
        self._listener.receive = None
        await self._connection.stop()
        await self.tasks.close()

    def health(self) -> Health:
        return self._connection.health()

    def routes(self) -> web.RouteTableDef | None:
        """Slack's requests in HTTP mode, and the pages of an installation."""
        return self._connection.routes()

    def _register(self, app: AsyncApp) -> None:
        listen(app, self._listener)
        for part in self._parts:
            part.register(app)
        accept_the_rest(app)

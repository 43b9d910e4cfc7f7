"""`bot.ports.Inbound` of Slack, and how its parts are put together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from adapters.chat.presses import Presses, Serves
from adapters.chat.tasks import Tasks
from adapters.slack.commanding import Commanding, Runs
from adapters.slack.connection import SlackConnection
from adapters.slack.farewell import Farewell
from adapters.slack.front import Front
from adapters.slack.home import Home
from adapters.slack.interactions import Interactions
from adapters.slack.listen import Listener, accept_the_rest, listen
from adapters.slack.names import Names
from adapters.slack.profile_desk import ProfileDesk
from agent.language import Lang, Text
from bot.control import Control
from bot.people import People
from bot.ports import Health, Receive, StoreUnavailable
from bot.profiles import Profiles
from bot.store.db import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Behind:
    """What Slack's inbound side needs of the server."""

    store: Store
    control: Control
    people: People
    profiles: Profiles
    commands: Runs
    #: What the steps of each tool are called, by the tool's name.
    titles: Mapping[str, Text]
    #: Endpoints and models that are known just now.
    models: Callable[[], Collection[str]]
    #: What the agent is called where a message speaks of it.
    name: str
    #: Where neither a person nor a profile says which.
    lang: Lang
    #: Whom; None: everybody.
    serves: Serves | None = None


class SlackInbound:
    """Receives events, clicks and commands over the connection. Its clients stay open for the outbound side."""

    def __init__(self, connection: SlackConnection, behind: Behind) -> None:
        self._connection = connection
        self.tasks = tasks = Tasks()
        clients = connection.clients
        self._names = Names(behind.store, behind.people, tasks)
        self._listener = Listener(clients, behind.control, tasks, name=behind.name, names=self._names)
        front = Front(clients, behind.people, behind.profiles, tasks, lang=behind.lang)
        desk = ProfileDesk(front, behind.profiles, behind.titles, behind.models)
        commanding = Commanding(front, behind.commands, desk)
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

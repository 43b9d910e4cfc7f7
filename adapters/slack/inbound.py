"""`bot.ports.Inbound` of Slack."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from adapters.slack.connection import SlackConnection
from adapters.slack.listen import Listener
from adapters.slack.tasks import Tasks
from bot.ports import Health, Receive


class SlackInbound:
    """Receives events, clicks and commands over the connection."""

    def __init__(
        self, connection: SlackConnection, listener: Listener, register: Callable[[AsyncApp], None], tasks: Tasks
    ) -> None:
        """`register` puts the listener, and all that listens besides it, on bolt's app."""
        self._connection = connection
        self._listener = listener
        self._register = register
        self._tasks = tasks

    async def start(self, receive: Receive) -> None:
        """Begin to receive; Slack is connected to in the background."""
        self._listener.receive = receive
        await self._connection.start(self._register)

    async def stop(self) -> None:
        """Accept nothing more, and let what was begun for a click end."""
        self._listener.receive = None
        await self._connection.stop()
        await self._tasks.close()

    def health(self) -> Health:
        return self._connection.health()

    def routes(self) -> web.RouteTableDef | None:
        """Slack's requests in HTTP mode, and the pages of an installation."""
        return self._connection.routes()

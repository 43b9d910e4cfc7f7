"""What Slack says when an app is removed or its token is taken back."""

from __future__ import annotations

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from adapters.chat.tasks import Tasks
from adapters.slack.connection.clients import Clients


class Farewell:
    """Lets installations go."""

    def __init__(self, clients: Clients, tasks: Tasks) -> None:
        self._clients = clients
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        """Put the listeners on bolt's app."""
        app.event("app_uninstalled")(self._uninstalled)
        app.event("tokens_revoked")(self._revoked)

    async def _uninstalled(self, context: AsyncBoltContext) -> None:
        self._forget(context)

    async def _revoked(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        # People's own tokens are told in the same way, under `oauth`.
        if (event.get("tokens") or {}).get("bot"):
            self._forget(context)

    def _forget(self, context: AsyncBoltContext) -> None:
        """Of the team and of the organisation, whichever it was: what still works is kept."""
        for workspace in filter(None, (context.team_id, context.enterprise_id)):
            self._tasks.start("forgetting an installation", self._clients.forget(workspace))

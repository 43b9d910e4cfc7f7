"""What Slack tells us, taken in before it is acked.

A bolt middleware, because bolt acks an event before its listener runs. It awaits one thing, the commit of what has
happened, and lets bolt go on. Without the commit there is no 200, so Slack delivers again.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.chat.tasks import Tasks
from adapters.slack.connection.clients import Clients
from adapters.slack.hearing.markup import mentioned
from adapters.slack.hearing.parse import Us, conversation_key, parse, workspace_of
from bot.control import Control
from bot.messages import Author
from bot.ports import Receive, StoreUnavailable

log = logging.getLogger(__name__)

#: Seconds that a commit may take: Slack waits for three, and the way there and back is in them.
COMMIT_S: Final = 2.0

Event = Mapping[str, Any]


class KnowsNames(Protocol):
    """`adapters.chat.names.Names`."""

    def name_of(self, workspace: str, user_id: str) -> str:
        """Somebody's name, from memory; "" unknown."""

    def meet(self, workspace: str, user_ids: Iterable[str]) -> None:
        """These people are spoken of; returns at once."""


class Listener(AsyncMiddleware):
    """Takes messages into the inbox and presses of Slack's own Stop to the turns."""

    def __init__(self, clients: Clients, control: Control, tasks: Tasks, *, name: str, names: KnowsNames) -> None:
        """`name`: what the agent is called where a message speaks of it."""
        self._clients = clients
        self._control = control
        self._tasks = tasks
        self._name = name
        self._names = names
        #: The inbox; None while there is none, and then Slack shall keep everything.
        self.receive: Receive | None = None

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - bolt's name
    ) -> BoltResponse | None:
        if self.receive is None:
            return _not_now()
        event = req.body.get("event")
        if isinstance(event, dict):
            try:
                async with asyncio.timeout(COMMIT_S):
                    await self._take(self.receive, req, event)
            except StoreUnavailable as error:
                log.warning("event %s was not taken: %s", req.body.get("event_id"), error)
                return _not_now()
            except TimeoutError:
                log.warning("event %s was not taken: the database took too long", req.body.get("event_id"))
                return _not_now()
        return await next()

    async def _take(self, receive: Receive, req: AsyncBoltRequest, event: Event) -> None:
        kind = event.get("type")
        if kind in ("message", "app_mention"):
            us = self._us(req.context)
            parsed = parse(req.body, us)
            if parsed is None:
                return
            accepted = await receive(parsed)
            if accepted.turn_id is not None and not accepted.duplicate:
                self._names.meet(us.workspace, mentioned(str(event.get("text") or "")) - {us.bot_user_id})
        elif kind == "agent_session_stopped":
            await self._stop(workspace_here(req.context), event)

    async def _stop(self, workspace: str, event: Event) -> None:
        """Overtakes whatever runs: a row of its own, and nothing that waits for the thread."""
        channel, thread = str(event.get("channel") or ""), str(event.get("thread_ts") or "")
        if not channel or not thread:
            return
        by = Author(str(event.get("user") or ""))
        await self._control.stop_in(conversation_key(workspace, channel, thread), by)
        # Slack has stopped the streams, but leaves the status to us.
        self._tasks.start("ending a session's status", self._settle(workspace, channel, thread))

    async def _settle(self, workspace: str, channel: str, thread: str) -> None:
        api = await self._clients.api(workspace)
        await api.call_patiently(
            "agents.sessions.setStatus", urgent=True, channel_id=channel, thread_ts=thread, status="active"
        )

    def _us(self, context: AsyncBoltContext) -> Us:
        workspace = workspace_here(context)
        return Us(
            workspace=workspace,
            bot_user_id=context.bot_user_id or "",
            bot_id=context.bot_id or "",
            name=self._name,
            teams=frozenset(filter(None, (context.team_id, context.enterprise_id))),
            org_wide=bool(context.is_enterprise_install),
            name_of=lambda user: self._names.name_of(workspace, user),
        )


def workspace_here(context: AsyncBoltContext) -> str:
    """The workspace of our keys that a request is of."""
    return workspace_of(
        team_id=context.team_id, enterprise_id=context.enterprise_id, org_wide=bool(context.is_enterprise_install)
    )


def listen(app: AsyncApp, listener: Listener) -> None:
    """Register the middleware, and what acks the events that it has taken. First of all: most requests are these."""
    app.use(listener)
    for kind in ("message", "app_mention", "agent_session_stopped"):
        app.event(kind)(_taken)


def accept_the_rest(app: AsyncApp) -> None:
    """Ack whatever nothing else has matched: a 404 would count against us, and Slack would deliver it again. Last of
    all.
    """
    anything = re.compile(".*")
    app.event(anything)(_taken)
    for listen_to in (app.action, app.view, app.view_closed, app.shortcut, app.options, app.command):
        listen_to(anything)(_acked)


async def _taken() -> None:
    """Nothing is left to do; bolt acks events by itself."""


async def _acked(ack: Any) -> None:
    await ack()


def _not_now() -> BoltResponse:
    """No ack: over HTTP a status that makes Slack deliver again, over a socket nothing at all."""
    return BoltResponse(status=503, body="")

"""Events of the fake platform: parsed at the edge, handed to the inbox, acked when it has them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from aiohttp import web

from bot.messages import MENTION, Address, Author, Deleted, Edited, Event, Incoming, Target
from bot.ports import Health, Receive, StoreUnavailable

_log = logging.getLogger(__name__)

PLATFORM = "fake"
PATH = "/fake/events"

#: Ends the turn of this nonce, for the person who pressed Stop; False when there is nothing to stop (any more). Not by
#: the message: people may press before its id is in the ledger.
Stop = Callable[[str, Author], Awaitable[bool]]


class FakeInbound:
    """A webhook. `secret` proves that the platform is calling."""

    def __init__(self, stop: Stop, *, secret: str) -> None:
        self._stop = stop
        self._secret = secret
        self._receive: Receive | None = None

    async def start(self, receive: Receive) -> None:
        self._receive = receive

    async def stop(self) -> None:
        self._receive = None

    def health(self) -> Health:
        return Health("ok") if self._receive else Health("down", "not started")

    def routes(self) -> web.RouteTableDef:
        routes = web.RouteTableDef()
        routes.post(PATH)(self._webhook)
        return routes

    async def _webhook(self, request: web.Request) -> web.Response:
        """200 only when the event is safe; whatever else it is, the platform delivers again."""
        if not compare_digest(request.headers.get("X-Fake-Secret", ""), self._secret):
            return web.Response(status=401)
        if self._receive is None:
            return web.Response(status=503)
        body = await request.json()
        try:
            return web.json_response(await self._take(self._receive, body))
        except StoreUnavailable as error:
            _log.warning("event %s was not taken: %s", body["delivery_id"], error)
            return web.Response(status=503)

    async def _take(self, receive: Receive, body: dict[str, Any]) -> dict[str, Any]:
        if body["kind"] == "stop":
            return {"stopped": await self._stop(body["metadata"]["turn"], Author(body["by"]))}
        accepted = await receive(parse(body))
        return {"turn": accepted.turn_id, "duplicate": accepted.duplicate}


def parse(body: dict[str, Any]) -> Event:
    """The event that the platform's JSON describes."""
    target = target_of(body)
    if body["kind"] == "deleted":
        return Deleted(target, body["message"], delivery_id=body["delivery_id"])
    author = Author(body["author"])
    sent_at = datetime.fromtimestamp(body["sent_at"], UTC)
    if body["kind"] == "edited":
        return Edited(
            target,
            body["message"],
            author,
            body["text"],
            sent_at,
            delivery_id=body["delivery_id"],
            address=_address(body),
        )
    return Incoming(
        target,
        body["message"],
        author,
        body["text"],
        sent_at,
        delivery_id=body["delivery_id"],
        address=_address(body),
        threaded=target.thread is not None,
    )


def _address(body: dict[str, Any]) -> Address:
    return MENTION if body["addressed"] else Address(mentions_others=True)


def target_of(body: dict[str, Any]) -> Target:
    """The conversation of an event."""
    workspace, channel, thread = body["workspace"], body["channel"], body["thread"]
    return Target(PLATFORM, workspace, channel, thread, f"{PLATFORM}:{workspace}:{channel}:{thread or ''}")

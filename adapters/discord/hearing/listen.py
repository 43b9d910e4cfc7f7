"""The gateway's events as they arrive, given to the intake.

discord.py makes an object of each message and forgets what it was made of; catching up and a thread's past are read
from the same JSON as the gateway sends, and what is understood of a message must not depend on the way that it came. So
its parsers of messages, which aren't public, are replaced: they are one table per client, `ConnectionState.parsers`,
from an event's name to a function that takes its JSON. They run in the order of the socket.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import discord

from adapters.discord.hearing.intake import Intake
from adapters.discord.hearing.lanes import Work
from adapters.discord.hearing.parse import DIRECT
from adapters.discord.hearing.places import Place

log = logging.getLogger(__name__)

Json = Mapping[str, Any]
Handle = Callable[[Json], None]

#: Deletes and edits of a whole server tell at most so many ids at once; anything longer is none of Discord's.
_MOST_AT_ONCE: Final = 1_000


def listen(client: discord.Client, intake: Intake) -> None:
    """Give the intake whatever this client hears from now on; to be called before it connects."""
    parsers: dict[str, Handle] = client._connection.parsers
    ears = _Ears(client, intake)
    for event, handle in ears.instead().items():
        parsers[event] = _guarded(event, handle)
    for event, handle in ears.besides().items():
        parsers[event] = _after(parsers.get(event), _guarded(event, handle))


class _Ears:
    """One client's events."""

    def __init__(self, client: discord.Client, intake: Intake) -> None:
        self._client = client
        self._intake = intake

    def instead(self) -> dict[str, Handle]:
        """What discord.py needs not look at: it keeps no messages for us."""
        return {
            "MESSAGE_CREATE": self._said,
            "MESSAGE_UPDATE": self._edited,
            "MESSAGE_DELETE": self._deleted,
            "MESSAGE_DELETE_BULK": self._deleted_together,
        }

    def besides(self) -> dict[str, Handle]:
        """What discord.py keeps its cache by, first."""
        return {
            "READY": self._ready,
            "GUILD_CREATE": self._opened,
            "GUILD_DELETE": self._left,
            "CHANNEL_DELETE": self._channel_gone,
            "THREAD_DELETE": self._thread_gone,
        }

    def _said(self, message: Json) -> None:
        if message.get("id") and not self._is_ours(message):
            self._intake.take(Work("said", _place(message), message))

    def _edited(self, message: Json) -> None:
        # Previews and pins of what was never edited, and our own streaming.
        if message.get("edited_timestamp") and message.get("author") and not self._is_ours(message):
            self._intake.take(Work("edited", _place(message), message))

    def _deleted(self, event: Json) -> None:
        self._intake.take(Work("deleted", _place(event), event))

    def _deleted_together(self, event: Json) -> None:
        for message_id in (event.get("ids") or ())[:_MOST_AT_ONCE]:
            self._intake.take(Work("deleted", _place(event), {"id": message_id}))

    def _ready(self, event: Json) -> None:
        shard, _ = event.get("shard") or (0, 1)
        # Direct messages are the first shard's (docs.discord.com, "Sharding").
        self._intake.lose({str(guild["id"]) for guild in event.get("guilds") or ()}, direct=shard == 0)

    def _opened(self, guild: Json) -> None:
        if not guild.get("unavailable"):
            self._intake.open(guild)

    def _left(self, event: Json) -> None:
        self._intake.leave(str(event["id"]), for_good=not event.get("unavailable"))

    def _channel_gone(self, channel: Json) -> None:
        if channel.get("guild_id"):
            self._intake.gone(Place(str(channel["guild_id"]), str(channel["id"])))

    def _thread_gone(self, thread: Json) -> None:
        place = Place(str(thread["guild_id"]), str(thread["id"]))
        self._intake.thread_gone(place, str(thread.get("parent_id") or thread["id"]))

    def _is_ours(self, message: Json) -> bool:
        user = self._client.user
        return user is not None and str((message.get("author") or {}).get("id")) == str(user.id)


def _place(event: Json) -> Place:
    return Place(str(event.get("guild_id") or DIRECT), str(event["channel_id"]))


def _guarded(event: str, handle: Handle) -> Handle:
    """An error in a parser would end the client."""

    def handled(data: Json) -> None:
        try:
            handle(data)
        except Exception:
            log.exception("an event of Discord was dropped: %s", event)

    return handled


def _after(first: Handle | None, then: Handle) -> Handle:
    def handled(data: Json) -> None:
        if first is not None:
            first(data)
        then(data)

    return handled

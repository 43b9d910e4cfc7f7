"""What was said in a thread before we were called into it: `bot.ports.Remembers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from adapters.discord import limits
from adapters.discord.connection.calls import Calls
from adapters.discord.connection.listing import listed
from adapters.discord.hearing.parse import Room, Us, said, snowflake_at
from bot.messages import OVERHEARD, Incoming, Target

Json = Mapping[str, Any]

#: Listings for one thread: notices of Discord's own and what bots say are among the messages.
_PAGES: Final = 3
#: Type of the message with which a thread begins that was opened from another one, which it refers to.
_STARTER: Final = 21


async def earlier(rest: Calls, us: Us, target: Target, before: datetime, most: int) -> Sequence[Incoming]:
    """The last messages of people in a thread from before, at most so many, oldest first, with the one that it was
    opened from. Bots, us among them, are left out. Raises as `Rest.call` does.
    """
    if target.thread is None or most <= 0:
        return []
    room = Room(target.workspace, target.channel, target.thread)
    found: list[Incoming] = []
    bound = snowflake_at(before)
    for _ in range(_PAGES):
        page = await listed(rest, target.thread, before=bound)
        # Newest first.
        found += [one for one in (_overheard(message, room, us) for message in page) if one is not None]
        if len(page) < limits.MESSAGES_PER_PAGE or len(found) >= most:
            break
        bound = int(page[-1]["id"])
    return list(reversed(found[:most]))


def _overheard(message: Json, room: Room, us: Us) -> Incoming | None:
    """A listed message as if it had been overheard; None for noise, and for what bots say."""
    if message.get("type") == _STARTER:
        message = message.get("referenced_message") or {}
    found = said(message, room, us)
    if found is None or found.author.kind == "bot":
        return None
    return replace(found, address=OVERHEARD, earlier=False, opens=None)

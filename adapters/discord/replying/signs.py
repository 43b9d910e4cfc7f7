"""Discord's own sign of work, "… is typing": best effort, and over with the first message.

It is shown for ten seconds, so it is repeated. A quick answer comes without it: the call would cost more than it says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from adapters.chat.abilities import Abilities
from adapters.chat.tasks import OUTSIDE
from adapters.discord.connection.rest import Rest
from adapters.discord.replying.doing import Ability
from bot.messages import Asked, Target
from bot.posting import Refused

log = logging.getLogger(__name__)

#: Seconds that an instant answer takes at most.
FIRST_S: Final = 0.2
#: Seconds after which it is said again, before Discord takes it away (`limits.TYPING_S`).
AGAIN_S: Final = 8.0


class Signs:
    """One for the process."""

    def __init__(self, rest: Rest, abilities: Abilities[Ability], *, first: float = FIRST_S) -> None:
        self._rest = rest
        self._abilities = abilities
        self._first = first
        #: Conversation → set when there is something better to look at.
        self._over: dict[str, asyncio.Event] = {}

    async def working(self, target: Target, asked: Asked) -> None:
        """Type until the reply begins. To be cancelled when the turn is over."""
        # The thread that the answer will open isn't there yet, except in a forum, where nobody types in the channel.
        places: tuple[str, ...] = (target.thread or target.channel,)
        if target.thread == asked.message_id:
            places = (target.channel, asked.message_id)
        over = self._over[target.conversation_key] = asyncio.Event()
        try:
            wait = self._first
            while not await _happens(over, wait) and await self._types(places):
                wait = AGAIN_S
        finally:
            if self._over.get(target.conversation_key) is over:
                del self._over[target.conversation_key]

    def rest(self, target: Target) -> None:
        """The reply's first message is about to be posted, or nothing will be."""
        over = self._over.get(target.conversation_key)
        if over is not None:
            over.set()

    async def _types(self, places: Sequence[str]) -> bool:
        """Say it once, in the first of these places that takes it; whether it is worth repeating."""
        for place in places:
            if not self._abilities.has(self._rest, "typing", place):
                continue
            try:
                await self._rest.call("POST", "/channels/{channel_id}/typing", channel_id=place)
            except Refused as refused:
                log.debug("no sign of work: %s", refused)
                self._abilities.lacks(self._rest, "typing", place)
                continue
            except OUTSIDE as error:
                log.debug("no sign of work: %s", error)
            return True
        return False


async def _happens(event: asyncio.Event, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return False
    return True

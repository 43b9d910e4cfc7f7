"""In which language somebody is answered, and the places that their profile comes from."""

from __future__ import annotations

import asyncio
from typing import Final

from agent.language import Lang
from bot.people import People
from bot.places import DEFAULT, Place
from bot.ports import StoreUnavailable
from bot.profiles import Profiles

#: Seconds that somebody's language is looked for: a window has to be open within three.
_LANG_S: Final = 1.0


class Languages:
    """Looks languages up."""

    def __init__(self, platform: str, people: People, profiles: Profiles, otherwise: Lang) -> None:
        """`otherwise`: where neither a person nor a profile says which."""
        self._platform = platform
        self._people = people
        self._profiles = profiles
        self._otherwise = otherwise

    async def of(self, workspace: str, channel: str, user_id: str) -> Lang:
        """The language of somebody's client, else that of the profile that holds there; `channel` may be ""."""
        try:
            async with asyncio.timeout(_LANG_S):
                who = await self._people.person(self._platform, workspace, user_id)
                if who is not None and who.lang is not None:
                    return who.lang
                chain = chain_of(self._platform, workspace, channel)
                found = (await self._profiles.effective_at(chain)).profile.lang
                return self._otherwise if found == "auto" else found
        except (TimeoutError, StoreUnavailable):
            return self._otherwise


def chain_of(platform: str, workspace: str, channel: str = "", thread_key: str = "") -> tuple[Place, ...]:
    """The places whose values hold in a workspace, in a channel of it, or in a thread, by its conversation's key."""
    key = f"{platform}:{workspace}"
    found = (DEFAULT, Place("workspace", key))
    channels = (Place("channel", f"{key}:{channel}"),) if channel else ()
    threads = (Place("thread", thread_key),) if thread_key else ()
    return (*found, *channels, *threads)

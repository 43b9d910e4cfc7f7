"""Who people are: as their platforms say, kept for hours; and the role that each has here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from agent.clock import Clock
from bot.inbox import clean
from bot.messages import Author, Person, Target
from bot.policy import Role
from bot.ports import Knows, StoreUnavailable
from bot.posting import Ambiguous, Refused, RetryLater
from bot.store import people
from bot.store.db import Store

log = logging.getLogger(__name__)

#: Who was an administrator a while ago may not be one any more: before it counts, it is asked again after this time.
_FRESH_ROLE: Final = timedelta(minutes=5)

#: Whether the settings name somebody as an operator: platform, workspace, user.
IsOperator = Callable[[str, str, str], bool]


class People:
    """Looks people up. `stop` ends what is looked up in the background."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        outbounds: Mapping[str, object],
        is_operator: IsOperator,
        *,
        without_accounts: Collection[str] = (),
    ) -> None:
        """`outbounds`: the ways out by platform; those that are `Knows` are asked.

        `without_accounts`: platforms where whoever may write may also change everything (a page for one person).
        """
        self._store = store
        self._clock = clock
        self._outbounds = outbounds
        self._is_operator = is_operator
        self._without_accounts = without_accounts
        self._refreshing: dict[tuple[str, str, str], asyncio.Task[Person | None]] = {}

    async def person(self, platform: str, workspace: str, user_id: str) -> Person | None:
        """Somebody as far as is known; None if nobody can say. Raises `StoreUnavailable`.

        What is known but old is given at once, and looked up again in the background.
        """
        known, fresh = await self._known(platform, workspace, user_id)
        if fresh:
            return known
        looking = self._look_up(platform, workspace, user_id)
        return known if known is not None else await asyncio.shield(looking)

    async def is_admin(self, platform: str, workspace: str, user_id: str) -> bool:
        """Whether the platform says that somebody administers this workspace. Raises `StoreUnavailable`."""
        known, fresh = await self._known(platform, workspace, user_id, _FRESH_ROLE)
        if not fresh:
            # Where the platform doesn't say now, what it said within hours is believed.
            known = await asyncio.shield(self._look_up(platform, workspace, user_id))
            known = known or (await self._fresh(platform, workspace, user_id))
        return known is not None and known.is_admin and known.kind == "member"

    def alone(self, platform: str) -> bool:
        """Whether nobody has an account there, so that whoever may write is who runs the server."""
        return platform in self._without_accounts

    async def role(self, author: Author, target: Target) -> Role:
        """What somebody is in a conversation's workspace. Raises `StoreUnavailable`."""
        platform, workspace = target.platform, target.workspace
        if author.kind != "bot" and self._is_operator(platform, workspace, author.id):
            return "operator"
        if platform in self._without_accounts:
            return "admin"
        if author.kind != "member":
            return "guest"
        if await self.is_admin(platform, workspace, author.id):
            return "admin"
        known, _ = await self._known(platform, workspace, author.id)
        # Somebody whom nobody can describe is not trusted.
        return "member" if known is not None and known.kind == "member" else "guest"

    async def met(self, platform: str, workspace: str, who: Person) -> None:
        """The platform has told who somebody is together with what they did: nobody needs to ask for a while.

        Raises `StoreUnavailable`.
        """
        known, fresh = await self._known(platform, workspace, who.id, _FRESH_ROLE / 2)
        who = replace(who, name=clean(who.name))
        if fresh and known == who:
            return
        now = self._clock.now()
        await self._store.write(lambda c: people.save(c, platform, workspace, who, now))

    async def stop(self) -> None:
        """End the look-ups that are under way."""
        tasks = list(self._refreshing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _known(
        self, platform: str, workspace: str, user_id: str, within: timedelta = people.FRESH
    ) -> tuple[Person | None, bool]:
        """What was looked up before, and whether that is recent."""
        since = self._clock.now() - within
        found = await self._store.read(lambda c: people.looked_up(c, platform, workspace, user_id))
        return (None, False) if found is None else (found[0], found[1] > since)

    async def _fresh(self, platform: str, workspace: str, user_id: str) -> Person | None:
        known, fresh = await self._known(platform, workspace, user_id)
        return known if fresh else None

    def _look_up(self, platform: str, workspace: str, user_id: str) -> asyncio.Task[Person | None]:
        """Ask the platform, once however many want to know."""
        key = (platform, workspace, user_id)
        task = self._refreshing.get(key)
        if task is None:
            task = self._refreshing[key] = asyncio.create_task(self._asked(*key))
            task.add_done_callback(lambda _: self._refreshing.pop(key, None))
        return task

    async def _asked(self, platform: str, workspace: str, user_id: str) -> Person | None:
        outbound = self._outbounds.get(platform)
        if not isinstance(outbound, Knows):
            return None
        try:
            found = await outbound.person(workspace, user_id)
            known, _ = await self._known(platform, workspace, user_id)
            # A client's language is told by what people do with it, on platforms that don't tell it otherwise.
            lang = found.lang or (known.lang if known is not None else None)
            who = replace(found, name=clean(found.name), lang=lang)
            now = self._clock.now()
            await self._store.write(lambda c: people.save(c, platform, workspace, who, now))
        except (Refused, Ambiguous, RetryLater, StoreUnavailable) as error:
            log.info("somebody could not be looked up: %s", error)
            return None
        return who

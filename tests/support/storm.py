"""What may go wrong at once, for servers in the test's own process: a platform and a database that fail at random."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from agent.language import Text
from bot.messages import Asked, Draft, Final, Target
from bot.ports import Ledger, Pace, StoreUnavailable
from bot.posting import Ambiguous, Own, Poster, RetryLater
from bot.store.db import Query, Store

T = TypeVar("T")

#: Seconds: the platform's reads lag by less than what its adapter waits for; a late post comes after both.
_LAG, _READ_LAG, _LATE = 0.03, 0.05, 0.3


class Post(NamedTuple):
    """A message of ours."""

    conversation: str
    text: str
    created_at: datetime


class StormyPlatform:
    """Many conversations; `trouble` is the probability of each fault of a call."""

    pace = Pace(0.0, 0.01)
    read_lag = _READ_LAG

    def __init__(self, chance: random.Random, trouble: float) -> None:
        self._chance = chance
        self._count = 0
        self.trouble = trouble
        #: What people see, by message id.
        self.posts: dict[str, Post] = {}

    async def open(self, target: Target, ledger: Ledger, asked: Asked) -> StormyReply:
        return StormyReply(self, target.conversation_key, ledger)

    async def tidy(
        self, target: Target, since: datetime, known: Callable[[Sequence[str]], Awaitable[set[str]]]
    ) -> None:
        own = [own.id for own in await self.list_own(target.conversation_key, since)]
        posted = await known(own)
        for external_id in own:
            if external_id not in posted:
                await self.delete(external_id)

    async def working(self, target: Target, asked: Asked) -> None:
        """No sign of work."""

    async def close(self) -> None:
        """Nothing is open."""

    async def post(self, conversation: str, text: str) -> str:
        await self._before()
        if self._bad():
            later = _LATE * self._chance.random()
            asyncio.get_running_loop().call_later(later, self._create, conversation, f"{text} (late)")
            raise Ambiguous("timed out")
        external_id = self._create(conversation, text)
        await self._after()
        return external_id

    async def edit(self, external_id: str, text: str) -> None:
        await self._before()
        self.posts[external_id] = self.posts[external_id]._replace(text=text)
        await self._after()

    async def delete(self, external_id: str) -> None:
        await self._before()
        self.posts.pop(external_id, None)
        await self._after()

    async def list_own(self, conversation: str, since: datetime) -> list[Own]:
        await self._before()
        now = datetime.now(UTC)
        return [
            Own(external_id, post.created_at)
            for external_id, post in self.posts.items()
            if post.conversation == conversation
            and post.created_at >= since
            and (now - post.created_at).total_seconds() > _LAG
        ]

    def _create(self, conversation: str, text: str) -> str:
        self._count += 1
        external_id = f"p{self._count:05d}"
        self.posts[external_id] = Post(conversation, text, datetime.now(UTC))
        return external_id

    async def _before(self) -> None:
        await asyncio.sleep(self._chance.random() * 0.01)
        if self._bad():
            raise Ambiguous("reset")
        if self._bad():
            raise RetryLater(0.03)

    async def _after(self) -> None:
        await asyncio.sleep(self._chance.random() * 0.01)
        if self._bad():
            raise Ambiguous("reset after it was done")

    def _bad(self) -> bool:
        return self._chance.random() < self.trouble


class StormyReply:
    """One message per reply, edited."""

    def __init__(self, platform: StormyPlatform, conversation: str, ledger: Ledger) -> None:
        self._platform = platform
        self._conversation = conversation
        self._ledger = ledger
        self._poster = Poster(ledger, self._list_own, platform.delete, read_lag=_READ_LAG)

    async def _list_own(self, since: datetime) -> list[Own]:
        return await self._platform.list_own(self._conversation, since)

    async def show(self, draft: Draft) -> bool:
        if draft.text:
            await self._look(draft.text)
        return True

    async def close(self, final: Final) -> None:
        await self._look("\n".join([final.text, *final.notes]).strip())
        await self._poster.settle()

    async def discard(self) -> None:
        for part in list(self._ledger.parts):
            external_id = part.external_id or await self._poster.resolve_open()
            if external_id is not None:
                await self._poster.delete(external_id)
            await self._ledger.removed(part.position)
        await self._poster.settle()

    async def _look(self, text: str) -> None:
        posted = [part.external_id for part in self._ledger.parts if part.external_id is not None]
        if not posted:
            posted = [await self._poster.create(0, lambda: self._platform.post(self._conversation, text))]
        # Always: an adopted message may say something else.
        await self._poster.insist(lambda: self._platform.edit(posted[0], text))


class StormyStore:
    """A store that is away at times: before a query, or just after its commit."""

    def __init__(self, inner: Store, chance: random.Random) -> None:
        self._inner = inner
        self._chance = chance
        self.trouble = 0.0

    @property
    def dialect(self) -> str:
        return self._inner.dialect

    async def read(self, query: Query[T]) -> T:
        self._perhaps()
        return await self._inner.read(query)

    async def write(self, query: Query[T]) -> T:
        self._perhaps()
        value = await self._inner.write(query)
        self._perhaps()
        return value

    async def close(self) -> None:
        """The inner one is closed by its owner."""

    def _perhaps(self) -> None:
        if self._chance.random() < self.trouble:
            raise StoreUnavailable(Text("Away.", "不在。"))

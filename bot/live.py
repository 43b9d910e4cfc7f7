"""Live pictures of turns for whoever watches in this process.

Level-triggered: a watcher that is slow gets the newest picture, never a queue of old ones. It is a shortcut, not a
source of truth: a watcher in another process, or one that reconnects, reads the rows (`draft`, `turn`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.messages import Draft


@dataclass(frozen=True, slots=True)
class Picture:
    """What changed: a newer draft, or (None) the turn's row."""

    turn_id: int
    draft: Draft | None
    #: Grows with each draft of a turn, over restarts too; 0 where there is no draft.
    version: int = 0


class Watch:
    """One watcher of one conversation."""

    def __init__(self, live: Live, conversation_id: int) -> None:
        self._live = live
        self._conversation_id = conversation_id
        self._drafts: dict[int, Picture] = {}
        self._changed: set[int] = set()
        self._ready = asyncio.Event()

    def __enter__(self) -> Watch:
        self._live._watchers.setdefault(self._conversation_id, set()).add(self)
        return self

    def __exit__(self, *_: object) -> None:
        watchers = self._live._watchers.get(self._conversation_id, set())
        watchers.discard(self)
        if not watchers:
            self._live._watchers.pop(self._conversation_id, None)

    def put(self, picture: Picture) -> None:
        if picture.draft is None:
            # The row says it all now; an older draft must not be shown after it.
            self._drafts.pop(picture.turn_id, None)
            self._changed.add(picture.turn_id)
        else:
            self._drafts[picture.turn_id] = picture
        self._ready.set()

    async def get(self, timeout: float) -> list[Picture]:
        """The newest pictures since the last call; [] after `timeout` seconds without any."""
        try:
            async with asyncio.timeout(timeout):
                await self._ready.wait()
        except TimeoutError:
            return []
        self._ready.clear()
        pictures = [Picture(turn_id, None) for turn_id in sorted(self._changed)]
        pictures += self._drafts.values()
        self._changed.clear()
        self._drafts.clear()
        return pictures


class Live:
    """Fans pictures out to the watchers of a conversation."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[Watch]] = {}

    def watch(self, conversation_id: int) -> Watch:
        """A watcher, live inside its `with` block."""
        return Watch(self, conversation_id)

    def draft(self, conversation_id: int, turn_id: int, draft: Draft, version: int) -> None:
        """A newer draft of a running turn."""
        self._put(conversation_id, Picture(turn_id, draft, version))

    def changed(self, conversation_id: int, turn_id: int) -> None:
        """The turn's row changed (queued, running, finished …)."""
        self._put(conversation_id, Picture(turn_id, None))

    def _put(self, conversation_id: int, picture: Picture) -> None:
        for watch in self._watchers.get(conversation_id, ()):
            watch.put(picture)

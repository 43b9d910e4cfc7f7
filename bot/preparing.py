"""What a turn needs from its platform before the agent can begin: what was said before, who asks, the files.

Each is a step of the journal, made once per turn and only where it is needed. The platform is asked a few times at
most: a question is better answered with less than not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.clock import Clock
from agent.journal import Journal, Json, step
from agent.task import Task, TaskFile
from bot.dispatch.claim import Wants, asker_of, met_as, overheard_of
from bot.inbox import clean
from bot.messages import Attachment, Person, Target
from bot.ports import Fetches, Knows, Remembers
from bot.posting import Ambiguous, Refused, RetryLater
from bot.settings.machine import is_zone
from bot.store import conversations, messages, people
from bot.store.db import Store
from bot.store.files import last

log = logging.getLogger(__name__)

T = TypeVar("T")

PAST: Final = "prepare/past"
PEOPLE: Final = "prepare/people"
FILES: Final = "prepare/files"
#: Messages of a thread from before the agent was called.
MOST_PAST: Final = 50
#: People who are looked up for one turn.
_MOST_PEOPLE: Final = 8
#: Tries, and the longest wait between two of them in seconds.
_TRIES: Final = 3
_LONGEST_WAIT: Final = 5.0


class Files(Protocol):
    """Fetches what people attached (`bot.attachments`)."""

    async def load(
        self, target: Target, attachments: Sequence[Attachment], outbound: Fetches | None, *, earlier: bool = False
    ) -> Json:
        """Fetch the files and keep them; what `task_files` needs. Never raises for a file that can't be had."""

    async def task_files(self, loaded: Json) -> tuple[TaskFile, ...]:
        """The files as the agent takes them."""


@dataclass(frozen=True, slots=True)
class Preparer:
    """Makes a turn's task complete. Holds nothing of any turn between calls."""

    store: Store
    clock: Clock
    #: None leaves files alone.
    files: Files | None = None

    async def prepare(self, task: Task, wants: Wants, platform: object, journal: Journal) -> Task:
        """The task with all that it depends on. `platform` is the way out to it, with whatever it has of the abilities
        in `bot.ports`; without one (None) only what the journal has is added.

        Raises whatever the journal raises.
        """
        task = await self._past(task, wants, platform, journal)
        task = await self._people(task, wants, platform, journal)
        return await self._files(task, wants, platform, journal)

    async def _past(self, task: Task, wants: Wants, platform: object, journal: Journal) -> Task:
        async def make() -> Json:
            if not isinstance(platform, Remembers):
                return {"messages": []}
            until = wants.past_until or wants.asked_at
            said = await self._ask(lambda: platform.earlier(wants.target, until, MOST_PAST))
            if said is None:
                # Still wanted: the next turn asks again.
                return {"messages": []}

            def keep(connection: Connection) -> list[int]:
                """The rows of these messages, also of those that are there: a process may have died after this."""
                now = self.clock.now()
                # Deleted while it was read: each message, or the conversation.
                kept = [one for one in said if not messages.is_buried(connection, one.target, one.message_id)]
                conversations.lock(connection, wants.conversation_id)
                if not conversations.is_at(connection, wants.conversation_id, wants.generation):
                    return []
                place = (wants.conversation_id, wants.generation)
                for one in kept:
                    messages.insert(connection, replace(one, text=clean(one.text)), *place, now, addressed=False)
                conversations.note_overheard(connection, wants.conversation_id)
                rows = [messages.find(connection, one.target, one.message_id) for one in kept]
                return [row.id for row in rows if row is not None and row.turn_id is None and row[1:3] == place]

            return {"messages": await self.store.write(keep), "read": True}

        if journal.recall(PAST) is None and not (wants.past and isinstance(platform, Remembers)):
            return task
        made = await step(journal, PAST, make)
        if wants.past and made.get("read"):
            # Now that this turn can't lose it.
            await self.store.write(lambda c: conversations.past_read(c, wants.conversation_id, wants.generation))
        said = await self.store.read(lambda c: messages.by_ids(c, made["messages"]))
        zone = task.now.tzinfo if isinstance(task.now.tzinfo, ZoneInfo) else ZoneInfo("UTC")
        ids = {one.author.id for one in said}
        target = wants.target
        met = met_as(await self.store.read(lambda c: people.known(c, target.platform, target.workspace, ids)))
        known = {(one.at, one.text) for one in task.overheard}
        heard = [one for one in overheard_of(said, met, zone) if (one.at, one.text) not in known]
        heard += task.overheard
        return replace(task, overheard=tuple(sorted(heard, key=lambda one: one.at)))

    async def _people(self, task: Task, wants: Wants, platform: object, journal: Journal) -> Task:
        async def make() -> Json:
            if not isinstance(platform, Knows):
                return {"people": {}}
            found = [await self._look_up(platform, wants.target, id_) for id_ in wants.strangers[:_MOST_PEOPLE]]
            known = {who.id: who for who in found if who is not None}
            asker = known.get(wants.authors[0].id) if wants.authors else None
            zone = asker.zone if asker is not None and is_zone(asker.zone) else ""
            return {"people": {who.id: (who.name, who.kind) for who in known.values()}, "zone": zone}

        if journal.recall(PEOPLE) is None and not (wants.strangers and isinstance(platform, Knows)):
            return task
        done = await step(journal, PEOPLE, make)
        made = done["people"]
        if done.get("zone"):
            # The turn began without knowing what time it is for whoever asks.
            task = _moved(task, ZoneInfo(done["zone"]))
        if any(one.id in made for one in wants.authors):
            task = replace(task, asker=asker_of(wants.authors, {**wants.met, **made}))
        heard = tuple(replace(one, author=made[one.author][0]) if one.author in made else one for one in task.overheard)
        return replace(task, overheard=heard)

    async def _look_up(self, platform: Knows, target: Target, user_id: str) -> Person | None:
        found = await self._ask(lambda: platform.person(target.workspace, user_id))
        if found is None:
            return None
        who = replace(found, name=clean(found.name))
        now = self.clock.now()
        await self.store.write(lambda c: people.save(c, target.platform, target.workspace, who, now))
        return who

    async def _files(self, task: Task, wants: Wants, platform: object, journal: Journal) -> Task:
        files, fetches = self.files, platform if isinstance(platform, Fetches) else None
        if files is None:
            return task
        attached, earlier = wants.attachments, not wants.attachments
        if journal.recall(FILES) is None:
            if earlier and fetches is not None:
                # "And the second page?" is about what was attached before.
                generation, until = wants.generation, wants.asked_at
                attached = await self.store.read(lambda c: last(c, wants.conversation_id, generation, until))
            if not attached or platform is None:
                return task
        loaded = await step(journal, FILES, lambda: files.load(wants.target, attached, fetches, earlier=earlier))
        return replace(task, files=await files.task_files(loaded))

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """What the platform says; None when it won't, or not soon."""
        for attempt in range(1, _TRIES + 1):
            try:
                return await call()
            except Refused as refused:
                log.info("the platform didn't tell: %s", refused)
                return None
            except (Ambiguous, RetryLater) as error:
                log.info("the platform didn't tell yet: %s", error)
                wait = error.seconds if isinstance(error, RetryLater) else 0.5 * attempt
                if attempt == _TRIES or wait > _LONGEST_WAIT:
                    return None
                await self.clock.sleep(wait)
        return None


def _moved(task: Task, zone: ZoneInfo) -> Task:
    """The task with all its times in another zone."""
    return replace(
        task,
        now=task.now.astimezone(zone),
        history=tuple(replace(one, at=one.at and one.at.astimezone(zone)) for one in task.history),
        overheard=tuple(replace(one, at=one.at.astimezone(zone)) for one in task.overheard),
    )

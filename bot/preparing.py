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
                now = self.clock.now()
                # Deleted while it was read: each message, or the conversation.
                kept = [one for one in said if not messages.is_buried(connection, one.target, one.message_id)]
                conversations.lock(connection, wants.conversation_id)
                if not conversations.is_at(connection, wants.conversation_id, wants.generation):
                    return []
                rows = [
                    messages.insert(
                        connection,
                        replace(one, text=clean(one.text)),
                        wants.conversation_id,
                        wants.generation,
                        now,
                        addressed=False,
                    )
                    for one in kept
                ]
                conversations.past_read(connection, wants.conversation_id)
                conversations.note_overheard(connection, wants.conversation_id)
                return [row for row in rows if row is not None]

            return {"messages": await self.store.write(keep)}

        if journal.recall(PAST) is None and not (wants.past and isinstance(platform, Remembers)):
            return task
        made = await step(journal, PAST, make)
        said = await self.store.read(lambda c: messages.by_ids(c, made["messages"]))
        zone = task.now.tzinfo if isinstance(task.now.tzinfo, ZoneInfo) else ZoneInfo("UTC")
        ids = {one.author.id for one in said}
        target = wants.target
        met = met_as(await self.store.read(lambda c: people.known(c, target.platform, target.workspace, ids)))
        heard = [*overheard_of(said, met, zone), *task.overheard]
        return replace(task, overheard=tuple(sorted(heard, key=lambda one: one.at)))

    async def _people(self, task: Task, wants: Wants, platform: object, journal: Journal) -> Task:
        async def make() -> Json:
            if not isinstance(platform, Knows):
                return {"people": {}}
            found = [await self._look_up(platform, wants.target, id_) for id_ in wants.strangers[:_MOST_PEOPLE]]
            return {"people": {who.id: (who.name, who.kind) for who in found if who is not None}}

        if journal.recall(PEOPLE) is None and not (wants.strangers and isinstance(platform, Knows)):
            return task
        made = (await step(journal, PEOPLE, make))["people"]
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

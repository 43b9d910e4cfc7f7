"""Taking the next turn of a conversation: lease, turn and frozen context in one transaction.

One transaction, because a turn's first commit is on the way to its first token; and because nothing of it is visible
outside, there is no window between its parts to recover from.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from agent.journal import Recalled
from agent.language import Lang, detect
from agent.profile import Profile, overlay
from agent.task import Asker, Exchange, Overheard, Task
from bot.messages import Asked, Attachment, Author, Kind, Part, Person, Target
from bot.places import places
from bot.settings.machine import is_zone
from bot.store import conversations, messages, parts, people, profiles, steps, turns
from bot.store.conversations import LeaseRow
from bot.store.history import Past, last_turns, these_turns
from bot.store.messages import Written
from bot.store.turns import TurnRow

log = logging.getLogger(__name__)

#: Journal key of the frozen context.
CONTEXT = "context"
#: Messages that were not for the agent that it is shown with a question.
MOST_OVERHEARD = 50
#: Name and kind of people by their ids.
Met = Mapping[str, tuple[str, Kind]]


@dataclass(frozen=True, slots=True)
class Wants:
    """What a turn depends on and the database doesn't have yet: its first step asks the platform for it."""

    target: Target
    conversation_id: int
    generation: int
    #: Platform time of the question.
    asked_at: datetime
    #: Everybody who asks, the first one first, and those of them who were looked up lately.
    authors: tuple[Author, ...] = ()
    met: Met = field(default_factory=dict)
    #: Whether what was said before the agent was called has to be read, and up to when if not to the question: whoever
    #: called it by an edit may have been answered by others meanwhile.
    past: bool = False
    past_until: datetime | None = None
    #: People whom nobody has looked up lately; the asker first.
    strangers: tuple[str, ...] = ()
    #: Of the messages that are answered.
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A turn that is ours to run, with everything that an earlier attempt left."""

    turn: TurnRow
    target: Target
    task: Task
    asked: Asked
    wants: Wants
    steps: Mapping[str, Recalled]
    parts: tuple[Part, ...]
    #: Whether what an earlier attempt froze can't be read any more; then the turn can only fail.
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Drained:
    """Nothing more to do in this conversation; the lease is given back."""


@dataclass(frozen=True, slots=True)
class Tidy:
    """Before the next turn (or instead of one), strays of an earlier owner have to be looked for."""

    target: Target
    since: datetime


Next = Claimed | Drained | Tidy


@dataclass(frozen=True, slots=True)
class RunsWith:
    """The profile that holds for a turn when it starts."""

    profile: Profile
    #: Ids of the versions that made it, the general first.
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What claiming needs to know of the server."""

    owner: str
    lease: timedelta
    zone: ZoneInfo
    #: That of the settings, which holds where nothing else is set.
    profile: Profile
    #: After a take-over, when to look for strays: past the time for which a frozen process can hold a request.
    tidy_after: timedelta
    #: Platforms that can say who somebody is.
    knows: Collection[str] = ()
    #: Ids of profile versions that this process has looked up; it may meet only few.
    versions: dict[Profile, int] = field(default_factory=dict)

    def first(self, connection: Connection, conversation_id: int, now: datetime) -> tuple[int, Next] | None:
        """Take the lease and the first turn: (epoch, what to do); None if somebody else has the lease."""
        row = conversations.lease(connection, conversation_id, self.owner, now, now + self.lease)
        if row is None:
            return None
        taken = turns.take_over(connection, conversation_id, row.epoch, now)
        if taken is None:
            return row.epoch, self._next(connection, row, now)
        conversations.set_tidy(connection, conversation_id, row.epoch, now + self.tidy_after, taken.sent_at)
        return row.epoch, self._claimed(connection, row, taken, steps.of_turn(connection, taken.id), now)

    def following(self, connection: Connection, conversation_id: int, epoch: int, now: datetime) -> Next | None:
        """The next turn under a lease that is ours; None if it isn't any more."""
        row = conversations.extend(connection, conversation_id, self.owner, epoch, now + self.lease)
        return None if row is None else self._next(connection, row, now)

    def _next(self, connection: Connection, row: LeaseRow, now: datetime) -> Next:
        if row.tidy_at is not None and row.tidy_since is not None and row.tidy_at <= now:
            return Tidy(row.target, row.tidy_since)
        started = turns.start_next(connection, row.conversation_id, row.epoch, now)
        if started is not None:
            known = steps.of_turn(connection, started.id)
            # What has its context keeps it: an edit of the profile doesn't touch a turn that has begun.
            runs = None if CONTEXT in known else self._effective(connection, row.target, now)
            # Not into a turn that answers nobody, nor into one whose question is frozen already.
            merges = runs is not None and runs.profile.overlap == "merge" and started.command is None
            if merges and started.reason is None and started.end_as is None and not known:
                turns.merge_waiting(connection, started, now)
            return self._claimed(connection, row, started, known, now, runs)
        conversations.release(connection, row.conversation_id, row.epoch)
        return Drained()

    def _claimed(
        self,
        connection: Connection,
        row: LeaseRow,
        turn: TurnRow,
        known: Mapping[str, Recalled],
        now: datetime,
        runs: RunsWith | None = None,
    ) -> Claimed:
        unreadable = False
        asked = messages.of_turns(connection, [turn.id])
        if CONTEXT not in known:
            task = self._freeze(connection, row, turn, asked, now, runs or self._effective(connection, row.target, now))
            turn = turn._replace(lang=task.lang)
        else:
            try:
                task = self.rebuild(connection, turn, known[CONTEXT].result)
            except (LookupError, TypeError, ValueError):
                # Of another version of this program. Left to itself, the turn would hold its conversation for ever.
                log.exception("the context of turn %s can't be read", turn.id)
                task, unreadable = Task("", (), self.profile, now.astimezone(self.zone), turn.lang), True
        found = tuple(parts.of_turn(connection, turn.id)) if turn.attempts > 1 or known else ()
        # A command is obeyed to its end also when it has erased itself: "forget me", after a crash.
        author = asked[0].author if asked else messages.author_of(connection, turn.id) or Author("")
        message_id = asked[0].message_id if asked else ""
        profile = task.profile
        about = asked[0].text if asked else ""
        who = Asked(author, message_id, turn.lang, profile.agent_name, profile.icon, about)
        wants = self._wants(connection, row, turn, asked, known, now)
        return Claimed(turn, row.target, task, who, wants, known, found, unreadable)

    def _wants(
        self,
        connection: Connection,
        row: LeaseRow,
        turn: TurnRow,
        asked: list[Written],
        known: Mapping[str, Recalled],
        now: datetime,
    ) -> Wants:
        ids = [one.author.id for one in asked if one.author.kind != "bot"]
        if row.target.platform in self.knows and ids:
            target = row.target
            met = met_as(people.known(connection, target.platform, target.workspace, ids, now))
            # Whoever was a stranger when the context was frozen is one to it still, though looked up by now: by another
            # turn, or by an earlier attempt that died before it was written down.
            context = known[CONTEXT].result if CONTEXT in known else None
            settled = context.get("people", {}) if isinstance(context, dict) else met
            strangers = tuple(dict.fromkeys(id_ for id_ in ids if id_ not in met or id_ not in settled))
        else:
            met, strangers = {}, ()
        return Wants(
            row.target,
            turn.conversation_id,
            turn.generation,
            turn.sent_at,
            authors=tuple(one.author for one in asked),
            met=met,
            past=row.past_wanted,
            past_until=now if any(one.revision for one in asked) else None,
            strangers=strangers,
            attachments=tuple(file for one in asked for file in one.attachments),
        )

    def _effective(self, connection: Connection, target: Target, now: datetime) -> RunsWith:
        """The profile of a conversation at this moment; read anew for each turn, since anybody may have changed it."""
        profile, rows = self.profile, [self._version(connection, now)]
        keys = {place.scope: place.key for place in places(target)}
        found = profiles.layers(
            connection, workspace=keys["workspace"], channel=keys["channel"], thread=keys.get("thread")
        )
        for layer in found:
            profile = overlay(profile, layer.values)
            rows.append(layer.id)
        return RunsWith(profile, tuple(rows))

    def _freeze(
        self,
        connection: Connection,
        row: LeaseRow,
        turn: TurnRow,
        asked: list[Written],
        now: datetime,
        runs: RunsWith,
    ) -> Task:
        """Fix what the run depends on, by reference; the texts stay in their own rows."""
        question = "\n\n".join(one.text for one in asked)
        lang: Lang = detect(question, turn.lang) if runs.profile.lang == "auto" else runs.profile.lang
        past = last_turns(connection, turn.conversation_id, turn.generation, now)
        heard = self._overheard(connection, row, turn)
        met = self._met(connection, row.target, [*asked, *heard])
        asker = met.get(asked[0].author.id) if asked else None
        zone = ZoneInfo(asker.zone) if asker is not None and is_zone(asker.zone) else self.zone
        frozen: dict[str, Any] = {
            "now": now.isoformat(),
            "zone": zone.key,
            "lang": lang,
            "profiles": list(runs.rows),
            "messages": [[one.id, one.revision] for one in asked],
            "history": [p.id for p in past],
        }
        if heard:
            frozen["overheard"] = [one.id for one in heard]
        if row.target.platform in self.knows:
            frozen["people"] = {id_: [who.name, who.kind] for id_, who in met.items()}
        steps.insert_done(connection, turn.id, CONTEXT, None, frozen, turn.attempts, now)
        turns.ran_with(connection, turn.id, runs.rows[-1], lang)
        history = _exchanges(connection, past, zone)
        task = Task(question, history, runs.profile, now.astimezone(zone), lang)
        return _among_people(task, asked, heard, frozen.get("people"), zone)

    def _overheard(self, connection: Connection, row: LeaseRow, turn: TurnRow) -> list[Written]:
        if not row.overheard:
            return []
        return messages.overheard(connection, turn.conversation_id, turn.generation, turn.sent_at, MOST_OVERHEARD)

    def _met(self, connection: Connection, target: Target, said: Iterable[Written]) -> dict[str, Person]:
        """Those who said this, as far as they were looked up before."""
        ids = {one.author.id for one in said}
        if target.platform not in self.knows or not ids:
            return {}
        return people.known(connection, target.platform, target.workspace, ids)

    def _version(self, connection: Connection, now: datetime) -> int:
        """The id of the profile's version. Cached, so that servers with different settings don't outbid each other."""
        known = self.versions.get(self.profile) or profiles.find(connection, self.profile)
        if known is None:
            # Not cached: this transaction may still be rolled back.
            return profiles.add(connection, self.profile, now)
        self.versions[self.profile] = known
        return known

    def rebuild(self, connection: Connection, turn: TurnRow, frozen: dict[str, Any]) -> Task:
        """The task of an earlier attempt, from what it froze."""
        wanted = {row_id for row_id, _ in frozen["messages"]}
        asked = [one for one in messages.of_turns(connection, [turn.id]) if one.id in wanted]
        zone = ZoneInfo(frozen["zone"])
        history = _exchanges(connection, these_turns(connection, list(frozen["history"])), zone)
        now = datetime.fromisoformat(frozen["now"]).astimezone(zone)
        # Contexts of earlier versions of this program name one version of the default profile.
        rows = frozen["profiles"] if "profiles" in frozen else [frozen["profile"]]
        question = "\n\n".join(one.text for one in asked)
        task = Task(question, history, profiles.merged(connection, rows), now, frozen["lang"])
        heard = messages.by_ids(connection, list(frozen.get("overheard", ())))
        return _among_people(task, asked, heard, frozen.get("people"), zone)


def met_as(found: Mapping[str, Person]) -> Met:
    """What of these people matters to a turn."""
    return {id_: (who.name, who.kind) for id_, who in found.items()}


def _among_people(task: Task, asked: list[Written], heard: list[Written], met: Met | None, zone: ZoneInfo) -> Task:
    """The task with who asks and what others said; `met` is None where the platform can't say who somebody is."""
    if asked:
        task = replace(task, asker=asker_of([one.author for one in asked], met))
    return replace(task, overheard=tuple(overheard_of(heard, met or {}, zone)))


def asker_of(authors: Sequence[Author], met: Met | None) -> Asker:
    """Who asks, in one turn: trusted as far as the least of them is. Somebody whom the platform could describe and
    nobody has looked up is not trusted.
    """
    stranger: tuple[str, Kind] = ("", "member" if met is None else "guest")
    name, _ = (met or {}).get(authors[0].id, stranger)
    # What the message itself says of its author is not outdone by what was known before.
    kinds = {kind for one in authors for kind in ((met or {}).get(one.id, stranger)[1], one.kind)}
    return Asker(name or authors[0].name, trusted=kinds == {"member"})


def overheard_of(heard: Iterable[Written], met: Met, zone: ZoneInfo) -> list[Overheard]:
    """What others said, with their names where they are known, else their ids."""
    return [
        Overheard(met.get(one.author.id, ("", "member"))[0] or one.author.name or one.author.id, one.text, at)
        for one in heard
        if (at := one.sent_at.astimezone(zone))
    ]


def _exchanges(connection: Connection, past: list[Past], zone: ZoneInfo) -> tuple[Exchange, ...]:
    """What these turns were asked and answered, and when."""
    by_turn = _questions(connection, [p.id for p in past])
    return tuple(
        Exchange(by_turn.get(p.id, ""), p.answer, None if p.started_at is None else p.started_at.astimezone(zone))
        for p in past
    )


def _questions(connection: Connection, turn_ids: list[int]) -> dict[int, str]:
    """What these turns were asked, merged messages in one text."""
    texts: dict[int, list[str]] = {}
    for one in messages.of_turns(connection, turn_ids):
        texts.setdefault(one.turn_id or 0, []).append(one.text)
    return {turn_id: "\n\n".join(lines) for turn_id, lines in texts.items()}

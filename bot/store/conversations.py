"""Conversations: finding one by its key, and the lease that makes one process its owner (`docs/state.md`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, or_, select, update

from bot.messages import Target
from bot.store.dialect import insert_ignore
from bot.store.tables import LIVE_TURN, conversation, message, turn

#: A conversation that isn't a thread starts afresh after this much silence.
IDLE_GENERATION = timedelta(hours=12)


#: Conversations that one sweep finds; the next one, a second later, finds the rest.
_MOST_WORK = 1000


#: Characters of the first message that name a conversation.
_TITLE = 80


def title_of(text: str) -> str:
    """What a message names its conversation."""
    return " ".join(text.split())[:_TITLE]


class Place(NamedTuple):
    """A conversation as the inbox needs it."""

    id: int
    generation: int
    last_message_at: datetime
    muted: bool
    past_wanted: bool
    #: Deleted by a person; whoever speaks to the agent there begins anew.
    erased: bool


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as it stands in the database."""

    conversation_id: int
    epoch: int
    target: Target
    tidy_at: datetime | None
    tidy_since: datetime | None
    #: Whether what was said before it was called has to be read from the platform.
    past_wanted: bool
    #: Whether any message is context only.
    overheard: bool


_PLACE = select(
    conversation.c.id,
    conversation.c.generation,
    conversation.c.last_message_at,
    conversation.c.muted,
    conversation.c.past_wanted,
    conversation.c.erased_at.is_not(None),
).where(conversation.c.key == bindparam("of_key"))


#: See `lock`.
_PLACE_HELD = _PLACE.with_for_update(key_share=True)


def find(connection: Connection, key: str) -> Place | None:
    """The conversation with this key, if there is one."""
    row = connection.execute(_PLACE, {"of_key": key}).first()
    return None if row is None else Place(*row)


def hold(connection: Connection, key: str) -> Place | None:
    """`find` and `lock` in one: what it says holds until the transaction ends."""
    row = connection.execute(_PLACE_HELD, {"of_key": key}).first()
    return None if row is None else Place(*row)


def find_or_create(
    connection: Connection, target: Target, now: datetime, *, past_wanted: bool = False, direct: bool = False
) -> Place:
    """The conversation with this key; created if it is new, with a past to read if that is `past_wanted`.

    `direct`: nobody but one person is there.
    """
    found = find(connection, target.conversation_key)
    return found or create(connection, target, now, past_wanted=past_wanted, direct=direct)


def create(
    connection: Connection, target: Target, now: datetime, *, past_wanted: bool = False, direct: bool = False
) -> Place:
    """`find_or_create` for a conversation that was not there a moment ago."""
    values = {
        "key": target.conversation_key,
        "platform": target.platform,
        "workspace": target.workspace,
        "channel": target.channel,
        "thread": target.thread,
        "created_at": now,
        "last_message_at": now,
        "past_wanted": past_wanted,
        "direct": direct,
    }
    insert_ignore(connection, conversation, values)
    return Place(*connection.execute(_PLACE, {"of_key": target.conversation_key}).one())


_TARGET = (
    conversation.c.platform,
    conversation.c.workspace,
    conversation.c.channel,
    conversation.c.thread,
    conversation.c.key,
)


def target_of(connection: Connection, key: str) -> Target | None:
    """Where the conversation with this key is."""
    row = connection.execute(select(*_TARGET).where(conversation.c.key == key)).first()
    return None if row is None else Target(*row)


def target_by_id(connection: Connection, conversation_id: int) -> Target:
    """Where a conversation is."""
    return Target(*connection.execute(select(*_TARGET).where(conversation.c.id == conversation_id)).one())


def latest(connection: Connection, most: int = 100) -> list[tuple[Target, str]]:
    """The conversations that were spoken in last, with their titles, the latest first."""
    statement = (
        select(*_TARGET, conversation.c.title)
        .where(conversation.c.erased_at.is_(None))
        .order_by(conversation.c.last_message_at.desc(), conversation.c.id.desc())
        .limit(most)
    )
    return [(Target(*row[:-1]), row[-1]) for row in connection.execute(statement)]


_LOCK = select(conversation.c.id).where(conversation.c.id == bindparam("this")).with_for_update(key_share=True)


def lock(connection: Connection, conversation_id: int) -> None:
    """Hold the conversation's row until the transaction ends, so that no turn of it starts meanwhile.

    The weaker of PostgreSQL's two locks: the stronger one also stops rows that only refer to the conversation (a part
    of its running turn), and two transactions would wait for each other.
    """
    connection.execute(_LOCK, {"this": conversation_id})


def new_generation(connection: Connection, place: Place, now: datetime) -> int:
    """Start afresh under the same key: history before it is not read any more. The number of the generation to use.

    Conditional on what was seen: of two messages that end the silence together, one starts the generation.
    """
    statement = (
        update(conversation)
        .where(conversation.c.id == place.id, conversation.c.last_message_at == place.last_message_at)
        .values(generation=conversation.c.generation + 1, last_message_at=now)
        .returning(conversation.c.generation)
    )
    row = connection.execute(statement).first()
    if row is None:
        row = connection.execute(select(conversation.c.generation).where(conversation.c.id == place.id)).one()
    return int(row[0])


def begin_anew(connection: Connection, key: str, since: datetime) -> bool:
    """Look at nothing any more that was said in a conversation before `since`, by the platform's time; False if there
    is none with this key.

    What was said since, and waits, begins the new generation.
    """
    statement = (
        update(conversation)
        .where(conversation.c.key == key)
        .values(generation=conversation.c.generation + 1, past_wanted=False)
        .returning(conversation.c.id, conversation.c.generation)
    )
    row = connection.execute(statement).first()
    if row is None:
        return False
    waiting = and_(LIVE_TURN, turn.c.conversation_id == row.id, turn.c.state == "queued", turn.c.started_at.is_(None))
    connection.execute(update(turn).where(waiting, turn.c.sent_at > since).values(generation=row.generation))
    said = and_(message.c.conversation_id == row.id, message.c.role == "user", message.c.sent_at > since)
    connection.execute(
        update(message)
        .where(said, or_(message.c.turn_id.is_(None), message.c.turn_id.in_(select(turn.c.id).where(waiting))))
        .values(generation=row.generation)
    )
    return True


def is_at(connection: Connection, conversation_id: int, generation: int) -> bool:
    """Whether nothing has begun a conversation anew, or erased it, since this generation."""
    statement = select(conversation.c.generation).where(conversation.c.id == conversation_id)
    return connection.execute(statement).scalar() == generation


def is_direct(connection: Connection, key: str) -> bool:
    """Whether nobody but one person is in the conversation with this key."""
    return connection.execute(select(conversation.c.direct).where(conversation.c.key == key)).scalar() is True


def mute(connection: Connection, conversation_id: int, *, muted: bool) -> None:
    """Whether only what mentions the agent is for it here."""
    connection.execute(update(conversation).where(conversation.c.id == conversation_id).values(muted=muted))


_OVERHEARD = (
    update(conversation)
    .where(conversation.c.id == bindparam("this"), conversation.c.overheard.is_(False))
    .values(overheard=True)
)


def note_overheard(connection: Connection, conversation_id: int) -> None:
    """There is a message that is context only."""
    connection.execute(_OVERHEARD, {"this": conversation_id})


def want_past(connection: Connection, conversation_id: int) -> None:
    """There may be messages that nobody has read."""
    connection.execute(update(conversation).where(conversation.c.id == conversation_id).values(past_wanted=True))


def past_read(connection: Connection, conversation_id: int, generation: int) -> None:
    """What was said before the agent was called has been read by a turn of this generation."""
    here = and_(conversation.c.id == conversation_id, conversation.c.generation == generation)
    connection.execute(update(conversation).where(here).values(past_wanted=False))


def retitle(connection: Connection, conversation_id: int, old: str, new: str) -> None:
    """Replace the title if it is this one: the text that it was taken from has changed or is gone."""
    connection.execute(
        update(conversation).where(conversation.c.id == conversation_id, conversation.c.title == old).values(title=new)
    )


_TAKE_SEQ = (
    update(conversation)
    .where(conversation.c.id == bindparam("this"))
    .values(
        next_seq=conversation.c.next_seq + 1,
        last_message_at=bindparam("now"),
        title=func.coalesce(func.nullif(conversation.c.title, ""), bindparam("called")),
    )
    .returning(conversation.c.next_seq - 1)
)


def take_seq(connection: Connection, conversation_id: int, now: datetime, title: str = "") -> int:
    """The next place in the queue. Locks the row, so that it serialises with the release of the lease."""
    return int(connection.execute(_TAKE_SEQ, {"this": conversation_id, "now": now, "called": title}).scalar_one())


_ADMIT = _TAKE_SEQ.values(erased_at=None)


def admit(connection: Connection, conversation_id: int, now: datetime, title: str) -> int:
    """`take_seq` for a message from a person: a conversation that was erased begins anew with it."""
    return int(connection.execute(_ADMIT, {"this": conversation_id, "now": now, "called": title}).scalar_one())


_LEASE_COLUMNS = (
    conversation.c.id,
    conversation.c.epoch,
    conversation.c.platform,
    conversation.c.workspace,
    conversation.c.channel,
    conversation.c.thread,
    conversation.c.key,
    conversation.c.tidy_at,
    conversation.c.tidy_since,
    conversation.c.past_wanted,
    conversation.c.overheard,
)


def _lease_row(row: Row[*tuple[Any, ...]]) -> LeaseRow:
    target = Target(row.platform, row.workspace, row.channel, row.thread, row.key)
    return LeaseRow(row.id, row.epoch, target, row.tidy_at, row.tidy_since, row.past_wanted, row.overheard)


_LEASE = (
    update(conversation)
    .where(
        conversation.c.id == bindparam("this"),
        or_(
            conversation.c.owner.is_(None),
            conversation.c.owner == bindparam("me"),
            conversation.c.lease_until <= bindparam("now"),
        ),
    )
    .values(owner=bindparam("me"), lease_until=bindparam("until"), epoch=conversation.c.epoch + 1)
    .returning(*_LEASE_COLUMNS)
)


def lease(connection: Connection, conversation_id: int, owner: str, now: datetime, until: datetime) -> LeaseRow | None:
    """Take the lease if it is free, run out, or left over from an earlier drain of this process; else None."""
    values = {"this": conversation_id, "me": owner, "now": now, "until": until}
    row = connection.execute(_LEASE, values).first()
    return None if row is None else _lease_row(row)


_EXTEND = (
    update(conversation)
    .where(
        conversation.c.id == bindparam("this"),
        conversation.c.owner == bindparam("me"),
        conversation.c.epoch == bindparam("our_epoch"),
    )
    .values(lease_until=bindparam("until"))
    .returning(*_LEASE_COLUMNS)
)


def extend(connection: Connection, conversation_id: int, owner: str, epoch: int, until: datetime) -> LeaseRow | None:
    """Prolong my lease and lock its row; None when it is not mine any more."""
    values = {"this": conversation_id, "me": owner, "our_epoch": epoch, "until": until}
    row = connection.execute(_EXTEND, values).first()
    return None if row is None else _lease_row(row)


def extend_all(connection: Connection, owner: str, held: dict[int, int], until: datetime) -> set[int]:
    """Prolong all leases of this process (`held`: conversation → epoch); the conversations that are still ours."""
    if not held:
        return set()
    mine = or_(*(and_(conversation.c.id == id_, conversation.c.epoch == epoch) for id_, epoch in held.items()))
    statement = (
        update(conversation)
        .where(conversation.c.owner == owner, mine)
        .values(lease_until=until)
        .returning(conversation.c.id)
    )
    return set(connection.execute(statement).scalars())


_WAITING = exists().where(LIVE_TURN, turn.c.conversation_id == conversation.c.id, turn.c.state == "queued")
_RELEASE = (
    update(conversation)
    .where(conversation.c.id == bindparam("this"), conversation.c.epoch == bindparam("our_epoch"), ~_WAITING)
    .values(owner=None, lease_until=None)
)


def release(connection: Connection, conversation_id: int, epoch: int) -> bool:
    """Give the lease back unless a turn is waiting.

    The caller has locked the row in this transaction (`lease` or `extend`), so a turn that is being queued is either
    seen here or waits for us and then finds a free lease. False: there is work, the lease is still ours.
    """
    return connection.execute(_RELEASE, {"this": conversation_id, "our_epoch": epoch}).rowcount == 1


def hand_back(connection: Connection, conversation_id: int, epoch: int) -> bool:
    """Give the lease back with its turn still running, for another process to go on (orderly shutdown)."""
    freed = connection.execute(
        update(conversation)
        .where(conversation.c.id == conversation_id, conversation.c.epoch == epoch)
        .values(owner=None, lease_until=None)
    )
    if freed.rowcount != 1:
        return False
    connection.execute(
        update(turn)
        .where(LIVE_TURN, turn.c.conversation_id == conversation_id, turn.c.state == "running", turn.c.epoch == epoch)
        .values(handed_over=True)
    )
    return True


def hand_back_all(connection: Connection, owner: str) -> None:
    """Give back whatever this process still holds (orderly shutdown), also what a claim took that nobody waited for."""
    freed = connection.execute(
        update(conversation)
        .where(conversation.c.owner.is_not(None), conversation.c.owner == owner)
        .values(owner=None, lease_until=None)
        .returning(conversation.c.id)
    )
    held = list(freed.scalars())
    if held:
        running = and_(LIVE_TURN, turn.c.conversation_id.in_(held), turn.c.state == "running")
        connection.execute(update(turn).where(running).values(handed_over=True))


def void_all_leases(connection: Connection) -> int:
    """At the start of the only process that may own this database: nobody holds a lease. How many were voided."""
    statement = update(conversation).where(conversation.c.owner.is_not(None)).values(owner=None, lease_until=None)
    return connection.execute(statement).rowcount


def set_tidy(
    connection: Connection, conversation_id: int, epoch: int, at: datetime | None, since: datetime | None
) -> None:
    """Note when to look for strays (`at`), and from which platform time on; None when that is done.

    Several take-overs before one look keep the earliest `since`.
    """
    keep = since if since is None else func.coalesce(conversation.c.tidy_since, since)
    connection.execute(
        update(conversation)
        .where(conversation.c.id == conversation_id, conversation.c.epoch == epoch)
        .values(tidy_at=at, tidy_since=keep)
    )


def find_work(connection: Connection, owner: str, platforms: Sequence[str], now: datetime) -> list[int]:
    """Conversations that need a drain and that nobody drains: queued, orphaned or expired turns, or strays to look for.

    Leases of this process count as free here; the dispatcher knows which of them it is draining. Platforms that aren't
    configured are left alone: their turns wait until they are again.
    """
    free = and_(
        # The empty string keeps SQLite from visiting all conversations of a platform by their index.
        conversation.c.platform.concat("").in_(platforms),
        or_(conversation.c.owner.is_(None), conversation.c.owner == owner, conversation.c.lease_until <= now),
    )
    due = or_(
        turn.c.state.in_(("queued", "running")),
        and_(turn.c.state == "waiting", or_(turn.c.waiting_until <= now, turn.c.end_as.is_not(None))),
    )
    with_turns = (
        select(conversation.c.id)
        .where(conversation.c.id.in_(select(turn.c.conversation_id).where(LIVE_TURN, due)), free)
        .limit(_MOST_WORK)
    )
    # Said twice, because SQLite takes a partial index only for its own condition.
    untidy = and_(conversation.c.tidy_at.is_not(None), conversation.c.tidy_at <= now)
    to_tidy = select(conversation.c.id).where(untidy, free).limit(_MOST_WORK)
    rows = [*connection.execute(with_turns).scalars(), *connection.execute(to_tidy).scalars()]
    return list(dict.fromkeys(rows))

"""Messages: storing them once, revising and erasing them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, select, tuple_, update

from bot.messages import Attachment, Author, Incoming, Target
from bot.store import files
from bot.store.dialect import insert_ignore, serialise, storable
from bot.store.tables import OVERHEARD, delivery, message


class Stored(NamedTuple):
    """A message that is already there."""

    id: int
    conversation_id: int
    generation: int
    turn_id: int | None
    text: str
    has_files: bool
    erased_at: datetime | None


_STORED = (
    message.c.id,
    message.c.conversation_id,
    message.c.generation,
    message.c.turn_id,
    message.c.text,
    message.c.attachments,
    message.c.erased_at,
)


def first_delivery(connection: Connection, platform: str, delivery_id: str | None, now: datetime) -> bool:
    """Whether this delivery is new; notes it. A delivery without an id always is."""
    if delivery_id is None:
        return True
    values = {"platform": platform, "delivery_id": delivery_id, "received_at": now}
    return insert_ignore(connection, delivery, values) is not None


def bury(connection: Connection, target: Target, message_id: str, now: datetime) -> bool:
    """Note that a message was deleted before it arrived: it is not to be taken when it does. False if that is known.

    Kept as long as delivery ids are, which is longer than any platform delivers again.
    """
    grave = _grave(target, message_id)
    serialise(connection, grave)
    values = {"platform": target.platform, "delivery_id": grave, "received_at": now}
    return insert_ignore(connection, delivery, values) is not None


_GRAVE = select(delivery.c.received_at).where(
    delivery.c.platform == bindparam("on"), delivery.c.delivery_id == bindparam("grave")
)


def is_buried(connection: Connection, target: Target, message_id: str) -> bool:
    """Whether the message was deleted before it arrived. Until this transaction ends, nobody else can bury it."""
    grave = _grave(target, message_id)
    serialise(connection, grave)
    return connection.execute(_GRAVE, {"on": target.platform, "grave": grave}).first() is not None


def _grave(target: Target, message_id: str) -> str:
    """A key in the table of delivery ids that no platform's own id can be."""
    place = f"{target.workspace}\0{target.channel}\0{message_id}"
    return f"gone/{hashlib.sha256(place.encode()).hexdigest()}"


def forget_deliveries(connection: Connection, before: datetime, most: int) -> int:
    """Delete at most so many delivery ids that no platform will send again; how many."""
    old = select(delivery.c.platform, delivery.c.delivery_id).where(delivery.c.received_at < before).limit(most)
    key = tuple_(delivery.c.platform, delivery.c.delivery_id)
    return connection.execute(delivery.delete().where(key.in_(old))).rowcount


_FIND = select(*_STORED).where(
    message.c.platform == bindparam("on"),
    message.c.workspace == bindparam("of"),
    message.c.channel == bindparam("in"),
    message.c.message_id == bindparam("called"),
)


def find(connection: Connection, target: Target, message_id: str) -> Stored | None:
    """The message with the platform's id, if we have it."""
    values = {"on": target.platform, "of": target.workspace, "in": target.channel, "called": message_id}
    row = connection.execute(_FIND, values).first()
    if row is None:
        return None
    return Stored(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6])


def insert(
    connection: Connection,
    incoming: Incoming,
    conversation_id: int,
    generation: int,
    now: datetime,
    *,
    addressed: bool,
) -> int | None:
    """Store a message; its row id, or None when it is there already."""
    row = _row(incoming, conversation_id, generation, now) | {
        "role": "user",
        "addressed": addressed,
    }
    row_id: int | None = insert_ignore(connection, message, row)
    return row_id


def insert_answer(
    connection: Connection,
    conversation_id: int,
    generation: int,
    turn_id: int,
    target: Target,
    text: str,
    now: datetime,
) -> None:
    """Store an answer of ours beside the messages of people; once per turn."""
    answer = Incoming(target, f"turn/{turn_id}", Author("assistant"), storable(text), now)
    row = _row(answer, conversation_id, generation, now) | {"role": "assistant", "turn_id": turn_id, "addressed": False}
    insert_ignore(connection, message, row)


def _row(incoming: Incoming, conversation_id: int, generation: int, now: datetime) -> dict[str, Any]:
    """What a question and an answer have in common."""
    target = incoming.target
    return {
        "conversation_id": conversation_id,
        "generation": generation,
        "platform": target.platform,
        "workspace": target.workspace,
        "channel": target.channel,
        "message_id": incoming.message_id,
        "author_id": incoming.author.id,
        "author_name": incoming.author.name,
        "author_kind": incoming.author.kind,
        "author_team": incoming.author.team,
        "text": incoming.text,
        "attachments": [asdict(a) for a in incoming.attachments],
        "sent_at": incoming.sent_at,
        "received_at": now,
    }


_ASSIGN = update(message).where(message.c.id == bindparam("row_id")).values(turn_id=bindparam("to"), addressed=True)


def assign(connection: Connection, row_id: int, turn_id: int) -> None:
    """Say which turn answers this message."""
    connection.execute(_ASSIGN, {"row_id": row_id, "to": turn_id})


def revise(connection: Connection, row_id: int, text: str) -> None:
    """Replace the text; the revision says that it is not the one that was first sent."""
    connection.execute(update(message).where(message.c.id == row_id).values(text=text, revision=message.c.revision + 1))


def attach(connection: Connection, row_id: int, attachments: Sequence[Attachment]) -> None:
    """Note the files of a message that became known without them."""
    files = [asdict(a) for a in attachments]
    connection.execute(update(message).where(message.c.id == row_id).values(attachments=files))


def author_of(connection: Connection, turn_id: int) -> Author | None:
    """Who wrote the first message that a turn answers, also when it was erased since: by their id alone."""
    statement = (
        select(message.c.author_id, message.c.author_name, message.c.author_kind, message.c.author_team)
        .where(message.c.turn_id == turn_id, message.c.role == "user")
        .order_by(message.c.sent_at, message.c.id)
        .limit(1)
    )
    row = connection.execute(statement).first()
    return None if row is None else Author(*row)


def erase(connection: Connection, row_id: int, now: datetime) -> None:
    """Empty the message; its ids stay as a tombstone, so that a redelivery can't bring it back. Its files go, too."""
    named = files.of_messages(connection, message.c.id == row_id)
    connection.execute(
        update(message)
        .where(message.c.id == row_id)
        .values(text="", attachments=[], author_name="", erased_at=now, revision=message.c.revision + 1)
    )
    files.forget_unnamed(connection, named)


class Written(NamedTuple):
    """A message that somebody wrote."""

    turn_id: int | None
    id: int
    text: str
    revision: int
    sent_at: datetime
    message_id: str
    author: Author
    attachments: tuple[Attachment, ...]


_WRITTEN = (
    message.c.turn_id,
    message.c.id,
    message.c.text,
    message.c.revision,
    message.c.sent_at,
    message.c.message_id,
    message.c.author_id,
    message.c.author_name,
    message.c.author_kind,
    message.c.author_team,
    message.c.attachments,
)


def _written(row: Row[*tuple[Any, ...]]) -> Written:
    attached = tuple(map(files.reference, row[10]))
    return Written(row[0], row[1], row[2], row[3], row[4], row[5], Author(row[6], row[7], row[8], row[9]), attached)


_OF_TURNS = (
    select(*_WRITTEN)
    .where(
        message.c.turn_id.in_(bindparam("turn_ids", expanding=True)),
        message.c.role == "user",
        message.c.erased_at.is_(None),
    )
    .order_by(message.c.sent_at, message.c.id)
)


def of_turns(connection: Connection, turn_ids: Sequence[int]) -> list[Written]:
    """People's messages that these turns answer, in platform order."""
    if not turn_ids:
        return []
    return [_written(row) for row in connection.execute(_OF_TURNS, {"turn_ids": list(turn_ids)})]


def of_turn(connection: Connection, turn_id: int) -> list[int]:
    """Row ids of the messages, not erased, that this turn answers."""
    return [one.id for one in of_turns(connection, [turn_id])]


_OVERHEARD = (
    select(*_WRITTEN)
    .where(
        OVERHEARD,
        message.c.conversation_id == bindparam("conversation"),
        message.c.generation == bindparam("of_generation"),
        message.c.sent_at <= bindparam("until"),
        message.c.erased_at.is_(None),
    )
    .order_by(message.c.sent_at.desc(), message.c.id.desc())
    .limit(bindparam("most"))
)


def overheard(
    connection: Connection, conversation_id: int, generation: int, until: datetime, most: int
) -> list[Written]:
    """The last messages that were not for the agent, oldest first."""
    values = {"conversation": conversation_id, "of_generation": generation, "until": until, "most": most}
    return [_written(row) for row in connection.execute(_OVERHEARD, values)][::-1]


def by_ids(connection: Connection, row_ids: Sequence[int]) -> list[Written]:
    """These messages, in platform order; those that were erased are left out."""
    if not row_ids:
        return []
    statement = (
        select(*_WRITTEN)
        .where(message.c.id.in_(row_ids), message.c.erased_at.is_(None))
        .order_by(message.c.sent_at, message.c.id)
    )
    return [_written(row) for row in connection.execute(statement)]


def others_spoke(connection: Connection, conversation_id: int, author_id: str) -> bool:
    """Whether a person other than this one has ever written in a conversation; erased messages count."""
    statement = select(message.c.id).where(
        message.c.conversation_id == conversation_id,
        message.c.role == "user",
        message.c.author_kind != "bot",
        message.c.author_id != author_id,
    )
    return connection.execute(statement.limit(1)).first() is not None


def bot_turns(connection: Connection, conversation_id: int) -> int:
    """Messages of other bots that got a turn since a person last wrote in a conversation."""
    here = (message.c.conversation_id == conversation_id, message.c.role == "user")
    last = select(func.coalesce(func.max(message.c.id), 0)).where(*here, message.c.author_kind != "bot")
    statement = (
        select(func.count())
        .select_from(message)
        .where(*here, message.c.author_kind == "bot", message.c.addressed, message.c.id > last.scalar_subquery())
    )
    return connection.execute(statement).scalar_one()


def count(connection: Connection) -> int:
    """How many messages are stored."""
    return connection.execute(select(func.count()).select_from(message)).scalar_one()

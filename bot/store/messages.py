"""Messages: storing them once, revising and erasing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, tuple_, update

from bot.messages import Author, Incoming, Target
from bot.store.dialect import insert_ignore, storable
from bot.store.tables import delivery, message


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


def forget_deliveries(connection: Connection, before: datetime, most: int) -> int:
    """Delete at most so many delivery ids that no platform will send again; how many."""
    old = select(delivery.c.platform, delivery.c.delivery_id).where(delivery.c.received_at < before).limit(most)
    key = tuple_(delivery.c.platform, delivery.c.delivery_id)
    return connection.execute(delivery.delete().where(key.in_(old))).rowcount


def find(connection: Connection, target: Target, message_id: str) -> Stored | None:
    """The message with the platform's id, if we have it."""
    row = connection.execute(
        select(*_STORED).where(
            message.c.platform == target.platform,
            message.c.workspace == target.workspace,
            message.c.channel == target.channel,
            message.c.message_id == message_id,
        )
    ).first()
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
    erased: bool = False,
) -> int | None:
    """Store a message; its row id, or None when it is there already."""
    row = _row(incoming, conversation_id, generation, now) | {
        "role": "user",
        "addressed": incoming.addressed,
        "erased_at": now if erased else None,
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


def erase(connection: Connection, row_id: int, now: datetime) -> None:
    """Empty the message; its ids stay as a tombstone, so that a redelivery can't bring it back."""
    connection.execute(
        update(message)
        .where(message.c.id == row_id)
        .values(text="", attachments=[], author_name="", erased_at=now, revision=message.c.revision + 1)
    )


_OF_TURNS = (
    select(message.c.turn_id, message.c.id, message.c.text, message.c.revision, message.c.sent_at)
    .where(
        message.c.turn_id.in_(bindparam("turn_ids", expanding=True)),
        message.c.role == "user",
        message.c.erased_at.is_(None),
    )
    .order_by(message.c.sent_at, message.c.id)
)


def of_turns(connection: Connection, turn_ids: Sequence[int]) -> list[tuple[int, int, str, int, datetime]]:
    """People's messages that these turns answer, in platform order: (turn, row id, text, revision, sent at)."""
    if not turn_ids:
        return []
    rows = connection.execute(_OF_TURNS, {"turn_ids": list(turn_ids)})
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def of_turn(connection: Connection, turn_id: int) -> list[int]:
    """Row ids of the messages, not erased, that this turn answers."""
    return [row_id for _, row_id, _, _, _ in of_turns(connection, [turn_id])]


def count(connection: Connection) -> int:
    """How many messages are stored."""
    return connection.execute(select(func.count()).select_from(message)).scalar_one()

"""Parts: the ledger of what was posted. `docs/state.md` says when each row is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from bot.messages import Part
from bot.store.dialect import upsert
from bot.store.tables import draft, part


def of_turn(connection: Connection, turn_id: int) -> list[Part]:
    """The parts that exist or may exist, by position."""
    rows = connection.execute(
        select(part.c.position, part.c.external_id, part.c.intended_at)
        .where(part.c.turn_id == turn_id, part.c.state != "removed")
        .order_by(part.c.position)
    )
    return [Part(row[0], row[1], row[2]) for row in rows]


def intend(
    connection: Connection, turn_id: int, conversation_id: int, position: int, epoch: int, now: datetime
) -> None:
    """Note that a message is about to be created at this position. The caller holds the fence."""
    upsert(
        connection,
        part,
        ["turn_id", "position"],
        {
            "turn_id": turn_id,
            "conversation_id": conversation_id,
            "position": position,
            "state": "intended",
            "external_id": None,
            "epoch": epoch,
            "intended_at": now,
            "posted_at": None,
        },
    )


def posted(connection: Connection, turn_id: int, position: int, external_id: str, now: datetime) -> bool:
    """Note the id of the message that was created or adopted. The caller holds the fence."""
    statement = (
        update(part)
        .where(part.c.turn_id == turn_id, part.c.position == position, part.c.state == "intended")
        .values(state="posted", external_id=external_id, posted_at=now)
    )
    return connection.execute(statement).rowcount == 1


def removed(connection: Connection, turn_id: int, position: int) -> None:
    """Note that the message is gone. The caller holds the fence."""
    connection.execute(
        update(part).where(part.c.turn_id == turn_id, part.c.position == position).values(state="removed")
    )


def give_up(connection: Connection, turn_id: int) -> bool:
    """Close the open part of a turn that is over; whether there was one, so that its message may still turn up."""
    statement = update(part).where(part.c.turn_id == turn_id, part.c.state == "intended").values(state="removed")
    return connection.execute(statement).rowcount > 0


def known(connection: Connection, conversation_id: int, external_ids: Sequence[str]) -> set[str]:
    """Which of these messages are in a ledger of this conversation."""
    if not external_ids:
        return set()
    rows = connection.execute(
        select(part.c.external_id).where(
            part.c.conversation_id == conversation_id,
            part.c.external_id.in_(external_ids),
            part.c.state == "posted",
        )
    )
    return set(rows.scalars())


def save_draft(
    connection: Connection, turn_id: int, conversation_id: int, version: int, body: object, now: datetime
) -> None:
    """Replace the turn's draft. The caller holds the fence."""
    upsert(
        connection,
        draft,
        ["turn_id"],
        {
            "turn_id": turn_id,
            "conversation_id": conversation_id,
            "version": version,
            "body": body,
            "updated_at": now,
        },
    )

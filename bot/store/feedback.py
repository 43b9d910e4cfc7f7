"""Ratings of answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from bot.store.dialect import upsert
from bot.store.tables import feedback, turn


def rate(connection: Connection, turn_id: int, author_id: str, value: int, now: datetime) -> bool:
    """Store one person's rating of a turn, replacing an earlier one; 0 removes it. False if there is no such turn."""
    if connection.execute(select(turn.c.id).where(turn.c.id == turn_id)).first() is None:
        return False
    if value == 0:
        connection.execute(feedback.delete().where(feedback.c.turn_id == turn_id, feedback.c.author_id == author_id))
        return True
    values = {"turn_id": turn_id, "author_id": author_id, "value": 1 if value > 0 else -1, "created_at": now}
    upsert(connection, feedback, ["turn_id", "author_id"], values)
    return True

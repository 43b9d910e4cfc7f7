"""Ratings of answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from bot.store.dialect import upsert
from bot.store.tables import feedback, turn


def rate(
    connection: Connection, turn_id: int, author_id: str, value: int | None, now: datetime, *, rating: int | None = None
) -> bool:
    """Store one person's rating of a turn, with what wrote the answer. False if there is no such turn.

    `value`: 1 up, -1 down, 0 takes everything back; None leaves it as it is. `rating`: from 1 to 5; None likewise.
    """
    wrote = connection.execute(select(turn.c.answer_meta).where(turn.c.id == turn_id)).first()
    if wrote is None:
        return False
    mine = (feedback.c.turn_id == turn_id, feedback.c.author_id == author_id)
    if value == 0:
        connection.execute(feedback.delete().where(*mine))
        return True
    before = connection.execute(select(feedback.c.value, feedback.c.rating).where(*mine)).first()
    meta = wrote[0] or {}
    values = {
        "turn_id": turn_id,
        "author_id": author_id,
        "value": (before[0] if before else 0) if value is None else 1 if value > 0 else -1,
        "rating": (before[1] if before else None) if rating is None else min(5, max(1, rating)),
        "style": meta.get("style"),
        "model": meta.get("model"),
        "created_at": now,
    }
    upsert(connection, feedback, ["turn_id", "author_id"], values)
    return True

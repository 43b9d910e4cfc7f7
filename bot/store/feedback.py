"""Ratings of answers in chats."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, or_, select

from bot.store.dialect import upsert
from bot.store.erasure import ERASED
from bot.store.tables import conversation, feedback, message, turn


class Given(NamedTuple):
    """One person's rating of one answer, and what wrote it."""

    style: str
    model: str
    #: 1 thumb up, -1 thumb down, 0 neither.
    value: int
    #: From 1 to 5 where somebody gave one.
    rating: int | None
    conversation_id: int


class Disliked(NamedTuple):
    """An answer that somebody gave a thumbs-down."""

    turn_id: int
    question: str
    answer: str
    style: str
    model: str
    asked_at: datetime


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


def given(connection: Connection) -> list[Given]:
    """All ratings, the oldest first."""
    f = feedback.c
    rows = select(f.style, f.model, f.value, f.rating, turn.c.conversation_id).join(turn, turn.c.id == f.turn_id)
    return [
        Given(style or "", model or "", value, rating, place)
        for style, model, value, rating, place in connection.execute(rows.order_by(f.id))
    ]


def disliked(connection: Connection, most: int, own: Collection[str], turn_id: int | None = None) -> list[Disliked]:
    """The newest answers with a thumbs-down, or one of them, but for those of direct conversations.

    `own`: platforms whose direct conversations are those of whoever runs the server.
    """
    down = select(feedback.c.turn_id).where(feedback.c.value < 0)
    rows = (
        select(turn.c.id, turn.c.answer, turn.c.answer_meta, turn.c.sent_at)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(
            turn.c.id.in_(down),
            turn.c.state == "answered",
            turn.c.answer.is_not(None),
            or_(~conversation.c.direct, conversation.c.platform.in_(own)),
        )
        .order_by(turn.c.id.desc())
        .limit(most)
    )
    found = connection.execute(rows if turn_id is None else rows.where(turn.c.id == turn_id)).all()
    asked = _questions(connection, message.c.turn_id.in_([row.id for row in found]))
    return [
        Disliked(row.id, asked[row.id], row.answer, meta.get("style") or "", meta.get("model") or "", row.sent_at)
        for row in found
        for meta in [row.answer_meta or {}]
        if asked.get(row.id)
    ]


def erased(connection: Connection, turn_ids: Iterable[int]) -> set[int]:
    """Those of these turns of which any words were deleted, or that are not there."""
    wanted = set(turn_ids)
    emptied = select(message.c.turn_id).where(message.c.turn_id.in_(wanted), message.c.erased_at.is_not(None))
    kept = select(turn.c.id).where(
        turn.c.id.in_(wanted), or_(turn.c.reason.is_(None), turn.c.reason != ERASED), turn.c.id.not_in(emptied)
    )
    return wanted - set(connection.execute(kept).scalars())


def _questions(connection: Connection, which: ColumnElement[bool]) -> dict[int, str]:
    """What people said to these turns."""
    m = message.c
    said = select(m.turn_id, m.text).where(which, m.role == "user", m.erased_at.is_(None)).order_by(m.id)
    found: dict[int, str] = {}
    for turn_id, text in connection.execute(said):
        found[turn_id] = "\n\n".join(filter(None, [found.get(turn_id, ""), text.strip()]))
    return found

"""Finding conversations by what was written in them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, tuple_

from bot.store.dialect import storable
from bot.store.tables import LIVE_TURN, conversation, message, turn

#: Words of a query that count; each is one more condition on every message.
MAX_WORDS = 8
#: Characters of a text that are shown around what was found.
_BEFORE, _AFTER = 40, 120
_ESCAPE = "\\"
#: Turns that nothing is shown of: what is found in them can't be opened.
_HIDDEN = ("withdrawn", "superseded")


class Found(NamedTuple):
    """A conversation in which something was found."""

    id: int
    key: str
    title: str
    last_message_at: datetime
    #: Whether a turn of it has no outcome yet.
    live: bool
    #: The newest message or answer that has all words, cut to what is around the first of them; "" where only the title
    #: has them.
    snippet: str
    #: The turn that the snippet is from.
    turn_id: int | None


def words_of(query: str) -> list[str]:
    """What is looked for: all of these, in one message or in the title. Chinese has no spaces and is one word."""
    return list(dict.fromkeys(storable(query).split()))[:MAX_WORDS]


def search(
    connection: Connection, platform: str, query: str, limit: int, before: tuple[datetime, int] | None = None
) -> list[Found]:
    """A platform's conversations that have all the query's words, in any case (of Latin letters), the newest first,
    from `before` (last message's time, id) on. Reads every message of the platform: made for people's own histories.
    """
    words = words_of(query)
    if not words:
        return []
    in_message = exists().where(message.c.conversation_id == conversation.c.id, *_readable(words))
    statement = (
        select(
            conversation.c.id,
            conversation.c.key,
            conversation.c.title,
            conversation.c.last_message_at,
            exists().where(turn.c.conversation_id == conversation.c.id, LIVE_TURN).label("live"),
        )
        .where(
            conversation.c.platform == platform,
            conversation.c.erased_at.is_(None),
            or_(_has_all(conversation.c.title, words), in_message),
        )
        .order_by(conversation.c.last_message_at.desc(), conversation.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(tuple_(conversation.c.last_message_at, conversation.c.id) < tuple_(*before))
    rows = connection.execute(statement).all()
    places = _places(connection, [row.id for row in rows], words)
    found = []
    for row in rows:
        snippet, turn_id = places.get(row.id, ("", None))
        found.append(Found(row.id, row.key, row.title, row.last_message_at, row.live, snippet, turn_id))
    return found


def _places(connection: Connection, ids: list[int], words: list[str]) -> dict[int, tuple[str, int | None]]:
    """(snippet, turn) of the newest message with all words, by conversation."""
    newest = (
        select(func.max(message.c.id))
        .where(message.c.conversation_id.in_(ids), *_readable(words))
        .group_by(message.c.conversation_id)
    )
    rows = connection.execute(
        select(message.c.conversation_id, message.c.text, message.c.turn_id).where(message.c.id.in_(newest))
    )
    return {row.conversation_id: (cut(row.text, words), row.turn_id) for row in rows}


def _readable(words: list[str]) -> tuple[ColumnElement[bool], ...]:
    hidden = exists().where(turn.c.id == message.c.turn_id, turn.c.state.in_(_HIDDEN))
    return message.c.erased_at.is_(None), _has_all(message.c.text, words), ~hidden


def _has_all(column: ColumnElement[Any], words: list[str]) -> ColumnElement[bool]:
    return and_(*(column.ilike(f"%{_literal(word)}%", escape=_ESCAPE) for word in words))


def _literal(word: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", word)


def cut(text: str, words: list[str]) -> str:
    """What is around the first word that occurs, on one line."""
    plain = " ".join(text.split())
    folded = plain.lower()
    places = [at for word in words if (at := folded.find(word.lower())) >= 0]
    at = min(places, default=0)
    start = max(0, at - _BEFORE)
    # Not in the middle of a Latin word, where one begins shortly after.
    if start:
        gap = plain.find(" ", start, at)
        start = start if gap < 0 else gap + 1
    end = at + _AFTER
    return ("…" if start else "") + plain[start:end].rstrip() + ("…" if end < len(plain) else "")

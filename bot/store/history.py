"""What a conversation remembers: its earlier turns, as the next one is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from bot.store.tables import turn

#: How many earlier turns of the conversation are offered to the agent; it fits them to the model's window.
HISTORY_TURNS = 20
#: Numbers of turns that leave a full history together.
_HISTORY_BLOCK = 5


class Past(NamedTuple):
    """An earlier turn of the conversation."""

    id: int
    answer: str
    #: When it was started, which is what its prompt called now.
    started_at: datetime | None = None


_HISTORY = (
    select(turn.c.id, turn.c.answer, turn.c.started_at, turn.c.seq)
    .where(
        turn.c.conversation_id == bindparam("conversation"),
        turn.c.generation == bindparam("of_generation"),
        turn.c.finished_at <= bindparam("before"),
        turn.c.state.in_(("answered", "stopped")),
        turn.c.command.is_(None),
        # An answer that was deleted with its question.
        turn.c.reason.is_(None),
    )
    .order_by(turn.c.finished_at.desc(), turn.c.id.desc())
    .limit(HISTORY_TURNS)
)


def last_turns(connection: Connection, conversation_id: int, generation: int, before: datetime) -> list[Past]:
    """The last turns that ended with something to remember, oldest first; at most `HISTORY_TURNS`.

    Once there are so many, the oldest go in blocks: prompts then begin alike for several turns, and what a model's
    server keeps of them is of use.
    """
    values = {"conversation": conversation_id, "of_generation": generation, "before": before}
    rows = connection.execute(_HISTORY, values).all()[::-1]
    if len(rows) == HISTORY_TURNS:
        first = -(-rows[0].seq // _HISTORY_BLOCK) * _HISTORY_BLOCK
        rows = [row for row in rows if row.seq >= first]
    return [Past(row.id, row.answer or "", row.started_at) for row in rows]


def these_turns(connection: Connection, turn_ids: Sequence[int]) -> list[Past]:
    """These turns, in this order; those that are gone have no answer."""
    rows = connection.execute(select(turn.c.id, turn.c.answer, turn.c.started_at).where(turn.c.id.in_(turn_ids)))
    found = {row[0]: Past(row[0], row[1] or "", row[2]) for row in rows}
    return [found.get(id_, Past(id_, "")) for id_ in turn_ids]


def answers(connection: Connection, turn_ids: Sequence[int]) -> dict[int, str]:
    """The answers of these turns."""
    rows = connection.execute(select(turn.c.id, turn.c.answer).where(turn.c.id.in_(turn_ids)))
    return {row[0]: row[1] or "" for row in rows}

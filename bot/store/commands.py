"""What commands ask about turns."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from bot.messages import Target
from bot.store.tables import LIVE_TURN, message, turn


def live_by(connection: Connection, target: Target, author_id: str) -> list[tuple[int, int]]:
    """What has no outcome yet and answers this person in this channel: (turn, conversation)."""
    mine = select(message.c.turn_id).where(
        message.c.platform == target.platform,
        message.c.workspace == target.workspace,
        message.c.channel == target.channel,
        message.c.author_id == author_id,
        message.c.turn_id.is_not(None),
    )
    statement = select(turn.c.id, turn.c.conversation_id).where(LIVE_TURN, turn.c.id.in_(mine)).order_by(turn.c.id)
    return [(row[0], row[1]) for row in connection.execute(statement)]


def stopped_by(connection: Connection, turn_id: int) -> int:
    """How many turns the command in this turn has stopped when it was accepted: they share the moment."""
    command = select(turn.c.conversation_id, turn.c.created_at).where(turn.c.id == turn_id).subquery()
    statement = select(func.count()).where(
        turn.c.conversation_id == command.c.conversation_id,
        turn.c.end_asked_at == command.c.created_at,
        turn.c.end_as == "stopped",
        turn.c.id != turn_id,
    )
    return connection.execute(statement.select_from(turn, command)).scalar_one()


def among(connection: Connection, turn_ids: Sequence[int]) -> set[int]:
    """Which of these turns are commands."""
    statement = select(turn.c.id).where(turn.c.id.in_(turn_ids), turn.c.command.is_not(None))
    return set(connection.execute(statement).scalars())

"""Deleting what was said in a conversation for good. Ids stay, so that nothing of it is taken as new."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from bot.messages import LIVE_STATES, Target
from bot.store import conversations, files
from bot.store.tables import LIVE_TURN, conversation, draft, feedback, message, step, turn

#: The reason of a turn that was over when its conversation was deleted: nothing of it is shown any more.
ERASED = "erased"


class Found(NamedTuple):
    """A conversation that is held until the transaction ends."""

    id: int
    target: Target
    #: Turns without an outcome.
    live: tuple[int, ...]


def hold(connection: Connection, key: str) -> Found | None:
    """Lock the conversation with this key, so that no turn of it starts or ends meanwhile; None if there is none."""
    conversation_id = connection.execute(select(conversation.c.id).where(conversation.c.key == key)).scalar()
    if conversation_id is None:
        return None
    conversations.lock(connection, conversation_id)
    row = connection.execute(select(conversation).where(conversation.c.id == conversation_id)).one()
    live = connection.execute(
        select(turn.c.id).where(LIVE_TURN, turn.c.conversation_id == conversation_id).order_by(turn.c.seq)
    )
    target = Target(row.platform, row.workspace, row.channel, row.thread, row.key)
    return Found(conversation_id, target, tuple(live.scalars()))


def is_shared(connection: Connection, found: Found) -> bool:
    """Whether another conversation that isn't deleted has the same channel, such as a thread of it."""
    target = found.target
    others = select(conversation.c.id).where(
        conversation.c.platform == target.platform,
        conversation.c.workspace == target.workspace,
        conversation.c.channel == target.channel,
        conversation.c.id != found.id,
        conversation.c.erased_at.is_(None),
    )
    return connection.execute(others.limit(1)).first() is not None


def erase(connection: Connection, conversation_id: int, now: datetime) -> None:
    """Empty the conversation; the caller holds it and has asked its live turns to end.

    A running turn keeps its steps and its draft: its worker writes them, and deletes them when it ends as withdrawn.
    """
    named = files.of_messages(connection, message.c.conversation_id == conversation_id)
    connection.execute(
        update(message)
        .where(message.c.conversation_id == conversation_id, message.c.erased_at.is_(None))
        .values(
            text="",
            author_name="",
            attachments=[],
            erased_at=now,
            revision=message.c.revision + 1,
        )
    )
    files.forget_unnamed(connection, named)
    every = select(turn.c.id).where(turn.c.conversation_id == conversation_id)
    at_rest = every.where(turn.c.state != "running")
    connection.execute(delete(step).where(step.c.turn_id.in_(at_rest)))
    connection.execute(delete(draft).where(draft.c.turn_id.in_(at_rest)))
    connection.execute(delete(feedback).where(feedback.c.turn_id.in_(every)))
    connection.execute(
        update(turn)
        .where(turn.c.conversation_id == conversation_id, turn.c.state.not_in(LIVE_STATES))
        .values(answer=None, answer_meta=None, reason=ERASED)
    )
    connection.execute(
        update(conversation)
        .where(conversation.c.id == conversation_id)
        # What is said here later begins afresh.
        .values(
            title="",
            erased_at=func.coalesce(conversation.c.erased_at, now),
            generation=conversation.c.generation + 1,
        )
    )

"""From where a turn may be seen, and so be stopped, rated, looked into."""

from __future__ import annotations

from sqlalchemy import Connection, Select, or_, select

from bot.messages import Target
from bot.store.tables import conversation, message, turn


def is_of(connection: Connection, turn_id: int, place: Target) -> bool:
    """Whether a turn's conversation is in this channel, in whatever thread, and still exists."""
    return connection.execute(_of(turn_id, place)).first() is not None


def is_seen_from(connection: Connection, turn_id: int, place: Target) -> bool:
    """Whether whoever is in this place can see a turn's conversation, where a channel's threads may be private.

    It is the same thread, or the channel itself; or it is a thread that was opened from a message of the channel, which
    whoever is in the channel can see, too.
    """
    there = conversation.c.thread == place.thread
    if place.thread is None:
        opened = select(message.c.id).where(
            message.c.conversation_id == conversation.c.id, message.c.message_id == conversation.c.thread
        )
        there = or_(conversation.c.thread.is_(None), opened.exists())
    return connection.execute(_of(turn_id, place).where(there)).first() is not None


def _of(turn_id: int, place: Target) -> Select[tuple[int]]:
    return (
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(
            turn.c.id == turn_id,
            conversation.c.platform == place.platform,
            conversation.c.workspace == place.workspace,
            conversation.c.channel == place.channel,
            conversation.c.erased_at.is_(None),
        )
    )

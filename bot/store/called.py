"""What is stored of a channel or thread, for platforms that don't say it themselves."""

from __future__ import annotations

from sqlalchemy import Connection, select

from bot.messages import Target
from bot.store.tables import conversation, message


def was_called(connection: Connection, target: Target) -> bool:
    """Whether the agent was ever called in a thread; in a channel, also in a thread of it."""
    statement = select(conversation.c.id).where(
        conversation.c.platform == target.platform,
        conversation.c.workspace == target.workspace,
        conversation.c.channel == target.channel,
        conversation.c.erased_at.is_(None),
    )
    if target.thread is not None:
        statement = statement.where(conversation.c.key == target.conversation_key)
    return connection.execute(statement.limit(1)).first() is not None


def people_s(connection: Connection, key: str) -> list[str]:
    """The platform's ids of what people have said in a conversation, oldest first; not of what was erased."""
    rows = connection.execute(
        select(message.c.message_id)
        .join(conversation, conversation.c.id == message.c.conversation_id)
        .where(conversation.c.key == key, message.c.role == "user", message.c.erased_at.is_(None))
        .order_by(message.c.id)
    )
    return [row[0] for row in rows]

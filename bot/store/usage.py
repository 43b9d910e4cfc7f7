"""What people used: one row per turn that was let in, and the tokens that it took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, update

from bot.messages import Incoming
from bot.store.dialect import insert_ignore
from bot.store.tables import usage


def admitted(connection: Connection, incoming: Incoming, turn_id: int, now: datetime) -> None:
    """A turn was let in for this message."""
    target = incoming.target
    values: Mapping[str, Any] = {
        "turn_id": turn_id,
        "platform": target.platform,
        "workspace": target.workspace,
        "channel": target.channel,
        "author_id": incoming.author.id,
        "at": now,
    }
    insert_ignore(connection, usage, dict(values))


_MOVE = update(usage).where(usage.c.turn_id == bindparam("old")).values(turn_id=bindparam("new"))


def move(connection: Connection, old_turn_id: int, new_turn_id: int) -> None:
    """Another turn answers the message now: what it takes is counted there."""
    connection.execute(_MOVE, {"old": old_turn_id, "new": new_turn_id})


_SPENT = (
    update(usage)
    .where(usage.c.turn_id == bindparam("of_turn"))
    .values(prompt_tokens=bindparam("prompt"), completion_tokens=bindparam("completion"))
)


def spent(connection: Connection, turn_id: int, prompt_tokens: int, completion_tokens: int) -> None:
    """What the model calls of a turn took."""
    connection.execute(_SPENT, {"of_turn": turn_id, "prompt": prompt_tokens, "completion": completion_tokens})

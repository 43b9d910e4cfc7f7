"""What people used: one row per turn that was let in, and the tokens that it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from bot.messages import Author, Target
from bot.store.dialect import insert_ignore
from bot.store.tables import usage


class Whose(NamedTuple):
    """Whose usage is meant: one person's in a workspace, one channel's, or the whole workspace's."""

    platform: str
    workspace: str
    user_id: str | None = None
    channel: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The same as words."""
        return tuple(word or "" for word in self)

    def rows(self) -> Sequence[ColumnElement[bool]]:
        """The rows of the table that are meant."""
        found = [usage.c.platform == self.platform, usage.c.workspace == self.workspace]
        if self.user_id is not None:
            found.append(usage.c.author_id == self.user_id)
        if self.channel is not None:
            found.append(usage.c.channel == self.channel)
        return found


class Use(NamedTuple):
    """One turn."""

    at: datetime
    #: Of prompts and replies; 0 while it isn't known.
    tokens: int


class Total(NamedTuple):
    """Several turns together."""

    turns: int
    prompt_tokens: int
    completion_tokens: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


def admitted(connection: Connection, target: Target, author: Author, turn_id: int, now: datetime) -> None:
    """A turn was let in that somebody has asked for."""
    values: Mapping[str, Any] = {
        "turn_id": turn_id,
        "platform": target.platform,
        "workspace": target.workspace,
        "channel": target.channel,
        "author_id": author.id,
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


def since(connection: Connection, whose: Whose, moment: datetime) -> list[Use]:
    """Each turn after this moment, the newest first."""
    tokens = usage.c.prompt_tokens + usage.c.completion_tokens
    statement = (
        select(usage.c.at, tokens)
        .where(*whose.rows(), usage.c.at > moment)
        .order_by(usage.c.at.desc(), usage.c.turn_id.desc())
    )
    return [Use(*row) for row in connection.execute(statement)]


def total(connection: Connection, whose: Whose, moment: datetime) -> Total:
    """All turns from this moment on."""
    statement = select(
        func.count(),
        func.coalesce(func.sum(usage.c.prompt_tokens), 0),
        func.coalesce(func.sum(usage.c.completion_tokens), 0),
    ).where(*whose.rows(), usage.c.at >= moment)
    row = connection.execute(statement).one()
    return Total(int(row[0]), int(row[1]), int(row[2]))


def forget(connection: Connection, whose: Whose, before: datetime | None = None) -> None:
    """Delete what was used, or only what was before this moment."""
    older = [] if before is None else [usage.c.at < before]
    connection.execute(usage.delete().where(*whose.rows(), *older))

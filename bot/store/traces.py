"""How an answer came about: every step of a turn, as the journal has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from bot.store.tables import conversation, profile, step, turn

#: The step that freezes what the turn depends on; it says which profiles were used.
_CONTEXT = "context"


class StepTrace(NamedTuple):
    """One step: a plan, a run of a tool, a question for consent, the conclusion."""

    key: str
    #: `started` or `done`.
    state: str
    #: How often the turn had been begun when the step ran.
    attempt: int
    detail: Any
    result: Any
    started_at: datetime
    finished_at: datetime | None


class ProfileUsed(NamedTuple):
    """A version of a profile that a turn ran with."""

    scope: str
    version: int
    author_id: str
    author_name: str
    created_at: datetime


class Trace(NamedTuple):
    """A turn with all of its steps, in the order in which they began."""

    turn_id: int
    state: str
    lang: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reason: str | None
    meta: dict[str, Any]
    steps: tuple[StepTrace, ...]
    profiles: tuple[ProfileUsed, ...]


def trace(connection: Connection, platform: str, turn_id: int) -> Trace | None:
    """The turn's trace, if it belongs to this platform and its conversation still exists."""
    row = connection.execute(
        select(
            turn.c.id,
            turn.c.state,
            turn.c.lang,
            turn.c.attempts,
            turn.c.created_at,
            turn.c.started_at,
            turn.c.finished_at,
            turn.c.reason,
            turn.c.answer_meta,
            turn.c.profile_id,
        )
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(turn.c.id == turn_id, conversation.c.platform == platform, conversation.c.erased_at.is_(None))
    ).first()
    if row is None:
        return None
    steps = [StepTrace(*found) for found in connection.execute(_steps(turn_id))]
    context = next((one.result for one in steps if one.key == _CONTEXT), None)
    return Trace(
        *row[:8],
        row.answer_meta or {},
        tuple(one for one in steps if one.key != _CONTEXT),
        _profiles(connection, _profile_ids(context, row.profile_id)),
    )


def _steps(turn_id: int) -> Any:
    return (
        select(
            step.c.key,
            step.c.state,
            step.c.attempt,
            step.c.detail,
            step.c.result,
            step.c.started_at,
            step.c.finished_at,
        )
        .where(step.c.turn_id == turn_id)
        .order_by(step.c.id)
    )


def _profile_ids(context: Any, profile_id: int | None) -> list[int]:
    """The rows that were merged; turns of earlier releases name one."""
    several = context.get("profiles") if isinstance(context, dict) else None
    if isinstance(several, list):
        return [one for one in several if isinstance(one, int)]
    return [] if profile_id is None else [profile_id]


def _profiles(connection: Connection, ids: Sequence[int]) -> tuple[ProfileUsed, ...]:
    """In the order of `ids`: from the most general one to the most specific one."""
    if not ids:
        return ()
    rows = connection.execute(
        select(
            profile.c.id,
            profile.c.scope,
            profile.c.version,
            profile.c.author_id,
            profile.c.author_name,
            profile.c.created_at,
        ).where(profile.c.id.in_(ids))
    )
    found = {row[0]: ProfileUsed(*row[1:]) for row in rows}
    return tuple(found[one] for one in ids if one in found)

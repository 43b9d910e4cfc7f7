"""The invariants of `docs/state.md` as queries. Each finding is one sentence for an operator."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from bot.store.tables import conversation, message, part, turn

#: A lease that ended less than this ago may just be waiting for the sweep.
_SWEEP_SLACK = timedelta(seconds=10)
#: Time that work may lie unclaimed, or an intent open, before something is wrong.
_STALE = timedelta(minutes=1)


def findings(connection: Connection, now: datetime) -> list[str]:
    """What is wrong with the stored state; empty when all invariants hold."""
    found: list[str] = []

    without_lease = or_(conversation.c.owner.is_(None), conversation.c.lease_until < now - _SWEEP_SLACK)
    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(turn.c.state == "running", without_lease, turn.c.touched_at < now - _SWEEP_SLACK)
    )
    found += [f"turn {id_} is running, but nobody holds its conversation's lease" for id_ in rows.scalars()]

    rows = connection.execute(
        select(part.c.turn_id, part.c.position)
        .join(turn, turn.c.id == part.c.turn_id)
        .where(
            part.c.state == "intended",
            or_(part.c.intended_at < now - _STALE, turn.c.state.not_in(("queued", "running", "waiting"))),
        )
    )
    found += [f"part {position} of turn {id_} was intended, but has no message id" for id_, position in rows]

    rows = connection.execute(
        select(message.c.id)
        .outerjoin(turn, turn.c.id == message.c.turn_id)
        .where(message.c.role == "user", message.c.turn_id.is_not(None), turn.c.id.is_(None))
    )
    found += [f"message {id_} belongs to a turn that does not exist" for id_ in rows.scalars()]

    unanswered = select(message.c.id).where(message.c.addressed, message.c.turn_id.is_(None))
    found += [f"message {id_} was accepted, but has no turn" for id_ in connection.execute(unanswered).scalars()]

    rows = connection.execute(
        select(turn.c.id).where(
            turn.c.state.in_(("answered", "stopped", "refused", "failed", "superseded", "withdrawn", "merged")),
            turn.c.finished_at.is_(None),
        )
    )
    found += [f"turn {id_} is over, but has no time of ending" for id_ in rows.scalars()]

    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(turn.c.state == "queued", turn.c.created_at < now - _STALE, conversation.c.owner.is_(None))
    )
    found += [f"turn {id_} waits, and nobody works on its conversation" for id_ in rows.scalars()]

    rows = connection.execute(
        select(turn.c.conversation_id)
        .where(turn.c.state == "running")
        .group_by(turn.c.conversation_id)
        .having(func.count() > 1)
    )
    found += [f"conversation {id_} has more than one running turn" for id_ in rows.scalars()]

    other = turn.alias("other")
    rows = connection.execute(
        select(turn.c.id)
        .outerjoin(other, other.c.id == turn.c.merged_into)
        .where(turn.c.state == "merged", or_(other.c.id.is_(None), other.c.state == "merged"))
    )
    found += [f"turn {id_} was merged into a turn that has no outcome of its own" for id_ in rows.scalars()]

    answer = select(func.count()).where(message.c.turn_id == turn.c.id, message.c.role == "assistant").scalar_subquery()
    rows = connection.execute(select(turn.c.id).where(turn.c.state == "answered", turn.c.answer != "", answer != 1))
    found += [f"turn {id_} was answered, but its answer is not among the messages once" for id_ in rows.scalars()]

    return found

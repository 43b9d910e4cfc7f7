"""The invariants of `docs/state.md` as queries. Each finding is one sentence for an operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from bot.messages import LIVE_STATES
from bot.store.tables import LIVE_TURN, conversation, message, part, turn

#: A lease that ended less than this ago may just be waiting for the sweep.
_SWEEP_MARGIN = timedelta(seconds=10)
#: Time that work may lie unclaimed, or an intent open, before something is wrong.
_STALE = timedelta(minutes=1)
#: States in which a turn answers nobody: its messages must have gone to another turn, or be erased.
_EMPTY_HANDED = ("merged", "superseded", "withdrawn")


def findings(connection: Connection, now: datetime) -> list[str]:
    """What is wrong with the stored state; empty when all invariants hold."""
    return [sentence for check in _CHECKS for sentence in check(connection, now)]


def _running_without_lease(connection: Connection, now: datetime) -> Iterator[str]:
    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(LIVE_TURN, turn.c.state == "running", _unleased(now), turn.c.touched_at < now - _SWEEP_MARGIN)
    )
    return (f"turn {id_} is running, but nobody holds its conversation's lease" for id_ in rows.scalars())


def _queued_for_long(connection: Connection, now: datetime) -> Iterator[str]:
    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(
            LIVE_TURN,
            turn.c.state == "queued",
            # A turn that was parked waits since then.
            func.coalesce(turn.c.touched_at, turn.c.created_at) < now - _STALE,
            _unleased(now),
        )
    )
    return (f"turn {id_} waits, and nobody works on its conversation" for id_ in rows.scalars())


def _parked_for_long(connection: Connection, now: datetime) -> Iterator[str]:
    rows = connection.execute(
        select(turn.c.id)
        .join(conversation, conversation.c.id == turn.c.conversation_id)
        .where(
            LIVE_TURN,
            turn.c.state == "waiting",
            or_(turn.c.waiting_until < now - _STALE, turn.c.end_asked_at < now - _STALE),
            _unleased(now),
        )
    )
    return (f"turn {id_} waits for consent beyond its time or its end" for id_ in rows.scalars())


def _many_running(connection: Connection, now: datetime) -> Iterator[str]:
    rows = connection.execute(
        select(turn.c.conversation_id)
        .where(LIVE_TURN, turn.c.state == "running")
        .group_by(turn.c.conversation_id)
        .having(func.count() > 1)
    )
    return (f"conversation {id_} has more than one running turn" for id_ in rows.scalars())


def _open_intents(connection: Connection, now: datetime) -> Iterator[str]:
    over = turn.c.state.not_in(LIVE_STATES)
    rows = connection.execute(
        select(part.c.turn_id, part.c.position)
        .join(turn, turn.c.id == part.c.turn_id)
        .where(part.c.state == "intended", or_(part.c.intended_at < now - _STALE, over))
    )
    return (f"part {position} of turn {id_} was intended, but has no message id" for id_, position in rows)


def _messages_without_turn(connection: Connection, now: datetime) -> Iterator[str]:
    unanswered = select(message.c.id).where(message.c.addressed, message.c.turn_id.is_(None))
    for id_ in connection.execute(unanswered).scalars():
        yield f"message {id_} was accepted, but has no turn"
    rows = connection.execute(
        select(message.c.id, turn.c.id, turn.c.state)
        .outerjoin(turn, turn.c.id == message.c.turn_id)
        .where(
            message.c.role == "user",
            message.c.turn_id.is_not(None),
            or_(turn.c.id.is_(None), and_(turn.c.state.in_(_EMPTY_HANDED), message.c.erased_at.is_(None))),
        )
    )
    for id_, turn_id, state in rows:
        if turn_id is None:
            yield f"message {id_} belongs to a turn that does not exist"
        else:
            yield f"message {id_} belongs to turn {turn_id}, which was {state}: nobody answers it"


def _turns_without_message(connection: Connection, now: datetime) -> Iterator[str]:
    asked = exists().where(message.c.turn_id == turn.c.id, message.c.role == "user")
    # A turn that handed its messages on points to the one that has them.
    rows = connection.execute(select(turn.c.id).where(turn.c.merged_into.is_(None), ~asked))
    return (f"turn {id_} answers no message" for id_ in rows.scalars())


def _ended_without_time(connection: Connection, now: datetime) -> Iterator[str]:
    rows = connection.execute(select(turn.c.id).where(turn.c.state.not_in(LIVE_STATES), turn.c.finished_at.is_(None)))
    return (f"turn {id_} is over, but has no time of ending" for id_ in rows.scalars())


def _live_with_outcome(connection: Connection, now: datetime) -> Iterator[str]:
    rows = connection.execute(select(turn.c.id).where(LIVE_TURN, turn.c.finished_at.is_not(None)))
    return (f"turn {id_} has an outcome, but is still live" for id_ in rows.scalars())


def _merged_into_nothing(connection: Connection, now: datetime) -> Iterator[str]:
    other = turn.alias("other")
    rows = connection.execute(
        select(turn.c.id)
        .outerjoin(other, other.c.id == turn.c.merged_into)
        .where(turn.c.state == "merged", or_(other.c.id.is_(None), other.c.state == "merged"))
    )
    return (f"turn {id_} was merged into a turn that has no outcome of its own" for id_ in rows.scalars())


def _answers_not_kept(connection: Connection, now: datetime) -> Iterator[str]:
    answers = (
        select(func.count()).where(message.c.turn_id == turn.c.id, message.c.role == "assistant").scalar_subquery()
    )
    rows = connection.execute(select(turn.c.id).where(turn.c.state == "answered", turn.c.answer != "", answers != 1))
    return (f"turn {id_} was answered, but its answer is not among the messages once" for id_ in rows.scalars())


def _unleased(now: datetime) -> ColumnElement[bool]:
    return or_(conversation.c.owner.is_(None), conversation.c.lease_until < now - _SWEEP_MARGIN)


_CHECKS: tuple[Callable[[Connection, datetime], Iterator[str]], ...] = (
    _running_without_lease,
    _open_intents,
    _messages_without_turn,
    _turns_without_message,
    _ended_without_time,
    _live_with_outcome,
    _queued_for_long,
    _parked_for_long,
    _many_running,
    _merged_into_nothing,
    _answers_not_kept,
)

"""Turns: every transition of `docs/state.md`, each one conditional UPDATE whose row count is checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, or_, select, update

from agent.language import Lang
from bot.messages import EndAs, TurnState
from bot.store import usage
from bot.store.dialect import storable
from bot.store.tables import LIVE_TURN, draft, message, step, turn

#: Characters of a command that are kept; the column's length.
_COMMAND = 200


class TurnRow(NamedTuple):
    """A turn as its worker needs it."""

    id: int
    conversation_id: int
    generation: int
    state: TurnState
    epoch: int
    attempts: int
    lang: Lang
    sent_at: datetime
    end_as: EndAs | None
    reason: str | None
    #: When it first ran; None for one that has only waited.
    started_at: datetime | None
    #: The canonical words of a command that the worker runs instead of the agent, as far as the column holds them.
    command: str | None


_COLUMNS = (
    turn.c.id,
    turn.c.conversation_id,
    turn.c.generation,
    turn.c.state,
    turn.c.epoch,
    turn.c.attempts,
    turn.c.lang,
    turn.c.sent_at,
    turn.c.end_as,
    turn.c.reason,
    turn.c.started_at,
    turn.c.command,
)


def get(connection: Connection, turn_id: int) -> TurnRow | None:
    """The turn with this id."""
    row = connection.execute(select(*_COLUMNS).where(turn.c.id == turn_id)).first()
    return None if row is None else TurnRow._make(row)


_QUEUE = turn.insert().returning(turn.c.id)


def queue(
    connection: Connection,
    *,
    conversation_id: int,
    generation: int,
    seq: int,
    sent_at: datetime,
    lang: Lang,
    now: datetime,
    reason: str | None = None,
    command: str | None = None,
    retry_of: int | None = None,
) -> int:
    """A new turn at the end of the queue; its id. `reason` set means: to be refused for that reason."""
    values = {
        "conversation_id": conversation_id,
        "generation": generation,
        "seq": seq,
        "sent_at": sent_at,
        "state": "queued",
        "lang": lang,
        "created_at": now,
        "reason": reason,
        "command": command and command[:_COMMAND],
        "retry_of": retry_of,
    }
    return int(connection.execute(_QUEUE, values).scalar_one())


def insert_answered(
    connection: Connection,
    *,
    conversation_id: int,
    generation: int,
    seq: int,
    lang: Lang,
    started_at: datetime,
    finished_at: datetime,
    answer: str,
    meta: dict[str, Any],
) -> int:
    """A turn that another program ran to its end; its id. It never was queued here, so no process claims it."""
    values = {
        "conversation_id": conversation_id,
        "generation": generation,
        "seq": seq,
        "sent_at": started_at,
        "state": "answered",
        "attempts": 1,
        "lang": lang,
        "created_at": started_at,
        "started_at": started_at,
        "touched_at": finished_at,
        "finished_at": finished_at,
        "answer": storable(answer),
        "answer_meta": meta,
    }
    return int(connection.execute(turn.insert().returning(turn.c.id), values).scalar_one())


_RUNNING = select(turn.c.id, turn.c.handed_over).where(
    LIVE_TURN,
    turn.c.conversation_id == bindparam("conversation"),
    turn.c.state == "running",
    turn.c.epoch < bindparam("new_epoch"),
)


def take_over(connection: Connection, conversation_id: int, epoch: int, now: datetime) -> TurnRow | None:
    """The running turn of a conversation whose lease has just been taken, now under the new epoch; None if none runs.

    It counts as an attempt unless the last owner handed it over in order.
    """
    row = connection.execute(_RUNNING, {"conversation": conversation_id, "new_epoch": epoch}).first()
    if row is None:
        return None
    attempts = turn.c.attempts if row.handed_over else turn.c.attempts + 1
    statement = (
        update(turn)
        .where(turn.c.id == row.id, turn.c.state == "running")
        .values(epoch=epoch, attempts=attempts, handed_over=False, touched_at=now)
        .returning(*_COLUMNS)
    )
    taken = connection.execute(statement).first()
    return None if taken is None else TurnRow._make(taken)


_NEXT = (
    select(turn.c.id)
    .where(
        LIVE_TURN,
        turn.c.conversation_id == bindparam("conversation"),
        or_(
            turn.c.state == "queued",
            # A parked turn that shall end, or whose time for consent is over, needs its worker once more.
            and_(turn.c.state == "waiting", or_(turn.c.end_as.is_not(None), turn.c.waiting_until <= bindparam("now"))),
        ),
    )
    .order_by(turn.c.sent_at, turn.c.seq)
    .limit(1)
    .scalar_subquery()
)
_START_NEXT = (
    update(turn)
    .where(turn.c.id == _NEXT, turn.c.state.in_(("queued", "waiting")))
    .values(
        state="running",
        epoch=bindparam("new_epoch"),
        attempts=1,
        handed_over=False,
        started_at=bindparam("now"),
        touched_at=bindparam("now"),
    )
    .returning(*_COLUMNS)
)


def start_next(connection: Connection, conversation_id: int, epoch: int, now: datetime) -> TurnRow | None:
    """Start the waiting turn that comes first by the platform's time, then by arrival; None if none waits."""
    values = {"conversation": conversation_id, "new_epoch": epoch, "now": now}
    row = connection.execute(_START_NEXT, values).first()
    return None if row is None else TurnRow._make(row)


def merge_waiting(connection: Connection, into: TurnRow, now: datetime) -> list[int]:
    """Let this turn answer everything else that waits in its conversation and generation; the merged turns."""
    statement = (
        update(turn)
        .where(
            LIVE_TURN,
            turn.c.conversation_id == into.conversation_id,
            turn.c.generation == into.generation,
            turn.c.state == "queued",
            turn.c.id != into.id,
            turn.c.reason.is_(None),
            turn.c.command.is_(None),
            turn.c.end_as.is_(None),
            # A turn that ran before (parked, or asked again) has steps of its own.
            turn.c.started_at.is_(None),
            turn.c.retry_of.is_(None),
        )
        .values(state="merged", merged_into=into.id, finished_at=now)
        .returning(turn.c.id)
    )
    merged = sorted(connection.execute(statement).scalars())
    if merged:
        connection.execute(update(message).where(message.c.turn_id.in_(merged)).values(turn_id=into.id))
        # What was merged into, or superseded by, one of these follows its messages.
        connection.execute(update(turn).where(turn.c.merged_into.in_(merged)).values(merged_into=into.id))
    return merged


_RUNS_UNDER = and_(turn.c.id == bindparam("turn_id"), turn.c.state == "running", turn.c.epoch == bindparam("our_epoch"))
_FENCE = update(turn).where(_RUNS_UNDER).values(touched_at=bindparam("now"))


def fence(connection: Connection, turn_id: int, epoch: int, now: datetime) -> bool:
    """Whether the turn is still running under this epoch; locks its row until the transaction ends."""
    return connection.execute(_FENCE, {"turn_id": turn_id, "our_epoch": epoch, "now": now}).rowcount == 1


_TAKE_BACK = (
    update(turn)
    .where(_RUNS_UNDER)
    .values(
        state=bindparam("end"),
        finished_at=bindparam("now"),
        answer=bindparam("text"),
        answer_meta=bindparam("meta"),
        reason=bindparam("why"),
    )
)
_FINISH = _TAKE_BACK.where(or_(turn.c.end_as.is_(None), turn.c.end_as == "stopped"))
_FORGET_DRAFT = delete(draft).where(draft.c.turn_id == bindparam("of_turn"))


def finish(
    connection: Connection,
    turn_id: int,
    epoch: int,
    state: TurnState,
    now: datetime,
    *,
    answer: str | None = None,
    meta: dict[str, Any] | None = None,
    reason: str | None = None,
) -> bool:
    """End a running turn. An answer yields to a request that takes the turn back (edit, deletion), but not to Stop."""
    taken_back = state in ("superseded", "withdrawn")
    values = {
        "turn_id": turn_id,
        "our_epoch": epoch,
        "end": state,
        "now": now,
        "text": None if answer is None else storable(answer),
        "meta": meta,
        "why": reason,
    }
    if connection.execute(_TAKE_BACK if taken_back else _FINISH, values).rowcount != 1:
        return False
    connection.execute(_FORGET_DRAFT, {"of_turn": turn_id})
    if taken_back:
        # What was made of a text that its author has taken back goes with it.
        connection.execute(delete(step).where(step.c.turn_id == turn_id))
    return True


def park(connection: Connection, turn_id: int, epoch: int, until: datetime) -> bool:
    """Let a running turn wait for a person's consent; it holds no lease meanwhile."""
    statement = (
        update(turn)
        .where(turn.c.id == turn_id, turn.c.state == "running", turn.c.epoch == epoch, turn.c.end_as.is_(None))
        .values(state="waiting", waiting_until=until)
    )
    return connection.execute(statement).rowcount == 1


def resume(connection: Connection, turn_id: int, now: datetime) -> bool:
    """Queue a parked turn again; its place in the order is that of its message."""
    statement = (
        update(turn)
        .where(turn.c.id == turn_id, turn.c.state == "waiting", turn.c.end_as.is_(None))
        .values(state="queued", waiting_until=None, touched_at=now)
    )
    return connection.execute(statement).rowcount == 1


def requeue(connection: Connection, turn_id: int, lang: Lang, reason: str | None, command: str | None) -> bool:
    """Judge a turn anew whose message was changed before it ran: its language, whether it is to be refused, and whether
    it is a command.
    """
    statement = (
        update(turn)
        .where(turn.c.id == turn_id, turn.c.state == "queued", turn.c.started_at.is_(None))
        .values(lang=lang, reason=reason, command=command and command[:_COMMAND])
    )
    return connection.execute(statement).rowcount == 1


def end_queued(connection: Connection, turn_id: int, state: EndAs, by: str | None, now: datetime) -> bool:
    """End a turn that has not run yet."""
    statement = (
        update(turn)
        .where(turn.c.id == turn_id, turn.c.state == "queued", turn.c.started_at.is_(None))
        .values(state=state, finished_at=now, end_asked_by=by, end_asked_at=now)
    )
    return connection.execute(statement).rowcount == 1


def ask_end(connection: Connection, turn_id: int, end_as: EndAs, by: str | None, now: datetime) -> bool:
    """Ask the worker of a live turn to end it. The first request wins, but taking back beats stopping."""
    unasked = or_(turn.c.end_as.is_(None), turn.c.end_as == ("" if end_as == "stopped" else "stopped"))
    statement = (
        update(turn)
        .where(turn.c.id == turn_id, turn.c.state.in_(("queued", "running", "waiting")), unasked)
        .values(end_as=end_as, end_asked_at=now, end_asked_by=by)
    )
    return connection.execute(statement).rowcount == 1


def live_of(connection: Connection, conversation_id: int) -> list[int]:
    """The turns of a conversation that have no outcome yet, in the order in which they came."""
    statement = select(turn.c.id).where(LIVE_TURN, turn.c.conversation_id == conversation_id).order_by(turn.c.seq)
    return list(connection.execute(statement).scalars())


def ends_asked(connection: Connection, turn_ids: Sequence[int]) -> list[tuple[int, EndAs]]:
    """Which of these turns shall end, and how."""
    if not turn_ids:
        return []
    rows = connection.execute(
        select(turn.c.id, turn.c.end_as).where(turn.c.id.in_(turn_ids), turn.c.end_as.is_not(None))
    )
    return [(row[0], row[1]) for row in rows]


def retry(connection: Connection, failed: TurnRow, seq: int, now: datetime) -> int | None:
    """A new turn for the messages of a failed or stopped one; None if it has none (any more).

    They were deleted since, or somebody has asked for that already. The caller holds the conversation's row:
    two clicks must not make two turns.
    """
    covered = list(
        connection.execute(
            select(message.c.id).where(
                message.c.turn_id == failed.id, message.c.role == "user", message.c.erased_at.is_(None)
            )
        ).scalars()
    )
    over = select(turn.c.id).where(turn.c.id == failed.id, turn.c.state.in_(("failed", "stopped")))
    if not covered or connection.execute(over).first() is None:
        return None
    new = queue(
        connection,
        conversation_id=failed.conversation_id,
        generation=failed.generation,
        seq=seq,
        sent_at=failed.sent_at,
        lang=failed.lang,
        now=now,
        command=failed.command,
        retry_of=failed.id,
    )
    reassign(connection, failed.id, new, covered)
    return new


def reassign(connection: Connection, old_turn_id: int, new_turn_id: int, message_rows: Sequence[int]) -> None:
    """Let a new turn answer these messages of an old one; what was merged into that points to the new one too."""
    if message_rows:
        connection.execute(update(message).where(message.c.id.in_(message_rows)).values(turn_id=new_turn_id))
    connection.execute(update(turn).where(turn.c.merged_into == old_turn_id).values(merged_into=new_turn_id))
    connection.execute(update(turn).where(turn.c.id == old_turn_id).values(merged_into=new_turn_id))
    usage.move(connection, old_turn_id, new_turn_id)


def replace(
    connection: Connection,
    old: TurnRow,
    message_rows: Sequence[int],
    seq: int,
    now: datetime,
    *,
    lang: Lang,
    reason: str | None = None,
    command: str | None = None,
) -> int:
    """Queue a new turn for these messages of one that was superseded; its id."""
    new = queue(
        connection,
        conversation_id=old.conversation_id,
        generation=old.generation,
        seq=seq,
        sent_at=old.sent_at,
        lang=lang,
        now=now,
        reason=reason,
        command=command,
    )
    reassign(connection, old.id, new, message_rows)
    return new


_RAN_WITH = (
    update(turn)
    .where(turn.c.id == bindparam("ran_id"))
    .values(profile_id=bindparam("ran_profile"), lang=bindparam("ran_lang"))
)


def ran_with(connection: Connection, turn_id: int, profile_id: int, lang: Lang) -> None:
    """Note the version of the profile that the turn runs with, and the language that follows from it."""
    connection.execute(_RAN_WITH, {"ran_id": turn_id, "ran_profile": profile_id, "ran_lang": lang})

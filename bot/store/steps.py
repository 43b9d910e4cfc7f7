"""Steps: the rows behind a turn's journal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from agent.journal import Json, Recalled
from bot.store.dialect import insert_ignore
from bot.store.tables import step

_OF_TURN = (
    select(step.c.key, step.c.state, step.c.writes, step.c.result)
    .where(step.c.turn_id == bindparam("of_turn"))
    .order_by(step.c.id)
)


def of_turn(connection: Connection, turn_id: int) -> dict[str, Recalled]:
    """All steps of a turn by key, in the order in which they began."""
    rows = connection.execute(_OF_TURN, {"of_turn": turn_id})
    return {row[0]: Recalled(row[1], row[2], row[3]) for row in rows}


def begin(
    connection: Connection, turn_id: int, key: str, detail: Json, attempt: int, now: datetime, *, writes: bool
) -> bool:
    """Note that a step starts; only one that reads may start again. The caller holds the fence."""
    values = {
        "turn_id": turn_id,
        "key": key,
        "writes": writes,
        "state": "started",
        "attempt": attempt,
        "detail": detail,
        "started_at": now,
    }
    if insert_ignore(connection, step, values) is not None:
        return True
    statement = (
        update(step)
        .where(step.c.turn_id == turn_id, step.c.key == key, step.c.state == "started", ~step.c.writes)
        .values(attempt=attempt, detail=detail, started_at=now)
    )
    return connection.execute(statement).rowcount == 1


_FINISH = (
    update(step)
    .where(step.c.turn_id == bindparam("of_turn"), step.c.key == bindparam("of_key"), step.c.state == "started")
    .values(state="done", result=bindparam("found"), finished_at=bindparam("now"))
)


def finish(connection: Connection, turn_id: int, key: str, result: Json, now: datetime) -> bool:
    """Note a step's result. The caller holds the fence."""
    values = {"of_turn": turn_id, "of_key": key, "found": result, "now": now}
    return connection.execute(_FINISH, values).rowcount == 1


def insert_done(
    connection: Connection, turn_id: int, key: str, detail: Json, result: Json, attempt: int, now: datetime
) -> bool:
    """A step that is begun and done in one transaction; False if it is there already."""
    values = {
        "turn_id": turn_id,
        "key": key,
        "writes": False,
        "state": "done",
        "attempt": attempt,
        "detail": detail,
        "result": result,
        "started_at": now,
        "finished_at": now,
    }
    return insert_ignore(connection, step, values) is not None


def insert_finished(
    connection: Connection,
    turn_id: int,
    key: str,
    detail: Json,
    result: Json,
    writes: bool,
    started_at: datetime,
    finished_at: datetime,
) -> None:
    """A step of a turn that another program ran."""
    values = {
        "turn_id": turn_id,
        "key": key,
        "writes": writes,
        "state": "done",
        "attempt": 1,
        "detail": detail,
        "result": result,
        "started_at": started_at,
        "finished_at": finished_at,
    }
    insert_ignore(connection, step, values)


def forget(connection: Connection, turn_id: int) -> None:
    """Delete all steps of a turn."""
    connection.execute(delete(step).where(step.c.turn_id == turn_id))


def detail(connection: Connection, turn_id: int, key: str) -> Json:
    """What a step was begun with; None if it never began."""
    return connection.execute(select(step.c.detail).where(step.c.turn_id == turn_id, step.c.key == key)).scalar()


def open_consent(connection: Connection, turn_id: int) -> str | None:
    """The key of the consent step that a parked turn waits for."""
    return connection.execute(
        select(step.c.key).where(
            step.c.turn_id == turn_id, step.c.key.startswith("consent/"), step.c.state == "started"
        )
    ).scalar()

"""What is measured every week, and where it is reported."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from bot.messages import Target
from bot.store.bench_tables import bench_schedule
from bot.store.dialect import upsert


class Schedule(NamedTuple):
    """One of them."""

    id: int
    target: Target
    model: str
    #: `bot.bench.words.Wanted` as JSON.
    wanted: dict[str, Any]
    days: int
    next_at: datetime
    author_id: str
    lang: str
    #: The command that stops a run, as people type it there.
    stop: str


def save(
    connection: Connection,
    target: Target,
    model: str,
    wanted: dict[str, Any],
    days: int,
    next_at: datetime,
    author_id: str,
    lang: str,
    stop: str,
    now: datetime,
) -> None:
    """Measure this model here from now on; replaces what was said of it here before."""
    values = {
        "target": asdict(target),
        "place": target.conversation_key,
        "model": model,
        "wanted": {"wanted": wanted, "stop": stop},
        "days": days,
        "next_at": next_at,
        "author_id": author_id,
        "lang": lang,
        "created_at": now,
    }
    upsert(connection, bench_schedule, ["place", "model"], values)


def every(connection: Connection) -> list[Schedule]:
    """All of them, the next one first."""
    return [_schedule(row) for row in connection.execute(select(bench_schedule).order_by(bench_schedule.c.next_at))]


def due(connection: Connection, now: datetime) -> list[Schedule]:
    """Those whose time has come."""
    rows = connection.execute(
        select(bench_schedule).where(bench_schedule.c.next_at <= now).order_by(bench_schedule.c.next_at)
    )
    return [_schedule(row) for row in rows]


def advance(connection: Connection, one: Schedule, now: datetime) -> bool:
    """Move a schedule to its next time after now, however many it has missed; False if somebody else was first."""
    missed = (now - one.next_at) // timedelta(days=one.days)
    next_at = one.next_at + timedelta(days=one.days) * (missed + 1)
    c = bench_schedule.c
    ours = update(bench_schedule).where(c.id == one.id, c.next_at == one.next_at).values(next_at=next_at)
    return connection.execute(ours).rowcount == 1


def remove(connection: Connection, place: str, model: str = "") -> list[str]:
    """End what is measured here: of one model, or all; the models."""
    c = bench_schedule.c
    meant = [c.place == place, *([c.model == model] if model else [])]
    return list(connection.execute(delete(bench_schedule).where(*meant).returning(c.model)).scalars())


def forget(connection: Connection, schedule_id: int) -> bool:
    """End one of them; False if there is none."""
    return connection.execute(delete(bench_schedule).where(bench_schedule.c.id == schedule_id)).rowcount == 1


def _schedule(row: Any) -> Schedule:
    return Schedule(
        row.id,
        Target(**row.target),
        row.model,
        row.wanted["wanted"],
        row.days,
        row.next_at,
        row.author_id,
        row.lang,
        row.wanted["stop"],
    )

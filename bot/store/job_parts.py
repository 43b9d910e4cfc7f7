"""The messages that jobs have posted: their ledger (`bot.store.parts` has that of turns)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from bot.messages import Part
from bot.store.dialect import upsert
from bot.store.tables import job_part


def of_job(connection: Connection, job_id: int) -> list[Part]:
    """The messages that exist or may exist, by position."""
    rows = connection.execute(
        select(job_part.c.position, job_part.c.external_id, job_part.c.intended_at)
        .where(job_part.c.job_id == job_id, job_part.c.state != "removed")
        .order_by(job_part.c.position)
    )
    return [Part(row[0], row[1], row[2]) for row in rows]


def intend(connection: Connection, job_id: int, platform: str, position: int, epoch: int, now: datetime) -> None:
    """Note that a message is about to be created at this position. The caller holds the fence."""
    values = {
        "job_id": job_id,
        "position": position,
        "platform": platform,
        "state": "intended",
        "external_id": None,
        "epoch": epoch,
        "intended_at": now,
        "posted_at": None,
    }
    upsert(connection, job_part, ["job_id", "position"], values)


def posted(connection: Connection, job_id: int, position: int, external_id: str, now: datetime) -> None:
    """Note the id of the message that was created or adopted. The caller holds the fence."""
    connection.execute(
        update(job_part)
        .where(job_part.c.job_id == job_id, job_part.c.position == position, job_part.c.state == "intended")
        .values(state="posted", external_id=external_id, posted_at=now)
    )


def removed(connection: Connection, job_id: int, position: int) -> None:
    """Note that the message is gone. The caller holds the fence."""
    connection.execute(
        update(job_part).where(job_part.c.job_id == job_id, job_part.c.position == position).values(state="removed")
    )


def give_up(connection: Connection, job_id: int) -> None:
    """Close the open intent of a job that is over."""
    connection.execute(
        update(job_part).where(job_part.c.job_id == job_id, job_part.c.state == "intended").values(state="removed")
    )


def known(connection: Connection, platform: str, external_ids: Sequence[str]) -> set[str]:
    """Which of these messages are in the ledger of any job."""
    if not external_ids:
        return set()
    rows = connection.execute(
        select(job_part.c.external_id).where(
            job_part.c.platform == platform,
            job_part.c.external_id.in_(external_ids),
            job_part.c.state == "posted",
        )
    )
    return set(rows.scalars())

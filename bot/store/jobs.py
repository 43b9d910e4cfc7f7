"""Jobs: background work with a lease, like turns (`docs/state.md`)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, or_, select, true, update

from agent.journal import Json
from bot.store.dialect import insert_ignore, storable
from bot.store.tables import LIVE_JOB, job


class JobRow(NamedTuple):
    """A job as its worker needs it."""

    id: int
    kind: str
    key: str
    payload: Json
    epoch: int
    attempts: int
    progress: Json
    cancel_requested: bool
    created_at: datetime


_COLUMNS = (
    job.c.id,
    job.c.kind,
    job.c.key,
    job.c.payload,
    job.c.epoch,
    job.c.attempts,
    job.c.progress,
    job.c.cancel_requested,
    job.c.created_at,
)


def queue(connection: Connection, kind: str, key: str, payload: Json, run_at: datetime, now: datetime) -> int | None:
    """A new job; None while one of the same kind and key is queued or running."""
    values = {
        "kind": kind,
        "key": key,
        "payload": payload,
        "state": "queued",
        "run_at": run_at,
        "created_at": now,
    }
    row_id: int | None = insert_ignore(connection, job, values)
    return row_id


class Lane(NamedTuple):
    """Which kinds of jobs are meant."""

    #: Only these; None for all.
    only: tuple[str, ...] | None = None
    #: But not these.
    without: tuple[str, ...] = ()

    @property
    def condition(self) -> ColumnElement[bool]:
        """The condition on a job's row."""
        meant = true() if self.only is None else job.c.kind.in_(self.only)
        return and_(meant, job.c.kind.not_in(self.without)) if self.without else meant


#: Every kind.
ALL: Final = Lane()


def claim(connection: Connection, owner: str, now: datetime, until: datetime, lane: Lane = ALL) -> JobRow | None:
    """Start the job that is due first, or take over one whose owner is gone; None if nothing is due."""
    first = connection.execute(
        select(job.c.id).where(LIVE_JOB, _due(now), lane.condition).order_by(job.c.run_at, job.c.id).limit(1)
    ).scalar()
    return None if first is None else claim_one(connection, first, owner, now, until)


def claim_one(connection: Connection, job_id: int, owner: str, now: datetime, until: datetime) -> JobRow | None:
    """Start or take over this job; None if it is not due."""
    statement = (
        update(job)
        .where(job.c.id == job_id, _due(now))
        .values(
            state="running",
            owner=owner,
            lease_until=until,
            epoch=job.c.epoch + 1,
            attempts=job.c.attempts + 1,
        )
        .returning(*_COLUMNS)
    )
    row = connection.execute(statement).first()
    return None if row is None else JobRow(*row)


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(job.c.state == "queued", job.c.run_at <= now),
        and_(job.c.state == "running", job.c.lease_until <= now),
    )


def due(connection: Connection, job_id: int) -> datetime | None:
    """When a job is to be run, or may be taken over; None when it is over or not there."""
    row = connection.execute(select(job.c.state, job.c.run_at, job.c.lease_until).where(job.c.id == job_id)).first()
    if row is None or row.state not in ("queued", "running"):
        return None
    at: datetime = row.run_at if row.state == "queued" else row.lease_until
    return at


def outcome(connection: Connection, job_id: int) -> tuple[str, str] | None:
    """State and error of a job; None if it is not there."""
    row = connection.execute(select(job.c.state, job.c.error).where(job.c.id == job_id)).first()
    return None if row is None else (row.state, row.error or "")


def progress(connection: Connection, job_id: int) -> Json:
    """What a job reported last; None for nothing."""
    return connection.execute(select(job.c.progress).where(job.c.id == job_id)).scalar()


def next_run(connection: Connection, lane: Lane = ALL) -> datetime | None:
    """When the next queued job is due; None without one."""
    return connection.execute(
        select(job.c.run_at).where(LIVE_JOB, job.c.state == "queued", lane.condition).order_by(job.c.run_at).limit(1)
    ).scalar()


def void_all_leases(connection: Connection, now: datetime) -> None:
    """At the start of the only process: running jobs have lost their worker."""
    connection.execute(update(job).where(job.c.state == "running").values(lease_until=now))


def report(connection: Connection, job_id: int, epoch: int, progress: Json, until: datetime) -> bool | None:
    """Store progress and prolong the lease: whether cancelling was asked for; None when the job isn't ours any more."""
    statement = (
        update(job)
        .where(job.c.id == job_id, job.c.state == "running", job.c.epoch == epoch)
        .values(progress=progress, lease_until=until)
        .returning(job.c.cancel_requested)
    )
    row = connection.execute(statement).first()
    return None if row is None else bool(row[0])


def fence(connection: Connection, job_id: int, epoch: int, until: datetime) -> bool:
    """Prolong the lease; whether the job is still run under this epoch, which holds until the transaction ends."""
    ours = and_(job.c.id == job_id, job.c.state == "running", job.c.epoch == epoch)
    return connection.execute(update(job).where(ours).values(lease_until=until)).rowcount == 1


def end(connection: Connection, job_id: int, epoch: int, state: str, now: datetime, error: str | None = None) -> bool:
    """End a running job as done, failed or cancelled."""
    statement = (
        update(job)
        .where(job.c.id == job_id, job.c.state == "running", job.c.epoch == epoch)
        .values(state=state, finished_at=now, lease_until=None, owner=None, error=error and storable(error))
    )
    return connection.execute(statement).rowcount == 1


def again(connection: Connection, job_id: int, epoch: int, run_at: datetime, error: str | None) -> bool:
    """Queue a running job once more, later."""
    statement = (
        update(job)
        .where(job.c.id == job_id, job.c.state == "running", job.c.epoch == epoch)
        .values(state="queued", run_at=run_at, lease_until=None, owner=None, error=error and storable(error))
    )
    return connection.execute(statement).rowcount == 1


def hand_back(connection: Connection, job_id: int, epoch: int, now: datetime) -> bool:
    """Queue a running job again at once, as if this attempt had not been."""
    statement = (
        update(job)
        .where(job.c.id == job_id, job.c.state == "running", job.c.epoch == epoch)
        .values(state="queued", run_at=now, lease_until=None, owner=None, attempts=job.c.attempts - 1)
    )
    return connection.execute(statement).rowcount == 1


def ask_end(connection: Connection, job_id: int, now: datetime) -> bool:
    """Ask for the end of a job whose kind ends itself (`bot.jobs.Kind.ends_itself`); False if it is over.

    One that has run before, and so may have shown something, runs once more to leave things in order; one that has not
    ends at once.
    """
    begun = and_(job.c.id == job_id, job.c.state == "queued", job.c.epoch > 0)
    if connection.execute(update(job).where(begun).values(cancel_requested=True, run_at=now)).rowcount == 1:
        return True
    return cancel(connection, job_id, now)


def cancel(connection: Connection, job_id: int, now: datetime) -> bool:
    """Ask for a job's end: a queued one ends at once, a running one at its next report."""
    queued = connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state == "queued")
        .values(state="cancelled", finished_at=now, cancel_requested=True)
    )
    if queued.rowcount == 1:
        return True
    running = connection.execute(
        update(job).where(job.c.id == job_id, job.c.state == "running").values(cancel_requested=True)
    )
    return running.rowcount == 1

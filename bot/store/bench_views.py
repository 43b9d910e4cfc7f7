"""Runs of benchmarks as a page lists them: a few columns of many, without their tables; and how one is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from bot.store.bench import Origin
from bot.store.bench_tables import bench_reply, bench_run
from bot.store.tables import LIVE_JOB, job
from evals.runs import RunSpec, RunState, spec_of

#: Of the summary only these: a whole one has columns for every item.
_LINE: Final = bench_run.c.summary["line"].as_string().label("line")
_MARK: Final = bench_run.c.summary["mark"].as_string().label("mark")
_OVERALL: Final = bench_run.c.summary["overall"].as_float().label("overall")


@dataclass(frozen=True, slots=True)
class RunView:
    """A run in a list."""

    #: Grows with each run.
    number: int
    id: str
    spec: RunSpec
    state: RunState
    #: Whether a job works on it, or will; False for one that is over, and for one whose job was lost.
    live: bool
    #: What its job says of where it stands (`bot.bench.measuring.Standing`); {} where it has not begun.
    progress: Mapping[str, Any]
    #: Of a run that is done: the published line with its mark, the mark alone, and overall (0 to 1, None for none).
    line: str
    mark: str
    overall: float | None
    error: str
    started_at: datetime
    finished_at: datetime | None
    origin: Origin


def listed(connection: Connection, most: int, before: int | None = None) -> list[RunView]:
    """The newest runs, or the newest of those before one, newest first."""
    conditions = [] if before is None else [bench_run.c.number < before]
    statement = _statement().where(*conditions).order_by(bench_run.c.number.desc()).limit(most)
    return [_view(row) for row in connection.execute(statement)]


def found(connection: Connection, run_id: str) -> RunView | None:
    """The run with exactly this id."""
    row = connection.execute(_statement().where(bench_run.c.id == run_id)).first()
    return None if row is None else _view(row)


def forget_replies(connection: Connection, run_id: str, most: int) -> int:
    """Delete some replies of a run that no job works on; how many. A large run has tens of thousands, which are not to
    keep other writers waiting.
    """
    view = found(connection, run_id)
    if view is None or view.live:
        return 0
    some = select(bench_reply.c.id).where(bench_reply.c.run_id == run_id).limit(most)
    return connection.execute(delete(bench_reply).where(bench_reply.c.id.in_(some))).rowcount


def forget(connection: Connection, run_id: str) -> bool:
    """Delete a run with all its replies, so that nothing of them is taken over by later runs; False if there is none,
    or if a job works on it.
    """
    view = found(connection, run_id)
    if view is None or view.live:
        return False
    connection.execute(delete(bench_reply).where(bench_reply.c.run_id == run_id))
    connection.execute(delete(bench_run).where(bench_run.c.id == run_id))
    return True


def _statement() -> Any:
    c = bench_run.c
    columns = (c.number, c.id, c.spec, c.state, c.error, c.started_at, c.finished_at)
    origin = (c.platform, c.workspace, c.channel, c.author_id, c.lang)
    with_job = bench_run.outerjoin(job, (job.c.id == c.job_id) & LIVE_JOB)
    return select(
        *columns, *origin, _LINE, _MARK, _OVERALL, job.c.id.label("live_job"), job.c.progress.label("progress")
    ).select_from(with_job)


def _view(row: Any) -> RunView:
    progress = row.progress if isinstance(row.progress, Mapping) else {}
    live = row.live_job is not None and row.state == "running"
    origin = Origin(row.platform, row.workspace, row.channel, row.author_id, row.lang)
    return RunView(
        row.number,
        row.id,
        spec_of(row.spec),
        row.state,
        live,
        progress if live else {},
        row.line or "",
        row.mark or "",
        row.overall,
        row.error,
        row.started_at,
        row.finished_at,
        origin,
    )

"""Runs of benchmarks: `evals.runs.RunStore` in the database, and what chats and pages want to know of them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from agent.clock import Clock
from agent.journal import Json
from bot.store.bench_tables import bench_reply, bench_run
from bot.store.db import Store
from bot.store.dialect import storable
from bot.store.tables import LIVE_JOB, job
from evals.runs import Prediction, PredictionKey, Run, RunSpec, RunState, spec_json, spec_of

T = TypeVar("T")
#: A change that is made in one transaction, with the time at which it is made.
Change = Callable[[Connection, datetime], T]

#: Rows that one statement writes or asks for: what databases take in one go, and what holds a writer up only briefly.
_ROWS: Final = 500
#: Characters of an error that are kept.
_ERROR: Final = 500
_RUN: Final = (
    bench_run.c.id,
    bench_run.c.spec,
    bench_run.c.state,
    bench_run.c.started_at,
    bench_run.c.finished_at,
    bench_run.c.manifest,
    bench_run.c.summary,
    bench_run.c.error,
)


class RunGone(LookupError):
    """The run does not exist, or is over."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked for a run, and where. The default is for runs that nobody in a chat asked for."""

    platform: str = ""
    workspace: str = ""
    channel: str = ""
    author_id: str = ""
    lang: str = ""


class Writes(Protocol):
    """Makes changes, such as `bot.jobs.Progress.write` or `unfenced`."""

    def __call__(self, change: Change[T], /) -> Awaitable[T]: ...


def unfenced(store: Store, clock: Clock) -> Writes:
    """Changes that nobody else may have to be kept from."""

    async def write(change: Change[T]) -> T:
        now = clock.now()
        return await store.write(lambda c: change(c, now))

    return write


class DatabaseRuns:
    """`evals.runs.RunStore`. Raises `StoreUnavailable`, and what `writes` raises."""

    def __init__(self, store: Store, writes: Writes) -> None:
        """`writes`: a job gives its own, so that one that was taken over can't add to the run any more."""
        self._store = store
        self._writes = writes

    async def begin(self, spec: RunSpec, manifest: Mapping[str, Any]) -> Run:
        return await self._writes(lambda c, now: begin(c, spec, manifest, now))

    async def find(self, run_id: str) -> Run | None:
        return await self._store.read(lambda c: find(c, run_id))

    async def runs(self, most: int = 50) -> Sequence[Run]:
        return await self._store.read(lambda c: newest(c, most))

    async def add(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        for first in range(0, len(predictions), _ROWS):
            rows = [_row(run_id, one) for one in predictions[first : first + _ROWS]]
            await self._writes(_adding(run_id, rows))

    async def predictions(self, run_id: str) -> Sequence[Prediction]:
        return await self._store.read(lambda c: list(replies(c, run_id)))

    async def cached(self, digests: Sequence[str]) -> Mapping[str, Prediction]:
        wanted = list(dict.fromkeys(digests))
        found: dict[str, Prediction] = {}
        for first in range(0, len(wanted), _ROWS):
            found |= await self._store.read(_having(wanted[first : first + _ROWS]))
        return found

    async def end(self, run_id: str, state: RunState, summary: Json = None, error: str = "") -> None:
        def change(connection: Connection, now: datetime) -> None:
            if not end(connection, run_id, state, now, summary, error):
                raise RunGone(f"there is no run {run_id}")

        await self._writes(change)


# --- Queries


def begin(
    connection: Connection,
    spec: RunSpec,
    manifest: Mapping[str, Any],
    now: datetime,
    origin: Origin | None = None,
    job_id: int | None = None,
) -> Run:
    """A new run."""
    origin = origin or Origin()
    run = Run(secrets.token_hex(4), spec, "running", now, manifest=dict(manifest))
    values = {
        "id": run.id,
        "state": run.state,
        "model": storable(spec.model)[:200],
        "data_name": storable(spec.data.name)[:200],
        "data_sha256": spec.data.sha256,
        "spec": spec_json(spec),
        "manifest": run.manifest,
        "started_at": now,
        "job_id": job_id,
        "platform": origin.platform,
        "workspace": origin.workspace,
        "channel": origin.channel,
        "author_id": origin.author_id,
        "lang": origin.lang,
    }
    connection.execute(insert(bench_run).values(values))
    return run


def given_job(connection: Connection, run_id: str, job_id: int) -> None:
    """Note which job works on a run."""
    connection.execute(update(bench_run).where(bench_run.c.id == run_id).values(job_id=job_id))


def noted(connection: Connection, run_id: str, manifest: Mapping[str, Any]) -> None:
    """Replace the manifest of a run."""
    connection.execute(update(bench_run).where(bench_run.c.id == run_id).values(manifest=dict(manifest)))


def end(
    connection: Connection, run_id: str, state: RunState, now: datetime, summary: Json = None, error: str = ""
) -> bool:
    """The run is over; False if there is none."""
    values = {"state": state, "finished_at": now, "summary": summary, "error": storable(error)[:_ERROR]}
    return connection.execute(update(bench_run).where(bench_run.c.id == run_id).values(values)).rowcount == 1


def find(connection: Connection, run_id: str) -> Run | None:
    """The run with this id, or the only one whose id begins so."""
    if not run_id:
        return None
    begins = bench_run.c.id.startswith(run_id, autoescape=True)
    rows = connection.execute(select(*_RUN).where(begins).limit(2)).all()
    exact = [row for row in rows if row.id == run_id]
    if not exact and len(rows) != 1:
        exact = list(connection.execute(select(*_RUN).where(bench_run.c.id == run_id)))
        rows = exact
    return _run((exact or rows)[0]) if exact or rows else None


def newest(connection: Connection, most: int, *conditions: ColumnElement[bool]) -> list[Run]:
    """The newest runs, newest first."""
    order = bench_run.c.number.desc()
    return [_run(row) for row in connection.execute(select(*_RUN).where(*conditions).order_by(order).limit(most))]


def done(connection: Connection, most: int, data_sha256: str | None = None) -> list[Run]:
    """The newest runs that came to their end, newest first; of one data set only, if one is named."""
    of_data = () if data_sha256 is None else (bench_run.c.data_sha256 == data_sha256,)
    return newest(connection, most, bench_run.c.state == "done", *of_data)


def names_of_done(connection: Connection, most: int) -> list[tuple[str, RunSpec, datetime]]:
    """Id, spec and beginning of the newest runs that came to their end, newest first: without their summaries, which
    are large and of which a list that is asked for at every key has no use.
    """
    c = bench_run.c
    newest_first = select(c.id, c.spec, c.started_at).where(c.state == "done").order_by(c.number.desc()).limit(most)
    return [(row.id, spec_of(row.spec), row.started_at) for row in connection.execute(newest_first)]


def ended(connection: Connection, most: int) -> list[Run]:
    """The newest runs that are over, however they ended, newest first."""
    return newest(connection, most, bench_run.c.state != "running")


def job_of(connection: Connection, run_id: str) -> int | None:
    """The job that works on a run."""
    return connection.execute(select(bench_run.c.job_id).where(bench_run.c.id == run_id)).scalar()


def with_job(connection: Connection) -> list[tuple[Run, int]]:
    """Runs that are not over, with the jobs that work on them or will, oldest first."""
    live = bench_run.join(job, job.c.id == bench_run.c.job_id)
    statement = select(*_RUN, bench_run.c.job_id).select_from(live).where(bench_run.c.state == "running", LIVE_JOB)
    return [(_run(row), row.job_id) for row in connection.execute(statement.order_by(bench_run.c.number))]


def origin(connection: Connection, run_id: str) -> Origin:
    """Who asked for a run, and where."""
    c = bench_run.c
    row = connection.execute(
        select(c.platform, c.workspace, c.channel, c.author_id, c.lang).where(c.id == run_id)
    ).first()
    return Origin() if row is None else Origin(*row)


def count(connection: Connection, run_id: str) -> int:
    """Replies of a run."""
    return connection.execute(select(func.count()).where(bench_reply.c.run_id == run_id)).scalar_one()


def replies(connection: Connection, run_id: str, after: int = 0) -> Iterator[Prediction]:
    """Replies of a run in the order in which they came, but for the first so many."""
    statement = select(bench_reply).where(bench_reply.c.run_id == run_id).order_by(bench_reply.c.id)
    for row in connection.execute(statement.offset(after)):
        yield _prediction(row)


def _adding(run_id: str, rows: list[dict[str, Any]]) -> Change[None]:
    def change(connection: Connection, now: datetime) -> None:
        state = connection.execute(select(bench_run.c.state).where(bench_run.c.id == run_id)).scalar()
        if state != "running":
            raise RunGone(f"run {run_id} is {state or 'not there'}")
        connection.execute(insert(bench_reply), [row | {"at": now} for row in rows])

    return change


def _having(digests: Sequence[str]) -> Callable[[Connection], dict[str, Prediction]]:
    def query(connection: Connection) -> dict[str, Prediction]:
        c = bench_reply.c
        # The newest reply stands last, so it is the one that is kept.
        rows = connection.execute(select(bench_reply).where(c.digest.in_(digests), c.error == "").order_by(c.id))
        return {row.digest: _prediction(row) for row in rows}

    return query


# --- Rows


def packed(text: str) -> str:
    """A text of data or of a model as a column of text can hold it: what it refuses (NUL, halves of surrogate pairs) is
    escaped as in JSON, so that `unpacked` gives back every character.
    """
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    return quoted if quoted.isprintable() or _encodes(quoted) else json.dumps(text)[1:-1]


def unpacked(text: str) -> str:
    """The text that `packed` was given."""
    return str(json.loads(f'"{text}"')) if "\\" in text else text


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        spec=spec_of(row.spec),
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        manifest=row.manifest,
        summary=row.summary,
        error=row.error,
    )


def _row(run_id: str, one: Prediction) -> dict[str, Any]:
    key = one.key
    return {
        "run_id": run_id,
        "digest": key.digest,
        "type": packed(key.type),
        "item": packed(key.item),
        "template": packed(key.template),
        "prompt": key.prompt,
        "model": packed(key.model),
        "how": packed(key.how),
        "repeat": key.repeat,
        "text": packed(one.text),
        "reasoning": packed(one.reasoning),
        "finish_reason": storable(one.finish_reason)[:64],
        "prompt_tokens": one.prompt_tokens,
        "completion_tokens": one.completion_tokens,
        "seconds": one.seconds,
        "error": storable(one.error)[:64],
        "cached": one.cached,
        "cut_tokens": one.cut_tokens,
    }


def _prediction(row: Any) -> Prediction:
    words = {name: unpacked(getattr(row, name)) for name in ("type", "item", "template", "model", "how")}
    return Prediction(
        PredictionKey(prompt=row.prompt, repeat=row.repeat, **words),
        unpacked(row.text),
        unpacked(row.reasoning),
        row.finish_reason,
        row.prompt_tokens,
        row.completion_tokens,
        row.seconds,
        row.error,
        row.cached,
        row.cut_tokens,
    )

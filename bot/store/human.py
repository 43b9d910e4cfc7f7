"""Ratings by people: `evals.human.sets.HumanStore` in the database of a server."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from agent.clock import Clock
from agent.journal import Json, Recalled
from bot.store.db import Store
from bot.store.dialect import insert_ignore, storable, upsert
from bot.store.human_tables import human_answer, human_question, human_rater, human_rating, human_set, human_step
from evals.human.sets import (
    Answer,
    AnswerKey,
    HumanSet,
    Question,
    Rater,
    Rating,
    SetGone,
    SetSpec,
    SetState,
    spec_json,
    spec_of,
)

#: Rows that one statement writes.
_ROWS: Final = 500


class DatabaseSets:
    """`HumanStore`. Raises `StoreUnavailable`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def begin(self, spec: SetSpec, questions: Sequence[Question]) -> HumanSet:
        now = self._clock.now()
        return await self._store.write(lambda c: _begin(c, spec, questions, now))

    async def find(self, set_id: str) -> HumanSet | None:
        return await self._store.read(lambda c: _find(c, set_id))

    async def sets(self, most: int = 50) -> Sequence[HumanSet]:
        order = human_set.c.number.desc()
        return await self._store.read(lambda c: [_set(c, row) for row in c.execute(_SETS.order_by(order).limit(most))])

    async def questions(self, set_id: str) -> Sequence[Question]:
        c = human_question.c
        statement = select(c.question, c.text, c.lang, c.line).where(c.set_id == set_id).order_by(c.id)
        return await self._store.read(lambda conn: [Question(*row) for row in conn.execute(statement)])

    async def answers(self, set_id: str, question: str | None = None) -> Sequence[Answer]:
        here = human_answer.c.set_id == set_id
        which = here if question is None else and_(here, human_answer.c.question == question)
        return await self._store.read(lambda c: [_answer(row) for row in c.execute(select(human_answer).where(which))])

    async def looks(self, set_id: str) -> Mapping[str, Collection[str]]:
        c = human_answer.c
        statement = select(c.question, c.digest).where(c.set_id == set_id, c.error == "")

        def query(connection: Connection) -> dict[str, set[str]]:
            found: dict[str, set[str]] = {}
            for question, digest in connection.execute(statement):
                found.setdefault(question, set()).add(digest)
            return found

        return await self._store.read(query)

    async def keep(self, set_id: str, answer: Answer) -> None:
        now = self._clock.now()
        await self._store.write(lambda c: _keep(c, set_id, answer, now))

    async def steps(self, set_id: str) -> Mapping[AnswerKey, Mapping[str, Recalled]]:
        c = human_step.c
        statement = select(c.question, c.system, c.model, c.key, c.result).where(c.set_id == set_id)

        def query(connection: Connection) -> dict[AnswerKey, dict[str, Recalled]]:
            found: dict[AnswerKey, dict[str, Recalled]] = {}
            for question, system, model, key, result in connection.execute(statement):
                found.setdefault(AnswerKey(question, system, model), {})[key] = Recalled("done", False, result)
            return found

        return await self._store.read(query)

    async def step(self, set_id: str, key: AnswerKey, name: str, result: Json) -> None:
        values = {"set_id": set_id, **_columns(key), "key": name, "result": result}
        await self._store.write(lambda c: insert_ignore(c, human_step, values))

    async def move(self, set_id: str, state: SetState) -> None:
        now = self._clock.now()
        await self._store.write(lambda c: _move(c, set_id, state, now))

    async def delete(self, set_id: str) -> bool:
        statement = delete(human_set).where(human_set.c.id == set_id)
        return await self._store.write(lambda c: c.execute(statement).rowcount == 1)

    async def join(self, set_id: str, rater: Rater) -> Rater:
        now = self._clock.now()
        return await self._store.write(lambda c: _join(c, set_id, rater, now))

    async def raters(self, set_id: str) -> Sequence[Rater]:
        c = human_rater.c
        statement = select(c.name, c.key_hash, c.driver).where(c.set_id == set_id).order_by(c.id)
        return await self._store.read(lambda conn: [Rater(*row) for row in conn.execute(statement)])

    async def rate(self, set_id: str, ratings: Sequence[Rating]) -> None:
        now = self._clock.now()
        await self._store.write(lambda c: _rate(c, set_id, ratings, now))

    async def ratings(self, set_id: str, rater: str | None = None) -> Sequence[Rating]:
        c = human_rating.c
        here = c.set_id == set_id
        which = here if rater is None else and_(here, c.rater == rater)
        statement = select(c.question, c.digest, c.rater, c.value).where(which).order_by(c.id)
        return await self._store.read(lambda conn: [Rating(*row) for row in conn.execute(statement)])


_SETS: Final = select(human_set)


def _begin(connection: Connection, spec: SetSpec, questions: Sequence[Question], now: datetime) -> HumanSet:
    made = HumanSet(secrets.token_hex(4), spec, "answering", secrets.token_hex(16), len(questions), now)
    values = {
        "id": made.id,
        "name": storable(spec.name)[:200],
        "state": made.state,
        "seed": made.seed,
        "spec": spec_json(spec),
        "created_at": now,
    }
    connection.execute(insert(human_set).values(values))
    rows = [
        {"set_id": made.id, "question": one.id, "line": one.line, "text": one.text, "lang": one.lang}
        for one in questions
    ]
    for first in range(0, len(rows), _ROWS):
        connection.execute(insert(human_question), rows[first : first + _ROWS])
    return made


def _find(connection: Connection, set_id: str) -> HumanSet | None:
    begins = human_set.c.id.startswith(set_id, autoescape=True)
    exact = connection.execute(_SETS.where(human_set.c.id == set_id)).first()
    rows = [exact] if exact else connection.execute(_SETS.where(begins).limit(2)).all()
    return _set(connection, rows[0]) if set_id and len(rows) == 1 else None


def _set(connection: Connection, row: Any) -> HumanSet:
    ids = select(human_question.c.id).where(human_question.c.set_id == row.id)
    count = len(connection.execute(ids).all())
    return HumanSet(row.id, spec_of(row.spec), row.state, row.seed, count, row.created_at, row.closed_at)


def _keep(connection: Connection, set_id: str, answer: Answer, now: datetime) -> None:
    _hold(connection, set_id, "answering")
    # What a column of text can't hold nobody can see either.
    kept = replace(answer, text=storable(answer.text), sources=tuple(map(storable, answer.sources)))
    there = _where(human_answer.c, set_id, answer.key)
    connection.execute(delete(human_answer).where(there, human_answer.c.error != ""))
    values = {
        "set_id": set_id,
        **_columns(answer.key),
        "text": kept.text,
        "sources": list(kept.sources),
        "digest": kept.digest,
        "error": storable(kept.error)[:64],
        "seconds": kept.seconds,
        "prompt_tokens": kept.prompt_tokens,
        "completion_tokens": kept.completion_tokens,
        "at": now,
    }
    insert_ignore(connection, human_answer, values)
    if not kept.error:
        connection.execute(delete(human_step).where(_where(human_step.c, set_id, answer.key)))


def _move(connection: Connection, set_id: str, state: SetState, now: datetime) -> None:
    _hold(connection, set_id)
    rated = select(human_rating.c.id).where(human_rating.c.set_id == set_id).limit(1)
    if state == "answering" and connection.execute(rated).first() is not None:
        raise SetGone(f"set {set_id} has ratings")
    closed_at = now if state == "closed" else None
    connection.execute(update(human_set).where(human_set.c.id == set_id).values(state=state, closed_at=closed_at))


def _join(connection: Connection, set_id: str, rater: Rater, now: datetime) -> Rater:
    _hold(connection, set_id, "open")
    values = {
        "set_id": set_id,
        "name": storable(rater.name)[:200],
        "key_hash": rater.key_hash,
        "driver": rater.driver,
        "at": now,
    }
    insert_ignore(connection, human_rater, values)
    c = human_rater.c
    mine = select(c.name, c.key_hash, c.driver).where(c.set_id == set_id, c.name == values["name"])
    return Rater(*connection.execute(mine).one())


def _rate(connection: Connection, set_id: str, ratings: Sequence[Rating], now: datetime) -> None:
    _hold(connection, set_id, "open")
    key = ["set_id", "question", "digest", "rater"]
    for one in ratings:
        values = {"set_id": set_id, "question": one.question, "digest": one.digest, "rater": one.rater}
        upsert(connection, human_rating, key, values | {"value": one.value, "at": now})


def _hold(connection: Connection, set_id: str, state: SetState | None = None) -> None:
    """Let nobody change the set's state until this transaction ends. Raises `SetGone` unless it has this one."""
    found = connection.execute(
        select(human_set.c.state).where(human_set.c.id == set_id).with_for_update(read=state is not None)
    ).scalar()
    if found is None or (state is not None and found != state):
        raise SetGone(f"set {set_id} is {found or 'not there'}")


def _where(columns: Any, set_id: str, key: AnswerKey) -> ColumnElement[bool]:
    mine = (columns.question == key.question, columns.system == key.system, columns.model == key.model)
    return and_(columns.set_id == set_id, *mine)


def _columns(key: AnswerKey) -> dict[str, str]:
    return {"question": key.question, "system": key.system, "model": key.model}


def _answer(row: Any) -> Answer:
    return Answer(
        AnswerKey(row.question, row.system, row.model),
        row.text,
        tuple(row.sources),
        row.error,
        row.seconds,
        row.prompt_tokens,
        row.completion_tokens,
    )

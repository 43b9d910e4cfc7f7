"""Turns that another program ran to their end, recorded as if they had come through the inbox: one transaction.

A short one, so that it works beside a running server. Such a turn is over when it is written, so no lease, no queue and
no delivery has anything to do with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from agent.journal import Json
from agent.language import Lang
from bot.inbox import clean
from bot.messages import Author, Incoming, Target
from bot.store import conversations, messages, steps, turns

#: Characters of the first question that name a conversation.
_TITLE = 80


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step of such a turn."""

    key: str
    detail: Json
    result: Json
    writes: bool
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that was answered."""

    target: Target
    author: Author
    question: str
    answer: str
    lang: Lang
    asked_at: datetime
    finished_at: datetime
    #: Notes, sources, model and usage, as in the turn's row.
    meta: dict[str, Any] = field(default_factory=dict)
    steps: Sequence[Step] = ()


def past(connection: Connection, target: Target, before: datetime) -> list[tuple[str, str]]:
    """The last questions and answers of this conversation, oldest first; [] for one that is new."""
    place = conversations.find(connection, target.conversation_key)
    if place is None:
        return []
    answered = turns.history(connection, place.id, place.generation, before)
    questions: dict[int, list[str]] = {}
    for turn_id, _, text, _, _ in messages.of_turns(connection, [one.id for one in answered]):
        questions.setdefault(turn_id, []).append(text)
    return [("\n\n".join(questions.get(one.id, ())), one.answer) for one in answered]


def record(connection: Connection, done: Answered) -> int:
    """Store question, answer and steps; the id of the turn."""
    now = done.finished_at
    question = clean(done.question)
    place = conversations.find_or_create(connection, done.target, now)
    seq = conversations.take_seq(connection, place.id, now, " ".join(question.split())[:_TITLE])
    turn_id = turns.insert_answered(
        connection,
        conversation_id=place.id,
        generation=place.generation,
        seq=seq,
        lang=done.lang,
        started_at=done.asked_at,
        finished_at=now,
        answer=done.answer,
        meta=done.meta,
    )
    asked = Incoming(done.target, str(uuid.uuid4()), done.author, question, done.asked_at)
    row_id = messages.insert(connection, asked, place.id, place.generation, now)
    if row_id is None:
        raise AssertionError("a new message had the id of another one")
    messages.assign(connection, row_id, turn_id)
    messages.insert_answer(connection, place.id, place.generation, turn_id, done.target, done.answer, now)
    for step in done.steps:
        steps.insert_finished(
            connection, turn_id, step.key, step.detail, step.result, step.writes, step.started_at, step.finished_at
        )
    return turn_id

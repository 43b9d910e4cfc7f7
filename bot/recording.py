"""Turns that another program ran to their end, recorded as if they had come through the inbox: one transaction.

A short one, so that it works beside a running server. Such a turn is over when it is written, so no lease, no queue and
no delivery has anything to do with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from agent.journal import Json
from agent.language import Lang
from agent.profile import Profile, to_values
from bot.dispatch.claim import CONTEXT
from bot.inbox import clean
from bot.messages import Author, Incoming, Target
from bot.store import conversations, messages, profiles, steps, turns
from bot.store.history import last_turns

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
    #: Aware, in the asker's zone, whose name is `zone`.
    asked_at: datetime
    zone: str
    finished_at: datetime
    profile: Profile
    #: Turns that were handed to the agent as history.
    history: Sequence[int] = ()
    #: Notes, sources, model and usage, as in the turn's row.
    meta: dict[str, Any] = field(default_factory=dict)
    steps: Sequence[Step] = ()


class Spoken(NamedTuple):
    """An earlier turn of the conversation."""

    turn_id: int
    question: str
    answer: str


def past(connection: Connection, target: Target, before: datetime) -> list[Spoken]:
    """The last questions and answers of this conversation, oldest first; [] for one that is new."""
    place = conversations.find(connection, target.conversation_key)
    if place is None:
        return []
    answered = last_turns(connection, place.id, place.generation, before)
    questions: dict[int, list[str]] = {}
    for one in messages.of_turns(connection, [one.id for one in answered]):
        questions.setdefault(one.turn_id or 0, []).append(one.text)
    return [Spoken(one.id, "\n\n".join(questions.get(one.id, ())), one.answer) for one in answered]


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
    row_id = messages.insert(connection, asked, place.id, place.generation, now, addressed=True)
    if row_id is None:
        raise AssertionError("a new message had the id of another one")
    messages.assign(connection, row_id, turn_id)
    messages.insert_answer(connection, place.id, place.generation, turn_id, done.target, done.answer, now)
    version = _version(connection, done)
    turns.ran_with(connection, turn_id, version, done.lang)
    frozen = {
        "now": done.asked_at.isoformat(),
        "zone": done.zone,
        "lang": done.lang,
        "profiles": [version],
        "messages": [[row_id, 0]],
        "history": list(done.history),
    }
    steps.insert_done(connection, turn_id, CONTEXT, None, frozen, 1, done.asked_at)
    for step in done.steps:
        steps.insert_finished(
            connection, turn_id, step.key, step.detail, step.result, step.writes, step.started_at, step.finished_at
        )
    return turn_id


def _version(connection: Connection, done: Answered) -> int:
    """The version of the profile that it ran with, kept at the conversation's channel; a new one if it has changed."""
    values = to_values(done.profile)
    key = f"{done.target.platform}:{done.target.workspace}:{done.target.channel}"
    while True:
        newest = profiles.newest(connection, "channel", key)
        if newest is not None and newest.values == values:
            return newest.id
        number = 1 if newest is None else newest.version + 1
        row = profiles.Row(0, "channel", key, number, values, done.author.id, done.author.name, None, done.finished_at)
        added = profiles.insert(connection, row)
        # None: another call was first with that number.
        if added is not None:
            return added

"""Databases with many messages, written straight into the server's tables: the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, insert

from bot.store import migrate
from bot.store.tables import conversation, message, step, turn

#: Turns of an ordinary conversation; a turn is a question and its answer, two messages.
TURNS = 20
#: Conversations that are written at once.
_BATCH = 200
_SEED = 20240229
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
#: Every conversation begins so much later than the one before, every turn of one than its last.
_APART, _NEXT = timedelta(seconds=30), timedelta(minutes=2)
_QUESTION_WORDS, _ANSWER_WORDS = 12, 80
_WORDS = ["model", "answer", "question", "window", "context", "number", "server", "token", "queue", "turn", "river"]
_WORDS += ["mountain", "history", "paper", "engine", "season", "light", "garden", "market", "letter", "winter"]
_WORDS += ["signal", "bridge", "harbour", "method", "teacher", "station", "forest", "island", "模型", "问题", "答案"]


@dataclass
class _Rows:
    """Rows of a batch, by table."""

    conversations: list[dict[str, Any]] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


def key_of(conversation_id: int) -> str:
    """The key of a conversation as the page makes them."""
    return f"{conversation_id:032x}"


def fill(path: Path, messages: int, longest: int = 0) -> int:
    """Create a database with so many messages; the number of its conversations.

    All conversations have `TURNS` turns, except that the first one has `longest` messages, if that isn't 0. Every
    turn has a question, an answer and its frozen context, as the server leaves them.
    """
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    sizes = _sizes(messages // 2, longest // 2)
    engine = create_engine(url)
    try:
        for rows in _batches(sizes):
            _write(engine, rows)
    finally:
        engine.dispose()
    return len(sizes)


def _sizes(turns: int, longest: int) -> list[int]:
    """Turns of each conversation."""
    sizes = [longest] if longest else []
    whole, rest = divmod(turns - longest, TURNS)
    return [*sizes, *[TURNS] * whole, *([rest] if rest else [])]


def _write(engine: Engine, rows: _Rows) -> None:
    with engine.connect() as connection:
        # A half-written file is thrown away, so nothing here need be safe. The server sets its own way again.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.execute(insert(conversation), rows.conversations)
        connection.execute(insert(turn), rows.turns)
        connection.execute(insert(message), rows.messages)
        connection.execute(insert(step), rows.steps)
        connection.commit()


def _batches(sizes: list[int]) -> Iterator[_Rows]:
    draw = random.Random(_SEED)
    questions = [" ".join(draw.choices(_WORDS, k=_QUESTION_WORDS)) for _ in range(1000)]
    answers = [" ".join(draw.choices(_WORDS, k=_ANSWER_WORDS)) for _ in range(1000)]
    rows, first_turn = _Rows(), 1
    for number, turns in enumerate(sizes, 1):
        _add_conversation(rows, number, first_turn, turns, draw, questions, answers)
        first_turn += turns
        if number % _BATCH == 0:
            yield rows
            rows = _Rows()
    if rows.conversations:
        yield rows


def _add_conversation(
    rows: _Rows,
    number: int,
    first_turn: int,
    turns: int,
    draw: random.Random,
    questions: list[str],
    answers: list[str],
) -> None:
    key = key_of(number)
    begun = _BEGIN + number * _APART
    for seq in range(1, turns + 1):
        turn_id = first_turn + seq - 1
        asked = begun + seq * _NEXT
        answered = asked + timedelta(seconds=5)
        answer = draw.choice(answers)
        rows.turns.append(
            {
                "id": turn_id,
                "conversation_id": number,
                "generation": 1,
                "seq": seq,
                "sent_at": asked,
                "state": "answered",
                "epoch": seq,
                "attempts": 1,
                "lang": "en",
                "created_at": asked,
                "started_at": asked,
                "touched_at": answered,
                "finished_at": answered,
                "answer": answer,
                "answer_meta": {"notes": [], "sources": [], "model": "model"},
            }
        )
        place = {
            "conversation_id": number,
            "generation": 1,
            "platform": "web",
            "workspace": "",
            "channel": key,
            "attachments": [],
            "turn_id": turn_id,
        }
        rows.messages.append(
            place
            | {
                "id": 2 * turn_id - 1,
                "message_id": f"{draw.getrandbits(128):032x}",
                "role": "user",
                "author_id": "web",
                "text": draw.choice(questions),
                "sent_at": asked,
                "received_at": asked,
                "addressed": True,
            }
        )
        rows.messages.append(
            place
            | {
                "id": 2 * turn_id,
                "message_id": f"turn/{turn_id}",
                "role": "assistant",
                "author_id": "assistant",
                "text": answer,
                "sent_at": answered,
                "received_at": answered,
                "addressed": False,
            }
        )
        history = list(range(max(first_turn, turn_id - TURNS), turn_id))
        frozen = {"now": asked.isoformat(), "zone": "UTC", "lang": "en", "profile": None}
        rows.steps.append(
            {
                "turn_id": turn_id,
                "key": "context",
                "state": "done",
                "attempt": 1,
                "result": frozen | {"messages": [[2 * turn_id - 1, 0]], "history": history},
                "started_at": asked,
                "finished_at": asked,
            }
        )
    rows.conversations.append(
        {
            "id": number,
            "key": f"web:{key}",
            "platform": "web",
            "workspace": "",
            "channel": key,
            "title": draw.choice(questions),
            "created_at": begun,
            "last_message_at": begun + turns * _NEXT,
            "epoch": turns,
            "next_seq": turns + 1,
        }
    )

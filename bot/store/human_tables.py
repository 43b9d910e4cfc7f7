"""The tables of ratings by people: sets of questions, the answers of agent systems, and what raters give them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, String, Table, Text, UniqueConstraint, text

from bot.store.columns import ID, UtcTime
from bot.store.columns import metadata as metadata

_EMPTY: Final = text("''")


def _set() -> Column[str]:
    return Column("set_id", ForeignKey("human_set.id", ondelete="CASCADE"), nullable=False)


human_set = Table(
    "human_set",
    metadata,
    # The order in which they began.
    Column("number", ID, primary_key=True),
    # Eight hexadecimal digits: people type it.
    Column("id", String(32), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    # answering, open or closed.
    Column("state", String(16), nullable=False),
    # What every rater's order is made from.
    Column("seed", String(64), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
)

human_question = Table(
    "human_question",
    metadata,
    Column("id", ID, primary_key=True),
    _set(),
    # Its id in the file.
    Column("question", String(120), nullable=False),
    Column("line", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("lang", String(8), nullable=False),
    UniqueConstraint("set_id", "question"),
)

human_answer = Table(
    "human_answer",
    metadata,
    Column("id", ID, primary_key=True),
    _set(),
    Column("question", String(120), nullable=False),
    Column("system", String(64), nullable=False),
    Column("model", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("sources", JSON, nullable=False),
    # Equal for answers that look the same.
    Column("digest", String(64), nullable=False),
    # Why it never came; "" for one that did.
    Column("error", String(64), nullable=False, server_default=_EMPTY),
    Column("seconds", Float(53), nullable=False, server_default="0"),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("set_id", "question", "system", "model"),
)

human_step = Table(
    "human_step",
    metadata,
    # Finished steps of answers that are not there yet.
    Column("id", ID, primary_key=True),
    _set(),
    Column("question", String(120), nullable=False),
    Column("system", String(64), nullable=False),
    Column("model", String(200), nullable=False),
    Column("key", String(64), nullable=False),
    Column("result", JSON),
    UniqueConstraint("set_id", "question", "system", "model", "key"),
)

human_rater = Table(
    "human_rater",
    metadata,
    # The order in which they came.
    Column("id", ID, primary_key=True),
    _set(),
    # What they call themselves, or what access says.
    Column("name", String(200), nullable=False),
    # Of the key that says it is them; "" where access does.
    Column("key_hash", String(64), nullable=False, server_default=_EMPTY),
    # A test's program.
    Column("driver", Boolean, nullable=False, server_default=text("false")),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("set_id", "name"),
)

human_rating = Table(
    "human_rating",
    metadata,
    Column("id", ID, primary_key=True),
    _set(),
    Column("question", String(120), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rater", String(200), nullable=False),
    # From 1 to 5; NULL for skipped.
    Column("value", Integer),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("set_id", "question", "digest", "rater"),
)

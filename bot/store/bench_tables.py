"""The tables of benchmarks: runs, the replies of their models, and what is measured every week. None of them holds what
people have said: prompts and goldens stay in the files of the data sets.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.store.columns import ID, UtcTime
from bot.store.columns import metadata as metadata

_EMPTY: Final = text("''")

bench_run = Table(
    "bench_run",
    metadata,
    # The order in which they began.
    Column("number", ID, primary_key=True),
    # Eight hexadecimal digits: people type it.
    Column("id", String(32), nullable=False, unique=True),
    # running, done, cancelled or failed; one that waits for its turn is running, too, without a reply.
    Column("state", String(16), nullable=False),
    # What of `spec` is looked for.
    Column("model", String(200), nullable=False),
    Column("data_name", String(200), nullable=False),
    Column("data_sha256", String(64), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("summary", JSON(none_as_null=True)),
    # A sentence for people; "" for none.
    Column("error", String(500), nullable=False, server_default=_EMPTY),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    # The job that works on it. No foreign key: jobs are forgotten, runs are not.
    Column("job_id", BigInteger),
    # Where it was asked for, by whom (the platform's id), and in which language; "" for a run that nobody in a chat
    # asked for.
    Column("platform", String(32), nullable=False, server_default=_EMPTY),
    Column("workspace", String(128), nullable=False, server_default=_EMPTY),
    Column("channel", String(128), nullable=False, server_default=_EMPTY),
    Column("author_id", String(128), nullable=False, server_default=_EMPTY),
    Column("lang", String(8), nullable=False, server_default=_EMPTY),
)

bench_reply = Table(
    "bench_reply",
    metadata,
    # The order in which they came.
    Column("id", ID, primary_key=True),
    Column("run_id", ForeignKey("bench_run.id", ondelete="CASCADE"), nullable=False, index=True),
    # `evals.runs.PredictionKey`; its digest is what the cache asks for. Texts of the data and of models are escaped
    # where a column of text can't hold them (`bot.store.bench.packed`).
    Column("digest", String(64), nullable=False, index=True),
    Column("type", String(64), nullable=False),
    Column("item", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("prompt", String(64), nullable=False),
    Column("model", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("repeat", Integer, nullable=False, server_default="0"),
    Column("text", Text, nullable=False),
    Column("reasoning", Text, nullable=False, server_default=_EMPTY),
    Column("finish_reason", String(64), nullable=False, server_default=_EMPTY),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("seconds", Float(53), nullable=False, server_default="0"),
    # The fault that it ended with; "" for a reply.
    Column("error", String(64), nullable=False, server_default=_EMPTY),
    Column("cached", Boolean, nullable=False, server_default=text("false")),
    Column("cut_tokens", Integer, nullable=False, server_default="0"),
    Column("at", UtcTime, nullable=False),
)

bench_schedule = Table(
    "bench_schedule",
    metadata,
    Column("id", ID, primary_key=True),
    # Where its runs are reported, as the platform's adapter has to know it.
    Column("target", JSON, nullable=False),
    # That place in one word: the conversation's key.
    Column("place", String(255), nullable=False),
    Column("model", String(200), nullable=False),
    # What is run: the words of the command, parsed.
    Column("wanted", JSON, nullable=False),
    # Days between two runs.
    Column("days", Integer, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("author_id", String(128), nullable=False),
    Column("lang", String(8), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("place", "model"),
)

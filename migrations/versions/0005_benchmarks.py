"""Runs of benchmarks, the replies of their models, and what is measured every week."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: SQLite numbers its rows itself only for INTEGER keys.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Always UTC; without a zone on SQLite, which has no type for one.
TIME = sa.DateTime(timezone=True)
EMPTY = sa.text("''")


def upgrade() -> None:
    op.create_table(
        "bench_run",
        sa.Column("number", ID, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("data_name", sa.String(200), nullable=False),
        sa.Column("data_sha256", sa.String(64), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON()),
        sa.Column("error", sa.String(500), nullable=False, server_default=EMPTY),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("job_id", sa.BigInteger()),
        sa.Column("platform", sa.String(32), nullable=False, server_default=EMPTY),
        sa.Column("workspace", sa.String(128), nullable=False, server_default=EMPTY),
        sa.Column("channel", sa.String(128), nullable=False, server_default=EMPTY),
        sa.Column("author_id", sa.String(128), nullable=False, server_default=EMPTY),
        sa.Column("lang", sa.String(8), nullable=False, server_default=EMPTY),
        sa.PrimaryKeyConstraint("number", name="pk_bench_run"),
        sa.UniqueConstraint("id", name="uq_bench_run_id"),
    )
    op.create_table(
        "bench_reply",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("prompt", sa.String(64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False, server_default=EMPTY),
        sa.Column("finish_reason", sa.String(64), nullable=False, server_default=EMPTY),
        sa.Column("prompt_tokens", sa.Integer()),
        sa.Column("completion_tokens", sa.Integer()),
        sa.Column("seconds", sa.Float(53), nullable=False, server_default="0"),
        sa.Column("error", sa.String(64), nullable=False, server_default=EMPTY),
        sa.Column("cached", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("cut_tokens", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bench_reply"),
        sa.ForeignKeyConstraint(["run_id"], ["bench_run.id"], name="fk_bench_reply_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_bench_reply_run_id", "bench_reply", ["run_id"])
    op.create_index("ix_bench_reply_digest", "bench_reply", ["digest"])
    op.create_table(
        "bench_schedule",
        sa.Column("id", ID, nullable=False),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("author_id", sa.String(128), nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bench_schedule"),
        sa.UniqueConstraint("place", "model", name="uq_bench_schedule_place_model"),
    )


def downgrade() -> None:
    op.drop_table("bench_schedule")
    op.drop_table("bench_reply")
    op.drop_table("bench_run")

"""Ratings by people: sets of questions, the answers of agent systems, raters and what they give."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: SQLite numbers its rows itself only for INTEGER keys.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Always UTC; without a zone on SQLite, which has no type for one.
TIME = sa.DateTime(timezone=True)
EMPTY = sa.text("''")


def upgrade() -> None:
    op.create_table(
        "human_set",
        sa.Column("number", ID, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.PrimaryKeyConstraint("number", name="pk_human_set"),
        sa.UniqueConstraint("id", name="uq_human_set_id"),
    )
    _part(
        "human_question",
        ("set_id", "question"),
        sa.Column("question", sa.String(120), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
    )
    _part(
        "human_answer",
        ("set_id", "question", "system", "model"),
        sa.Column("question", sa.String(120), nullable=False),
        sa.Column("system", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("error", sa.String(64), nullable=False, server_default=EMPTY),
        sa.Column("seconds", sa.Float(53), nullable=False, server_default="0"),
        sa.Column("prompt_tokens", sa.Integer()),
        sa.Column("completion_tokens", sa.Integer()),
        sa.Column("at", TIME, nullable=False),
    )
    _part(
        "human_step",
        ("set_id", "question", "system", "model", "key"),
        sa.Column("question", sa.String(120), nullable=False),
        sa.Column("system", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("result", sa.JSON()),
    )
    _part(
        "human_rater",
        ("set_id", "name"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False, server_default=EMPTY),
        sa.Column("driver", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("at", TIME, nullable=False),
    )
    _part(
        "human_rating",
        ("set_id", "question", "digest", "rater"),
        sa.Column("question", sa.String(120), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("rater", sa.String(200), nullable=False),
        sa.Column("value", sa.Integer()),
        sa.Column("at", TIME, nullable=False),
    )


def _part(name: str, unique: tuple[str, ...], *columns: sa.Column[object]) -> None:
    """A table whose rows belong to a set, and go with it."""
    op.create_table(
        name,
        sa.Column("id", ID, nullable=False),
        sa.Column("set_id", sa.String(32), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["set_id"], ["human_set.id"], name=f"fk_{name}_set_id", ondelete="CASCADE"),
        sa.UniqueConstraint(*unique, name=f"uq_{name}_{'_'.join(unique)}"),
    )


def downgrade() -> None:
    for name in ("human_rating", "human_rater", "human_step", "human_answer", "human_question", "human_set"):
        op.drop_table(name)

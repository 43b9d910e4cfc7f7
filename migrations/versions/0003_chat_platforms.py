"""What chat platforms need: who people are, what was overheard, commands, ratings, usage, installations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: SQLite numbers its rows itself only for INTEGER keys.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Always UTC; without a zone on SQLite, which has no type for one.
TIME = sa.DateTime(timezone=True)
FALSE = sa.text("false")
EMPTY = sa.text("''")
OVERHEARD = sa.text("turn_id IS NULL AND role = 'user'")


def upgrade() -> None:
    for name in ("direct", "muted", "past_wanted", "overheard"):
        op.add_column("conversation", sa.Column(name, sa.Boolean(), nullable=False, server_default=FALSE))
    kind = sa.Column("author_kind", sa.String(16), nullable=False, server_default=sa.text("'member'"))
    op.add_column("message", kind)
    op.add_column("message", sa.Column("author_team", sa.String(64), nullable=False, server_default=EMPTY))
    op.create_index(
        "ix_message_overheard",
        "message",
        ["conversation_id", "sent_at"],
        sqlite_where=OVERHEARD,
        postgresql_where=OVERHEARD,
    )
    op.add_column("turn", sa.Column("command", sa.String(200)))
    op.add_column("feedback", sa.Column("rating", sa.Integer()))
    op.add_column("feedback", sa.Column("style", sa.String(32)))
    op.add_column("feedback", sa.Column("model", sa.String(200)))
    op.create_table(
        "person",
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("name", sa.String(200), nullable=False, server_default=EMPTY),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("team", sa.String(64), nullable=False, server_default=EMPTY),
        sa.Column("is_admin", sa.Boolean(), nullable=False, server_default=FALSE),
        sa.Column("zone", sa.String(64), nullable=False, server_default=EMPTY),
        sa.Column("lang", sa.String(8)),
        sa.Column("fetched_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "user_id", name="pk_person"),
    )
    op.create_table(
        "usage",
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("channel", sa.String(128), nullable=False),
        sa.Column("author_id", sa.String(128), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("completion_tokens", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("turn_id", name="pk_usage"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name="fk_usage_turn_id", ondelete="CASCADE"),
    )
    for whose in ("author_id", "channel"):
        columns = ["platform", "workspace", whose, "at"]
        op.create_index(f"ix_usage_{'_'.join(columns)}", "usage", columns)
    op.create_table(
        "installation",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("installed_by", sa.String(128), nullable=False, server_default=EMPTY),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
        sa.UniqueConstraint("platform", "workspace", name="uq_installation_platform_workspace"),
    )


def downgrade() -> None:
    op.drop_table("installation")
    op.drop_table("usage")
    op.drop_table("person")
    for name in ("model", "style", "rating"):
        op.drop_column("feedback", name)
    op.drop_column("turn", "command")
    op.drop_index("ix_message_overheard", "message")
    op.drop_column("message", "author_team")
    op.drop_column("message", "author_kind")
    for name in ("overheard", "past_wanted", "muted", "direct"):
        op.drop_column("conversation", name)

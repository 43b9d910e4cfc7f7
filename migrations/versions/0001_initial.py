"""The first tables: conversations, messages, turns, steps, parts, drafts, jobs, blobs, profiles, feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: SQLite numbers its rows itself only for INTEGER keys.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Always UTC; without a zone on SQLite, which has no type for one.
TIME = sa.DateTime(timezone=True)
FALSE = sa.text("false")
EMPTY = sa.text("''")


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("channel", sa.String(128), nullable=False),
        sa.Column("thread", sa.String(128)),
        sa.Column("title", sa.String(200), nullable=False, server_default=EMPTY),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_message_at", TIME, nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until", TIME),
        sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_seq", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("tidy_at", TIME),
        sa.Column("tidy_since", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
        sa.UniqueConstraint("key", name="uq_conversation_key"),
    )
    op.create_index("ix_conversation_platform_last_message_at", "conversation", ["platform", "last_message_at"])
    _partial_index("ix_conversation_leased", "conversation", ["lease_until"], "owner IS NOT NULL")
    _partial_index("ix_conversation_tidy", "conversation", ["tidy_at"], "tidy_at IS NOT NULL")

    op.create_table(
        "message",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("channel", sa.String(128), nullable=False),
        sa.Column("message_id", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("author_id", sa.String(128), nullable=False),
        sa.Column("author_name", sa.String(200), nullable=False, server_default=EMPTY),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("addressed", sa.Boolean(), nullable=False, server_default=FALSE),
        sa.Column("turn_id", ID),
        sa.Column("erased_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint(
            "platform", "workspace", "channel", "message_id", name="uq_message_platform_workspace_channel_message_id"
        ),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_message_conversation_id"),
    )
    op.create_index("ix_message_turn_id", "message", ["turn_id"])
    op.create_index("ix_message_conversation_id_generation_id", "message", ["conversation_id", "generation", "id"])

    op.create_table(
        "delivery",
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("delivery_id", sa.String(128), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("platform", "delivery_id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_received_at", "delivery", ["received_at"])

    op.create_table(
        "turn",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("handed_over", sa.Boolean(), nullable=False, server_default=FALSE),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("touched_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("waiting_until", TIME),
        sa.Column("end_as", sa.String(16)),
        sa.Column("end_asked_at", TIME),
        sa.Column("end_asked_by", sa.String(128)),
        sa.Column("reason", sa.String(64)),
        sa.Column("merged_into", ID),
        sa.Column("retry_of", ID),
        sa.Column("profile_id", ID),
        sa.Column("answer", sa.Text()),
        sa.Column("answer_meta", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_turn"),
        sa.UniqueConstraint("conversation_id", "seq", name="uq_turn_conversation_id_seq"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_turn_conversation_id"),
    )
    _partial_index("ix_turn_live", "turn", ["conversation_id", "state"], "state IN ('queued', 'running', 'waiting')")
    op.create_index("ix_turn_history", "turn", ["conversation_id", "generation", "finished_at"])
    op.create_index("ix_turn_merged_into", "turn", ["merged_into"])
    op.create_index("ix_turn_retry_of", "turn", ["retry_of"])

    op.create_table(
        "step",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("writes", sa.Boolean(), nullable=False, server_default=FALSE),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("detail", sa.JSON()),
        sa.Column("result", sa.JSON()),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_step"),
        sa.UniqueConstraint("turn_id", "key", name="uq_step_turn_id_key"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name="fk_step_turn_id", ondelete="CASCADE"),
    )

    op.create_table(
        "part",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("external_id", sa.String(128)),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("intended_at", TIME, nullable=False),
        sa.Column("posted_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_part"),
        sa.UniqueConstraint("turn_id", "position", name="uq_part_turn_id_position"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name="fk_part_turn_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_part_conversation_id"),
    )
    op.create_index("ix_part_conversation_id_external_id", "part", ["conversation_id", "external_id"])
    _partial_index("ix_part_open", "part", ["intended_at"], "state = 'intended'")

    op.create_table(
        "draft",
        sa.Column("turn_id", ID, autoincrement=False, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("turn_id", name="pk_draft"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name="fk_draft_turn_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_draft_conversation_id"),
    )
    op.create_index("ix_draft_conversation_id", "draft", ["conversation_id"])

    op.create_table(
        "job",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until", TIME),
        sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("progress", sa.JSON()),
        sa.Column("error", sa.String(500)),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False, server_default=FALSE),
        sa.Column("run_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    _partial_index("uq_job_live", "job", ["kind", "key"], "state IN ('queued', 'running')", unique=True)
    _partial_index("ix_job_due", "job", ["run_at"], "state IN ('queued', 'running')")

    op.create_table(
        "blob",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_blob"),
    )

    op.create_table(
        "profile",
        sa.Column("id", ID, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("scope_key", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("author_id", sa.String(128), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_profile"),
        sa.UniqueConstraint("scope", "scope_key", "version", name="uq_profile_scope_scope_key_version"),
    )

    op.create_table(
        "feedback",
        sa.Column("id", ID, nullable=False),
        sa.Column("turn_id", ID, nullable=False),
        sa.Column("author_id", sa.String(128), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint("turn_id", "author_id", name="uq_feedback_turn_id_author_id"),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name="fk_feedback_turn_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    # Those that refer to others first; indexes go with their table.
    for table in (
        "feedback",
        "profile",
        "blob",
        "job",
        "draft",
        "part",
        "step",
        "turn",
        "delivery",
        "message",
        "conversation",
    ):
        op.drop_table(table)


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)

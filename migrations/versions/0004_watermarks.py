"""Watermarks of platforms that don't deliver again, and the messages that jobs post."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: SQLite numbers its rows itself only for INTEGER keys.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Always UTC; without a zone on SQLite, which has no type for one.
TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state = 'intended'")


def upgrade() -> None:
    op.create_table(
        "job_part",
        sa.Column("job_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("external_id", sa.String(128)),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("intended_at", TIME, nullable=False),
        sa.Column("posted_at", TIME),
        sa.PrimaryKeyConstraint("job_id", "position", name="pk_job_part"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_job_part_job_id", ondelete="CASCADE"),
    )
    op.create_index("ix_job_part_platform_external_id", "job_part", ["platform", "external_id"])
    op.create_index("ix_job_part_open", "job_part", ["intended_at"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        "watermark",
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(128), nullable=False),
        sa.Column("place", sa.String(128), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "place", name="pk_watermark"),
    )


def downgrade() -> None:
    op.drop_table("watermark")
    op.drop_table("job_part")

"""Profiles per place with their authors, endpoints that were entered on the page, conversations that were deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: SQLite numbers its rows itself only for INTEGER keys.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Always UTC; without a zone on SQLite, which has no type for one.
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("conversation", sa.Column("erased_at", TIME))
    op.add_column("profile", sa.Column("author_name", sa.String(200), nullable=False, server_default=sa.text("''")))
    op.add_column("profile", sa.Column("restores", sa.Integer()))
    op.create_table(
        "endpoint",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("author_id", sa.String(128), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_endpoint"),
        sa.UniqueConstraint("name", name="uq_endpoint_name"),
    )


def downgrade() -> None:
    op.drop_table("endpoint")
    op.drop_column("profile", "restores")
    op.drop_column("profile", "author_name")
    op.drop_column("conversation", "erased_at")

"""What Alembic runs around the revisions; connection and transaction are those that `bot.store.migrate` has opened."""

from __future__ import annotations

from alembic import context

from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # Also on SQLite, where Alembic doesn't assume it: our connections begin their transactions themselves.
    transactional_ddl=True,
    # SQLite can't alter a column in place; `op.batch_alter_table` copies the table there.
    render_as_batch=True,
)

with context.begin_transaction():
    context.run_migrations()

"""The database's history: one Alembic revision per change of `bot/store/tables.py`.

`bot.store.migrate` runs them, from the checkout or an installed wheel, without an `alembic.ini`. A new revision is a
file in `versions/` whose number is also appended to `bot.store.migrate.REVISIONS`; a test compares the result with the
tables. A revision imports nothing of the server: it must still mean the same when the code has moved on.
"""

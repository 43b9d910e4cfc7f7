"""The few statements that SQLAlchemy spells differently for each database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_ignore(connection: Connection, table: Table, values: dict[str, Any]) -> Any:
    """Insert unless any unique rule objects; the new row's first key column, or None when it was there already."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    key = next(iter(table.primary_key.columns))
    statement = insert(table).values(**values).on_conflict_do_nothing().returning(key)
    row = connection.execute(statement).first()
    return None if row is None else row[0]


def upsert(connection: Connection, table: Table, key: list[str], values: dict[str, Any]) -> None:
    """Insert, or update every other column of the row with this key."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values)
    changed = {name: statement.excluded[name] for name in values if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))
